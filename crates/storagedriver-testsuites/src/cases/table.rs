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
            the_last_commit_wins_whole: ["writers-last-wins"] needs [IndependentUploads];
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
            goes_on_from_content: ["append-content"];
            keeps_content_readable_until_its_commit: ["append-content-readable"];
            conflicts_when_its_content_was_replaced: ["append-content-gone"];
            conflicts_when_its_content_was_replaced_after_a_close:
                ["append-content-gone"] needs [IndependentUploads];
            conflicts_when_its_content_is_gone: ["append-content-gone"];
            prefers_the_upload_to_the_content: ["append-resumes"];
            resumes_the_newest_upload: ["append-resumes"] needs [IndependentUploads];
            a_commit_consumes_the_upload: ["commit-consumes"];
            one_of_two_resumers_can_end_it: ["resumers-one"] needs [FencedUploads];
            one_of_two_processes_can_end_it: ["resumers-one", "close-shared"] needs [FencedUploads, Shared];
            opening_fences_nobody: ["open-fences-nobody"];
            is_resumed_by_a_second_handle: ["close-shared"] needs [Shared];
            a_second_handle_forgets_what_was_not_closed:
                ["close-shared", "resumers-one"] needs [FencedUploads, Shared];
        }
    } };
}

pub(crate) use __with_cases;
