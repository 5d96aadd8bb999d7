//! The uploads that were closed and neither committed nor cancelled.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;
use std::time::SystemTime;

use storagedriver::{StoragePath, UploadInfo, Version};

use crate::rope::Rope;

/// An upload that was closed.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) content: Rope,
    pub(crate) modified: SystemTime,
    /// The version of the committed content that it went on from.
    pub(crate) base: Option<Version>,
    /// Raised by each close: whoever resumed an earlier state has lost.
    pub(crate) generation: u64,
    /// How many live writers have resumed it.
    pub(crate) resumed: usize,
}

impl Upload {
    pub(crate) fn info(&self, key: &UploadKey) -> UploadInfo {
        let id = format!("{}.{}", key.1, self.generation);
        UploadInfo::new(key.0.clone(), self.content.size(), self.modified, id)
    }
}

/// Names one upload: path first, so that those of one path, and those below one path, lie together.
pub(crate) type UploadKey = (StoragePath, u64);

/// Every upload of a store.
#[derive(Debug, Default)]
pub(crate) struct Uploads(pub(crate) BTreeMap<UploadKey, Upload>);

impl Uploads {
    fn at(&self, path: &StoragePath) -> btree_map::Range<'_, UploadKey, Upload> {
        self.0.range((path.clone(), 0)..=(path.clone(), u64::MAX))
    }

    /// The keys of the uploads at and below a path.
    pub(crate) fn within(&self, path: &StoragePath) -> Vec<UploadKey> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let range = self.0.range((Bound::Included((path.clone(), 0)), Bound::Unbounded));
        range
            .map(|(key, _)| key)
            // `a-b` lies between `a` and what is below `a`.
            .take_while(|(at, _)| at.as_str().starts_with(path.as_str()))
            .filter(|(at, _)| at.is_within(path))
            .cloned()
            .collect()
    }

    /// Whether there is an upload at exactly this path.
    pub(crate) fn any_at(&self, path: &StoragePath) -> bool {
        !self.0.is_empty() && self.at(path).next().is_some()
    }

    /// Removes the uploads at exactly this path.
    pub(crate) fn remove_at(&mut self, path: &StoragePath) {
        let keys: Vec<UploadKey> = self.at(path).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.0.remove(&key);
        }
    }

    /// The newest upload at exactly this path.
    pub(crate) fn newest(&self, path: &StoragePath) -> Option<(UploadKey, &Upload)> {
        self.at(path).max_by_key(|(_, upload)| upload.generation).map(|(key, upload)| (key.clone(), upload))
    }
}
