//! Reading on the thread that runs the future, as far as that cannot block.
//!
//! A job of the pool costs two changes of threads, many times what it costs to read what the kernel
//! has in memory anyway. So a read is tried where it is first, by calls that answer from the
//! kernel's caches or not at all, and begins as a job only if they do not answer. Both run the same
//! steps: where they run decides how the calls are made ([`Way`]), and nothing else.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use storagedriver::{Error, Result, StoragePath};

use crate::directories::found;
use crate::root::Root;
use crate::sys::{Errno, Identity, Io, Meta, Way};

/// How many bytes count as one step of work towards tokio's budget of 128 steps, after which a task
/// lets others run: no task copies more than 2 MiB in one turn.
const STEP: u64 = 16 << 10;

/// Where a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the thread of the future: it must not block.
    Inline,
    /// In the pool.
    Pool,
}

/// Why a step did not end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The answer. Inline the system's part in it is only ever that nothing is there.
    Failed(Error),
    /// Inline only: the cache does not answer.
    Elsewhere,
    /// Inline only: nothing is known of the file system of the root.
    Unknown,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

impl Stop {
    /// What becomes of a call that failed.
    pub(crate) fn of(way: Way, errno: Errno, error: impl FnOnce(Errno) -> Error) -> Self {
        match way {
            Way::Cached | Way::Memory if errno == Errno::AGAIN => Stop::Elsewhere,
            _ => Stop::Failed(error(errno)),
        }
    }

    /// The error of a step in the pool.
    pub(crate) fn into_error(self, path: &StoragePath) -> Error {
        match self {
            Stop::Failed(error) => error,
            Stop::Elsewhere | Stop::Unknown => Error::unavailable(path, "the file system did not answer"),
        }
    }
}

/// What is known of the root that was last read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    identity: Identity,
    /// How calls below it may be made.
    way: Way,
    /// How a path below it is looked up from this machine's root directory, if no link is on the way
    /// to it: then one call tells what is there.
    direct: Option<Way>,
}

/// How often in so many times an absent path is looked up by the root of the storage all the same, where
/// the direct way does not ask which root it is: a file system in memory that was unmounted is noticed so.
const CHECKED: u32 = 64;

/// The root as a step found it.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) directory: OwnedFd,
    pub(crate) way: Way,
}

impl Root {
    /// The root, if it exists, for a step that reads. As [`get`](Root::get), it is looked for each time.
    pub(crate) fn start(&self, place: Place, path: &StoragePath) -> Result<Option<Start>, Stop> {
        if place == Place::Pool {
            return match self.sys.open_start(self.path()) {
                Ok(directory) => Ok(Some(Start { directory, way: Way::Patient })),
                Err(Errno::NOENT) => Ok(None),
                Err(errno) => Err(Stop::Failed(self.fault(path, errno))),
            };
        }
        let (directory, identity) = match self.sys.quick_start(self.path()) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(None),
            // A root that is a file, too: the pool says so.
            Err(_) => return Err(Stop::Elsewhere),
        };
        match *self.known() {
            Some(Known { identity: known, way, .. }) if known == identity => match way {
                Way::Patient => Err(Stop::Elsewhere),
                way => Ok(Some(Start { directory, way })),
            },
            _ => Err(Stop::Unknown),
        }
    }

    /// Whether reading names is known to be for the pool: what is in no memory may have to be waited for.
    pub(crate) fn lists_in_pool(&self) -> bool {
        self.known().is_some_and(|known| known.way != Way::Memory)
    }

    /// The root, for a step that needs something to be in it.
    pub(crate) fn existing_start(&self, place: Place, path: &StoragePath) -> Result<Start, Stop> {
        self.start(place, path)?.ok_or_else(|| Error::path_not_found(path).into())
    }

    /// What a path is, `None` if nothing, by a single call from this machine's root directory: cheaper
    /// than by the root of the storage, where no link is on the way.
    pub(crate) fn direct(&self, path: &StoragePath) -> Io<Option<Meta>> {
        let Some(Known { identity, direct: Some(way), .. }) = *self.known() else {
            return Err(Errno::AGAIN);
        };
        let mut whole = PathBuf::with_capacity(self.path().as_os_str().len() + path.as_str().len());
        whole.push(self.path());
        whole.push(path.relative());
        let answer = found(self.sys.quick_meta_at(way, &whole, &identity))?;
        if answer.is_none()
            && way == Way::Memory
            && self.absent.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECKED)
        {
            return Err(Errno::AGAIN);
        }
        Ok(answer)
    }

    /// How a path below the root may be looked up directly.
    fn direct_way(&self, way: Way, identity: &Identity) -> Option<Way> {
        if way == Way::Patient || self.sys.quick_meta_at(Way::Cached, self.path(), identity).is_err() {
            return None;
        }
        // A file system in memory does not remember what is absent, and need not: to look it up waits
        // for nothing. Nor does the way to it, which the mount keeps in memory, unless a server is asked.
        let is_local = |above: &Path| self.sys.open_start(above).is_ok_and(|above| self.sys.is_local(above));
        let in_memory = way == Way::Memory && self.path().ancestors().skip(1).all(is_local);
        Some(if in_memory { Way::Memory } else { Way::Cached })
    }

    /// Remembers on what file system the root is. In the pool: a server may have to be asked.
    pub(crate) fn learn(&self) {
        let found = self.sys.open_start(self.path()).and_then(|start| {
            let identity = self.sys.identity(&start)?;
            let way = self.sys.way(&start)?;
            let direct = self.direct_way(way, &identity);
            Ok(Known { identity, way, direct })
        });
        // The operation itself reports what is wrong with the root.
        if let Ok(found) = found {
            *self.known() = Some(found);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts `bytes` that are read inline: at its share, the task lets others run.
pub(crate) async fn spend(bytes: u64) {
    for _ in 0..bytes.div_ceil(STEP) {
        tokio::task::coop::consume_budget().await;
    }
}
