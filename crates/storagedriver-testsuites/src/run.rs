//! Running cases: one as a `#[test]`, or many for a program.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::future::BoxFuture;
use storagedriver::Guarantee;
use tokio::task::JoinError;

use crate::fixture::Fixture;
use crate::report;
use crate::task::OwnedTask;
use crate::{CASES, Checked, Failure, Harness};

/// One case of the suite.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Case {
    /// The topic and what holds: `content::replaces_longer_content`.
    pub name: &'static str,
    /// The sentences of the contract that it checks, by their ids in [`contract`](crate::contract).
    pub sentences: &'static [&'static str],
    /// The guarantees without which it has nothing to check; it is skipped then, visibly.
    pub needs: &'static [Guarantee],
    pub(crate) run: for<'a> fn(&'a Fixture) -> BoxFuture<'a, Checked>,
}

impl Case {
    /// The case of this name.
    pub fn find(name: &str) -> Option<&'static Case> {
        CASES.iter().find(|case| case.name == name)
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// What it checks holds.
    Pass,
    /// It does not, for this reason.
    Fail(String),
    /// The driver lacks a guarantee that the case needs; the reason names it.
    Skip(String),
}

impl Outcome {
    /// The word in the report: `pass`, `fail` or `skip`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Skip(_) => "skip",
        }
    }

    /// Why it failed or was skipped; empty if it passed.
    pub fn reason(&self) -> &str {
        match self {
            Outcome::Pass => "",
            Outcome::Fail(reason) | Outcome::Skip(reason) => reason,
        }
    }
}

/// Runs one case on a fresh store. A panic and a hang are failures like any other.
///
/// Needs a tokio runtime with its timer; a case that blocks its thread is noticed only where the
/// runtime has another one. Dropped, it ends the case where it waits, and does not remove its store.
pub async fn check(case: &'static Case, harness: Arc<dyn Harness>) -> Outcome {
    let (driver, outcome) = measured(case, harness).await;
    report::append(&driver, case.name, &outcome);
    outcome
}

/// The driver's name, as far as it came to be known, and the outcome.
async fn measured(case: &'static Case, harness: Arc<dyn Harness>) -> (String, Outcome) {
    let scale = harness.scale();
    let timeout = scale.timeout;
    let opening = async move { harness.open().await };
    let fixture = match guarded(timeout, opening).await {
        Ok(Ok(store)) => Arc::new(Fixture::new(store, scale)),
        Ok(Err(error)) => return (String::new(), Outcome::Fail(format!("opening a store failed: {error}"))),
        Err(reason) => return (String::new(), Outcome::Fail(format!("opening a store: {reason}"))),
    };
    let driver = fixture.storage().name().to_owned();
    let looking = {
        let storage = fixture.storage().clone();
        async move { storage.list("/").await.is_ok_and(|found| !found.is_empty()) }
    };
    // A driver that cannot say is a matter for the cases.
    if matches!(guarded(timeout, looking).await, Ok(true)) {
        return (driver, Outcome::Fail("the harness gave a store that is not empty".to_owned()));
    }
    let guarantees = fixture.storage().guarantees();
    let lacking = case.needs.iter().find(|&&needed| !guarantees.has(needed));
    let mut outcome = match lacking {
        Some(lacking) => Outcome::Skip(format!("the driver lacks the guarantee {lacking}")),
        None => {
            let fixture = fixture.clone();
            match guarded(timeout, async move { (case.run)(&fixture).await }).await {
                Ok(Ok(())) => Outcome::Pass,
                Ok(Err(failure)) => Outcome::Fail(failure.to_string()),
                Err(reason) => Outcome::Fail(reason),
            }
        }
    };
    let removed = guarded(timeout, async move { fixture.remove().await }).await;
    let reason = match removed {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(reason) => Some(reason),
    };
    if let (Some(reason), false) = (reason, matches!(outcome, Outcome::Fail(_))) {
        outcome = Outcome::Fail(format!("removing the store failed: {reason}"));
    }
    (driver, outcome)
}

/// Runs a future in a task of its own, so that a panic and a hang become a reason.
async fn guarded<T: Send + 'static>(
    timeout: Duration,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    match tokio::time::timeout(timeout, OwnedTask::spawn(future)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(stopped)) => Err(format!("panicked: {}", said(stopped))),
        Err(_) => Err(hung(timeout)),
    }
}

/// What a panic said.
fn said(stopped: JoinError) -> String {
    match stopped.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "without a message".to_owned(),
        },
        Err(cancelled) => cancelled.to_string(),
    }
}

fn hung(timeout: Duration) -> String {
    format!("hung: not done after {} s", timeout.as_secs_f32())
}

/// Runs the case `name` on a runtime of its own: the body of each test that
/// [`register_suite!`](crate::register_suite) makes. A skipped case says so on standard error, past
/// the capturing of test output.
///
/// # Errors
/// What the case found, that it hung, or that there is no such case.
pub fn run_case(name: &str, harness: impl Harness) -> Checked {
    run_shared_case(name, Arc::new(harness))
}

/// As [`run_case`], for a harness that others hold too.
///
/// # Errors
/// As [`run_case`].
pub fn run_shared_case(name: &str, harness: Arc<dyn Harness>) -> Checked {
    let case = Case::find(name).ok_or_else(|| Failure::new(format!("the suite has no case {name}")))?;
    match run_blocking(case, harness) {
        Outcome::Pass => Ok(()),
        Outcome::Fail(reason) => Err(Failure::new(format!("{name}: {reason}"))),
        Outcome::Skip(reason) => {
            report::say(&format!("{name} ... skipped: {reason}"));
            Ok(())
        }
    }
}

/// Runs a test that a driver has beyond the suite, on a runtime of its own, as a case of the report: `swift: its name`.
/// The body of a `#[test]`.
///
/// # Errors
/// What the test found, that it panicked, or that it hung.
pub fn run_own_case(
    driver: &str,
    name: &str,
    timeout: Duration,
    case: impl Future<Output = Outcome> + Send + 'static,
) -> Checked {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(guarded(timeout, case)).unwrap_or_else(Outcome::Fail);
    runtime.shutdown_background();
    let name = format!("{driver}: {name}");
    report::append(driver, &name, &outcome);
    match outcome {
        Outcome::Pass => Ok(()),
        Outcome::Fail(reason) => Err(Failure::new(format!("{name}: {reason}"))),
        Outcome::Skip(reason) => {
            report::say(&format!("{name} ... skipped: {reason}"));
            Ok(())
        }
    }
}

/// Runs one case on a runtime of its own, and waits for it outside that runtime, so that a case
/// that blocks every thread is still noticed.
pub fn run_blocking(case: &'static Case, harness: Arc<dyn Harness>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Outcome::Fail(format!("no runtime: {error}")),
    };
    // Longer than the limits of opening, running and removing together, which give the better message.
    let timeout = harness.scale().timeout.saturating_mul(3) + Duration::from_secs(5);
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        // The receiver is gone only if this took too long.
        let _ = sender.send(check(case, harness).await);
    });
    let outcome = match receiver.recv_timeout(timeout) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Outcome::Fail(hung(timeout)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Outcome::Fail("the harness panicked".to_owned()),
    };
    runtime.shutdown_background();
    outcome
}

/// Runs the cases that `filter` lets through, one after another, and tells of each as it ends.
/// Returns how many failed.
///
/// Needs a tokio runtime with several threads.
pub async fn run_suite(
    harness: Arc<dyn Harness>,
    filter: impl Fn(&Case) -> bool,
    mut on_outcome: impl FnMut(&'static Case, &Outcome),
) -> usize {
    let mut failed = 0;
    for case in CASES.iter().filter(|case| filter(case)) {
        let outcome = check(case, harness.clone()).await;
        failed += usize::from(matches!(outcome, Outcome::Fail(_)));
        on_outcome(case, &outcome);
    }
    failed
}
