//! Reading content.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hdfs_native::HdfsError;
use hdfs_native::file::FileReader;
use storagedriver::{Content, Error, ReadOptions, Result, StoragePath};

use crate::cluster::{ATTEMPTS, Hadoop, is_missing};
use crate::version::FileVersion;

/// How often content is read again that was replaced while it was read.
const AGAIN: usize = 3;

impl Hadoop {
    /// All of a file's content.
    pub(crate) async fn read_all(&self, path: &StoragePath) -> Result<Bytes> {
        let mut again = 0;
        loop {
            match self.try_read_all(path).await {
                Ok(content) => return Ok(content),
                // The blocks of content that was replaced go; the path has other ones then.
                Err(error) if again < AGAIN && !is_missing(&error) => again = again.saturating_add(1),
                Err(error) => return Err(Hadoop::read_fault(path, "read the content")(error)),
            }
        }
    }

    async fn try_read_all(&self, path: &StoragePath) -> Result<Bytes, HdfsError> {
        let file = self.client.read(&self.content(path)).await?;
        let size = file.file_length();
        let content = file.read_range(0, size).await?;
        if content.len() == size {
            Ok(content)
        } else {
            Err(HdfsError::DataTransferError(format!("{} of {size} bytes came", content.len())))
        }
    }

    /// Opens a file, and says which version of it.
    pub(crate) async fn open_version(&self, path: &StoragePath) -> Result<(FileReader, FileVersion)> {
        let failed = || Hadoop::read_fault(path, "open the content");
        let place = self.content(path);
        for _ in 0..ATTEMPTS {
            let status = self.status(&place).await.map_err(failed())?;
            let Some(before) = status.filter(|status| !status.isdir) else {
                return Err(Error::path_not_found(path));
            };
            let file = self.client.read(&place).await.map_err(failed())?;
            // What the NameNode says of the blocks does not say the version.
            let after = self.status(&place).await.map_err(failed())?;
            let version = FileVersion::of(&before);
            let same = after.is_some_and(|after| !after.isdir && FileVersion::of(&after) == version);
            if same && u64::try_from(file.file_length()) == Ok(version.size) {
                return Ok((file, version));
            }
        }
        Err(Error::unavailable(path, "the content was replaced again and again while it was opened"))
    }

    /// A stream of a file's content.
    pub(crate) async fn open_reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let (file, version) = self.open_version(path).await?;
        if options.version.as_ref().is_some_and(|wanted| *wanted != version.public()) {
            return Err(Error::conflict(path, "the path holds another version"));
        }
        let Some(range) = options.range(version.size) else {
            return Err(Error::invalid_offset(path, options.offset, Some(version.size)));
        };
        let part = (usize::try_from(range.start), usize::try_from(range.end.saturating_sub(range.start)));
        let (Ok(offset), Ok(length)) = part else {
            return Err(Error::unsupported(path, "the content is larger than this machine can address"));
        };
        let blocks = file.read_range_stream(offset, length).boxed();
        let reading = Reading { path: path.clone(), blocks, rest: length };
        let stream = stream::try_unfold(reading, Reading::next);
        Ok(Content::new(version.size, stream).with_version(version.public()))
    }
}

struct Reading {
    path: StoragePath,
    blocks: stream::BoxStream<'static, Result<Bytes, HdfsError>>,
    rest: usize,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        while self.rest > 0 {
            let Some(chunk) = self.blocks.next().await else {
                return Err(Error::corrupted(
                    &self.path,
                    format!("the content ended {} bytes early", self.rest),
                ));
            };
            let chunk = chunk.map_err(Hadoop::read_fault(&self.path, "read the content"))?;
            let Some(rest) = self.rest.checked_sub(chunk.len()) else {
                return Err(Error::corrupted(&self.path, "more content came than was asked for"));
            };
            self.rest = rest;
            if !chunk.is_empty() {
                return Ok(Some((chunk, self)));
            }
        }
        Ok(None)
    }
}
