//! One program on one store, checked step by step.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use storagedriver::{Content, Error, FileInfo, FileWriter, ReadOptions, Result, Storage, WalkOptions};

use super::expect::{Expectation, Observed};
use super::program::{Handle, Operation, Program, Slot, Step};
use super::reference::Reference;

/// So many states are followed at once; a program that leaves more open is given up. Only
/// programs full of failed commits and doubtful writers come near it.
const MOST_STATES: usize = 4096;

/// The handles of one fresh, empty store.
#[derive(Debug, Clone)]
pub struct Handles {
    /// The handle that most operations go through.
    pub first: Storage,
    /// Another handle of the same store, as another process would have it.
    pub second: Option<Storage>,
}

/// Where a driver and the model part.
#[derive(Clone)]
pub struct Divergence {
    /// The program up to and including the step that was answered wrongly.
    pub program: Program,
    /// What was looked at: the last step itself, or the store after it.
    pub looked_at: String,
    /// What the driver answered.
    pub observed: String,
    /// What the model expects: any of these.
    pub expected: Vec<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.looked_at)?;
        writeln!(f, "  answered: {}", self.observed)?;
        for (place, expected) in self.expected.iter().enumerate() {
            writeln!(f, "  {} {expected}", if place == 0 { "expected:" } else { "      or:" })?;
        }
        write!(f, "in the program\n\n{}", self.program)
    }
}

impl fmt::Debug for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs `program` on an empty store and compares every answer with the model; after each step that
/// may change something, also what the store holds.
///
/// # Errors
/// Where the two part.
pub async fn check_program(handles: Handles, program: &Program) -> Result<(), Divergence> {
    let mut machine = Machine {
        states: vec![Reference::new(handles.first.guarantees())],
        handles,
        writers: BTreeMap::new(),
        readers: BTreeMap::new(),
    };
    let done = |steps: usize| Program { steps: program.steps.iter().take(steps).cloned().collect() };
    for (number, step) in program.steps.iter().enumerate() {
        machine.step(step).await.map_err(|wrong| wrong.in_program(done(number + 1)))?;
        if step.operation.changes() {
            machine.audit(&step.operation).await.map_err(|wrong| wrong.in_program(done(number + 1)))?;
        }
        if machine.states.len() > MOST_STATES {
            break;
        }
    }
    Ok(())
}

/// A wrong answer, before it is known in which program.
struct Wrong {
    looked_at: String,
    observed: Box<Observed>,
    expected: Vec<Expectation>,
}

impl Wrong {
    fn in_program(self, program: Program) -> Divergence {
        let mut expected: Vec<String> = self.expected.iter().map(ToString::to_string).collect();
        expected.sort();
        expected.dedup();
        Divergence { program, looked_at: self.looked_at, observed: self.observed.to_string(), expected }
    }
}

/// The driver's side: handles, open writers and readers; and the states it may be in.
struct Machine {
    handles: Handles,
    writers: BTreeMap<Slot, FileWriter>,
    readers: BTreeMap<Slot, Content>,
    states: Vec<Reference>,
}

impl Machine {
    fn storage(&self, handle: Handle) -> &Storage {
        match (handle, &self.handles.second) {
            (Handle::Second, Some(second)) => second,
            _ => &self.handles.first,
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        let Some(answer) = self.execute(step).await else { return Ok(()) };
        let observed = answer.unwrap_or_else(|error| Observed::Failed(error.kind(), error.to_string()));
        self.compare(&format!("{step}"), step, observed)
    }

    /// Keeps the states that explain what was observed.
    fn compare(&mut self, looked_at: &str, step: &Step, observed: Observed) -> Result<(), Wrong> {
        let possible: Vec<(Expectation, Reference)> =
            self.states.iter().flat_map(|state| state.step(step)).collect();
        let mut next: Vec<Reference> = Vec::new();
        for (expected, state) in &possible {
            if expected.admits(&observed) && !next.contains(state) {
                next.push(state.clone());
            }
        }
        if next.is_empty() {
            let expected = possible.into_iter().map(|(expected, _)| expected).collect();
            return Err(Wrong { looked_at: looked_at.to_owned(), observed: Box::new(observed), expected });
        }
        self.states = next;
        Ok(())
    }

    /// Looks at everything that the store shows: all entries, all contents, all uploads, and what
    /// the paths of the operation and the directories above them are.
    async fn audit(&mut self, operation: &Operation) -> Result<(), Wrong> {
        let mut looks: Vec<Operation> = operation.paths().into_iter().map(Operation::Stat).collect();
        looks.extend([
            Operation::Walk("/".to_owned(), storagedriver::WalkOrder::Key, None, Vec::new()),
            Operation::Uploads("/".to_owned()),
        ]);
        if let [state] = self.states.as_slice() {
            looks.extend(state.files.keys().map(|path| Operation::Get(path.clone())));
        }
        for operation in looks {
            let step = Step { handle: Handle::First, operation };
            let Some(answer) = self.execute(&step).await else { continue };
            let observed = answer.unwrap_or_else(|error| Observed::Failed(error.kind(), error.to_string()));
            self.compare(&format!("after the last step, {step}"), &step, observed)?;
        }
        Ok(())
    }

    /// Runs a step on the driver; `None` if its writer or reader is not open.
    async fn execute(&mut self, step: &Step) -> Option<Result<Observed>> {
        use Operation as O;
        let storage = self.storage(step.handle).clone();
        Some(match &step.operation {
            O::OpenReader(slot, path) => {
                self.readers.remove(slot);
                let opened = storage.reader(path, ReadOptions::all()).await;
                opened.map(|reader| {
                    self.readers.insert(*slot, reader);
                    Observed::Done
                })
            }
            O::FinishReader(slot) => content(self.readers.remove(slot)?).await,
            O::OpenWriter(slot, path, mode) => {
                self.writers.remove(slot);
                let opened = storage.writer(path, *mode).await;
                opened.map(|writer| {
                    let size = writer.size();
                    self.writers.insert(*slot, writer);
                    Observed::Size(size)
                })
            }
            O::Write(slot, chunk) => {
                let writer = self.writers.get_mut(slot)?;
                writer.write(chunk.bytes()).await.map(|()| Observed::Size(writer.size()))
            }
            O::Close(slot) => self.writers.remove(slot)?.close().await.map(Observed::Size),
            O::Commit(slot) => self.writers.remove(slot)?.commit().await.map(|()| Observed::Done),
            O::Cancel(slot) => self.writers.remove(slot)?.cancel().await.map(|()| Observed::Done),
            O::Drop(slot) => {
                drop(self.writers.remove(slot)?);
                Ok(Observed::Done)
            }
            other => call(&storage, other).await,
        })
    }
}

async fn content(reader: Content) -> Result<Observed> {
    let size = reader.size();
    Ok(Observed::Content(reader.bytes().await?, Some(size)))
}

/// Runs an operation that needs nothing but the handle.
async fn call(storage: &Storage, operation: &Operation) -> Result<Observed> {
    use Operation as O;
    match operation {
        O::Put(path, content) => storage.put_content(path, content.bytes()).await.map(|()| Observed::Done),
        O::Get(path) => storage.get_content(path).await.map(|bytes| Observed::Content(bytes, None)),
        O::Read(path, offset, length) => {
            let mut options = ReadOptions::from_offset(*offset);
            options.length = *length;
            content(storage.reader(path, options).await?).await
        }
        O::Stat(path) => storage.stat(path).await.map(Observed::Stat),
        O::List(path) => storage.list(path).await.map(Observed::Entries),
        O::Walk(path, order, after, skips) => {
            let mut options = WalkOptions::new();
            (options.order, options.start_after) = (*order, after.clone());
            walk(storage, path, options, skips).await.map(Observed::Entries)
        }
        O::Rename(from, to) => storage.rename(from, to).await.map(|()| Observed::Done),
        O::Delete(path) => storage.delete(path).await.map(|()| Observed::Done),
        O::Uploads(below) => {
            let listed = storage.uploads(below).await?;
            Ok(Observed::Uploads(listed.iter().map(|one| (one.path().to_string(), one.size())).collect()))
        }
        O::AbortStale(below) => {
            let reaped = storage.abort_stale(below, Duration::ZERO).await?;
            let aborted = reaped.aborted.iter();
            Ok(Observed::Uploads(aborted.map(|one| (one.path().to_string(), one.size())).collect()))
        }
        writer_or_reader => Err(Error::invalid_path("/", format!("{writer_or_reader:?} needs its slot"))),
    }
}

async fn walk(storage: &Storage, path: &str, options: WalkOptions, skips: &[u8]) -> Result<Vec<FileInfo>> {
    let mut walk = storage.walk(path, options).await?;
    let mut entries = Vec::new();
    while let Some(info) = walk.next().await? {
        if skips.iter().any(|&skip| usize::from(skip) == entries.len()) {
            walk.skip_dir();
        }
        entries.push(info);
    }
    Ok(entries)
}
