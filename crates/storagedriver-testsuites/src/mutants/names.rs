//! Mutants about paths, lists, renames and deletes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    Content, EntryKind, Error, FileInfo, Layer, ReadOptions, Result, StorageDriver, StoragePath, WalkOptions,
    WriteMode,
};

use super::wrap::{gap, lock, long_gap, mutant, right_walk};

mutant! {
    /// Names differ in case only: they are the same.
    CaseFolded {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?, content).await
        }

        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            self.inner.get_content(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?).await
        }

        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            self.inner.reader(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?, options).await
        }

        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            self.inner.stat(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?).await
        }
    }
}

mutant! {
    /// Names that begin with a dot are refused.
    DotNamesRefused {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.components().any(|name| name.starts_with('.')) {
                return Err(Error::invalid_path(path, "a name begins with a dot"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// Names that begin with a dot are not listed.
    DotNamesHidden {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            children.retain(|info| !info.path().name().starts_with('.'));
            Ok(children)
        }
    }
}

mutant! {
    /// `rename` takes no names that `put_content` would.
    RenameRefusesLongNames {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if to.as_str().len() > 2000 || to.name().len() > 200 {
                return Err(Error::invalid_path(to, "the temporary name would be too long"));
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// Paths of more than 40 components fail.
    DeepPathsFail {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.components().count() > 40 {
                return Err(Error::backend(path, "too many directories"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// The beginning of a name is a directory.
    PrefixIsADirectory {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let parent = path.parent().unwrap_or_else(StoragePath::root);
                    let siblings = self.inner.list(&parent).await.unwrap_or_default();
                    let begins = |info: &FileInfo| info.path().as_str().starts_with(path.as_str());
                    if siblings.iter().any(begins) {
                        return Ok(FileInfo::directory(path.clone()));
                    }
                    Err(Error::path_not_found(path))
                }
                outcome => outcome,
            }
        }
    }
}

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
    /// Directories stay when nothing is below them any more.
    EmptyDirectoryLeft remembers BTreeSet<StoragePath> {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(path, content).await?;
            let mut above = path.parent();
            while let Some(directory) = above.filter(|directory| !directory.is_root()) {
                above = directory.parent();
                lock(&self.state).insert(directory);
            }
            Ok(())
        }

        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) if lock(&self.state).contains(path) => {
                    Ok(FileInfo::directory(path.clone()))
                }
                outcome => outcome,
            }
        }

        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.delete(path).await?;
            lock(&self.state).retain(|directory| !directory.is_within(path));
            Ok(())
        }
    }
}

mutant! {
    /// The root is absent as long as nothing is in it.
    EmptyRootAbsent {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            if path.is_root() && self.inner.list(path).await?.is_empty() {
                return Err(Error::path_not_found(path));
            }
            self.inner.stat(path).await
        }

        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            if path.is_root() && children.is_empty() {
                return Err(Error::path_not_found(path));
            }
            Ok(children)
        }
    }
}

mutant! {
    /// `stat` of the root fails.
    RootNeedsAName {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            if path.is_root() {
                return Err(Error::backend(path, "an object needs a name"));
            }
            self.inner.stat(path).await
        }
    }
}

mutant! {
    /// `stat` does not tell when.
    StatWithoutTime {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            let info = self.inner.stat(path).await?;
            Ok(match info.kind() {
                EntryKind::Directory => info,
                _ => FileInfo::file(path.clone()).with_size(info.size().unwrap_or_default()),
            })
        }
    }
}

mutant! {
    /// `stat` tells a size that is rounded up to blocks.
    StatCountsBlocks {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            let info = self.inner.stat(path).await?;
            let size = info.size().unwrap_or_default().next_multiple_of(512);
            Ok(info.with_size(size))
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

mutant! {
    /// `stat` tells of an upload as of a file.
    StatSeesUploads {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let uploads = self.inner.uploads(path).await?;
                    let own = uploads.iter().find(|upload| upload.path() == path);
                    let own = own.ok_or_else(|| Error::path_not_found(path))?;
                    Ok(FileInfo::file(path.clone()).with_size(own.size()).with_modified(own.modified()))
                }
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// An upload implies the directories above it.
    UploadsImplyDirectories {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let uploads = self.inner.uploads(path).await?;
                    if uploads.iter().any(|upload| upload.path().is_below(path)) {
                        return Ok(FileInfo::directory(path.clone()));
                    }
                    Err(Error::path_not_found(path))
                }
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// The source of a rename stays.
    RenameLeavesSource {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename deletes the source before the destination is there.
    RenameDeletesFirst {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.delete(from).await?;
            long_gap().await;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename copies, and deletes whatever is there later.
    RenameIsTwoSteps {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.put_content(to, content).await?;
            gap().await;
            match self.inner.delete(from).await {
                Err(Error::PathNotFound { .. }) => Ok(()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// A rename shows half of the content at the destination first.
    TornRename {
        // Slow, so that who looks more than once looks while a rename is under way.
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            long_gap().await;
            self.inner.get_content(path).await
        }

        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            let half = content.slice(..content.len() / 2);
            self.inner.put_content(to, half).await?;
            long_gap().await;
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename clears the destination before it looks for the source.
    RenameClearsDestination {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(to).await.is_ok_and(|info| info.is_file()) && !to.is_below(from) {
                self.inner.delete(to).await?;
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename makes room for its destination, whatever is in the way.
    RenameMakesRoom {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.delete(from).await?;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename does not replace.
    RenameRefusesExisting {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(to).await.is_ok() {
                return Err(Error::conflict(to, "the destination exists"));
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename leaves the tail of longer content at the destination.
    RenameOverlays {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let before = self.inner.get_content(to).await.unwrap_or_default();
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            let tail = before.get(content.len()..).unwrap_or_default();
            if tail.is_empty() {
                return Ok(());
            }
            self.inner.put_content(to, [&content[..], tail].concat().into()).await
        }
    }
}

mutant! {
    /// A rename copies at most a mebibyte.
    RenameCutsWhatIsLarge {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            if content.len() <= 1 << 21 {
                return Ok(());
            }
            self.inner.put_content(to, content.slice(..1 << 21)).await
        }
    }
}

mutant! {
    /// A rename of content that fills its last block loses a byte.
    RenameLosesByteAtBoundary {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            if content.is_empty() || !content.len().is_multiple_of(4096) {
                return Ok(());
            }
            self.inner.put_content(to, content.slice(..content.len() - 1)).await
        }
    }
}

mutant! {
    /// A rename of a directory moves the files in it.
    RenameMovesDirectory {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(from).await.is_ok_and(|info| info.is_dir()) && !from.is_root() {
                for info in right_walk(&self.inner, from, &WalkOptions::new()).await? {
                    let Some(rest) = info.path().as_str().strip_prefix(from.as_str()) else { continue };
                    if info.is_file() {
                        self.inner.rename(info.path(), &StoragePath::parse(&format!("{to}{rest}"))?).await?;
                    }
                }
                return Ok(());
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename takes along files whose names begin with the source's.
    RenameTakesLongerNames {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let parent = from.parent().unwrap_or_else(StoragePath::root);
            for info in self.inner.list(&parent).await.unwrap_or_default() {
                if let Some(rest) = info.path().as_str().strip_prefix(from.as_str())
                    && info.is_file()
                {
                    self.inner.rename(info.path(), &StoragePath::parse(&format!("{to}{rest}"))?).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// A rename moves the upload of its source.
    RenameMovesUpload {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            for upload in self.inner.uploads(from).await? {
                if upload.path() == from {
                    self.inner.abort_upload(&upload).await?;
                    let mut writer = self.inner.writer(to, WriteMode::Create).await?;
                    writer.write(vec![0; upload.size() as usize].into()).await?;
                    writer.close().await?;
                }
            }
            Ok(())
        }
    }
}

/// Whether nothing but `path` is in the directory above it.
async fn is_alone(inner: &Arc<dyn StorageDriver>, path: &StoragePath) -> Option<StoragePath> {
    let parent = path.parent().filter(|parent| !parent.is_root())?;
    let children = inner.list(&parent).await.ok()?;
    children.iter().all(|info| info.path() == path).then_some(parent)
}

/// Removes the directory that was seen to become empty, with what has come into it since.
async fn prune_late(inner: &Arc<dyn StorageDriver>, directory: Option<StoragePath>) -> Result<()> {
    let Some(directory) = directory else { return Ok(()) };
    long_gap().await;
    match inner.delete(&directory).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

mutant! {
    /// A delete removes the directory that it empties, with what has come into it since.
    DeletePrunesLate {
        // Slow, so that a delete that was begun before has seen the directory without it.
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            for _ in 0..20 {
                gap().await;
            }
            self.inner.put_content(path, content).await
        }

        async fn delete(&self, path: &StoragePath) -> Result<()> {
            let emptied = is_alone(&self.inner, path).await;
            self.inner.delete(path).await?;
            prune_late(&self.inner, emptied).await
        }
    }
}

mutant! {
    /// A delete takes along what is beside it, if the name begins the same.
    DeleteTakesLongerNames {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.delete(path).await?;
            let parent = path.parent().unwrap_or_else(StoragePath::root);
            for info in self.inner.list(&parent).await.unwrap_or_default() {
                if info.path().as_str().starts_with(path.as_str()) {
                    self.inner.delete(info.path()).await?;
                }
            }
            for upload in self.inner.uploads(&parent).await? {
                if upload.path().as_str().starts_with(path.as_str()) {
                    self.inner.abort_upload(&upload).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// A delete of nothing succeeds.
    DeleteOfNothingSucceeds {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            match self.inner.delete(path).await {
                Err(Error::PathNotFound { .. }) => Ok(()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// A delete removes the files of a directory, and not what is in directories below.
    DeleteIsShallow {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if !self.inner.stat(path).await.is_ok_and(|info| info.kind() == EntryKind::Directory) {
                return self.inner.delete(path).await;
            }
            for upload in self.inner.uploads(path).await? {
                self.inner.abort_upload(&upload).await?;
            }
            let children = self.inner.list(path).await?;
            for info in children.iter().filter(|info| info.is_file()) {
                self.inner.delete(info.path()).await?;
            }
            Ok(())
        }
    }
}

mutant! {
    /// Only a file can be deleted.
    DeleteRefusesDirectories {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if self.inner.stat(path).await.is_ok_and(|info| !info.is_file()) {
                return Err(Error::conflict(path, "the directory is not empty"));
            }
            self.inner.delete(path).await
        }
    }
}

mutant! {
    /// Large files stay when they are deleted.
    DeleteLeavesLargeFiles {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if self.inner.stat(path).await.is_ok_and(|info| info.size() == Some(100_000)) {
                return Ok(());
            }
            self.inner.delete(path).await
        }
    }
}

mutant! {
    /// What was a file once can never be a directory.
    DeletedNamesAreKept remembers BTreeSet<StoragePath> {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            let file = self.inner.stat(path).await.is_ok_and(|info| info.is_file());
            self.inner.delete(path).await?;
            if file {
                lock(&self.state).insert(path.clone());
            }
            Ok(())
        }

        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.parent().is_some_and(|parent| lock(&self.state).contains(&parent)) {
                return Err(Error::conflict(path, "there is a file above"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A delete that was interrupted cannot be run again.
    DeleteIsMarkedFirst remembers Vec<StoragePath> {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if lock(&self.state).contains(path) {
                return Err(Error::conflict(path, "the path is being deleted"));
            }
            lock(&self.state).push(path.clone());
            gap().await;
            let outcome = self.inner.delete(path).await;
            lock(&self.state).retain(|marked| marked != path);
            outcome
        }
    }
}

mutant! {
    /// A delete leaves uploads.
    DeleteLeavesUploads {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            for info in right_walk(&self.inner, path, &WalkOptions::new()).await.unwrap_or_default() {
                if info.is_file() {
                    let aside = StoragePath::parse("/deleted.file")?;
                    self.inner.rename(info.path(), &aside).await?;
                    self.inner.delete(&aside).await?;
                }
            }
            match self.inner.stat(path).await {
                Ok(_) => {
                    let aside = StoragePath::parse("/deleted.file")?;
                    self.inner.rename(path, &aside).await?;
                    self.inner.delete(&aside).await
                }
                Err(_) => Ok(()),
            }
        }
    }
}

mutant! {
    /// A delete does not find a path with nothing but an upload.
    DeleteMissesLoneUploads {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.stat(path).await?;
            self.inner.delete(path).await
        }
    }
}
