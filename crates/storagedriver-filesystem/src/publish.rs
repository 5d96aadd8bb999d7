//! Putting content at its path: whole, in one step, and durably.

use std::os::fd::OwnedFd;

use storagedriver::{Error, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::names::Name;
use crate::root::{ATTEMPTS, Root, split};
use crate::staging::Staged;
use crate::sys::{Errno, Io, Kind};
use crate::version::stamp;

/// A file on its way: where it stands now.
pub(crate) struct Source<'a> {
    pub(crate) directory: &'a OwnedFd,
    pub(crate) name: &'a str,
    pub(crate) file: &'a OwnedFd,
}

impl Staged {
    pub(crate) fn source(&self) -> Source<'_> {
        Source { directory: &self.directory, name: &self.name, file: &self.file }
    }
}

/// The name beside a path for content that has to be copied there; no path can name it. Whoever
/// removes what is staged for the path removes this too.
pub(crate) fn beside(staged: &str) -> &str {
    staged.get(..17).unwrap_or(staged)
}

impl Root {
    /// Moves a file to `path` in one step, and makes that durable. False if the file is not where
    /// it was: somebody else moved or removed it.
    pub(crate) fn publish(&self, root: &OwnedFd, source: &Source<'_>, path: &StoragePath) -> Result<bool> {
        let (above, name) = split(path.relative());
        let outcome = self.move_into(root, source, above, name);
        if !matches!(outcome, Ok(true)) {
            self.prune(root, above);
        }
        match outcome {
            Err(Errno::NOENT) => {
                Err(Error::conflict(path, "the directory above it is removed again and again"))
            }
            outcome => outcome.map_err(|errno| fault(path, Need::Write, "publish the content", errno)),
        }
    }

    fn move_into(&self, root: &OwnedFd, source: &Source<'_>, above: &str, name: &str) -> Io<bool> {
        for _ in 0..ATTEMPTS {
            let parent = self.make_directory(root, above)?;
            match self.sys.rename(source.directory, source.name, &parent, name) {
                Ok(()) => {}
                Err(Errno::NOENT) => match self.sys.own_meta_at(source.directory, source.name) {
                    // The parent was pruned before the file was in it: it is made again.
                    Ok(_) => continue,
                    Err(Errno::NOENT) if self.is_at(source, &parent, name)? => {}
                    Err(Errno::NOENT) => return Ok(false),
                    Err(error) => return Err(error),
                },
                Err(Errno::XDEV) => return self.copy_into(root, source, above, name),
                Err(error) => return Err(error),
            }
            self.sync_names(root, above, &parent)?;
            return Ok(true);
        }
        Err(Errno::NOENT)
    }

    /// Whether the file already is where it is to go: a server that repeats a request which it
    /// carried out says that the source is not there.
    fn is_at(&self, source: &Source<'_>, parent: &OwnedFd, name: &str) -> Io<bool> {
        match self.sys.own_meta_at(parent, name) {
            Ok(there) => Ok(there.is_same(&self.sys.meta(source.file)?)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Moves a file into a directory on another file system below the same root.
    fn copy_into(&self, root: &OwnedFd, source: &Source<'_>, above: &str, name: &str) -> Io<bool> {
        let Some(claimed) = self.claim_for_copy(source)? else {
            return Ok(false);
        };
        let hidden = beside(&claimed);
        for _ in 0..ATTEMPTS {
            let parent = self.make_directory(root, above)?;
            match self.sys.unlink(&parent, hidden) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
            let copied = self.copy_to(source, &parent, hidden);
            match copied.and_then(|()| self.sys.rename(&parent, hidden, &parent, name)) {
                Ok(()) => {}
                Err(Errno::NOENT) => continue,
                Err(error) => {
                    let _ = self.sys.unlink(&parent, hidden);
                    return Err(error);
                }
            }
            self.sync_names(root, above, &parent)?;
            return match self.sys.unlink(source.directory, claimed.as_str()) {
                Ok(()) | Err(Errno::NOENT) => Ok(true),
                Err(error) => Err(error),
            };
        }
        Err(Errno::NOENT)
    }

    /// A closed upload gets a new name first, so that no two processes copy the same one.
    fn claim_for_copy(&self, source: &Source<'_>) -> Io<Option<String>> {
        let closed = Name::parse(source.name).and_then(|name| Some(name.closed(name.length()?)));
        let Some(closed) = closed else {
            return Ok(Some(source.name.to_owned()));
        };
        let claimed = closed.to_string();
        match self.sys.rename(source.directory, source.name, source.directory, &claimed) {
            Ok(()) => Ok(Some(claimed)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn copy_to(&self, source: &Source<'_>, parent: &OwnedFd, name: &str) -> Io<()> {
        let meta = self.sys.meta(source.file)?;
        let copy = self.sys.create(parent, name)?;
        self.sys.copy(source.file, &copy, meta.size)?;
        self.sys.touch(&copy, meta.modified)?;
        self.durable.sync_file(&self.sys, &copy)
    }

    /// Makes `content` the content of `path`.
    pub(crate) fn put(&self, ticket: &Ticket, path: &StoragePath, content: &[u8]) -> Result<()> {
        let root = self.writable(path)?;
        let failed = |errno| fault(path, Need::Write, "stage the content", errno);
        let staged = self.stage_passing(&root, path).map_err(failed)?;
        let published = self.fill(&staged, content).map_err(failed).and_then(|()| {
            let _section = ticket.section(vec![Hold::Path(path.clone())])?;
            self.publish(&root, &staged.source(), path)
        });
        match published {
            Ok(true) => {
                self.prune_staging(&root, &staged.place);
                Ok(())
            }
            Ok(false) => Err(Error::conflict(path, "the content was removed while on its way")),
            Err(error) => {
                let _ = self.unstage(&root, &staged);
                Err(error)
            }
        }
    }

    fn fill(&self, staged: &Staged, content: &[u8]) -> Io<()> {
        self.sys.write_at(&staged.file, content, 0)?;
        self.finish(&staged.file)
    }

    /// The last step before content is published: its time, and its durability.
    pub(crate) fn finish(&self, file: &OwnedFd) -> Io<()> {
        self.sys.touch(file, stamp())?;
        self.durable.sync_file(&self.sys, file)
    }

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
        if self.sys.meta(&file).map_err(failed)?.kind != Kind::File {
            return Err(Error::path_not_found(from));
        }
        self.durable.sync_file(&self.sys, &file).map_err(failed)?;
        // If the process is killed on the way, these say where empty directories may be left.
        let marks = [self.mark(&root, to)?, self.mark(&root, from)?];
        let source = Source { directory: &directory, name, file: &file };
        let moved = self.publish(&root, &source, to).and_then(|moved| {
            if !moved {
                return Err(Error::path_not_found(from));
            }
            if above != split(to.relative()).0 {
                self.sync_removal(&root, above).map_err(failed)?;
            }
            Ok(())
        });
        if moved.is_err() {
            // It may have been moved all the same.
            self.prune(&root, above);
        }
        for mark in marks.iter().flatten() {
            let _ = self.unstage(&root, mark);
        }
        moved
    }

    /// Marks that directories above `path` may be empty for a moment, if that may be.
    pub(crate) fn mark(&self, root: &OwnedFd, path: &StoragePath) -> Result<Option<Staged>> {
        let (above, name) = split(path.relative());
        let failed = |errno| fault(path, Need::Write, "mark the operation", errno);
        if above.is_empty() || self.sys.has_others(root, above, name).map_err(failed)? {
            return Ok(None);
        }
        self.stage_passing(root, path).map(Some).map_err(failed)
    }
}
