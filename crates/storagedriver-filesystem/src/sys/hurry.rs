//! Asking a disk for what the kernel has in memory, before it has to be there.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::retry_on_intr;

use super::{Sys, Way};

impl Sys {
    /// Opens a file of a directory for [`hurry`](Self::hurry), if it is on the disk of this machine: in memory there
    /// is nothing to do, and on a server a file that is open cannot be removed. Not for a test that
    /// watches the calls: what happens here is no part of any promise.
    pub(crate) fn open_to_hurry(&self, directory: impl AsFd, name: &str) -> Option<OwnedFd> {
        if self.hook().is_some() {
            return None;
        }
        let file = self.open_own(directory, name, false).ok()?;
        (self.way(&file).ok()? == Way::Cached).then_some(file)
    }

    /// Waits until the disk has what was written so far. That it fails is for others to notice.
    pub(crate) fn hurry(file: impl AsFd) {
        let _ = retry_on_intr(|| rustix::fs::fdatasync(&file));
    }
}
