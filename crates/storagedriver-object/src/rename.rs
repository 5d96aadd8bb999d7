//! `rename`: copy, verify, delete.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use storagedriver::{DriverWriter, Error, ReadOptions, Result, StoragePath};

use crate::content::read;
use crate::engine::Engine;
use crate::upload::Upload;
use crate::{Object, ObjectStoreBackend, Part, StoreError, StoreResult};

pub(crate) async fn rename<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    from: &StoragePath,
    to: &StoragePath,
) -> Result<()> {
    let source = engine.head(from).await?.ok_or_else(|| Error::path_not_found(from))?;
    let description = engine.description();
    if source.size <= description.max_copy {
        let version = description.conditional_copy.then_some(&source.version);
        let copied = engine.backend.copy(&source.key, &engine.keys.file(to), version).await;
        copied.map_err(|error| error.at(from))?;
    } else if description.multipart && description.copy_part {
        copy_parts(engine, &source, to).await.map_err(|error| error.at(from))?;
    } else {
        copy_through_client(engine, from, &source, to).await?;
    }
    let whole = engine.head(to).await?.is_some_and(|object| object.size == source.size);
    if !whole {
        let reason = format!("the copy at {to} is not what was copied; the source is still there");
        return Err(Error::conflict(from, reason));
    }
    remove_source(engine, from, &source).await
}

async fn remove_source<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    from: &StoragePath,
    source: &Object,
) -> Result<()> {
    if !engine.description().conditional_delete {
        return engine.delete_keys(from, std::slice::from_ref(&source.key)).await;
    }
    match engine.backend.delete_version(&source.key, &source.version).await {
        // Replaced meanwhile: what was copied is gone from there, and the new content stays.
        Ok(()) | Err(StoreError::Precondition) => Ok(()),
        Err(error) => Err(error.at(from)),
    }
}

/// The ranges in which `size` bytes are copied: of one size, the last one excepted.
pub(crate) fn ranges(size: u64, piece: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < size {
        let end = start.saturating_add(piece.max(1)).min(size);
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// Copies ranges to parts with the numbers that are given, several at once.
pub(crate) async fn copy_ranges<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    (key, id): (&str, &str),
    source: &Object,
    pieces: Vec<(u32, Range<u64>)>,
) -> StoreResult<Vec<Part>> {
    stream::iter(pieces)
        .map(|(number, range)| async move {
            let size = range.end.saturating_sub(range.start);
            let tag = engine.backend.copy_part(key, id, number, source, range).await?;
            Ok(Part { number, tag, size })
        })
        .buffered(engine.parallel())
        .try_collect()
        .await
}

async fn copy_parts<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    source: &Object,
    to: &StoragePath,
) -> StoreResult<()> {
    let description = engine.description();
    let least = source.size.div_ceil(u64::from(description.max_parts.max(1)));
    let piece =
        description.max_copy.min(description.max_part).min(1 << 30).max(least).max(description.min_part);
    let key = engine.keys.file(to);
    let mark = source.mark.clone().unwrap_or_else(|| "copy".to_owned());
    let id = engine.backend.begin_upload(&key, &mark).await?;
    let copied = async {
        let pieces = (1..).zip(ranges(source.size, piece)).collect();
        let parts = copy_ranges(engine, (&key, &id), source, pieces).await?;
        engine.backend.complete(&key, &id, &parts, None).await
    };
    match copied.await {
        Ok(_) => Ok(()),
        Err(error) => {
            // The failure that matters is the first; what is left goes with `abort_stale`.
            let _ = engine.backend.abort(&key, &id).await;
            Err(error)
        }
    }
}

async fn copy_through_client<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    from: &StoragePath,
    source: &Object,
    to: &StoragePath,
) -> Result<()> {
    let options = ReadOptions::all().with_version(source.version.clone());
    let mut content = read(engine, from, &options).await?;
    let mut upload = Upload::begin(engine, to);
    let copied = async {
        while let Some(chunk) = content.next().await.transpose()? {
            upload.write(chunk).await?;
        }
        upload.commit().await
    };
    let copied: Result<()> = copied.await;
    if copied.is_err() {
        let _ = upload.cancel().await;
    }
    copied
}
