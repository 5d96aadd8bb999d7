//! Many programs: generated, shrunk, replayed.

use std::any::Any;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use storagedriver::BoxError;

use super::machine::{Divergence, Handles, check_program};
use super::program::Program;
use super::strategy;
use crate::{Harness, Store};

/// The variable that holds the seed of the first program or history, in decimal, or `random` for a
/// fresh one. Unset: always the same, so that a run that passed passes again.
pub const SEED_VARIABLE: &str = "STORAGEDRIVER_SEED";

const DEFAULT_SEED: u64 = 20_260_801;

/// So many smaller programs are tried when one has failed, and for so long.
const MOST_SHRINKS: usize = 3_000;
const LONGEST_SHRINKING: Duration = Duration::from_secs(60);

/// Why a run of the state machine failed.
pub enum StateMachineFailure {
    /// The driver and the model part.
    Divergence {
        /// The seed of the program that failed first; `None` if it was not generated.
        seed: Option<u64>,
        /// The smallest program found that fails, and where.
        divergence: Box<Divergence>,
    },
    /// The driver panicked, or was not done in time.
    Broken {
        /// The seed of the program that failed first; `None` if it was not generated.
        seed: Option<u64>,
        /// The smallest program found that fails.
        program: Program,
        /// What happened.
        reason: String,
    },
    /// The harness could not open or remove a store.
    Harness(BoxError),
    /// The text of a program, or of a seed, is wrong.
    Text(String),
}

impl fmt::Display for StateMachineFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = |f: &mut fmt::Formatter<'_>, seed: &Option<u64>| match seed {
            Some(seed) => write!(f, "\nagain: {SEED_VARIABLE}={seed}, or `model::replay` with the program"),
            None => Ok(()),
        };
        match self {
            StateMachineFailure::Divergence { seed, divergence } => {
                write!(f, "the driver and the model part: {divergence}")?;
                again(f, seed)
            }
            StateMachineFailure::Broken { seed, program, reason } => {
                write!(f, "{reason}, in the program\n\n{program}")?;
                again(f, seed)
            }
            StateMachineFailure::Harness(error) => write!(f, "the harness failed: {error}"),
            StateMachineFailure::Text(wrong) => f.write_str(wrong),
        }
    }
}

// A `#[test]` that returns an error prints it by `Debug`.
impl fmt::Debug for StateMachineFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StateMachineFailure {}

/// Runs `programs` random programs of at most `steps` steps each, every one on a fresh store of
/// the harness, and checks each answer against the [`Reference`](super::Reference) model. A program
/// that fails is shrunk to a small one.
///
/// The seed is always the same, unless the environment variable [`SEED_VARIABLE`] gives another.
///
/// Needs a tokio runtime with its timer.
///
/// # Errors
/// The smallest failing program found, and the seed of the first.
pub async fn run_state_machine(
    harness: Arc<dyn Harness>,
    programs: u64,
    steps: usize,
) -> Result<(), StateMachineFailure> {
    let seed = first_seed().map_err(StateMachineFailure::Text)?;
    run_state_machine_with_seed(harness, seed, programs, steps).await
}

/// The seed that the environment asks for, by [`SEED_VARIABLE`].
pub(crate) fn first_seed() -> Result<u64, String> {
    match std::env::var(SEED_VARIABLE) {
        Err(_) => Ok(DEFAULT_SEED),
        Ok(text) if text == "random" => Ok(RandomState::new().hash_one(DEFAULT_SEED)),
        Ok(text) => {
            text.parse().map_err(|_| format!("{SEED_VARIABLE} is neither a number nor `random`: {text:?}"))
        }
    }
}

/// As [`run_state_machine`], with the seed of the first program; each next one has the seed after
/// it.
///
/// # Errors
/// As [`run_state_machine`].
pub async fn run_state_machine_with_seed(
    harness: Arc<dyn Harness>,
    seed: u64,
    programs: u64,
    steps: usize,
) -> Result<(), StateMachineFailure> {
    let runtime = tokio::runtime::Handle::current();
    // A thread of its own: what proptest generates with may not change threads.
    let run = tokio::task::spawn_blocking(move || {
        for number in 0..programs {
            let seed = seed.wrapping_add(number);
            let mut tree = generate(seed, steps)?;
            let mut fails = |program: &Program| runtime.block_on(run_one(&*harness, program));
            let Some(first) = fails(&tree.current())? else { continue };
            return Err(shrink(&mut *tree, first, &mut fails)?.into_failure(Some(seed)));
        }
        Ok(())
    });
    run.await.unwrap_or_else(|error| Err(StateMachineFailure::Text(format!("the run broke off: {error}"))))
}

/// Runs the program with this text, as a failure printed it, on a fresh store.
///
/// # Errors
/// Where driver and model part, or what is wrong with the text.
pub async fn replay(harness: &dyn Harness, program: &str) -> Result<(), StateMachineFailure> {
    let program: Program = program.parse().map_err(StateMachineFailure::Text)?;
    match run_one(harness, &program).await? {
        None => Ok(()),
        Some(failed) => Err(failed.into_failure(None)),
    }
}

/// A program that failed.
enum Failed {
    Diverged(Box<Divergence>),
    Broken(Program, String),
}

impl Failed {
    fn into_failure(self, seed: Option<u64>) -> StateMachineFailure {
        match self {
            Failed::Diverged(divergence) => StateMachineFailure::Divergence { seed, divergence },
            Failed::Broken(program, reason) => StateMachineFailure::Broken { seed, program, reason },
        }
    }
}

type Tree = Box<dyn ValueTree<Value = Program>>;

fn generate(seed: u64, steps: usize) -> Result<Tree, StateMachineFailure> {
    let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = strategy::program(steps).new_tree(&mut runner);
    Ok(Box::new(tree.map_err(|reason| StateMachineFailure::Text(format!("no program: {reason}")))?))
}

/// Makes the program smaller as long as it still fails.
fn shrink(
    tree: &mut dyn ValueTree<Value = Program>,
    mut smallest: Failed,
    fails: &mut dyn FnMut(&Program) -> Result<Option<Failed>, StateMachineFailure>,
) -> Result<Failed, StateMachineFailure> {
    let started = Instant::now();
    let mut smaller = tree.simplify();
    for _ in 0..MOST_SHRINKS {
        if !smaller || started.elapsed() > LONGEST_SHRINKING {
            break;
        }
        smaller = match fails(&tree.current())? {
            Some(failed) => {
                smallest = failed;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    Ok(smallest)
}

async fn run_one(harness: &dyn Harness, program: &Program) -> Result<Option<Failed>, StateMachineFailure> {
    let store = harness.open().await.map_err(StateMachineFailure::Harness)?;
    let outcome = run_on(&*store, harness.scale().timeout, program).await;
    let removed = store.remove().await;
    let failed = outcome?;
    if failed.is_none() {
        removed.map_err(StateMachineFailure::Harness)?;
    }
    Ok(failed)
}

async fn run_on(
    store: &dyn Store,
    timeout: Duration,
    program: &Program,
) -> Result<Option<Failed>, StateMachineFailure> {
    let second = store.another().await.map_err(StateMachineFailure::Harness)?;
    let handles = Handles { first: store.storage(), second };
    let checked = AssertUnwindSafe(check_program(handles, program)).catch_unwind();
    let broken = |reason| Ok(Some(Failed::Broken(program.clone(), reason)));
    match tokio::time::timeout(timeout, checked).await {
        Ok(Ok(Ok(()))) => Ok(None),
        Ok(Ok(Err(divergence))) => Ok(Some(Failed::Diverged(Box::new(divergence)))),
        Ok(Err(panic)) => broken(format!("the driver panicked: {}", panic_text(&*panic))),
        Err(_) => broken(format!("not done after {} s", timeout.as_secs())),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// The body of the test that [`register_state_machine!`](crate::register_state_machine) makes: as
/// [`run_state_machine`], on a runtime of its own.
///
/// # Errors
/// As [`run_state_machine`].
pub fn run_state_machine_blocking(
    harness: impl Harness,
    programs: u64,
    steps: usize,
) -> Result<(), StateMachineFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| StateMachineFailure::Harness(error.into()))?;
    runtime.block_on(run_state_machine(Arc::new(harness), programs, steps))
}

/// Makes one `#[test]`, `state_machine`, that runs random programs on a driver and checks them
/// against the model: 200 programs of at most 40 steps, unless said otherwise.
///
/// ```
/// # use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # struct MyHarness;
/// # #[async_trait]
/// # impl Harness for MyHarness {
/// #     async fn open(&self) -> Result<Box<dyn Store>, BoxError> { Err("none".into()) }
/// # }
/// storagedriver_testsuites::register_state_machine!(MyHarness, programs = 20, steps = 30);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! register_state_machine {
    ($harness:expr $(,)?) => {
        $crate::register_state_machine!($harness, programs = 200, steps = 40);
    };
    ($harness:expr, programs = $programs:expr, steps = $steps:expr $(,)?) => {
        #[test]
        fn state_machine() -> Result<(), $crate::model::StateMachineFailure> {
            $crate::model::run_state_machine_blocking($harness, $programs, $steps)
        }
    };
}
