//! Programs of operations, and how they print.

use std::fmt;

use storagedriver::bytes::Bytes;
use storagedriver::{WalkKey, WalkOrder, WriteMode};

/// Which of the two handles of one store an operation goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handle {
    /// The first.
    First,
    /// The second, where the harness offers one; else the first too.
    Second,
}

/// The number of a writer or reader: `w1`, `r1`.
pub type Slot = u8;

/// Content that can be named in a few characters: `length` bytes, different for each `seed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Which content.
    pub seed: u8,
    /// How many bytes.
    pub length: u32,
}

impl Content {
    /// The bytes. Without a period, so that a piece in the wrong place shows.
    pub fn bytes(self) -> Bytes {
        let mut state = u64::from(self.seed).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..self.length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_be_bytes().first().copied().unwrap_or_default()
            })
            .collect()
    }
}

/// One operation of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// `put_content`
    Put(String, Content),
    /// `get_content`
    Get(String),
    /// A ranged read, to its end: offset, and the most bytes to read.
    Read(String, u64, Option<u64>),
    /// Opens a reader that later operations may overtake. One that is in the slot is dropped.
    OpenReader(Slot, String),
    /// Reads what the reader yields.
    FinishReader(Slot),
    /// Opens a writer. One that is in the slot is dropped.
    OpenWriter(Slot, String, WriteMode),
    /// Writes a chunk.
    Write(Slot, Content),
    /// Closes the writer.
    Close(Slot),
    /// Commits the writer.
    Commit(Slot),
    /// Cancels the writer.
    Cancel(Slot),
    /// Drops the writer.
    Drop(Slot),
    /// `stat`
    Stat(String),
    /// `list`
    List(String),
    /// A walk to its end, with a `skip_dir` after each entry whose number is in the last field.
    Walk(String, WalkOrder, Option<WalkKey>, Vec<u8>),
    /// `rename`
    Rename(String, String),
    /// `delete`
    Delete(String),
    /// `uploads`
    Uploads(String),
    /// `abort_stale` of whatever age.
    AbortStale(String),
}

impl Operation {
    /// The paths whose content it may change or begin to change, and the directories above them.
    pub fn paths(&self) -> Vec<String> {
        use Operation as O;
        let named: Vec<&String> = match self {
            O::Put(path, _) | O::OpenWriter(_, path, _) | O::Delete(path) => vec![path],
            O::Rename(from, to) => vec![from, to],
            _ => Vec::new(),
        };
        let above = named.iter().filter_map(|path| path.rsplit_once('/')).map(|(above, _)| above);
        let above = above.filter(|above| !above.is_empty()).map(str::to_owned);
        named.iter().map(|path| (*path).clone()).chain(above).collect()
    }

    /// Whether it may change what the store holds.
    pub fn changes(&self) -> bool {
        use Operation as O;
        match self {
            O::Put(..)
            | O::OpenWriter(..)
            | O::Write(..)
            | O::Close(_)
            | O::Commit(_)
            | O::Cancel(_)
            | O::Drop(_)
            | O::Rename(..)
            | O::Delete(_)
            | O::AbortStale(_) => true,
            O::Get(_)
            | O::Read(..)
            | O::OpenReader(..)
            | O::FinishReader(_)
            | O::Stat(_)
            | O::List(_)
            | O::Walk(..)
            | O::Uploads(_) => false,
        }
    }
}

/// An operation, and the handle it goes through. A writer or reader stays with the handle that
/// opened it.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// Through which handle.
    pub handle: Handle,
    /// What is done.
    pub operation: Operation,
}

/// A list of steps, run one after the other.
///
/// It prints as one line for each, and is parsed from the same lines:
///
/// ```
/// use storagedriver_testsuites::model::Program;
///
/// let text = "\
/// put(\"/a\", fill(1, 20))
/// let w1 = writer(\"/a/b\", Create)
/// w1.write(fill(7, 300))
/// second.rename(\"/a\", \"/a-b\")
/// w1.close()
/// walk(\"/\", Tree, after = \"/a/\", skip = [0, 2])
/// ";
/// let program: Program = text.parse()?;
/// assert_eq!(program.to_string(), text);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Program {
    /// The same program without operations on writers and readers that no earlier step opened.
    #[must_use]
    pub fn normalised(self) -> Self {
        let (mut writers, mut readers) = (Vec::new(), Vec::new());
        let mut steps = Vec::new();
        for step in self.steps {
            let effective = match &step.operation {
                Operation::OpenWriter(slot, ..) => {
                    writers.push(*slot);
                    true
                }
                Operation::OpenReader(slot, _) => {
                    readers.push(*slot);
                    true
                }
                Operation::Write(slot, _) => writers.contains(slot),
                Operation::Close(slot)
                | Operation::Commit(slot)
                | Operation::Cancel(slot)
                | Operation::Drop(slot) => take(&mut writers, *slot),
                Operation::FinishReader(slot) => take(&mut readers, *slot),
                _ => true,
            };
            if effective {
                steps.push(step);
            }
        }
        Program { steps }
    }
}

fn take(open: &mut Vec<Slot>, slot: Slot) -> bool {
    let before = open.len();
    open.retain(|&other| other != slot);
    open.len() < before
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fill({}, {})", self.seed, self.length)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Operation as O;
        let handle = match self.handle {
            Handle::First => "",
            Handle::Second => "second.",
        };
        match &self.operation {
            O::Put(path, content) => write!(f, "{handle}put({path:?}, {content})"),
            O::Get(path) => write!(f, "{handle}get({path:?})"),
            O::Read(path, offset, None) => write!(f, "{handle}read({path:?}, {offset}..)"),
            O::Read(path, offset, Some(length)) => {
                write!(f, "{handle}read({path:?}, {offset}..{})", offset.saturating_add(*length))
            }
            O::OpenReader(slot, path) => write!(f, "let r{slot} = {handle}reader({path:?})"),
            O::FinishReader(slot) => write!(f, "r{slot}.finish()"),
            O::OpenWriter(slot, path, mode) => write!(f, "let w{slot} = {handle}writer({path:?}, {mode:?})"),
            O::Write(slot, content) => write!(f, "w{slot}.write({content})"),
            O::Close(slot) => write!(f, "w{slot}.close()"),
            O::Commit(slot) => write!(f, "w{slot}.commit()"),
            O::Cancel(slot) => write!(f, "w{slot}.cancel()"),
            O::Drop(slot) => write!(f, "w{slot}.drop()"),
            O::Stat(path) => write!(f, "{handle}stat({path:?})"),
            O::List(path) => write!(f, "{handle}list({path:?})"),
            O::Walk(path, order, after, skips) => {
                write!(f, "{handle}walk({path:?}, {order:?}")?;
                if let Some(key) = after {
                    write!(f, ", after = \"{key}\"")?;
                }
                if !skips.is_empty() {
                    write!(f, ", skip = {skips:?}")?;
                }
                f.write_str(")")
            }
            O::Rename(from, to) => write!(f, "{handle}rename({from:?}, {to:?})"),
            O::Delete(path) => write!(f, "{handle}delete({path:?})"),
            O::Uploads(path) => write!(f, "{handle}uploads({path:?})"),
            O::AbortStale(path) => write!(f, "{handle}abort_stale({path:?})"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

// What a failing test prints is the program, not the values it is made of.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
