//! Writers and uploads.

use super::{Section, same, stricter};

pub(super) const WRITERS: Section = Section {
    title: "Writers",
    sentences: &[
        same(
            "commit-publishes",
            "`commit` makes what was accepted the content of the path, nothing included.",
        ),
        same("commit-consumes", "After a commit there is no upload: neither listed nor resumed."),
        same("create-afresh", "`Create` starts with nothing."),
        stricter(
            "create-discards",
            "`Create` discards the uploads at the path that were closed before it opened, and no others.",
        ),
        same(
            "append-resumes",
            "`Append` resumes the newest closed upload at the path; where there is one, content does not matter.",
        ),
        stricter("append-content", "Else `Append` continues the committed content."),
        stricter(
            "append-content-readable",
            "The content that an append continues stays readable, unchanged, until the commit replaces it.",
        ),
        stricter("append-content-gone", "If that version is gone when it commits, the commit is `Conflict`."),
        stricter("append-absent", "Else, and for a directory, `Append` is `PathNotFound`."),
        stricter(
            "upload-independent",
            "An upload and the committed content of a path are independent: `put_content`, another's `commit` or \
             `cancel`, and `rename` at either end leave an upload as it is.",
        ),
        stricter("size-buffered", "`size` counts whole accepted chunks, those still buffered too."),
        same("close-size", "After `close`, `Append` reopens at exactly the size that `close` returned."),
        stricter("close-zero", "Zero bytes are no exception."),
        same("close-shared", "So it is from another process."),
        stricter("close-crash", "So it is after a crash.")
            .checked_by("`crates/storagedriver-filesystem/tests/killed/main.rs`"),
        stricter("close-lost-tail", "So it is when bytes were written past the close and lost."),
        same("reopen-close", "Reopening and closing changes nothing."),
        same(
            "close-failure-keeps",
            "A `write` or `close` that fails or is dropped loses nothing that an earlier `close` made durable.",
        ),
        same(
            "commit-failure-resumable",
            "A failed `commit` first tries to leave what was accepted resumable.",
        ),
        stricter(
            "commit-unknown",
            "After a commit whose outcome is unknown (error, crash, drop) the path holds either the old content \
             and the upload as last closed, or the new content and no upload.",
        ),
        stricter("writers-last-wins", "Two writers on one path may both run; the last commit wins whole."),
        same("writers-apart", "Writers of different paths do not disturb one another."),
        stricter(
            "resumers-one",
            "Of writers that resumed the same upload, at most one can close or commit it; the others get \
             `Conflict`, at the latest at their ending.",
        ),
        stricter("open-fences-nobody", "Opening a writer fences nobody."),
        stricter(
            "cancel-traceless",
            "`cancel` removes every trace of the upload, and leaves the content of the path.",
        ),
        stricter("drop-writer", "A dropped writer publishes nothing, and keeps the state of the last close."),
    ],
};

pub(super) const UPLOADS: Section = Section {
    title: "Uploads from outside",
    sentences: &[
        stricter(
            "uploads-listed",
            "`uploads` gives each upload that was closed, at and below a path, sorted by path, with its durable \
             size and the time of its last activity; where there is none, nothing.",
        ),
        stricter(
            "abort-traceless",
            "`abort_upload` removes every trace of that upload, and leaves content and other uploads.",
        ),
        stricter(
            "abort-moved-on",
            "Aborting an upload that moved on since it was listed is `Conflict`, and leaves it; a writer under \
             which one was aborted publishes all or nothing.",
        ),
        stricter("abort-gone", "Aborting one that is gone is no error."),
        stricter(
            "abort-stale",
            "`abort_stale` aborts those of that age at and below the path, and keeps the others.",
        ),
        stricter(
            "delete-upload",
            "`delete` of the path or of a parent removes every trace of its uploads, and succeeds also where \
             there is nothing but an upload.",
        ),
    ],
};
