//! Content, put and got whole or read as a stream.

use super::{Section, same, stricter};

pub(super) const CONTENT: Section = Section {
    title: "Content",
    sentences: &[
        same(
            "put-get",
            "What was put is what is got and read, byte for byte, for every size from zero on.",
        ),
        same("put-replaces", "`put_content` replaces what was there, all of it, and nothing else."),
        stricter(
            "replace-atomic",
            "`put_content`, `commit` and `rename` replace atomically: a reader sees the old or the new content \
             whole, never a mixture, never a prefix.",
        ),
        stricter("replace-atomic-crash", "So it is across a crash at any instant.")
            .checked_by("`crates/storagedriver-filesystem/tests/killed/main.rs`"),
        same(
            "acknowledged-visible",
            "What was acknowledged is visible at once, in every operation, through every handle.",
        ),
        stricter(
            "acknowledged-durable",
            "What `put_content`, `commit`, `close` and `rename` acknowledged survives a crash: of the process, \
             and of the machine where the driver owns the disk.",
        )
        .checked_by("`crates/storagedriver-filesystem/tests/killed/main.rs`, \
             `crates/storagedriver-filesystem/src/tests/power_cut.rs`"),
        stricter(
            "uncommitted-invisible",
            "Uncommitted bytes are visible to nobody: not to `stat`, `get_content`, `reader`, `list`, `walk`; \
             they imply no directory.",
        ),
        same("get-absent", "`get_content` of a directory or of nothing is `PathNotFound`."),
        stricter(
            "version-bytes",
            "Where a driver tells versions, equal versions of a path mean equal bytes, and `stat` and `reader` \
             tell the same one.",
        ),
    ],
};

pub(super) const READERS: Section = Section {
    title: "Readers",
    sentences: &[
        same("reader-offset", "A reader gives the content from its offset on, apart from any other reader."),
        same("reader-at-end", "An offset equal to the size gives an empty stream."),
        stricter("reader-past-end", "An offset past the size is `InvalidOffset`."),
        same(
            "reader-length",
            "A length gives at most so many bytes; a range that reaches past the end is cut there.",
        ),
        same("reader-size", "A reader tells the size of the whole content, and gives no empty chunk."),
        same("reader-absent", "A reader of a directory or of nothing is `PathNotFound`, at any offset."),
        same("reader-version", "A reader of a version that the path no longer holds is `Conflict`."),
        stricter(
            "reader-one-version",
            "A reader opened before an overwrite, a rename or a delete yields one version or fails; it never \
             splices two.",
        ),
    ],
};
