//! The walk in byte order, on stores that list in it and can start anywhere.

use std::collections::VecDeque;
use std::sync::Arc;

use storagedriver::{DriverWalk, Error, FileInfo, Result, StoragePath, WalkKey, WalkOptions, async_trait};

use crate::ObjectStoreBackend;
use crate::engine::Engine;
use crate::listing::is_directory;
use crate::pages::{Name, Pages};

pub(crate) struct KeyWalk<B> {
    engine: Arc<Engine<B>>,
    start: StoragePath,
    options: WalkOptions,
    pages: Pages<B>,
    /// Names that were listed and not yet looked at.
    names: VecDeque<Name>,
    /// Entries that are to be yielded next: directories, then the file below them.
    ready: VecDeque<FileInfo>,
    /// The directory that the last name was in; those above it have been yielded too.
    within: StoragePath,
    /// The directory that was yielded last.
    entered: Option<StoragePath>,
    /// Whether the start is known to be a directory.
    exists: bool,
    over: bool,
}

impl<B: ObjectStoreBackend> KeyWalk<B> {
    pub(crate) fn new(engine: &Arc<Engine<B>>, start: &StoragePath, options: &WalkOptions) -> Self {
        let mut pages = Pages::new(engine, engine.keys.below(start), false);
        if let Some(key) = &options.start_after {
            let place = engine.keys.place(&key.to_string());
            if place > engine.keys.below(start) {
                pages.seek(place);
            }
        }
        KeyWalk {
            engine: engine.clone(),
            start: start.clone(),
            options: options.clone(),
            pages,
            names: VecDeque::new(),
            ready: VecDeque::new(),
            within: start.clone(),
            entered: None,
            exists: start.is_root(),
            over: false,
        }
    }

    /// Turns one name into entries: the directories that it is the first in, and itself.
    fn take(&mut self, name: &Name) {
        if name.key.starts_with(&self.engine.keys.past_files()) {
            self.over = true;
            return;
        }
        let (Some(path), Some(object)) = (self.engine.keys.path(&name.key), &name.object) else { return };
        self.exists = true;
        let mut new = Vec::new();
        let mut above = path.parent();
        while let Some(directory) = above {
            if self.within.is_within(&directory) || !directory.is_below(&self.start) {
                break;
            }
            above = directory.parent();
            new.push(directory);
        }
        self.ready.extend(new.into_iter().rev().map(FileInfo::directory));
        self.within = path.parent().unwrap_or_else(StoragePath::root);
        self.ready.push_back(self.engine.file_info(path, object));
        let options = &self.options;
        self.ready.retain(|info| options.admits(&info.key()));
    }

    async fn refill(&mut self) -> Result<()> {
        match self.pages.next().await.map_err(|error| error.at(&self.start))? {
            Some(names) => self.names = names.into(),
            None => {
                // What starts past the end has seen no name, and must still notice an absent start.
                if !self.exists
                    && (self.options.start_after.is_none()
                        || !is_directory(&self.engine, &self.start).await?)
                {
                    return Err(Error::path_not_found(&self.start));
                }
                self.over = true;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl<B: ObjectStoreBackend> DriverWalk for KeyWalk<B> {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            if let Some(info) = self.ready.pop_front() {
                self.entered = info.is_dir().then(|| info.path().clone());
                return Ok(Some(info));
            }
            if self.over {
                return Ok(None);
            }
            match self.names.pop_front() {
                Some(name) => self.take(&name),
                None => self.refill().await?,
            }
        }
    }

    fn skip_dir(&mut self) {
        let Some(directory) = self.entered.take() else { return };
        self.ready.clear();
        self.within = directory.clone();
        let past = self.engine.keys.place(&WalkKey::after_subtree(&directory).to_string());
        while self.names.front().is_some_and(|name| name.key <= past) {
            self.names.pop_front();
        }
        if self.names.is_empty() {
            self.pages.seek(past);
        }
    }
}
