//! The walk over `list`, for drivers that have none of their own.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{DriverWalk, EntryKind, FileInfo, Result, StorageDriver, StoragePath, WalkKey, WalkOptions};

/// Walks depth first, one `list` per directory.
///
/// Both orders come from sorting the children of one directory: everything below a directory has
/// that directory's key as a prefix, so no entry of another child can come between.
pub(crate) struct ListWalk {
    driver: Arc<dyn StorageDriver>,
    options: WalkOptions,
    /// The entries still to come, one level per directory that is open; each level reversed, so that
    /// the next entry is its last.
    levels: Vec<Vec<FileInfo>>,
    /// The directory that was yielded last: it is listed when the next entry is asked for.
    pending: Option<StoragePath>,
}

impl ListWalk {
    pub(crate) async fn start(
        driver: Arc<dyn StorageDriver>,
        start: &StoragePath,
        options: WalkOptions,
    ) -> Result<Self> {
        let mut walk = ListWalk { driver, options, levels: Vec::new(), pending: None };
        walk.enter(start).await?;
        Ok(walk)
    }

    /// Lists `directory` and puts its children on the stack, those left out by `start_after`
    /// excepted.
    async fn enter(&mut self, directory: &StoragePath) -> Result<()> {
        // A start past the whole subtree needs no request, but a start of the walk that is absent
        // must still be noticed: the caller lists the start before anything else.
        let mut level = Vec::new();
        for info in self.driver.list(directory).await? {
            match info.kind() {
                EntryKind::FileAndDirectory => {
                    level.push(FileInfo::directory(info.path().clone()));
                    level.push(info.with_kind(EntryKind::File));
                }
                _ => level.push(info),
            }
        }
        level.retain(|info| self.reaches(info));
        let order = self.options.order;
        level.sort_by(|a, b| b.key().cmp_in(&a.key(), order));
        self.levels.push(level);
        Ok(())
    }

    /// Whether the entry, or anything below it, comes after `start_after`.
    fn reaches(&self, info: &FileInfo) -> bool {
        let last = if info.is_dir() { WalkKey::after_subtree(info.path()) } else { info.key() };
        self.options.admits(&last)
    }

    /// Size and time, where `list` left them open; `None` if the file is gone.
    async fn complete(&self, info: FileInfo) -> Result<Option<FileInfo>> {
        if info.is_dir() || (info.size().is_some() && info.modified().is_some()) {
            return Ok(Some(info));
        }
        match self.driver.stat(info.path()).await {
            Ok(found) if found.is_file() => Ok(Some(found.with_kind(EntryKind::File))),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl DriverWalk for ListWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            if let Some(directory) = self.pending.clone() {
                match self.enter(&directory).await {
                    Ok(()) => {}
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
                self.pending = None;
            }
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            let Some(info) = level.last().cloned() else {
                self.levels.pop();
                continue;
            };
            // Taken off the stack only when nothing can be lost by dropping this future.
            let completed = self.complete(info.clone()).await?;
            if let Some(level) = self.levels.last_mut() {
                level.pop();
            }
            if info.is_dir() {
                self.pending = Some(info.path().clone());
            }
            match completed {
                Some(found) if self.options.admits(&found.key()) => return Ok(Some(found)),
                _ => {}
            }
        }
    }

    fn skip_dir(&mut self) {
        self.pending = None;
    }
}
