//! Deleting, and the uploads that nobody will end.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use storagedriver::{Error, Result, StoragePath, UploadInfo};

use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::names::{Name, State};
use crate::publish::beside;
use crate::root::{ATTEMPTS, Root, STAGING, split};
use crate::staging::place;
use crate::sys::{Errno, Io, Kind, Meta};

/// A directory on its way out, by its path below the top one.
struct Leaving {
    path: CString,
    emptied: bool,
}

fn below(directory: &CStr, name: &CStr) -> Io<CString> {
    let mut path = directory.to_bytes().to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.to_bytes());
    CString::new(path).map_err(|_| Errno::INVAL)
}

/// Which entries of a tree are removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sweep {
    Everything,
    EmptyDirectories,
}

impl Root {
    /// Deletes what is at and below `path`, uploads included.
    pub(crate) fn delete(&self, ticket: &Ticket, path: &StoragePath) -> Result<()> {
        let root = self.existing(path)?;
        let failed = |errno| fault(path, Need::Read, "delete", errno);
        let _section = ticket.section(vec![Hold::Tree(path.clone())])?;
        let (above, name) = split(path.relative());
        let parent = match self.sys.open_directory(&root, above) {
            Ok(parent) => Some(parent),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(errno) => return Err(failed(errno)),
        };
        let mut found = false;
        if let Some(parent) = parent {
            match self.sys.own_meta_at(&parent, name) {
                Ok(meta) => {
                    // If the process is killed on the way, this says where empty directories may be left.
                    let mark = match meta.kind {
                        Kind::Directory => Some(self.stage_passing(&root, path).map_err(failed)?),
                        _ => self.mark(&root, path)?,
                    };
                    found = self.remove(&parent, name, &meta).map_err(failed)?;
                    self.sync_removal(&root, above).map_err(failed)?;
                    if let Some(mark) = mark {
                        let _ = self.unstage(&root, &mark);
                    }
                }
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        found |= self.delete_staged(&root, path).map_err(failed)?;
        if found { Ok(()) } else { Err(Error::path_not_found(path)) }
    }

    /// Removes all that is staged at and below a path; whether there was any upload.
    fn delete_staged(&self, root: &OwnedFd, path: &StoragePath) -> Io<bool> {
        let place = place(path);
        let (above, name) = split(&place);
        let mut found = false;
        match self.sys.open_directory(root, above) {
            Ok(parent) => match self.sys.own_meta_at(&parent, name) {
                Ok(meta) => {
                    found = self.has_files(root, &place)?;
                    self.remove(&parent, name, &meta)?;
                    if found {
                        self.sync_removal(root, above)?;
                    } else {
                        self.prune_staging(root, above);
                    }
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            },
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error),
        }
        for (name, leftover) in self.passing(root)? {
            if leftover.is_within(path) {
                self.abort_passing(root, &leftover, &name)?;
            }
        }
        Ok(found)
    }

    /// Whether there is any file in a tree.
    fn has_files(&self, root: &OwnedFd, place: &str) -> Io<bool> {
        let mut rest = vec![place.to_owned()];
        while let Some(place) = rest.pop() {
            let Ok(directory) = self.sys.open_directory(root, &place) else {
                continue;
            };
            for entry in self.sys.entries(&directory)? {
                let name = entry.name.to_string_lossy();
                if entry.kind != Kind::Directory && Name::parse(&name).is_some() {
                    return Ok(true);
                }
                rest.push(format!("{place}/{name}"));
            }
        }
        Ok(false)
    }

    fn remove(&self, parent: &OwnedFd, name: &str, meta: &Meta) -> Io<bool> {
        let removed = match meta.kind {
            Kind::Directory => self.remove_tree(parent, name, Sweep::Everything),
            _ => self.sys.unlink(parent, name),
        };
        match removed {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a directory of `parent` and what is below it. What others put there meanwhile may
    /// stay: it came later.
    fn remove_tree(&self, parent: &OwnedFd, name: &str, sweep: Sweep) -> Io<()> {
        for _ in 0..ATTEMPTS {
            let top = self.sys.open_own_directory(parent, name)?;
            self.empty(&top, sweep)?;
            match self.sys.rmdir(parent, name) {
                Err(Errno::NOTEMPTY | Errno::EXIST) if sweep == Sweep::Everything => {}
                // A place where something is mounted stays, empty.
                Ok(()) | Err(Errno::BUSY | Errno::NOTEMPTY | Errno::EXIST) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn empty(&self, top: &OwnedFd, sweep: Sweep) -> Io<()> {
        let mut leaving = vec![Leaving { path: CString::default(), emptied: false }];
        while let Some(last) = leaving.last_mut() {
            let path = last.path.clone();
            if last.emptied {
                leaving.pop();
                self.remove_empty(top, &path)?;
                continue;
            }
            last.emptied = true;
            let directory = match self.sys.open_below(top, &path) {
                Ok(directory) => directory,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(error) => return Err(error),
            };
            for entry in self.sys.entries(&directory)? {
                let is_directory = match entry.kind {
                    Kind::Directory => true,
                    _ if sweep == Sweep::EmptyDirectories => entry.kind == Kind::Unknown,
                    _ => self.unlink_unless_directory(&directory, &entry.name)?,
                };
                if is_directory {
                    leaving.push(Leaving { path: below(&path, &entry.name)?, emptied: false });
                }
            }
        }
        Ok(())
    }

    /// True if the name turned out to be a directory.
    fn unlink_unless_directory(&self, directory: &OwnedFd, name: &CStr) -> Io<bool> {
        match self.sys.unlink(directory, name) {
            Ok(()) | Err(Errno::NOENT) => Ok(false),
            Err(Errno::ISDIR) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn remove_empty(&self, top: &OwnedFd, path: &CStr) -> Io<()> {
        let bytes = path.to_bytes();
        if bytes.is_empty() {
            return Ok(());
        }
        let (above, name) = match bytes.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (bytes.get(..at), bytes.get(at.saturating_add(1)..)),
            None => (Some(&[][..]), Some(bytes)),
        };
        let text = |bytes: Option<&[u8]>| CString::new(bytes.unwrap_or_default()).map_err(|_| Errno::INVAL);
        let (above, name) = (text(above)?, text(name)?);
        let removed = self.sys.open_below(top, &above).and_then(|parent| self.sys.rmdir(&parent, &*name));
        match removed {
            // Not empty: somebody put something there, or that was only a sweep.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The uploads at and below a path.
    pub(crate) fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let failed = |errno| fault(below, Need::Read, "look for uploads", errno);
        let Some(root) = self.get().map_err(failed)? else {
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
    fn passing(&self, root: &OwnedFd) -> Io<Vec<(String, StoragePath)>> {
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
        Ok(match self.open_staged(directory, name)? {
            Some((_, meta, true)) => Some(UploadInfo::new(path.clone(), 0, meta.modified.time(), name)),
            _ => None,
        })
    }

    /// Removes what a dead process left on its way to a path. False if it is alive.
    fn abort_passing(&self, root: &OwnedFd, path: &StoragePath, name: &str) -> Io<bool> {
        let flat = Name::parse_passing(name).is_some();
        let place = if flat { STAGING.to_owned() } else { place(path) };
        let directory = match self.sys.open_directory(root, &place) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(true),
            Err(error) => return Err(error),
        };
        let Some((_locked, _, is_dead)) = self.open_staged(&directory, name)? else {
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
        self.prune_staging(root, &place);
        Ok(true)
    }

    /// Removes every trace of an upload.
    pub(crate) fn abort(&self, ticket: &Ticket, upload: &UploadInfo) -> Result<()> {
        let path = upload.path();
        let failed = |errno| fault(path, Need::Read, "abort the upload", errno);
        let moved_on = || Error::conflict(path, "the upload has moved on since it was listed");
        let Some(root) = self.get().map_err(failed)? else {
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
