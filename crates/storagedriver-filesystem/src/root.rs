//! The root directory, and directories below it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, PoisonError, RwLock};

use storagedriver::{Error, Result, StoragePath};

use crate::durability::Durable;
use crate::faults::{Need, fault};
use crate::inline::Known;
use crate::sys::{Errno, Io, Meta, Sys};

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
    /// The root that the first write to it looked at.
    prepared: Mutex<Option<Meta>>,
    /// The root that was last read from.
    pub(crate) known: Mutex<Option<Known>>,
    /// How often a path was absent that was looked up directly.
    pub(crate) absent: AtomicU32,
    /// Shared by those who make a staged file, from making it to locking it; held alone by those who
    /// look whether one is locked.
    pub(crate) locking: RwLock<()>,
}

/// The directory that holds a relative path, and the name in it.
pub(crate) fn split(relative: &str) -> (&str, &str) {
    relative.rsplit_once('/').unwrap_or(("", relative))
}

impl Root {
    pub(crate) fn new(path: PathBuf, sys: Sys, durable: Durable) -> Self {
        Root {
            path,
            sys,
            durable,
            prepared: Mutex::default(),
            known: Mutex::default(),
            absent: AtomicU32::new(0),
            locking: RwLock::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The root, if it exists. It is looked for each time: it may have been mounted, moved or made
    /// again meanwhile, and what was written to another directory would be lost.
    pub(crate) fn get(&self) -> Io<Option<OwnedFd>> {
        match self.sys.open_root(&self.path) {
            Ok(root) => Ok(Some(root)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The root, for an operation that needs something to be in it.
    pub(crate) fn existing(&self, path: &StoragePath) -> Result<OwnedFd> {
        self.open(path)?.ok_or_else(|| Error::path_not_found(path))
    }

    /// The root, if it exists, for an operation on `path`.
    pub(crate) fn open(&self, path: &StoragePath) -> Result<Option<OwnedFd>> {
        self.get().map_err(|errno| self.fault(path, errno))
    }

    pub(crate) fn fault(&self, path: &StoragePath, errno: Errno) -> Error {
        let tried = format!("open the root directory {}", self.path.display());
        match errno {
            Errno::NOTDIR => Error::conflict(path, format!("{tried}: it is not a directory")),
            // Never PathNotFound: that would say that the storage is empty.
            Errno::NOENT => Error::unavailable(path, format!("{tried}: it vanished")),
            _ => fault(path, Need::Write, &tried, errno),
        }
    }

    /// The root, made if it does not exist, for an operation whose result has to last.
    pub(crate) fn writable(&self, path: &StoragePath) -> Result<OwnedFd> {
        let failed = |errno| self.fault(path, errno);
        let (root, made) = match self.open(path)? {
            Some(root) => (root, false),
            None => (self.make().map_err(failed)?, true),
        };
        let meta = self.sys.meta(&root).map_err(failed)?;
        let known = || self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if made || !known().is_some_and(|known| known.is_same(&meta)) {
            self.check_case(&root, path)?;
            self.durable.sync_above(&self.sys, &self.path).map_err(failed)?;
            *known() = Some(meta);
        }
        Ok(root)
    }

    /// Whether [`writable`](Self::writable) looked at this root before.
    pub(crate) fn is_prepared(&self, root: &OwnedFd) -> bool {
        let known = *self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        self.sys.meta(root).is_ok_and(|meta| known.is_some_and(|known| known.is_same(&meta)))
    }

    fn make(&self) -> Io<OwnedFd> {
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
        match self.get() {
            Ok(Some(root)) => self.sys.meta(&root).map(drop).map_err(|errno| self.fault(&at, errno)),
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
}

impl Drop for Root {
    fn drop(&mut self) {
        // The tree is left as other programs know it, if nothing is staged and this process wrote.
        let prepared = self.prepared.get_mut().unwrap_or_else(PoisonError::into_inner);
        if prepared.is_some()
            && let Ok(Some(root)) = self.get()
        {
            let _ = self.sys.rmdir(&root, STAGING);
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
