//! What the store says about files, directories and uploads.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use smol_str::SmolStr;

use crate::{StoragePath, WalkKey};

/// Whether a path names a file, a directory, or (on flat stores) both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// Committed content is at the path.
    File,
    /// Something lies below the path.
    Directory,
    /// Both; only flat stores can hold this, and `list` reports it once.
    FileAndDirectory,
}

/// The opaque name of one version of a file's content: equal versions mean equal bytes.
// Most are short, and every entry of a walk has one: those up to 23 bytes are kept in place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(SmolStr);

impl Version {
    /// Wraps what the backend calls a version: an ETag, a generation, an inode and its times.
    pub fn new(version: impl AsRef<str>) -> Self {
        Version(SmolStr::new(version))
    }

    /// The backend's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file or a directory, as `stat`, `list` and `walk` report it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    path: StoragePath,
    kind: EntryKind,
    size: Option<u64>,
    modified: Option<SystemTime>,
    version: Option<Version>,
}

impl FileInfo {
    /// A file whose size and time are not known: what a `list` may return.
    pub fn file(path: StoragePath) -> Self {
        FileInfo { path, kind: EntryKind::File, size: None, modified: None, version: None }
    }

    /// A directory. It has no size and no time of its own.
    pub fn directory(path: StoragePath) -> Self {
        FileInfo { path, kind: EntryKind::Directory, size: None, modified: None, version: None }
    }

    /// The size of the file's content, in bytes.
    #[must_use]
    pub fn with_size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// When the content was last replaced.
    #[must_use]
    pub fn with_modified(mut self, modified: SystemTime) -> Self {
        self.modified = Some(modified);
        self
    }

    /// The version of the content.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// The same entry with another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: EntryKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same entry at another path.
    #[must_use]
    pub fn with_path(mut self, path: StoragePath) -> Self {
        self.path = path;
        self
    }

    /// The path, absolute within the storage.
    pub fn path(&self) -> &StoragePath {
        &self.path
    }

    /// File, directory or both.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Whether committed content is at the path.
    pub fn is_file(&self) -> bool {
        self.kind != EntryKind::Directory
    }

    /// Whether something lies below the path.
    pub fn is_dir(&self) -> bool {
        self.kind != EntryKind::File
    }

    /// The size of the file's content in bytes: 0 for a directory, `None` only for a file from a
    /// `list` whose backend does not tell sizes there. `stat` and `walk` always know it.
    pub fn size(&self) -> Option<u64> {
        match self.kind {
            EntryKind::Directory => Some(0),
            _ => self.size,
        }
    }

    /// When the file's content was last replaced: `None` for a directory, and for a file from a
    /// `list` whose backend does not tell times there. `stat` and `walk` always know it.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// The version of the content, where the backend tells one.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Where this entry stands in a walk; resuming after it never repeats it.
    ///
    /// For an entry that is both file and directory this is the key of the directory, the later of
    /// the two. A walk never yields such an entry: it yields two.
    pub fn key(&self) -> WalkKey {
        if self.is_dir() { WalkKey::directory(&self.path) } else { WalkKey::file(&self.path) }
    }
}

/// An upload that was begun and neither committed nor cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    path: StoragePath,
    size: u64,
    modified: SystemTime,
    id: Arc<str>,
}

impl UploadInfo {
    /// An upload to `path` of which `size` bytes are durable, last active at `modified`. `id` is
    /// opaque to all but the driver; it names this upload in this state, so that `abort_upload`
    /// can tell when it has moved on.
    pub fn new(path: StoragePath, size: u64, modified: SystemTime, id: impl AsRef<str>) -> Self {
        UploadInfo { path, size, modified, id: Arc::from(id.as_ref()) }
    }

    /// The same upload at another path.
    #[must_use]
    pub fn with_path(mut self, path: StoragePath) -> Self {
        self.path = path;
        self
    }

    /// The path that a commit would publish.
    pub fn path(&self) -> &StoragePath {
        &self.path
    }

    /// How many bytes are durable.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When it was last active; on some backends true only to ten minutes.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    /// The driver's name for it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_size_zero_and_a_file_only_what_is_known() {
        let path = StoragePath::parse("/a").unwrap();
        assert_eq!(FileInfo::directory(path.clone()).size(), Some(0));
        assert_eq!(FileInfo::file(path.clone()).size(), None);
        let both = FileInfo::file(path).with_size(3).with_kind(EntryKind::FileAndDirectory);
        assert!(both.is_file() && both.is_dir());
        assert_eq!(both.size(), Some(3));
    }
}
