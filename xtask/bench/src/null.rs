//! A driver that costs nothing: what is written is thrown away, what is read is made up. What is measured through it is the
//! way to it.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, ReadOptions, Registration, Result, Storage,
    StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode,
};

/// What `get_content` answers with, in bytes.
pub const SMALL: usize = 4096;

/// A piece of a stream, in bytes.
const PIECE: usize = 1 << 20;

static ZEROS: [u8; PIECE] = [0; PIECE];

storagedriver::parameters! {
    /// Parameters of the driver `null`.
    pub struct NullParameters for "null" {
        /// How many bytes a streamed file has; a multiple of 1 MiB.
        size: Integer = 1073741824,
        /// How many files a walk finds.
        entries: Integer = 100000,
    }
}

/// The driver `null`.
pub const DRIVER: Registration = Registration::new(
    "null",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "Throws away what is written and makes up what is read",
    &NullParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            let parameters = NullParameters::parse(parameters)?;
            let number = |value: i64| u64::try_from(value).unwrap_or_default();
            Ok(Storage::new(Null { size: number(parameters.size), entries: number(parameters.entries) }))
        })
    },
);

storagedriver::register!(DRIVER);

#[derive(Debug)]
struct Null {
    size: u64,
    entries: u64,
}

fn no(path: &StoragePath) -> Error {
    Error::unsupported(path, "nothing is kept")
}

#[async_trait]
impl StorageDriver for Null {
    fn name(&self) -> &str {
        "null"
    }

    async fn get_content(&self, _: &StoragePath) -> Result<Bytes> {
        Ok(Bytes::from_static(&ZEROS).split_to(SMALL))
    }

    async fn put_content(&self, _: &StoragePath, _: Bytes) -> Result<()> {
        Ok(())
    }

    async fn reader(&self, _: &StoragePath, _: &ReadOptions) -> Result<Content> {
        let pieces = self.size / PIECE as u64;
        Ok(Content::new(self.size, stream::iter((0..pieces).map(|_| Ok(Bytes::from_static(&ZEROS))))))
    }

    async fn writer(&self, _: &StoragePath, _: WriteMode) -> Result<Box<dyn DriverWriter>> {
        Ok(Box::new(Discarding(0)))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        Ok(FileInfo::directory(path.clone()))
    }

    async fn list(&self, _: &StoragePath) -> Result<Vec<FileInfo>> {
        Ok(Vec::new())
    }

    async fn rename(&self, from: &StoragePath, _: &StoragePath) -> Result<()> {
        Err(no(from))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        Err(no(path))
    }

    async fn uploads(&self, _: &StoragePath) -> Result<Vec<UploadInfo>> {
        Ok(Vec::new())
    }

    async fn abort_upload(&self, _: &UploadInfo) -> Result<()> {
        Ok(())
    }

    async fn walk(&self, path: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        Ok(Some(Box::new(Counting { below: path.clone(), next: 0, end: self.entries })))
    }
}

struct Discarding(u64);

#[async_trait]
impl DriverWriter for Discarding {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.0 += chunk.len() as u64;
        Ok(())
    }

    fn size(&self) -> u64 {
        self.0
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        Ok(())
    }

    async fn cancel(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Files with names as long as those of blobs.
struct Counting {
    below: StoragePath,
    next: u64,
    end: u64,
}

#[async_trait]
impl DriverWalk for Counting {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        if self.next == self.end {
            return Ok(None);
        }
        let path = self.below.join(&format!("sha256/00/{:064x}/data", self.next))?;
        self.next += 1;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Ok(Some(FileInfo::file(path).with_size(4096).with_modified(modified)))
    }

    fn skip_dir(&mut self) {}
}
