//! Directories below the root: making those that are missing, removing those that are empty.

use std::os::fd::OwnedFd;

use crate::root::{ATTEMPTS, Root, STAGING, split};
use crate::sys::{Errno, Io, Kind, Meta};

impl Root {
    /// The directory at a relative path, made with all above it if it does not exist.
    pub(crate) fn make_directory(&self, root: &OwnedFd, relative: &str) -> Io<OwnedFd> {
        for _ in 0..ATTEMPTS {
            match self.sys.open_directory(root, relative) {
                Err(Errno::NOENT) => {}
                outcome => return outcome,
            }
            match self.make_missing(root, relative) {
                // Somebody pruned one of them just now.
                Err(Errno::NOENT) => {}
                outcome => return outcome,
            }
        }
        // A symbolic link to nothing stands in the way, or others never stop pruning.
        Err(Errno::NOTDIR)
    }

    fn make_missing(&self, root: &OwnedFd, relative: &str) -> Io<OwnedFd> {
        let mut missing = Vec::new();
        let mut rest = relative;
        let mut directory = loop {
            let (above, name) = split(rest);
            missing.push(name);
            match self.sys.open_directory(root, above) {
                Err(Errno::NOENT) if !above.is_empty() => rest = above,
                outcome => break outcome?,
            }
        };
        for name in missing.into_iter().rev() {
            let made = match self.sys.mkdir(&directory, name) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(error) => return Err(error),
            };
            directory = self.sys.open_directory(&directory, name)?;
            if made {
                self.durable.forget(&self.sys, &directory)?;
            }
        }
        Ok(directory)
    }

    /// Removes the directory at a relative path and those above it, as far as they are empty.
    /// Never the root nor the staging place. Best effort: whatever cannot be removed is left.
    ///
    /// Gives the innermost directory that is left.
    pub(crate) fn prune<'a>(&self, root: &OwnedFd, relative: &'a str) -> &'a str {
        let mut rest = relative;
        while !rest.is_empty() && rest != STAGING {
            let (above, name) = split(rest);
            let removed = match self.sys.open_directory(root, above) {
                Ok(parent) => self.sys.rmdir(&parent, name),
                Err(error) => Err(error),
            };
            match removed {
                Ok(()) | Err(Errno::NOENT) => rest = above,
                Err(_) => break,
            }
        }
        rest
    }

    /// Makes durable that names came to a directory, left it, and that it is there itself.
    pub(crate) fn sync_names(&self, root: &OwnedFd, relative: &str, directory: &OwnedFd) -> Io<()> {
        self.durable.sync_names(&self.sys, root, relative, directory)
    }

    /// As [`sync_names`](Self::sync_names), for names that left; a directory that is gone meanwhile
    /// took them along.
    pub(crate) fn sync_removal(&self, root: &OwnedFd, relative: &str) -> Io<()> {
        let mut rest = self.prune(root, relative);
        loop {
            match self.sys.open_directory(root, rest) {
                Ok(directory) => return self.durable.sync_left(&self.sys, &directory),
                Err(Errno::NOENT) if !rest.is_empty() => rest = split(rest).0,
                Err(error) => return Err(error),
            }
        }
    }

    /// What a relative path below the root is, links followed; `None` if there is nothing.
    pub(crate) fn find(&self, root: &OwnedFd, relative: &str) -> Io<Option<Meta>> {
        found(self.sys.meta_at(root, relative))
    }
}

/// What a call that followed a path says of it.
pub(crate) fn found(meta: Io<Meta>) -> Io<Option<Meta>> {
    match meta {
        Ok(meta) if meta.kind == Kind::File || meta.kind == Kind::Directory => Ok(Some(meta)),
        // A device or a pipe is none of ours.
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error),
    }
}
