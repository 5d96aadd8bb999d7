//! A driver in memory that does odd things at some paths, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Layer, ReadOptions, Result, Storage, StorageDriver,
    StoragePath, WalkOptions, WriteMode, async_trait,
};
use storagedriver_inmemory::InMemory;
use tokio::sync::Semaphore;

/// How many children `/many` has.
pub(crate) const MANY: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Chunks that were read from `/chunks/SIZE/NUMBER`.
    pub(crate) chunks: AtomicU64,
    /// Steps of walks of `/numbers`.
    pub(crate) steps: AtomicU64,
    /// Calls of `stat` of `/hang`, and readers, that were dropped.
    pub(crate) dropped: AtomicU64,
    /// Writers that were dropped without an ending.
    pub(crate) unended: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Probe {
    inner: InMemory,
    counts: Arc<Counts>,
    /// What `/gate` waits for before each chunk, and `/slow` before each step of a walk.
    gate: Arc<Semaphore>,
}

pub(crate) struct Probed {
    pub(crate) storage: Storage,
    pub(crate) counts: Arc<Counts>,
    pub(crate) gate: Arc<Semaphore>,
}

pub(crate) fn probe() -> Probed {
    let (counts, gate) = (Arc::new(Counts::default()), Arc::new(Semaphore::new(0)));
    let probe = Probe { inner: InMemory::new(), counts: counts.clone(), gate: gate.clone() };
    Probed { storage: Storage::new(probe), counts, gate }
}

/// Counts that it was dropped.
struct Dropped(Arc<Counts>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Layer for Probe {
    fn inner(&self) -> &dyn StorageDriver {
        &self.inner
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        Some(format!("prefix/{}", path.relative()))
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        assert_ne!(path.as_str(), "/panic", "hunter2");
        self.inner.get_content(path).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        if path.as_str() == "/hang" {
            let _dropped = Dropped(self.counts.clone());
            std::future::pending::<()>().await;
        }
        if path.as_str() == "/block" {
            std::thread::sleep(Duration::from_millis(300));
        }
        self.inner.stat(path).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let parts: Vec<&str> = path.components().collect();
        let (size, number, is_gated) = match parts.as_slice() {
            ["chunks", size, number] => (size.parse().unwrap(), number.parse().unwrap(), false),
            ["gate"] => (10, 3, true),
            ["panic"] => (100_000, 3, false),
            _ => return self.inner.reader(path, options).await,
        };
        let chunk = Bytes::from(vec![b'x'; size]);
        let (counts, gate) = (self.counts.clone(), self.gate.clone());
        let panics = parts == ["panic"];
        let stream = stream::iter(0..number).then(move |index: u64| {
            let (counts, gate, chunk) = (counts.clone(), gate.clone(), chunk.clone());
            async move {
                if is_gated {
                    gate.acquire().await.unwrap().forget();
                }
                assert!(!panics || index < 2, "hunter2");
                counts.chunks.fetch_add(1, Ordering::SeqCst);
                Ok(chunk)
            }
        });
        Ok(Content::new(size as u64 * number, stream).holding(Dropped(self.counts.clone())))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let inner = self.inner.writer(path, mode).await?;
        Ok(Box::new(Writer { inner, path: path.clone(), counts: self.counts.clone(), is_ended: false }))
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        if path.as_str() != "/many" {
            return self.inner.list(path).await;
        }
        (0..MANY)
            .map(|number| Ok(FileInfo::file(path.child(&format!("{number:06}"))?).with_size(1)))
            .collect()
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let is_slow = path.as_str() == "/slow";
        if !is_slow && path.as_str() != "/numbers" {
            return self.inner.walk(path, options).await;
        }
        let (counts, gate) = (self.counts.clone(), is_slow.then(|| self.gate.clone()));
        Ok(Some(Box::new(Numbers { start: path.clone(), next: 0, counts, gate })))
    }
}

/// A writer that refuses the chunk `bad`, and panics at the chunk `panic`.
struct Writer {
    inner: Box<dyn DriverWriter>,
    path: StoragePath,
    counts: Arc<Counts>,
    is_ended: bool,
}

#[async_trait]
impl DriverWriter for Writer {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        match &*chunk {
            b"bad" => Err(Error::throttled(&self.path, "not this one", None)),
            b"panic" => panic!("hunter2"),
            _ => self.inner.write(chunk).await,
        }
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    async fn close(&mut self) -> Result<()> {
        self.is_ended = true;
        self.inner.close().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.is_ended = true;
        self.inner.commit().await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.is_ended = true;
        self.inner.cancel().await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_ended {
            self.counts.unended.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A walk of files without end; or 3,000 of them, each through the gate.
struct Numbers {
    start: StoragePath,
    next: u64,
    counts: Arc<Counts>,
    gate: Option<Arc<Semaphore>>,
}

#[async_trait]
impl DriverWalk for Numbers {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
            if self.next == 3000 {
                return Ok(None);
            }
        }
        self.counts.steps.fetch_add(1, Ordering::SeqCst);
        self.next += 1;
        Ok(Some(FileInfo::file(self.start.child(&format!("{:09}", self.next))?).with_size(self.next)))
    }

    fn skip_dir(&mut self) {}
}
