//! The backend.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use storagedriver::{Version, async_trait};

use super::control::{Control, Lie};
use super::state::{State, slice};
use crate::{
    Condition, Cursor, Description, Download, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page,
    Part, PutOptions, StoreError, StoreResult,
};

/// A store that several clients share, as processes share a server.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    description: Arc<Description>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store that has what the description says.
    pub fn new(description: Description) -> Self {
        MemoryStore { description: Arc::new(description), state: Arc::default() }
    }

    /// A new client of it.
    pub fn client(&self) -> MemoryBackend {
        MemoryBackend { store: self.clone(), control: Control::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.catch_up();
        state
    }

    /// From now on the completion of a multipart upload is answered with a failure, and is done so much
    /// later; until then its parts are gone, and the content is not there.
    pub fn complete_late(&self, by: Duration) {
        self.lock().completion = by;
    }

    /// What the store has.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Every key in the store, hidden ones too.
    pub fn keys(&self) -> Vec<String> {
        self.lock().objects.keys().cloned().collect()
    }

    /// Makes everything in the store so much older.
    pub fn grow_older(&self, by: Duration) {
        self.lock().grow_older(by);
    }

    /// How many multipart uploads are open.
    pub fn open_uploads(&self) -> usize {
        self.lock().open_uploads("").len()
    }
}

/// One client of a [`MemoryStore`].
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    store: MemoryStore,
    control: Control,
}

impl MemoryBackend {
    /// What a test can make of this client's requests.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Without the mark, if the store keeps none.
    fn kept(&self, options: &PutOptions) -> PutOptions {
        let mark = options.mark.clone().filter(|_| self.store.description.marks);
        PutOptions { mark, ..options.clone() }
    }
}

#[async_trait]
impl ObjectStoreBackend for MemoryBackend {
    fn name(&self) -> &str {
        "memory-object"
    }

    fn description(&self) -> &Description {
        &self.store.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        self.control.request("head", key, || Ok(self.store.lock().held(key)?.object.clone())).await
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let (object, content) = self
            .control
            .request("get", key, || {
                let held = self.store.lock().held(key)?.clone();
                if version.is_some_and(|version| *version != held.object.version) {
                    return Err(StoreError::Precondition);
                }
                let content = match &range {
                    Some(range) => slice(&held.content, range.clone())?,
                    None => held.content,
                };
                Ok((held.object, content))
            })
            .await?;
        Ok(Download { object, stream: stream::once(std::future::ready(Ok(content))).boxed() })
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        let options = &self.kept(options);
        self.control.request("put", key, || self.store.lock().put(key, content.clone(), options)).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        let lie = self.control.told_lie();
        let first = ListRequest { cursor: Cursor::Start, ..request.clone() };
        let starts_late = matches!(request.cursor, Cursor::After(_));
        let list = || {
            let marker = format!("after request {}", self.control.count());
            let list = |request| self.store.lock().list(&self.store.description, request);
            Ok(match lie {
                Some(Lie::IgnoredStart) if starts_late => list(&first),
                None | Some(Lie::IgnoredStart) => list(request),
                Some(Lie::RepeatedPage) => list(&first),
                Some(Lie::NewMarkers) => Page { next: Some(marker), ..list(&first) },
                Some(Lie::EmptyPages) => Page { next: Some(marker), ..Page::default() },
                Some(Lie::Late) => Page::default(),
            })
        };
        self.control.request("list", &request.prefix, list).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        let first = keys.first().map(String::as_str).unwrap_or_default();
        let delete = || {
            let mut state = self.store.lock();
            for key in keys {
                state.objects.remove(key);
            }
            Ok(())
        };
        self.control.request("delete", first, delete).await
    }

    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        let delete = || {
            let mut state = self.store.lock();
            match state.objects.get(key).map(|held| held.object.version == *version) {
                None => Ok(()),
                Some(false) => Err(StoreError::Precondition),
                Some(true) => {
                    state.objects.remove(key);
                    Ok(())
                }
            }
        };
        self.control.request("delete_version", key, delete).await
    }

    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>> {
        let broken = self.control.breaks_copies();
        let copy = || {
            let mut state = self.store.lock();
            let held = state.held(from)?.clone();
            if version.is_some_and(|version| *version != held.object.version) {
                return Err(StoreError::Precondition);
            }
            if held.object.size > self.store.description.max_copy {
                return Err(StoreError::unsupported("copies of that size"));
            }
            let content = if broken { held.content.slice(..held.content.len() / 2) } else { held.content };
            let options = PutOptions { condition: None, mark: held.object.mark };
            let version = state.put(to, content, &options)?;
            Ok(Some(version).filter(|_| !broken))
        };
        self.control.request("copy", to, copy).await
    }

    async fn rename(&self, from: &str, to: &str) -> StoreResult<()> {
        let rename = || {
            let mut state = self.store.lock();
            let held = state.objects.remove(from).ok_or(StoreError::NotFound)?;
            let options = PutOptions { condition: None, mark: held.object.mark };
            state.put(to, held.content, &options).map(drop)
        };
        self.control.request("rename", to, rename).await
    }

    async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        self.control.request("begin_upload", key, || Ok(self.store.lock().begin(key, mark))).await
    }

    async fn put_part(&self, key: &str, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        self.control
            .request("put_part", key, || self.store.lock().put_part(id, number, content.clone()))
            .await
    }

    async fn copy_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        source: &Object,
        range: Range<u64>,
    ) -> StoreResult<String> {
        let copy = || {
            let mut state = self.store.lock();
            let held = state.held(&source.key)?;
            if held.object.version != source.version {
                return Err(StoreError::Precondition);
            }
            let content = slice(&held.content, range.clone())?;
            state.put_part(id, number, content)
        };
        self.control.request("copy_part", key, copy).await
    }

    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        let complete = || self.store.lock().complete(&self.store.description, (key, id), parts, condition);
        self.control.request("complete", key, complete).await
    }

    async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        let abort = || {
            self.store.lock().abort(id);
            Ok(())
        };
        self.control.request("abort", key, abort).await
    }

    async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        self.control.request("open_uploads", prefix, || Ok(self.store.lock().open_uploads(prefix))).await
    }

    async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let concatenate = || {
            let mut state = self.store.lock();
            let mut content = BytesMut::new();
            for segment in segments {
                content.extend_from_slice(&state.held(segment)?.content);
            }
            state.put(key, content.freeze(), &self.kept(options))
        };
        self.control.request("concatenate", key, concatenate).await
    }
}
