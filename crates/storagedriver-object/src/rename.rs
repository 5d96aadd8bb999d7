//! `rename`: copy, verify, delete.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use storagedriver::{DriverWriter, Error, ReadOptions, Result, StoragePath, Version};

use crate::content::read;
use crate::engine::Engine;
use crate::session::unique;
use crate::upload::Upload;
use crate::{Object, ObjectStoreBackend, Part, StoreError, StoreResult};

/// So often a copy is begun anew because its source was replaced meanwhile.
const MOST_COPIES: usize = 4;

/// What became of a copy.
enum Copied {
    /// It is acknowledged; its version, where the store tells it.
    Done(Option<Version>),
    /// Its source was replaced while it was made, and the destination is as it was.
    SourceReplaced,
}

pub(crate) async fn rename<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    from: &StoragePath,
    to: &StoragePath,
) -> Result<()> {
    for _ in 0..MOST_COPIES {
        let source = engine.head(from).await?.ok_or_else(|| Error::path_not_found(from))?;
        if engine.description().rename {
            // What is there now is moved, whichever version it is.
            let moved = engine.backend.rename(&source.key, &engine.keys.file(to)).await;
            return moved.map_err(|error| error.at(from));
        }
        if let Copied::Done(version) = copy(engine, from, &source, to).await? {
            // Where versions are sums of the content, the same one says that all of it is there.
            if version.as_ref() != Some(&source.version) {
                verify(engine, from, &source, to, version).await?;
            }
            return remove_source(engine, from, &source).await;
        }
    }
    let reason = format!("the content was replaced {MOST_COPIES} times while it was copied; try again");
    Err(Error::conflict(from, reason))
}

async fn copy<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    from: &StoragePath,
    source: &Object,
    to: &StoragePath,
) -> Result<Copied> {
    let description = engine.description();
    let copied = if source.size <= description.max_copy {
        let version = description.conditional_copy.then_some(&source.version);
        engine.backend.copy(&source.key, &engine.keys.file(to), version).await
    } else if description.multipart && description.copy_part {
        copy_parts(engine, source, to).await.map(Some)
    } else {
        return copy_through_client(engine, from, source, to).await;
    };
    match copied {
        Ok(version) => Ok(Copied::Done(version)),
        Err(StoreError::Precondition) => Ok(Copied::SourceReplaced),
        Err(error) => Err(error.at(from)),
    }
}

/// Makes sure that the copy is whole before its source goes: some stores acknowledge copies that
/// failed, and not all tell a version with the answer.
async fn verify<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    from: &StoragePath,
    source: &Object,
    to: &StoragePath,
    copied: Option<Version>,
) -> Result<()> {
    let found = engine.head(to).await?;
    if found.as_ref().is_some_and(|object| object.size == source.size) {
        return Ok(());
    }
    // A copy that has a version was there. If that one is not there now, another came after it and
    // wins, as if the rename had been over before.
    let replaced = |version: Version| found.is_none_or(|object| object.version != version);
    if copied.is_some_and(replaced) {
        return Ok(());
    }
    let reason = format!("the copy at {to} is not what was copied; the source is still there");
    Err(Error::conflict(from, reason))
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
        .buffered(engine.options.copy_parallel.max(1))
        .try_collect()
        .await
}

async fn copy_parts<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    source: &Object,
    to: &StoragePath,
) -> StoreResult<Version> {
    let description = engine.description();
    let least = source.size.div_ceil(u64::from(description.max_parts.max(1)));
    let piece = engine.options.copy_part.min(description.max_part).max(least).max(description.min_part);
    let key = engine.keys.file(to);
    let mark = unique();
    let id = engine.backend.begin_upload(&key, &mark).await?;
    let copied = async {
        let pieces = (1..).zip(ranges(source.size, piece)).collect();
        let parts = copy_ranges(engine, (&key, &id), source, pieces).await?;
        engine.backend.complete(&key, &id, &parts, None).await
    };
    let copied = copied.await;
    if let Err(error) = &copied
        && !matches!(error, StoreError::Precondition)
        && let Ok(object) = engine.backend.head(&key).await
        && object.mark.as_deref() == Some(&mark)
    {
        // It was done, and the answer lost.
        return Ok(object.version);
    }
    if copied.is_err() {
        // The failure that matters is the first; what is left goes with `abort_stale`.
        let _ = engine.backend.abort(&key, &id).await;
    }
    copied
}

async fn copy_through_client<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    from: &StoragePath,
    source: &Object,
    to: &StoragePath,
) -> Result<Copied> {
    let options = ReadOptions::all().with_version(source.version.clone());
    let mut content = match read(engine, from, &options).await {
        Err(Error::Conflict { .. }) => return Ok(Copied::SourceReplaced),
        content => content?,
    };
    let mut upload = Upload::begin(engine, to);
    let copied = async {
        while let Some(chunk) = content.next().await.transpose()? {
            upload.write(chunk).await?;
        }
        upload.publish().await
    };
    let copied: Result<Option<Version>> = copied.await;
    if copied.is_err() {
        let _ = upload.cancel().await;
    }
    copied.map(Copied::Done)
}
