//! What a directory holds.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, btree_map};
use std::hint::black_box;
use std::{mem, slice};

use smallvec::SmallVec;
use storagedriver::{FileInfo, StoragePath, Version};

use crate::rope::Rope;

/// Up to how many children are kept in one row.
const FEW: usize = 32;

/// Committed content.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) content: Rope,
    pub(crate) modified: std::time::SystemTime,
    /// Which publication this is; no two have the same.
    pub(crate) version: Version,
}

impl File {
    pub(crate) fn info(&self, path: &StoragePath) -> FileInfo {
        FileInfo::file(path.clone())
            .with_size(self.content.size())
            .with_modified(self.modified)
            .with_version(self.version.clone())
    }
}

/// What is at a path.
#[derive(Debug, Clone)]
pub(crate) enum Child {
    File(File),
    Directory,
}

impl Child {
    pub(crate) fn info(&self, path: &StoragePath) -> FileInfo {
        match self {
            Child::File(file) => file.info(path),
            Child::Directory => FileInfo::directory(path.clone()),
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self, Child::Directory)
    }
}

/// The path of a child, and how its name begins: of most children that alone tells the order, so that
/// the paths, which are all over the memory, need not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    beginning: u64,
    path: StoragePath,
}

/// What is looked for.
struct Wanted<'a> {
    beginning: u64,
    path: &'a str,
}

/// What a [`Held`] and a [`Wanted`] are compared by. All children have the same path above them.
trait Named {
    fn beginning(&self) -> u64;
    fn path(&self) -> &str;
}

/// The first eight characters of the name, as a number of the same order.
fn beginning(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
    u64::from_be_bytes(bytes)
}

impl Held {
    fn new(path: StoragePath) -> Self {
        Held { beginning: beginning(path.as_str()), path }
    }
}

impl<'a> Wanted<'a> {
    fn new(path: &'a str) -> Self {
        Wanted { beginning: beginning(path), path }
    }
}

impl Named for Held {
    fn beginning(&self) -> u64 {
        self.beginning
    }

    fn path(&self) -> &str {
        self.path.as_str()
    }
}

impl Named for Wanted<'_> {
    fn beginning(&self) -> u64 {
        self.beginning
    }

    fn path(&self) -> &str {
        self.path
    }
}

fn order(one: &(impl Named + ?Sized), other: &(impl Named + ?Sized)) -> Ordering {
    one.beginning().cmp(&other.beginning()).then_with(|| one.path().cmp(other.path()))
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> Ordering {
        order(self, other)
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Named + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        order(self, other)
    }
}

impl PartialOrd for dyn Named + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn Named + '_ {}

impl<'a> Borrow<dyn Named + 'a> for Held {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

type Entry = (Held, Child);

/// The children of a directory, by their whole paths, in their order.
///
/// Most directories of a registry hold one child (the `data` of a blob, the `link` of a layer): it
/// is kept in place. A few are kept in one row, many in a tree.
#[derive(Debug)]
pub(crate) enum Directory {
    Few(SmallVec<[Entry; 1]>),
    Many(BTreeMap<Held, Child>),
}

impl Directory {
    pub(crate) fn new() -> Self {
        Directory::Few(SmallVec::new())
    }

    pub(crate) fn with(path: StoragePath, child: Child) -> Self {
        Directory::Few(SmallVec::from_iter([(Held::new(path), child)]))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Directory::Few(row) => row.len(),
            Directory::Many(tree) => tree.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Child> {
        match self {
            Directory::Few(row) => row.get(find(row, path).ok()?).map(|(_, child)| child),
            Directory::Many(tree) => tree.get(&Wanted::new(path) as &dyn Named),
        }
    }

    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Child> {
        match self {
            Directory::Few(row) => {
                let at = find(row, path).ok()?;
                row.get_mut(at).map(|(_, child)| child)
            }
            Directory::Many(tree) => tree.get_mut(&Wanted::new(path) as &dyn Named),
        }
    }

    /// Puts a child at a path; whatever was there is gone.
    pub(crate) fn insert(&mut self, path: StoragePath, child: Child) {
        let path = Held::new(path);
        match self {
            Directory::Few(row) => match position(row, &path) {
                Ok(at) => drop(row.get_mut(at).map(|(_, held)| mem::replace(held, child))),
                Err(at) if row.len() < FEW => row.insert(at, (path, child)),
                Err(_) => {
                    let mut tree: BTreeMap<_, _> = mem::take(row).into_iter().collect();
                    tree.insert(path, child);
                    *self = Directory::Many(tree);
                }
            },
            Directory::Many(tree) => drop(tree.insert(path, child)),
        }
    }

    pub(crate) fn remove(&mut self, path: &str) -> Option<(StoragePath, Child)> {
        match self {
            Directory::Few(row) => find(row, path).ok().map(|at| row.remove(at)),
            Directory::Many(tree) => tree.remove_entry(&Wanted::new(path) as &dyn Named),
        }
        .map(|(held, child)| (held.path, child))
    }

    /// Reads where the children are, and where the path of the first is.
    pub(crate) fn glimpse(&self) -> u8 {
        let first = self.iter().next().and_then(|(path, _)| path.as_str().as_bytes().first());
        first.copied().unwrap_or_default()
    }

    /// Puts what the handle says about the children behind what `entries` has.
    pub(crate) fn infos(&self, entries: &mut Vec<FileInfo>) {
        // The paths are all over the memory. Reading from all of them first lets a processor fetch them
        // side by side; sharing each waits for the one before.
        if self.len() > 4 {
            let edges = |path: &StoragePath| match path.as_str().as_bytes() {
                [first, .., last] => first ^ last,
                _ => 0,
            };
            black_box(self.iter().fold(0, |seen, (path, _)| seen ^ edges(path)));
        }
        entries.reserve(self.len());
        match self {
            Directory::Few(row) => entries.extend(row.iter().map(|(held, child)| child.info(&held.path))),
            Directory::Many(tree) => entries.extend(tree.iter().map(|(held, child)| child.info(&held.path))),
        }
    }

    pub(crate) fn iter(&self) -> Children<'_> {
        match self {
            Directory::Few(row) => Children::Few(row.iter()),
            Directory::Many(tree) => Children::Many(tree.iter()),
        }
    }
}

fn find(row: &[Entry], path: &str) -> Result<usize, usize> {
    position(row, &Wanted::new(path))
}

/// Where a child is in a row, or belongs.
fn position(row: &[Entry], wanted: &impl Named) -> Result<usize, usize> {
    row.binary_search_by(|(held, _)| order(held, wanted))
}

/// The children of a directory, sorted by path.
pub(crate) enum Children<'a> {
    Few(slice::Iter<'a, Entry>),
    Many(btree_map::Iter<'a, Held, Child>),
}

impl<'a> Iterator for Children<'a> {
    type Item = (&'a StoragePath, &'a Child);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Children::Few(row) => row.next().map(|(held, child)| (&held.path, child)),
            Children::Many(tree) => tree.next().map(|(held, child)| (&held.path, child)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Children::Few(row) => row.size_hint(),
            Children::Many(tree) => tree.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_and_many_are_the_same_map(steps in prop::collection::vec((any::<bool>(), 0..3 * FEW), 0..300)) {
            let (mut directory, mut expected) = (Directory::new(), BTreeMap::new());
            for (insert, number) in steps {
                // Some differ early, some late, and some begin as another ends.
                let long = if number % 3 == 0 { "same-beginning" } else { "" };
                let path = StoragePath::parse(&format!("/d/{long}{number}")).unwrap();
                if insert {
                    directory.insert(path.clone(), Child::Directory);
                    expected.insert(path.clone(), ());
                } else {
                    let removed = directory.remove(path.as_str()).map(|(path, _)| path);
                    prop_assert_eq!(removed, expected.remove(&path).map(|()| path.clone()));
                }
                prop_assert_eq!(directory.get(path.as_str()).is_some(), expected.contains_key(&path));
                prop_assert_eq!(directory.get_mut(path.as_str()).is_some(), expected.contains_key(&path));
                prop_assert_eq!(directory.len(), expected.len());
                prop_assert_eq!(directory.is_empty(), expected.is_empty());
                prop_assert!(directory.iter().map(|(path, _)| path).eq(expected.keys()));
            }
        }
    }
}
