//! The state of the model: what the contract lets a store hold.

use std::collections::{BTreeMap, BTreeSet};

use storagedriver::bytes::Bytes;
use storagedriver::{Guarantee, Guarantees, WalkKey, WalkOptions};

use super::expect::Entry;
use super::program::Slot;

/// One state that a store may be in after the operations so far.
///
/// Nothing is clever here: paths are strings, every question is a scan. Operations are in
/// `transition` and `writers`; each gives every answer that the contract allows, with the state
/// that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub(super) files: BTreeMap<String, File>,
    /// The uploads that were closed and not ended since.
    pub(super) uploads: Vec<Upload>,
    /// What may remain of writers that ended without leaving an upload: path, and the most bytes.
    /// It may be listed and aborted, and is never resumed.
    pub(super) traces: Vec<(String, u64)>,
    pub(super) writers: BTreeMap<Slot, Writer>,
    pub(super) readers: BTreeMap<Slot, Reader>,
    /// Counts publications, uploads and closes: a later one has a greater number.
    pub(super) clock: u64,
    pub(super) guarantees: Guarantees,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) content: Bytes,
    /// When it was published.
    pub(super) version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upload {
    /// When it was begun: no two are equal.
    pub(super) begun: u64,
    /// When it was last closed.
    pub(super) closed: u64,
    pub(super) path: String,
    pub(super) content: Bytes,
    /// Whether it went on from committed content that may be gone at its commit.
    pub(super) continues: bool,
}

/// What has happened to a writer's upload behind its back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Nothing.
    Free,
    /// It was deleted, discarded, cancelled or aborted: the writer may go on, or be told.
    Doubtful,
    /// Another writer that had resumed it ended it: this one must be told.
    Lost,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) path: String,
    pub(super) accepted: Bytes,
    /// When the writer's upload was begun.
    pub(super) begun: u64,
    /// Whether the upload was closed before, so that others may have resumed it too.
    pub(super) resumed: bool,
    /// The version of the committed content that this writer goes on from.
    pub(super) base: Option<(u64, Bytes)>,
    /// As for an upload, from before this writer resumed it.
    pub(super) continues: bool,
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) path: String,
    /// Every content that the path had since the reader was opened.
    pub(super) contents: Vec<Bytes>,
}

/// Whether `path` lies below `directory`.
pub(super) fn is_below(path: &str, directory: &str) -> bool {
    if directory == "/" {
        return path != "/";
    }
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

pub(super) fn is_within(path: &str, directory: &str) -> bool {
    path == directory || is_below(path, directory)
}

/// The directories above a path, the root excepted.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .map(|(end, _)| path.get(..end).unwrap_or_default())
        .filter(|above| !above.is_empty())
}

impl Reference {
    /// An empty store with these guarantees.
    pub fn new(guarantees: Guarantees) -> Self {
        Reference {
            files: BTreeMap::new(),
            uploads: Vec::new(),
            traces: Vec::new(),
            writers: BTreeMap::new(),
            readers: BTreeMap::new(),
            clock: 0,
            guarantees,
        }
    }

    /// The content of the file at `path`.
    pub fn content(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path).map(|file| &file.content)
    }

    /// Whether something lies below `path`; the root is always a directory.
    pub fn is_directory(&self, path: &str) -> bool {
        path == "/" || self.files.keys().any(|file| is_below(file, path))
    }

    /// Whether a file at `path` would stand where a directory is, or the reverse: a driver with
    /// real directories refuses it.
    pub fn collides(&self, path: &str) -> bool {
        self.is_directory(path) || ancestors(path).any(|above| self.files.contains_key(above))
    }

    pub(super) fn lacks(&self, guarantee: Guarantee) -> bool {
        !self.guarantees.has(guarantee)
    }

    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Every file and directory below `start`, each once; what is both is two entries.
    pub(super) fn descendants(&self, start: &str) -> Vec<Entry> {
        let mut directories = BTreeSet::new();
        let mut entries = Vec::new();
        for (path, file) in &self.files {
            if is_below(path, start) {
                entries.push(Entry::file(path, file.content.len() as u64));
                directories.extend(ancestors(path).filter(|above| is_below(above, start)));
            }
        }
        entries.extend(directories.into_iter().map(Entry::directory));
        entries
    }

    /// What a walk yields, with a `skip_dir` after the entries numbered in `skips`.
    pub(super) fn walk(&self, start: &str, options: &WalkOptions, skips: &[u8]) -> Vec<Entry> {
        let mut entries = self.descendants(start);
        entries.retain(|entry| entry.key().is_some_and(|key| options.admits(&key)));
        entries.sort_by(|one, other| match (one.key(), other.key()) {
            (Some(one), Some(other)) => WalkKey::cmp_in(&one, &other, options.order),
            _ => std::cmp::Ordering::Equal,
        });
        let mut yielded: Vec<Entry> = Vec::new();
        let mut skipped: Vec<String> = Vec::new();
        for entry in entries {
            if skipped.iter().any(|directory| is_below(&entry.path, directory)) {
                continue;
            }
            if skips.iter().any(|&skip| usize::from(skip) == yielded.len()) && entry.is_dir() {
                skipped.push(entry.path.clone());
            }
            yielded.push(entry);
        }
        yielded
    }

    /// The direct children of `path`, sorted by path, each once; `None` where there is no directory.
    pub(super) fn children(&self, path: &str) -> Option<Vec<Entry>> {
        if !self.is_directory(path) {
            return None;
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut children: BTreeMap<String, Entry> = BTreeMap::new();
        for (file, held) in &self.files {
            let Some(rest) = file.strip_prefix(&prefix) else { continue };
            let name = rest.split('/').next().unwrap_or_default();
            let child = format!("{prefix}{name}");
            let entry = children.entry(child.clone()).or_insert_with(|| Entry::nothing(&child));
            if *file == child {
                entry.file = Some(held.content.len() as u64);
            } else {
                entry.directory = true;
            }
        }
        Some(children.into_values().collect())
    }

    /// Publishes `content` at `path`, in the eyes of open readers too.
    pub(super) fn publish(&mut self, path: &str, content: Bytes) {
        let version = self.tick();
        for reader in self.readers.values_mut().filter(|reader| reader.path == path) {
            reader.contents.push(content.clone());
        }
        self.files.insert(path.to_owned(), File { content, version });
    }

    /// The writers that resumed the upload begun at `begun`.
    pub(super) fn sharing(&self, begun: u64) -> impl Iterator<Item = &Writer> {
        self.writers.values().filter(move |writer| writer.resumed && writer.begun == begun)
    }

    /// Tells every other writer of the upload what happened to it.
    pub(super) fn befall(&mut self, begun: u64, fate: Fate) {
        for writer in self.writers.values_mut().filter(|writer| writer.begun == begun) {
            writer.fate = writer.fate.max(fate);
        }
    }

    /// Takes an upload away, which puts its writers in doubt.
    pub(super) fn remove_upload(&mut self, begun: u64) {
        self.uploads.retain(|upload| upload.begun != begun);
        self.befall(begun, Fate::Doubtful);
    }

    /// What may remain of a writer that is gone.
    pub(super) fn leave_trace(&mut self, writer: &Writer) {
        self.traces.push((writer.path.clone(), writer.accepted.len() as u64));
    }
}
