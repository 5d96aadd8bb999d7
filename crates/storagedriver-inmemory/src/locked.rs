//! Changes of several directories in one step.

use std::sync::RwLockWriteGuard;

use smallvec::SmallVec;
use storagedriver::{Error, Result, StoragePath, Version};

use crate::directory::{Child, Directory, File};
use crate::files::{Files, SHARDS, above, parent_of, place, replaced};
use crate::shard::{Key, Shard};

/// The shards that a change needs, locked in the order of their numbers.
pub(crate) struct Locked<'a> {
    files: &'a Files,
    held: SmallVec<[(usize, RwLockWriteGuard<'a, Shard>); 8]>,
}

/// Whether a file can be put below this directory without making it.
fn is_there(directory: Option<&Directory>) -> bool {
    directory.is_some()
}

/// Whether this directory outlives any one of its children.
fn stays(directory: Option<&Directory>) -> bool {
    directory.is_none_or(|children| children.len() > 1)
}

/// The directories that a change at `path` reaches: those above it up to the first that is `enough`.
fn reach(path: &StoragePath, enough: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let mut over = false;
    above(path.as_str()).take_while(move |directory| {
        let reached = !over;
        over = over || enough(directory);
        reached
    })
}

impl<'a> Locked<'a> {
    /// Does `work` with everything locked that putting a file at `placed` and taking the one at
    /// `removed` out can change.
    ///
    /// Which directories these are is looked up without a lock, and again under the locks. If it
    /// differs, another change came between, and it begins again.
    pub(crate) fn change<T>(
        files: &'a Files,
        placed: Option<&StoragePath>,
        removed: Option<&StoragePath>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        loop {
            let mut needed = SmallVec::<[usize; 16]>::new();
            for (path, enough) in Self::ends(placed, removed) {
                let reached = reach(path, |directory| files.directory(directory, enough));
                needed.extend(reached.map(|directory| files.shard_of(files.key(directory))));
            }
            needed.sort_unstable();
            needed.dedup();
            let mut locked = Locked::shards(files, needed);
            let covered = Self::ends(placed, removed).all(|(path, enough)| {
                reach(path, |directory| enough(locked.get(directory)))
                    .all(|directory| locked.holds(directory))
            });
            if covered {
                return work(&mut locked);
            }
        }
    }

    /// Each end of a change, with what makes a directory above it the last that matters.
    fn ends<'p>(
        placed: Option<&'p StoragePath>,
        removed: Option<&'p StoragePath>,
    ) -> impl Iterator<Item = (&'p StoragePath, fn(Option<&Directory>) -> bool)> {
        let placed = placed.map(|path| (path, is_there as fn(Option<&Directory>) -> bool));
        placed.into_iter().chain(removed.map(|path| (path, stays as fn(Option<&Directory>) -> bool)))
    }

    /// Everything.
    pub(crate) fn all(files: &'a Files) -> Self {
        Self::shards(files, 0..=SHARDS)
    }

    fn shards(files: &'a Files, ascending: impl IntoIterator<Item = usize>) -> Self {
        Locked { files, held: ascending.into_iter().map(|number| (number, files.write(number))).collect() }
    }

    fn place_of(&self, directory: Key<'_>) -> Option<usize> {
        let number = self.files.shard_of(directory);
        self.held.binary_search_by_key(&number, |(held, _)| *held).ok()
    }

    fn holds(&self, directory: &str) -> bool {
        self.place_of(self.files.key(directory)).is_some()
    }

    fn shard_mut(&mut self, directory: Key<'_>) -> Option<&mut Shard> {
        let place = self.place_of(directory)?;
        self.held.get_mut(place).map(|(_, shard)| &mut **shard)
    }

    fn get(&self, directory: &str) -> Option<&Directory> {
        let key = self.files.key(directory);
        self.held.get(self.place_of(key)?)?.1.get(key)
    }

    fn get_mut(&mut self, directory: &str) -> Option<&mut Directory> {
        let key = self.files.key(directory);
        self.shard_mut(key)?.get_mut(key)
    }

    fn take(&mut self, directory: &str) -> Option<Directory> {
        let key = self.files.key(directory);
        self.shard_mut(key)?.remove(key)
    }

    pub(crate) fn child(&self, path: &StoragePath) -> Option<&Child> {
        self.get(parent_of(path.as_str()))?.get(path.as_str())
    }

    /// Puts a file at the path, as [`place`] does, and makes the directories that are not there.
    pub(crate) fn place(
        &mut self,
        path: &StoragePath,
        file: &mut Option<File>,
        base: Option<&Version>,
    ) -> Result<()> {
        if let Some(children) = self.get_mut(parent_of(path.as_str())) {
            return place(children, path, file, base);
        }
        if base.is_some() {
            return Err(replaced(path));
        }
        let absent = above(path.as_str()).take_while(|directory| self.get(directory).is_none()).last();
        if let Some(top) = absent
            && let Some(Child::File(_)) = self.get(parent_of(top)).and_then(|children| children.get(top))
        {
            return Err(Error::conflict(path, format!("{top} is a file, so nothing can be below it")));
        }
        let Some(file) = file.take() else { return Ok(()) };
        let mut child = (path.clone(), Child::File(file));
        loop {
            let key = self.files.key(parent_of(child.0.as_str()));
            if let Some(children) = self.shard_mut(key).and_then(|shard| shard.get_mut(key)) {
                children.insert(child.0, child.1);
                break;
            }
            let Some(directory) = child.0.parent() else { break };
            let hash = key.hash;
            if let Some(shard) = self.shard_mut(key) {
                shard.insert(hash, directory.clone(), Directory::with(child.0, child.1));
            }
            child = (directory, Child::Directory);
        }
        Ok(())
    }

    /// Takes out the path, all below it, and the directories above it that this leaves empty.
    /// Returns what is gone, to be freed when the locks are.
    pub(crate) fn remove(&mut self, path: &StoragePath) -> Vec<Directory> {
        let mut gone = Vec::new();
        let Some(removed) =
            self.get_mut(parent_of(path.as_str())).and_then(|children| children.remove(path.as_str()))
        else {
            return gone;
        };
        let mut below = Vec::new();
        if let Child::Directory = removed.1 {
            below.push(removed.0.clone());
        }
        while let Some(directory) = below.pop() {
            let children = self.take(directory.as_str()).unwrap_or_else(Directory::new);
            let directories = children.iter().filter(|(_, child)| child.is_directory());
            below.extend(directories.map(|(path, _)| path.clone()));
            gone.push(children);
        }
        gone.push(Directory::with(removed.0, removed.1));
        self.prune(path);
        gone
    }

    /// Takes out the directories above the path that are empty.
    fn prune(&mut self, path: &StoragePath) {
        for directory in above(path.as_str()).take_while(|directory| *directory != "/") {
            if !self.get(directory).is_some_and(Directory::is_empty) {
                break;
            }
            self.take(directory);
            if let Some(children) = self.get_mut(parent_of(directory)) {
                children.remove(directory);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::rope::Rope;

    fn path(text: &str) -> StoragePath {
        StoragePath::parse(text).unwrap()
    }

    fn put(files: &Files, at: &str, content: impl Into<Vec<u8>>) -> Result<()> {
        files.publish(&path(at), Rope::from(storagedriver::bytes::Bytes::from(content.into())), None)
    }

    fn get(files: &Files, at: &str) -> Option<Vec<u8>> {
        files.file(&path(at), |file| file.content.clone().into_bytes().to_vec()).ok()
    }

    /// The three sentences of [`crate::files`].
    fn check(files: &Files) {
        let locked = Locked::all(files);
        assert!(locked.get("/").is_some());
        for (number, shard) in &locked.held {
            for (directory, children) in shard.iter() {
                assert_eq!(*number, files.shard_of(files.key(directory.as_str())));
                assert!(directory.is_root() || !children.is_empty(), "{directory} is empty");
                let above = locked.child(directory);
                assert!(
                    directory.is_root() || matches!(above, Some(Child::Directory)),
                    "{directory}: {above:?}"
                );
                for (path, child) in children.iter() {
                    assert_eq!(path.parent().as_ref(), Some(directory));
                    let is_there = locked.get(path.as_str()).is_some();
                    assert_eq!(is_there, matches!(child, Child::Directory), "{path}");
                }
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33) as usize % bound
        }
    }

    /// Lets several threads begin at once, and returns when all are done.
    fn at_once(threads: usize, work: impl Fn(usize) + Sync) {
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            for number in 0..threads {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(number);
                });
            }
        });
    }

    #[test]
    fn the_sentences_hold_after_any_changes_at_once() {
        // Files where others want directories, and directories that hardly live.
        const PATHS: [&str; 9] =
            ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e/f/g", "/a/e/f/h", "/i/j", "/i/j/k", "/l"];
        for seed in 0..300 {
            let files = Files::default();
            at_once(3, |thread| {
                let mut random = Random(seed << 8 | thread as u64);
                for _ in 0..40 {
                    let (one, other) = (PATHS[random.below(9)], PATHS[random.below(9)]);
                    match random.below(5) {
                        0 | 1 => drop(put(&files, one, "x")),
                        2 | 3 if one != other => drop(files.rename(&path(one), &path(other))),
                        _ => drop(files.remove(&path(one))),
                    }
                }
            });
            check(&files);
            for name in PATHS {
                files.remove(&path(name));
            }
            check(&files);
            assert_eq!(files.directories(), 1);
        }
    }

    #[test]
    fn a_list_sees_a_rename_done_or_not_begun() {
        let files = Files::default();
        put(&files, "/d/a", "x").unwrap();
        at_once(3, |thread| {
            for round in 0..2000 {
                if thread == 0 {
                    let (from, to) = if round % 2 == 0 { ("/d/a", "/d/b") } else { ("/d/b", "/d/a") };
                    files.rename(&path(from), &path(to)).unwrap();
                } else {
                    assert_eq!(files.list(&path("/d")).unwrap().len(), 1);
                }
            }
        });
        check(&files);
    }

    #[test]
    fn those_who_warm_the_caches_and_those_who_change_do_not_wait_for_each_other() {
        let files = Files::default();
        let paths: Vec<StoragePath> = (0..40).map(|number| path(&format!("/w/{number}"))).collect();
        at_once(4, |thread| {
            for round in 0..500 {
                if thread < 2 {
                    files.warm(paths.iter().skip(round % 30));
                    files.warm(paths.iter().rev());
                } else {
                    let (one, other) = (&paths[round % 40], &paths[(round * 7 + 3) % 40]);
                    let (from, to) = (format!("{one}/{thread}"), format!("{other}/{thread}to"));
                    put(&files, &from, "x").unwrap();
                    files.rename(&path(&from), &path(&to)).unwrap();
                    assert!(files.remove(&path(&to)));
                }
            }
        });
        check(&files);
    }

    #[test]
    fn a_deleted_tree_is_gone_at_once() {
        let files = Files::default();
        at_once(2, |thread| {
            for round in 0..2000 {
                if thread == 0 {
                    put(&files, "/t/a/file", format!("{round}")).unwrap();
                    put(&files, "/t/b/file", format!("{round}")).unwrap();
                    assert!(files.remove(&path("/t")));
                } else if let Some(second) = get(&files, "/t/b/file")
                    && get(&files, "/t/a/file").as_ref() != Some(&second)
                {
                    // What came before it is gone: so is it.
                    assert_ne!(get(&files, "/t/b/file"), Some(second));
                }
            }
        });
        check(&files);
    }

    #[test]
    fn a_file_is_put_in_a_directory_that_others_prune() {
        let files = Files::default();
        at_once(4, |thread| {
            for _ in 0..1000 {
                let own = format!("/p/q/{}/r/file{thread}", thread % 2);
                put(&files, &own, "x").unwrap();
                assert_eq!(get(&files, &own), Some(b"x".to_vec()));
                let other = format!("/p/q/moved{thread}");
                files.rename(&path(&own), &path(&other)).unwrap();
                assert!(files.remove(&path(&other)));
            }
        });
        check(&files);
        assert_eq!(files.directories(), 1);
    }
}
