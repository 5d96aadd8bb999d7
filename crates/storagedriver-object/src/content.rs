//! Whole contents and readers.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use storagedriver::{Content, DriverWriter, Error, ReadOptions, Result, StoragePath, Version};

use crate::engine::Engine;
use crate::upload::Upload;
use crate::{ObjectStoreBackend, PutOptions, StoreError};

pub(crate) async fn get<B: ObjectStoreBackend>(engine: &Engine<B>, path: &StoragePath) -> Result<Bytes> {
    read(engine, path, &ReadOptions::all()).await?.bytes().await
}

pub(crate) async fn put<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
    content: Bytes,
) -> Result<()> {
    if content.len() as u64 <= engine.description().max_put {
        let put = engine.backend.put(&engine.keys.file(path), content, &PutOptions::default()).await;
        return put.map(drop).map_err(|error| error.at(path));
    }
    let mut upload = Upload::begin(engine, path);
    let piece = usize::try_from(engine.options.part_size).unwrap_or(usize::MAX).max(1);
    let mut rest = content;
    while !rest.is_empty() {
        upload.write(rest.split_to(piece.min(rest.len()))).await?;
    }
    match upload.commit().await {
        Ok(()) => Ok(()),
        Err(error) => {
            // The caller has the content: nothing of it is worth keeping.
            let _ = upload.cancel().await;
            Err(error)
        }
    }
}

pub(crate) async fn read<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    options: &ReadOptions,
) -> Result<Content> {
    if options.length == Some(0) {
        return read_nothing(engine, path, options).await;
    }
    let range = match (options.offset, options.length) {
        (0, None) => None,
        (offset, Some(length)) => Some(offset..offset.saturating_add(length)),
        (offset, None) => Some(offset..u64::MAX),
    };
    let key = engine.keys.file(path);
    match engine.backend.get(&key, range, options.version.as_ref()).await {
        Ok(download) => {
            let at = path.clone();
            let stream = download.stream.map(move |chunk| chunk.map_err(|error| error.at(&at)));
            let stream =
                stream.filter(|chunk| std::future::ready(!matches!(chunk, Ok(bytes) if bytes.is_empty())));
            Ok(versioned(engine, Content::new(download.object.size, stream), download.object.version))
        }
        // The end and what is past it look alike; only the size tells them apart.
        Err(StoreError::Range(Some(size))) if options.offset > size => {
            Err(Error::invalid_offset(path, options.offset, Some(size)))
        }
        Err(StoreError::Range(_)) => read_nothing(engine, path, options).await,
        Err(StoreError::Precondition) => Err(other_version(path)),
        Err(error) => Err(error.at(path)),
    }
}

/// The empty range, which stores do not have.
async fn read_nothing<B: ObjectStoreBackend>(
    engine: &Engine<B>,
    path: &StoragePath,
    options: &ReadOptions,
) -> Result<Content> {
    let object = engine.head(path).await?.ok_or_else(|| Error::path_not_found(path))?;
    if options.version.as_ref().is_some_and(|version| *version != object.version) {
        return Err(other_version(path));
    }
    if options.offset > object.size {
        return Err(Error::invalid_offset(path, options.offset, Some(object.size)));
    }
    if options.length != Some(0) && options.offset < object.size {
        return Err(Error::unavailable(path, "the content was replaced while it was opened; read it again"));
    }
    Ok(versioned(engine, Content::from_bytes(object.size, Bytes::new()), object.version))
}

fn versioned<B: ObjectStoreBackend>(engine: &Engine<B>, content: Content, version: Version) -> Content {
    if engine.description().versions { content.with_version(version) } else { content }
}

fn other_version(path: &StoragePath) -> Error {
    Error::conflict(path, "the version asked for is not there any more")
}
