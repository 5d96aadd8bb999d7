//! What a service in memory does not keep: versions, times and marks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use storagedriver::Version;
use storagedriver_object::{Condition, StoreError, StoreResult};
use tokio::sync::{Mutex, MutexGuard};

/// What is kept of one object.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) version: Version,
    pub(crate) modified: SystemTime,
    pub(crate) mark: Option<String>,
}

/// Of each object what the service does not keep. Everything that is done goes through it, one after the
/// other, so conditions hold.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<HashMap<String, Entry>>,
}

/// The ledger, while nobody else has it.
pub(crate) struct Open<'a>(MutexGuard<'a, HashMap<String, Entry>>);

impl Ledger {
    pub(crate) async fn open(&self) -> Open<'_> {
        Open(self.entries.lock().await)
    }
}

impl Open<'_> {
    /// What is known of the object; of one that was there before the driver, nothing but that.
    pub(crate) fn entry(&self, key: &str) -> Entry {
        let before = || Entry { version: Version::new("0"), modified: SystemTime::UNIX_EPOCH, mark: None };
        self.0.get(key).cloned().unwrap_or_else(before)
    }

    /// Whether the condition holds, of an object that is there or is not.
    pub(crate) fn check(&self, key: &str, is_there: bool, condition: &Condition) -> StoreResult<()> {
        match condition {
            Condition::Absent if !is_there => Ok(()),
            Condition::Matches(version) if is_there && self.entry(key).version == *version => Ok(()),
            _ => Err(StoreError::Precondition),
        }
    }

    /// The object was written; its version.
    pub(crate) fn written(&mut self, key: &str, mark: Option<String>) -> Version {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let version = Version::new(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        let entry = Entry { version: version.clone(), modified: SystemTime::now(), mark };
        self.0.insert(key.to_owned(), entry);
        version
    }

    pub(crate) fn deleted(&mut self, key: &str) {
        self.0.remove(key);
    }
}
