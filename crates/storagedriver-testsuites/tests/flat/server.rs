//! What the store holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use storagedriver::StoragePath;
use storagedriver::bytes::Bytes;

#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) content: Bytes,
    pub(crate) version: u64,
    pub(crate) modified: SystemTime,
}

/// An upload that was closed.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) path: StoragePath,
    pub(crate) content: Bytes,
    /// Raised by each close.
    pub(crate) closed: u64,
    /// The version that it continues.
    pub(crate) base: Option<u64>,
    pub(crate) modified: SystemTime,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<StoragePath, File>,
    pub(crate) uploads: BTreeMap<u64, Upload>,
    /// How often what was uncommitted at a path was ended by a publication.
    pub(crate) ended: HashMap<StoragePath, u64>,
    last: u64,
}

/// A store that several drivers share.
#[derive(Debug)]
pub(crate) struct Server {
    state: Mutex<State>,
    pub(crate) ends_uploads: bool,
}

impl State {
    pub(crate) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn publish(&mut self, path: &StoragePath, content: Bytes, ends_uploads: bool) {
        let file = File { content, version: self.next(), modified: SystemTime::now() };
        self.files.insert(path.clone(), file);
        if ends_uploads {
            self.end_uploads(path);
        }
    }

    fn end_uploads(&mut self, path: &StoragePath) {
        self.uploads.retain(|_, upload| upload.path != *path);
        *self.ended.entry(path.clone()).or_default() += 1;
    }
}

impl Server {
    pub(crate) fn new(ends_uploads: bool) -> Self {
        Server { state: Mutex::default(), ends_uploads }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, path: &StoragePath, content: Bytes) {
        self.lock().publish(path, content, self.ends_uploads);
    }

    /// Removes the file, if it has this version.
    pub(crate) fn remove(&self, path: &StoragePath, version: Option<u64>) {
        let mut state = self.lock();
        let held = state.files.get(path).map(|file| file.version);
        if held.is_some() && version.is_none_or(|version| held == Some(version)) {
            state.files.remove(path);
            if self.ends_uploads {
                state.end_uploads(path);
            }
        }
    }
}
