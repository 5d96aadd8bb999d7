//! How much lies below a path.
//!
//! One walk in key order, which is the cheapest on every driver: in it, all that is below a
//! directory stands together. So memory is taken for the directories that the walk is in, and only
//! for as many levels as are asked for.

use std::collections::VecDeque;

use storagedriver::{FileInfo, Result, Storage, StoragePath, Walk, WalkKey, WalkOptions};

/// What is below a directory, or what a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Where: the key of the directory, or of the file that was asked for.
    pub key: WalkKey,
    /// How many levels it lies below where the walk began.
    pub depth: usize,
    /// The sizes of all files at and below it, in bytes.
    pub bytes: u64,
    /// How many files that are.
    pub files: u64,
}

impl Usage {
    fn of(key: WalkKey, depth: usize) -> Self {
        Usage { key, depth, bytes: 0, files: 0 }
    }

    fn add(&mut self, bytes: u64, files: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.files = self.files.saturating_add(files);
    }
}

/// Sums up what is below a path, directory by directory.
///
/// ```
/// use storagedriver::Storage;
/// use storagedriver_cli::usage::UsageWalk;
/// use storagedriver_inmemory::InMemory;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> storagedriver::Result<()> {
/// let storage = Storage::new(InMemory::new());
/// storage.put_content("/a/b/file", "12345").await?;
///
/// let mut walk = UsageWalk::new(&storage, "/", 1).await?;
/// let a = walk.next(|_| ()).await?.unwrap();
/// assert_eq!((a.key.to_string().as_str(), a.bytes, a.files), ("/a/", 5, 1));
/// let all = walk.next(|_| ()).await?.unwrap();
/// assert_eq!((all.depth, all.bytes), (0, 5));
/// assert!(walk.next(|_| ()).await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UsageWalk {
    start: StoragePath,
    /// `None` once it has ended.
    walk: Option<Walk>,
    /// The directories that the walk is in, `start` first; at most one for each level asked for,
    /// and `start`.
    open: Vec<Usage>,
    /// Directories that the walk has left.
    done: VecDeque<Usage>,
    depth: usize,
}

impl UsageWalk {
    /// Begins at `path`, a file or a directory; directories up to `depth` levels below it are told
    /// one by one. 0: `path` alone.
    ///
    /// # Errors
    /// [`PathNotFound`](storagedriver::Error::PathNotFound),
    /// [`InvalidPath`](storagedriver::Error::InvalidPath), or what the backend reports.
    pub async fn new(storage: &Storage, path: &str, depth: usize) -> Result<Self> {
        let info = storage.stat(path).await?;
        let mut usage = Usage::of(info.key(), 0);
        if info.is_file() {
            usage.add(info.size().unwrap_or_default(), 1);
        }
        let walk = if info.is_dir() { Some(storage.walk(path, WalkOptions::new()).await?) } else { None };
        let start = info.path().clone();
        Ok(UsageWalk { start, walk, open: vec![usage], done: VecDeque::new(), depth })
    }

    /// The next directory that the walk has left, each after those below it, the path asked for
    /// last; `None` after that. `seen` is called for each entry of the walk on the way.
    ///
    /// # Errors
    /// What the walk reports.
    pub async fn next(&mut self, mut seen: impl FnMut(&FileInfo)) -> Result<Option<Usage>> {
        while self.done.is_empty() {
            let Some(walk) = &mut self.walk else { break };
            match walk.next().await? {
                Some(info) => {
                    seen(&info);
                    self.take(&info);
                }
                None => self.walk = None,
            }
        }
        if self.done.is_empty() {
            // The walk is over: what is still open is whole now.
            self.leave();
        }
        Ok(self.done.pop_front())
    }

    fn take(&mut self, info: &FileInfo) {
        let directory = if info.is_dir() { Some(info.path().clone()) } else { info.path().parent() };
        self.enter(&directory.unwrap_or_else(StoragePath::root));
        if let (true, Some(innermost)) = (info.is_file(), self.open.last_mut()) {
            innermost.add(info.size().unwrap_or_default(), 1);
        }
    }

    /// Leaves the directories that `directory` is not in, and enters those that it is in, as far
    /// down as is asked for.
    fn enter(&mut self, directory: &StoragePath) {
        while self.open.len() > 1
            && self.open.last().is_some_and(|innermost| !directory.is_within(innermost.key.path()))
        {
            self.leave();
        }
        if self.open.len() > self.depth {
            return;
        }
        // From the innermost to the outermost, and then the other way round.
        let known = self.open.last().map_or(&self.start, |innermost| innermost.key.path());
        let mut above = Some(directory.clone());
        let mut unknown = Vec::new();
        while let Some(path) = above.filter(|path| path.is_below(known)) {
            above = path.parent();
            unknown.push(path);
        }
        for path in unknown.iter().rev() {
            let depth = self.open.len();
            if depth > self.depth {
                break;
            }
            self.open.push(Usage::of(WalkKey::directory(path), depth));
        }
    }

    /// What the innermost directory holds is whole, and part of what the one above it holds.
    fn leave(&mut self) {
        let Some(left) = self.open.pop() else { return };
        if let Some(above) = self.open.last_mut() {
            above.add(left.bytes, left.files);
        }
        self.done.push_back(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storagedriver_inmemory::InMemory;

    async fn storage(files: &[(&str, usize)]) -> Storage {
        let storage = Storage::new(InMemory::new());
        for (path, size) in files {
            storage.put_content(path, vec![0; *size]).await.unwrap();
        }
        storage
    }

    async fn told(storage: &Storage, path: &str, depth: usize) -> Vec<String> {
        let mut walk = UsageWalk::new(storage, path, depth).await.unwrap();
        let mut told = Vec::new();
        while let Some(usage) = walk.next(|_| ()).await.unwrap() {
            assert!(walk.open.len() <= depth.saturating_add(1));
            told.push(format!("{} {} {} {}", usage.depth, usage.key, usage.bytes, usage.files));
        }
        assert_eq!(walk.next(|_| ()).await.unwrap(), None);
        told
    }

    #[tokio::test]
    async fn each_directory_comes_after_those_below_it() {
        let storage =
            storage(&[("/a-b", 1), ("/a/x", 2), ("/a/y/z/deep", 4), ("/a/y/other", 8), ("/b/c", 16)]).await;
        assert_eq!(told(&storage, "/", 0).await, ["0 / 31 5"]);
        assert_eq!(told(&storage, "/", 1).await, ["1 /a/ 14 3", "1 /b/ 16 1", "0 / 31 5"]);
        let all = ["3 /a/y/z/ 4 1", "2 /a/y/ 12 2", "1 /a/ 14 3", "1 /b/ 16 1", "0 / 31 5"];
        assert_eq!(told(&storage, "/", 3).await, all);
        assert_eq!(told(&storage, "/", usize::MAX).await, all);
        assert_eq!(told(&storage, "/a", 1).await, ["1 /a/y/ 12 2", "0 /a/ 14 3"]);
    }

    #[tokio::test]
    async fn a_file_is_told_alone_and_an_empty_storage_is_nothing() {
        let storage = storage(&[("/a/x", 2)]).await;
        assert_eq!(told(&storage, "/a/x", 5).await, ["0 /a/x 2 1"]);
        let empty = Storage::new(InMemory::new());
        assert_eq!(told(&empty, "/", 5).await, ["0 / 0 0"]);
        assert!(UsageWalk::new(&empty, "/none", 0).await.unwrap_err().is_not_found());
    }

    #[tokio::test]
    async fn names_that_only_begin_alike_are_apart() {
        let storage = storage(&[("/a/b/1", 1), ("/a/b.c/2", 2), ("/a/bc/3", 4)]).await;
        let told = told(&storage, "/a", 1).await;
        assert_eq!(told, ["1 /a/b.c/ 2 1", "1 /a/b/ 1 1", "1 /a/bc/ 4 1", "0 /a/ 7 3"]);
    }
}
