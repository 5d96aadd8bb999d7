//! `stat` and `list`.

use std::collections::BTreeMap;
use std::sync::Arc;

use storagedriver::{EntryKind, Error, FileInfo, Result, StoragePath};

use crate::ObjectStoreBackend;
use crate::engine::Engine;
use crate::pages::Pages;

pub(crate) async fn stat<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<FileInfo> {
    if path.is_root() {
        let mut pages = Pages::new(engine, engine.keys.below(path), false).with_limit(1);
        pages.next().await.map_err(|error| error.at(path))?;
        return Ok(FileInfo::directory(path.clone()));
    }
    if let Some(object) = engine.head(path).await? {
        return Ok(engine.file_info(path.clone(), &object));
    }
    if is_directory(engine, path).await? {
        return Ok(FileInfo::directory(path.clone()));
    }
    Err(Error::path_not_found(path))
}

/// Whether any file lies below `path`.
pub(crate) async fn is_directory<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<bool> {
    // A few names, so that foreign ones (`dir/`) seldom cost another request.
    let mut pages = Pages::new(engine, engine.keys.below(path), false).with_limit(8);
    while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
        if names.iter().any(|name| engine.keys.path(&name.key).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) async fn list<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    path: &StoragePath,
) -> Result<Vec<FileInfo>> {
    let prefix = engine.keys.below(path);
    let mut pages = Pages::new(engine, prefix.clone(), true);
    let mut children: BTreeMap<StoragePath, FileInfo> = BTreeMap::new();
    while let Some(names) = pages.next().await.map_err(|error| error.at(path))? {
        for name in names {
            let Some(relative) = name.key.strip_prefix(&prefix) else { continue };
            let Ok(child) = path.child(relative.trim_end_matches('/')) else { continue };
            let info = match &name.object {
                Some(_) if relative.ends_with('/') => continue,
                Some(object) => engine.file_info(child.clone(), object),
                None => FileInfo::directory(child.clone()),
            };
            let merged = match children.remove(&child) {
                Some(known) if known.kind() != info.kind() => {
                    let file = if known.is_file() { known } else { info };
                    file.with_kind(EntryKind::FileAndDirectory)
                }
                Some(known) => known,
                None => info,
            };
            children.insert(child, merged);
        }
    }
    if children.is_empty() && !path.is_root() {
        return Err(Error::path_not_found(path));
    }
    Ok(children.into_values().collect())
}
