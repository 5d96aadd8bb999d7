//! Mutants about lists.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use storagedriver::{
    DriverWalk, EntryKind, Error, FileInfo, Layer, Result, StorageDriver, StoragePath, WalkOptions,
};

use super::wrap::{lock, mutant};

mutant! {
    /// A file is a directory as well, an empty one.
    FileListsEmpty {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            match self.inner.list(path).await {
                Err(_) if self.inner.stat(path).await.is_ok() => Ok(Vec::new()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// What is absent lists as empty.
    AbsentListsEmpty {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            match self.inner.list(path).await {
                Err(Error::PathNotFound { .. }) if self.inner.stat(path).await.is_err() => Ok(Vec::new()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// A list is not sorted.
    ListUnsorted {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            children.sort_by_key(|info| info.is_dir());
            Ok(children)
        }
    }
}

mutant! {
    /// A list is sorted as a flat store sorts, a directory's name ending in `/`.
    ListSortedByKey {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            children.sort_by_key(|info| info.key().to_string());
            Ok(children)
        }
    }
}

mutant! {
    /// The entry at the end of a page is on the next one too.
    ListDoublesAtPage {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            let pages = children.chunks(100);
            let last = pages.clone().count();
            Ok(pages.enumerate().flat_map(|(number, page)| {
                let again = page.last().filter(|_| number + 1 < last).cloned();
                page.iter().cloned().chain(again).collect::<Vec<_>>()
            }).collect())
        }
    }
}

mutant! {
    /// The entry at the end of a page is lost.
    ListMissesAtPage {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            let page_end = |place: usize| place % 100 == 99;
            Ok(children.into_iter().enumerate().filter(|(place, _)| !page_end(*place)).map(|(_, info)| info).collect())
        }
    }
}

mutant! {
    /// A page of exactly seven names loses its last.
    ListMissesLastOfFullPage {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            if children.len() == 7 {
                children.pop();
            }
            Ok(children)
        }
    }
}

mutant! {
    /// A directory that fills more than a page is listed on each.
    LargeDirectoryListedTwice {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut listed = Vec::new();
            for info in self.inner.list(path).await? {
                if info.is_dir() && self.inner.list(info.path()).await?.len() > 100 {
                    listed.push(info.clone());
                }
                listed.push(info);
            }
            Ok(listed)
        }
    }
}

mutant! {
    /// Every child is a file.
    ListTellsFilesOnly {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            Ok(children.into_iter().map(|info| info.with_kind(EntryKind::File)).collect())
        }
    }
}

mutant! {
    /// A list has the grandchildren too.
    ListIsRecursive {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            let mut all = children.clone();
            for info in children.iter().filter(|info| info.is_dir()) {
                all.extend(self.inner.list(info.path()).await?);
            }
            all.sort_by(|one, other| one.path().cmp(other.path()));
            Ok(all)
        }
    }
}

mutant! {
    /// A child that has its directory's name is taken for the directory.
    ListHidesNamesake {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            children.retain(|info| info.path().name() != path.name());
            Ok(children)
        }

        /// By the list: a driver with a walk of its own would not be asked for one.
        async fn walk(&self, _: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
            Ok(None)
        }
    }
}

mutant! {
    /// Each file is listed as file and as directory.
    ListDoublesFiles {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            Ok(children.into_iter().flat_map(|info| match info.kind() {
                EntryKind::File => vec![info.clone(), info],
                _ => vec![info],
            }).collect())
        }
    }
}

mutant! {
    /// A list shows what is being uploaded.
    ListShowsUploads {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            for upload in self.inner.uploads(path).await? {
                let staging = StoragePath::parse(&format!("{}.upload", upload.path()))?;
                if staging.parent().as_ref() == Some(path) {
                    children.push(FileInfo::file(staging).with_size(upload.size()));
                }
            }
            children.sort_by(|one, other| one.path().cmp(other.path()));
            Ok(children)
        }
    }
}

mutant! {
    /// A list is answered once from memory.
    ListIsCached remembers VecDeque<(StoragePath, Vec<FileInfo>)> {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let cached = {
                let mut state = lock(&self.state);
                let place = state.iter().position(|(at, _)| at == path);
                place.and_then(|place| state.remove(place))
            };
            if let Some((_, children)) = cached {
                return Ok(children);
            }
            let children = self.inner.list(path).await?;
            lock(&self.state).push_back((path.clone(), children.clone()));
            Ok(children)
        }
    }
}
