//! One job of a walk: it takes a part of a directory and reads it and what is below, in order, until
//! it has enough.

use std::sync::atomic::{AtomicBool, Ordering};

use storagedriver::{Error, FileInfo, StoragePath};

use super::Limits;
use super::part::{Child, Part, Tree};
use crate::faults::{Need, fault};
use crate::listing::info;
use crate::sys::{Errno, Kind};

/// How many entries a job has at least before it shares out what is left to others that wait.
const SHARED_AFTER: usize = 32;

/// What one job found, in the order of the walk.
#[derive(Default)]
pub(super) struct Expansion {
    pub(super) entries: Vec<FileInfo>,
    /// Why it stopped, if by a failure, and in which directory.
    pub(super) failed: Option<(StoragePath, Error)>,
    /// What comes next and was not read: what failed first, so that it can be tried again.
    pub(super) rest: Vec<Part>,
}

/// What tells a job to stop.
pub(super) struct Signals<'a> {
    /// The part was skipped, or the walk dropped: nobody wants the result.
    pub(super) unwanted: &'a AtomicBool,
    /// Another job has nothing to do.
    pub(super) hungry: &'a AtomicBool,
}

struct Job<'a> {
    tree: &'a Tree,
    limits: &'a Limits,
    buffer: &'a mut Vec<u8>,
    /// The directories that are being taken, the innermost last.
    stack: Vec<Part>,
    entries: Vec<FileInfo>,
}

type Failed = (StoragePath, Error);

fn unlisted(directory: &StoragePath, errno: Errno) -> Failed {
    (directory.clone(), fault(directory, Need::Read, "list the directory", errno))
}

/// Reads `part`, and what is below.
pub(super) fn expand(
    tree: &Tree,
    part: Part,
    limits: &Limits,
    signals: &Signals<'_>,
    buffer: &mut Vec<u8>,
) -> Expansion {
    let mut job = Job { tree, limits, buffer, stack: vec![part], entries: Vec::new() };
    let mut failed = None;
    while failed.is_none() && !job.has_enough(signals) {
        match job.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => failed = Some(error),
        }
    }
    let rest = job.stack.into_iter().rev().filter(|part| !part.is_over()).collect();
    Expansion { entries: job.entries, failed, rest }
}

impl Job<'_> {
    fn has_enough(&self, signals: &Signals<'_>) -> bool {
        let names = || self.stack.iter().map(Part::names).fold(0, usize::saturating_add);
        self.entries.len() >= self.limits.batch
            || signals.unwanted.load(Ordering::Relaxed)
            || self.stack.len() > self.limits.depth
            || (self.entries.len() >= SHARED_AFTER
                && signals.hungry.load(Ordering::Relaxed)
                && names() >= SHARED_AFTER)
    }

    /// Takes one child, or reads one directory. False if nothing is left.
    fn step(&mut self) -> Result<bool, Failed> {
        let Some(top) = self.stack.last_mut() else {
            return Ok(false);
        };
        if !top.is_read() || top.open.is_none() {
            let (tree, read) = (self.tree, top.is_read());
            let outcome = match read {
                true => tree.open(top).map(drop),
                false => tree.read(top, self.buffer, self.limits.names),
            };
            match outcome {
                Ok(()) => {}
                // It vanished, or is no directory any more.
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    self.stack.pop();
                }
                Err(errno) => return Err(unlisted(&top.directory.path, errno)),
            }
            return Ok(true);
        }
        let Some((name, child)) = top.pop() else {
            if top.is_over() {
                self.stack.pop();
            } else {
                top.forget();
            }
            return Ok(true);
        };
        match child {
            Child::Directory => self.descend(name, false)?,
            Child::LinkedDirectory => self.descend(name, true)?,
            file => self.file(name, file)?,
        }
        Ok(true)
    }

    fn file(&mut self, name: Box<str>, child: Child) -> Result<(), Failed> {
        let Some(top) = self.stack.last_mut() else {
            return Ok(());
        };
        let directory = &top.directory;
        let (Ok(path), Some(open)) = (directory.path.child(&name), &top.open) else {
            return Ok(());
        };
        let found = match &child {
            Child::LinkedFile(meta) => Ok(Some(**meta)),
            Child::Broken => self
                .tree
                .root
                .find(&self.tree.top, path.relative())
                .map_err(|errno| (directory.path.clone(), fault(&path, Need::Read, "stat", errno))),
            _ => match self.tree.root.sys.child_meta(&open.fd, &name) {
                Err(Errno::NOENT) => Ok(None),
                outcome => outcome.map(Some).map_err(|errno| unlisted(&directory.path, errno)),
            },
        };
        match found {
            Ok(Some(meta)) if meta.kind == Kind::File => {
                let info = info(path, &meta);
                if self.tree.admits(directory, &info) {
                    self.entries.push(info);
                }
            }
            Ok(_) => {}
            Err(failed) => {
                top.put_back(name, child);
                return Err(failed);
            }
        }
        top.took(name, false);
        Ok(())
    }

    fn descend(&mut self, name: Box<str>, link: bool) -> Result<(), Failed> {
        let Some(top) = self.stack.last_mut() else {
            return Ok(());
        };
        let Ok(path) = top.directory.path.child(&name) else {
            return Ok(());
        };
        let info = FileInfo::directory(path.clone());
        if self.tree.admits(&top.directory, &info) {
            self.entries.push(info);
        }
        let through_link = link || top.directory.through_link;
        let mut below = self.tree.directory(&top.directory, path, through_link);
        let opened = match through_link {
            true => Ok(None),
            false => self.tree.open_child(top, &below.path, &name),
        };
        top.took(name, true);
        if top.is_over() {
            // So that a chain of directories does not keep them all.
            self.stack.pop();
        }
        match opened {
            Ok(open) => {
                below.through_link |= open.is_none();
                self.stack.push(Part::whole(below, open));
                Ok(())
            }
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => {
                let failed = unlisted(&below.path, errno);
                self.stack.push(Part::whole(below, None));
                Err(failed)
            }
        }
    }
}
