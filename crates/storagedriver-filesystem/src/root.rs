//! The root directory, and directories below it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use storagedriver::{Error, Result, StoragePath};

use crate::durability::Durable;
use crate::faults::{Need, fault};
use crate::sys::{Errno, Io, Kind, Sys};

/// How often a step is repeated that somebody else undid: directories come and go under a writer.
pub(crate) const ATTEMPTS: usize = 100;

/// The place inside the root for what is not published yet; no path can name it.
pub(crate) const STAGING: &str = "~staging";

/// The root directory. It is made by the first write, and not before.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    pub(crate) sys: Sys,
    pub(crate) durable: Durable,
    open: RwLock<Option<Arc<OwnedFd>>>,
    /// Whether the open root was looked at as the first write to it does.
    prepared: AtomicBool,
}

/// The directory that holds a relative path, and the name in it.
pub(crate) fn split(relative: &str) -> (&str, &str) {
    relative.rsplit_once('/').unwrap_or(("", relative))
}

impl Root {
    pub(crate) fn new(path: PathBuf, sys: Sys, durable: Durable) -> Self {
        Root { path, sys, durable, open: RwLock::new(None), prepared: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn cached(&self) -> Option<Arc<OwnedFd>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, root: OwnedFd) -> Arc<OwnedFd> {
        let root = Arc::new(root);
        self.prepared.store(false, Ordering::Release);
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(root.clone());
        root
    }

    /// The root, if it exists.
    pub(crate) fn get(&self) -> Io<Option<Arc<OwnedFd>>> {
        if let Some(root) = self.cached() {
            return Ok(Some(root));
        }
        match self.sys.open_root(&self.path) {
            Ok(root) => Ok(Some(self.remember(root))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks for the root afresh: it may have been mounted, moved or made again meanwhile.
    pub(crate) fn refresh(&self) -> Io<Option<Arc<OwnedFd>>> {
        let found = match self.sys.open_root(&self.path) {
            Ok(found) => found,
            Err(Errno::NOENT) => {
                *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if let Some(cached) = self.cached() {
            let (old, new) = (self.sys.meta(&*cached)?, self.sys.meta(&found)?);
            if old.is_same(&new) {
                return Ok(Some(cached));
            }
        }
        Ok(Some(self.remember(found)))
    }

    /// The root, for an operation that needs something to be in it.
    pub(crate) fn existing(&self, path: &StoragePath) -> Result<Arc<OwnedFd>> {
        match self.get() {
            Ok(Some(root)) => Ok(root),
            Ok(None) => Err(Error::path_not_found(path)),
            Err(errno) => Err(self.fault(path, errno)),
        }
    }

    fn fault(&self, path: &StoragePath, errno: Errno) -> Error {
        let tried = format!("open the root directory {}", self.path.display());
        match errno {
            Errno::NOTDIR => Error::conflict(path, format!("{tried}: it is not a directory")),
            // Never PathNotFound: that would say that the storage is empty.
            Errno::NOENT => Error::unavailable(path, format!("{tried}: it vanished")),
            _ => fault(path, Need::Write, &tried, errno),
        }
    }

    /// The root, made if it does not exist, for an operation whose result has to last.
    pub(crate) fn writable(&self, path: &StoragePath) -> Result<Arc<OwnedFd>> {
        let failed = |errno| self.fault(path, errno);
        let root = match self.get().map_err(failed)? {
            Some(root) => root,
            None => self.remember(self.make().map_err(failed)?),
        };
        if !self.prepared.load(Ordering::Acquire) {
            self.check_case(&root, path)?;
            self.durable.sync_above(&self.sys, &self.path).map_err(failed)?;
            self.prepared.store(true, Ordering::Release);
        }
        Ok(root)
    }

    fn make(&self) -> Io<OwnedFd> {
        match self.sys.open_root(&self.path) {
            Err(Errno::NOENT) => {}
            outcome => return outcome,
        }
        let mut above: Vec<&Path> = self.path.ancestors().collect();
        above.reverse();
        for directory in above {
            match self.sys.mkdir_above(directory) {
                Ok(()) | Err(Errno::EXIST | Errno::ISDIR) => {}
                // Whatever stands there already need not be ours to make.
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) if directory.exists() => {}
                Err(error) => return Err(error),
            }
        }
        self.sys.open_root(&self.path)
    }

    /// Refuses a file system on which two paths that differ are one.
    fn check_case(&self, root: &OwnedFd, path: &StoragePath) -> Result<()> {
        let probe = || -> Io<bool> {
            let staging = self.make_directory(root, STAGING)?;
            let staging = self.sys.meta(staging)?;
            match self.sys.own_meta_at(root, "~STAGING") {
                Ok(folded) => Ok(folded.is_same(&staging)),
                Err(Errno::NOENT) => Ok(false),
                Err(error) => Err(error),
            }
        };
        let folds = probe().map_err(|errno| fault(path, Need::Write, "prepare the root directory", errno))?;
        if folds {
            let reason = format!(
                "the file system of {} does not tell upper from lower case, and paths that differ \
                 in case only would overwrite each other",
                self.path.display()
            );
            return Err(Error::unsupported(path, reason));
        }
        Ok(())
    }

    /// Whether the storage can be used: the root is a directory, or could be made.
    pub(crate) fn health(&self) -> Result<()> {
        let at = StoragePath::root();
        match self.refresh() {
            Ok(Some(root)) => {
                self.sys.meta(&*root).map_err(|errno| self.fault(&at, errno))?;
                Ok(())
            }
            Ok(None) => {
                let tried = format!("make the root directory {}", self.path.display());
                for above in self.path.ancestors().skip(1) {
                    match self.sys.may_create_in(above) {
                        Ok(()) if above.is_dir() => return Ok(()),
                        Ok(()) => {
                            return Err(Error::conflict(&at, format!("{tried}: a file stands above it")));
                        }
                        Err(Errno::NOENT) => {}
                        Err(errno) => return Err(fault(&at, Need::Write, &tried, errno)),
                    }
                }
                Err(Error::unavailable(&at, format!("{tried}: nothing above it exists")))
            }
            Err(errno) => Err(self.fault(&at, errno)),
        }
    }

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
    pub(crate) fn find(&self, root: &OwnedFd, relative: &str) -> Io<Option<crate::sys::Meta>> {
        match self.sys.meta_at(root, relative) {
            Ok(meta) if meta.kind == Kind::File || meta.kind == Kind::Directory => Ok(Some(meta)),
            // A device or a pipe is none of ours.
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_comes_apart() {
        assert_eq!(split("a/b"), ("a", "b"));
        assert_eq!(split("a"), ("", "a"));
    }
}
