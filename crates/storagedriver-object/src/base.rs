//! The content that an append goes on from, made the beginning of its upload.

use storagedriver::{Error, ReadOptions, Result, Version};

use crate::buffer::Buffer;
use crate::content::read;
use crate::rename::{copy_ranges, ranges};
use crate::session::{Base, BaseBytes};
use crate::upload::Upload;
use crate::{Object, ObjectStoreBackend, Part, StoreError, parts};

impl<B: ObjectStoreBackend> Upload<B> {
    /// Makes the content that an append goes on from the beginning of the upload. If it was replaced,
    /// the upload goes on without it, and its commit tells.
    pub(crate) async fn take_base(&mut self) -> Result<()> {
        let at_path = self.base.clone().filter(|base| base.bytes == BaseBytes::AtPath);
        let Some(mut base) = at_path else { return Ok(()) };
        match self.bring_base(&base).await? {
            // From here on nothing waits: a dropped future leaves all of it or nothing.
            Some((first, rest)) => {
                self.window.prepend(first);
                self.buffer.prepend(rest, self.durable.part_size);
                base.bytes = BaseBytes::Taken;
            }
            None => base.bytes = BaseBytes::Gone,
        }
        self.base = Some(base);
        Ok(())
    }

    /// The base as parts and the bytes behind them, by copies in the store where it has them, else
    /// through this process; `None` if it is not at the path any more.
    async fn bring_base(&mut self, base: &Base) -> Result<Option<(Vec<Part>, Buffer)>> {
        let Some((mut first, copied)) = self.copy_base(base).await? else { return Ok(None) };
        let mut rest = Buffer::new(&self.engine.meter);
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
                    chunk => rest.extend(&chunk?, self.durable.part_size),
                }
                self.send_base(&mut first, &mut rest).await?;
            }
        }
        Ok(Some((first, rest)))
    }

    async fn send_base(&mut self, sent: &mut Vec<Part>, rest: &mut Buffer) -> Result<()> {
        loop {
            let size = parts::size_after(self.engine.description(), self.durable.part_size, sent.len());
            let Some(length) = usize::try_from(size).ok().filter(|length| *length <= rest.len()) else {
                return Ok(());
            };
            self.reserve(1).await?;
            let Some(number) = self.numbers.next() else { return Err(self.lost()) };
            let (content, _held) = rest.take(length);
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
