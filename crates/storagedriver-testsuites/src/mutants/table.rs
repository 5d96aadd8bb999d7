//! The table of all mutants: each with the cases that must fail on it, the one for its sentence first,
//! and a part of what each must say.

use super::wrap::Writes;
use super::{
    Mutant, content, deletes, driver, endings, lists, openings, paths, readers, renames, uploads, walks,
    writes,
};

macro_rules! mutants {
    ($($name:ident = $wrap:expr => {$($topic:ident::$case:ident: $says:literal,)+})+) => {
        /// Every mutant.
        pub const MUTANTS: &[Mutant] = &[$(Mutant {
            name: stringify!($name),
            wrap: $wrap,
            caught_by: &[$((concat!(stringify!($topic), "::", stringify!($case)), $says)),+],
        }),+];
    };
}

mutants! {
    case_folded = paths::CaseFolded::wrap => {
        paths::never_normalises: "get_content of /a",
    }
    dot_names_refused = paths::DotNamesRefused::wrap => {
        paths::accepts_unusual_names: "put_content /d0/...: invalid path: a name begins with a dot",
        paths::accepts_valid_paths: "put_content /.abc: invalid path: a name begins with a dot",
    }
    dot_names_hidden = paths::DotNamesHidden::wrap => {
        paths::accepts_unusual_names: "the list",
    }
    deep_paths_fail = paths::DeepPathsFail::wrap => {
        paths::nests_deeply: "put_content",
    }
    prefix_is_a_directory = paths::PrefixIsADirectory::wrap => {
        kinds::a_path_is_a_file_a_directory_or_absent: "wanted path_not_found, but the operation succeeded",
        kinds::a_prefix_of_a_name_is_no_directory: "wanted path_not_found, but the operation succeeded",
        rename::makes_and_prunes_directories: "wanted path_not_found, but the operation succeeded",
    }
    empty_directory_left = paths::EmptyDirectoryLeft::wrap => {
        kinds::directories_go_with_what_was_below: "wanted path_not_found, but the operation succeeded",
        concurrency::puts_and_deletes_in_one_directory: "wanted path_not_found, but the operation succeeded",
    }
    empty_root_absent = paths::EmptyRootAbsent::wrap => {
        paths::the_root_always_exists: "stat /: path not found",
        list::of_the_empty_root_is_empty: "list /: path not found",
        paths::refuses_invalid_paths: "list /: path not found",
        registry::cancels_an_upload: "list /: path not found",
    }
    root_needs_a_name = paths::RootNeedsAName::wrap => {
        paths::refuses_the_root_where_a_name_is_needed: "stat /: an object needs a name",
    }
    stat_without_time = paths::StatWithoutTime::wrap => {
        content::stat_tells_size_and_time: "the time in the stat",
    }
    stat_counts_blocks = paths::StatCountsBlocks::wrap => {
        content::stat_tells_size_and_time: "the size in the stat",
    }
    stat_sees_uploads = paths::StatSeesUploads::wrap => {
        writer::is_invisible_before_its_commit: "closed: Mismatch(\"wanted path_not_found, but the operation s",
    }
    uploads_imply_directories = paths::UploadsImplyDirectories::wrap => {
        uploads::is_no_entry_and_implies_no_directory: "wanted path_not_found, but the operation succeeded",
    }
    put_overlays = content::PutOverlays::wrap => {
        content::replaces_longer_content: "get_content of /content",
    }
    put_does_not_grow = content::PutDoesNotGrow::wrap => {
        content::replaces_shorter_content: "get_content of /content",
    }
    put_skips_equal_size = content::PutSkipsEqualSize::wrap => {
        content::replaces_content_of_the_same_size: "get_content of /link",
        registry::moves_a_tag: "get_content of /docker/registry/v2/repositories/app/_manifes",
    }
    torn_put = content::TornPut::wrap => {
        cancellation::a_dropped_put_is_whole_or_nothing: "/d/file holds",
        content::is_replaced_atomically: "/file holds",
        cancellation::a_put_dropped_at_any_instant_is_whole_or_nothing: "/d/file holds",
    }
    put_stages_beside = content::PutStagesBeside::wrap => {
        cancellation::a_dropped_put_is_whole_or_nothing: "the entries beside the content",
    }
    put_in_two_halves = content::PutInTwoHalves::wrap => {
        concurrency::puts_to_one_path_leave_one_whole: "/dir/file holds",
        concurrency::two_processes_write_at_once: "/shared/file holds",
    }
    put_keeps_backup = content::PutKeepsBackup::wrap => {
        content::replaces_many_times: "the entries of the root",
        content::is_seen_by_a_second_handle: "wanted path_not_found, but the operation succeeded",
    }
    puts_share_a_buffer = content::PutsShareABuffer::wrap => {
        concurrency::puts_to_many_paths: "get_content of /dir/sub/file",
    }
    empty_put_forgotten = content::EmptyPutForgotten::wrap => {
        content::keeps_empty_content: "get_content /dir/empty: path not found",
    }
    put_loses_byte_at_boundary = content::PutLosesByteAtBoundary::wrap => {
        content::keeps_every_size: "get_content of /content",
    }
    put_cuts_what_is_large = content::PutCutsWhatIsLarge::wrap => {
        content::keeps_large_content: "get_content of /large",
    }
    content_is_text = content::ContentIsText::wrap => {
        content::keeps_every_byte: "get_content of /content",
    }
    put_removes_longer_names = content::PutRemovesLongerNames::wrap => {
        content::leaves_other_paths_alone: "get_content /a/b-: path not found",
    }
    put_replaces_file_above = content::PutReplacesFileAbove::wrap => {
        kinds::a_file_where_a_directory_is_needed_loses_nothing: "get_content /file: path not found",
    }
    put_replaces_directory = content::PutReplacesDirectory::wrap => {
        kinds::a_directory_where_a_file_is_needed_loses_nothing: "get_content /dir/sub/file: path not found",
    }
    put_discards_uploads = content::PutDiscardsUploads::wrap => {
        uploads::a_put_leaves_it: "the upload",
    }
    handle_caches_content = content::HandleCachesContent::wrap => {
        append::goes_on_in_small_steps: "get_content of /dir/file",
    }
    handle_caches_absence = content::HandleCachesAbsence::wrap => {
        writer::commit_is_seen_by_a_second_handle: "stat /file: path not found",
    }
    directory_reads_empty = content::DirectoryReadsEmpty::wrap => {
        kinds::a_path_is_a_file_a_directory_or_absent: "wanted path_not_found, but the operation succeeded",
        content::is_not_found_where_nothing_is: "wanted path_not_found, but the operation succeeded",
    }
    below_a_file_is_the_file = content::BelowAFileIsTheFile::wrap => {
        kinds::nothing_is_below_a_file: "wanted path_not_found, but the operation succeeded",
    }
    reading_moves = content::ReadingMoves::wrap => {
        cancellation::a_dropped_look_changes_nothing: "reader /d/file: path not found",
    }
    one_version = readers::OneVersion::wrap => {
        content::equal_versions_are_equal_bytes: "version 1 had other bytes before",
    }
    reader_ignores_version = readers::ReaderIgnoresVersion::wrap => {
        reader::reads_the_version_asked_for_or_conflicts: "wanted conflict, but the operation succeeded",
    }
    past_the_end_is_empty = readers::PastTheEndIsEmpty::wrap => {
        reader::refuses_an_offset_past_the_end: "wanted invalid_offset, but the operation succeeded",
    }
    the_end_is_past_the_end = readers::TheEndIsPastTheEnd::wrap => {
        reader::is_empty_at_the_end: "reader /content: offset 1 is past the end of the content of",
        registry::serves_a_blob_in_ranges: "reader /docker/registry/v2/blobs/sha256/ed/",
    }
    length_ignored = readers::LengthIgnored::wrap => {
        reader::cuts_at_every_length: "the bytes of 0 from 0 of 65539",
        concurrency::reads_one_file_from_many_places: "the bytes read from 0",
    }
    offset_is_one_off = readers::OffsetIsOneOff::wrap => {
        reader::starts_at_every_offset: "the bytes read from 4096",
    }
    size_of_the_part = readers::SizeOfThePart::wrap => {
        reader::cuts_at_every_length: "the size of the whole, told by a reader of a part",
    }
    stream_loses_last_byte = readers::StreamLosesLastByte::wrap => {
        reader::streams_every_size: "the stream of",
    }
    absent_reads_empty = readers::AbsentReadsEmpty::wrap => {
        reader::is_not_found_where_nothing_is: "wanted path_not_found, but the operation succeeded",
    }
    reader_splices = readers::ReaderSplices::wrap => {
        reader::opened_before_a_put_reads_one_version: "from byte 0 on the reader gives another version",
        reader::opened_before_a_commit_reads_one_version: "from byte 0 on the reader gives another version",
        reader::opened_before_it_goes_reads_one_version: "from byte 0 on the reader gives another version",
    }
    readers_share_a_position = readers::ReadersShareAPosition::wrap => {
        reader::several_take_turns: "where a reader among several ended",
    }
    dropped_reader_locks = readers::DroppedReaderLocks::wrap => {
        reader::may_be_dropped_midway: "delete /file: unavailable: the file is being read",
    }
    writes_in_place = Writes::<writes::WritesInPlace>::wrap => {
        writer::is_invisible_before_its_commit: "written: Mismatch(\"wanted path_not_found, but the operation",
    }
    size_without_buffer = Writes::<writes::SizeWithoutBuffer>::wrap => {
        writer::size_counts_what_is_buffered: "the size after a chunk of",
    }
    loses_tiny_chunks = Writes::<writes::LosesTinyChunks>::wrap => {
        writer::takes_many_small_chunks: "get_content of /content",
    }
    shared_buffer = Writes::<writes::SharedBuffer>::wrap => {
        writer::writers_of_several_paths_take_turns: "get_content of /dir",
        concurrency::commits_to_one_path_leave_one_whole: "/dir/file holds",
        concurrency::streams_to_many_paths: "get_content of /dir",
    }
    loses_what_is_large = Writes::<writes::LosesWhatIsLarge>::wrap => {
        writer::takes_large_content: "get_content of /content",
    }
    loses_byte_at_boundary = Writes::<writes::LosesByteAtBoundary>::wrap => {
        writer::takes_chunks_of_every_size: "get_content of /content",
    }
    torn_write = Writes::<writes::TornWrite>::wrap => {
        cancellation::a_dropped_write_took_all_or_nothing: "a dropped write took",
    }
    create_resumes = Writes::<openings::CreateResumes>::wrap => {
        writer::create_starts_afresh: "the size of an upload that starts afresh",
    }
    create_keeps_closed = Writes::<openings::CreateKeepsClosed>::wrap => {
        writer::create_discards_uploads_closed_before: "after create and close",
    }
    create_keeps_foreign = Writes::<openings::CreateKeepsForeign>::wrap => {
        writer::create_discards_uploads_of_a_second_handle: "the uploads",
    }
    create_fences_others = Writes::<openings::CreateFencesOthers>::wrap => {
        writer::create_leaves_uploads_that_are_open: "close /file: conflict: another writer has opened the upload",
    }
    append_restarts = Writes::<openings::AppendRestarts>::wrap => {
        append::resumes_at_the_closed_size: "the size that an append finds",
        append::goes_on_many_times: "the size that step 1 finds",
    }
    append_forgets_content = Writes::<openings::AppendForgetsContent>::wrap => {
        append::goes_on_from_content: "the size that an append to content finds",
    }
    append_prefers_content = Writes::<openings::AppendPrefersContent>::wrap => {
        append::prefers_the_upload_to_the_content: "the size that an append finds",
        writer::leaves_content_readable_until_its_commit: "the size of the resumed upload",
    }
    append_creates = Writes::<openings::AppendCreates>::wrap => {
        append::is_not_found_where_nothing_is: "wanted path_not_found, but the operation succeeded",
    }
    append_loses_tail = Writes::<openings::AppendLosesTail>::wrap => {
        append::goes_on_in_large_steps: "the size that step 1 of",
        append::goes_on_in_steps_around_each_boundary: "the size that step 1 of",
    }
    opening_fences = Writes::<openings::OpeningFences>::wrap => {
        append::opening_fences_nobody: "close /file: conflict: another writer has opened the upload",
    }
    resumed_exclusively = Writes::<openings::ResumedExclusively>::wrap => {
        append::opening_fences_nobody: "writer /file: conflict: the upload is open in another writer",
        errors::of_an_ending_name_it: "writer /file: conflict: the upload is open in another writer",
    }
    append_ignores_replacement = Writes::<openings::AppendIgnoresReplacement>::wrap => {
        append::conflicts_when_its_content_was_replaced: "wanted conflict, but the operation succeeded",
        append::conflicts_when_its_content_is_gone: "wanted conflict, but the operation succeeded",
        append::one_of_two_that_continue_the_same_content_commits: "wanted conflict, but the operation succeeded",
    }
    closed_append_forgets_its_base = Writes::<openings::ClosedAppendForgetsItsBase>::wrap => {
        append::conflicts_when_its_content_was_replaced_after_a_close: "wanted conflict, but the operation succeeded",
    }
    append_takes_content = Writes::<openings::AppendTakesContent>::wrap => {
        append::keeps_content_readable_until_its_commit: "get_content /file: path not found",
        append::goes_on_from_empty_content: "get_content /file: path not found",
    }
    append_discards_others = Writes::<openings::AppendDiscardsOthers>::wrap => {
        append::resumes_the_newest_upload: "the other upload",
    }
    uploads_belong_to_one_handle = Writes::<openings::UploadsBelongToOneHandle>::wrap => {
        append::is_resumed_by_a_second_handle: "writer /file: path not found",
        append::a_second_handle_forgets_what_was_not_closed: "writer /file: path not found",
        append::one_of_two_processes_can_end_it: "writer /file: path not found",
        registry::pushes_through_several_processes: "writer /docker/registry/v2/repositories/team/app/_uploads/0b",
    }
    torn_opening = Writes::<openings::TornOpening>::wrap => {
        cancellation::a_dropped_opening_leaves_what_was_closed: "the upload",
    }
    close_publishes = Writes::<endings::ClosePublishes>::wrap => {
        writer::is_invisible_before_its_commit: "closed: Mismatch(\"wanted path_not_found, but the operation s",
    }
    commit_leaves_upload = Writes::<endings::CommitLeavesUpload>::wrap => {
        append::a_commit_consumes_the_upload: "uploads are left below /:",
    }
    refused_commit_tears = Writes::<endings::RefusedCommitTears>::wrap => {
        writer::a_refused_commit_tears_nothing: "the size after a refused commit",
    }
    loser_publishes_half = Writes::<endings::LoserPublishesHalf>::wrap => {
        uploads::delete_under_a_live_writer_tears_nothing: "get_content of /dir/file",
    }
    drop_closes = Writes::<endings::DropCloses>::wrap => {
        append::forgets_what_was_written_past_the_close: "the size after",
    }
    drop_publishes = Writes::<endings::DropPublishes>::wrap => {
        writer::dropped_publishes_nothing: "wanted path_not_found, but the operation succeeded",
    }
    drop_cancels = Writes::<endings::DropCancels>::wrap => {
        append::forgets_what_was_written_past_the_close: "writer /file: path not found",
    }
    lost_bytes_are_needed = Writes::<endings::LostBytesAreNeeded>::wrap => {
        append::commits_with_less_than_was_lost: "parts of a writer that was lost are left",
    }
    cancel_closes = Writes::<endings::CancelCloses>::wrap => {
        writer::cancel_leaves_no_trace: "wanted path_not_found, but the operation succeeded",
    }
    cancel_deletes_content = Writes::<endings::CancelDeletesContent>::wrap => {
        writer::cancel_leaves_content: "get_content /file: path not found",
    }
    cancel_takes_others = Writes::<endings::CancelTakesOthers>::wrap => {
        uploads::a_cancel_leaves_the_others: "the upload",
    }
    cancel_publishes_first = Writes::<endings::CancelPublishesFirst>::wrap => {
        cancellation::a_dropped_cancel_publishes_nothing: "get_content of /file",
    }
    empty_close_forgotten = Writes::<endings::EmptyCloseForgotten>::wrap => {
        append::resumes_an_upload_closed_with_nothing: "the uploads",
    }
    reopened_close_grows = Writes::<endings::ReopenedCloseGrows>::wrap => {
        append::reopening_and_closing_changes_nothing: "the closed size",
        append::reopening_and_closing_keeps_content: "the closed size",
        registry::pushes_a_blob_in_chunks: "the size that a status tells",
    }
    empty_commit_forgotten = Writes::<endings::EmptyCommitForgotten>::wrap => {
        writer::commits_nothing_as_empty_content: "get_content /a: path not found",
        registry::pushes_an_empty_blob: "stat /docker/registry/v2/repositories/team/app/_uploads/0b8d",
    }
    commit_overlays = Writes::<endings::CommitOverlays>::wrap => {
        writer::commit_replaces_content: "get_content of /dir/file",
    }
    first_commit_stays = Writes::<endings::FirstCommitStays>::wrap => {
        writer::the_last_commit_wins_whole: "get_content of /file",
        writer::streams_every_byte: "get_content of /content",
    }
    commit_discards_others = Writes::<endings::CommitDiscardsOthers>::wrap => {
        uploads::the_commit_of_another_leaves_it: "the upload",
    }
    both_resumers_end = Writes::<endings::BothResumersEnd>::wrap => {
        append::one_of_two_resumers_can_end_it: "wanted conflict, but the operation succeeded",
        concurrency::one_of_many_resumers_ends_an_upload: "how many of eight resumers committed",
    }
    idle_close_ends_nothing = Writes::<endings::IdleCloseEndsNothing>::wrap => {
        append::a_close_without_a_write_ends_it: "wanted conflict, but the operation succeeded",
    }
    commit_loses_first_byte = Writes::<endings::CommitLosesFirstByte>::wrap => {
        writer::streams_every_size: "get_content of /content",
    }
    commit_needs_directory = Writes::<endings::CommitNeedsDirectory>::wrap => {
        writer::survives_the_pruning_of_its_directory: "commit /a/b/c/file: path not found",
    }
    torn_commit = Writes::<endings::TornCommit>::wrap => {
        cancellation::a_dropped_commit_is_done_or_not: "/file holds",
        concurrency::readers_never_see_a_commit_half_done: " bytes",
    }
    commit_loses_upload_first = Writes::<endings::CommitLosesUploadFirst>::wrap => {
        cancellation::a_dropped_commit_is_done_or_not: "the upload whose commit took no effect",
        cancellation::an_upload_dropped_at_any_instant_is_done_or_as_closed: "the upload whose commit took no effect",
    }
    torn_close = Writes::<endings::TornClose>::wrap => {
        cancellation::a_dropped_close_keeps_the_last_one: "writer /file: path not found",
    }
    conflict_is_backend_failure = Writes::<endings::ConflictIsBackendFailure>::wrap => {
        append::one_of_two_resumers_can_end_it: "wanted conflict, the error is: inmemory: close /file: the up",
    }
    lost_commit = Writes::<endings::LostCommit>::wrap => {
        writer::takes_large_content: "get_content /content: path not found",
    }
    uploads_unsorted = uploads::UploadsUnsorted::wrap => {
        uploads::lists_what_was_closed: "the uploads, sorted by path",
    }
    uploads_by_prefix = uploads::UploadsByPrefix::wrap => {
        uploads::lists_those_at_and_below_a_path: "of /a/b",
    }
    uploads_below_only = uploads::UploadsBelowOnly::wrap => {
        uploads::lists_those_at_and_below_a_path: "of /a/b",
    }
    uploads_of_nothing_fail = uploads::UploadsOfNothingFail::wrap => {
        uploads::lists_none_where_there_is_none: "uploads /absent: path not found",
    }
    uploads_miss_at_page = uploads::UploadsMissAtPage::wrap => {
        uploads::lists_many_each_once: "98 uploads where 100 are wanted, or not sorted",
    }
    uploads_without_sizes = uploads::UploadsWithoutSizes::wrap => {
        uploads::lists_what_was_closed: "the uploads, sorted by path",
    }
    uploads_look_stale = uploads::UploadsLookStale::wrap => {
        uploads::stale_ones_are_aborted_by_age: "what was aborted and kept as seven days old",
    }
    upload_times_go_back = uploads::UploadTimesGoBack::wrap => {
        uploads::tells_when_it_was_active: "the time of activity went back",
    }
    upload_from_before = uploads::UploadFromBefore::wrap => {
        uploads::lists_none_where_there_is_none: "uploads are left below /:",
    }
    ended_uploads_listed = uploads::EndedUploadsListed::wrap => {
        uploads::forgets_those_that_ended: "uploads are left below /a:",
    }
    abort_does_nothing = uploads::AbortDoesNothing::wrap => {
        uploads::abort_removes_every_trace: "wanted path_not_found, but the operation succeeded",
    }
    abort_deletes_content = uploads::AbortDeletesContent::wrap => {
        uploads::abort_leaves_content_and_other_uploads: "get_content /a: path not found",
    }
    abort_takes_longer_names = uploads::AbortTakesLongerNames::wrap => {
        uploads::abort_leaves_content_and_other_uploads: "the uploads left",
    }
    abort_of_nothing_fails = uploads::AbortOfNothingFails::wrap => {
        uploads::abort_of_one_that_is_gone_is_no_error: "abort_upload /file: path not found",
    }
    abort_ignores_movement = uploads::AbortIgnoresMovement::wrap => {
        uploads::abort_conflicts_when_it_moved_on: "wanted conflict, but the operation succeeded",
        uploads::is_aborted_by_a_second_handle: "wanted conflict, but the operation succeeded",
    }
    abort_under_a_writer_publishes = uploads::AbortUnderAWriterPublishes::wrap => {
        uploads::abort_under_a_live_writer_tears_nothing: "wanted path_not_found, but the operation succeeded",
    }
    file_lists_empty = lists::FileListsEmpty::wrap => {
        list::is_not_found_where_no_directory_is: "wanted path_not_found, but the operation succeeded",
    }
    absent_lists_empty = lists::AbsentListsEmpty::wrap => {
        list::is_not_found_where_no_directory_is: "wanted path_not_found, but the operation succeeded",
    }
    list_unsorted = lists::ListUnsorted::wrap => {
        list::sorts_by_path: "the list of the root",
    }
    list_sorted_by_key = lists::ListSortedByKey::wrap => {
        list::sorts_by_path: "the list of the root",
    }
    list_doubles_at_page = lists::ListDoublesAtPage::wrap => {
        list::gives_many_children_each_once: "232 children where 230 are wanted, or not sorted",
    }
    list_misses_at_page = lists::ListMissesAtPage::wrap => {
        list::gives_many_children_each_once: "2 of 230 children are missing:",
    }
    list_misses_last_of_full_page = lists::ListMissesLastOfFullPage::wrap => {
        list::pages_end_anywhere: "the children of a directory of 7",
    }
    large_directory_listed_twice = lists::LargeDirectoryListedTwice::wrap => {
        list::gives_a_directory_with_many_below_once: "the list around a large directory",
    }
    list_tells_files_only = lists::ListTellsFilesOnly::wrap => {
        list::tells_kinds: "the kinds",
    }
    list_is_recursive = lists::ListIsRecursive::wrap => {
        list::gives_the_direct_children: "the list of the root",
    }
    list_hides_namesake = lists::ListHidesNamesake::wrap => {
        kinds::an_entry_may_have_the_name_of_its_directory: "the list of /a/x",
        registry::walks_the_catalogue: "the catalogue",
    }
    list_doubles_files = lists::ListDoublesFiles::wrap => {
        kinds::a_name_that_is_both_lists_once: "the entries of the root",
    }
    list_shows_uploads = lists::ListShowsUploads::wrap => {
        list::shows_nothing_of_writes_under_way: "the list shows",
    }
    list_is_cached = lists::ListIsCached::wrap => {
        list::follows_changes_at_once: "the list after a commit",
    }
    walk_yields_start = walks::WalkYieldsStart::wrap => {
        walk::starts_anywhere_and_leaves_the_start_out: "the walk of /, Key",
    }
    key_order_is_tree_order = walks::KeyOrderIsTreeOrder::wrap => {
        walk::yields_every_descendant_in_key_order: "the walk",
    }
    tree_order_is_key_order = walks::TreeOrderIsKeyOrder::wrap => {
        walk::yields_every_descendant_in_tree_order: "the walk",
    }
    walk_without_directories = walks::WalkWithoutDirectories::wrap => {
        walk::yields_every_descendant_in_key_order: "the walk",
    }
    directory_after_its_files = walks::DirectoryAfterItsFiles::wrap => {
        walk::yields_every_descendant_in_key_order: "the walk",
    }
    start_after_is_inclusive = walks::StartAfterIsInclusive::wrap => {
        resume::after_each_entry: "the walk after /a-/, Key",
    }
    start_after_outside_ignored = walks::StartAfterOutsideIgnored::wrap => {
        resume::after_places_outside_the_start: "the walk of /a after /a0, Key",
    }
    after_subtree_is_before_it = walks::AfterSubtreeIsBeforeIt::wrap => {
        resume::after_a_subtree: "in key order",
        resume::after_every_place: "the walk after /~, Key",
    }
    skip_ignored = walks::SkipIgnored::wrap => {
        walk::skips_each_directory: "the walk without /a-, Key",
    }
    skip_after_file_skips_parent = walks::SkipAfterFileSkipsParent::wrap => {
        walk::skips_nothing_after_a_file: "the walk that skips after each file, Key",
    }
    skip_before_first = walks::SkipBeforeFirst::wrap => {
        walk::skips_nothing_before_its_first_entry: "the walk, Key",
    }
    skip_ignored_after_start = walks::SkipIgnoredAfterStart::wrap => {
        walk::skips_after_a_start: "the walk, Key",
    }
    walk_of_nothing_is_empty = walks::WalkOfNothingIsEmpty::wrap => {
        walk::is_not_found_where_no_directory_is: "wanted path_not_found, but the operation succeeded",
    }
    walk_of_empty_root_fails = walks::WalkOfEmptyRootFails::wrap => {
        walk::of_the_empty_root_is_empty: "walk /: path not found",
    }
    walk_doubles_at_page = walks::WalkDoublesAtPage::wrap => {
        walk::yields_many_entries_each_once: "Key",
    }
    walk_misses_at_page = walks::WalkMissesAtPage::wrap => {
        walk::yields_many_entries_each_once: "Key",
    }
    walk_without_sizes = walks::WalkWithoutSizes::wrap => {
        walk::tells_kind_size_and_time: "the size of /a/empty",
    }
    walk_shows_uploads = walks::WalkShowsUploads::wrap => {
        walk::shows_no_upload: "the walk, Key",
    }
    walk_counts_entries = walks::WalkCountsEntries::wrap => {
        walk::may_be_deleted_behind: "the walk behind which every file was deleted, Key",
        walk::misses_and_doubles_nothing_that_stays: "what stays",
        registry::collects_garbage: "the blobs swept",
    }
    dropped_walk_spoils_the_next = walks::DroppedWalkSpoilsTheNext::wrap => {
        walk::may_be_dropped_midway: "walk /: unavailable: a listing is still open",
        registry::pages_through_tags: "walk /docker/registry/v2/repositories/app/_manifests/tags: u",
        resume::page_by_page_adds_up: "walk /: unavailable: a listing is still open",
    }
    walk_is_behind = walks::WalkIsBehind::wrap => {
        content::implies_the_directories_above: "what a put made",
    }
    rename_refuses_long_names = renames::RenameRefusesLongNames::wrap => {
        paths::keeps_the_longest_component: "rename /",
        paths::keeps_the_longest_path: "rename /",
    }
    rename_leaves_source = renames::RenameLeavesSource::wrap => {
        rename::moves_content_of_every_size: "wanted path_not_found, but the operation succeeded",
        concurrency::renames_in_one_directory: "wanted path_not_found, but the operation succeeded",
    }
    rename_deletes_first = renames::RenameDeletesFirst::wrap => {
        cancellation::a_dropped_rename_loses_nothing: "a dropped rename lost the content",
        rename::is_never_seen_with_neither_end: "neither end",
    }
    rename_is_two_steps = renames::RenameIsTwoSteps::wrap => {
        rename::of_one_file_twice_at_once_loses_nothing: "of two renames of one file:",
    }
    torn_rename = renames::TornRename::wrap => {
        cancellation::a_dropped_rename_loses_nothing: "/d/to holds",
        rename::replaces_atomically: "that are neither content",
        registry::pushes_one_blob_twice_at_once: "get_content of /docker/registry/v2/blobs/sha256/ef/",
    }
    rename_clears_destination = renames::RenameClearsDestination::wrap => {
        rename::of_nothing_leaves_the_destination: "get_content /kept: path not found",
    }
    rename_makes_room = renames::RenameMakesRoom::wrap => {
        kinds::a_directory_where_a_file_is_needed_loses_nothing: "get_content /other: path not found",
    }
    rename_refuses_existing = renames::RenameRefusesExisting::wrap => {
        rename::replaces_the_destination: "rename /d/to: conflict: the destination exists",
    }
    rename_overlays = renames::RenameOverlays::wrap => {
        rename::replaces_the_destination: "get_content of /d/to",
    }
    rename_cuts_what_is_large = renames::RenameCutsWhatIsLarge::wrap => {
        rename::moves_large_content: "get_content of /to",
    }
    rename_loses_byte_at_boundary = renames::RenameLosesByteAtBoundary::wrap => {
        rename::moves_content_of_every_size: "get_content of /to/other/file",
    }
    rename_moves_directory = renames::RenameMovesDirectory::wrap => {
        rename::of_a_directory_is_refused: "wanted path_not_found, the error is: inmemory: rename /kept/",
    }
    rename_takes_longer_names = renames::RenameTakesLongerNames::wrap => {
        rename::leaves_neighbours_alone: "get_content /d/from-: path not found",
    }
    rename_moves_upload = renames::RenameMovesUpload::wrap => {
        uploads::a_rename_at_either_end_leaves_it: "the upload at the source of a rename:",
    }
    delete_prunes_late = deletes::DeletePrunesLate::wrap => {
        delete::at_once_with_puts_beside_it_loses_none: "path not found",
    }
    delete_takes_longer_names = deletes::DeleteTakesLongerNames::wrap => {
        delete::leaves_siblings_of_a_like_name: "get_content /d/ab: path not found",
    }
    delete_of_nothing_succeeds = deletes::DeleteOfNothingSucceeds::wrap => {
        delete::of_nothing_is_not_found: "wanted path_not_found, but the operation succeeded",
    }
    delete_is_shallow = deletes::DeleteIsShallow::wrap => {
        delete::removes_all_below: "wanted path_not_found, but the operation succeeded",
        delete::at_once_with_puts_below_it_tears_nothing: "was there before the delete",
        registry::deletes_an_upload_directory: "wanted path_not_found, but the operation succeeded",
    }
    delete_refuses_directories = deletes::DeleteRefusesDirectories::wrap => {
        delete::removes_all_below: "delete /a/bc/d: conflict: the directory is not empty",
    }
    delete_leaves_large_files = deletes::DeleteLeavesLargeFiles::wrap => {
        delete::removes_a_file: "wanted path_not_found, but the operation succeeded",
    }
    deleted_names_are_kept = deletes::DeletedNamesAreKept::wrap => {
        delete::lets_the_path_be_used_anew: "put_content /d/x/y: conflict: there is a file above",
    }
    delete_is_marked_first = deletes::DeleteIsMarkedFirst::wrap => {
        cancellation::a_dropped_delete_can_be_run_again: "delete /dir: conflict: the path is being deleted",
        delete::twice_at_once_leaves_nothing: "delete /d: conflict: the path is being deleted",
    }
    delete_leaves_uploads = deletes::DeleteLeavesUploads::wrap => {
        uploads::delete_of_the_path_removes_it: "uploads are left below /:",
        registry::purges_stale_uploads: "the uploads left",
    }
    delete_misses_lone_uploads = deletes::DeleteMissesLoneUploads::wrap => {
        uploads::delete_of_the_path_removes_it: "delete /d/only: path not found",
        concurrency::uploads_and_deletes_in_one_directory: "delete /a/b/c/file",
        uploads::delete_of_a_parent_removes_it: "delete /a/b: path not found",
    }
    errors_name_the_directory = driver::ErrorsNameTheDirectory::wrap => {
        errors::say_driver_operation_and_path: "the path in an error of get_content",
    }
    rename_names_the_destination = driver::RenameNamesTheDestination::wrap => {
        rename::of_nothing_leaves_the_destination: "the path in the error",
    }
    absence_may_be_retried = driver::AbsenceMayBeRetried::wrap => {
        errors::tell_absence_from_the_rest: "stat of nothing: inmemory: stat /absent: unavailable: no suc",
        cancellation::a_rename_dropped_at_any_instant_loses_nothing: "stat /a/from: unavailable: no such object",
        rename::into_its_own_path_loses_nothing: "stat /a/b/c: unavailable: no such object",
        rename::onto_itself_changes_nothing: "wanted path_not_found, the error is: inmemory: rename /absen",
    }
    errors_use_the_driver_up = driver::ErrorsUseTheDriverUp::wrap => {
        errors::leave_the_driver_usable: "get_content /file: unavailable: the connection is closed",
    }
    redirect_without_host = driver::RedirectWithoutHost::wrap => {
        errors::a_redirect_is_none_or_a_url: "a URL that no client can use: store:/dir/file",
    }
    short_limits = driver::ShortLimits::wrap => {
        errors::the_driver_says_what_it_lacks: "a registry needs longer paths than PathLimits",
    }
    no_limits = driver::NoLimits::wrap => {
        paths::refuses_a_longer_component: "panicked",
        paths::refuses_a_longer_path: "panicked",
    }
    unusable_name = driver::UnusableName::wrap => {
        errors::the_driver_says_what_it_lacks: "the name \"In Memory\" is not of a-z, 0-9 and -",
    }
    says_that_nothing_is_shared = driver::SaysThatNothingIsShared::wrap => {
        errors::the_driver_says_what_it_lacks: "there is a second handle on a driver that lacks `shared`",
    }
}
