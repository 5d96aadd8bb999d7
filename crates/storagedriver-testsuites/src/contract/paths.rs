//! Which paths there are, and what they are.

use super::{Section, same, stricter};

pub(super) const PATHS: Section = Section {
    title: "Paths",
    sentences: &[
        stricter("path-grammar", "A path matches `^(/[A-Za-z0-9._-]+)+$`, and no component is `.` or `..`."),
        same("path-root", "`/` is a path for `stat`, `list`, `walk` and `uploads` only."),
        same("path-refused", "Anything else is `InvalidPath`, before any I/O."),
        same("path-verbatim", "A path is never normalised: paths that differ in a byte are different paths."),
        stricter(
            "path-limit",
            "There is one length limit for all operations, that of the longest name the driver derives from a \
             path; beyond it is `InvalidPath`, which says the limit.",
        ),
        same(
            "path-kinds",
            "A path is a file, a directory, or absent. Directories are implied by the files below them, to any \
             depth.",
        ),
        stricter(
            "directory-pruned",
            "A driver leaves no empty directory: when the last file below a directory goes, the directory is \
             absent.",
        ),
        stricter(
            "directory-remade",
            "Pruning loses no race: a put, commit, close or rename whose directory is pruned meanwhile makes it \
             again.",
        ),
        same("directory-foreign", "A real directory that others left empty may show, and can be deleted.")
            .checked_by("`crates/storagedriver-filesystem/tests/defects.rs`"),
        same("stat-directory", "`stat` of a directory says that it is one, with size 0."),
        same(
            "stat-file",
            "`stat` of a file tells its path, its size and when its content was last replaced.",
        ),
        same("prefix-no-directory", "`/foo` is not a directory because `/foobar` exists."),
        same("root-exists", "The root always exists, also in a store that nobody has written to."),
        stricter("root-asks-backend", "`stat` of the root asks the backend: it is the health check.")
            .checked_by("`crates/storagedriver-filesystem/tests/mounts.rs`"),
        stricter(
            "kind-conflict",
            "A file where a directory would be needed, or the reverse, is `Conflict` on drivers with real \
             directories; flat stores may allow it. Neither loses data.",
        ),
        same("both-lists-once", "A name that is both file and directory is listed once, as both."),
    ],
};
