//! Histories of concurrent operations, and whether they can be explained.
//!
//! Several tasks work on few paths at once; every write writes content of its own. A history is
//! what they asked and were answered, with the times of both. It is explained if each operation can
//! be given one instant between question and answer so that, done one after the other at these
//! instants, they answer the same: it is linearizable.

mod check;
mod record;

use std::fmt;

pub use check::Unexplained;
pub use record::{HistoryFailure, Plan, record, run_histories, run_histories_blocking};

/// The number of a write: no two writes of a history have the same.
pub type Value = u32;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// `put_content` of a value.
    Put(String, Value),
    /// The commit of a writer that wrote a value, and when it was opened: from then on a `delete`
    /// may find an upload at the path.
    Commit(String, Value, u64),
    /// A read of the whole content.
    Get(String),
    /// `rename`
    Rename(String, String),
    /// `delete` of a file.
    Delete(String),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It was done.
    Done,
    /// The content was this value, whole.
    Read(Value),
    /// The content was no value that any write wrote: a piece of one, or a mixture.
    Spliced(String),
    /// Nothing is at the path.
    NotFound,
    /// Another error: it may have been done or not, at the time or later.
    Unknown(String),
    /// A writer that failed before its commit was asked for: it published nothing, but may have left an
    /// upload that a `delete` finds.
    Unpublished(String),
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which task asked. The operations of one task follow one another.
    pub task: usize,
    /// What was asked.
    pub action: Action,
    /// When it was asked. Times are the ticks of one counter.
    pub invoked: u64,
    /// When it was answered.
    pub answered: u64,
    /// What was answered.
    pub answer: Answer,
}

/// What several tasks asked and were answered.
///
/// ```
/// use storagedriver_testsuites::model::history::{Action, Answer, Event, History};
///
/// let event = |task, invoked, answered, action, answer| Event { task, action, invoked, answered, answer };
/// let path = || "/a".to_owned();
/// let stale = History {
///     atomic_rename: true,
///     events: vec![
///         event(0, 1, 2, Action::Put(path(), 1), Answer::Done),
///         event(0, 3, 4, Action::Put(path(), 2), Answer::Done),
///         event(1, 5, 6, Action::Get(path()), Answer::Read(1)),
///     ],
/// };
/// assert!(stale.check().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The operations, in any order.
    pub events: Vec<Event>,
    /// Whether a rename is one step; else it reads, writes and deletes, and a delete looks first.
    pub atomic_rename: bool,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:>3} to {:>3}] task {}: ", self.invoked, self.answered, self.task)?;
        match &self.action {
            Action::Put(path, value) => write!(f, "put {path} #{value}")?,
            Action::Commit(path, value, opened) => {
                write!(f, "commit {path} #{value} (opened at {opened})")?;
            }
            Action::Get(path) => write!(f, "get {path}")?,
            Action::Rename(from, to) => write!(f, "rename {from} {to}")?,
            Action::Delete(path) => write!(f, "delete {path}")?,
        }
        match &self.answer {
            Answer::Done => f.write_str(": done"),
            Answer::Read(value) => write!(f, ": #{value}"),
            Answer::Spliced(what) => write!(f, ": no value that was written: {what}"),
            Answer::NotFound => f.write_str(": not found"),
            Answer::Unknown(error) => write!(f, ": {error}"),
            Answer::Unpublished(error) => write!(f, ": given up before its commit: {error}"),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by_key(|event| event.invoked);
        events.into_iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
