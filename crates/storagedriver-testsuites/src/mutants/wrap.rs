//! What mutants are made of.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    DriverWriter, Error, FileInfo, Layer, Result, Storage, StorageDriver, StoragePath, UploadInfo,
    WalkOptions, WriteMode,
};

/// Nothing that mutants guard can be left half-changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets other tasks run, other processes look, and the future be dropped, between two steps that should be one.
pub(super) async fn gap() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A driver that breaks one sentence: the methods that do, and what it remembers.
macro_rules! mutant {
    ($(#[doc = $doc:literal])+ $name:ident { $($methods:tt)* }) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(super) struct $name {
            inner: Arc<dyn StorageDriver>,
        }

        impl $name {
            pub(super) fn wrap(inner: Arc<dyn StorageDriver>) -> Arc<dyn StorageDriver> {
                Arc::new($name { inner })
            }
        }

        #[async_trait]
        impl Layer for $name {
            fn inner(&self) -> &dyn StorageDriver {
                &*self.inner
            }

            $($methods)*
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident remembers $state:ty { $($methods:tt)* }) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(super) struct $name {
            inner: Arc<dyn StorageDriver>,
            state: Arc<Mutex<$state>>,
        }

        impl $name {
            pub(super) fn wrap(inner: Arc<dyn StorageDriver>) -> Arc<dyn StorageDriver> {
                Arc::new($name { inner, state: Arc::default() })
            }
        }

        #[async_trait]
        impl Layer for $name {
            fn inner(&self) -> &dyn StorageDriver {
                &*self.inner
            }

            $($methods)*
        }
    };
}
pub(super) use mutant;

/// A writer whose habits are wrong, in one way.
#[async_trait]
pub(super) trait Habit: Send + Sync + 'static {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        desk.inner.writer(path, mode).await
    }

    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        draft.inner.write(chunk).await
    }

    fn size(draft: &Draft) -> u64 {
        draft.inner.size()
    }

    async fn close(draft: &mut Draft) -> Result<()> {
        draft.inner.close().await
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        draft.inner.commit().await
    }

    async fn cancel(draft: &mut Draft) -> Result<()> {
        draft.inner.cancel().await
    }

    /// When it is dropped without an ending.
    fn dropped(draft: &mut Draft) {
        let _ = draft;
    }
}

/// What the writers of one driver share.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) inner: Arc<dyn StorageDriver>,
    /// What was last closed at each path.
    pub(super) closed: Arc<Mutex<BTreeMap<StoragePath, Bytes>>>,
    /// How many writers were opened at each path, and how many of them are open.
    pub(super) opened: Arc<Mutex<BTreeMap<StoragePath, (u64, u64)>>>,
    /// Bytes that no writer has passed on yet.
    pub(super) buffer: Arc<Mutex<Vec<u8>>>,
}

impl Desk {
    pub(super) async fn uploads_at(&self, path: &StoragePath) -> Result<Vec<UploadInfo>> {
        let mut uploads = self.inner.uploads(path).await?;
        uploads.retain(|upload| upload.path() == path);
        Ok(uploads)
    }

    pub(super) fn closed_at(&self, path: &StoragePath) -> Bytes {
        lock(&self.closed).get(path).cloned().unwrap_or_default()
    }

    /// A closed upload, made anew.
    pub(super) async fn leave_upload(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        let mut writer = self.inner.writer(path, WriteMode::Create).await?;
        if !content.is_empty() {
            writer.write(content).await?;
        }
        writer.close().await
    }
}

/// One upload, as a wrong writer sees it.
pub(super) struct Draft {
    pub(super) inner: Box<dyn DriverWriter>,
    pub(super) desk: Desk,
    pub(super) path: StoragePath,
    /// All that was accepted, since the upload began.
    pub(super) accepted: Vec<u8>,
    /// Whether an upload was resumed, and not content.
    pub(super) resumed: bool,
    /// Whether content was gone on from.
    pub(super) continued: bool,
    /// Whether this writer took anything.
    pub(super) written: bool,
    /// Which writer of its path this is.
    pub(super) number: u64,
    /// The nearest directory above that was there when it was opened, the root excepted.
    pub(super) directory: Option<StoragePath>,
    ended: bool,
}

impl Draft {
    pub(super) fn content(&self) -> Bytes {
        Bytes::copy_from_slice(&self.accepted)
    }

    pub(super) async fn publish(&self) -> Result<()> {
        self.desk.inner.put_content(&self.path, self.content()).await
    }

    pub(super) fn conflict<T>(&self) -> Result<T> {
        Err(Error::conflict(&self.path, "another writer has opened the upload since"))
    }

    /// Whether a writer of the same path was opened after this one.
    pub(super) fn is_overtaken(&self) -> bool {
        lock(&self.desk.opened).get(&self.path).is_some_and(|(opened, _)| *opened > self.number)
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true)
            && let Some((_, open)) = lock(&self.desk.opened).get_mut(&self.path)
        {
            *open = open.saturating_sub(1);
        }
    }
}

/// The driver whose writers have the habit.
pub(super) struct Writes<H> {
    desk: Desk,
    habit: PhantomData<H>,
}

impl<H: Habit> Writes<H> {
    pub(super) fn wrap(inner: Arc<dyn StorageDriver>) -> Arc<dyn StorageDriver> {
        let desk = Desk { inner, closed: Arc::default(), opened: Arc::default(), buffer: Arc::default() };
        Arc::new(Writes::<H> { desk, habit: PhantomData })
    }
}

impl<H> fmt::Debug for Writes<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.desk.fmt(f)
    }
}

#[async_trait]
impl<H: Habit> Layer for Writes<H> {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.desk.inner
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let resumed = mode == WriteMode::Append && !self.desk.uploads_at(path).await?.is_empty();
        let inner = H::open(&self.desk, path, mode).await?;
        let accepted = match inner.size() {
            0 => Vec::new(),
            size if resumed && size == self.desk.closed_at(path).len() as u64 => {
                self.desk.closed_at(path).to_vec()
            }
            _ if resumed => Vec::new(),
            _ => self.desk.inner.get_content(path).await?.to_vec(),
        };
        let number = {
            let mut opened = lock(&self.desk.opened);
            let (count, open) = opened.entry(path.clone()).or_default();
            (*count, *open) = (*count + 1, *open + 1);
            *count
        };
        let mut directory = path.parent();
        while let Some(above) = directory.take_if(|above| !above.is_root()) {
            if self.desk.inner.stat(&above).await.is_ok() {
                directory = Some(above);
                break;
            }
            directory = above.parent();
        }
        let directory = directory.filter(|above| !above.is_root());
        let draft = Draft {
            inner,
            desk: self.desk.clone(),
            path: path.clone(),
            accepted,
            resumed,
            continued: mode == WriteMode::Append && !resumed,
            written: false,
            number,
            directory,
            ended: false,
        };
        Ok(Box::new(Written::<H> { draft, habit: PhantomData }))
    }
}

struct Written<H: Habit> {
    draft: Draft,
    habit: PhantomData<H>,
}

#[async_trait]
impl<H: Habit> DriverWriter for Written<H> {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.draft.written = true;
        let before = self.draft.accepted.len();
        self.draft.accepted.extend_from_slice(&chunk);
        let outcome = H::write(&mut self.draft, chunk).await;
        if outcome.is_err() {
            self.draft.accepted.truncate(before);
        }
        outcome
    }

    fn size(&self) -> u64 {
        H::size(&self.draft)
    }

    async fn close(&mut self) -> Result<()> {
        H::close(&mut self.draft).await?;
        self.draft.end();
        let (path, content) = (self.draft.path.clone(), self.draft.content());
        lock(&self.draft.desk.closed).insert(path, content);
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let outcome = H::commit(&mut self.draft).await;
        self.draft.end();
        outcome
    }

    async fn cancel(&mut self) -> Result<()> {
        let outcome = H::cancel(&mut self.draft).await;
        self.draft.end();
        outcome
    }
}

impl<H: Habit> Drop for Written<H> {
    fn drop(&mut self) {
        if !self.draft.ended {
            H::dropped(&mut self.draft);
            self.draft.end();
        }
    }
}

/// A walk over entries that are known.
pub(super) struct Prepared {
    entries: Vec<FileInfo>,
    place: usize,
    skip: Skip,
}

/// What `skip_dir` of a prepared walk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// Leaves out what lies below the directory that came last.
    Below,
    /// Nothing.
    Nothing,
    /// After a file, leaves out the rest of its directory.
    RestAfterFile,
    /// Before the first entry, leaves out that one and what is below it.
    First,
}

impl Prepared {
    pub(super) fn walk(entries: Vec<FileInfo>, skip: Skip) -> Box<dyn storagedriver::DriverWalk> {
        Box::new(Prepared { entries, place: 0, skip })
    }
}

#[async_trait]
impl storagedriver::DriverWalk for Prepared {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        let next = self.entries.get(self.place).cloned();
        self.place += usize::from(next.is_some());
        Ok(next)
    }

    fn skip_dir(&mut self) {
        let last = self.place.checked_sub(1).and_then(|place| self.entries.get(place));
        let hidden = match (last, self.skip) {
            (_, Skip::Nothing) => None,
            (None, Skip::First) => self.entries.first().map(|info| info.path().clone()),
            (None, _) => None,
            (Some(info), Skip::RestAfterFile) if info.is_file() => info.path().parent(),
            (Some(info), _) if info.is_file() => None,
            (Some(info), _) => Some(info.path().clone()),
        };
        if let Some(directory) = hidden {
            let (place, first) = (self.place, self.skip == Skip::First);
            let mut number = 0;
            self.entries.retain(|info| {
                number += 1;
                number <= place || !(info.path().is_below(&directory) || (first && *info.path() == directory))
            });
        }
    }
}

/// Every entry of the right walk.
pub(super) async fn right_walk(
    inner: &Arc<dyn StorageDriver>,
    start: &StoragePath,
    options: &WalkOptions,
) -> Result<Vec<FileInfo>> {
    let mut walk = Storage::from_arc(inner.clone()).walk(start.as_str(), options.clone()).await?;
    let mut entries = Vec::new();
    while let Some(info) = walk.next().await? {
        entries.push(info);
    }
    Ok(entries)
}
