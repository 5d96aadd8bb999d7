//! The walk: directory by directory, each as it is at one moment.

use std::ops::Range;

use storagedriver::{
    DriverWalk, FileInfo, Result, StoragePath, WalkKey, WalkOptions, WalkOrder, async_trait,
};

use crate::driver::InMemory;
use crate::files::WARM;

pub(crate) struct TreeWalk {
    store: InMemory,
    options: WalkOptions,
    /// What is still to come of the directories that are open, the next entry last.
    entries: Vec<FileInfo>,
    /// The directory that was yielded last: it is listed when the next entry is asked for.
    pending: Option<StoragePath>,
    /// Which of the entries were looked at to bring them into the processor's caches.
    warm: Range<usize>,
}

impl TreeWalk {
    pub(crate) fn start(store: InMemory, start: &StoragePath, options: WalkOptions) -> Result<Self> {
        let mut walk = TreeWalk { store, options, entries: Vec::new(), pending: None, warm: 0..0 };
        walk.enter(start)?;
        Ok(walk)
    }

    fn enter(&mut self, directory: &StoragePath) -> Result<()> {
        let before = self.entries.len();
        self.store.files().list_into(directory, &mut self.entries)?;
        if self.options.start_after.is_some() {
            let options = &self.options;
            let passed = self.entries.extract_if(before.., |info| !reaches(options, info));
            passed.for_each(drop);
        }
        let level = self.entries.get_mut(before..).unwrap_or_default();
        // A directory `a` comes after `a-b` and `a.b` then: its key ends in `/`. They follow one another
        // in the order of paths, too.
        let is_late = |pair: &[FileInfo]| match pair {
            [one, next] => one.is_dir() && next.path().as_str().starts_with(one.path().as_str()),
            _ => false,
        };
        if self.options.order == WalkOrder::Key && level.windows(2).any(is_late) {
            level.sort_by(|one, other| one.key().cmp_in(&other.key(), WalkOrder::Key));
        }
        level.reverse();
        Ok(())
    }

    /// Sees to it that the next directory, and those that come after it, are in the caches when their
    /// turn comes.
    fn warm(&mut self, next: &StoragePath) {
        let at = self.entries.len();
        if self.warm.contains(&at) {
            return;
        }
        self.warm = at.saturating_sub(WARM - 1)..at + 1;
        let after = self.entries.get(self.warm.start..).unwrap_or_default();
        let after = after.iter().rev().filter(|info| info.is_dir()).map(FileInfo::path);
        // One alone is looked at soon enough.
        if after.clone().next().is_some() {
            self.store.files().warm([next].into_iter().chain(after));
        }
    }

    fn step(&mut self) -> Option<FileInfo> {
        loop {
            if let Some(directory) = self.pending.take() {
                // One that has gone since has nothing below it.
                let _ = self.enter(&directory);
            }
            let info = self.entries.pop()?;
            if info.is_dir() {
                self.warm(info.path());
                self.pending = Some(info.path().clone());
            }
            if self.options.start_after.is_none() || self.options.admits(&info.key()) {
                return Some(info);
            }
        }
    }
}

/// Whether the entry, or anything below it, comes after `start_after`.
fn reaches(options: &WalkOptions, info: &FileInfo) -> bool {
    let last = if info.is_dir() { WalkKey::after_subtree(info.path()) } else { info.key() };
    options.admits(&last)
}

#[async_trait]
impl DriverWalk for TreeWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        Ok(self.step())
    }

    fn at_hand(&mut self) -> Option<FileInfo> {
        self.step()
    }

    fn skip_dir(&mut self) {
        self.pending = None;
    }
}
