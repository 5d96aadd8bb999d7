//! The walk: one listing of HDFS for each directory, a page of it at a time.

use async_trait::async_trait;
use hdfs_native::client::ListStatusIterator;
use std::sync::Arc;
use storagedriver::{DriverWalk, Error, FileInfo, Result, StoragePath, WalkKey, WalkOptions, WalkOrder};

use crate::cluster::{Hadoop, is_missing};
use crate::listing::child;

/// Brings the children of a directory, which HDFS lists by name, into the order of keys.
///
/// That of a directory `a` is `a/`, so that files and directories called `a-…` and `a.…` come before
/// it. A directory is held until a greater key comes: each that is held has the name of the next as
/// its beginning, so that there are never more than a name has bytes.
#[derive(Debug, Default)]
struct Held {
    /// The next to come is the last.
    directories: Vec<FileInfo>,
}

impl Held {
    /// Takes the next child by name, or `None` at the end; gives what comes next in order, with the
    /// child back if it is not its turn.
    fn offer(&mut self, next: Option<FileInfo>) -> (Option<FileInfo>, Option<FileInfo>) {
        let Some(next) = next else {
            return (self.directories.pop(), None);
        };
        let first = self.directories.last();
        if first.is_some_and(|first| first.key().cmp_in(&next.key(), WalkOrder::Key).is_lt()) {
            return (self.directories.pop(), Some(next));
        }
        if next.is_dir() {
            self.directories.push(next);
            return (None, None);
        }
        (Some(next), None)
    }
}

/// A directory that is being listed.
struct Level {
    directory: StoragePath,
    listing: ListStatusIterator,
    held: Held,
    waiting: Option<FileInfo>,
    over: bool,
}

/// A [`DriverWalk`] of this driver.
pub(crate) struct HdfsWalk {
    hadoop: Arc<Hadoop>,
    options: WalkOptions,
    levels: Vec<Level>,
    /// The directory that came last; it is listed when the next entry is asked for.
    pending: Option<StoragePath>,
    /// Whether the start was found to be a directory.
    started: bool,
}

impl HdfsWalk {
    pub(crate) fn new(hadoop: Arc<Hadoop>, start: &StoragePath, options: WalkOptions) -> Self {
        HdfsWalk { hadoop, options, levels: Vec::new(), pending: Some(start.clone()), started: false }
    }

    /// Whether the entry, or anything below it, comes after `start_after`.
    fn reaches(&self, info: &FileInfo) -> bool {
        let last = if info.is_dir() { WalkKey::after_subtree(info.path()) } else { info.key() };
        self.options.admits(&last)
    }

    fn enter(&mut self, directory: StoragePath) {
        let listing = self.hadoop.client.list_status_iter(&self.hadoop.content(&directory), false);
        self.levels.push(Level { directory, listing, held: Held::default(), waiting: None, over: false });
    }

    /// Fetches the next child of the innermost directory; nothing is lost if this is dropped.
    async fn fetch(&mut self) -> Result<()> {
        let started = self.started;
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if level.over || level.waiting.is_some() {
            return Ok(());
        }
        let place = self.hadoop.content(&level.directory);
        let path = &level.directory;
        match level.listing.next().await {
            None => level.over = true,
            // That of a file is the file itself.
            Some(Ok(status)) if status.path.trim_end_matches('/') == place.trim_end_matches('/') => {
                if !started {
                    return Err(Error::path_not_found(path));
                }
                level.over = true;
            }
            Some(Ok(status)) => level.waiting = child(path, &status),
            Some(Err(error)) if is_missing(&error) && (started || path.is_root()) => level.over = true,
            Some(Err(error)) => return Err(Hadoop::read_fault(path, "list the directory")(error)),
        }
        self.started = true;
        Ok(())
    }

    /// What comes next in the innermost directory, if that is known yet.
    fn step(&mut self) -> Option<FileInfo> {
        let level = self.levels.last_mut()?;
        let next = level.waiting.take();
        if next.is_none() && !level.over {
            return None;
        }
        if self.options.order == WalkOrder::Tree {
            return next;
        }
        let (ready, back) = level.held.offer(next);
        level.waiting = back;
        ready
    }
}

#[async_trait]
impl DriverWalk for HdfsWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            if let Some(directory) = self.pending.take() {
                self.enter(directory);
            }
            if self.levels.is_empty() {
                return Ok(None);
            }
            self.fetch().await?;
            let Some(info) = self.step() else {
                let done = |level: &Level| {
                    level.over && level.waiting.is_none() && level.held.directories.is_empty()
                };
                if self.levels.last().is_some_and(done) {
                    self.levels.pop();
                }
                continue;
            };
            if !self.reaches(&info) {
                continue;
            }
            if info.is_dir() {
                self.pending = Some(info.path().clone());
            }
            if self.options.admits(&info.key()) {
                return Ok(Some(info));
            }
        }
    }

    fn skip_dir(&mut self) {
        if self.started {
            self.pending = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ordered(children: Vec<FileInfo>) -> Vec<FileInfo> {
        let (mut held, mut out) = (Held::default(), Vec::new());
        let mut children = children.into_iter();
        let mut waiting = children.next();
        let mut most = 0;
        loop {
            let at_end = waiting.is_none();
            let (ready, back) = held.offer(waiting.take());
            most = most.max(held.directories.len());
            if at_end && ready.is_none() {
                assert!(most <= 255);
                return out;
            }
            out.extend(ready);
            waiting = if at_end { None } else { back.or_else(|| children.next()) };
        }
    }

    proptest! {
        #[test]
        fn children_come_by_key(names in prop::collection::btree_map("[ab.0-]{1,5}", any::<bool>(), 0..40)) {
            let root = StoragePath::root();
            let children: Vec<FileInfo> = names
                .into_iter()
                .filter_map(|(name, is_dir)| {
                    let path = root.child(&name).ok()?;
                    Some(if is_dir { FileInfo::directory(path) } else { FileInfo::file(path) })
                })
                .collect();
            let mut expected = children.clone();
            expected.sort_by(|a, b| a.key().cmp_in(&b.key(), WalkOrder::Key));
            prop_assert_eq!(ordered(children), expected);
        }
    }
}
