//! The walk in key order: the order in which the files are kept.

use std::collections::VecDeque;
use std::ops::Bound;

use storagedriver::{DriverWalk, FileInfo, Result, StoragePath, WalkKey, WalkOptions, async_trait};

use crate::driver::InMemory;
use crate::state::prefix_of;

/// How many files are taken at a time, so that a walk holds the lock only for moments.
const BATCH: usize = 256;

pub(crate) struct KeyWalk {
    store: InMemory,
    start: StoragePath,
    prefix: String,
    options: WalkOptions,
    /// Every file up to here was taken. No path equals a key that ends in `/` or `~`, so one
    /// exclusive bound serves all kinds of key.
    taken: String,
    /// The file taken last: its directories were yielded.
    previous: Option<StoragePath>,
    ready: VecDeque<FileInfo>,
    /// The directory that was yielded last.
    directory: Option<StoragePath>,
}

impl KeyWalk {
    pub(crate) fn new(store: InMemory, start: &StoragePath, options: WalkOptions) -> Self {
        let prefix = prefix_of(start);
        let after = options.start_after.as_ref().map(WalkKey::to_string).unwrap_or_default();
        KeyWalk {
            store,
            start: start.clone(),
            taken: after.max(prefix.clone()),
            prefix,
            options,
            previous: None,
            ready: VecDeque::new(),
            directory: None,
        }
    }

    fn take_batch(&mut self) {
        let store = self.store.clone();
        let state = store.read();
        let files = state
            .files
            .range::<str, _>((Bound::Excluded(self.taken.as_str()), Bound::Unbounded))
            .take_while(|(path, _)| path.as_str().starts_with(&self.prefix))
            .take(BATCH);
        let mut last = None;
        for (path, file) in files {
            let mut above: Vec<StoragePath> = std::iter::successors(path.parent(), StoragePath::parent)
                .take_while(|directory| directory.is_below(&self.start))
                .take_while(|directory| {
                    !self.previous.as_ref().is_some_and(|previous| previous.is_below(directory))
                })
                .collect();
            while let Some(directory) = above.pop() {
                let info = FileInfo::directory(directory);
                if self.options.admits(&info.key()) {
                    self.ready.push_back(info);
                }
            }
            self.ready.push_back(file.info(path));
            self.previous = Some(path.clone());
            last = Some(path.to_string());
        }
        if let Some(last) = last {
            self.taken = last;
        }
    }
}

#[async_trait]
impl DriverWalk for KeyWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        if self.ready.is_empty() {
            self.take_batch();
        }
        let next = self.ready.pop_front();
        self.directory = next.as_ref().filter(|info| info.is_dir()).map(|info| info.path().clone());
        Ok(next)
    }

    fn skip_dir(&mut self) {
        let Some(directory) = self.directory.take() else { return };
        while self.ready.front().is_some_and(|info| info.path().is_below(&directory)) {
            self.ready.pop_front();
        }
        if self.ready.is_empty() {
            self.taken = WalkKey::after_subtree(&directory).to_string().max(std::mem::take(&mut self.taken));
        }
    }
}
