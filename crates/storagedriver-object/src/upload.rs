//! The writer: what was accepted, in a buffer, in parts and in a session.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use storagedriver::{BoxFuture, DriverWriter, Error, Result, StoragePath, Version, async_trait};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::session::{Base, BaseBytes, Session, State, unique};
use crate::sessions::{self, Stored};
use crate::window::Window;
use crate::{ObjectStoreBackend, PutOptions, StoreError, StoreResult, parts};

/// How long an upload goes on before its session is written anew, so that it does not look stale.
const CHECKPOINT: Duration = Duration::from_secs(600);
/// How many part numbers a writer takes at once.
const BLOCK: u32 = 64;

pub(crate) struct Upload<B> {
    pub(crate) engine: Arc<Engine<B>>,
    pub(crate) path: StoragePath,
    /// The upload as last closed, and what the store's multipart upload is.
    pub(crate) durable: Session,
    durable_tail: Bytes,
    /// The version of the session object; `None` if this writer knows of none.
    pub(crate) version: Option<Version>,
    /// Whether a session may be in the store.
    touched: bool,
    /// A multipart upload that was begun and stands in no session yet.
    pending: Option<String>,
    /// The part numbers that only this writer may use.
    pub(crate) numbers: Range<u32>,
    pub(crate) base: Option<Base>,
    pub(crate) window: Window,
    pub(crate) buffer: BytesMut,
    saved: Instant,
    /// Whether the multipart upload was seen to be gone: nobody can go on with it.
    pub(crate) dead: bool,
    /// Names the segments of this writer.
    pub(crate) writer: String,
}

impl<B: ObjectStoreBackend> Upload<B> {
    /// A new upload; no request is made for it before it has to be kept.
    pub(crate) fn begin(engine: &Arc<Engine<B>>, path: &StoragePath) -> Self {
        let durable = Session {
            path: path.as_str().to_owned(),
            nonce: unique(),
            generation: 0,
            token: String::new(),
            state: State::Open,
            size: None,
            upload: None,
            part_size: parts::first_size(engine.description(), engine.options.part_size),
            parts: Vec::new(),
            free: 1,
            base: None,
            contested: false,
        };
        Upload {
            engine: engine.clone(),
            path: path.clone(),
            durable,
            durable_tail: Bytes::new(),
            version: None,
            touched: false,
            pending: None,
            numbers: 0..0,
            base: None,
            window: Window::default(),
            buffer: BytesMut::new(),
            saved: Instant::now(),
            dead: false,
            writer: unique(),
        }
    }

    /// A new upload that goes on from committed content.
    pub(crate) fn onto(engine: &Arc<Engine<B>>, path: &StoragePath, base: Base) -> Self {
        let mut upload = Self::begin(engine, path);
        upload.durable.base = Some(base.clone());
        upload.base = Some(base);
        upload
    }

    /// The upload that a session tells of.
    pub(crate) fn resume(engine: &Arc<Engine<B>>, path: &StoragePath, stored: Stored) -> Self {
        let mut upload = Self::begin(engine, path);
        upload.base = stored.session.base.clone();
        upload.window = Window::of(stored.session.parts.clone());
        upload.buffer = BytesMut::from(&stored.tail[..]);
        upload.durable = stored.session;
        upload.durable.contested |= matches!(upload.durable.state, State::Committing(_));
        upload.durable_tail = stored.tail;
        upload.version = Some(stored.version);
        upload.touched = true;
        upload
    }

    pub(crate) fn key(&self) -> String {
        self.engine.keys.file(&self.path)
    }

    fn total(&self) -> u64 {
        let base =
            self.base.as_ref().filter(|base| base.bytes != BaseBytes::Taken).map_or(0, |base| base.size);
        self.window.bytes() + base + self.buffer.len() as u64
    }

    /// Makes a function that sends one part, or one segment.
    pub(crate) fn sender(
        &self,
    ) -> impl Fn(u32, Bytes) -> BoxFuture<'static, StoreResult<String>> + Send + Sync + use<B> {
        let (engine, key) = (self.engine.clone(), self.key());
        let id = self.durable.upload.clone().unwrap_or_default();
        let segments = format!("{}/{}", engine.keys.session(&self.path, &self.durable.nonce), self.writer);
        move |number, content| {
            let (engine, key, id) = (engine.clone(), key.clone(), id.clone());
            let segment = format!("{segments}-{number:08}");
            Box::pin(async move {
                if engine.description().multipart {
                    return engine.backend.put_part(&key, &id, number, content).await;
                }
                engine.backend.put(&segment, content, &PutOptions::default()).await?;
                Ok(segment)
            })
        }
    }

    /// Writes the session: what `change` makes of the durable state. If another writer only took
    /// part numbers meanwhile, over what that one wrote.
    pub(crate) async fn store(&mut self, change: impl Fn(&mut Session) + Send, tail: &[u8]) -> Result<()> {
        loop {
            let mut session = self.durable.clone();
            change(&mut session);
            self.touched = true;
            let saved =
                sessions::save(&self.engine, &self.path, &mut session, tail, self.version.as_ref()).await;
            match saved {
                Ok(version) => {
                    self.version = Some(version);
                    self.durable = session;
                    self.saved = Instant::now();
                    return Ok(());
                }
                Err(StoreError::Precondition) => self.adopt().await?,
                Err(error) => return Err(error.at(&self.path)),
            }
        }
    }

    /// Takes over what another wrote to the session without ending the upload.
    async fn adopt(&mut self) -> Result<()> {
        let found = sessions::read(&self.engine, &self.path, &self.durable.nonce).await?;
        let same = |session: &Session| {
            session.generation == self.durable.generation && session.state == self.durable.state
        };
        let Some(found) = found.filter(|found| same(&found.session)) else {
            return Err(self.lost());
        };
        self.version = Some(found.version);
        self.durable.free = found.session.free;
        self.durable.upload = found.session.upload;
        Ok(())
    }

    pub(crate) fn lost(&self) -> Error {
        Error::conflict(&self.path, "the upload was ended elsewhere: closed, committed or aborted; resume it")
    }

    /// Makes sure that this writer may use `count` more part numbers. The session names the
    /// multipart upload before the first part is sent.
    pub(crate) async fn reserve(&mut self, count: u32) -> Result<()> {
        let tail = self.durable_tail.clone();
        if !self.engine.description().multipart {
            if self.version.is_none() {
                self.store(|_| {}, &tail).await?;
            }
            if self.numbers.is_empty() {
                self.numbers = 1..u32::MAX;
            }
            return Ok(());
        }
        if u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) >= count {
            return Ok(());
        }
        if self.durable.upload.is_none() && self.pending.is_none() {
            let begun = self.engine.backend.begin_upload(&self.key(), &self.durable.nonce).await;
            self.pending = Some(begun.map_err(|error| error.at(&self.path))?);
        }
        let end = self.engine.description().max_parts.saturating_add(1);
        let block = BLOCK.max(u32::try_from(self.window.len()).unwrap_or(u32::MAX)).max(count);
        let pending = self.pending.clone();
        let from = AtomicU32::new(0);
        let claimed = self
            .store(
                |session| {
                    session.upload = session.upload.take().or_else(|| pending.clone());
                    from.store(session.free, Ordering::Relaxed);
                    session.free = session.free.saturating_add(block).min(end).max(session.free);
                },
                &tail,
            )
            .await;
        if matches!(claimed, Err(Error::Conflict { .. })) || claimed.is_ok() {
            self.drop_pending().await;
        }
        claimed?;
        let from = from.into_inner();
        // Between its own and these, another writer may have taken some.
        let start =
            if self.numbers.end == from && !self.numbers.is_empty() { self.numbers.start } else { from };
        self.numbers = start..self.durable.free;
        if u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) < count {
            return Err(self.too_many());
        }
        Ok(())
    }

    fn too_many(&self) -> Error {
        let reason = format!(
            "the upload needs more than the {} parts that the store allows, at {} bytes for the first of \
             them; raise the parameter chunksize",
            self.engine.description().max_parts,
            self.durable.part_size
        );
        Error::unsupported(&self.path, reason)
    }

    /// Aborts what was begun and did not become the upload of the session.
    async fn drop_pending(&mut self) {
        if let Some(id) = self.pending.take().filter(|id| self.durable.upload.as_ref() != Some(id)) {
            // What is left goes with `abort_stale`.
            let _ = self.engine.backend.abort(&self.key(), &id).await;
        }
    }

    /// Sends what fills parts. What it has not sent when it fails or is dropped stays in the buffer.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        loop {
            let description = self.engine.description();
            let size = parts::size_after(description, self.durable.part_size, self.window.len());
            let Some(length) = usize::try_from(size).ok().filter(|length| *length <= self.buffer.len())
            else {
                return Ok(());
            };
            if self.base.as_ref().is_some_and(|base| base.bytes == BaseBytes::AtPath) {
                self.take_base().await?;
                continue;
            }
            self.reserve(1).await?;
            let (parallel, budget) = (self.engine.parallel(), self.engine.options.budget.clone());
            let permit =
                self.window.room(parallel, &budget, size).await.map_err(|error| error.at(&self.path))?;
            let content = self.buffer.split_to(length).freeze();
            self.send(content, permit);
        }
    }

    pub(crate) fn send(&mut self, content: Bytes, permit: Option<tokio::sync::OwnedSemaphorePermit>) {
        if let Some(number) = self.numbers.next() {
            let send = self.sender();
            self.window.add(number, content, permit, send);
        }
    }

    pub(crate) async fn settle(&mut self) -> Result<()> {
        let send = self.sender();
        let settled = self.window.settle(send).await;
        self.dead |= matches!(settled, Err(StoreError::NoSuchUpload));
        settled.map_err(|error| error.at(&self.path))
    }

    /// Makes all that was accepted durable.
    pub(crate) async fn keep(&mut self) -> Result<()> {
        self.drain().await?;
        self.settle().await?;
        let (parts, size, base) = (self.window.parts(), self.total(), self.base.clone());
        let numbers = self.numbers.clone();
        let tail = self.buffer.clone().freeze();
        let close = |session: &mut Session| {
            session.state = State::Open;
            session.generation += 1;
            session.size = Some(size);
            session.parts.clone_from(&parts);
            session.base.clone_from(&base);
            // Nobody took numbers after this writer did: what it did not use is free again.
            if !numbers.is_empty() && session.free == numbers.end {
                session.free = numbers.start;
            }
        };
        self.store(close, &tail).await?;
        self.durable_tail = tail;
        self.numbers = 0..0;
        Ok(())
    }

    /// Writes that a commit with this mark has begun; what was closed stays what a crash leaves.
    pub(crate) async fn mark_committing(&mut self, mark: &str) -> Result<()> {
        let tail = self.durable_tail.clone();
        self.store(|session| session.state = State::Committing(mark.to_owned()), &tail).await
    }

    async fn abandon(&mut self) -> Result<()> {
        self.window.stop().await;
        self.drop_pending().await;
        if !self.touched {
            return Ok(());
        }
        if self.durable.size.is_none() {
            // Never closed: nobody else goes on with it.
            sessions::abort_parts(&self.engine, &self.durable).await?;
            return sessions::remove(&self.engine, &self.path, &self.durable.nonce).await;
        }
        match sessions::read(&self.engine, &self.path, &self.durable.nonce).await? {
            Some(found) if found.session.generation == self.durable.generation => {
                match sessions::end(&self.engine, &self.path, found).await {
                    Err(Error::Conflict { .. }) => Ok(()),
                    ended => ended,
                }
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl<B: ObjectStoreBackend> DriverWriter for Upload<B> {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.drain().await?;
        if self.version.is_some() && self.saved.elapsed() >= CHECKPOINT {
            let tail = self.durable_tail.clone();
            self.store(|_| {}, &tail).await?;
        }
        self.buffer.extend_from_slice(&chunk);
        Ok(())
    }

    fn size(&self) -> u64 {
        self.total()
    }

    async fn close(&mut self) -> Result<()> {
        let kept = self.keep().await;
        if self.dead {
            let _ = self.clear_completed(false).await;
        }
        kept
    }

    async fn commit(&mut self) -> Result<()> {
        self.publish().await.map(drop)
    }

    async fn cancel(&mut self) -> Result<()> {
        self.abandon().await
    }
}
