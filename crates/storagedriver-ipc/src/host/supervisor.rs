//! Keeps a driver running: one that died is started again by the next call.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use storagedriver::{BoxError, Error, Result, StoragePath};
use tokio::time::{Instant, sleep_until};

use super::launch::Launch;
use super::link::Link;
use super::opened::Opened;

/// How long after a death a driver is started again, at first and at most. The time doubles with each death that comes quickly.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A driver that lived so long did not die quickly.
const LONG_LIFE: Duration = Duration::from_secs(60);

/// How long a call waits for the next start; if that is further away, it fails at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// A driver that is started again when it died.
pub(super) struct Supervisor {
    launch: Launch,
    first: Opened,
    state: Mutex<State>,
}

struct State {
    /// How many deaths and failed starts there were in quick succession.
    failures: u32,
    is: Is,
}

enum Is {
    Running(Arc<Link>),
    Down { next: Instant, cause: Arc<str> },
    Starting(Start),
}

/// A start that any number of calls wait for. Its failure is shared, so it is a text.
type Start = Shared<BoxFuture<'static, Result<Arc<Link>, Arc<str>>>>;

/// What a call does next.
enum Step {
    Use(Arc<Link>),
    Await(Start),
    Sleep(Instant),
    Fail(String),
}

impl Supervisor {
    /// Starts the driver.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub(super) async fn start(launch: Launch) -> Result<Self> {
        let (link, first) = launch.start().await?;
        let state = State { failures: 0, is: Is::Running(Arc::new(link)) };
        Ok(Supervisor { launch, first, state: Mutex::new(state) })
    }

    /// What the driver said when it was first opened.
    pub(super) fn opened(&self) -> &Opened {
        &self.first
    }

    /// How long a call without streams may take.
    pub(super) fn call_timeout(&self) -> Option<Duration> {
        self.launch.call_timeout
    }

    /// The driver, for a call on `path`: started again if it died.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be started again, or not yet.
    pub(super) async fn link(self: &Arc<Self>, path: &StoragePath) -> Result<Arc<Link>> {
        loop {
            match self.step() {
                Step::Use(link) => return Ok(link),
                Step::Await(start) => {
                    return start.await.map_err(|cause| {
                        let reason = "the driver died and cannot be started again";
                        Error::unavailable(path, reason).with_source(BoxError::from(&*cause))
                    });
                }
                Step::Sleep(until) => sleep_until(until).await,
                Step::Fail(reason) => return Err(Error::unavailable(path, reason)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>) -> Step {
        let mut state = self.lock();
        if let Is::Running(link) = &state.is {
            if !link.is_broken() {
                return Step::Use(link.clone());
            }
            link.end();
            let lived = link.has_worked() || link.since.elapsed() >= LONG_LIFE;
            let cause = link.why();
            state.failures = if lived { 0 } else { state.failures };
            state.fail(cause);
        }
        let state = &mut *state;
        match &state.is {
            Is::Running(link) => Step::Use(link.clone()),
            Is::Starting(start) => Step::Await(start.clone()),
            Is::Down { next, cause } => {
                let wait = next.saturating_duration_since(Instant::now());
                if wait > PATIENCE {
                    let (seconds, failures) = (wait.as_secs_f64(), state.failures);
                    Step::Fail(format!(
                        "the driver failed {failures} times in quick succession, last: {cause}; it is started again in {seconds:.1} s"
                    ))
                } else if !wait.is_zero() {
                    Step::Sleep(*next)
                } else {
                    let start = restart(self);
                    state.is = Is::Starting(start.clone());
                    Step::Await(start)
                }
            }
        }
    }

    /// What a start came to.
    fn started(&self, outcome: Result<(Link, Opened)>) -> Result<Arc<Link>, Arc<str>> {
        let outcome = outcome.and_then(|(link, opened)| opened.keeps(&self.first).map(|()| Arc::new(link)));
        let mut state = self.lock();
        match outcome {
            Ok(link) => {
                state.is = Is::Running(link.clone());
                Ok(link)
            }
            Err(error) => {
                let cause = text(&error);
                tracing::warn!(driver = self.first.driver, "the driver cannot be started again: {cause}");
                state.fail(cause.clone());
                Err(cause)
            }
        }
    }

    /// The task of a start is gone, with the runtime that it ran on.
    fn abandoned(&self) -> Arc<str> {
        let cause: Arc<str> = Arc::from("the runtime that started it was shut down");
        let mut state = self.lock();
        if let Is::Starting(_) = state.is {
            state.is = Is::Down { next: Instant::now(), cause: cause.clone() };
        }
        cause
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = match &self.lock().is {
            Is::Running(_) => "running",
            Is::Starting(_) => "starting",
            Is::Down { .. } => "down",
        };
        f.debug_struct("Supervisor")
            .field("launch", &self.launch)
            .field("opened", &self.first)
            .field("state", &is)
            .finish()
    }
}

impl State {
    /// The driver died, or could not be started.
    fn fail(&mut self, cause: Arc<str>) {
        self.failures = self.failures.saturating_add(1);
        self.is = Is::Down { next: Instant::now() + delay(self.failures), cause };
    }
}

/// Starts the driver on a task of its own: a call that is dropped meanwhile does not stop it.
fn restart(supervisor: &Arc<Supervisor>) -> Start {
    let (task, waiting): (_, Weak<_>) = (supervisor.clone(), Arc::downgrade(supervisor));
    tracing::info!(driver = supervisor.first.driver, "starting the driver again");
    let task = tokio::spawn(async move {
        let outcome = task.launch.start().await;
        task.started(outcome)
    });
    let start = async move {
        match task.await {
            Ok(outcome) => outcome,
            Err(_) => Err(waiting.upgrade().map(|supervisor| supervisor.abandoned()).unwrap_or_default()),
        }
    };
    start.boxed().shared()
}

/// How long after the last of so many failures the next start comes.
fn delay(failures: u32) -> Duration {
    let doubled = failures.saturating_sub(1).min(16);
    (FIRST_DELAY * (1 << doubled)).min(LONGEST_DELAY)
}

/// An error with its causes, for the errors of all the calls that met it.
fn text(error: &Error) -> Arc<str> {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        text = format!("{text}: {below}");
        cause = below.source();
    }
    Arc::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_half_a_minute() {
        let delays: Vec<_> = (1..=4).map(|failures| delay(failures).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800]);
        assert_eq!(delay(9), Duration::from_millis(25_600));
        assert_eq!(delay(10), LONGEST_DELAY);
        assert_eq!(delay(u32::MAX), LONGEST_DELAY);
    }
}
