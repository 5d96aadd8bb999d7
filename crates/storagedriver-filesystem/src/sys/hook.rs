//! What a test can see and do at the boundary of system calls.

use std::fmt::Debug;

use super::Errno;

/// A call that changes something or makes it durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Create,
    Mkdir,
    Write,
    Truncate,
    Touch,
    Sync,
    SyncDir,
    Rename,
    /// From one directory to another.
    Move,
    Unlink,
    Rmdir,
}

/// What a call did; files and directories by inode number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Create { directory: u64, name: String, file: u64 },
    Mkdir { directory: u64, name: String, made: u64 },
    Write { file: u64, offset: u64, length: u64 },
    Truncate { file: u64, length: u64 },
    Sync { file: u64 },
    SyncDir { directory: u64 },
    Rename { from: u64, name: String, to: u64, new: String },
    Unlink { directory: u64, name: String },
    Rmdir { directory: u64, name: String },
}

/// A step that is made from the kernel's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Quick {
    /// Seeing what a path of the machine is.
    Direct,
    /// Opening the root.
    Root,
    /// Seeing which root it is.
    Identity,
    /// Opening a file or directory below it.
    Open,
    /// Seeing what an open file is.
    Meta,
    Read,
}

/// Sees every call that changes something, and decides what the caches are taken to answer.
pub(crate) trait Hook: Debug + Send + Sync {
    /// Before the call: an error is returned in its place, and the call is not made.
    fn before(&self, call: Call) -> Result<(), Errno>;

    /// After a call that succeeded.
    fn after(&self, event: Event);

    /// Before a step from the kernel's caches: an error is returned in its place.
    fn quick(&self, _step: Quick) -> Result<(), Errno> {
        Ok(())
    }

    /// The most that a read of `wanted` bytes from the kernel's caches gives.
    fn most(&self, wanted: usize) -> usize {
        wanted
    }

    /// The number that the file system with this number is taken for.
    fn magic(&self, found: u64) -> u64 {
        found
    }

    /// Work begins in the pool.
    fn pooled(&self) {}
}
