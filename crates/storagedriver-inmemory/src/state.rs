//! The store itself: files and uploads, behind one lock that is held only for look-ups.
//!
//! Directories are not kept: they are implied by the paths of files, so that none is ever left
//! empty. Byte order of paths keeps everything below a directory together.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::SystemTime;

use storagedriver::{Error, FileInfo, Result, StoragePath, UploadInfo, Version};

use crate::rope::Rope;

/// Committed content.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) content: Rope,
    pub(crate) modified: SystemTime,
    /// Which publication this is; no two have the same number.
    pub(crate) version: u64,
}

impl File {
    pub(crate) fn info(&self, path: &StoragePath) -> FileInfo {
        FileInfo::file(path.clone())
            .with_size(self.content.size())
            .with_modified(self.modified)
            .with_version(version(self.version))
    }
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number.to_string())
}

/// An upload that was closed.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) content: Rope,
    pub(crate) modified: SystemTime,
    /// The version of the committed content that it went on from.
    pub(crate) base: Option<u64>,
    /// Raised by each close: whoever resumed an earlier state has lost.
    pub(crate) generation: u64,
    /// How many live writers have resumed it.
    pub(crate) resumed: usize,
}

/// Names one upload: path first, so that those of one path, and those below one path, lie together.
pub(crate) type UploadKey = (StoragePath, u64);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<StoragePath, File>,
    pub(crate) uploads: BTreeMap<UploadKey, Upload>,
    last_number: u64,
}

/// Everything below `path` starts with this.
pub(crate) fn prefix_of(path: &StoragePath) -> String {
    if path.is_root() { "/".to_owned() } else { format!("{path}/") }
}

impl State {
    /// A number that was not given before.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(crate) fn is_directory(&self, path: &StoragePath) -> bool {
        path.is_root() || self.first_below(&prefix_of(path)).is_some()
    }

    fn first_below(&self, prefix: &str) -> Option<&StoragePath> {
        let mut range = self.files.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        range.next().map(|(path, _)| path).filter(|path| path.as_str().starts_with(prefix))
    }

    /// Refuses a path at which no file can be: a directory, or below a file.
    pub(crate) fn check_place(&self, path: &StoragePath) -> Result<()> {
        if self.is_directory(path) {
            return Err(Error::conflict(path, "the path is a directory"));
        }
        let mut above = path.parent();
        while let Some(ancestor) = above {
            if self.files.contains_key(&ancestor) {
                return Err(Error::conflict(
                    path,
                    format!("{ancestor} is a file, so nothing can be below it"),
                ));
            }
            above = ancestor.parent();
        }
        Ok(())
    }

    /// Makes `content` what is at `path`.
    pub(crate) fn publish(&mut self, path: &StoragePath, content: Rope) -> Result<()> {
        self.check_place(path)?;
        let file = File { content, modified: SystemTime::now(), version: self.next_number() };
        self.files.insert(path.clone(), file);
        Ok(())
    }

    /// The direct children of a directory, one seek for each.
    pub(crate) fn children(&self, directory: &StoragePath) -> Vec<FileInfo> {
        let prefix = prefix_of(directory);
        let mut children = Vec::new();
        let mut from = prefix.clone();
        loop {
            let mut range = self.files.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded));
            let Some((path, file)) = range.next() else { break };
            let Some(rest) = path.as_str().strip_prefix(prefix.as_str()) else { break };
            match rest.split_once('/') {
                None => {
                    children.push(file.info(path));
                    // The least text above the path.
                    from = format!("{path}\0");
                }
                Some((name, _)) => {
                    if let Ok(child) = directory.child(name) {
                        children.push(FileInfo::directory(child));
                    }
                    // `0` follows `/`: past everything below the child.
                    from = format!("{prefix}{name}0");
                }
            }
        }
        // `a-b` comes before what is below `a`, but `a` before `a-b`.
        children.sort_by(|one, other| one.path().cmp(other.path()));
        children
    }

    /// The keys of the uploads at and below a path.
    pub(crate) fn uploads_within(&self, path: &StoragePath) -> Vec<UploadKey> {
        let range = self.uploads.range((Bound::Included((path.clone(), 0)), Bound::Unbounded));
        range
            .map(|(key, _)| key)
            // `a-b` lies between `a` and what is below `a`.
            .take_while(|(at, _)| at.as_str().starts_with(path.as_str()))
            .filter(|(at, _)| at.is_within(path))
            .cloned()
            .collect()
    }

    /// The newest upload at exactly this path.
    pub(crate) fn newest_upload(&self, path: &StoragePath) -> Option<(UploadKey, &Upload)> {
        let range = self.uploads.range((path.clone(), 0)..=(path.clone(), u64::MAX));
        range.max_by_key(|(_, upload)| upload.generation).map(|(key, upload)| (key.clone(), upload))
    }
}

impl Upload {
    pub(crate) fn info(&self, key: &UploadKey) -> UploadInfo {
        let id = format!("{}.{}", key.1, self.generation);
        UploadInfo::new(key.0.clone(), self.content.size(), self.modified, id)
    }
}
