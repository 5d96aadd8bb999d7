//! What uploads left in the store and no session names: multipart uploads, and segments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use storagedriver::{Result, StoragePath, UploadInfo};

use crate::engine::Engine;
use crate::sessions::{self, moved_on};
use crate::{Object, ObjectStoreBackend, OpenUpload};

/// Collects what a listing of uploads shows, and what of it has no session.
#[derive(Debug)]
pub(crate) struct Orphans {
    open: Vec<OpenUpload>,
    /// By path and nonce, the last that was written.
    segments: BTreeMap<(StoragePath, String), SystemTime>,
    nonces: BTreeSet<String>,
    named: BTreeSet<String>,
}

impl Orphans {
    /// Asks for the store's own list, if it has one. Before the sessions: an upload that is begun
    /// meanwhile stands in neither then.
    pub(crate) async fn begin<B: ObjectStoreBackend>(
        engine: &Engine<B>,
        below: &StoragePath,
    ) -> Result<Self> {
        let open = if engine.description().lists_uploads {
            engine.backend.open_uploads(&engine.keys.file(below)).await.map_err(|error| error.at(below))?
        } else {
            Vec::new()
        };
        Ok(Orphans { open, segments: BTreeMap::new(), nonces: BTreeSet::new(), named: BTreeSet::new() })
    }

    /// A session that there is.
    pub(crate) fn session(&mut self, nonce: &str) {
        self.nonces.insert(nonce.to_owned());
    }

    /// A multipart upload that a session names.
    pub(crate) fn named(&mut self, upload: Option<String>) {
        self.named.extend(upload);
    }

    /// A key that is no session.
    pub(crate) fn other<B: ObjectStoreBackend>(&mut self, engine: &Engine<B>, object: &Object) {
        if let Some(of) = engine.keys.parse_segment(&object.key) {
            let last = self.segments.entry(of).or_insert(object.modified);
            *last = object.modified.max(*last);
        }
    }

    /// What is old enough that no writer is about to name it.
    pub(crate) fn found<B: ObjectStoreBackend>(
        self,
        engine: &Engine<B>,
        below: &StoragePath,
    ) -> Vec<UploadInfo> {
        let now = SystemTime::now();
        let old =
            |time: SystemTime| now.duration_since(time).unwrap_or_default() >= engine.options.orphan_age;
        let Orphans { open, segments, nonces, named } = self;
        let open = open.into_iter().filter(|open| old(open.started) && !named.contains(&open.id));
        let open = open.filter_map(|open| {
            let path = engine.keys.path(&open.key).filter(|path| path.is_within(below))?;
            Some(UploadInfo::new(path, 0, open.started, format!("store:{}", open.id)))
        });
        let segments =
            segments.into_iter().filter(|((_, nonce), last)| old(*last) && !nonces.contains(nonce));
        let segments =
            segments.map(|((path, nonce), last)| UploadInfo::new(path, 0, last, format!("segments:{nonce}")));
        open.chain(segments).collect()
    }
}

/// Ends an orphan; `None` if the id is not of one.
pub(crate) async fn abort<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    upload: &UploadInfo,
) -> Option<Result<()>> {
    let path = upload.path();
    if let Some(id) = upload.id().strip_prefix("store:") {
        return Some(sessions::abort_upload(engine, path, Some(id)).await);
    }
    let nonce = upload.id().strip_prefix("segments:")?;
    Some(match sessions::read(engine, path, nonce).await {
        Ok(None) => sessions::remove(engine, path, nonce).await,
        Ok(Some(_)) => Err(moved_on(path)),
        Err(error) => Err(error),
    })
}
