//! `delete`: content, sessions, and the store's own open uploads.

use std::sync::Arc;

use storagedriver::{Error, Result, StoragePath};

use crate::engine::Engine;
use crate::pages::Pages;
use crate::{ObjectStoreBackend, sessions};

pub(crate) async fn delete<B: ObjectStoreBackend>(engine: &Arc<Engine<B>>, path: &StoragePath) -> Result<()> {
    let mut doomed: Vec<String> = engine.head(path).await?.into_iter().map(|object| object.key).collect();
    let mut found = !doomed.is_empty();
    let batch = engine.description().delete_batch.max(1);
    let mut pages = Pages::new(engine, engine.keys.below(path), false);
    while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
        doomed.extend(names.into_iter().map(|name| name.key));
        while doomed.len() >= batch {
            let rest = doomed.split_off(batch);
            engine.delete_keys(path, &doomed).await?;
            found = true;
            doomed = rest;
        }
    }
    found |= !doomed.is_empty();
    engine.delete_keys(path, &doomed).await?;
    found |= delete_uploads(engine, path).await?;
    if found { Ok(()) } else { Err(Error::path_not_found(path)) }
}

/// Ends every upload at and below `path`; whether there was one.
async fn delete_uploads<B: ObjectStoreBackend>(engine: &Arc<Engine<B>>, path: &StoragePath) -> Result<bool> {
    let own = engine.keys.file(path);
    let below = engine.keys.below(path);
    let mut open = Vec::new();
    if engine.description().lists_uploads {
        open = engine.backend.open_uploads(&own).await.map_err(|error| error.at(path))?;
        open.retain(|open| open.key == own || open.key.starts_with(&below));
    }
    let mut keys = session_keys(engine, path).await?;
    let found = !keys.is_empty() || !open.is_empty();
    for open in &open {
        engine.backend.abort(&open.key, &open.id).await.map_err(|error| error.at(path))?;
    }
    if !open.is_empty() {
        // One that was begun before and got its session meanwhile is of no use without its parts.
        keys = session_keys(engine, path).await?;
    }
    if engine.description().multipart && !engine.description().lists_uploads {
        for key in &keys {
            let Some((path, nonce)) = engine.keys.parse_session(key) else { continue };
            sessions::end_whatever(engine, &path, &nonce, |_| true).await?;
        }
    }
    // The sessions go last: until then they name what is to be aborted.
    engine.delete_keys(path, &keys).await?;
    Ok(found)
}

async fn session_keys<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut pages = Pages::new(engine, engine.keys.sessions_within(path), false);
    while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
        keys.extend(names.into_iter().map(|name| name.key));
    }
    Ok(keys)
}
