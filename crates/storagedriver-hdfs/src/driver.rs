//! The driver.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, PathLimits, ReadOptions, Result, StorageDriver,
    StoragePath, UploadInfo, WalkOptions, WriteMode,
};

use crate::cluster::Hadoop;
use crate::locks::{hold, hold_both};
use crate::names::{LONGEST_ADDED, LONGEST_NAME};
use crate::parameters::HdfsParameters;
use crate::tidy::Tidy;
use crate::upload::Upload;
use crate::walk::HdfsWalk;
use crate::writer::HdfsWriter;

/// Registry storage in a directory of HDFS.
///
/// It needs a tokio runtime, from when it is made: that is where its connections live.
pub struct Hdfs {
    hadoop: Arc<Hadoop>,
    limits: PathLimits,
}

impl Hdfs {
    /// The driver for a directory. Connects to nothing yet; reads the Hadoop configuration, if one is given.
    ///
    /// The limit of operations at once is not applied here but by [`HdfsParameters::into_storage`], as
    /// a layer.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter) if `namenode` has more than one meaning or none,
    /// the Hadoop configuration cannot be read, the root directory is no absolute path or leaves no
    /// room for paths below it, or another parameter is out of range;
    /// [`InvalidConfiguration`](Error::InvalidConfiguration) outside of a tokio runtime.
    pub fn new(parameters: &HdfsParameters) -> Result<Self> {
        let hadoop = Hadoop::new(parameters)?;
        let Some(room) = hadoop.room(LONGEST_ADDED) else {
            let reason = "is too long or too deep: it leaves no room for paths below it";
            return Err(Error::invalid_parameter("hdfs", "rootdirectory", reason));
        };
        Ok(Hdfs { hadoop: Arc::new(hadoop), limits: PathLimits::new(room, LONGEST_NAME) })
    }
}

impl fmt::Debug for Hdfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hdfs")
            .field("namenode", &self.hadoop.label)
            .field("rootdirectory", &self.hadoop.root())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl StorageDriver for Hdfs {
    fn name(&self) -> &str {
        "hdfs"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.hadoop.check(path)?;
        self.hadoop.read_all(path).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.hadoop.check(path)?;
        self.hadoop.put(path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        self.hadoop.check(path)?;
        self.hadoop.open_reader(path, options).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        self.hadoop.check(path)?;
        Ok(Box::new(HdfsWriter::new(Upload::open(&self.hadoop, path, mode).await?)))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.hadoop.check(path)?;
        self.hadoop.stat(path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        self.hadoop.check(path)?;
        self.hadoop.list(path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let hadoop = &self.hadoop;
        hadoop.check(from)?;
        hadoop.check(to)?;
        let source = hadoop.content(from);
        let held = hold_both(hadoop, from, to).await;
        let found = hadoop.status(&source).await;
        let found = found.map_err(Hadoop::read_fault(from, "look at the file to rename"))?;
        if found.is_none_or(|status| status.isdir) {
            return Err(Error::path_not_found(from));
        }
        let tidy = Tidy::above(hadoop, &[from, to]);
        let moved = hadoop.put_at(to, &source, to, &tidy, &|| Error::path_not_found(from)).await;
        drop(held);
        if moved.is_ok() {
            // Where it is now, nothing is empty.
            let left = Tidy::above(hadoop, &[from]);
            tidy.not();
            left.now().await;
        } else {
            tidy.now().await;
        }
        moved
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let hadoop = &self.hadoop;
        hadoop.check(path)?;
        let failed = || Hadoop::write_fault(path, "delete the path");
        let tidy = Tidy::above(hadoop, &[path]).and_staging(path);
        let remove = |place: String| {
            let hadoop = hadoop.clone();
            tidy.send(async move { hadoop.remove(&place).await })
        };
        let held = hold(hadoop, path).await;
        let content = remove(hadoop.content(path)).await.map_err(failed())?;
        let staged = remove(hadoop.staging(path)).await.map_err(failed())?;
        drop(held);
        match (content, staged) {
            (false, false) => {
                tidy.not();
                return Err(Error::path_not_found(path));
            }
            (true, false) => {
                let above = Tidy::above(hadoop, &[path]);
                tidy.not();
                above.now().await;
            }
            (_, true) => tidy.now().await,
        }
        Ok(())
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        self.hadoop.check(below)?;
        self.hadoop.uploads(below).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        self.hadoop.check(upload.path())?;
        self.hadoop.abort(upload).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        self.hadoop.check(path)?;
        Ok(Some(Box::new(HdfsWalk::new(self.hadoop.clone(), path, options.clone()))))
    }

    fn limits(&self) -> PathLimits {
        self.limits
    }
}
