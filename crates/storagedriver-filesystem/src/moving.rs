//! Moving a committed file.

use std::os::fd::OwnedFd;

use storagedriver::{Error, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::publish::{Source, unpublished};
use crate::root::{Root, split};
use crate::staging::Staged;
use crate::sys::{Errno, Io, Kind, Meta};

impl Root {
    /// Moves a committed file.
    pub(crate) fn rename(&self, ticket: &Ticket, from: &StoragePath, to: &StoragePath) -> Result<()> {
        self.existing(from)?;
        let root = self.writable(from)?;
        let failed = |errno| fault(from, Need::Read, "open the file to be moved", errno);
        let (above, name) = split(from.relative());
        let _section = ticket.section(vec![Hold::Path(from.clone()), Hold::Path(to.clone())])?;
        let directory = self.sys.open_directory(&root, above).map_err(failed)?;
        let file = match self.sys.open_own(&directory, name, false) {
            Err(Errno::LOOP) => return Err(Error::conflict(from, "a symbolic link is not moved")),
            Err(Errno::NXIO) => return Err(Error::path_not_found(from)),
            outcome => outcome.map_err(failed)?,
        };
        let meta = self.sys.meta(&file).map_err(failed)?;
        if meta.kind != Kind::File {
            return Err(Error::path_not_found(from));
        }
        self.durable.sync_content(&self.sys, &file).map_err(failed)?;
        let source = Source { directory: &directory, name, file: &file, staged: None };
        // If the process is killed on the way, this says where an empty directory may be left.
        let emptied = self.mark(&root, from);
        let moved = self.move_to(&root, source, to).and_then(|moved| {
            if !moved {
                return Err(Error::path_not_found(from));
            }
            let tidied = self.tidy_source(&root, from, to, &directory, &meta);
            tidied.map_err(|errno| fault(from, Need::Write, "remove the source", errno))
        });
        if moved.is_err() {
            // It may have been moved all the same.
            self.prune(&root, above);
        }
        if let Some(mark) = emptied {
            let _ = self.unstage(&root, mark);
        }
        moved
    }

    fn move_to(&self, root: &OwnedFd, source: Source<'_>, to: &StoragePath) -> Result<bool> {
        let mut mark = self.mark(root, to);
        let publish = |mark: Option<&Staged>| {
            let staged = mark.map(|mark| mark.name.as_str());
            self.try_publish(root, &Source { staged, ..source }, to)
        };
        let mut moved = publish(mark.as_ref());
        if matches!(moved, Err(Errno::XDEV)) && mark.is_none() {
            // A copy is needed, and something staged that tells of it.
            let staged = self.stage_passing(root, to);
            mark = Some(staged.map_err(|errno| unpublished(to, errno))?);
            moved = publish(mark.as_ref());
        }
        if let Some(mark) = mark {
            let _ = self.unstage(root, mark);
        }
        moved.map_err(|errno| unpublished(to, errno))
    }

    /// What is left to do where the file came from.
    fn tidy_source(
        &self,
        root: &OwnedFd,
        from: &StoragePath,
        to: &StoragePath,
        directory: &OwnedFd,
        moved: &Meta,
    ) -> Io<()> {
        let (above, name) = split(from.relative());
        if moved.links > 1 {
            self.unlink_other(directory, name, moved)?;
        }
        if above == split(to.relative()).0 { Ok(()) } else { self.sync_removal(root, above) }
    }

    /// Removes a name that is left of a file that was moved: where both ends were names of one file,
    /// rename(2) does nothing.
    fn unlink_other(&self, directory: &OwnedFd, name: &str, moved: &Meta) -> Io<()> {
        match self.sys.own_meta_at(directory, name) {
            Ok(meta) if meta.is_same(moved) => self.sys.unlink(directory, name),
            Ok(_) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Marks that directories above `path` may be empty for a moment, if that may be.
    ///
    /// Best effort: on a full disk there is no room for a mark, and deleting has to go on.
    pub(crate) fn mark(&self, root: &OwnedFd, path: &StoragePath) -> Option<Staged> {
        let (above, name) = split(path.relative());
        if above.is_empty() || self.sys.has_others(root, above, name).unwrap_or(false) {
            return None;
        }
        self.stage_passing(root, path).ok()
    }
}
