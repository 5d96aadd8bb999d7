//! What names, dropped futures and errors do.

use super::{Section, same, stricter};

pub(super) const LIST: Section = Section {
    title: "`list`",
    sentences: &[
        same("list-children", "`list` gives the direct children of a directory, each once, however many."),
        stricter("list-sorted", "They are sorted by path."),
        same(
            "list-kinds",
            "Each says whether it is file or directory; size and version, where given, are those of `stat`.",
        ),
        stricter("list-no-staging", "No name of a staging file or a session is among them."),
        same("list-absent", "`list` of nothing or of a file is `PathNotFound`."),
        same("list-empty-root", "`list` of the empty root is empty."),
    ],
};

pub(super) const WALK: Section = Section {
    title: "`walk`",
    sentences: &[
        same("walk-descendants", "`walk` yields every descendant of its start, each once, however many."),
        same("walk-start", "It starts at any directory, and does not yield its start."),
        same("walk-directory-first", "Each directory comes just before its first descendant."),
        stricter("walk-size-time", "Files come with size and time."),
        same("walk-absent", "`walk` of nothing or of a file is `PathNotFound`, there or at the first step."),
        same("walk-empty-root", "`walk` of the empty root is empty."),
        stricter(
            "walk-key-order",
            "The order `Key`, the default, is that of the bytes of keys, a directory's key ending in `/`.",
        ),
        same(
            "walk-tree-order",
            "The order `Tree` gives the children of each directory by name, depth first.",
        ),
        stricter("walk-both", "A name that is both file and directory comes as two entries: first the file."),
        stricter(
            "walk-start-after",
            "`start_after` gives exactly the entries whose key is greater in that order; the key need not be \
             there, nor below the start.",
        ),
        stricter("walk-resume", "A walk that starts after the key of an entry never repeats it."),
        same("walk-skip", "`skip_dir` leaves out what is below the directory that came last."),
        same("walk-skip-file", "After a file, and before the first entry, `skip_dir` does nothing."),
        stricter("walk-skip-cost", "On a flat store `skip_dir` costs O(1) requests.")
            .checked_by("the request budgets of the object engine"),
        stricter(
            "walk-changes",
            "Entries that come or go meanwhile may be missed; no other is missed or doubled.",
        ),
    ],
};

pub(super) const RENAME: Section = Section {
    title: "`rename`",
    sentences: &[
        same("rename-moves", "`rename` moves a file, whole, and no other."),
        same("rename-overwrites", "It replaces what is at the destination."),
        same("rename-onto-itself", "Onto itself it changes nothing."),
        same(
            "rename-absent",
            "If the source is absent or a directory: `PathNotFound`, naming the source; the destination is \
             untouched.",
        ),
        stricter(
            "rename-verified",
            "The source is deleted only when the destination is whole; what is interrupted leaves both or one, \
             never neither.",
        ),
        stricter(
            "rename-atomic",
            "Where the backend can, it is one step: never both ends, never neither; of two at once, one moves \
             the file.",
        ),
    ],
};

pub(super) const DELETE: Section = Section {
    title: "`delete`",
    sentences: &[
        same("delete-recursive", "`delete` removes the path and all below it; the path can be used anew."),
        same("delete-no-sibling", "It removes no sibling: `/a` leaves `/ab`."),
        same("delete-absent", "`delete` of nothing is `PathNotFound`."),
        stricter(
            "delete-again",
            "Interrupted, or run twice at once, it can be run again, and leaves nothing.",
        ),
    ],
};

pub(super) const CANCELLATION: Section = Section {
    title: "Cancellation",
    sentences: &[
        stricter(
            "drop-any",
            "Dropping any future or stream at any await point leaves a state that this contract allows.",
        ),
        stricter("drop-write", "A dropped `write` took the whole chunk or none."),
        stricter(
            "drop-in-flight",
            "Over a network, a request in flight may still take effect until it dies; a local job past its point \
             of publishing holds the path until it is done.",
        ),
    ],
};

pub(super) const ANSWERS: Section = Section {
    title: "Errors and other answers",
    sentences: &[
        same(
            "error-context",
            "An error names the driver, the operation and the path, in its fields and its text.",
        ),
        same(
            "error-classes",
            "`is_not_found` is true of `PathNotFound` only; `is_retryable` is false of what trying again cannot \
             help. An error leaves the driver usable.",
        ),
        stricter("error-secrets", "No secret stands in a message, a log or a `Debug`.").checked_by(
            "`crates/storagedriver/tests/parameters.rs`, and tests of each driver that has secrets",
        ),
        same("redirect", "`redirect_url` gives none, or a URL that a client can use, and changes nothing."),
        stricter(
            "guarantees-told",
            "A backend that cannot keep a sentence says so in `guarantees()`: always the same, and as it is.",
        ),
    ],
};
