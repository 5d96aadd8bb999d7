//! Directories by their paths, with the hash of a path made once for all that is done with it.

use hashbrown::HashTable;
use storagedriver::StoragePath;

use crate::directory::Directory;

/// The path of a directory and its hash, which tells both the shard and the place in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) path: &'a str,
    pub(crate) hash: u64,
}

#[derive(Debug)]
struct Slot {
    // Kept, so that a table that grows need not look at every path, each in another place of the memory.
    hash: u64,
    path: StoragePath,
    directory: Directory,
}

/// Some of the directories of a store.
#[derive(Debug, Default)]
pub(crate) struct Shard(HashTable<Slot>);

fn is_at(slot: &Slot, key: Key<'_>) -> bool {
    slot.hash == key.hash && slot.path.as_str() == key.path
}

impl Shard {
    pub(crate) fn get(&self, key: Key<'_>) -> Option<&Directory> {
        self.0.find(key.hash, |slot| is_at(slot, key)).map(|slot| &slot.directory)
    }

    pub(crate) fn get_mut(&mut self, key: Key<'_>) -> Option<&mut Directory> {
        self.0.find_mut(key.hash, |slot| is_at(slot, key)).map(|slot| &mut slot.directory)
    }

    /// As [`get`](Self::get), by the hash alone: nearly always the same, and no path is looked at.
    pub(crate) fn likely(&self, hash: u64) -> Option<&Directory> {
        self.0.find(hash, |slot| slot.hash == hash).map(|slot| &slot.directory)
    }

    /// Puts in a directory that is not there.
    pub(crate) fn insert(&mut self, hash: u64, path: StoragePath, directory: Directory) {
        self.0.insert_unique(hash, Slot { hash, path, directory }, |slot| slot.hash);
    }

    pub(crate) fn remove(&mut self, key: Key<'_>) -> Option<Directory> {
        let entry = self.0.find_entry(key.hash, |slot| is_at(slot, key)).ok()?;
        Some(entry.remove().0.directory)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StoragePath, &Directory)> {
        self.0.iter().map(|slot| (&slot.path, &slot.directory))
    }
}
