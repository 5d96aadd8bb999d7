//! What there is: `stat` and `list`.

use hdfs_native::client::FileStatus;
use storagedriver::{Error, FileInfo, Result, StoragePath};

use crate::cluster::Hadoop;
use crate::version::{FileVersion, modified, size};

/// What HDFS says of a path, as an entry.
pub(crate) fn entry(path: StoragePath, status: &FileStatus) -> FileInfo {
    if status.isdir {
        return FileInfo::directory(path);
    }
    FileInfo::file(path)
        .with_size(size(status))
        .with_modified(modified(status))
        .with_version(FileVersion::of(status).public())
}

/// The entry of a directory's child; `None` for what no path can name.
pub(crate) fn child(directory: &StoragePath, status: &FileStatus) -> Option<FileInfo> {
    let name = status.path.rsplit('/').next()?;
    Some(entry(directory.child(name).ok()?, status))
}

impl Hadoop {
    pub(crate) async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let status = self.status(&self.content(path)).await;
        match status.map_err(Hadoop::read_fault(path, "look at the path"))? {
            Some(status) if path.is_root() && !status.isdir => Err(Error::backend(
                path,
                format!("cannot use the root directory {}: it is a file; change rootdirectory", self.root()),
            )),
            Some(status) => Ok(entry(path.clone(), &status)),
            // It is made by the first write.
            None if path.is_root() => Ok(FileInfo::directory(path.clone())),
            None => Err(Error::path_not_found(path)),
        }
    }

    pub(crate) async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let entries = self.entries(&self.content(path), false).await;
        let Some(entries) = entries.map_err(Hadoop::read_fault(path, "list the directory"))? else {
            return if path.is_root() { Ok(Vec::new()) } else { Err(Error::path_not_found(path)) };
        };
        let mut found: Vec<FileInfo> = entries.iter().filter_map(|status| child(path, status)).collect();
        found.sort_by(|a, b| a.path().cmp(b.path()));
        Ok(found)
    }
}
