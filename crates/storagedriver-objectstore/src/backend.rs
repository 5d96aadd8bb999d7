//! The backend: what the engine asks of a store, asked of an `ObjectStore`.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyOptions, Error, GetOptions, GetRange, MultipartUpload, ObjectStore, PutMode,
    PutMultipartOptions, PutPayload, RenameOptions, UpdateVersion,
};
use storagedriver::{ErrorKind, Version, async_trait};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectStoreBackend, Page, PutOptions, StoreError,
    StoreResult, joined, unbroken,
};

use crate::Profile;
use crate::failure::failure;
use crate::listing::{self, is_made_up, object};

/// The metadata that an object's mark is kept in.
const MARK: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("storagedriver-mark"));

/// A store of the crate `object_store`, as the engine sees it.
#[derive(Clone)]
pub struct ObjectStoreAdapter {
    store: Arc<dyn ObjectStore>,
    profile: Profile,
}

// A store's own output may show what it was configured with.
impl fmt::Debug for ObjectStoreAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStoreAdapter").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Whether the last name of a key leaves no room for what `object_store` adds to one that it stages: then
/// the object is staged under a short one.
fn is_long(key: &str) -> bool {
    key.rsplit('/').next().unwrap_or_default().len() > 240
}

/// A key as a path of the store.
pub(crate) fn path(key: &str) -> StoreResult<Path> {
    Path::parse(key).map_err(|error| failure("name an object", error.into()))
}

impl ObjectStoreAdapter {
    /// The store, of which the profile is true.
    pub fn new(store: Arc<dyn ObjectStore>, mut profile: Profile) -> Self {
        // Not what the trait offers, whatever the profile says.
        profile.description.multipart = false;
        profile.description.conditional_complete = false;
        profile.description.conditional_copy = false;
        profile.description.conditional_delete = false;
        ObjectStoreAdapter { store, profile }
    }

    fn attributes(&self, options: &PutOptions) -> Attributes {
        let mark = options.mark.clone().filter(|_| self.profile.description.marks);
        mark.map(|mark| (MARK, mark)).into_iter().collect()
    }

    /// What a write failed of. Where names are files or directories, one may be in the way.
    async fn refused(&self, key: &str, what: &str, error: Error) -> StoreError {
        let failed = failure(what, error);
        if self.profile.directories && matches!(failed, StoreError::Failed(_) | StoreError::NotFound) {
            let above = key.match_indices('/').filter_map(|(slash, _)| key.get(..slash));
            for directory in above {
                if self.head(directory).await.is_ok() {
                    let reason = format!("{directory} is a file, and the store has real directories");
                    return StoreError::failed(ErrorKind::Conflict, reason);
                }
            }
            let found = match path(key) {
                Ok(path) => self.store.list(Some(&path)).next().await,
                Err(_) => None,
            };
            if found.is_some() {
                return StoreError::failed(ErrorKind::Conflict, format!("{key} is a directory of the store"));
            }
        }
        failed
    }

    async fn join(&self, upload: &mut Box<dyn MultipartUpload>, segments: &[String]) -> StoreResult<()> {
        let failed = |error| failure("write an object in parts", error);
        let mut content = joined(self, segments);
        let (mut part, mut size) = (Vec::new(), 0_usize);
        while let Some(chunk) = content.try_next().await? {
            size = size.saturating_add(chunk.len());
            part.push(chunk);
            if size >= self.profile.joined_part {
                let payload: PutPayload = std::mem::take(&mut part).into_iter().collect();
                upload.put_part(payload).await.map_err(failed)?;
                size = 0;
            }
        }
        if !part.is_empty() {
            let payload: PutPayload = part.into_iter().collect();
            upload.put_part(payload).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Writes an object under a short name and moves it.
    async fn put_long(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        let short = format!("~long/{:016x}", RandomState::new().hash_one(key));
        self.put(&short, content, options).await?;
        let moved = self.move_over(&short, key).await;
        if moved.is_err() {
            // The failure that matters is the first.
            let _ = self.delete(&[short]).await;
        }
        moved?;
        Ok(self.head(key).await?.version)
    }

    /// Moves an object, over what is there, and removes the directory that it left empty.
    async fn move_over(&self, from: &str, to: &str) -> StoreResult<()> {
        match self.store.rename_opts(&path(from)?, &path(to)?, RenameOptions::default()).await {
            Ok(()) => {
                self.prune(from).await;
                Ok(())
            }
            Err(error) => Err(self.refused(to, "rename an object", error).await),
        }
    }

    /// Removes the directory that a rename left empty, and those above it: the store does that when it
    /// deletes something there.
    async fn prune(&self, key: &str) {
        let Some((directory, _)) = key.rsplit_once('/') else { return };
        let (Ok(directory), Ok(nothing)) = (path(directory), path(&format!("{directory}/~empty"))) else {
            return;
        };
        if self.store.list(Some(&directory)).next().await.is_some() {
            return;
        }
        // If this fails, an empty directory stays.
        if self.store.put_opts(&nothing, PutPayload::new(), object_store::PutOptions::default()).await.is_ok()
        {
            let _ = self.delete(&[nothing.to_string()]).await;
        }
    }
}

#[async_trait]
impl ObjectStoreBackend for ObjectStoreAdapter {
    fn name(&self) -> &str {
        "objectstore"
    }

    fn description(&self) -> &Description {
        &self.profile.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        let found = self.store.get_opts(&path(key)?, GetOptions::new().with_head(true)).await;
        let found = found.map_err(|error| failure("look at an object", error))?;
        let mark = found.attributes.get(&MARK).map(|mark| mark.as_ref().to_owned());
        Ok(object(found.meta, mark))
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let mut options = GetOptions::new().with_range(range.clone().map(|range| {
            if range.end == u64::MAX { GetRange::Offset(range.start) } else { GetRange::Bounded(range) }
        }));
        let told = version.filter(|version| !is_made_up(version));
        options.if_match = told.map(|version| version.as_str().to_owned());
        let found = match self.store.get_opts(&path(key)?, options).await {
            Ok(found) => found,
            Err(error) => {
                let failed = failure("read an object", error);
                // No store says that the range starts past the end in a way of its own.
                if let (StoreError::Failed(_), Some(range)) = (&failed, range) {
                    let object = self.head(key).await?;
                    if range.start >= object.size {
                        return Err(StoreError::Range(Some(object.size)));
                    }
                }
                return Err(failed);
            }
        };
        let mark = found.attributes.get(&MARK).map(|mark| mark.as_ref().to_owned());
        let object = object(found.meta.clone(), mark);
        if version.is_some_and(|version| *version != object.version) {
            return Err(StoreError::Precondition);
        }
        let stream = found.into_stream().map_err(|error| failure("read an object", error)).boxed();
        Ok(Download { object, stream })
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        if self.profile.directories && self.profile.description.rename && is_long(key) {
            let (adapter, key, options) = (self.clone(), key.to_owned(), options.clone());
            return unbroken(async move { adapter.put_long(&key, content, &options).await }).await;
        }
        let mode = match &options.condition {
            None => PutMode::Overwrite,
            Some(Condition::Absent) => PutMode::Create,
            Some(Condition::Matches(version)) => {
                PutMode::Update(UpdateVersion { e_tag: Some(version.as_str().to_owned()), version: None })
            }
        };
        let attributes = self.attributes(options);
        let put = object_store::PutOptions { mode, attributes, ..object_store::PutOptions::default() };
        match self.store.put_opts(&path(key)?, content.into(), put).await {
            Ok(done) => match done.e_tag.or(done.version) {
                Some(version) => Ok(Version::new(version)),
                None => Ok(self.head(key).await?.version),
            },
            Err(error) => Err(self.refused(key, "write an object", error).await),
        }
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        listing::page(&self.store, request, self.profile.description.byte_order).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        let paths: Vec<_> = keys.iter().map(|key| path(key)).collect::<StoreResult<_>>()?;
        // Each on its own: the first that fails would end the stream, and what is gone already fails.
        let deleted = stream::iter(paths).map(|path| {
            let one = stream::once(std::future::ready(Ok(path))).boxed();
            let store = self.store.clone();
            async move { store.delete_stream(one).try_collect::<Vec<Path>>().await }
        });
        let mut deleted = deleted.buffer_unordered(16);
        while let Some(outcome) = deleted.next().await {
            match outcome.map_err(|error| failure("delete an object", error)) {
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn copy(&self, from: &str, to: &str, _: Option<&Version>) -> StoreResult<Option<Version>> {
        match self.store.copy_opts(&path(from)?, &path(to)?, CopyOptions::default()).await {
            Ok(()) => Ok(None),
            Err(error) => Err(self.refused(to, "copy an object", error).await),
        }
    }

    async fn rename(&self, from: &str, to: &str) -> StoreResult<()> {
        let (adapter, from, to) = (self.clone(), from.to_owned(), to.to_owned());
        unbroken(async move { adapter.move_over(&from, &to).await }).await
    }

    async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let parts =
            PutMultipartOptions { attributes: self.attributes(options), ..PutMultipartOptions::default() };
        let mut upload = match self.store.put_multipart_opts(&path(key)?, parts).await {
            Ok(upload) => upload,
            Err(error) => return Err(self.refused(key, "begin to write an object in parts", error).await),
        };
        if let Err(error) = self.join(&mut upload, segments).await {
            let _ = upload.abort().await;
            return Err(error);
        }
        match upload.complete().await {
            Ok(done) => match done.e_tag.or(done.version) {
                Some(version) => Ok(Version::new(version)),
                None => Ok(self.head(key).await?.version),
            },
            Err(error) => {
                let _ = upload.abort().await;
                Err(self.refused(key, "end an object written in parts", error).await)
            }
        }
    }
}
