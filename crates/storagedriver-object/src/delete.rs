//! `delete`: content, sessions, and the store's own open uploads.

use std::pin::pin;
use std::sync::Arc;

use futures_util::{TryStreamExt, stream};
use storagedriver::{Error, Result, StoragePath};

use crate::engine::Engine;
use crate::pages::Pages;
use crate::{ObjectStoreBackend, StoreError, StoreResult, sessions};

pub(crate) async fn delete<B: ObjectStoreBackend>(engine: &Arc<Engine<B>>, path: &StoragePath) -> Result<()> {
    let listed = Listed::begin(engine, path).await?;
    let mut found = false;
    let size = engine.description().delete_batch.max(1);
    let batches = stream::try_unfold(listed, move |mut listed| async move {
        Ok::<_, StoreError>(listed.batch(size).await?.map(|batch| (batch, listed)))
    });
    let (at, deleting) = (path.clone(), engine.clone());
    let deletes = batches.map_err(move |error| error.at(&at)).map_ok({
        let path = path.clone();
        move |batch| {
            let (engine, path) = (deleting.clone(), path.clone());
            async move { engine.delete_keys(&path, &batch).await }
        }
    });
    // While the store deletes it can tell what comes next.
    let mut batches = pin!(deletes.try_buffer_unordered(engine.parallel()));
    while batches.try_next().await?.is_some() {
        found = true;
    }
    found |= delete_uploads(engine, path).await?;
    if found { Ok(()) } else { Err(Error::path_not_found(path)) }
}

/// What is to be deleted, as the listing tells it.
struct Listed<B> {
    /// What was not listed yet of the names below the path; `None` if that is nothing.
    pages: Option<Pages<B>>,
    keys: Vec<String>,
}

impl<B: ObjectStoreBackend> Listed<B> {
    /// The file at the path and the first names below it.
    ///
    /// In byte order a page of what the path begins names the file first, then siblings (`path-x`), then
    /// what is below it, so it tells the file for nothing.
    async fn begin(engine: &Arc<Engine<B>>, path: &StoragePath) -> Result<Self> {
        let (own, below) = (engine.keys.file(path), engine.keys.below(path));
        let mut pages = Pages::new(engine, below.clone(), false);
        let description = engine.description();
        if !(description.byte_order && description.start_after && description.consistent_listings) {
            let keys = engine.head(path).await?.into_iter().map(|object| object.key).collect();
            return Ok(Listed { pages: Some(pages), keys });
        }
        let mut beginning = Pages::new(engine, own.clone(), false);
        // A page without names tells nothing, not even that there is no file.
        let mut names = Vec::new();
        while names.is_empty()
            && let Some(page) = beginning.next().await.map_err(|error| error.at(path))?
        {
            names = page;
        }
        let last = names.last().map(|name| name.key.clone()).filter(|_| beginning.has_more());
        let pages = match last {
            // Siblings that stand before what is below, perhaps not the last of them.
            Some(last) if last < below => Some(pages),
            Some(last) if last.starts_with(&below) => {
                pages.seek(last);
                Some(pages)
            }
            _ => None,
        };
        let keys = names.into_iter().map(|name| name.key);
        let keys = keys.filter(|key| *key == own || key.starts_with(&below)).collect();
        Ok(Listed { pages, keys })
    }

    /// The next `size` keys, fewer only at the end; `None` after it.
    async fn batch(&mut self, size: usize) -> StoreResult<Option<Vec<String>>> {
        while self.keys.len() < size
            && let Some(pages) = &mut self.pages
            && let Some(names) = pages.next().await?
        {
            self.keys.extend(names.into_iter().map(|name| name.key));
        }
        let rest = self.keys.split_off(size.min(self.keys.len()));
        let batch = std::mem::replace(&mut self.keys, rest);
        Ok((!batch.is_empty()).then_some(batch))
    }
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
