//! Putting content at its path: whole, in one step, and durably.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use storagedriver::{Error, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::inline::{Place, Start, Stop};
use crate::jobs::{Hold, Holds, Section, Ticket};
use crate::root::{ATTEMPTS, Root, split};
use crate::staging::Staged;
use crate::sys::{Errno, Io, Way};
use crate::version::stamp;

/// The largest file that a put replaces where its future is polled: its memory is freed there, page
/// by page.
const REPLACED_INLINE: u64 = 1 << 20;

/// A file on its way: where it stands now.
pub(crate) struct Source<'a> {
    pub(crate) directory: &'a OwnedFd,
    pub(crate) name: &'a str,
    pub(crate) file: &'a OwnedFd,
    /// What is staged for the path: a copy beside it, should one be needed, is found by this name.
    pub(crate) staged: Option<&'a str>,
}

/// Why content was not put.
pub(crate) struct Unput {
    pub(crate) error: Error,
    /// Whether it may have come to its path all the same: only making that durable failed.
    pub(crate) published: bool,
}

/// Why content was not put where the future of the operation is polled.
pub(crate) enum Uninlined {
    Failed(Error),
    /// It has to be a job of the pool.
    Elsewhere,
    /// As nothing is known of the file system of the root.
    Unknown,
}

impl From<Error> for Unput {
    fn from(error: Error) -> Self {
        Unput { error, published: false }
    }
}

impl Staged {
    pub(crate) fn source(&self) -> Source<'_> {
        Source { directory: &self.directory, name: &self.name, file: &self.file, staged: Some(&self.name) }
    }
}

/// The error of [`Root::try_publish`].
pub(crate) fn unpublished(path: &StoragePath, errno: Errno) -> Error {
    match errno {
        Errno::NOENT => Error::conflict(path, "the directory above it is removed again and again"),
        _ => fault(path, Need::Write, "publish the content", errno),
    }
}

impl Root {
    /// Moves a file to `path` in one step, and makes that durable. False if the file is not where
    /// it was: somebody else moved or removed it.
    pub(crate) fn publish(&self, root: &OwnedFd, source: &Source<'_>, path: &StoragePath) -> Result<bool> {
        self.try_publish(root, source, path).map_err(|errno| unpublished(path, errno))
    }

    /// As [`publish`](Self::publish). `EXDEV` if a copy is needed and nothing is staged that tells
    /// whoever cleans up of it.
    pub(crate) fn try_publish(&self, root: &OwnedFd, source: &Source<'_>, path: &StoragePath) -> Io<bool> {
        let (above, name) = split(path.relative());
        let outcome = self.move_into(root, source, above, name);
        if !matches!(outcome, Ok(true)) {
            self.prune(root, above);
        }
        outcome
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

    /// Makes `content` the content of `path`.
    ///
    /// # Errors
    /// With it, whether the content may have come to the path all the same.
    pub(crate) fn put(&self, ticket: &Ticket, path: &StoragePath, content: &[u8]) -> Result<(), Unput> {
        let root = self.writable(path)?;
        self.put_into(&root, path, content, || ticket.section(vec![Hold::Path(path.clone())]))
    }

    /// As [`put`](Self::put), where that waits for nothing: if the root is known to be in memory and
    /// was written to before, no mount lies between it and the path, what is at the path is not large,
    /// and no job holds the path.
    pub(crate) fn put_inline(
        &self,
        holds: &Arc<Holds>,
        path: &StoragePath,
        content: &[u8],
    ) -> Result<(), Uninlined> {
        let start = match self.start(Place::Inline, path) {
            Ok(Some(Start { directory, way: Way::Memory })) => directory,
            Err(Stop::Unknown) => return Err(Uninlined::Unknown),
            _ => return Err(Uninlined::Elsewhere),
        };
        let section = match holds.try_section(path) {
            Some(section) if self.is_prepared(&start) && self.is_replaced_at_once(&start, path) => section,
            _ => return Err(Uninlined::Elsewhere),
        };
        self.put_into(&start, path, content, move || Ok(section))
            .map_err(|unput| Uninlined::Failed(unput.error))
    }

    /// Whether to put something at a path of this root, which is in memory, waits for nothing and is
    /// no long work. A link is judged by what it leads to; if that cannot be told, it is none.
    fn is_replaced_at_once(&self, start: &OwnedFd, path: &StoragePath) -> bool {
        match self.sys.meta_at_by(Way::Memory, start, path.relative()) {
            Ok(replaced) => replaced.size <= REPLACED_INLINE,
            Err(Errno::NOENT) => self.sys.is_same_mount(start, path.relative()),
            Err(_) => false,
        }
    }

    fn put_into(
        &self,
        root: &OwnedFd,
        path: &StoragePath,
        content: &[u8],
        section: impl FnOnce() -> Result<Section>,
    ) -> Result<(), Unput> {
        let failed = |errno| fault(path, Need::Write, "stage the content", errno);
        let staged = self.stage_passing(root, path).map_err(failed)?;
        let published = self.fill(&staged, content).map_err(failed).and_then(|()| {
            let _section = section()?;
            self.publish(root, &staged.source(), path)
        });
        match published {
            Ok(true) => {
                self.prune_staging(root, &staged.place);
                Ok(())
            }
            Ok(false) => Err(Error::conflict(path, "the content was removed while on its way").into()),
            Err(error) => {
                let there = self.sys.own_meta_at(&staged.directory, staged.name.as_str());
                let _ = self.unstage(root, staged);
                Err(Unput { error, published: there.is_err() })
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
        self.durable.sync_content(&self.sys, file)
    }
}
