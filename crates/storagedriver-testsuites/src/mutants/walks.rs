//! Mutants about walks.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    DriverWalk, Error, FileInfo, Layer, Result, StorageDriver, StoragePath, WalkOptions, WalkOrder,
};

use super::wrap::{Prepared, Skip, gap, lock, mutant, right_walk};

type Walked = Result<Option<Box<dyn DriverWalk>>>;

fn prepared(entries: Vec<FileInfo>) -> Walked {
    Ok(Some(Prepared::walk(entries, Skip::Below)))
}

mutant! {
    /// A walk yields its start.
    WalkYieldsStart {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut entries = right_walk(&self.inner, path, options).await?;
            if options.start_after.is_none() {
                entries.insert(0, FileInfo::directory(path.clone()));
            }
            prepared(entries)
        }
    }
}

mutant! {
    /// A walk in key order goes in tree order.
    KeyOrderIsTreeOrder {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut tree = options.clone();
            tree.order = WalkOrder::Tree;
            prepared(right_walk(&self.inner, path, &tree).await?)
        }
    }
}

mutant! {
    /// A walk in tree order goes in key order.
    TreeOrderIsKeyOrder {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut key = options.clone();
            key.order = WalkOrder::Key;
            prepared(right_walk(&self.inner, path, &key).await?)
        }
    }
}

mutant! {
    /// A walk yields files only.
    WalkWithoutDirectories {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut entries = right_walk(&self.inner, path, options).await?;
            entries.retain(FileInfo::is_file);
            prepared(entries)
        }
    }
}

mutant! {
    /// A directory comes after what is below it.
    DirectoryAfterItsFiles {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            let mut ordered: Vec<FileInfo> = Vec::new();
            for info in entries {
                match ordered.last() {
                    Some(last) if last.is_dir() && info.is_file() && info.path().is_below(last.path()) => {
                        ordered.insert(ordered.len() - 1, info);
                    }
                    _ => ordered.push(info),
                }
            }
            prepared(ordered)
        }
    }
}

mutant! {
    /// A walk goes on at the entry after which it should.
    StartAfterIsInclusive {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            // Whoever goes on for ever because of this can be stopped.
            gap().await;
            let mut all = options.clone();
            all.start_after = None;
            let mut entries = right_walk(&self.inner, path, &all).await?;
            if let Some(start) = &options.start_after {
                entries.retain(|info| info.key().cmp_in(start, options.order).is_ge());
            }
            prepared(entries)
        }
    }
}

mutant! {
    /// The place at which to start is not looked at when it is outside.
    StartAfterOutsideIgnored {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut near = options.clone();
            near.start_after = near.start_after.filter(|key| key.path().is_within(path));
            prepared(right_walk(&self.inner, path, &near).await?)
        }
    }
}

mutant! {
    /// After a subtree is taken for after its directory.
    AfterSubtreeIsBeforeIt {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut changed = options.clone();
            if let Some(key) = &options.start_after
                && key.to_string().ends_with("/~")
            {
                changed.start_after = Some(storagedriver::WalkKey::directory(key.path()));
            }
            prepared(right_walk(&self.inner, path, &changed).await?)
        }
    }
}

mutant! {
    /// `skip_dir` does nothing.
    SkipIgnored {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            Ok(Some(Prepared::walk(entries, Skip::Nothing)))
        }
    }
}

mutant! {
    /// `skip_dir` after a file leaves out the rest of its directory.
    SkipAfterFileSkipsParent {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            Ok(Some(Prepared::walk(entries, Skip::RestAfterFile)))
        }
    }
}

mutant! {
    /// `skip_dir` before the first entry leaves it out.
    SkipBeforeFirst {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            Ok(Some(Prepared::walk(entries, Skip::First)))
        }
    }
}

mutant! {
    /// `skip_dir` does nothing in a walk that was resumed.
    SkipIgnoredAfterStart {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            let skip = if options.start_after.is_some() { Skip::Nothing } else { Skip::Below };
            Ok(Some(Prepared::walk(entries, skip)))
        }
    }
}

mutant! {
    /// A walk of nothing is empty, instead of an error.
    WalkOfNothingIsEmpty {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            match right_walk(&self.inner, path, options).await {
                Err(Error::PathNotFound { .. }) => prepared(Vec::new()),
                Err(error) => Err(error),
                Ok(entries) => prepared(entries),
            }
        }
    }
}

mutant! {
    /// A walk of an empty root is an error.
    WalkOfEmptyRootFails {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            if self.inner.list(path).await?.is_empty() {
                return Err(Error::path_not_found(path));
            }
            self.inner.walk(path, options).await
        }
    }
}

mutant! {
    /// The last entry of a page of a walk is on the next page too.
    WalkDoublesAtPage {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?;
            let doubled = entries.into_iter().enumerate().flat_map(|(place, info)| {
                let again = (place % 100 == 99).then(|| info.clone());
                std::iter::once(info).chain(again)
            });
            prepared(doubled.collect())
        }
    }
}

mutant! {
    /// The last entry of a page of a walk is lost.
    WalkMissesAtPage {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?.into_iter().enumerate();
            prepared(entries.filter(|(place, _)| place % 100 != 99).map(|(_, info)| info).collect())
        }
    }
}

mutant! {
    /// A walk does not tell sizes and times.
    WalkWithoutSizes {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let entries = right_walk(&self.inner, path, options).await?.into_iter();
            let bare = |info: FileInfo| FileInfo::file(info.path().clone()).with_kind(info.kind());
            prepared(entries.map(bare).collect())
        }
    }
}

mutant! {
    /// A walk yields what is being uploaded.
    WalkShowsUploads {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let mut entries = right_walk(&self.inner, path, options).await?;
            let known: Vec<StoragePath> = entries.iter().map(|info| info.path().clone()).collect();
            for upload in self.inner.uploads(path).await? {
                let info = FileInfo::file(upload.path().clone())
                    .with_size(upload.size())
                    .with_modified(upload.modified());
                if !known.contains(upload.path()) && options.admits(&info.key()) {
                    entries.push(info);
                }
            }
            entries.sort_by(|one, other| one.key().cmp_in(&other.key(), options.order));
            prepared(entries)
        }
    }
}

/// Goes by the number of entries before: what goes meanwhile shifts the rest.
struct ByNumber {
    inner: Arc<dyn StorageDriver>,
    start: StoragePath,
    options: WalkOptions,
    place: usize,
    over: Vec<StoragePath>,
    last: Option<FileInfo>,
}

#[async_trait]
impl DriverWalk for ByNumber {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        let entries = match right_walk(&self.inner, &self.start, &self.options).await {
            Err(Error::PathNotFound { .. }) => Vec::new(),
            outcome => outcome?,
        };
        gap().await;
        let skipped = |info: &&FileInfo| self.over.iter().any(|directory| info.path().is_below(directory));
        let mut rest = entries.iter().filter(|info| !skipped(info)).skip(self.place);
        self.last = rest.next().cloned();
        self.place += 1;
        Ok(self.last.clone())
    }

    fn skip_dir(&mut self) {
        if let Some(info) = self.last.as_ref().filter(|info| info.is_dir()) {
            self.over.push(info.path().clone());
        }
    }
}

mutant! {
    /// A walk counts entries: what goes or comes behind it shifts the rest.
    WalkCountsEntries {
        // Slow, so that what comes and goes is there for a while.
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            gap().await;
            self.inner.delete(path).await
        }

        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            // An absent start is an error.
            right_walk(&self.inner, path, options).await?;
            Ok(Some(Box::new(ByNumber {
                inner: self.inner.clone(),
                start: path.clone(),
                options: options.clone(),
                place: 0,
                over: Vec::new(),
                last: None,
            })))
        }
    }
}

/// Removes a file when it is dropped before its end.
struct Impatient {
    inner: Box<dyn DriverWalk>,
    over: bool,
    broken: Arc<Mutex<bool>>,
}

#[async_trait]
impl DriverWalk for Impatient {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        let next = self.inner.next().await?;
        self.over = next.is_none();
        Ok(next)
    }

    fn skip_dir(&mut self) {
        self.inner.skip_dir();
    }
}

impl Drop for Impatient {
    fn drop(&mut self) {
        if !self.over {
            *lock(&self.broken) = true;
        }
    }
}

mutant! {
    /// A walk that was dropped midway spoils the next.
    DroppedWalkSpoilsTheNext remembers bool {
        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            if std::mem::take(&mut *lock(&self.state)) {
                return Err(Error::unavailable(path, "a listing is still open"));
            }
            let inner = Prepared::walk(right_walk(&self.inner, path, options).await?, Skip::Below);
            Ok(Some(Box::new(Impatient { inner, over: false, broken: self.state.clone() })))
        }
    }
}

mutant! {
    /// What was put is not in a walk until something else was put.
    WalkIsBehind remembers Option<StoragePath> {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(path, content).await?;
            *lock(&self.state) = Some(path.clone());
            Ok(())
        }

        async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Walked {
            let last = lock(&self.state).clone();
            let mut entries = right_walk(&self.inner, path, options).await?;
            entries.retain(|info| last.as_ref() != Some(info.path()));
            prepared(entries)
        }
    }
}
