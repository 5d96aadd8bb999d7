//! The uploads that nobody ended: listing them, and removing what is left of them.

use std::os::fd::OwnedFd;

use storagedriver::{Error, Result, StoragePath, UploadInfo};

use crate::across::beside;
use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::names::{Name, State};
use crate::remove::Sweep;
use crate::root::{Root, STAGING, split};
use crate::staging::place;
use crate::sys::{Errno, Io};

impl Root {
    /// The uploads at and below a path.
    pub(crate) fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let failed = |errno| fault(below, Need::Read, "look for uploads", errno);
        let Some(root) = self.open(below)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut rest = vec![below.clone()];
        while let Some(path) = rest.pop() {
            self.uploads_of(&root, &path, &mut found, &mut rest).map_err(failed)?;
        }
        for (name, path) in self.passing(&root).map_err(failed)? {
            if path.is_within(below)
                && let Some(info) = self.dead_passing(&root, &path, &name).map_err(failed)?
            {
                found.push(info);
            }
        }
        found.sort_by(|a, b| (a.path(), a.id()).cmp(&(b.path(), b.id())));
        Ok(found)
    }

    /// The uploads of one path, and the paths below it that may have some.
    fn uploads_of(
        &self,
        root: &OwnedFd,
        path: &StoragePath,
        found: &mut Vec<UploadInfo>,
        below: &mut Vec<StoragePath>,
    ) -> Io<()> {
        let place = if path.is_root() { STAGING.to_owned() } else { place(path) };
        let directory = match self.sys.open_directory(root, &place) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(error),
        };
        let entries = self.sys.entries(&directory)?;
        if entries.is_empty() {
            // Left by a process that was killed between making it and using it.
            self.prune_staging(root, &place);
        }
        let all: Vec<Name> =
            entries.iter().filter_map(|entry| Name::parse(entry.name.to_str().ok()?)).collect();
        for entry in entries {
            let Ok(text) = entry.name.to_str() else {
                continue;
            };
            if let Ok(child) = path.child(text) {
                below.push(child);
                continue;
            }
            let Some(name) = Name::parse(text).filter(|name| !all.iter().any(|other| other.replaces(name)))
            else {
                continue;
            };
            if name.state == State::Passing {
                found.extend(self.dead_passing_in(&directory, path, text)?);
                continue;
            }
            let Ok(meta) = self.sys.own_meta_at(&directory, text) else {
                continue;
            };
            let size = name.length().unwrap_or_default();
            found.push(UploadInfo::new(path.clone(), size, meta.modified.time(), text));
        }
        Ok(())
    }

    /// The names in the staging place itself, each with the path it is for.
    pub(crate) fn passing(&self, root: &OwnedFd) -> Io<Vec<(String, StoragePath)>> {
        let staging = match self.sys.open_directory(root, STAGING) {
            Ok(staging) => staging,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let entries = self.sys.entries(&staging)?;
        let names = entries.iter().filter_map(|entry| {
            let text = entry.name.to_str().ok()?;
            Some((text.to_owned(), Name::parse_passing(text)?.1))
        });
        Ok(names.collect())
    }

    fn dead_passing(&self, root: &OwnedFd, path: &StoragePath, name: &str) -> Io<Option<UploadInfo>> {
        match self.sys.open_directory(root, STAGING) {
            Ok(staging) => self.dead_passing_in(&staging, path, name),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a dead process left on its way to a path; a live one holds the lock.
    fn dead_passing_in(&self, directory: &OwnedFd, path: &StoragePath, name: &str) -> Io<Option<UploadInfo>> {
        let meta = match self.open_staged(directory, name) {
            Ok(Some((_, meta, true))) => meta,
            Ok(_) => return Ok(None),
            // Where nothing can be written, nobody is writing.
            Err(Errno::ROFS) => self.sys.own_meta_at(directory, name)?,
            Err(error) => return Err(error),
        };
        Ok(Some(UploadInfo::new(path.clone(), 0, meta.modified.time(), name)))
    }

    /// Removes what a dead process left on its way to a path. False if it is alive.
    pub(crate) fn abort_passing(&self, root: &OwnedFd, path: &StoragePath, name: &str) -> Io<bool> {
        let flat = Name::parse_passing(name).is_some();
        let place = if flat { STAGING.to_owned() } else { place(path) };
        let directory = match self.sys.open_directory(root, &place) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(true),
            Err(error) => return Err(error),
        };
        let Some((locked, _, is_dead)) = self.open_staged(&directory, name)? else {
            return Ok(true);
        };
        if !is_dead {
            return Ok(false);
        }
        let (above, last) = split(path.relative());
        if let Ok(parent) = self.sys.open_directory(root, above) {
            let _ = self.sys.unlink(&parent, beside(name));
            match self.remove_tree(&parent, last, Sweep::EmptyDirectories) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error),
            }
        }
        self.prune(root, above);
        match self.sys.unlink(&directory, name) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
        drop(locked);
        self.prune_staging(root, &place);
        Ok(true)
    }

    /// Removes every trace of an upload.
    pub(crate) fn abort(&self, ticket: &Ticket, upload: &UploadInfo) -> Result<()> {
        let path = upload.path();
        let failed = |errno| fault(path, Need::Read, "abort the upload", errno);
        let moved_on = || Error::conflict(path, "the upload has moved on since it was listed");
        let Some(root) = self.open(path)? else {
            return Ok(());
        };
        let _section = ticket.section(vec![Hold::Path(path.clone())])?;
        let flat = Name::parse_passing(upload.id()).is_some_and(|(_, listed)| listed == *path);
        let name = Name::parse(upload.id());
        if flat || name.is_some_and(|name| name.state == State::Passing) {
            let aborted = self.abort_passing(&root, path, upload.id()).map_err(failed)?;
            return if aborted { Ok(()) } else { Err(moved_on()) };
        }
        let Some(name) = name else {
            return Err(Error::conflict(path, "the upload is not of this driver"));
        };
        let place = place(path);
        let directory = match self.sys.open_directory(&root, &place) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(failed(errno)),
        };
        match self.open_staged(&directory, upload.id()).map_err(failed)? {
            Some((_, _, false)) => return Err(moved_on()),
            Some((_locked, _, true)) => {
                self.discard(&root, path, &directory, name).map_err(failed)?;
            }
            None => {
                let names = self.staged_names(&directory).map_err(failed)?;
                if names.iter().any(|other| other.upload == name.upload) {
                    return Err(moved_on());
                }
            }
        }
        let (above, _) = split(path.relative());
        self.prune(&root, above);
        self.sync_removal(&root, &place).map_err(failed)
    }

    /// Removes a staged upload, and what else was staged for it. False if it was gone.
    pub(crate) fn discard(
        &self,
        root: &OwnedFd,
        path: &StoragePath,
        directory: &OwnedFd,
        name: Name,
    ) -> Io<bool> {
        let text = name.to_string();
        let removed = match self.sys.unlink(directory, text.as_str()) {
            Ok(()) => true,
            Err(Errno::NOENT) => false,
            Err(error) => return Err(error),
        };
        self.discard_older(directory, name)?;
        if let Ok(parent) = self.sys.open_directory(root, split(path.relative()).0) {
            let _ = self.sys.unlink(&parent, beside(&text));
        }
        Ok(removed)
    }

    /// Removes what a process that was killed while it closed the upload left of its state before.
    pub(crate) fn discard_older(&self, directory: &OwnedFd, name: Name) -> Io<()> {
        for other in self.staged_names(directory)? {
            if name.replaces(&other) {
                match self.sys.unlink(directory, other.to_string().as_str()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
