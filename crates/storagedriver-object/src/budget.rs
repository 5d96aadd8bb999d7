//! The memory that parts on their way may take.

use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const UNIT: u64 = 64 << 10;

/// A bound on the bytes of parts on their way, over all writers that share it.
///
/// Each writer may have one part on its way without asking; what is beyond is taken from here if
/// it is free, and nobody waits for it: a writer that gets none waits for its own part.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Semaphore>);

static PROCESS: LazyLock<Budget> = LazyLock::new(|| Budget::new(32 << 20));

impl Budget {
    /// A budget of so many bytes, counted in steps of 64 KiB.
    pub fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(Semaphore::MAX_PERMITS);
        Budget(Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))))
    }

    /// The one that drivers of this process share unless told otherwise: 32 MiB.
    pub fn process() -> Self {
        PROCESS.clone()
    }

    pub(crate) fn try_take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        self.0.clone().try_acquire_many_owned(units).ok()
    }
}
