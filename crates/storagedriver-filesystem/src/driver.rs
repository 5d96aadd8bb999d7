//! The driver: each operation is one job of the pool, or is done at once if that waits for no disk.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, PathLimits, ReadOptions, Result, StorageDriver,
    StoragePath, UploadInfo, WalkOptions, WriteMode,
};
use tokio::sync::Semaphore;

use crate::durability::Durable;
use crate::inline::{Place, Stop, spend};
use crate::jobs::{Holds, Ticket, run};
use crate::listing::CALLS;
use crate::names::LONGEST_ADDED;
use crate::parameters::FilesystemParameters;
use crate::publish::Uninlined;
use crate::reader::TURN;
use crate::root::Root;
use crate::sys::{BUFFER, Sys};
use crate::walk::{Limits, Nothing, PrefetchingWalk};
use crate::writer::FilesystemWriter;

/// The longest path that Linux takes, without the byte that ends it.
const LONGEST_PATH: usize = 4095;
/// The longest name in a directory.
const LONGEST_NAME: usize = 255;

/// The most content that is put where the future is polled, on file systems in memory: what takes not
/// longer to copy than the calls around it.
const PUT_INLINE: usize = 64 << 10;

/// How many jobs read ahead for the walks of one driver, in addition to the steps that are waited for.
const READ_AHEAD: usize = 8;

/// Registry storage in a directory of the machine.
///
/// It needs a tokio runtime: operations run in its pool for blocking work, except for reads of what
/// the kernel has in memory, on file systems of local disks and in memory, and for puts of at most
/// 64 KiB on file systems in memory. These are made where the future is polled, at most 256 KiB in a
/// turn.
pub struct Filesystem {
    root: Arc<Root>,
    pub(crate) holds: Arc<Holds>,
    limits: PathLimits,
    ahead: Arc<Semaphore>,
}

impl Filesystem {
    /// The driver for a directory. Makes no system call: the directory is made by the first write.
    ///
    /// The limit of operations at once is not applied here but by
    /// [`FilesystemParameters::into_storage`], as a layer.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter) if the root directory cannot be used as a
    /// path, or leaves no room for paths below it; or if `durability` is neither `full` nor `none`.
    pub fn new(parameters: &FilesystemParameters) -> Result<Self> {
        Self::with_sys(parameters, Sys::default())
    }

    pub(crate) fn with_sys(parameters: &FilesystemParameters, sys: Sys) -> Result<Self> {
        let refused = |reason: String| Error::invalid_parameter("filesystem", "rootdirectory", reason);
        let path = std::path::absolute(&parameters.rootdirectory)
            .map_err(|error| refused(format!("cannot be made absolute: {error}")))?;
        let room = LONGEST_PATH.saturating_sub(path.as_os_str().len()).saturating_sub(LONGEST_ADDED);
        if room < LONGEST_NAME {
            return Err(refused("leaves no room for paths below it".to_owned()));
        }
        let durable = match parameters.durability {
            "full" => Durable::new(true),
            "none" => Durable::new(false),
            other => {
                let reason = format!("is {other:?}; allowed: full, none");
                return Err(Error::invalid_parameter("filesystem", "durability", reason));
            }
        };
        Ok(Filesystem {
            root: Arc::new(Root::new(path, sys, durable)),
            holds: Arc::default(),
            limits: PathLimits::new(room, LONGEST_NAME),
            ahead: Arc::new(Semaphore::new(READ_AHEAD)),
        })
    }

    /// The root directory, as an absolute path.
    pub fn rootdirectory(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    pub(crate) async fn walk_within(
        &self,
        path: &StoragePath,
        options: &WalkOptions,
        limits: Limits,
    ) -> Result<Box<dyn DriverWalk>> {
        let options = options.clone();
        let begun = self.job(path, move |root, _, path| root.begin_walk(path, options, limits)).await?;
        Ok(match begun {
            Some(begun) => Box::new(PrefetchingWalk::new(begun, self.ahead.clone())),
            None => Box::new(Nothing),
        })
    }

    async fn job<T, J>(&self, path: &StoragePath, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: FnOnce(&Arc<Root>, &Ticket, &StoragePath) -> Result<T> + Send + 'static,
    {
        let (root, on) = (self.root.clone(), path.clone());
        root.sys.pooled();
        run(&self.holds, path, move |ticket| job(&root, ticket, &on)).await
    }

    /// Runs a step that reads: here, if it can be answered from the kernel's caches, else in the pool.
    async fn read<T, S>(&self, path: &StoragePath, step: S) -> Result<T>
    where
        T: Send + 'static,
        S: Fn(&Root, Place, &StoragePath) -> Result<T, Stop> + Send + 'static,
    {
        spend(1).await;
        let mut unknown = false;
        // What has to come before it is waited for in the pool.
        if self.holds.is_settled(path) {
            match step(&self.root, Place::Inline, path) {
                Ok(answer) => return Ok(answer),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Elsewhere) => {}
                Err(Stop::Unknown) => unknown = true,
            }
        }
        self.job(path, move |root, _, path| {
            if unknown {
                root.learn();
            }
            step(root, Place::Pool, path).map_err(|stop| stop.into_error(path))
        })
        .await
    }
}

impl fmt::Debug for Filesystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filesystem").field("rootdirectory", &self.root.path()).finish_non_exhaustive()
    }
}

#[async_trait]
impl StorageDriver for Filesystem {
    fn name(&self) -> &str {
        "filesystem"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        let mut opened = self.read(path, Root::content).await?;
        while let Some(rest) = opened.rest.take() {
            if rest.missed {
                return self.job(path, move |root, _, path| root.read_on(path, opened.read, rest)).await;
            }
            spend(TURN).await;
            self.root.read_on_inline(&mut opened, rest);
        }
        Ok(opened.read.into())
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        let mut unknown = false;
        if content.len() <= PUT_INLINE {
            spend(PUT_INLINE as u64).await;
            if self.holds.is_settled(path) {
                match self.root.put_inline(&self.holds, path, &content) {
                    Ok(()) => return Ok(()),
                    Err(Uninlined::Failed(error)) => return Err(error),
                    Err(Uninlined::Elsewhere) => {}
                    Err(Uninlined::Unknown) => unknown = true,
                }
            }
        }
        self.job(path, move |root, ticket, path| {
            if unknown {
                root.learn();
            }
            root.put(ticket, path, &content).map_err(|unput| unput.error)
        })
        .await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let options = options.clone();
        let opened =
            self.read(path, move |root, place, path| root.open_reader(place, path, &options)).await?;
        Ok(opened.into_content(self.root.clone(), path.clone()))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let upload = self
            .job(path, move |root, ticket, path| crate::upload::Upload::open(root, ticket, path, mode))
            .await?;
        let writer = FilesystemWriter::new(self.root.clone(), self.holds.clone(), path.clone(), upload);
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.read(path, Root::stat).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let mut listing = self.read(path, Root::list).await?;
        let mut calls = 1;
        while !listing.is_over() && calls < CALLS {
            spend(BUFFER as u64).await;
            if self.root.list_on(path, &mut listing).is_err() {
                break;
            }
            calls += 1;
        }
        if !listing.is_over() {
            listing = self.job(path, move |root, _, path| root.finish_list(path, listing)).await?;
        }
        Ok(listing.into_found())
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let to = to.clone();
        self.job(from, move |root, ticket, from| root.rename(ticket, from, &to)).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.job(path, |root, ticket, path| root.delete(ticket, path)).await
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        self.job(below, |root, _, below| root.uploads(below)).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let listed = upload.clone();
        self.job(upload.path(), move |root, ticket, _| root.abort(ticket, &listed)).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        self.walk_within(path, options, Limits::default()).await.map(Some)
    }

    fn limits(&self) -> PathLimits {
        self.limits
    }
}
