//! Where a run reports what it does.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use crate::registry::{Digest, Fault};

/// What a run is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Phase {
    /// The blobs.
    #[default]
    Blobs,
    /// The repositories: links to layers and manifests, and tags.
    Repositories,
    /// All other files.
    Others,
    /// Deleting what the source does not have.
    Deletion,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Blobs, Phase::Repositories, Phase::Others, Phase::Deletion];

    /// A word for it: `blobs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Blobs => "blobs",
            Phase::Repositories => "repositories",
            Phase::Others => "others",
            Phase::Deletion => "deletion",
        }
    }
}

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The next phase begins.
    Began(Phase),
    /// A file was copied.
    Copied {
        /// Which.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// A file would be copied, were this not a dry run.
    WouldCopy {
        /// Which.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// A file that the source does not have was deleted.
    Deleted {
        /// Which.
        path: String,
    },
    /// A file would be deleted, were this not a dry run.
    WouldDelete {
        /// Which.
        path: String,
    },
    /// A file went away between its listing and its reading.
    Gone {
        /// Which.
        path: String,
    },
    /// Something is wrong; the run goes on.
    Fault(Fault),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// What it is busy with.
    pub phase: Phase,
    /// How many files it has looked at.
    pub files: u64,
    /// How many bytes of content it has read.
    pub bytes: u64,
    /// How much of the phase is done, 0 to 1; known only for the blobs, as digests are spread
    /// evenly over the order in which they are walked.
    pub fraction: Option<f64>,
}

/// Where a run reports what it does: events go to a function, progress can be asked for at any time.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use storagedriver_cli::transfer::{Event, Monitor};
///
/// let events = Arc::new(Mutex::new(Vec::new()));
/// let sink = events.clone();
/// let monitor = Arc::new(Monitor::new(move |event: &Event| sink.lock().unwrap().push(event.clone())));
/// assert_eq!(monitor.progress().files, 0);
/// ```
pub struct Monitor {
    sink: Box<dyn Fn(&Event) + Send + Sync>,
    phase: AtomicU8,
    files: AtomicU64,
    bytes: AtomicU64,
    /// The first 32 bits of the digest of the blob walked last, all ones included; only in the
    /// phase of the blobs.
    place: AtomicU32,
}

impl Monitor {
    /// Every event goes to `sink`, from any thread, before the run goes on: it should be quick.
    pub fn new(sink: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Monitor {
            sink: Box::new(sink),
            phase: AtomicU8::new(0),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            place: AtomicU32::new(0),
        }
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        let phase = Phase::ALL.get(usize::from(self.phase.load(Ordering::Relaxed))).copied();
        let phase = phase.unwrap_or_default();
        let place = f64::from(self.place.load(Ordering::Relaxed)) / f64::from(u32::MAX);
        Progress {
            phase,
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            fraction: (phase == Phase::Blobs).then_some(place),
        }
    }

    pub(crate) fn event(&self, event: &Event) {
        (self.sink)(event);
    }

    pub(crate) fn began(&self, phase: Phase) {
        let number = Phase::ALL.iter().position(|&each| each == phase).unwrap_or_default();
        self.phase.store(u8::try_from(number).unwrap_or_default(), Ordering::Relaxed);
        self.event(&Event::Began(phase));
    }

    pub(crate) fn looked_at(&self, digest: Option<&Digest>) {
        self.files.fetch_add(1, Ordering::Relaxed);
        if let Some(first) = digest.and_then(|digest| digest.as_bytes().first_chunk()) {
            self.place.store(u32::from_be_bytes(*first), Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Default for Monitor {
    /// Events go nowhere.
    fn default() -> Self {
        Monitor::new(|_| {})
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Algorithm;

    #[test]
    fn the_fraction_is_the_place_among_digests() {
        let monitor = Monitor::default();
        assert_eq!(monitor.progress().fraction, Some(0.0));
        let half = Digest::from_bytes(Algorithm::Sha256, &[0x80; 32]).unwrap();
        monitor.looked_at(Some(&half));
        let fraction = monitor.progress().fraction.unwrap();
        assert!((fraction - 0.5).abs() < 0.01, "{fraction}");
        monitor.began(Phase::Repositories);
        monitor.looked_at(None);
        monitor.read(7);
        let progress = monitor.progress();
        assert_eq!(progress.phase, Phase::Repositories);
        assert_eq!((progress.files, progress.bytes, progress.fraction), (2, 7, None));
    }
}
