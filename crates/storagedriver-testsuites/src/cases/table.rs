//! The table of all cases: each with the sentences of the contract that it checks, and the
//! guarantees without which it has nothing to check.
//!
//! It is a macro that gives its rows to another one, so that the constant
//! [`CASES`](crate::CASES) and the tests of [`register_suite!`](crate::register_suite) are made
//! from the same rows.

/// Calls the macro in brackets with the rows.
#[macro_export]
#[doc(hidden)]
macro_rules! __with_cases {
    ([$($callback:tt)+]) => { $($callback)+! {
        paths {
            accepts_valid_paths: ["path-grammar", "put-get"];
            accepts_unusual_names: ["path-grammar", "list-children", "walk-descendants"];
            refuses_invalid_paths: ["path-grammar", "path-refused"];
            refuses_the_root_where_a_name_is_needed: ["path-root"];
            never_normalises: ["path-verbatim"];
            keeps_the_longest_component: ["path-limit"];
            refuses_a_longer_component: ["path-limit"];
            keeps_the_longest_path: ["path-limit"];
            refuses_a_longer_path: ["path-limit"];
            nests_deeply: ["path-kinds", "delete-recursive"];
            the_root_always_exists: ["root-exists", "list-empty-root", "walk-empty-root"];
        }
        kinds {
            a_path_is_a_file_a_directory_or_absent: ["path-kinds", "stat-directory", "get-absent"];
            a_prefix_of_a_name_is_no_directory: ["prefix-no-directory"];
            directories_go_with_what_was_below: ["directory-pruned"];
            nothing_is_below_a_file: ["path-kinds", "delete-absent", "rename-absent", "append-absent"];
            an_entry_may_have_the_name_of_its_directory: ["path-kinds", "list-children"];
            a_file_where_a_directory_is_needed_loses_nothing: ["kind-conflict"];
            a_directory_where_a_file_is_needed_loses_nothing: ["kind-conflict"];
            a_name_that_is_both_lists_once: ["both-lists-once", "walk-both"];
        }
        content {
            keeps_every_size: ["put-get"];
            keeps_every_byte: ["put-get"];
            keeps_empty_content: ["put-get"];
            keeps_large_content: ["put-get"];
            replaces_longer_content: ["put-replaces"];
            replaces_shorter_content: ["put-replaces"];
            replaces_many_times: ["put-replaces"];
            replaces_content_of_the_same_size: ["put-replaces"];
            implies_the_directories_above: ["path-kinds"];
            leaves_other_paths_alone: ["path-verbatim", "put-replaces"];
            is_not_found_where_nothing_is: ["get-absent"];
            stat_tells_size_and_time: ["stat-file", "stat-directory"];
            equal_versions_are_equal_bytes: ["version-bytes"];
            is_seen_by_a_second_handle: ["acknowledged-visible"] needs [Shared];
            is_replaced_atomically: ["replace-atomic"] needs [AtomicReplace];
        }
        reader {
            streams_every_size: ["put-get", "reader-size"];
            starts_at_every_offset: ["reader-offset"];
            is_empty_at_the_end: ["reader-at-end"];
            refuses_an_offset_past_the_end: ["reader-past-end"];
            cuts_at_every_length: ["reader-length", "reader-size"];
            is_not_found_where_nothing_is: ["reader-absent"];
            reads_the_version_asked_for_or_conflicts: ["reader-version"];
            opened_before_a_put_reads_one_version: ["reader-one-version"] needs [ConsistentReads];
            opened_before_a_commit_reads_one_version: ["reader-one-version"] needs [ConsistentReads];
            opened_before_it_goes_reads_one_version: ["reader-one-version"] needs [ConsistentReads];
            may_be_dropped_midway: ["drop-any"];
            several_take_turns: ["reader-offset"];
        }
        writer {
            streams_every_size: ["commit-publishes"];
            streams_every_byte: ["commit-publishes"];
            takes_chunks_of_every_size: ["commit-publishes"];
            takes_many_small_chunks: ["commit-publishes"];
            takes_large_content: ["commit-publishes"];
            size_counts_what_is_buffered: ["size-buffered", "close-size"];
            is_invisible_before_its_commit: ["uncommitted-invisible"];
            leaves_content_readable_until_its_commit: ["uncommitted-invisible"];
            create_starts_afresh: ["create-afresh"];
            create_discards_uploads_closed_before: ["create-discards"];
            create_leaves_uploads_that_are_open: ["create-discards", "upload-independent"] needs [IndependentUploads];
            commits_nothing_as_empty_content: ["commit-publishes"];
            commit_replaces_content: ["commit-publishes", "commit-consumes"];
            cancel_leaves_no_trace: ["cancel-traceless"];
            cancel_leaves_content: ["cancel-traceless", "upload-independent"];
            dropped_publishes_nothing: ["drop-writer"];
            a_refused_commit_tears_nothing: ["commit-failure-resumable", "kind-conflict"];
            create_discards_uploads_of_a_second_handle: ["create-discards", "close-shared"] needs [Shared];
            the_last_commit_wins_whole: ["writers-last-wins"];
            writers_of_several_paths_take_turns: ["writers-apart"];
            survives_the_pruning_of_its_directory: ["directory-remade"];
            commit_is_seen_by_a_second_handle: ["acknowledged-visible"] needs [Shared];
        }
        append {
            resumes_at_the_closed_size: ["close-size"];
            goes_on_in_small_steps: ["close-size", "append-resumes"];
            goes_on_in_steps_around_each_boundary: ["close-size", "append-resumes"];
            goes_on_in_large_steps: ["close-size", "append-resumes"];
            is_not_found_where_nothing_is: ["append-absent"];
            resumes_an_upload_closed_with_nothing: ["close-zero"];
            goes_on_from_empty_content: ["append-content"];
            reopening_and_closing_changes_nothing: ["reopen-close"];
            reopening_and_closing_keeps_content: ["reopen-close", "append-content"];
            goes_on_many_times: ["close-size", "append-resumes"];
            forgets_what_was_written_past_the_close: ["close-lost-tail", "drop-writer"];
            commits_with_less_than_was_lost: ["close-lost-tail", "append-resumes"] needs [ShorterResume];
            goes_on_from_content: ["append-content"];
            keeps_content_readable_until_its_commit: ["append-content-readable"];
            conflicts_when_its_content_was_replaced: ["append-content-gone"];
            conflicts_when_its_content_was_replaced_after_a_close:
                ["append-content-gone"] needs [IndependentUploads];
            conflicts_when_its_content_is_gone: ["append-content-gone"];
            one_of_two_that_continue_the_same_content_commits: ["append-content-gone"];
            prefers_the_upload_to_the_content: ["append-resumes"];
            resumes_the_newest_upload: ["append-resumes"] needs [IndependentUploads];
            a_commit_consumes_the_upload: ["commit-consumes"];
            one_of_two_resumers_can_end_it: ["resumers-one"] needs [FencedUploads];
            a_close_without_a_write_ends_it: ["resumers-one"] needs [FencedUploads];
            one_of_two_processes_can_end_it: ["resumers-one", "close-shared"] needs [FencedUploads, Shared];
            opening_fences_nobody: ["open-fences-nobody"];
            is_resumed_by_a_second_handle: ["close-shared"] needs [Shared];
            a_second_handle_forgets_what_was_not_closed:
                ["close-shared", "resumers-one"] needs [FencedUploads, Shared];
        }
        uploads {
            lists_what_was_closed: ["uploads-listed"];
            lists_those_at_and_below_a_path: ["uploads-listed"];
            lists_none_where_there_is_none: ["uploads-listed"];
            forgets_those_that_ended: ["commit-consumes", "cancel-traceless", "delete-upload"];
            tells_when_it_was_active: ["uploads-listed", "abort-stale"];
            is_no_entry_and_implies_no_directory: ["uncommitted-invisible"];
            abort_removes_every_trace: ["abort-traceless"];
            abort_leaves_content_and_other_uploads: ["abort-traceless", "upload-independent"];
            abort_of_one_that_is_gone_is_no_error: ["abort-gone"];
            abort_conflicts_when_it_moved_on: ["abort-moved-on"];
            abort_under_a_live_writer_tears_nothing: ["abort-moved-on"];
            delete_under_a_live_writer_tears_nothing: ["delete-upload"];
            lists_many_each_once: ["uploads-listed"];
            stale_ones_are_aborted_by_age: ["abort-stale"];
            delete_of_the_path_removes_it: ["delete-upload"];
            delete_of_a_parent_removes_it: ["delete-upload", "delete-no-sibling"];
            a_put_leaves_it: ["upload-independent"];
            the_commit_of_another_leaves_it: ["upload-independent"];
            a_rename_at_either_end_leaves_it: ["upload-independent"];
            a_cancel_leaves_the_others: ["upload-independent"];
            is_aborted_by_a_second_handle: ["abort-moved-on", "close-shared"] needs [Shared];
        }
        list {
            gives_the_direct_children: ["list-children"];
            tells_kinds: ["list-kinds"];
            sorts_by_path: ["list-sorted"];
            is_not_found_where_no_directory_is: ["list-absent"];
            of_the_empty_root_is_empty: ["list-empty-root"];
            gives_many_children_each_once: ["list-children", "list-sorted"];
            gives_a_directory_with_many_below_once: ["list-children"];
            follows_changes_at_once: ["acknowledged-visible", "list-children"];
            shows_nothing_of_writes_under_way: ["list-no-staging"];
            pages_end_anywhere: ["list-children", "list-sorted"];
        }
        walk {
            yields_every_descendant_in_key_order: ["walk-descendants", "walk-key-order"];
            yields_every_descendant_in_tree_order: ["walk-descendants", "walk-tree-order"];
            starts_anywhere_and_leaves_the_start_out: ["walk-start"];
            is_not_found_where_no_directory_is: ["walk-absent"];
            of_the_empty_root_is_empty: ["walk-empty-root"];
            tells_kind_size_and_time: ["walk-size-time"];
            skips_each_directory: ["walk-skip"];
            skips_nothing_after_a_file: ["walk-skip-file"];
            skips_nothing_before_its_first_entry: ["walk-skip-file"];
            skips_after_a_start: ["walk-skip", "walk-start-after"];
            yields_many_entries_each_once: ["walk-descendants", "walk-directory-first", "walk-skip"];
            shows_no_upload: ["uncommitted-invisible", "list-no-staging"];
            may_be_deleted_behind: ["walk-changes"];
            misses_and_doubles_nothing_that_stays: ["walk-changes"];
            may_be_dropped_midway: ["drop-any"];
        }
        resume {
            after_each_entry: ["walk-resume"];
            after_every_place: ["walk-start-after"];
            after_places_outside_the_start: ["walk-start-after"];
            after_a_subtree: ["walk-start-after"];
            page_by_page_adds_up: ["walk-resume"];
        }
        rename {
            moves_content_of_every_size: ["rename-moves"];
            moves_large_content: ["rename-moves"];
            replaces_the_destination: ["rename-overwrites"];
            onto_itself_changes_nothing: ["rename-onto-itself"];
            of_nothing_leaves_the_destination: ["rename-absent"];
            of_a_directory_is_refused: ["rename-absent"];
            makes_and_prunes_directories: ["rename-moves", "directory-pruned"];
            into_its_own_path_loses_nothing: ["kind-conflict"];
            leaves_neighbours_alone: ["rename-moves"];
            is_never_seen_with_neither_end: ["rename-atomic", "rename-verified"];
            replaces_atomically: ["rename-overwrites", "replace-atomic"] needs [AtomicReplace];
            of_one_file_twice_at_once_loses_nothing: ["rename-atomic"];
        }
        delete {
            removes_a_file: ["delete-recursive"];
            removes_all_below: ["delete-recursive"];
            leaves_siblings_of_a_like_name: ["delete-no-sibling"];
            of_nothing_is_not_found: ["delete-absent"];
            lets_the_path_be_used_anew: ["delete-recursive"];
            at_once_with_puts_beside_it_loses_none: ["directory-remade"];
            at_once_with_puts_below_it_tears_nothing: ["directory-remade", "delete-recursive"];
            twice_at_once_leaves_nothing: ["delete-again"];
        }
        concurrency {
            streams_to_many_paths: ["writers-apart"];
            puts_to_many_paths: ["writers-apart"];
            reads_one_file_from_many_places: ["reader-offset"];
            puts_to_one_path_leave_one_whole: ["replace-atomic"] needs [AtomicReplace];
            commits_to_one_path_leave_one_whole: ["writers-last-wins"];
            readers_never_see_a_commit_half_done: ["replace-atomic"] needs [AtomicReplace];
            puts_and_deletes_in_one_directory: ["directory-pruned", "directory-remade"];
            uploads_and_deletes_in_one_directory: ["directory-remade", "delete-upload"];
            renames_in_one_directory: ["directory-remade", "rename-moves"];
            one_of_many_resumers_ends_an_upload: ["resumers-one"] needs [FencedUploads];
            two_processes_write_at_once: ["writers-last-wins", "directory-remade"]
                needs [Shared, AtomicReplace, IndependentUploads];
        }
        cancellation {
            a_dropped_put_is_whole_or_nothing: ["drop-any", "drop-in-flight"];
            a_put_dropped_at_any_instant_is_whole_or_nothing: ["drop-any", "drop-in-flight"];
            an_upload_dropped_at_any_instant_is_done_or_as_closed:
                ["drop-any", "commit-unknown"] needs [IndependentUploads];
            a_rename_dropped_at_any_instant_loses_nothing: ["drop-any", "rename-verified"];
            a_dropped_write_took_all_or_nothing: ["drop-write"];
            a_dropped_close_keeps_the_last_one: ["drop-any", "close-failure-keeps"];
            a_dropped_commit_is_done_or_not: ["commit-unknown"] needs [IndependentUploads];
            a_dropped_cancel_publishes_nothing: ["drop-any"];
            a_dropped_opening_leaves_what_was_closed: ["drop-any"] needs [IndependentUploads];
            a_dropped_rename_loses_nothing: ["drop-any", "rename-verified"];
            a_dropped_delete_can_be_run_again: ["delete-again"];
            a_dropped_look_changes_nothing: ["drop-any"];
        }
        errors {
            say_driver_operation_and_path: ["error-context"];
            of_an_ending_name_it: ["error-context"] needs [FencedUploads];
            tell_absence_from_the_rest: ["error-classes"];
            leave_the_driver_usable: ["error-classes"];
            a_redirect_is_none_or_a_url: ["redirect"];
            the_driver_says_what_it_lacks: ["guarantees-told"];
        }
        registry {
            pushes_a_blob_in_chunks: ["close-size", "commit-publishes", "rename-moves"];
            pushes_an_empty_blob: ["close-zero", "commit-publishes"];
            pushes_through_several_processes: ["close-shared"] needs [Shared];
            cancels_an_upload: ["cancel-traceless", "delete-recursive"];
            deletes_an_upload_directory: ["delete-upload"];
            pushes_one_blob_twice_at_once: ["rename-overwrites", "directory-remade"];
            moves_a_tag: ["put-replaces", "acknowledged-visible"];
            pages_through_tags: ["walk-tree-order", "walk-start-after", "walk-skip"];
            walks_the_catalogue: ["walk-tree-order", "walk-skip"];
            purges_stale_uploads: ["walk-descendants", "delete-upload"];
            collects_garbage: ["walk-changes", "directory-pruned"];
            serves_a_blob_in_ranges: ["reader-length", "reader-at-end"];
        }
    } };
}

pub(crate) use __with_cases;
