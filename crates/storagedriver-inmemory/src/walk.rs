//! The walk: directory by directory, each as it is at one moment.

use std::vec;

use storagedriver::{
    DriverWalk, FileInfo, Result, StoragePath, WalkKey, WalkOptions, WalkOrder, async_trait,
};

use crate::driver::InMemory;

pub(crate) struct TreeWalk {
    store: InMemory,
    options: WalkOptions,
    /// What is still to come, one level for each directory that is open.
    levels: Vec<vec::IntoIter<FileInfo>>,
    /// The directory that was yielded last: it is listed when the next entry is asked for.
    pending: Option<StoragePath>,
}

impl TreeWalk {
    pub(crate) fn start(store: InMemory, start: &StoragePath, options: WalkOptions) -> Result<Self> {
        let level = store.files().list(start)?;
        let mut walk = TreeWalk { store, options, levels: Vec::new(), pending: None };
        walk.enter(level);
        Ok(walk)
    }

    fn enter(&mut self, mut level: Vec<FileInfo>) {
        if self.options.start_after.is_some() {
            level.retain(|info| self.reaches(info));
        }
        // A directory `a` comes after `a-b` and `a.b` then: its key ends in `/`. They follow one another
        // in the order of paths, too.
        let is_late = |pair: &[FileInfo]| match pair {
            [one, next] => one.is_dir() && next.path().as_str().starts_with(one.path().as_str()),
            _ => false,
        };
        if self.options.order == WalkOrder::Key && level.windows(2).any(is_late) {
            level.sort_by(|one, other| one.key().cmp_in(&other.key(), WalkOrder::Key));
        }
        self.levels.push(level.into_iter());
    }

    /// Whether the entry, or anything below it, comes after `start_after`.
    fn reaches(&self, info: &FileInfo) -> bool {
        let last = if info.is_dir() { WalkKey::after_subtree(info.path()) } else { info.key() };
        self.options.admits(&last)
    }

    fn step(&mut self) -> Option<FileInfo> {
        loop {
            // One that has gone since has nothing below it.
            if let Some(directory) = self.pending.take()
                && let Ok(level) = self.store.files().list(&directory)
            {
                self.enter(level);
            }
            let Some(info) = self.levels.last_mut()?.next() else {
                self.levels.pop();
                continue;
            };
            if info.is_dir() {
                self.pending = Some(info.path().clone());
            }
            if self.options.start_after.is_none() || self.options.admits(&info.key()) {
                return Some(info);
            }
        }
    }
}

#[async_trait]
impl DriverWalk for TreeWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        Ok(self.step())
    }

    fn skip_dir(&mut self) {
        self.pending = None;
    }
}
