//! Sessions in the store: finding, reading, writing and removing them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use storagedriver::{Error, ErrorKind, Result, StoragePath, Version};

use crate::engine::{Engine, corrupted};
use crate::pages::Pages;
use crate::session::{Session, State, same_upload, unique};
use crate::{Condition, Object, ObjectStoreBackend, PutOptions, StoreError, StoreResult};

/// So often an upload is looked at that moves on.
const MOST_LOOKS: usize = 4;

/// A session as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) session: Session,
    pub(crate) tail: Bytes,
    pub(crate) version: Version,
}

/// The sessions of one path, the newest first.
pub(crate) async fn find<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<Vec<Object>> {
    // With the delimiter, segments are rolled up.
    let mut pages = Pages::new(engine, engine.keys.sessions(path), true);
    let mut found = Vec::new();
    while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
        let objects = names.into_iter().filter_map(|name| name.object);
        found.extend(objects.filter(|object| engine.keys.parse_session(&object.key).is_some()));
    }
    found.sort_by(|one, other| (other.modified, &other.key).cmp(&(one.modified, &one.key)));
    Ok(found)
}

pub(crate) async fn read<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    nonce: &str,
) -> Result<Option<Stored>> {
    let key = engine.keys.session(path, nonce);
    let download = match engine.backend.get(&key, None, None).await {
        Ok(download) => download,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.at(path)),
    };
    let version = download.object.version.clone();
    let mut bytes = BytesMut::new();
    let mut stream = download.stream;
    while let Some(chunk) = stream.try_next().await.map_err(|error| error.at(path))? {
        bytes.extend_from_slice(&chunk);
    }
    let (session, tail) = Session::decode(&bytes.freeze())
        .filter(|(session, _)| session.path == path.as_str() && session.nonce == nonce)
        .ok_or_else(|| corrupted(path, &format!("the session {key} is not what was written; delete it")))?;
    let version = version_of(engine, &session, version);
    Ok(Some(Stored { session, tail, version }))
}

/// The version of a session object, by which a later one is told apart.
fn version_of<B: ObjectStoreBackend>(engine: &Engine<B>, session: &Session, version: Version) -> Version {
    if engine.description().versions { version } else { Version::new(&session.token) }
}

/// Whether the session object has this version.
async fn is_at<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    nonce: &str,
    expected: &Version,
) -> StoreResult<bool> {
    if !engine.description().versions {
        let failed = |error: Error| {
            StoreError::failed(error.kind(), "the session could not be read").with_source(error)
        };
        let found = read(engine, path, nonce).await.map_err(failed)?;
        return Ok(found.is_some_and(|found| found.version == *expected));
    }
    match engine.backend.head(&engine.keys.session(path, nonce)).await {
        Ok(object) => Ok(object.version == *expected),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a session over the state `expected` of it, `None` being that there is none; gives it a
/// new token. [`StoreError::Precondition`] if it is in another state.
pub(crate) async fn save<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    session: &mut Session,
    tail: &[u8],
    expected: Option<&Version>,
) -> StoreResult<Version> {
    session.token = unique();
    let encoded = session
        .encode(tail)
        .ok_or_else(|| StoreError::failed(ErrorKind::Backend, "the session could not be written as text"))?;
    let key = engine.keys.session(path, &session.nonce);
    let mut options = PutOptions::default();
    if engine.description().conditional_put {
        options.condition =
            Some(expected.map_or(Condition::Absent, |version| Condition::Matches(version.clone())));
    } else if let Some(expected) = expected
        // Second best: between this look and the put another may write.
        && !is_at(engine, path, &session.nonce, expected).await?
    {
        return Err(StoreError::Precondition);
    }
    let failed = match engine.backend.put(&key, encoded, &options).await {
        Ok(version) => return Ok(version_of(engine, session, version)),
        Err(StoreError::NotFound) => StoreError::Precondition,
        Err(error) => error,
    };
    // It may have been written and the answer lost: then the refusal is of a second attempt.
    match read(engine, path, &session.nonce).await {
        Ok(Some(stored)) if stored.session.token == session.token => Ok(stored.version),
        _ => Err(failed),
    }
}

/// Whether the commit that the session tells of was done.
pub(crate) async fn is_committed<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    nonce: &str,
    state: &State,
) -> Result<bool> {
    match state {
        // It was written when all was there to be moved.
        State::Committing(mark) if engine.stages() => {
            match engine.backend.head(&engine.keys.staged(path, nonce, mark)).await {
                Ok(_) => Ok(false),
                Err(StoreError::NotFound) => Ok(true),
                Err(error) => Err(error.at(path)),
            }
        }
        State::Committing(mark) => {
            let found = engine.head(path).await?.and_then(|object| object.mark);
            Ok(found.is_some_and(|found| same_upload(&found, mark)))
        }
        State::Open | State::Ending => Ok(false),
    }
}

/// Aborts the multipart upload of a session, if it has one.
pub(crate) async fn abort_parts<B: ObjectStoreBackend>(engine: &Engine<B>, session: &Session) -> Result<()> {
    abort_upload(engine, &StoragePath::parse(&session.path)?, session.upload.as_deref()).await
}

/// Aborts a multipart upload of the store; one that is over already is no error.
pub(crate) async fn abort_upload<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    id: Option<&str>,
) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    match engine.backend.abort(&engine.keys.file(path), id).await {
        Ok(()) | Err(StoreError::NoSuchUpload) => Ok(()),
        Err(error) => Err(error.at(path)),
    }
}

/// Removes the session object, and its segments where the store has no multipart.
pub(crate) async fn remove<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
    nonce: &str,
) -> Result<()> {
    let key = engine.keys.session(path, nonce);
    let mut keys = Vec::new();
    if !engine.description().multipart {
        let mut pages = Pages::new(engine, engine.keys.segments(path, nonce), false);
        while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
            keys.extend(names.into_iter().map(|name| name.key));
        }
    }
    // Last: while anything is left, the session names it.
    keys.push(key);
    engine.delete_keys(path, &keys).await
}

/// Ends an upload that is in the state found: parts first, then the session that names them.
pub(crate) async fn end<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
    found: Stored,
) -> Result<()> {
    let Stored { mut session, version, .. } = found;
    // First, so that nobody resumes it when this is interrupted.
    session.state = State::Ending;
    match save(engine, path, &mut session, &[], Some(&version)).await {
        Ok(_) => {}
        Err(StoreError::Precondition) => return Err(moved_on(path)),
        Err(error) => return Err(error.at(path)),
    }
    abort_parts(engine, &session).await?;
    remove(engine, path, &session.nonce).await
}

/// Ends an upload in whatever state it is, if it is one of `those`. [`Error::Conflict`] if it moves on
/// again and again.
pub(crate) async fn end_whatever<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
    nonce: &str,
    those: impl Fn(&Session) -> bool,
) -> Result<()> {
    for _ in 0..MOST_LOOKS {
        match read(engine, path, nonce).await? {
            Some(found) if those(&found.session) => match end(engine, path, found).await {
                Err(Error::Conflict { .. }) => {}
                ended => return ended,
            },
            _ => return Ok(()),
        }
    }
    Err(moved_on(path))
}

pub(crate) fn moved_on(path: &StoragePath) -> Error {
    Error::conflict(path, "the upload has moved on since it was looked at; list the uploads again")
}
