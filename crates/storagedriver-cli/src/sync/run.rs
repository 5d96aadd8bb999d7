//! What the parts of one run share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use storagedriver::Storage;

use super::{SyncOptions, SyncSummary};
use crate::transfer::{Bandwidth, Event, Known, Ledger, Monitor, Turns};

/// What became known about a file of the destination.
#[derive(Debug, Clone)]
pub(super) enum Settled {
    /// It is there.
    There,
    /// It cannot be made, and why.
    Never(Arc<str>),
}

/// Counters of what was done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) same: AtomicU64,
    pub(super) copied: AtomicU64,
    pub(super) copied_bytes: AtomicU64,
    pub(super) deleted: AtomicU64,
    pub(super) extra: AtomicU64,
    pub(super) uploads: AtomicU64,
    pub(super) deletion_skipped: AtomicBool,
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) from: Storage,
    pub(super) to: Storage,
    pub(super) options: SyncOptions,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) settled: Known<Settled>,
    pub(super) turns: Turns,
    bandwidth: Option<Bandwidth>,
}

impl Run {
    pub(super) fn new(from: &Storage, to: &Storage, options: &SyncOptions, monitor: &Arc<Monitor>) -> Self {
        Run {
            from: from.clone(),
            to: to.clone(),
            options: options.clone(),
            ledger: Ledger::new(monitor.clone()),
            tally: Tally::default(),
            settled: Known::new(options.remembered),
            turns: Turns::default(),
            bandwidth: options.bandwidth.map(Bandwidth::new),
        }
    }

    /// Whether only some repositories are copied, so that no pass over all blobs is made.
    pub(super) fn is_partial(&self) -> bool {
        !self.options.repositories.is_empty()
    }

    pub(super) fn monitor(&self) -> &Monitor {
        &self.ledger.monitor
    }

    /// Counts bytes of content that were read, and waits as long as the bandwidth demands.
    pub(super) async fn read(&self, bytes: usize) {
        self.monitor().read(bytes);
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.take(bytes).await;
        }
    }

    pub(super) fn same(&self) {
        self.tally.same.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a file that was copied or, on a dry run, would be.
    pub(super) fn copied(&self, path: &str, bytes: u64) {
        self.tally.copied.fetch_add(1, Ordering::Relaxed);
        self.tally.copied_bytes.fetch_add(bytes, Ordering::Relaxed);
        let path = path.to_owned();
        self.monitor().event(&if self.options.dry_run {
            Event::WouldCopy { path, bytes }
        } else {
            Event::Copied { path, bytes }
        });
    }

    /// Counts a file that was deleted or, on a dry run, would be.
    pub(super) fn deleted(&self, path: &str) {
        self.tally.deleted.fetch_add(1, Ordering::Relaxed);
        let path = path.to_owned();
        self.monitor().event(&if self.options.dry_run {
            Event::WouldDelete { path }
        } else {
            Event::Deleted { path }
        });
    }

    pub(super) fn summary(&self) -> SyncSummary {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SyncSummary {
            same: count(&self.tally.same),
            copied: count(&self.tally.copied),
            copied_bytes: count(&self.tally.copied_bytes),
            deleted: count(&self.tally.deleted),
            extra: count(&self.tally.extra),
            gone: self.ledger.gone(),
            uploads_left_out: count(&self.tally.uploads),
            faults: self.ledger.faults(),
            deletion_skipped: self.tally.deletion_skipped.load(Ordering::Relaxed),
        }
    }
}
