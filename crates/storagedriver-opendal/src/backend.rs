//! The backend: what the engine asks of a store, asked of an `Operator`.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use opendal::options::{CopyOptions, DeleteOptions, ReaderOptions};
use opendal::{Capability, Metadata, Operator};
use storagedriver::{ErrorKind, Result, Version, async_trait};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectStoreBackend, Page, PutOptions, StoreError,
    StoreResult, joined, unbroken,
};

use crate::Review;
use crate::failure::failure;
use crate::ledger::Ledger;
use crate::listing;
use crate::parameters::invalid;

/// The metadata that an object's mark is kept in; Azure wants a name that programs can have.
pub(crate) const MARK: &str = "storagedrivermark";

/// So often a read begins anew because the object was replaced meanwhile.
const MOST_READS: usize = 20;

/// A service of OpenDAL, as the engine sees it.
#[derive(Debug, Clone)]
pub struct OpenDalBackend {
    pub(crate) operator: Operator,
    pub(crate) review: Review,
    pub(crate) capability: Capability,
    /// Used where the service is private.
    pub(crate) ledger: Arc<Ledger>,
}

impl OpenDalBackend {
    /// The operator, of whose service the review is true; `None`: what is known of it.
    ///
    /// # Errors
    /// `InvalidParameter` if the service cannot read, write, delete, stat and list.
    pub fn new(operator: Operator, review: Option<Review>) -> Result<Self> {
        let info = operator.info();
        let capability = info.capability();
        let needed = [
            (capability.read, "read"),
            (capability.write && capability.write_can_empty, "write whatever size"),
            (capability.delete, "delete"),
            (capability.stat, "stat"),
            (capability.list, "list"),
        ];
        if let Some((_, lacking)) = needed.iter().find(|(has, _)| !has) {
            let reason = format!("{} cannot {lacking}, which a registry needs; use another", info.scheme());
            return Err(invalid("service", reason));
        }
        let mut review = review.unwrap_or_else(|| Review::of(&info));
        // Not what OpenDAL offers, whatever the review says.
        review.description.multipart = false;
        Ok(OpenDalBackend { operator, review, capability, ledger: Arc::default() })
    }

    pub(crate) async fn stat(&self, key: &str) -> StoreResult<Metadata> {
        let found = self.operator.stat(key).await.map_err(|error| failure("look at an object", error))?;
        if found.is_file() { Ok(found) } else { Err(StoreError::NotFound) }
    }

    async fn read_private(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let ledger = self.ledger.open().await;
        let content = self.operator.read(key).await.map_err(|error| failure("read an object", error))?;
        let (entry, size) = (ledger.entry(key), content.len() as u64);
        if version.is_some_and(|version| *version != entry.version) {
            return Err(StoreError::Precondition);
        }
        let range = within(range, size)?;
        let at = |offset: u64| usize::try_from(offset).unwrap_or(content.len());
        let content = content.slice(at(range.start)..at(range.end)).to_bytes();
        let object = Object {
            key: key.to_owned(),
            size,
            modified: entry.modified,
            version: entry.version,
            mark: entry.mark,
        };
        Ok(Download { object, stream: stream::once(std::future::ready(Ok(content))).boxed() })
    }

    /// Opens the object that was looked at; `None` if it is another by now.
    async fn read(&self, object: Object, range: Range<u64>) -> StoreResult<Option<Download>> {
        let conditional = self.review.description.versions && self.capability.read_with_if_match;
        let options = ReaderOptions {
            if_match: conditional.then(|| object.version.as_str().to_owned()),
            content_length_hint: Some(object.size),
            ..ReaderOptions::default()
        };
        let failed = |error| failure("read an object", error);
        let reader = self.operator.reader_options(&object.key, options).await.map_err(failed)?;
        let stream = reader.into_stream(range).await.map_err(failed)?;
        let mut stream = stream.map_ok(|buffer| buffer.to_bytes()).map_err(failed).boxed();
        // Only now is it open.
        let first = match stream.next().await {
            Some(Err(StoreError::Precondition)) => return Ok(None),
            Some(Err(error)) => return Err(error),
            first => first,
        };
        if !conditional && self.head(&object.key).await?.version != object.version {
            return Ok(None);
        }
        Ok(Some(Download { object, stream: stream::iter(first).chain(stream).boxed() }))
    }

    /// Removes the directories above a key that are empty now.
    pub(crate) async fn prune(&self, key: &str) {
        let mut above = key;
        while self.review.prunes
            && let Some((directory, _)) = above.rsplit_once('/')
        {
            // Refused unless it is empty.
            if self.operator.delete(&format!("{directory}/")).await.is_err() {
                return;
            }
            above = directory;
        }
    }

    async fn delete_one(&self, key: &str) -> StoreResult<()> {
        match self.operator.delete(key).await.map_err(|error| failure("delete an object", error)) {
            Ok(()) | Err(StoreError::NotFound) => {
                self.prune(key).await;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The range, cut at the end of the object; all of it if there is none.
fn within(range: Option<Range<u64>>, size: u64) -> StoreResult<Range<u64>> {
    match range {
        None => Ok(0..size),
        Some(range) if range.start >= size => Err(StoreError::Range(Some(size))),
        Some(range) => Ok(range.start..range.end.min(size)),
    }
}

/// An object as the service tells of it.
pub(crate) fn object(key: &str, found: &Metadata) -> Object {
    let modified = found.last_modified().map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
    let mark = found.user_metadata().and_then(|metadata| metadata.get(MARK).map(str::to_owned));
    Object { key: key.to_owned(), size: found.content_length(), modified, version: version(found), mark }
}

/// What names this state of an object: the ETag, else time and size.
pub(crate) fn version(found: &Metadata) -> Version {
    let since =
        found.last_modified().map(SystemTime::from).map(|time| time.duration_since(SystemTime::UNIX_EPOCH));
    let time_and_size = || {
        let nanoseconds = since.and_then(std::result::Result::ok).unwrap_or_default().as_nanos();
        format!("{nanoseconds:x}-{:x}", found.content_length())
    };
    Version::new(found.etag().map_or_else(time_and_size, str::to_owned))
}

#[async_trait]
impl ObjectStoreBackend for OpenDalBackend {
    fn name(&self) -> &str {
        "opendal"
    }

    fn description(&self) -> &Description {
        &self.review.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        if !self.review.private {
            return Ok(object(key, &self.stat(key).await?));
        }
        let ledger = self.ledger.open().await;
        let (found, entry) = (self.stat(key).await?, ledger.entry(key));
        let size = found.content_length();
        Ok(Object {
            key: key.to_owned(),
            size,
            modified: entry.modified,
            version: entry.version,
            mark: entry.mark,
        })
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        if self.review.private {
            return self.read_private(key, range, version).await;
        }
        for _ in 0..MOST_READS {
            let object = self.head(key).await?;
            if version.is_some_and(|version| *version != object.version) {
                return Err(StoreError::Precondition);
            }
            let range = within(range.clone(), object.size)?;
            if range.is_empty() {
                return Ok(Download { object, stream: stream::empty().boxed() });
            }
            if let Some(opened) = self.read(object, range).await? {
                return Ok(opened);
            }
        }
        let reason = "the content was replaced each time that it was opened; read it again";
        Err(StoreError::failed(ErrorKind::Unavailable, reason))
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        if !self.review.directories {
            return self.write(key, content, options).await;
        }
        let (backend, key, options) = (self.clone(), key.to_owned(), options.clone());
        unbroken(async move { backend.write(&key, content, &options).await }).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        listing::page(self, request).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        if self.review.private {
            let mut ledger = self.ledger.open().await;
            for key in keys {
                self.delete_one(key).await?;
                ledger.deleted(key);
            }
            return Ok(());
        }
        if self.review.directories || self.capability.delete_max_size.unwrap_or(1) == 1 {
            for key in keys {
                let (backend, key) = (self.clone(), key.clone());
                unbroken(async move { backend.delete_one(&key).await }).await?;
            }
            return Ok(());
        }
        let deleted = self.operator.delete_iter(keys.iter().cloned()).await;
        deleted.map_err(|error| failure("delete objects", error))
    }

    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        if self.review.private {
            let mut ledger = self.ledger.open().await;
            match self.stat(key).await {
                Err(StoreError::NotFound) => return Ok(()),
                found => found?,
            };
            ledger.check(key, true, &Condition::Matches(version.clone()))?;
            self.delete_one(key).await?;
            ledger.deleted(key);
            return Ok(());
        }
        let options =
            DeleteOptions { if_match: Some(version.as_str().to_owned()), ..DeleteOptions::default() };
        let deleted = self.operator.delete_options(key, options).await;
        match deleted.map_err(|error| failure("delete an object", error)) {
            Err(StoreError::NotFound) => Ok(()),
            // Also of one that is gone some say that the condition does not hold.
            Err(StoreError::Precondition) => match self.stat(key).await {
                Err(StoreError::NotFound) => Ok(()),
                _ => Err(StoreError::Precondition),
            },
            deleted => deleted,
        }
    }

    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>> {
        if self.review.private {
            let mut ledger = self.ledger.open().await;
            let content = self.operator.read(from).await.map_err(|error| failure("read an object", error))?;
            let entry = ledger.entry(from);
            if version.is_some_and(|version| *version != entry.version) {
                return Err(StoreError::Precondition);
            }
            let written = self.operator.write(to, content).await;
            written.map_err(|error| failure("write an object", error))?;
            return Ok(Some(ledger.written(to, entry.mark)));
        }
        if !self.capability.copy {
            let source = self.get(from, None, version).await?;
            let options = PutOptions { condition: None, mark: source.object.mark };
            return self.write_stream(to, source.stream, &options).await.map(Some);
        }
        let copied = self.operator.copy_options(from, to, CopyOptions::default()).await;
        match copied {
            Ok(_) => Ok(None),
            Err(error) => Err(self.refused(to, "copy an object", error).await),
        }
    }

    async fn rename(&self, from: &str, to: &str) -> StoreResult<()> {
        let (backend, from, to) = (self.clone(), from.to_owned(), to.to_owned());
        unbroken(async move { backend.move_to(&from, &to).await }).await
    }

    async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        if self.review.private || !self.capability.write_can_multi {
            let content: Vec<Bytes> = joined(self, segments).try_collect().await?;
            return self.write(key, content, options).await;
        }
        self.write_stream(key, joined(self, segments), options).await
    }
}
