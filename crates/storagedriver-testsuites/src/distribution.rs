//! Where the cases of Distribution's suite are found in this one.

/// The 36 cases of Distribution's `testsuites.go`, in its order, and the cases here that check the
/// same and more.
pub const DISTRIBUTION: &[(&str, &[&str])] = &[
    ("TestRootExists", &["paths::the_root_always_exists"]),
    ("TestValidPaths", &["paths::accepts_valid_paths", "paths::accepts_unusual_names"]),
    ("TestInvalidPaths", &["paths::refuses_invalid_paths"]),
    ("TestWriteRead1", &["content::keeps_every_byte"]),
    ("TestWriteRead2", &["content::keeps_every_byte"]),
    ("TestWriteRead3", &["content::keeps_every_size"]),
    ("TestWriteRead4", &["content::keeps_every_size", "content::keeps_large_content"]),
    ("TestWriteReadNonUTF8", &["content::keeps_every_byte"]),
    ("TestTruncate", &["content::replaces_longer_content"]),
    ("TestReadNonexistent", &["content::is_not_found_where_nothing_is"]),
    ("TestWriteReadStreams1", &["writer::streams_every_size"]),
    ("TestWriteReadStreams2", &["writer::streams_every_byte"]),
    ("TestWriteReadStreams3", &["writer::streams_every_size"]),
    ("TestWriteReadStreams4", &["writer::streams_every_size", "writer::takes_chunks_of_every_size"]),
    ("TestWriteReadStreamsNonUTF8", &["writer::streams_every_byte"]),
    ("TestWriteReadLargeStreams", &["writer::takes_large_content"]),
    ("TestReaderWithOffset", &["reader::starts_at_every_offset", "reader::is_empty_at_the_end"]),
    ("TestContinueStreamAppendLarge", &["append::goes_on_in_large_steps"]),
    ("TestContinueStreamAppendSmall", &["append::goes_on_in_small_steps"]),
    ("TestReadNonexistentStream", &["reader::is_not_found_where_nothing_is"]),
    ("TestWriteZeroByteStreamThenAppend", &["append::resumes_an_upload_closed_with_nothing"]),
    ("TestWriteZeroByteContentThenAppend", &["append::goes_on_from_empty_content"]),
    ("TestList", &["list::gives_the_direct_children", "list::gives_many_children_each_once"]),
    ("TestMove", &["rename::moves_content_of_every_size"]),
    ("TestMoveOverwrite", &["rename::replaces_the_destination"]),
    ("TestMoveNonexistent", &["rename::of_nothing_leaves_the_destination"]),
    ("TestMoveInvalid", &["rename::of_nothing_leaves_the_destination", "kinds::nothing_is_below_a_file"]),
    ("TestDelete", &["delete::removes_a_file"]),
    ("TestRedirectURL", &["errors::a_redirect_is_none_or_a_url"]),
    ("TestDeleteNonexistent", &["delete::of_nothing_is_not_found"]),
    ("TestDeleteFolder", &["delete::removes_all_below"]),
    ("TestDeleteOnlyDeletesSubpaths", &["delete::leaves_siblings_of_a_like_name"]),
    ("TestStatCall", &["content::stat_tells_size_and_time", "kinds::a_path_is_a_file_a_directory_or_absent"]),
    ("TestPutContentMultipleTimes", &["content::replaces_many_times"]),
    ("TestConcurrentStreamReads", &["concurrency::reads_one_file_from_many_places"]),
    ("TestConcurrentFileStreams", &["concurrency::streams_to_many_paths"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;

    #[test]
    fn each_of_the_36_is_found_here() {
        assert_eq!(DISTRIBUTION.len(), 36);
        for (theirs, ours) in DISTRIBUTION {
            assert!(!ours.is_empty(), "{theirs}");
            for name in *ours {
                assert!(Case::find(name).is_some(), "{theirs}: there is no {name}");
            }
        }
    }
}
