//! What a walk holds at most: counted in tests only.

#[cfg(test)]
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicUsize, Ordering};

/// The gauges of one walk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    #[cfg(test)]
    pub(crate) gauges: Arc<Gauges>,
}

#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) open: AtomicUsize,
    pub(crate) most_open: AtomicUsize,
    pub(crate) most_names: AtomicUsize,
    pub(crate) most_read: AtomicUsize,
    pub(crate) most_entries: AtomicUsize,
    pub(crate) jobs: AtomicUsize,
    pub(crate) most_jobs: AtomicUsize,
}

/// One open directory, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Metered {
    #[cfg(test)]
    gauges: Arc<Gauges>,
}

#[cfg(test)]
impl Meter {
    pub(crate) fn opened(&self) -> Metered {
        let open = self.gauges.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.gauges.most_open.fetch_max(open, Ordering::SeqCst);
        Metered { gauges: self.gauges.clone() }
    }

    pub(crate) fn holds(&self, names: usize, entries: usize) {
        self.gauges.most_names.fetch_max(names, Ordering::SeqCst);
        self.gauges.most_entries.fetch_max(entries, Ordering::SeqCst);
    }

    pub(crate) fn reads(&self, names: usize) {
        self.gauges.most_read.fetch_max(names, Ordering::SeqCst);
    }

    pub(crate) fn jobs(&self, jobs: usize) {
        self.gauges.jobs.store(jobs, Ordering::SeqCst);
        self.gauges.most_jobs.fetch_max(jobs, Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Drop for Metered {
    fn drop(&mut self) {
        self.gauges.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(not(test))]
#[allow(clippy::unused_self)]
impl Meter {
    pub(crate) fn opened(&self) -> Metered {
        Metered {}
    }

    pub(crate) fn holds(&self, _names: usize, _entries: usize) {}

    pub(crate) fn reads(&self, _names: usize) {}

    pub(crate) fn jobs(&self, _jobs: usize) {}
}
