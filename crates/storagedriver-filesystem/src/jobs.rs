//! Work that may block, and what becomes of it when nobody waits for it any more.
//!
//! Each operation is one job of tokio's pool for blocking work, reads from the kernel's caches and
//! small puts in memory excepted. A job asks for its [`Section`] just before the step that publishes: if the future that
//! waited for it was dropped, it is told to stop, and nothing is published. Past that step it holds
//! its paths until it is done, so that a later operation of this process on such a path comes after
//! it and never between its steps.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use storagedriver::{Error, Result, StoragePath};
use tokio::task::JoinError;

/// What a section holds.
#[derive(Debug, Clone)]
pub(crate) enum Hold {
    /// One path.
    Path(StoragePath),
    /// A path and all below it.
    Tree(StoragePath),
}

impl Hold {
    fn covers(&self, path: &StoragePath) -> bool {
        match self {
            Hold::Path(held) => held == path,
            Hold::Tree(held) => path.is_within(held),
        }
    }

    fn path(&self) -> &StoragePath {
        match self {
            Hold::Path(path) | Hold::Tree(path) => path,
        }
    }

    fn excludes(&self, other: &Hold) -> bool {
        self.covers(other.path()) || other.covers(self.path())
    }
}

#[derive(Debug)]
struct Held {
    ticket: u64,
    holds: Vec<Hold>,
    /// Nobody waits for the job any more.
    orphaned: bool,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    held: Vec<Held>,
    /// The jobs that have not ended, and whether nobody waits for them any more.
    jobs: HashMap<u64, Awaited>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Yes,
    No,
}

impl Table {
    fn next(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    fn is_abandoned(&self, job: u64) -> bool {
        self.jobs.get(&job) == Some(&Awaited::No)
    }

    /// Whether a job that nobody waits for is publishing at, above or below the path.
    fn is_busy(&self, path: &StoragePath) -> bool {
        let concerns = |hold: &Hold| hold.covers(path) || hold.path().is_within(path);
        self.held.iter().any(|held| held.orphaned && held.holds.iter().any(concerns))
    }
}

/// The paths that jobs of this driver hold.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    table: Mutex<Table>,
    changed: Condvar,
}

impl Holds {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, table: MutexGuard<'a, Table>) -> MutexGuard<'a, Table> {
        self.changed.wait(table).unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a path for an operation that is no job, as it runs where its future is polled: it is
    /// past its publishing step or was not begun, whenever that future is dropped. `None` if a job
    /// holds the path.
    pub(crate) fn try_section(self: &Arc<Self>, path: &StoragePath) -> Option<Section> {
        let mut table = self.lock();
        let hold = Hold::Path(path.clone());
        if table.held.iter().any(|held| held.holds.iter().any(|other| other.excludes(&hold))) {
            return None;
        }
        let ticket = table.next();
        table.held.push(Held { ticket, holds: vec![hold], orphaned: false });
        Some(Section { ticket, holds: self.clone() })
    }

    fn ticket(self: &Arc<Self>) -> Ticket {
        let mut table = self.lock();
        let id = table.next();
        table.jobs.insert(id, Awaited::Yes);
        Ticket { id, holds: self.clone() }
    }

    /// Waits for the jobs that nobody waits for and that publish at, above or below the path.
    fn settle(&self, path: &StoragePath) {
        let mut table = self.lock();
        while table.is_busy(path) {
            table = self.wait(table);
        }
    }

    /// Whether a job at this path would not have to wait before it begins.
    pub(crate) fn is_settled(&self, path: &StoragePath) -> bool {
        !self.lock().is_busy(path)
    }
}

/// A job's right to publish, lost when its future is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    id: u64,
    holds: Arc<Holds>,
}

impl Ticket {
    /// Waits until nobody else holds any of these paths, and holds them.
    ///
    /// # Errors
    /// `Unavailable`, which nobody sees, if the future was dropped: the job has to stop.
    pub(crate) fn section(&self, holds: Vec<Hold>) -> Result<Section> {
        let mut table = self.holds.lock();
        loop {
            if table.is_abandoned(self.id) {
                let path = holds.first().map_or_else(StoragePath::root, |hold| hold.path().clone());
                return Err(Error::unavailable(&path, "the operation was given up before it published"));
            }
            let busy =
                |held: &Held| held.holds.iter().any(|hold| holds.iter().any(|ours| ours.excludes(hold)));
            if !table.held.iter().any(busy) {
                table.held.push(Held { ticket: self.id, holds, orphaned: false });
                return Ok(Section { ticket: self.id, holds: self.holds.clone() });
            }
            table = self.holds.wait(table);
        }
    }

    /// Whether nobody waits for the job any more.
    fn is_abandoned(&self) -> bool {
        self.holds.lock().is_abandoned(self.id)
    }
}

/// Paths that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Section {
    ticket: u64,
    holds: Arc<Holds>,
}

impl Drop for Section {
    fn drop(&mut self) {
        let mut table = self.holds.lock();
        if let Some(at) = table.held.iter().position(|held| held.ticket == self.ticket) {
            table.held.swap_remove(at);
        }
        drop(table);
        self.holds.changed.notify_all();
    }
}

/// What the waiting future holds: dropping it gives the job up.
struct Waiting {
    id: u64,
    holds: Arc<Holds>,
    over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut table = self.holds.lock();
        for held in table.held.iter_mut().filter(|held| held.ticket == self.id) {
            held.orphaned = true;
        }
        // It may have ended meanwhile.
        if let Some(awaited) = table.jobs.get_mut(&self.id) {
            *awaited = Awaited::No;
        }
        drop(table);
        self.holds.changed.notify_all();
    }
}

/// What the job itself holds: with its end the table forgets that it was given up.
struct Running(Ticket);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.holds.lock().jobs.remove(&self.0.id);
    }
}

/// The failure of a job that did not return: it panicked, or the runtime is shutting down.
pub(crate) fn lost(path: &StoragePath, error: JoinError) -> Error {
    if error.is_cancelled() {
        return Error::unavailable(path, "the runtime is shutting down").with_source(error);
    }
    Error::backend(path, "the operation stopped by a panic").with_source(error)
}

/// Runs `job` in the pool, as one operation on `path`.
///
/// # Errors
/// What the job reports, or that it did not return.
pub(crate) async fn run<T, J>(holds: &Arc<Holds>, path: &StoragePath, job: J) -> Result<T>
where
    T: Send + 'static,
    J: FnOnce(&Ticket) -> Result<T> + Send + 'static,
{
    let ticket = holds.ticket();
    let mut waiting = Waiting { id: ticket.id, holds: holds.clone(), over: false };
    let running = Running(ticket);
    let on = path.clone();
    let job = tokio::task::spawn_blocking(move || {
        let running = running;
        running.0.holds.settle(&on);
        if running.0.is_abandoned() {
            return Err(Error::unavailable(&on, "the operation was given up before it began"));
        }
        job(&running.0)
    });
    let outcome = job.await;
    waiting.over = true;
    outcome.map_err(|error| lost(path, error))?
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;

    fn path(text: &str) -> StoragePath {
        StoragePath::parse(text).unwrap()
    }

    #[test]
    fn a_tree_excludes_what_is_below_it_and_no_sibling() {
        let tree = Hold::Tree(path("/a"));
        assert!(tree.excludes(&Hold::Path(path("/a/b"))));
        assert!(Hold::Path(path("/a")).excludes(&tree));
        assert!(!tree.excludes(&Hold::Path(path("/ab"))));
        assert!(!Hold::Path(path("/a")).excludes(&Hold::Path(path("/a/b"))));
    }

    #[tokio::test]
    async fn a_job_whose_future_was_dropped_gets_no_section() {
        let holds = Arc::new(Holds::default());
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel::<bool>();
        let on = path("/a");
        let job = run(&holds, &on, move |ticket| {
            let _ = gate.recv();
            let _ = tell.send(ticket.section(vec![Hold::Path(path("/a"))]).is_ok());
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), job).await.is_err());
        go.send(()).unwrap();
        assert!(!told.recv().unwrap());
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_jobs_that_ended() {
        let holds = Arc::new(Holds::default());
        let on = path("/a");
        run(&holds, &on, |_| Ok(())).await.unwrap();
        for _ in 0..20 {
            // Polled once, and dropped when the job has ended or not.
            let mut job = Box::pin(run(&holds, &on, |_| Ok(())));
            let mut context = Context::from_waker(Waker::noop());
            let _ = job.as_mut().poll(&mut context);
            std::thread::sleep(Duration::from_millis(1));
        }
        while !holds.lock().jobs.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(holds.lock().held.is_empty());
    }

    #[tokio::test]
    async fn what_runs_at_once_holds_its_path_only_if_nobody_does() {
        let holds = Arc::new(Holds::default());
        let first = holds.try_section(&path("/a")).unwrap();
        assert!(holds.try_section(&path("/a")).is_none());
        let ticket = holds.ticket();
        drop(holds.try_section(&path("/b")).unwrap());
        let other = ticket.section(vec![Hold::Tree(path("/b"))]).unwrap();
        assert!(holds.try_section(&path("/b/c")).is_none());
        drop((first, other));
        assert!(holds.try_section(&path("/a")).is_some());
    }

    #[tokio::test]
    async fn what_comes_later_waits_for_a_job_past_its_publishing_step() {
        let holds = Arc::new(Holds::default());
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let done = Arc::new(Mutex::new(false));
        let mark = done.clone();
        let (on, above) = (path("/a/b"), path("/a"));
        let job = run(&holds, &on, move |ticket| {
            let _section = ticket.section(vec![Hold::Path(path("/a/b"))])?;
            let _ = tell.send(());
            let _ = gate.recv();
            *mark.lock().unwrap() = true;
            Ok(())
        });
        let mut job = Box::pin(job);
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut job).await.is_err());
        told.recv().unwrap();
        drop(job);
        // Elsewhere nobody waits.
        run(&holds, &path("/c"), |_| Ok(())).await.unwrap();
        let seen = done.clone();
        let later = run(&holds, &above, move |_| Ok(*seen.lock().unwrap()));
        let mut later = Box::pin(later);
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut later).await.is_err());
        go.send(()).unwrap();
        assert!(later.await.unwrap());
    }
}
