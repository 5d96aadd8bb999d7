//! The table of all mutants: each with the cases that must fail on it, and what they must say.

use super::Mutant;
use super::wrap::Writes;
use super::{content, driver, names, uploads, walks, writer};

/// Every mutant.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "put_overlays",
        wrap: content::PutOverlays::wrap,
        caught_by: &[("content::replaces_longer_content", "get_content of /content")],
    },
    Mutant {
        name: "put_does_not_grow",
        wrap: content::PutDoesNotGrow::wrap,
        caught_by: &[("content::replaces_shorter_content", "get_content of /content")],
    },
    Mutant {
        name: "put_skips_equal_size",
        wrap: content::PutSkipsEqualSize::wrap,
        caught_by: &[
            ("content::replaces_content_of_the_same_size", "get_content of /link"),
            ("registry::moves_a_tag", "get_content of /docker/registry/v2/repositories/app/_manifes"),
        ],
    },
    Mutant {
        name: "torn_put",
        wrap: content::TornPut::wrap,
        caught_by: &[
            ("cancellation::a_dropped_put_is_whole_or_nothing", "/d/file holds"),
            ("content::is_replaced_atomically", "/file holds"),
            ("cancellation::a_put_dropped_at_any_instant_is_whole_or_nothing", "/d/file holds"),
        ],
    },
    Mutant {
        name: "put_stages_beside",
        wrap: content::PutStagesBeside::wrap,
        caught_by: &[("cancellation::a_dropped_put_is_whole_or_nothing", "the entries beside the content")],
    },
    Mutant {
        name: "put_in_two_halves",
        wrap: content::PutInTwoHalves::wrap,
        caught_by: &[
            ("concurrency::puts_to_one_path_leave_one_whole", "/dir/file holds"),
            ("concurrency::two_processes_write_at_once", "/shared/file holds"),
        ],
    },
    Mutant {
        name: "put_keeps_backup",
        wrap: content::PutKeepsBackup::wrap,
        caught_by: &[
            ("content::replaces_many_times", "the entries of the root"),
            ("content::is_seen_by_a_second_handle", "wanted path_not_found, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "puts_share_a_buffer",
        wrap: content::PutsShareABuffer::wrap,
        caught_by: &[("concurrency::puts_to_many_paths", "get_content of /dir/sub/file")],
    },
    Mutant {
        name: "empty_put_forgotten",
        wrap: content::EmptyPutForgotten::wrap,
        caught_by: &[("content::keeps_empty_content", "get_content /dir/empty: path not found")],
    },
    Mutant {
        name: "put_loses_byte_at_boundary",
        wrap: content::PutLosesByteAtBoundary::wrap,
        caught_by: &[("content::keeps_every_size", "get_content of /content")],
    },
    Mutant {
        name: "put_cuts_what_is_large",
        wrap: content::PutCutsWhatIsLarge::wrap,
        caught_by: &[("content::keeps_large_content", "get_content of /large")],
    },
    Mutant {
        name: "content_is_text",
        wrap: content::ContentIsText::wrap,
        caught_by: &[("content::keeps_every_byte", "get_content of /content")],
    },
    Mutant {
        name: "put_removes_longer_names",
        wrap: content::PutRemovesLongerNames::wrap,
        caught_by: &[("content::leaves_other_paths_alone", "get_content /a/b-: path not found")],
    },
    Mutant {
        name: "put_replaces_file_above",
        wrap: content::PutReplacesFileAbove::wrap,
        caught_by: &[(
            "kinds::a_file_where_a_directory_is_needed_loses_nothing",
            "get_content /file: path not found",
        )],
    },
    Mutant {
        name: "put_replaces_directory",
        wrap: content::PutReplacesDirectory::wrap,
        caught_by: &[(
            "kinds::a_directory_where_a_file_is_needed_loses_nothing",
            "get_content /dir/sub/file: path not found",
        )],
    },
    Mutant {
        name: "put_discards_uploads",
        wrap: content::PutDiscardsUploads::wrap,
        caught_by: &[("uploads::a_put_leaves_it", "the upload")],
    },
    Mutant {
        name: "handle_caches_content",
        wrap: content::HandleCachesContent::wrap,
        caught_by: &[("append::goes_on_in_small_steps", "get_content of /dir/file")],
    },
    Mutant {
        name: "handle_caches_absence",
        wrap: content::HandleCachesAbsence::wrap,
        caught_by: &[("writer::commit_is_seen_by_a_second_handle", "stat /file: path not found")],
    },
    Mutant {
        name: "directory_reads_empty",
        wrap: content::DirectoryReadsEmpty::wrap,
        caught_by: &[
            (
                "kinds::a_path_is_a_file_a_directory_or_absent",
                "wanted path_not_found, but the operation succeeded",
            ),
            ("content::is_not_found_where_nothing_is", "wanted path_not_found, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "below_a_file_is_the_file",
        wrap: content::BelowAFileIsTheFile::wrap,
        caught_by: &[(
            "kinds::nothing_is_below_a_file",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "reading_moves",
        wrap: content::ReadingMoves::wrap,
        caught_by: &[("cancellation::a_dropped_look_changes_nothing", "reader /d/file: path not found")],
    },
    Mutant {
        name: "one_version",
        wrap: content::OneVersion::wrap,
        caught_by: &[("content::equal_versions_are_equal_bytes", "version 1 had other bytes before")],
    },
    Mutant {
        name: "reader_ignores_version",
        wrap: content::ReaderIgnoresVersion::wrap,
        caught_by: &[(
            "reader::reads_the_version_asked_for_or_conflicts",
            "wanted conflict, but the operation succeeded",
        )],
    },
    Mutant {
        name: "past_the_end_is_empty",
        wrap: content::PastTheEndIsEmpty::wrap,
        caught_by: &[(
            "reader::refuses_an_offset_past_the_end",
            "wanted invalid_offset, but the operation succeeded",
        )],
    },
    Mutant {
        name: "the_end_is_past_the_end",
        wrap: content::TheEndIsPastTheEnd::wrap,
        caught_by: &[
            ("reader::is_empty_at_the_end", "reader /content: offset 1 is past the end of the content of"),
            ("registry::serves_a_blob_in_ranges", "reader /docker/registry/v2/blobs/sha256/ed/"),
        ],
    },
    Mutant {
        name: "length_ignored",
        wrap: content::LengthIgnored::wrap,
        caught_by: &[
            ("reader::cuts_at_every_length", "the bytes of 0 from 0 of 65539"),
            ("concurrency::reads_one_file_from_many_places", "the bytes read from 0"),
        ],
    },
    Mutant {
        name: "offset_is_one_off",
        wrap: content::OffsetIsOneOff::wrap,
        caught_by: &[("reader::starts_at_every_offset", "the bytes read from 4096")],
    },
    Mutant {
        name: "size_of_the_part",
        wrap: content::SizeOfThePart::wrap,
        caught_by: &[("reader::cuts_at_every_length", "the size of the whole, told by a reader of a part")],
    },
    Mutant {
        name: "stream_loses_last_byte",
        wrap: content::StreamLosesLastByte::wrap,
        caught_by: &[("reader::streams_every_size", "the stream of")],
    },
    Mutant {
        name: "absent_reads_empty",
        wrap: content::AbsentReadsEmpty::wrap,
        caught_by: &[(
            "reader::is_not_found_where_nothing_is",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "reader_splices",
        wrap: content::ReaderSplices::wrap,
        caught_by: &[
            (
                "reader::opened_before_a_put_reads_one_version",
                "from byte 0 on the reader gives another version",
            ),
            (
                "reader::opened_before_a_commit_reads_one_version",
                "from byte 0 on the reader gives another version",
            ),
            (
                "reader::opened_before_it_goes_reads_one_version",
                "from byte 0 on the reader gives another version",
            ),
        ],
    },
    Mutant {
        name: "readers_share_a_position",
        wrap: content::ReadersShareAPosition::wrap,
        caught_by: &[("reader::several_take_turns", "where a reader among several ended")],
    },
    Mutant {
        name: "dropped_reader_locks",
        wrap: content::DroppedReaderLocks::wrap,
        caught_by: &[("reader::may_be_dropped_midway", "delete /file: unavailable: the file is being read")],
    },
    Mutant {
        name: "case_folded",
        wrap: names::CaseFolded::wrap,
        caught_by: &[("paths::never_normalises", "get_content of /a")],
    },
    Mutant {
        name: "dot_names_refused",
        wrap: names::DotNamesRefused::wrap,
        caught_by: &[
            ("paths::accepts_unusual_names", "put_content /d0/...: invalid path: a name begins with a dot"),
            ("paths::accepts_valid_paths", "put_content /.abc: invalid path: a name begins with a dot"),
        ],
    },
    Mutant {
        name: "dot_names_hidden",
        wrap: names::DotNamesHidden::wrap,
        caught_by: &[("paths::accepts_unusual_names", "the list")],
    },
    Mutant {
        name: "rename_refuses_long_names",
        wrap: names::RenameRefusesLongNames::wrap,
        caught_by: &[
            ("paths::keeps_the_longest_component", "rename /"),
            ("paths::keeps_the_longest_path", "rename /"),
        ],
    },
    Mutant {
        name: "deep_paths_fail",
        wrap: names::DeepPathsFail::wrap,
        caught_by: &[("paths::nests_deeply", "put_content")],
    },
    Mutant {
        name: "prefix_is_a_directory",
        wrap: names::PrefixIsADirectory::wrap,
        caught_by: &[
            (
                "kinds::a_path_is_a_file_a_directory_or_absent",
                "wanted path_not_found, but the operation succeeded",
            ),
            (
                "kinds::a_prefix_of_a_name_is_no_directory",
                "wanted path_not_found, but the operation succeeded",
            ),
            ("rename::makes_and_prunes_directories", "wanted path_not_found, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "file_lists_empty",
        wrap: names::FileListsEmpty::wrap,
        caught_by: &[(
            "list::is_not_found_where_no_directory_is",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "absent_lists_empty",
        wrap: names::AbsentListsEmpty::wrap,
        caught_by: &[(
            "list::is_not_found_where_no_directory_is",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "empty_directory_left",
        wrap: names::EmptyDirectoryLeft::wrap,
        caught_by: &[
            (
                "kinds::directories_go_with_what_was_below",
                "wanted path_not_found, but the operation succeeded",
            ),
            (
                "concurrency::puts_and_deletes_in_one_directory",
                "wanted path_not_found, but the operation succeeded",
            ),
        ],
    },
    Mutant {
        name: "empty_root_absent",
        wrap: names::EmptyRootAbsent::wrap,
        caught_by: &[
            ("paths::the_root_always_exists", "stat /: path not found"),
            ("list::of_the_empty_root_is_empty", "list /: path not found"),
            ("paths::refuses_invalid_paths", "list /: path not found"),
            ("registry::cancels_an_upload", "list /: path not found"),
        ],
    },
    Mutant {
        name: "root_needs_a_name",
        wrap: names::RootNeedsAName::wrap,
        caught_by: &[("paths::refuses_the_root_where_a_name_is_needed", "stat /: an object needs a name")],
    },
    Mutant {
        name: "stat_without_time",
        wrap: names::StatWithoutTime::wrap,
        caught_by: &[("content::stat_tells_size_and_time", "the time in the stat")],
    },
    Mutant {
        name: "stat_counts_blocks",
        wrap: names::StatCountsBlocks::wrap,
        caught_by: &[("content::stat_tells_size_and_time", "the size in the stat")],
    },
    Mutant {
        name: "list_unsorted",
        wrap: names::ListUnsorted::wrap,
        caught_by: &[("list::sorts_by_path", "the list of the root")],
    },
    Mutant {
        name: "list_sorted_by_key",
        wrap: names::ListSortedByKey::wrap,
        caught_by: &[("list::sorts_by_path", "the list of the root")],
    },
    Mutant {
        name: "list_doubles_at_page",
        wrap: names::ListDoublesAtPage::wrap,
        caught_by: &[(
            "list::gives_many_children_each_once",
            "232 children where 230 are wanted, or not sorted",
        )],
    },
    Mutant {
        name: "list_misses_at_page",
        wrap: names::ListMissesAtPage::wrap,
        caught_by: &[("list::gives_many_children_each_once", "2 of 230 children are missing:")],
    },
    Mutant {
        name: "list_misses_last_of_full_page",
        wrap: names::ListMissesLastOfFullPage::wrap,
        caught_by: &[("list::pages_end_anywhere", "the children of a directory of 7")],
    },
    Mutant {
        name: "large_directory_listed_twice",
        wrap: names::LargeDirectoryListedTwice::wrap,
        caught_by: &[("list::gives_a_directory_with_many_below_once", "the list around a large directory")],
    },
    Mutant {
        name: "list_tells_files_only",
        wrap: names::ListTellsFilesOnly::wrap,
        caught_by: &[("list::tells_kinds", "the kinds")],
    },
    Mutant {
        name: "list_is_recursive",
        wrap: names::ListIsRecursive::wrap,
        caught_by: &[("list::gives_the_direct_children", "the list of the root")],
    },
    Mutant {
        name: "list_hides_namesake",
        wrap: names::ListHidesNamesake::wrap,
        caught_by: &[
            ("kinds::an_entry_may_have_the_name_of_its_directory", "the list of /a/x"),
            ("registry::walks_the_catalogue", "the catalogue"),
        ],
    },
    Mutant {
        name: "list_doubles_files",
        wrap: names::ListDoublesFiles::wrap,
        caught_by: &[("kinds::a_name_that_is_both_lists_once", "the entries of the root")],
    },
    Mutant {
        name: "list_shows_uploads",
        wrap: names::ListShowsUploads::wrap,
        caught_by: &[("list::shows_nothing_of_writes_under_way", "the list shows")],
    },
    Mutant {
        name: "list_is_cached",
        wrap: names::ListIsCached::wrap,
        caught_by: &[("list::follows_changes_at_once", "the list after a commit")],
    },
    Mutant {
        name: "stat_sees_uploads",
        wrap: names::StatSeesUploads::wrap,
        caught_by: &[(
            "writer::is_invisible_before_its_commit",
            "closed: Mismatch(\"wanted path_not_found, but the operation s",
        )],
    },
    Mutant {
        name: "uploads_imply_directories",
        wrap: names::UploadsImplyDirectories::wrap,
        caught_by: &[(
            "uploads::is_no_entry_and_implies_no_directory",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "rename_leaves_source",
        wrap: names::RenameLeavesSource::wrap,
        caught_by: &[
            ("rename::moves_content_of_every_size", "wanted path_not_found, but the operation succeeded"),
            ("concurrency::renames_in_one_directory", "wanted path_not_found, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "rename_deletes_first",
        wrap: names::RenameDeletesFirst::wrap,
        caught_by: &[
            ("cancellation::a_dropped_rename_loses_nothing", "a dropped rename lost the content"),
            ("rename::is_never_seen_with_neither_end", "neither end"),
        ],
    },
    Mutant {
        name: "rename_is_two_steps",
        wrap: names::RenameIsTwoSteps::wrap,
        caught_by: &[("rename::of_one_file_twice_at_once_loses_nothing", "of two renames of one file:")],
    },
    Mutant {
        name: "torn_rename",
        wrap: names::TornRename::wrap,
        caught_by: &[
            ("cancellation::a_dropped_rename_loses_nothing", "/d/to holds"),
            ("rename::replaces_atomically", "that are neither content"),
            (
                "registry::pushes_one_blob_twice_at_once",
                "get_content of /docker/registry/v2/blobs/sha256/ef/",
            ),
        ],
    },
    Mutant {
        name: "rename_clears_destination",
        wrap: names::RenameClearsDestination::wrap,
        caught_by: &[("rename::of_nothing_leaves_the_destination", "get_content /kept: path not found")],
    },
    Mutant {
        name: "rename_makes_room",
        wrap: names::RenameMakesRoom::wrap,
        caught_by: &[(
            "kinds::a_directory_where_a_file_is_needed_loses_nothing",
            "get_content /other: path not found",
        )],
    },
    Mutant {
        name: "rename_refuses_existing",
        wrap: names::RenameRefusesExisting::wrap,
        caught_by: &[("rename::replaces_the_destination", "rename /d/to: conflict: the destination exists")],
    },
    Mutant {
        name: "rename_overlays",
        wrap: names::RenameOverlays::wrap,
        caught_by: &[("rename::replaces_the_destination", "get_content of /d/to")],
    },
    Mutant {
        name: "rename_cuts_what_is_large",
        wrap: names::RenameCutsWhatIsLarge::wrap,
        caught_by: &[("rename::moves_large_content", "get_content of /to")],
    },
    Mutant {
        name: "rename_loses_byte_at_boundary",
        wrap: names::RenameLosesByteAtBoundary::wrap,
        caught_by: &[("rename::moves_content_of_every_size", "get_content of /to/other/file")],
    },
    Mutant {
        name: "rename_moves_directory",
        wrap: names::RenameMovesDirectory::wrap,
        caught_by: &[(
            "rename::of_a_directory_is_refused",
            "wanted path_not_found, the error is: inmemory: rename /kept/",
        )],
    },
    Mutant {
        name: "rename_takes_longer_names",
        wrap: names::RenameTakesLongerNames::wrap,
        caught_by: &[("rename::leaves_neighbours_alone", "get_content /d/from-: path not found")],
    },
    Mutant {
        name: "rename_moves_upload",
        wrap: names::RenameMovesUpload::wrap,
        caught_by: &[("uploads::a_rename_at_either_end_leaves_it", "the upload at the source of a rename:")],
    },
    Mutant {
        name: "delete_prunes_late",
        wrap: names::DeletePrunesLate::wrap,
        caught_by: &[("delete::at_once_with_puts_beside_it_loses_none", "path not found")],
    },
    Mutant {
        name: "delete_takes_longer_names",
        wrap: names::DeleteTakesLongerNames::wrap,
        caught_by: &[("delete::leaves_siblings_of_a_like_name", "get_content /d/ab: path not found")],
    },
    Mutant {
        name: "delete_of_nothing_succeeds",
        wrap: names::DeleteOfNothingSucceeds::wrap,
        caught_by: &[(
            "delete::of_nothing_is_not_found",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "delete_is_shallow",
        wrap: names::DeleteIsShallow::wrap,
        caught_by: &[
            ("delete::removes_all_below", "wanted path_not_found, but the operation succeeded"),
            ("delete::at_once_with_puts_below_it_tears_nothing", "was there before the delete"),
            ("registry::deletes_an_upload_directory", "wanted path_not_found, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "delete_refuses_directories",
        wrap: names::DeleteRefusesDirectories::wrap,
        caught_by: &[("delete::removes_all_below", "delete /a/bc/d: conflict: the directory is not empty")],
    },
    Mutant {
        name: "delete_leaves_large_files",
        wrap: names::DeleteLeavesLargeFiles::wrap,
        caught_by: &[("delete::removes_a_file", "wanted path_not_found, but the operation succeeded")],
    },
    Mutant {
        name: "deleted_names_are_kept",
        wrap: names::DeletedNamesAreKept::wrap,
        caught_by: &[(
            "delete::lets_the_path_be_used_anew",
            "put_content /d/x/y: conflict: there is a file above",
        )],
    },
    Mutant {
        name: "delete_is_marked_first",
        wrap: names::DeleteIsMarkedFirst::wrap,
        caught_by: &[
            (
                "cancellation::a_dropped_delete_can_be_run_again",
                "delete /dir: conflict: the path is being deleted",
            ),
            ("delete::twice_at_once_leaves_nothing", "delete /d: conflict: the path is being deleted"),
        ],
    },
    Mutant {
        name: "delete_leaves_uploads",
        wrap: names::DeleteLeavesUploads::wrap,
        caught_by: &[
            ("uploads::delete_of_the_path_removes_it", "uploads are left below /:"),
            ("registry::purges_stale_uploads", "the uploads left"),
        ],
    },
    Mutant {
        name: "delete_misses_lone_uploads",
        wrap: names::DeleteMissesLoneUploads::wrap,
        caught_by: &[
            ("uploads::delete_of_the_path_removes_it", "delete /d/only: path not found"),
            ("concurrency::uploads_and_deletes_in_one_directory", "delete /a/b/c/file"),
            ("uploads::delete_of_a_parent_removes_it", "delete /a/b: path not found"),
        ],
    },
    Mutant {
        name: "walk_yields_start",
        wrap: walks::WalkYieldsStart::wrap,
        caught_by: &[("walk::starts_anywhere_and_leaves_the_start_out", "the walk of /, Key")],
    },
    Mutant {
        name: "key_order_is_tree_order",
        wrap: walks::KeyOrderIsTreeOrder::wrap,
        caught_by: &[("walk::yields_every_descendant_in_key_order", "the walk")],
    },
    Mutant {
        name: "tree_order_is_key_order",
        wrap: walks::TreeOrderIsKeyOrder::wrap,
        caught_by: &[("walk::yields_every_descendant_in_tree_order", "the walk")],
    },
    Mutant {
        name: "walk_without_directories",
        wrap: walks::WalkWithoutDirectories::wrap,
        caught_by: &[("walk::yields_every_descendant_in_key_order", "the walk")],
    },
    Mutant {
        name: "directory_after_its_files",
        wrap: walks::DirectoryAfterItsFiles::wrap,
        caught_by: &[("walk::yields_every_descendant_in_key_order", "the walk")],
    },
    Mutant {
        name: "start_after_is_inclusive",
        wrap: walks::StartAfterIsInclusive::wrap,
        caught_by: &[("resume::after_each_entry", "the walk after /a-/, Key")],
    },
    Mutant {
        name: "start_after_outside_ignored",
        wrap: walks::StartAfterOutsideIgnored::wrap,
        caught_by: &[("resume::after_places_outside_the_start", "the walk of /a after /a0, Key")],
    },
    Mutant {
        name: "after_subtree_is_before_it",
        wrap: walks::AfterSubtreeIsBeforeIt::wrap,
        caught_by: &[
            ("resume::after_a_subtree", "in key order"),
            ("resume::after_every_place", "the walk after /~, Key"),
        ],
    },
    Mutant {
        name: "skip_ignored",
        wrap: walks::SkipIgnored::wrap,
        caught_by: &[("walk::skips_each_directory", "the walk without /a-, Key")],
    },
    Mutant {
        name: "skip_after_file_skips_parent",
        wrap: walks::SkipAfterFileSkipsParent::wrap,
        caught_by: &[("walk::skips_nothing_after_a_file", "the walk that skips after each file, Key")],
    },
    Mutant {
        name: "skip_before_first",
        wrap: walks::SkipBeforeFirst::wrap,
        caught_by: &[("walk::skips_nothing_before_its_first_entry", "the walk, Key")],
    },
    Mutant {
        name: "skip_ignored_after_start",
        wrap: walks::SkipIgnoredAfterStart::wrap,
        caught_by: &[("walk::skips_after_a_start", "the walk, Key")],
    },
    Mutant {
        name: "walk_of_nothing_is_empty",
        wrap: walks::WalkOfNothingIsEmpty::wrap,
        caught_by: &[(
            "walk::is_not_found_where_no_directory_is",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "walk_of_empty_root_fails",
        wrap: walks::WalkOfEmptyRootFails::wrap,
        caught_by: &[("walk::of_the_empty_root_is_empty", "walk /: path not found")],
    },
    Mutant {
        name: "walk_doubles_at_page",
        wrap: walks::WalkDoublesAtPage::wrap,
        caught_by: &[("walk::yields_many_entries_each_once", "Key")],
    },
    Mutant {
        name: "walk_misses_at_page",
        wrap: walks::WalkMissesAtPage::wrap,
        caught_by: &[("walk::yields_many_entries_each_once", "Key")],
    },
    Mutant {
        name: "walk_without_sizes",
        wrap: walks::WalkWithoutSizes::wrap,
        caught_by: &[("walk::tells_kind_size_and_time", "the size of /a/empty")],
    },
    Mutant {
        name: "walk_shows_uploads",
        wrap: walks::WalkShowsUploads::wrap,
        caught_by: &[("walk::shows_no_upload", "the walk, Key")],
    },
    Mutant {
        name: "walk_counts_entries",
        wrap: walks::WalkCountsEntries::wrap,
        caught_by: &[
            ("walk::may_be_deleted_behind", "the walk behind which every file was deleted, Key"),
            ("walk::misses_and_doubles_nothing_that_stays", "what stays"),
            ("registry::collects_garbage", "the blobs swept"),
        ],
    },
    Mutant {
        name: "dropped_walk_spoils_the_next",
        wrap: walks::DroppedWalkSpoilsTheNext::wrap,
        caught_by: &[
            ("walk::may_be_dropped_midway", "walk /: unavailable: a listing is still open"),
            ("registry::pages_through_tags", "walk /docker/registry/v2/repositories/app/_manifests/tags: u"),
            ("resume::page_by_page_adds_up", "walk /: unavailable: a listing is still open"),
        ],
    },
    Mutant {
        name: "walk_is_behind",
        wrap: walks::WalkIsBehind::wrap,
        caught_by: &[("content::implies_the_directories_above", "what a put made")],
    },
    Mutant {
        name: "uploads_unsorted",
        wrap: uploads::UploadsUnsorted::wrap,
        caught_by: &[("uploads::lists_what_was_closed", "the uploads, sorted by path")],
    },
    Mutant {
        name: "uploads_by_prefix",
        wrap: uploads::UploadsByPrefix::wrap,
        caught_by: &[("uploads::lists_those_at_and_below_a_path", "of /a/b")],
    },
    Mutant {
        name: "uploads_below_only",
        wrap: uploads::UploadsBelowOnly::wrap,
        caught_by: &[("uploads::lists_those_at_and_below_a_path", "of /a/b")],
    },
    Mutant {
        name: "uploads_of_nothing_fail",
        wrap: uploads::UploadsOfNothingFail::wrap,
        caught_by: &[("uploads::lists_none_where_there_is_none", "uploads /absent: path not found")],
    },
    Mutant {
        name: "uploads_miss_at_page",
        wrap: uploads::UploadsMissAtPage::wrap,
        caught_by: &[("uploads::lists_many_each_once", "98 uploads where 100 are wanted, or not sorted")],
    },
    Mutant {
        name: "uploads_without_sizes",
        wrap: uploads::UploadsWithoutSizes::wrap,
        caught_by: &[("uploads::lists_what_was_closed", "the uploads, sorted by path")],
    },
    Mutant {
        name: "uploads_look_stale",
        wrap: uploads::UploadsLookStale::wrap,
        caught_by: &[(
            "uploads::stale_ones_are_aborted_by_age",
            "what was aborted and kept as seven days old",
        )],
    },
    Mutant {
        name: "upload_times_go_back",
        wrap: uploads::UploadTimesGoBack::wrap,
        caught_by: &[("uploads::tells_when_it_was_active", "the time of activity went back")],
    },
    Mutant {
        name: "upload_from_before",
        wrap: uploads::UploadFromBefore::wrap,
        caught_by: &[("uploads::lists_none_where_there_is_none", "uploads are left below /:")],
    },
    Mutant {
        name: "ended_uploads_listed",
        wrap: uploads::EndedUploadsListed::wrap,
        caught_by: &[("uploads::forgets_those_that_ended", "uploads are left below /a:")],
    },
    Mutant {
        name: "abort_does_nothing",
        wrap: uploads::AbortDoesNothing::wrap,
        caught_by: &[(
            "uploads::abort_removes_every_trace",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "abort_deletes_content",
        wrap: uploads::AbortDeletesContent::wrap,
        caught_by: &[("uploads::abort_leaves_content_and_other_uploads", "get_content /a: path not found")],
    },
    Mutant {
        name: "abort_takes_longer_names",
        wrap: uploads::AbortTakesLongerNames::wrap,
        caught_by: &[("uploads::abort_leaves_content_and_other_uploads", "the uploads left")],
    },
    Mutant {
        name: "abort_of_nothing_fails",
        wrap: uploads::AbortOfNothingFails::wrap,
        caught_by: &[(
            "uploads::abort_of_one_that_is_gone_is_no_error",
            "abort_upload /file: path not found",
        )],
    },
    Mutant {
        name: "abort_ignores_movement",
        wrap: uploads::AbortIgnoresMovement::wrap,
        caught_by: &[
            ("uploads::abort_conflicts_when_it_moved_on", "wanted conflict, but the operation succeeded"),
            ("uploads::is_aborted_by_a_second_handle", "wanted conflict, but the operation succeeded"),
        ],
    },
    Mutant {
        name: "abort_under_a_writer_publishes",
        wrap: uploads::AbortUnderAWriterPublishes::wrap,
        caught_by: &[(
            "uploads::abort_under_a_live_writer_tears_nothing",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "errors_name_the_directory",
        wrap: driver::ErrorsNameTheDirectory::wrap,
        caught_by: &[("errors::say_driver_operation_and_path", "the path in an error of get_content")],
    },
    Mutant {
        name: "rename_names_the_destination",
        wrap: driver::RenameNamesTheDestination::wrap,
        caught_by: &[("rename::of_nothing_leaves_the_destination", "the path in the error")],
    },
    Mutant {
        name: "absence_may_be_retried",
        wrap: driver::AbsenceMayBeRetried::wrap,
        caught_by: &[
            (
                "errors::tell_absence_from_the_rest",
                "stat of nothing: inmemory: stat /absent: unavailable: no suc",
            ),
            (
                "cancellation::a_rename_dropped_at_any_instant_loses_nothing",
                "stat /a/from: unavailable: no such object",
            ),
            ("rename::into_its_own_path_loses_nothing", "stat /a/b/c: unavailable: no such object"),
            (
                "rename::onto_itself_changes_nothing",
                "wanted path_not_found, the error is: inmemory: rename /absen",
            ),
        ],
    },
    Mutant {
        name: "errors_use_the_driver_up",
        wrap: driver::ErrorsUseTheDriverUp::wrap,
        caught_by: &[(
            "errors::leave_the_driver_usable",
            "get_content /file: unavailable: the connection is closed",
        )],
    },
    Mutant {
        name: "redirect_without_host",
        wrap: driver::RedirectWithoutHost::wrap,
        caught_by: &[(
            "errors::a_redirect_is_none_or_a_url",
            "a URL that no client can use: store:/dir/file",
        )],
    },
    Mutant {
        name: "short_limits",
        wrap: driver::ShortLimits::wrap,
        caught_by: &[(
            "errors::the_driver_says_what_it_lacks",
            "a registry needs longer paths than PathLimits",
        )],
    },
    Mutant {
        name: "no_limits",
        wrap: driver::NoLimits::wrap,
        caught_by: &[
            ("paths::refuses_a_longer_component", "panicked"),
            ("paths::refuses_a_longer_path", "panicked"),
        ],
    },
    Mutant {
        name: "unusable_name",
        wrap: driver::UnusableName::wrap,
        caught_by: &[(
            "errors::the_driver_says_what_it_lacks",
            "the name \"In Memory\" is not of a-z, 0-9 and -",
        )],
    },
    Mutant {
        name: "says_that_nothing_is_shared",
        wrap: driver::SaysThatNothingIsShared::wrap,
        caught_by: &[(
            "errors::the_driver_says_what_it_lacks",
            "there is a second handle on a driver that lacks `shared`",
        )],
    },
    Mutant {
        name: "close_publishes",
        wrap: Writes::<writer::ClosePublishes>::wrap,
        caught_by: &[(
            "writer::is_invisible_before_its_commit",
            "closed: Mismatch(\"wanted path_not_found, but the operation s",
        )],
    },
    Mutant {
        name: "writes_in_place",
        wrap: Writes::<writer::WritesInPlace>::wrap,
        caught_by: &[(
            "writer::is_invisible_before_its_commit",
            "written: Mismatch(\"wanted path_not_found, but the operation",
        )],
    },
    Mutant {
        name: "size_without_buffer",
        wrap: Writes::<writer::SizeWithoutBuffer>::wrap,
        caught_by: &[("writer::size_counts_what_is_buffered", "the size after a chunk of")],
    },
    Mutant {
        name: "commit_leaves_upload",
        wrap: Writes::<writer::CommitLeavesUpload>::wrap,
        caught_by: &[("append::a_commit_consumes_the_upload", "uploads are left below /:")],
    },
    Mutant {
        name: "create_resumes",
        wrap: Writes::<writer::CreateResumes>::wrap,
        caught_by: &[("writer::create_starts_afresh", "the size of an upload that starts afresh")],
    },
    Mutant {
        name: "create_keeps_closed",
        wrap: Writes::<writer::CreateKeepsClosed>::wrap,
        caught_by: &[("writer::create_discards_uploads_closed_before", "after create and close")],
    },
    Mutant {
        name: "create_keeps_foreign",
        wrap: Writes::<writer::CreateKeepsForeign>::wrap,
        caught_by: &[("writer::create_discards_uploads_of_a_second_handle", "the uploads")],
    },
    Mutant {
        name: "refused_commit_tears",
        wrap: Writes::<writer::RefusedCommitTears>::wrap,
        caught_by: &[("writer::a_refused_commit_tears_nothing", "the size after a refused commit")],
    },
    Mutant {
        name: "loser_publishes_half",
        wrap: Writes::<writer::LoserPublishesHalf>::wrap,
        caught_by: &[("uploads::delete_under_a_live_writer_tears_nothing", "get_content of /dir/file")],
    },
    Mutant {
        name: "create_fences_others",
        wrap: Writes::<writer::CreateFencesOthers>::wrap,
        caught_by: &[(
            "writer::create_leaves_uploads_that_are_open",
            "close /file: conflict: another writer has opened the upload",
        )],
    },
    Mutant {
        name: "append_restarts",
        wrap: Writes::<writer::AppendRestarts>::wrap,
        caught_by: &[
            ("append::resumes_at_the_closed_size", "the size that an append finds"),
            ("append::goes_on_many_times", "the size that step 1 finds"),
        ],
    },
    Mutant {
        name: "append_forgets_content",
        wrap: Writes::<writer::AppendForgetsContent>::wrap,
        caught_by: &[("append::goes_on_from_content", "the size that an append to content finds")],
    },
    Mutant {
        name: "append_prefers_content",
        wrap: Writes::<writer::AppendPrefersContent>::wrap,
        caught_by: &[
            ("append::prefers_the_upload_to_the_content", "the size that an append finds"),
            ("writer::leaves_content_readable_until_its_commit", "the size of the resumed upload"),
        ],
    },
    Mutant {
        name: "append_creates",
        wrap: Writes::<writer::AppendCreates>::wrap,
        caught_by: &[(
            "append::is_not_found_where_nothing_is",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "append_loses_tail",
        wrap: Writes::<writer::AppendLosesTail>::wrap,
        caught_by: &[
            ("append::goes_on_in_large_steps", "the size that step 1 of"),
            ("append::goes_on_in_steps_around_each_boundary", "the size that step 1 of"),
        ],
    },
    Mutant {
        name: "drop_closes",
        wrap: Writes::<writer::DropCloses>::wrap,
        caught_by: &[("append::forgets_what_was_written_past_the_close", "the size after")],
    },
    Mutant {
        name: "drop_publishes",
        wrap: Writes::<writer::DropPublishes>::wrap,
        caught_by: &[(
            "writer::dropped_publishes_nothing",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "drop_cancels",
        wrap: Writes::<writer::DropCancels>::wrap,
        caught_by: &[("append::forgets_what_was_written_past_the_close", "writer /file: path not found")],
    },
    Mutant {
        name: "cancel_closes",
        wrap: Writes::<writer::CancelCloses>::wrap,
        caught_by: &[(
            "writer::cancel_leaves_no_trace",
            "wanted path_not_found, but the operation succeeded",
        )],
    },
    Mutant {
        name: "cancel_deletes_content",
        wrap: Writes::<writer::CancelDeletesContent>::wrap,
        caught_by: &[("writer::cancel_leaves_content", "get_content /file: path not found")],
    },
    Mutant {
        name: "cancel_takes_others",
        wrap: Writes::<writer::CancelTakesOthers>::wrap,
        caught_by: &[("uploads::a_cancel_leaves_the_others", "the upload")],
    },
    Mutant {
        name: "cancel_publishes_first",
        wrap: Writes::<writer::CancelPublishesFirst>::wrap,
        caught_by: &[("cancellation::a_dropped_cancel_publishes_nothing", "get_content of /file")],
    },
    Mutant {
        name: "empty_close_forgotten",
        wrap: Writes::<writer::EmptyCloseForgotten>::wrap,
        caught_by: &[("append::resumes_an_upload_closed_with_nothing", "the uploads")],
    },
    Mutant {
        name: "reopened_close_grows",
        wrap: Writes::<writer::ReopenedCloseGrows>::wrap,
        caught_by: &[
            ("append::reopening_and_closing_changes_nothing", "the closed size"),
            ("append::reopening_and_closing_keeps_content", "the closed size"),
            ("registry::pushes_a_blob_in_chunks", "the size that a status tells"),
        ],
    },
    Mutant {
        name: "empty_commit_forgotten",
        wrap: Writes::<writer::EmptyCommitForgotten>::wrap,
        caught_by: &[
            ("writer::commits_nothing_as_empty_content", "get_content /a: path not found"),
            (
                "registry::pushes_an_empty_blob",
                "stat /docker/registry/v2/repositories/team/app/_uploads/0b8d",
            ),
        ],
    },
    Mutant {
        name: "commit_overlays",
        wrap: Writes::<writer::CommitOverlays>::wrap,
        caught_by: &[("writer::commit_replaces_content", "get_content of /dir/file")],
    },
    Mutant {
        name: "first_commit_stays",
        wrap: Writes::<writer::FirstCommitStays>::wrap,
        caught_by: &[
            ("writer::the_last_commit_wins_whole", "get_content of /file"),
            ("writer::streams_every_byte", "get_content of /content"),
        ],
    },
    Mutant {
        name: "commit_discards_others",
        wrap: Writes::<writer::CommitDiscardsOthers>::wrap,
        caught_by: &[("uploads::the_commit_of_another_leaves_it", "the upload")],
    },
    Mutant {
        name: "both_resumers_end",
        wrap: Writes::<writer::BothResumersEnd>::wrap,
        caught_by: &[
            ("append::one_of_two_resumers_can_end_it", "wanted conflict, but the operation succeeded"),
            ("concurrency::one_of_many_resumers_ends_an_upload", "how many of eight resumers committed"),
        ],
    },
    Mutant {
        name: "opening_fences",
        wrap: Writes::<writer::OpeningFences>::wrap,
        caught_by: &[(
            "append::opening_fences_nobody",
            "close /file: conflict: another writer has opened the upload",
        )],
    },
    Mutant {
        name: "resumed_exclusively",
        wrap: Writes::<writer::ResumedExclusively>::wrap,
        caught_by: &[
            ("append::opening_fences_nobody", "writer /file: conflict: the upload is open in another writer"),
            ("errors::of_an_ending_name_it", "writer /file: conflict: the upload is open in another writer"),
        ],
    },
    Mutant {
        name: "append_ignores_replacement",
        wrap: Writes::<writer::AppendIgnoresReplacement>::wrap,
        caught_by: &[
            (
                "append::conflicts_when_its_content_was_replaced",
                "wanted conflict, but the operation succeeded",
            ),
            ("append::conflicts_when_its_content_is_gone", "wanted conflict, but the operation succeeded"),
            (
                "append::one_of_two_that_continue_the_same_content_commits",
                "wanted conflict, but the operation succeeded",
            ),
        ],
    },
    Mutant {
        name: "closed_append_forgets_its_base",
        wrap: Writes::<writer::ClosedAppendForgetsItsBase>::wrap,
        caught_by: &[(
            "append::conflicts_when_its_content_was_replaced_after_a_close",
            "wanted conflict, but the operation succeeded",
        )],
    },
    Mutant {
        name: "append_takes_content",
        wrap: Writes::<writer::AppendTakesContent>::wrap,
        caught_by: &[
            ("append::keeps_content_readable_until_its_commit", "get_content /file: path not found"),
            ("append::goes_on_from_empty_content", "get_content /file: path not found"),
        ],
    },
    Mutant {
        name: "append_discards_others",
        wrap: Writes::<writer::AppendDiscardsOthers>::wrap,
        caught_by: &[("append::resumes_the_newest_upload", "the other upload")],
    },
    Mutant {
        name: "uploads_belong_to_one_handle",
        wrap: Writes::<writer::UploadsBelongToOneHandle>::wrap,
        caught_by: &[
            ("append::is_resumed_by_a_second_handle", "writer /file: path not found"),
            ("append::a_second_handle_forgets_what_was_not_closed", "writer /file: path not found"),
            ("append::one_of_two_processes_can_end_it", "writer /file: path not found"),
            (
                "registry::pushes_through_several_processes",
                "writer /docker/registry/v2/repositories/team/app/_uploads/0b",
            ),
        ],
    },
    Mutant {
        name: "loses_tiny_chunks",
        wrap: Writes::<writer::LosesTinyChunks>::wrap,
        caught_by: &[("writer::takes_many_small_chunks", "get_content of /content")],
    },
    Mutant {
        name: "shared_buffer",
        wrap: Writes::<writer::SharedBuffer>::wrap,
        caught_by: &[
            ("writer::writers_of_several_paths_take_turns", "get_content of /dir"),
            ("concurrency::commits_to_one_path_leave_one_whole", "/dir/file holds"),
            ("concurrency::streams_to_many_paths", "get_content of /dir"),
        ],
    },
    Mutant {
        name: "loses_what_is_large",
        wrap: Writes::<writer::LosesWhatIsLarge>::wrap,
        caught_by: &[("writer::takes_large_content", "get_content of /content")],
    },
    Mutant {
        name: "loses_byte_at_boundary",
        wrap: Writes::<writer::LosesByteAtBoundary>::wrap,
        caught_by: &[("writer::takes_chunks_of_every_size", "get_content of /content")],
    },
    Mutant {
        name: "commit_loses_first_byte",
        wrap: Writes::<writer::CommitLosesFirstByte>::wrap,
        caught_by: &[("writer::streams_every_size", "get_content of /content")],
    },
    Mutant {
        name: "commit_needs_directory",
        wrap: Writes::<writer::CommitNeedsDirectory>::wrap,
        caught_by: &[("writer::survives_the_pruning_of_its_directory", "commit /a/b/c/file: path not found")],
    },
    Mutant {
        name: "torn_commit",
        wrap: Writes::<writer::TornCommit>::wrap,
        caught_by: &[
            ("cancellation::a_dropped_commit_is_done_or_not", "/file holds"),
            ("concurrency::readers_never_see_a_commit_half_done", " bytes"),
        ],
    },
    Mutant {
        name: "commit_loses_upload_first",
        wrap: Writes::<writer::CommitLosesUploadFirst>::wrap,
        caught_by: &[
            ("cancellation::a_dropped_commit_is_done_or_not", "the upload whose commit took no effect"),
            (
                "cancellation::an_upload_dropped_at_any_instant_is_done_or_as_closed",
                "the upload whose commit took no effect",
            ),
        ],
    },
    Mutant {
        name: "torn_write",
        wrap: Writes::<writer::TornWrite>::wrap,
        caught_by: &[("cancellation::a_dropped_write_took_all_or_nothing", "a dropped write took")],
    },
    Mutant {
        name: "torn_close",
        wrap: Writes::<writer::TornClose>::wrap,
        caught_by: &[("cancellation::a_dropped_close_keeps_the_last_one", "writer /file: path not found")],
    },
    Mutant {
        name: "torn_opening",
        wrap: Writes::<writer::TornOpening>::wrap,
        caught_by: &[("cancellation::a_dropped_opening_leaves_what_was_closed", "the upload")],
    },
    Mutant {
        name: "conflict_is_backend_failure",
        wrap: Writes::<writer::ConflictIsBackendFailure>::wrap,
        caught_by: &[(
            "append::one_of_two_resumers_can_end_it",
            "wanted conflict, the error is: inmemory: close /file: the up",
        )],
    },
    Mutant {
        name: "lost_commit",
        wrap: Writes::<writer::LostCommit>::wrap,
        caught_by: &[("writer::takes_large_content", "get_content /content: path not found")],
    },
];
