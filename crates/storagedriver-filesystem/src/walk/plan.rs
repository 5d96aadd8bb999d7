//! What a walk has still to yield, in order: entries that are ready, parts that a job is reading, and
//! parts that nobody has read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storagedriver::{Error, FileInfo, StoragePath};

use super::Limits;
use super::expand::Expansion;
use super::meter::Meter;
use super::part::Part;

/// What a job and those who may lose interest in it share: true if nobody wants its result.
pub(super) type Unwanted = Arc<AtomicBool>;

enum Segment {
    Ready(Vec<FileInfo>),
    /// The walk fails here, in this directory; `None` once that was told. What is behind waits for the step
    /// after: whoever mends what failed before that step finds it mended.
    Failed(StoragePath, Option<Error>),
    Unread(Part),
    /// A job reads children of this directory, and what is below.
    Running(StoragePath, Unwanted),
}

/// What stands at the front.
pub(super) enum Front {
    Entries(Vec<FileInfo>),
    Failed(Error),
    /// A job has to read it first.
    Unknown,
    End,
}

/// The rest of a walk.
#[derive(Default)]
pub(super) struct Plan {
    segments: VecDeque<Segment>,
    /// How many entries are ready.
    ready: usize,
}

impl Plan {
    /// Puts what a job found where its part was; nothing if that was skipped meanwhile.
    pub(super) fn put(&mut self, unwanted: &Unwanted, found: Expansion, limits: &Limits, meter: &Meter) {
        let is_it =
            |segment: &Segment| matches!(segment, Segment::Running(_, flag) if Arc::ptr_eq(flag, unwanted));
        let Some(at) = self.segments.iter().position(is_it) else {
            return;
        };
        let mut behind = self.segments.split_off(at);
        behind.pop_front();
        self.append(found);
        self.segments.append(&mut behind);
        self.bound(limits, meter);
    }

    /// The directory that has to be read next.
    pub(super) fn place(&self) -> StoragePath {
        match self.segments.front() {
            Some(Segment::Unread(part)) => part.directory.path.clone(),
            Some(Segment::Running(path, _) | Segment::Failed(path, _)) => path.clone(),
            Some(Segment::Ready(_)) | None => StoragePath::root(),
        }
    }

    /// Adds at the end.
    pub(super) fn append(&mut self, found: Expansion) {
        self.ready = self.ready.saturating_add(found.entries.len());
        if !found.entries.is_empty() {
            self.segments.push_back(Segment::Ready(found.entries));
        }
        if let Some((at, error)) = found.failed {
            self.segments.push_back(Segment::Failed(at, Some(error)));
        }
        self.segments.extend(found.rest.into_iter().map(Segment::Unread));
    }

    /// Forgets names and closes directories where there are too many, those that come last first:
    /// they are read and opened again when their turn comes.
    fn bound(&mut self, limits: &Limits, meter: &Meter) {
        let (mut names, mut open): (usize, usize) = (0, 0);
        let mut last: Option<Arc<super::part::Open>> = None;
        for segment in &mut self.segments {
            let Segment::Unread(part) = segment else {
                continue;
            };
            if names > 0 && names.saturating_add(part.names()) > limits.names {
                part.forget();
            }
            names = names.saturating_add(part.names());
            let Some(held) = &part.open else {
                continue;
            };
            if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, held)) {
                continue;
            }
            open = open.saturating_add(1);
            if open > limits.open {
                part.open = None;
            } else {
                last = Some(held.clone());
            }
        }
        meter.holds(names, self.ready);
    }

    /// The part that comes first of those that nobody reads, if it is time to read it.
    pub(super) fn take(&mut self, limits: &Limits) -> Option<(Part, Unwanted)> {
        let at = self.next_unread(limits)?;
        let Some(Segment::Unread(part)) = self.segments.get_mut(at) else {
            return None;
        };
        let unwanted = Unwanted::default();
        let running = Segment::Running(part.directory.path.clone(), unwanted.clone());
        if let Some(taken) = part.split(limits.part) {
            self.segments.insert(at, running);
            return Some((taken, unwanted));
        }
        let place = self.segments.get_mut(at)?;
        match std::mem::replace(place, running) {
            Segment::Unread(part) => Some((part, unwanted)),
            _ => None,
        }
    }

    fn next_unread(&self, limits: &Limits) -> Option<usize> {
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Failed(..) => return None,
                Segment::Unread(_) => return (at == 0 || self.ready < limits.ahead).then_some(at),
                Segment::Ready(_) | Segment::Running(..) => {}
            }
        }
        None
    }

    /// Whether there is something that a job could read now.
    pub(super) fn has_work(&self, limits: &Limits) -> bool {
        self.next_unread(limits).is_some()
    }

    /// Whether every part has a job.
    pub(super) fn is_all_taken(&self) -> bool {
        !self.segments.iter().any(|segment| matches!(segment, Segment::Unread(_)))
    }

    /// How many entries are ready.
    pub(super) fn ready(&self) -> usize {
        self.ready
    }

    /// Whether whoever waits for so many entries waits for nothing more.
    pub(super) fn is_worth_waking(&self, entries: usize) -> bool {
        let mut found: usize = 0;
        for segment in &self.segments {
            match segment {
                Segment::Ready(ready) => found = found.saturating_add(ready.len()),
                Segment::Failed(..) => return true,
                Segment::Unread(_) | Segment::Running(..) => return found >= entries,
            }
            if found >= entries {
                return true;
            }
        }
        true
    }

    /// Takes what stands at the front, if it is known.
    pub(super) fn advance(&mut self) -> Front {
        if let Some(Segment::Failed(_, None)) = self.segments.front() {
            self.segments.pop_front();
        }
        match self.segments.pop_front() {
            None => Front::End,
            Some(Segment::Ready(entries)) => {
                self.ready = self.ready.saturating_sub(entries.len());
                Front::Entries(entries)
            }
            Some(Segment::Failed(at, Some(error))) => {
                self.segments.push_front(Segment::Failed(at, None));
                Front::Failed(error)
            }
            Some(unknown) => {
                self.segments.push_front(unknown);
                Front::Unknown
            }
        }
    }

    /// Leaves out what is below a directory: it stands at the front, and nothing of it elsewhere.
    pub(super) fn skip(&mut self, directory: &StoragePath) {
        while let Some(front) = self.segments.front_mut() {
            match front {
                Segment::Ready(entries) => {
                    let below = entries.iter().take_while(|info| info.path().is_below(directory)).count();
                    entries.drain(..below);
                    self.ready = self.ready.saturating_sub(below);
                    if !entries.is_empty() {
                        return;
                    }
                }
                Segment::Failed(at, _) if at.is_within(directory) => {}
                Segment::Unread(part) if part.directory.path.is_within(directory) => {}
                Segment::Running(at, unwanted) if at.is_within(directory) => {
                    unwanted.store(true, Ordering::Relaxed);
                }
                _ => return,
            }
            self.segments.pop_front();
        }
    }

    /// Tells every job that nobody wants what it reads, and forgets the rest.
    pub(super) fn stop(&mut self) {
        for segment in self.segments.drain(..) {
            if let Segment::Running(_, unwanted) = segment {
                unwanted.store(true, Ordering::Relaxed);
            }
        }
        self.ready = 0;
    }
}
