//! A machine whose disk keeps only what was synced.
//!
//! It is stricter than any file system: a name survives only if its directory was synced after the
//! name came there, content only if its file was.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::recorder::Step;
use crate::names::Name;
use crate::sys::Event;

/// A file or a directory; inode numbers are used again, these are not.
type Id = usize;

#[derive(Debug, Clone, Default)]
struct Node {
    /// Directories: the names in it, now and on the disk.
    names: BTreeMap<String, Id>,
    kept: BTreeMap<String, Id>,
    /// Files: the lowest offset at which the disk lacks something.
    dirty: Option<u64>,
}

impl Node {
    fn soil(&mut self, offset: u64) {
        self.dirty = Some(self.dirty.map_or(offset, |dirty| dirty.min(offset)));
    }

    /// Whether the disk lacks something of what is kept under this name.
    fn is_lacking(&self, name: &str) -> bool {
        match (self.dirty, Name::parse(name).and_then(Name::length)) {
            (Some(dirty), Some(length)) => dirty < length,
            (Some(_), None) => is_kept_name(name),
            (None, _) => false,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, Id>,
    top: Id,
}

impl Machine {
    /// The tree below `top`, as others left it: no directory was synced.
    pub(super) fn scan(top: &Path) -> Self {
        let mut machine = Machine::default();
        machine.top = machine.add(std::fs::metadata(top).unwrap().ino());
        machine.scan_into(top, machine.top);
        machine
    }

    fn scan_into(&mut self, path: &Path, id: Id) {
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let child = self.add(entry.metadata().unwrap().ino());
            self.nodes[id].names.insert(entry.file_name().into_string().unwrap(), child);
            // What another process closed it synced; of other files nothing is known.
            let closed = entry.file_name().to_str().is_some_and(|name| Name::parse(name).is_some());
            self.nodes[child].dirty = (!closed).then_some(0);
            if entry.path().is_dir() {
                self.scan_into(&entry.path(), child);
            }
        }
    }

    fn add(&mut self, inode: u64) -> Id {
        self.nodes.push(Node::default());
        self.by_inode.insert(inode, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn node(&mut self, inode: u64) -> &mut Node {
        let id = self.by_inode[&inode];
        &mut self.nodes[id]
    }

    /// Whether the directory or file is one of this machine: not one above its top.
    pub(super) fn knows(&self, inode: u64) -> bool {
        self.by_inode.contains_key(&inode)
    }

    /// Applies a step; an error says which promise it breaks.
    pub(super) fn apply(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Did(event) => self.run(event),
            Step::Answered(paths) => paths.iter().try_for_each(|path| self.check(path)),
        }
    }

    fn run(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Create { directory, name, file } | Event::Mkdir { directory, name, made: file } => {
                let made = self.add(*file);
                self.nodes[made].dirty = Some(0);
                self.node(*directory).names.insert(name.clone(), made);
            }
            Event::Write { file, offset, .. } => {
                self.check_change(*file, *offset)?;
                self.node(*file).soil(*offset);
            }
            Event::Truncate { file, length } => {
                self.check_change(*file, *length)?;
                self.node(*file).soil(*length);
            }
            Event::Sync { file } => self.node(*file).dirty = None,
            Event::SyncDir { directory } if self.knows(*directory) => {
                let node = self.node(*directory);
                node.kept = node.names.clone();
            }
            Event::SyncDir { .. } => {}
            Event::Rename { from, name, to, new } => {
                let moved = self.node(*from).names.remove(name).unwrap();
                if self.nodes[moved].is_lacking(new) {
                    return Err(format!("{new} was given its name before its content was synced"));
                }
                self.node(*to).names.insert(new.clone(), moved);
            }
            Event::Unlink { directory, name } | Event::Rmdir { directory, name } => {
                self.node(*directory).names.remove(name);
            }
        }
        Ok(())
    }

    /// What was published never changes, and of what was closed only what comes after its length.
    fn check_change(&self, inode: u64, from: u64) -> Result<(), String> {
        let id = self.by_inode[&inode];
        for node in &self.nodes {
            for (name, &named) in node.names.iter().chain(&node.kept) {
                if named != id {
                    continue;
                }
                match Name::parse(name).map(Name::length) {
                    Some(Some(length)) if from < length => {
                        return Err(format!("{name} changes at {from}"));
                    }
                    None if is_kept_name(name) => return Err(format!("{name} was published and changes")),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn resolve(&self, path: &str, kept: bool) -> Option<Id> {
        let mut id = self.top;
        for component in path.split('/').filter(|component| !component.is_empty()) {
            let node = &self.nodes[id];
            let names = if kept { &node.kept } else { &node.names };
            id = *names.get(component)?;
        }
        Some(id)
    }

    /// The closed uploads of a path.
    fn closed(&self, path: &str, kept: bool) -> Vec<(String, Id)> {
        let Some(place) = self.resolve(&format!("root/~staging{path}"), kept) else {
            return Vec::new();
        };
        let node = &self.nodes[place];
        let names = if kept { &node.kept } else { &node.names };
        let closed =
            names.iter().filter(|(name, _)| Name::parse(name).is_some_and(|name| name.length().is_some()));
        closed.map(|(name, &id)| (name.clone(), id)).collect()
    }

    /// Whether a power cut now leaves at the path what is there now.
    fn check(&self, path: &str) -> Result<(), String> {
        let content = |kept| self.resolve(&format!("root{path}"), kept);
        if content(true) != content(false) {
            return Err(format!(
                "content of {path}: {:?} on the disk, {:?} now",
                content(true),
                content(false)
            ));
        }
        if self.closed(path, true) != self.closed(path, false) {
            return Err(format!("uploads of {path} differ on the disk"));
        }
        let files = content(true).map(|id| (path.to_owned(), id)).into_iter().chain(self.closed(path, true));
        for (name, id) in files {
            if self.nodes[id].is_lacking(&name) {
                return Err(format!("bytes of {name} are not on the disk"));
            }
        }
        Ok(())
    }
}

/// Whether what has this name is kept after a crash: content, or a closed upload.
fn is_kept_name(name: &str) -> bool {
    match name.strip_prefix('~') {
        None => true,
        Some(_) => Name::parse(name).is_some_and(|name| name.length().is_some()),
    }
}
