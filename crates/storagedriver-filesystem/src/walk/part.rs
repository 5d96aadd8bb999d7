//! Parts of directories: their children in the order of the walk, or the promise to read them.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use storagedriver::{FileInfo, StoragePath, WalkKey, WalkOptions, WalkOrder};

use super::meter::Meter;
use crate::listing::is_silly;
use crate::root::Root;
use crate::sys::{Errno, Io, Kind, Meta};

/// The longest path that the kernel takes, without the byte that ends it.
const LONGEST_PATH: usize = 4095;

/// What is walked over.
pub(super) struct Tree {
    pub(super) root: Arc<Root>,
    /// The root directory, open: one walk is over one tree, whatever is mounted there later.
    pub(super) top: OwnedFd,
    pub(super) options: WalkOptions,
    pub(super) meter: Meter,
}

/// A directory of the tree.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: StoragePath,
    /// Whether a symbolic link leads to it. Then it and all below is opened by its whole path, so
    /// that the kernel counts the links, and ends a walk in a circle.
    pub(super) through_link: bool,
    /// Whether the place that the walk starts after may lie in it.
    pub(super) filtered: bool,
}

/// What a child is.
#[derive(Debug)]
pub(super) enum Child {
    File,
    Directory,
    /// A link to a directory.
    LinkedDirectory,
    /// A link to this file.
    LinkedFile(Box<Meta>),
    /// A link out of the root, or in a circle.
    Broken,
}

impl Child {
    fn is_directory(&self) -> bool {
        matches!(self, Child::Directory | Child::LinkedDirectory)
    }
}

/// A place among the children of a directory.
#[derive(Debug, Clone)]
pub(super) struct Place {
    name: Box<str>,
    is_directory: bool,
}

impl Place {
    /// By the keys of the walk: see [`WalkKey::cmp_in`].
    fn cmp_in(&self, name: &str, is_directory: bool, order: WalkOrder) -> Ordering {
        match order {
            WalkOrder::Tree => self.name.as_bytes().cmp(name.as_bytes()),
            _ => by_key((&self.name, self.is_directory), (name, is_directory)),
        }
    }
}

/// Compares names as the keys do that end in `/` for a directory.
fn by_key(a: (&str, bool), b: (&str, bool)) -> Ordering {
    let common = a.0.len().min(b.0.len());
    let (a_start, a_rest) = a.0.as_bytes().split_at(common);
    let (b_start, b_rest) = b.0.as_bytes().split_at(common);
    let end = |is_directory: bool| if is_directory { &b"/"[..] } else { &b""[..] };
    a_start.cmp(b_start).then_with(|| a_rest.iter().chain(end(a.1)).cmp(b_rest.iter().chain(end(b.1))))
}

/// Children of one directory that the walk has still to take: those after one place and up to
/// another.
pub(super) struct Part {
    pub(super) directory: Arc<Directory>,
    pub(super) open: Option<Arc<Open>>,
    after: Option<Place>,
    upto: Option<Place>,
    /// Sorted; `None` if they have to be read, for the first time or again.
    children: Option<VecDeque<(Box<str>, Child)>>,
    /// Whether more have to be read when these are taken.
    more: bool,
    /// Whether nobody has read from `open` yet: its place in the directory is shared with other parts.
    fresh: bool,
}

/// A directory that is open, and counted while it is.
pub(super) struct Open {
    pub(super) fd: OwnedFd,
    _metered: super::meter::Metered,
}

impl Part {
    /// The whole of a directory, not read yet.
    pub(super) fn whole(directory: Directory, open: Option<Arc<Open>>) -> Self {
        let directory = Arc::new(directory);
        Part { directory, open, after: None, upto: None, children: None, more: false, fresh: true }
    }

    pub(super) fn is_read(&self) -> bool {
        self.children.is_some()
    }

    /// How many names it holds.
    pub(super) fn names(&self) -> usize {
        self.children.as_ref().map_or(0, VecDeque::len)
    }

    /// Whether nothing is left to take.
    pub(super) fn is_over(&self) -> bool {
        !self.more && self.children.as_ref().is_some_and(VecDeque::is_empty)
    }

    /// The next child. Whoever took it tells so by [`took`](Self::took), or puts it back.
    pub(super) fn pop(&mut self) -> Option<(Box<str>, Child)> {
        self.children.as_mut()?.pop_front()
    }

    pub(super) fn put_back(&mut self, name: Box<str>, child: Child) {
        if let Some(children) = &mut self.children {
            children.push_front((name, child));
        }
    }

    pub(super) fn took(&mut self, name: Box<str>, is_directory: bool) {
        self.after = Some(Place { name, is_directory });
    }

    /// Forgets the names: they are read again when their turn comes.
    pub(super) fn forget(&mut self) {
        if !self.is_over() {
            self.children = None;
        }
    }

    /// Splits off what one job takes at a time: a file weighs 1, a directory more, as it is read.
    pub(super) fn split(&mut self, weight: usize) -> Option<Part> {
        const DIRECTORY: usize = 8;
        let children = self.children.as_mut()?;
        let mut rest = weight;
        let mut count: usize = 0;
        for (_, child) in children.iter() {
            rest = rest.saturating_sub(if child.is_directory() { DIRECTORY } else { 1 });
            count = count.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        if count == children.len() {
            return None;
        }
        let (name, last) = children.get(count.checked_sub(1)?)?;
        let last = Place { name: name.clone(), is_directory: last.is_directory() };
        let taken: VecDeque<_> = children.drain(..count).collect();
        let after = self.after.replace(last.clone());
        let (directory, open) = (self.directory.clone(), self.open.clone());
        let (upto, children) = (Some(last), Some(taken));
        Some(Part { directory, open, after, upto, children, more: false, fresh: false })
    }
}

impl Tree {
    /// The directory, opened if it is not.
    pub(super) fn open(&self, part: &mut Part) -> Io<Arc<Open>> {
        if let Some(open) = &part.open {
            return Ok(open.clone());
        }
        let open = self.hold(self.root.sys.open_directory(&self.top, part.directory.path.relative())?);
        part.open = Some(open.clone());
        Ok(open)
    }

    pub(super) fn hold(&self, fd: OwnedFd) -> Arc<Open> {
        Arc::new(Open { fd, _metered: self.meter.opened() })
    }

    /// Opens a child that is a directory: `None` if only its whole path can tell what it is.
    pub(super) fn open_child(&self, above: &Part, path: &StoragePath, name: &str) -> Io<Option<Arc<Open>>> {
        if path.relative().len() > LONGEST_PATH {
            // What cannot be named cannot be walked over, however it was made.
            return Err(Errno::NAMETOOLONG);
        }
        let Some(open) = &above.open else {
            return Ok(None);
        };
        match self.root.sys.open_child(&open.fd, name) {
            Ok(fd) => Ok(Some(self.hold(fd))),
            // It became a link meanwhile.
            Err(Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the children that are to come, at most `most` of them.
    pub(super) fn read(&self, part: &mut Part, buffer: &mut Vec<u8>, most: usize) -> Io<()> {
        let open = match &part.open {
            Some(open) if !part.fresh => self.hold(self.root.sys.open_child(&open.fd, ".")?),
            _ => self.open(part)?,
        };
        part.fresh = false;
        let mut reading =
            Reading { tree: self, part, most, kept: Vec::new(), cut: None, open: &open.fd, failed: None };
        self.root.sys.scan(&open.fd, buffer, |name, kind| {
            if let Some(name) = name.to_str().ok().filter(|name| StoragePath::is_component(name)) {
                reading.see(name, kind);
            }
        })?;
        if let Some(error) = reading.failed {
            return Err(error);
        }
        reading.shrink();
        let (mut kept, more) = (reading.kept, reading.cut.is_some());
        kept.sort_unstable_by(|a, b| self.compare(a, b));
        part.children = Some(kept.into());
        part.more = more;
        Ok(())
    }

    fn compare(&self, a: &(Box<str>, Child), b: &(Box<str>, Child)) -> Ordering {
        match self.options.order {
            WalkOrder::Tree => a.0.as_bytes().cmp(b.0.as_bytes()),
            _ => by_key((&a.0, a.1.is_directory()), (&b.0, b.1.is_directory())),
        }
    }

    /// Whether an entry, or anything below it, comes after the place that the walk starts after.
    fn reaches(&self, directory: &Directory, name: &str, is_directory: bool) -> bool {
        let Ok(path) = directory.path.child(name) else {
            return false;
        };
        self.options.admits(&if is_directory { WalkKey::after_subtree(&path) } else { WalkKey::file(&path) })
    }

    /// Whether the entry itself is to be yielded.
    pub(super) fn admits(&self, directory: &Directory, info: &FileInfo) -> bool {
        !directory.filtered || self.options.admits(&info.key())
    }

    /// What is known of a child that is a directory.
    pub(super) fn directory(&self, above: &Directory, path: StoragePath, through_link: bool) -> Directory {
        let after = self.options.start_after.as_ref();
        let filtered = above.filtered && after.is_some_and(|after| after.path().is_within(&path));
        Directory { path, through_link, filtered }
    }
}

/// One pass over a directory. It keeps the first names in the order of the walk, and no more than
/// twice as many at a time.
struct Reading<'a> {
    tree: &'a Tree,
    part: &'a Part,
    open: &'a OwnedFd,
    most: usize,
    kept: Vec<(Box<str>, Child)>,
    /// The last that was kept, once there were too many.
    cut: Option<Place>,
    failed: Option<Errno>,
}

impl Reading<'_> {
    fn see(&mut self, name: &str, kind: Kind) {
        if is_silly(name) || self.failed.is_some() {
            return;
        }
        let child = match self.child(name, kind) {
            Ok(Some(child)) => child,
            Ok(None) => return,
            Err(error) => {
                self.failed = Some(error);
                return;
            }
        };
        let is_directory = child.is_directory();
        let order = self.tree.options.order;
        let compare = |place: &Option<Place>, otherwise| {
            place.as_ref().map_or(otherwise, |place| place.cmp_in(name, is_directory, order))
        };
        if compare(&self.part.after, Ordering::Less).is_ge()
            || compare(&self.part.upto, Ordering::Greater).is_lt()
            || compare(&self.cut, Ordering::Greater).is_lt()
        {
            return;
        }
        if self.part.directory.filtered && !self.tree.reaches(&self.part.directory, name, is_directory) {
            return;
        }
        self.kept.push((name.into(), child));
        self.tree.meter.reads(self.kept.len());
        if self.kept.len() >= self.most.saturating_mul(2) {
            self.shrink();
        }
    }

    /// What a name stands for; `None` if it is left out.
    fn child(&self, name: &str, kind: Kind) -> Io<Option<Child>> {
        match kind {
            Kind::File => Ok(Some(Child::File)),
            Kind::Directory => Ok(Some(Child::Directory)),
            Kind::Other => Ok(None),
            Kind::Symlink => self.linked(name),
            Kind::Unknown => match self.tree.root.sys.child_meta(self.open, name) {
                Ok(Meta { kind: Kind::Unknown, .. }) | Err(Errno::NOENT) => Ok(None),
                Ok(meta) => self.child(name, meta.kind),
                Err(error) => Err(error),
            },
        }
    }

    fn linked(&self, name: &str) -> Io<Option<Child>> {
        let Ok(path) = self.part.directory.path.child(name) else {
            return Ok(None);
        };
        match self.tree.root.find(&self.tree.top, path.relative()) {
            Ok(Some(meta)) if meta.kind == Kind::Directory => Ok(Some(Child::LinkedDirectory)),
            Ok(Some(meta)) => Ok(Some(Child::LinkedFile(Box::new(meta)))),
            // A link to nothing.
            Ok(None) => Ok(None),
            // Not left out: whoever walks over the tree to see what is in use has to fail here.
            Err(Errno::XDEV | Errno::LOOP | Errno::ACCESS) => Ok(Some(Child::Broken)),
            Err(error) => Err(error),
        }
    }

    fn shrink(&mut self) {
        if self.kept.len() <= self.most {
            return;
        }
        let last = self.most.saturating_sub(1);
        let tree = self.tree;
        let (_, cut, _) = self.kept.select_nth_unstable_by(last, |a, b| tree.compare(a, b));
        self.cut = Some(Place { name: cut.0.clone(), is_directory: cut.1.is_directory() });
        self.kept.truncate(self.most);
    }
}
