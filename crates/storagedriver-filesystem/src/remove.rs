//! Deleting: what is at a path, what is below it, and what is staged for either.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use storagedriver::{Error, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::names::{Name, State};
use crate::root::{ATTEMPTS, Root, split};
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
pub(crate) enum Sweep {
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
                        Kind::Directory => self.stage_passing(&root, path).ok(),
                        _ => self.mark(&root, path),
                    };
                    found = self.remove(&parent, name, &meta).map_err(failed)?;
                    self.sync_removal(&root, above).map_err(failed)?;
                    if let Some(mark) = mark {
                        let _ = self.unstage(&root, mark);
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
                    found = self.has_uploads(root, &place)?;
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

    /// Whether any upload is staged in a tree.
    fn has_uploads(&self, root: &OwnedFd, place: &str) -> Io<bool> {
        let mut rest = vec![place.to_owned()];
        while let Some(place) = rest.pop() {
            let Ok(directory) = self.sys.open_directory(root, &place) else {
                continue;
            };
            for entry in self.sys.entries(&directory)? {
                let name = entry.name.to_string_lossy();
                if Name::parse(&name).is_some_and(|name| name.state != State::Passing) {
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
    pub(crate) fn remove_tree(&self, parent: &OwnedFd, name: &str, sweep: Sweep) -> Io<()> {
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
            let directory = match self.sys.open_unlinked(top, &path) {
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
        let removed = self.sys.open_unlinked(top, &above).and_then(|parent| self.sys.rmdir(&parent, &*name));
        match removed {
            // Not empty: somebody put something there, or that was only a sweep.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
