//! The writer: what was accepted, in a buffer, in parts and in a session.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath, Version, async_trait};
use tokio::time::Instant;

use crate::buffer::Buffer;
use crate::engine::Engine;
use crate::session::{Base, BaseBytes, Session, State, unique};
use crate::sessions::{self, Stored};
use crate::window::Window;
use crate::{ObjectStoreBackend, StoreError, parts};

/// How long an upload goes on before its session is written anew, so that it does not look stale.
const CHECKPOINT: Duration = Duration::from_secs(600);

pub(crate) struct Upload<B> {
    pub(crate) engine: Arc<Engine<B>>,
    pub(crate) path: StoragePath,
    /// The upload as last closed, and what the store's multipart upload is.
    pub(crate) durable: Session,
    pub(crate) durable_tail: Bytes,
    /// The version of the session object; `None` if this writer knows of none.
    pub(crate) version: Option<Version>,
    /// Whether a session may be in the store.
    touched: bool,
    /// A multipart upload that was begun and stands in no session yet.
    pub(crate) pending: Option<String>,
    /// The multipart upload of the session that was resumed, if this writer begins another in its
    /// place.
    replaced: Option<String>,
    /// The part numbers that only this writer may use.
    pub(crate) numbers: Range<u32>,
    pub(crate) base: Option<Base>,
    pub(crate) window: Window,
    pub(crate) buffer: Buffer,
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
            replaced: None,
            numbers: 0..0,
            base: None,
            window: Window::default(),
            buffer: Buffer::new(&engine.meter),
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
        upload.buffer.extend(&stored.tail, stored.session.part_size);
        upload.durable = stored.session;
        upload.durable.contested |= matches!(upload.durable.state, State::Committing(_));
        upload.durable_tail = stored.tail;
        upload.version = Some(stored.version);
        upload.touched = true;
        if !engine.description().stray_parts && upload.durable.parts.is_empty() {
            // None of the parts that it may have is of any use, and it cannot be completed without them.
            upload.replaced = upload.durable.upload.take();
        }
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
                    let replaced = self.replaced.take().filter(|id| self.durable.upload.as_ref() != Some(id));
                    if let Some(id) = replaced {
                        // What is left goes with `abort_stale`.
                        let _ = self.engine.backend.abort(&self.key(), &id).await;
                    }
                    return Ok(());
                }
                Err(StoreError::Precondition) => self.adopt().await?,
                Err(error) => return Err(error.at(&self.path)),
            }
        }
    }

    /// Takes over what another wrote to the session without ending the upload.
    pub(crate) async fn adopt(&mut self) -> Result<()> {
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

    /// Makes all that was accepted durable.
    pub(crate) async fn keep(&mut self) -> Result<()> {
        self.drain().await?;
        self.settle().await?;
        let (parts, size, base) = (self.window.parts(), self.total(), self.base.clone());
        let numbers = self.numbers.clone();
        let tail = self.buffer.copy();
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
        self.window.stop(self.engine.description().detached).await;
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
        // Without memory for more, its part goes before more is taken.
        self.window.end_alone().await.map_err(|error| error.at(&self.path))?;
        if let Some(spare) = self.window.look().map_err(|error| error.at(&self.path))? {
            self.buffer.reuse(spare);
        }
        let size = parts::size_after(self.engine.description(), self.durable.part_size, self.window.len());
        self.buffer.extend(&chunk, size);
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
