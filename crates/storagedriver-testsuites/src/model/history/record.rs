//! Recording what concurrent tasks ask and are answered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use storagedriver::bytes::Bytes;
use storagedriver::{BoxError, FileWriter, Guarantee, ReadOptions, Storage, WriteMode};

use super::{Action, Answer, Event, History, Unexplained, Value};
use crate::Harness;

/// How many tasks do how much, on which paths.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the choices of all tasks follow from.
    pub seed: u64,
    /// How many tasks run at once.
    pub tasks: usize,
    /// How many operations each of them does. The search for an explanation grows with this
    /// number to the power of the tasks, at worst.
    pub operations: usize,
    /// The paths. None may be a directory of another.
    pub paths: Vec<String>,
}

impl Plan {
    /// Four tasks with twelve operations each, on three paths.
    pub fn with_seed(seed: u64) -> Self {
        let paths = ["/h/a", "/h/b", "/h-c"].map(str::to_owned).to_vec();
        Plan { seed, tasks: 4, operations: 12, paths }
    }
}

/// Why a check of histories failed.
pub enum HistoryFailure {
    /// A history that nothing explains, and the seed of its plan.
    Unexplained(u64, Box<Unexplained>),
    /// The harness could not open or remove a store, or a task panicked.
    Harness(BoxError),
}

impl fmt::Display for HistoryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryFailure::Unexplained(seed, unexplained) => write!(f, "{unexplained}seed {seed}"),
            HistoryFailure::Harness(error) => write!(f, "the harness failed: {error}"),
        }
    }
}

// A `#[test]` that returns an error prints it by `Debug`.
impl fmt::Debug for HistoryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for HistoryFailure {}

/// Records and checks so many histories, each on a fresh store; the first has the seed `seed`, each
/// next one the seed after it. A driver without atomic replacement promises nothing that could be
/// checked: it gets none.
///
/// Needs a tokio runtime; one with several threads finds more.
///
/// # Errors
/// The first history that nothing explains.
pub async fn run_histories(
    harness: Arc<dyn Harness>,
    seed: u64,
    histories: u64,
) -> Result<(), HistoryFailure> {
    for number in 0..histories {
        let seed = seed.wrapping_add(number);
        let store = harness.open().await.map_err(HistoryFailure::Harness)?;
        if !store.storage().guarantees().has(Guarantee::AtomicReplace) {
            return store.remove().await.map_err(HistoryFailure::Harness);
        }
        let recorded = record(&store.storage(), &Plan::with_seed(seed)).await;
        let removed = store.remove().await;
        let history = recorded.map_err(HistoryFailure::Harness)?;
        history.check().map_err(|unexplained| HistoryFailure::Unexplained(seed, unexplained))?;
        removed.map_err(HistoryFailure::Harness)?;
    }
    Ok(())
}

/// As [`run_histories`], with the seed that [`SEED_VARIABLE`](crate::model::SEED_VARIABLE) gives, on a
/// runtime of its own.
///
/// # Errors
/// As [`run_histories`].
pub fn run_histories_blocking(harness: impl Harness, histories: u64) -> Result<(), HistoryFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.map_err(|error| HistoryFailure::Harness(error.into()))?;
    let seed = crate::model::run::first_seed().map_err(|wrong| HistoryFailure::Harness(wrong.into()))?;
    runtime.block_on(run_histories(Arc::new(harness), seed, histories))
}

/// Makes one `#[test]`, `histories`, that checks what concurrent operations on a driver answer.
///
/// ```
/// # use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # struct MyHarness;
/// # #[async_trait]
/// # impl Harness for MyHarness {
/// #     async fn open(&self) -> Result<Box<dyn Store>, BoxError> { Err("none".into()) }
/// # }
/// storagedriver_testsuites::register_histories!(MyHarness, histories = 20);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! register_histories {
    ($harness:expr $(,)?) => {
        $crate::register_histories!($harness, histories = 50);
    };
    ($harness:expr, histories = $histories:expr $(,)?) => {
        #[test]
        fn histories() -> Result<(), $crate::model::history::HistoryFailure> {
            $crate::model::history::run_histories_blocking($harness, $histories)
        }
    };
}

/// Lets the tasks of a plan work on a store, and returns what they asked and were answered.
///
/// # Errors
/// That a task panicked.
pub async fn record(storage: &Storage, plan: &Plan) -> Result<History, BoxError> {
    let shared = Arc::new(Shared {
        storage: storage.clone(),
        paths: plan.paths.clone(),
        clock: AtomicU64::new(0),
        values: AtomicU32::new(0),
    });
    let tasks: Vec<_> = (0..plan.tasks)
        .map(|task| {
            let random = Random(plan.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(task as u64));
            tokio::spawn(work(shared.clone(), task, random, plan.operations))
        })
        .collect();
    let mut events = Vec::new();
    for task in tasks {
        events.extend(task.await?);
    }
    let atomic_rename = storage.guarantees().has(Guarantee::AtomicRename);
    Ok(History { events, atomic_rename })
}

struct Shared {
    storage: Storage,
    paths: Vec<String>,
    clock: AtomicU64,
    values: AtomicU32,
}

impl Shared {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn value(&self) -> Value {
        self.values.fetch_add(1, Ordering::SeqCst)
    }
}

/// SplitMix64: enough to choose operations by, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or_default()
    }
}

async fn work(shared: Arc<Shared>, task: usize, mut random: Random, operations: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..operations {
        let path = shared.paths.get(random.below(shared.paths.len())).cloned().unwrap_or_default();
        let other = shared.paths.get(random.below(shared.paths.len())).cloned().unwrap_or_default();
        let action = match random.below(10) {
            0..=1 => Action::Put(path, shared.value()),
            2..=3 => Action::Commit(path, shared.value(), 0),
            4..=6 => Action::Get(path),
            7..=8 if path != other => Action::Rename(path, other),
            _ => Action::Delete(path),
        };
        events.extend(perform(&shared, task, action).await);
        if random.below(3) == 0 {
            tokio::task::yield_now().await;
        }
    }
    events
}

/// Opens a writer and writes a value to it in two pieces.
async fn write(storage: &Storage, path: &str, value: Value) -> storagedriver::Result<FileWriter> {
    let mut writer = storage.writer(path, WriteMode::Create).await?;
    let content = bytes_of(value);
    let (head, tail) = (content.slice(..content.len() / 2), content.slice(content.len() / 2..));
    writer.write(head).await?;
    tokio::task::yield_now().await;
    writer.write(tail).await?;
    Ok(writer)
}

/// Does one operation; `None` if it was a read that failed.
async fn perform(shared: &Shared, task: usize, action: Action) -> Option<Event> {
    let storage = &shared.storage;
    let mut invoked = shared.tick();
    let (action, outcome) = match action {
        Action::Put(path, value) => {
            let outcome = storage.put_content(&path, bytes_of(value)).await;
            (Action::Put(path, value), outcome.map(|()| Answer::Done))
        }
        Action::Commit(path, value, _) => {
            let opened = invoked;
            let outcome = match write(storage, &path, value).await {
                Ok(writer) => {
                    invoked = shared.tick();
                    writer.commit().await.map(|()| Answer::Done)
                }
                Err(error) => Ok(Answer::Unpublished(error.to_string())),
            };
            (Action::Commit(path, value, opened), outcome)
        }
        Action::Rename(from, to) => {
            let outcome = storage.rename(&from, &to).await;
            (Action::Rename(from, to), outcome.map(|()| Answer::Done))
        }
        Action::Delete(path) => {
            let outcome = storage.delete(&path).await;
            (Action::Delete(path), outcome.map(|()| Answer::Done))
        }
        Action::Get(path) => {
            let outcome = read(storage, &path, task).await;
            (Action::Get(path), outcome.map(|content| answer_of(&content)))
        }
    };
    let answered = shared.tick();
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() => Answer::NotFound,
        // A read that failed says nothing.
        Err(_) if matches!(action, Action::Get(_)) => return None,
        Err(error) => Answer::Unknown(error.to_string()),
    };
    Some(Event { task, action, invoked, answered, answer })
}

/// Half of the tasks read by stream, with a pause in the middle, where that is promised to give
/// one version.
async fn read(storage: &Storage, path: &str, task: usize) -> storagedriver::Result<Bytes> {
    if task.is_multiple_of(2) || !storage.guarantees().has(Guarantee::ConsistentReads) {
        return storage.get_content(path).await;
    }
    let mut reader = storage.reader(path, ReadOptions::all()).await?;
    let mut content = Vec::new();
    while let Some(chunk) = reader.next().await {
        content.extend_from_slice(&chunk?);
        tokio::task::yield_now().await;
    }
    Ok(Bytes::from(content))
}

/// Four bytes for the value, then bytes that no other value has at the same place.
fn bytes_of(value: Value) -> Bytes {
    let length = 64 + (value as usize % 7) * 9_001;
    let mut random = Random(u64::from(value));
    let filling = (0..length).map(|_| u8::try_from(random.below(256)).unwrap_or_default());
    value.to_be_bytes().into_iter().chain(filling).collect()
}

fn answer_of(content: &Bytes) -> Answer {
    let Some((head, _)) = content.split_first_chunk() else {
        return Answer::Spliced(format!("{} bytes", content.len()));
    };
    let value = Value::from_be_bytes(*head);
    if bytes_of(value) == *content {
        return Answer::Read(value);
    }
    Answer::Spliced(format!("{} bytes that begin as #{value}", content.len()))
}
