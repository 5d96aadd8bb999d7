//! Having a disk begin with an upload before its end.
//!
//! The kernel keeps what was written in memory for seconds. Of a large upload nearly all is still there
//! when it ends, and the sync of the ending waits for the disk to take it whole. So it is asked for now
//! and then, in the pool, while more comes in. Only speed depends on it: the ending syncs as ever.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::Sys;

/// How many bytes are written before the disk is asked for them.
const STRETCH: u64 = 32 << 20;

/// What of one upload the disk was asked for.
#[derive(Debug, Default)]
pub(crate) struct Early {
    /// Bytes that were written since.
    written: u64,
    /// Whether it is being asked just now.
    is_busy: Arc<AtomicBool>,
}

impl Early {
    /// So many bytes more were written to a file. `again` opens it anew: the one that is written to is
    /// told of every failure of the disk so, and its lock ends with it.
    pub(crate) fn wrote(&mut self, bytes: u64, again: impl FnOnce() -> Option<OwnedFd>) {
        self.written = self.written.saturating_add(bytes);
        if self.written < STRETCH || self.is_busy.load(Ordering::Relaxed) {
            return;
        }
        self.written = 0;
        let (Some(file), Ok(pool)) = (again(), tokio::runtime::Handle::try_current()) else { return };
        self.is_busy.store(true, Ordering::Relaxed);
        let is_busy = self.is_busy.clone();
        pool.spawn_blocking(move || {
            Sys::hurry(&file);
            is_busy.store(false, Ordering::Relaxed);
        });
    }
}
