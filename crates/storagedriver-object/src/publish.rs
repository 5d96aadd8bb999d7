//! The commit of an upload.

use bytes::{Bytes, BytesMut};
use storagedriver::{Error, ReadOptions, Result, Version};

use crate::content::read;
use crate::rename::{copy_ranges, ranges};
use crate::session::{Base, BaseBytes};
use crate::upload::Upload;
use crate::{
    Condition, Object, ObjectStoreBackend, Part, PutOptions, StoreError, StoreResult, parts, sessions,
};

impl<B: ObjectStoreBackend> Upload<B> {
    /// Publishes what was accepted; when it fails, keeps it for another try. The version that it made,
    /// unless that was not told.
    pub(crate) async fn publish(&mut self) -> Result<Option<Version>> {
        if let Err(error) = self.gather().await {
            let _ = self.keep().await;
            return Err(error);
        }
        // Another writer of the same upload may still begin one.
        let id = self.durable.upload.clone();
        let mark = match id {
            Some(_) => self.durable.nonce.clone(),
            None => format!("{}.{}", self.durable.nonce, self.durable.generation),
        };
        if self.version.is_some() {
            self.mark_committing(&mark).await?;
        }
        let version = match self.request(id.as_deref(), &mark).await {
            Ok(version) => Some(version),
            // The answer may be lost and the request done.
            Err(error) => match self.engine.holds_mark(&self.path, &mark).await {
                Ok(true) => None,
                Ok(false) => return Err(self.failed(error).await),
                Err(_) => return Err(error.at(&self.path)),
            },
        };
        if self.version.is_some() {
            // Parts that a writer of the same upload began meanwhile; and whatever the store keeps of an
            // upload of which it did not say that it ended.
            if id.is_none() || version.is_none() {
                let _ = sessions::abort_parts(&self.engine, &self.durable).await;
            }
            // It is done. If this is not, the next to find the session sees that by the mark.
            let _ = sessions::remove(&self.engine, &self.path, &self.durable.nonce).await;
        }
        Ok(version)
    }

    async fn failed(&mut self, error: StoreError) -> Error {
        match error {
            StoreError::NoSuchUpload => self.lost(),
            StoreError::Precondition => {
                let _ = self.keep().await;
                self.base_gone()
            }
            error => {
                let _ = self.keep().await;
                error.at(&self.path)
            }
        }
    }

    fn base_gone(&self) -> Error {
        let reason = "the content that the append started from was replaced; cancel the upload or begin \
                      one with Create";
        Error::conflict(&self.path, reason)
    }

    /// Gets everything to where it can be published from.
    async fn gather(&mut self) -> Result<()> {
        self.take_base().await?;
        if self.base.as_ref().is_some_and(|base| base.bytes == BaseBytes::Gone) {
            return Err(self.base_gone());
        }
        self.drain().await?;
        if self.window.len() == 0 && self.durable.upload.is_none() {
            return Ok(());
        }
        if !self.buffer.is_empty() || self.window.len() == 0 {
            self.reserve(1).await?;
            let budget = self.engine.options.budget.clone();
            let size = self.buffer.len() as u64;
            let permit = self
                .window
                .room(self.engine.parallel(), &budget, size)
                .await
                .map_err(|error| error.at(&self.path))?;
            let content = self.buffer.split().freeze();
            self.send(content, permit);
        }
        self.settle().await
    }

    async fn request(&mut self, id: Option<&str>, mark: &str) -> StoreResult<Version> {
        let description = self.engine.description();
        let parts = self.window.parts();
        let conditional =
            if parts.is_empty() { description.conditional_put } else { description.conditional_complete };
        let mut options = PutOptions { condition: None, mark: Some(mark.to_owned()) };
        let key = self.key();
        if let Some(base) = &self.base {
            if conditional {
                options.condition = Some(Condition::Matches(Version::new(&base.version)));
            } else {
                // Second best: a put between this look and the publication is lost.
                match self.engine.backend.head(&key).await {
                    Ok(object) if object.version.as_str() == base.version => {}
                    Ok(_) | Err(StoreError::NotFound) => return Err(StoreError::Precondition),
                    Err(error) => return Err(error),
                }
            }
        }
        let backend = &self.engine.backend;
        let published = match (id, parts.is_empty()) {
            (Some(id), _) => backend.complete(&key, id, &parts, options.condition.as_ref()).await,
            (None, true) => backend.put(&key, self.buffer.clone().freeze(), &options).await,
            (None, false) => {
                let segments: Vec<String> = parts.into_iter().map(|part| part.tag).collect();
                backend.concatenate(&key, &segments, &options).await
            }
        };
        match published {
            Err(StoreError::NotFound) if self.base.is_some() => Err(StoreError::Precondition),
            // Its segments: a delete was faster.
            Err(StoreError::NotFound) => Err(StoreError::NoSuchUpload),
            published => published,
        }
    }

    /// Makes the content that an append goes on from the beginning of the upload. If it was replaced,
    /// the upload goes on without it, and its commit tells.
    pub(crate) async fn take_base(&mut self) -> Result<()> {
        let at_path = self.base.clone().filter(|base| base.bytes == BaseBytes::AtPath);
        let Some(mut base) = at_path else { return Ok(()) };
        match self.bring_base(&base).await? {
            // From here on nothing waits: a dropped future leaves all of it or nothing.
            Some((first, mut rest)) => {
                self.window.prepend(first);
                rest.extend_from_slice(&self.buffer);
                self.buffer = rest;
                base.bytes = BaseBytes::Taken;
            }
            None => base.bytes = BaseBytes::Gone,
        }
        self.base = Some(base);
        Ok(())
    }

    /// The base as parts and the bytes behind them, by copies in the store where it has them, else
    /// through this process; `None` if it is not at the path any more.
    async fn bring_base(&mut self, base: &Base) -> Result<Option<(Vec<Part>, BytesMut)>> {
        let Some((mut first, copied)) = self.copy_base(base).await? else { return Ok(None) };
        let mut rest = BytesMut::new();
        if copied < base.size {
            let gone = |error: &Error| matches!(error, Error::PathNotFound { .. } | Error::Conflict { .. });
            let options = ReadOptions::from_offset(copied).with_version(Version::new(&base.version));
            let mut content = match read(&self.engine, &self.path, &options).await {
                Err(error) if gone(&error) => return Ok(None),
                content => content?,
            };
            while let Some(chunk) = content.next().await {
                match chunk {
                    Err(error) if gone(&error) => return Ok(None),
                    chunk => rest.extend_from_slice(&chunk?),
                }
                self.send_base(&mut first, &mut rest).await?;
            }
        }
        Ok(Some((first, rest)))
    }

    async fn send_base(&mut self, sent: &mut Vec<Part>, rest: &mut BytesMut) -> Result<()> {
        loop {
            let size = parts::size_after(self.engine.description(), self.durable.part_size, sent.len());
            let Some(length) = usize::try_from(size).ok().filter(|length| *length <= rest.len()) else {
                return Ok(());
            };
            self.reserve(1).await?;
            let Some(number) = self.numbers.next() else { return Err(self.lost()) };
            let content: Bytes = rest.split_to(length).freeze();
            let tag = self.sender()(number, content).await.map_err(|error| error.at(&self.path))?;
            sent.push(Part { number, tag, size });
        }
    }

    /// Copies what makes whole parts; the parts and how many bytes they are, `None` if the base is gone.
    async fn copy_base(&mut self, base: &Base) -> Result<Option<(Vec<Part>, u64)>> {
        let description = self.engine.description().clone();
        let first = self.durable.part_size;
        let piece = if description.same_size_parts {
            first
        } else {
            let even = base.size.div_ceil(u64::from((description.max_parts / 2).max(1)));
            first.max(even).min(description.max_part.max(first))
        };
        let count = base.size / piece.max(1);
        if !description.multipart || !description.copy_part || count == 0 {
            return Ok(Some((Vec::new(), 0)));
        }
        self.reserve(u32::try_from(count).unwrap_or(u32::MAX)).await?;
        let copied = count * piece;
        let pieces: Vec<_> = self.numbers.by_ref().zip(ranges(copied, piece)).collect();
        let source = Object {
            key: self.key(),
            size: base.size,
            modified: std::time::SystemTime::UNIX_EPOCH,
            version: Version::new(&base.version),
            mark: None,
        };
        let id = self.durable.upload.clone().unwrap_or_default();
        match copy_ranges(&self.engine, (&source.key, &id), &source, pieces).await {
            Ok(parts) => Ok(Some((parts, copied))),
            Err(StoreError::Precondition | StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.at(&self.path)),
        }
    }
}
