//! Finding, opening and removing staged files.

use std::os::fd::OwnedFd;
use std::sync::PoisonError;

use storagedriver::StoragePath;

use crate::names::{Name, State};
use crate::root::{ATTEMPTS, Root, STAGING};
use crate::sys::{Errno, Io, Kind, Meta};

/// The directory that mirrors a path below the staging place.
pub(crate) fn place(path: &StoragePath) -> String {
    format!("{STAGING}{}", path.as_str())
}

/// A staged file of our own: nobody else writes it while it is open here.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) file: OwnedFd,
    /// The directory that holds it, open, and as a path below the root.
    pub(crate) directory: OwnedFd,
    pub(crate) place: String,
    pub(crate) name: String,
}

impl Root {
    /// Makes a staged file and locks it.
    pub(crate) fn stage(
        &self,
        root: &OwnedFd,
        place: String,
        mut name: impl FnMut() -> String,
    ) -> Io<Staged> {
        for _ in 0..ATTEMPTS {
            let directory = match self.make_directory(root, &place) {
                Ok(directory) => directory,
                Err(error) => {
                    self.prune_staging(root, &place);
                    return Err(error);
                }
            };
            let name = name();
            let _locking = self.locking.read().unwrap_or_else(PoisonError::into_inner);
            let file = match self.sys.create(&directory, &name) {
                Ok(file) => file,
                // The directory was pruned before the file was in it; or the name is taken.
                Err(Errno::NOENT | Errno::EXIST) => continue,
                Err(error) => {
                    self.prune_staging(root, &place);
                    return Err(error);
                }
            };
            // Another process that looks for what dead ones left may have been quicker.
            if self.sys.lock(&file)? && self.sys.meta(&file)?.links > 0 {
                return Ok(Staged { file, directory, place, name });
            }
            let _ = self.sys.unlink(&directory, name.as_str());
        }
        Err(Errno::AGAIN)
    }

    /// Stages content on its way to a path.
    pub(crate) fn stage_passing(&self, root: &OwnedFd, path: &StoragePath) -> Io<Staged> {
        let name = || Name::begin(State::Passing, None).passing(path);
        let mut first = name();
        if first.is_some() {
            // Another one only if this is taken.
            return self.stage(root, STAGING.to_owned(), || first.take().or_else(name).unwrap_or_default());
        }
        self.stage(root, place(path), || Name::begin(State::Passing, None).to_string())
    }

    /// Removes a staged file of our own, and the directories that are empty then.
    pub(crate) fn unstage(&self, root: &OwnedFd, staged: Staged) -> Io<()> {
        // Closed first: an NFS client keeps a file that is open under another name.
        drop(staged.file);
        let removed = match self.sys.unlink(&staged.directory, staged.name.as_str()) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome,
        };
        self.prune_staging(root, &staged.place);
        removed
    }

    /// Removes the empty directories of a staging place, the place itself excepted.
    pub(crate) fn prune_staging(&self, root: &OwnedFd, place: &str) {
        self.prune(root, place);
    }

    /// The staged files of exactly one path, in the directory that mirrors it.
    pub(crate) fn staged_names(&self, directory: &OwnedFd) -> Io<Vec<Name>> {
        let entries = self.sys.entries(directory)?;
        let names = entries.iter().filter(|entry| entry.kind != Kind::Directory);
        Ok(names.filter_map(|entry| Name::parse(entry.name.to_str().ok()?)).collect())
    }

    /// The directory that mirrors a path, and the closed uploads in it, the newest last.
    pub(crate) fn closed(&self, root: &OwnedFd, path: &StoragePath) -> Io<Option<(OwnedFd, Vec<Name>)>> {
        let directory = match self.sys.open_directory(root, &place(path)) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut names = self.staged_names(&directory)?;
        names.retain(|name| name.length().is_some());
        names.sort_by_key(|name| (name.sequence, name.upload, name.length()));
        Ok(Some((directory, names)))
    }

    /// Opens a staged file and tries to lock it: `None` if it is gone.
    pub(crate) fn open_staged(&self, directory: &OwnedFd, name: &str) -> Io<Option<(OwnedFd, Meta, bool)>> {
        let _locking = self.locking.write().unwrap_or_else(PoisonError::into_inner);
        let file = match self.sys.open_own(directory, name, true) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error),
        };
        let locked = self.sys.lock(&file)?;
        let meta = self.sys.meta(&file)?;
        // Whoever had the lock before may have renamed or removed it.
        match self.sys.own_meta_at(directory, name) {
            Ok(named) if named.is_same(&meta) => Ok(Some((file, meta, locked))),
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
