//! The files, directory by directory, in shards that each have a lock of their own.
//!
//! A directory is a sorted map of its children. Which shard it is in follows from its path, so that
//! whoever has a path finds its directory, and with it the file, behind one lock. Three sentences
//! hold whenever no lock is held:
//!
//! 1. The root is there.
//! 2. Any other directory is there exactly if the directory above holds a child of that name that is
//!    a directory. So whatever is above a directory that is there is a directory, too.
//! 3. Only the root can be empty.
//!
//! What changes one directory takes one lock. What changes several (a file in a directory that is
//! not there yet, the last file of one, a rename) takes the locks of all of them, in the order of
//! their numbers, before it looks, and keeps them until it is done: see [`crate::locked`]. So there
//! is an order of all changes that every reader agrees with, and no two wait for each other for ever.
//!
//! Under these locks no content is copied, and none is freed.

use std::array;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::iter;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use foldhash::fast::RandomState;
use smallvec::SmallVec;
use storagedriver::{Error, FileInfo, Result, StoragePath, Version};

use crate::directory::{Child, Directory, File};
use crate::locked::Locked;
use crate::rope::Rope;
use crate::shard::{Key, Shard};

/// How many shards there are beside that of the root. More than any machine's cores, so that two
/// rarely meet; few enough that taking all of them costs little.
pub(crate) const SHARDS: usize = 64;

/// For how many directories a walk warms the caches at once: twice what a processor fetches at a time.
pub(crate) const WARM: usize = 16;

/// Every file of a store.
#[derive(Debug)]
pub(crate) struct Files {
    shards: [RwLock<Shard>; SHARDS],
    /// The shard of the root alone: what is at its place is asked for most, and it never goes.
    root: RwLock<Shard>,
    hasher: RandomState,
    last_number: AtomicU64,
}

/// The path of the directory above; the root's is its own.
pub(crate) fn parent_of(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => path.get(..end).unwrap_or("/"),
    }
}

/// The directories above a path, the root last.
pub(crate) fn above(path: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(parent_of(path)), |&path| (path != "/").then(|| parent_of(path)))
}

impl Default for Files {
    fn default() -> Self {
        let hasher = RandomState::default();
        let mut root = Shard::default();
        root.insert(hasher.hash_one("/"), StoragePath::root(), Directory::new());
        Files {
            shards: array::from_fn(|_| RwLock::default()),
            root: RwLock::new(root),
            hasher,
            last_number: AtomicU64::new(0),
        }
    }
}

impl Files {
    /// A number that was not given before, and is greater than all of those.
    pub(crate) fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn next_version(&self) -> Version {
        Version::new(itoa::Buffer::new().format(self.next_number()))
    }

    pub(crate) fn key<'p>(&self, directory: &'p str) -> Key<'p> {
        Key { path: directory, hash: self.hasher.hash_one(directory) }
    }

    /// The number of the shard that a directory is in, if it is there.
    pub(crate) fn shard_of(&self, directory: Key<'_>) -> usize {
        if directory.path == "/" {
            return SHARDS;
        }
        // Bits that the map inside the shard uses neither as place nor as tag.
        (directory.hash >> 40) as usize % SHARDS
    }

    fn shard(&self, number: usize) -> &RwLock<Shard> {
        self.shards.get(number).unwrap_or(&self.root)
    }

    // Every change is complete before anything can panic, so a poisoned lock guards whole directories.
    fn read(&self, number: usize) -> RwLockReadGuard<'_, Shard> {
        self.shard(number).read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self, number: usize) -> RwLockWriteGuard<'_, Shard> {
        self.shard(number).write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `look` sees in the directory of that path, if it is there.
    pub(crate) fn directory<T>(&self, path: &str, look: impl FnOnce(Option<&Directory>) -> T) -> T {
        let key = self.key(path);
        look(self.read(self.shard_of(key)).get(key))
    }

    /// Brings what a look at each of these directories needs into the processor's caches. A walk looks
    /// at one after the other, and each look waits for the memory several times; here nothing waits for
    /// what comes before it, so that a processor fetches for all of them side by side.
    pub(crate) fn warm<'p>(&self, directories: impl Iterator<Item = &'p StoragePath>) {
        let place = |path: &StoragePath| {
            let key = self.key(path.as_str());
            (self.shard_of(key), key.hash)
        };
        let mut places: SmallVec<[(usize, u64); WARM]> = directories.take(WARM).map(place).collect();
        // Several locks are taken in the order of their numbers, by those who read, too.
        places.sort_unstable();
        let mut locked: SmallVec<[(usize, RwLockReadGuard<'_, Shard>); WARM]> = SmallVec::new();
        for (number, _) in &mut places {
            if locked.last().is_none_or(|(last, _)| *last != *number) {
                locked.push((*number, self.read(*number)));
            }
            *number = locked.len() - 1;
        }
        let look = |(at, hash): &(usize, u64)| locked.get(*at).and_then(|(_, shard)| shard.likely(*hash));
        black_box(places.iter().filter_map(look).fold(0, |seen, directory| seen ^ directory.glimpse()));
    }

    /// What `look` sees at a path other than the root.
    pub(crate) fn child<T>(&self, path: &StoragePath, look: impl FnOnce(Option<&Child>) -> T) -> T {
        let path = path.as_str();
        self.directory(parent_of(path), |directory| look(directory.and_then(|children| children.get(path))))
    }

    /// What `look` sees in the file at the path.
    pub(crate) fn file<T>(&self, path: &StoragePath, look: impl FnOnce(&File) -> T) -> Result<T> {
        self.child(path, |child| match child {
            Some(Child::File(file)) => Ok(look(file)),
            _ => Err(Error::path_not_found(path)),
        })
    }

    pub(crate) fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        if path.is_root() {
            return Ok(FileInfo::directory(path.clone()));
        }
        self.child(path, |child| child.map(|child| child.info(path)))
            .ok_or_else(|| Error::path_not_found(path))
    }

    /// The direct children, sorted by path: all as they are at one moment.
    pub(crate) fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let mut children = Vec::new();
        self.list_into(path, &mut children)?;
        Ok(children)
    }

    /// Puts the direct children behind what `entries` has.
    pub(crate) fn list_into(&self, path: &StoragePath, entries: &mut Vec<FileInfo>) -> Result<()> {
        self.directory(path.as_str(), |children| {
            let children = children.ok_or_else(|| Error::path_not_found(path))?;
            children.infos(entries);
            Ok(())
        })
    }

    /// Makes `content` what is at `path`; with a `base` only in place of that version.
    pub(crate) fn publish(&self, path: &StoragePath, content: Rope, base: Option<&Version>) -> Result<()> {
        let mut file = Some(File { content, modified: SystemTime::now(), version: self.next_version() });
        let parent = self.key(parent_of(path.as_str()));
        let mut shard = self.write(self.shard_of(parent));
        // The directory is there, nearly always: then its lock is enough.
        if let Some(children) = shard.get_mut(parent) {
            return place(children, path, &mut file, base);
        }
        drop(shard);
        Locked::change(self, Some(path), None, |locked| locked.place(path, &mut file, base))
    }

    /// Moves a file. The ends differ.
    pub(crate) fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let mut file = None;
        Locked::change(self, Some(to), Some(from), |locked| {
            let Some(Child::File(held)) = locked.child(from) else {
                return Err(Error::path_not_found(from));
            };
            file = Some(File { version: self.next_version(), ..held.clone() });
            locked.place(to, &mut file, None)?;
            // Its content is the new file's, too: nothing is freed.
            locked.remove(from);
            Ok(())
        })
    }

    /// Takes out the path and all below it, in one step; whether anything was there.
    pub(crate) fn remove(&self, path: &StoragePath) -> bool {
        match self.child(path, |child| child.map(Child::is_directory)) {
            None => return false,
            Some(true) => {}
            Some(false) => {
                let removed = Locked::change(self, None, Some(path), |locked| match locked.child(path) {
                    Some(Child::Directory) => None,
                    _ => Some(locked.remove(path)),
                });
                if let Some(removed) = removed {
                    return !removed.is_empty();
                }
            }
        }
        let removed = Locked::all(self).remove(path);
        !removed.is_empty()
    }

    /// How many directories there are, the root included.
    pub(crate) fn directories(&self) -> usize {
        (0..=SHARDS).map(|number| self.read(number).len()).sum()
    }
}

/// Puts a file into a directory that may hold one. What is in `file` afterwards, the replaced or the
/// refused, is the caller's to free when the locks are.
pub(crate) fn place(
    children: &mut Directory,
    path: &StoragePath,
    file: &mut Option<File>,
    base: Option<&Version>,
) -> Result<()> {
    match children.get_mut(path.as_str()) {
        Some(Child::Directory) => Err(Error::conflict(path, "the path is a directory")),
        Some(Child::File(held)) if base.is_none_or(|base| *base == held.version) => {
            if let Some(file) = file {
                mem::swap(held, file);
            }
            Ok(())
        }
        None if base.is_none() => {
            if let Some(file) = file.take() {
                children.insert(path.clone(), Child::File(file));
            }
            Ok(())
        }
        _ => Err(replaced(path)),
    }
}

/// The answer to an append whose start is gone.
pub(crate) fn replaced(path: &StoragePath) -> Error {
    Error::conflict(path, "the content that this append started from was replaced")
}
