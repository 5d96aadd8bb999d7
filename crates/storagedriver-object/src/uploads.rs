//! Opening uploads, and uploads as seen from outside.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::TryStreamExt;
use storagedriver::{Error, Result, StoragePath, UploadInfo};

use crate::engine::{Engine, corrupted};
use crate::orphans::{self, Orphans};
use crate::pages::Pages;
use crate::session::{Base, BaseBytes, HEAD, Head, Session, State};
use crate::sessions::{self, Stored, moved_on};
use crate::upload::Upload;
use crate::{Object, ObjectStoreBackend, StoreError};

/// A new upload; those at the path that were closed before are discarded.
pub(crate) async fn create<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<Upload<B>> {
    for object in sessions::find(engine, path).await? {
        let Some((_, nonce)) = engine.keys.parse_session(&object.key) else { continue };
        // One that was never closed may be open in a live writer; one that moves on is closed later.
        let closed = |session: &Session| session.size.is_some() || session.state == State::Ending;
        match sessions::end_whatever(engine, path, &nonce, closed).await {
            Ok(()) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Upload::begin(engine, path))
}

/// The newest closed upload, else one that goes on from the content.
pub(crate) async fn append<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<Upload<B>> {
    let mut objects: VecDeque<Object> = sessions::find(engine, path).await?.into();
    let mut newest = newest(engine, path, &mut objects).await?.into_iter();
    loop {
        let found = match (newest.next(), objects.pop_front()) {
            (Some(found), _) => found,
            (None, None) => break,
            (None, Some(object)) => {
                let Some((_, nonce)) = engine.keys.parse_session(&object.key) else { continue };
                let Some(found) = sessions::read(engine, path, &nonce).await? else { continue };
                found
            }
        };
        let nonce = &found.session.nonce;
        if sessions::is_committed(engine, path, nonce, &found.session.state).await? {
            // Its writer may have died before the store was done with the parts.
            sessions::abort_parts(engine, &found.session).await?;
            sessions::remove(engine, path, nonce).await?;
        } else if found.session.state != State::Ending && found.session.size.is_some() {
            return Ok(Upload::resume(engine, path, found));
        }
    }
    let object = engine.head(path).await?.ok_or_else(|| Error::path_not_found(path))?;
    let base = Base { version: object.version.to_string(), size: object.size, bytes: BaseBytes::AtPath };
    Ok(Upload::onto(engine, path, base))
}

/// Where the times of objects do not tell which was written last, all sessions, by what stands in them, the
/// last one first; else none, and `objects` is left as it is.
async fn newest<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
    objects: &mut VecDeque<Object>,
) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    if engine.description().versions {
        return Ok(found);
    }
    for object in objects.drain(..) {
        let Some((_, nonce)) = engine.keys.parse_session(&object.key) else { continue };
        found.extend(sessions::read(engine, path, &nonce).await?);
    }
    // A token begins with the time.
    found.sort_by(|one, other| other.session.token.cmp(&one.session.token));
    Ok(found)
}

/// The uploads at and below a path: those with a session, and what no session
/// names.
pub(crate) async fn uploads<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    below: &StoragePath,
) -> Result<Vec<UploadInfo>> {
    let mut found = Vec::new();
    let mut orphans = Orphans::begin(engine, below).await?;
    let mut pages = Pages::new(engine, engine.keys.sessions_within(below), false);
    while let Some(names) = pages.next().await.map_err(|error| error.at(below))? {
        for object in names.into_iter().filter_map(|name| name.object) {
            let Some((path, nonce)) = engine.keys.parse_session(&object.key) else {
                orphans.other(engine, &object);
                continue;
            };
            orphans.session(&nonce);
            let Some((head, object)) = read_head(engine, &path, &object).await? else { continue };
            let upload = head.upload;
            orphans.named(upload.clone());
            if sessions::is_committed(engine, &path, &nonce, &head.state).await? {
                // A writer ended between its publication and this.
                sessions::abort_upload(engine, &path, upload.as_deref()).await?;
                sessions::remove(engine, &path, &nonce).await?;
                continue;
            }
            let id = format!("session:{nonce}:{}", object.version);
            found.push(UploadInfo::new(path, head.size.unwrap_or(0), object.modified, id));
        }
    }
    found.extend(orphans.found(engine, below));
    found.sort_by(|one, other| (one.path(), one.id()).cmp(&(other.path(), other.id())));
    Ok(found)
}

/// The first line of a session, and the object in the state that was read.
async fn read_head<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    object: &Object,
) -> Result<Option<(Head, Object)>> {
    if !engine.description().versions
        && let Some((_, nonce)) = engine.keys.parse_session(&object.key)
    {
        // Which state of it this is, stands behind the first line.
        let Some(Stored { session, version, .. }) = sessions::read(engine, path, &nonce).await? else {
            return Ok(None);
        };
        let head = Head { size: session.size, state: session.state, upload: session.upload };
        return Ok(Some((head, Object { version, ..object.clone() })));
    }
    let download = match engine.backend.get(&object.key, Some(0..HEAD), None).await {
        Ok(download) => download,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.at(path)),
    };
    let chunks: Vec<_> = download.stream.try_collect().await.map_err(|error| error.at(path))?;
    let head = Head::decode(&chunks.concat())
        .ok_or_else(|| corrupted(path, &format!("{} is not a session; delete it", object.key)))?;
    Ok(Some((head, download.object)))
}

/// Ends an upload, if it is as it was when it was listed.
pub(crate) async fn abort<B: ObjectStoreBackend>(engine: &Arc<Engine<B>>, upload: &UploadInfo) -> Result<()> {
    let path = upload.path();
    if let Some(ended) = orphans::abort(engine, upload).await {
        return ended;
    }
    let parsed = upload.id().strip_prefix("session:").and_then(|id| id.split_once(':'));
    let Some((nonce, version)) = parsed else {
        return Err(Error::conflict(path, "the id is not one that this driver gave"));
    };
    match sessions::read(engine, path, nonce).await? {
        None => Ok(()),
        Some(found) if found.version.as_str() == version => sessions::end(engine, path, found).await,
        Some(_) => Err(moved_on(path)),
    }
}
