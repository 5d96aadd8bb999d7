//! What came of each file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use storagedriver::{Error, Result};

use super::{Event, Monitor};
use crate::registry::{Fault, FaultKind};

/// After so many failures of a backend, with nothing that succeeded between them, a run ends: the
/// backend is down, full or closed to us, and the report would name every file there is.
const IN_A_ROW: u32 = 32;

/// Why a file could not be dealt with.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It went away after it was listed.
    Gone,
    /// Something is wrong with it.
    Fault(Fault),
    /// The backend failed.
    Backend(Error),
}

impl Trouble {
    /// An error of reading a file that was listed.
    pub(crate) fn reading(error: Error) -> Self {
        if error.is_not_found() { Trouble::Gone } else { Trouble::Backend(error) }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Backend(error)
    }
}

/// An error with its causes, in one line.
pub(crate) fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        text.push_str(": ");
        text.push_str(&below.to_string());
        cause = below.source();
    }
    text
}

/// Counts what came of each file, and reports it.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) monitor: Arc<Monitor>,
    faults: AtomicU64,
    gone: AtomicU64,
    in_a_row: AtomicU32,
}

impl Ledger {
    pub(crate) fn new(monitor: Arc<Monitor>) -> Self {
        Ledger { monitor, faults: AtomicU64::new(0), gone: AtomicU64::new(0), in_a_row: AtomicU32::new(0) }
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    pub(crate) fn gone(&self) -> u64 {
        self.gone.load(Ordering::Relaxed)
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.monitor.event(&Event::Fault(fault));
    }

    /// Enters what came of the file at `path`.
    ///
    /// # Errors
    /// The failure of the backend that is one too many.
    pub(crate) fn enter(&self, path: &str, outcome: Result<(), Trouble>) -> Result<()> {
        match outcome {
            Ok(()) => self.in_a_row.store(0, Ordering::Relaxed),
            Err(Trouble::Gone) => {
                self.gone.fetch_add(1, Ordering::Relaxed);
                self.monitor.event(&Event::Gone { path: path.to_owned() });
            }
            Err(Trouble::Fault(fault)) => self.fault(fault),
            Err(Trouble::Backend(error)) => {
                self.fault(Fault::new(FaultKind::Backend, path, causes(&error)));
                if self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use storagedriver::StoragePath;

    use super::*;

    fn failure() -> Result<(), Trouble> {
        let path = StoragePath::parse("/a").unwrap();
        Err(Trouble::Backend(Error::unavailable(&path, "down").with_source("the cause")))
    }

    #[test]
    fn a_backend_that_is_down_ends_the_run_and_one_bad_file_does_not() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let ledger = Ledger::new(Arc::new(Monitor::new(move |event: &Event| {
            sink.lock().unwrap().push(event.clone());
        })));
        for _ in 0..IN_A_ROW * 2 {
            ledger.enter("/a", failure()).unwrap();
            ledger.enter("/b", Ok(())).unwrap();
        }
        let ended = (1..=IN_A_ROW).find(|_| ledger.enter("/a", failure()).is_err());
        assert_eq!(ended, Some(IN_A_ROW));
        assert_eq!(ledger.faults(), u64::from(IN_A_ROW) * 3);
        let Event::Fault(fault) = &seen.lock().unwrap()[0] else { panic!("no fault") };
        assert!(fault.detail.ends_with("the cause"), "{fault}");
    }
}
