//! Walks: directories are read ahead by jobs of the pool, in the order of the walk.
//!
//! The rest of a walk is a sequence of entries that are ready and of parts of directories that are
//! not read ([`plan`]). A job takes the first such part, reads it and what is below it until it has
//! a batch, and puts what it found in its place ([`expand`]). So the order never depends on which
//! job is quicker, and what is skipped is cut off the front, whoever reads it just now.
//!
//! Everything that is held is bounded ([`Limits`]). Of a large directory only the names that come
//! first are kept; the others are found by reading it once more ([`part`]).

mod expand;
mod meter;
mod part;
mod plan;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storagedriver::{DriverWalk, Error, FileInfo, Result, StoragePath, WalkOptions, async_trait};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::faults::{Need, fault};
use crate::root::Root;
use crate::sys::Errno;
use expand::{Expansion, Signals, expand};
use meter::Meter;
use part::{Directory, Part, Tree};
use plan::{Front, Plan, Unwanted};

/// What a walk may hold and do at once.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Jobs that read at once.
    pub(crate) jobs: usize,
    /// Entries that are ready before reading ahead pauses; it goes on when half are taken.
    pub(crate) ahead: usize,
    /// Entries that one job finds before it hands them over.
    pub(crate) batch: usize,
    /// What a job takes of a directory at a time: so many files, or an eighth of that of directories.
    pub(crate) part: usize,
    /// Names of directories; while one is read, twice as many of its own.
    pub(crate) names: usize,
    /// Directories that parts keep open, and levels that one job goes down with theirs open.
    pub(crate) open: usize,
    pub(crate) depth: usize,
    /// Room for what one call tells of a directory, in bytes.
    pub(crate) buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // More jobs than processors help where each call waits for a disk or a server, and cost little
        // where none does.
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Limits {
            jobs: processors.clamp(2, 4),
            ahead: 4096,
            batch: 512,
            part: 256,
            names: 1 << 16,
            open: 16,
            depth: 16,
            buffer: 64 << 10,
        }
    }
}

/// For how many entries the first step that has to wait waits; each later one for twice as many, up
/// to a batch. A wake-up costs as much as reading dozens.
const FIRST_WAIT: usize = 16;

/// What the steps of a walk and its jobs share.
struct Shared {
    tree: Tree,
    limits: Limits,
    state: Mutex<State>,
    /// A step that waits is to look again.
    changed: Notify,
    /// A job has nothing to take, and there may be more to share out.
    hungry: AtomicBool,
    pool: Handle,
    /// Lets jobs read ahead: without a permit a job reads only while a step waits.
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    plan: Plan,
    jobs: usize,
    /// Whether a step waits, and for how many entries.
    waiting: Option<usize>,
    over: bool,
    /// The pool runs no jobs any more: its runtime shuts down, or is gone.
    refused: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more job, if there is something to read, to be begun when the state is unlocked. One that
    /// is `needed`, as a step waits, runs with or without a permit.
    fn job(self: &Arc<Self>, state: &mut State, needed: bool) -> Option<Job> {
        if state.refused || state.jobs >= self.limits.jobs || !state.plan.has_work(&self.limits) {
            return None;
        }
        let permit = self.permits.clone().try_acquire_owned().ok();
        if permit.is_none() && !needed {
            return None;
        }
        state.jobs = state.jobs.saturating_add(1);
        self.tree.meter.jobs(state.jobs);
        Some(Job { shared: self.clone(), permit, ran: false })
    }

    /// Wakes the step that waits, if that is of use.
    fn tell(&self, state: &mut State) {
        if state.waiting.is_some_and(|entries| state.plan.is_worth_waking(entries)) {
            state.waiting = None;
            self.changed.notify_one();
        }
    }
}

/// A job of the pool. However it ends, also when it is never run, the walk knows.
struct Job {
    shared: Arc<Shared>,
    permit: Option<OwnedSemaphorePermit>,
    ran: bool,
}

impl Job {
    /// Hands the job to the pool. Never while the state is locked: a runtime that shuts down drops
    /// the job here and now, and that locks the state.
    fn begin(self) {
        let pool = self.shared.pool.clone();
        pool.spawn_blocking(move || self.run());
    }

    fn run(mut self) {
        self.ran = true;
        let mut buffer = Vec::with_capacity(self.shared.limits.buffer);
        while let Some((part, unwanted)) = self.take() {
            let at = part.directory.path.clone();
            let (shared, limits) = (&self.shared, &self.shared.limits);
            let signals = Signals { unwanted: &unwanted, hungry: &shared.hungry };
            let found =
                catch_unwind(AssertUnwindSafe(|| expand(&shared.tree, part, limits, &signals, &mut buffer)));
            let found = found.unwrap_or_else(|_| {
                let error = Error::backend(&at, "reading the directory stopped by a panic");
                Expansion { failed: Some((at, error)), ..Expansion::default() }
            });
            self.put(&unwanted, found);
        }
    }

    fn take(&self) -> Option<(Part, Unwanted)> {
        let mut state = self.shared.lock();
        let may_read = !state.over && (self.permit.is_some() || state.waiting.is_some());
        let taken = if may_read { state.plan.take(&self.shared.limits) } else { None };
        if taken.is_none() && may_read {
            self.shared.hungry.store(state.plan.is_all_taken(), Ordering::Relaxed);
        }
        taken
    }

    fn put(&self, unwanted: &Unwanted, found: Expansion) {
        let mut state = self.shared.lock();
        state.plan.put(unwanted, found, &self.shared.limits, &self.shared.tree.meter);
        self.shared.tell(&mut state);
        if !state.plan.is_all_taken() {
            self.shared.hungry.store(false, Ordering::Relaxed);
            let another = self.shared.job(&mut state, false);
            drop(state);
            another.into_iter().for_each(Job::begin);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.jobs = state.jobs.saturating_sub(1);
        state.refused |= !self.ran;
        self.shared.tree.meter.jobs(state.jobs);
        // If this was the last one, the step that waits has to start another.
        if state.waiting.take().is_some() {
            self.shared.changed.notify_one();
        }
    }
}

/// A walk of this driver.
pub(crate) struct PrefetchingWalk {
    shared: Arc<Shared>,
    /// Entries that are next.
    ready: std::vec::IntoIter<FileInfo>,
    /// The directory that was yielded last.
    directory: Option<StoragePath>,
    /// For how many entries the next step waits that has to.
    wait: usize,
}

/// What a walk begins with.
pub(crate) struct Begun {
    tree: Tree,
    limits: Limits,
    plan: Plan,
}

impl Root {
    /// Opens the start of a walk and reads the first entries.
    pub(crate) fn begin_walk(
        self: &Arc<Self>,
        start: &StoragePath,
        options: WalkOptions,
        limits: Limits,
    ) -> Result<Option<Begun>> {
        let Some(top) = self.open(start)? else {
            return if start.is_root() { Ok(None) } else { Err(Error::path_not_found(start)) };
        };
        let failed = |errno| fault(start, Need::Read, "list the directory", errno);
        let (open, through_link) = match self.sys.open_unlinked(&top, start.relative()) {
            Err(Errno::LOOP) => (self.sys.open_directory(&top, start.relative()).map_err(failed)?, true),
            outcome => (outcome.map_err(failed)?, false),
        };
        let filtered = options.start_after.is_some();
        let tree = Tree { root: self.clone(), top, options, meter: Meter::default() };
        let directory = Directory { path: start.clone(), through_link, filtered };
        let part = Part::whole(directory, Some(tree.hold(open)));
        let mut buffer = Vec::with_capacity(limits.buffer);
        // A small tree is read here whole, and needs no other job.
        let signals = Signals { unwanted: &AtomicBool::new(false), hungry: &AtomicBool::new(true) };
        let mut plan = Plan::default();
        plan.append(expand(&tree, part, &limits, &signals, &mut buffer));
        Ok(Some(Begun { tree, limits, plan }))
    }
}

impl PrefetchingWalk {
    /// Goes on from what the first job read. `permits` are those of the driver.
    pub(crate) fn new(begun: Begun, permits: Arc<Semaphore>) -> Self {
        let Begun { tree, limits, plan } = begun;
        let state = State { plan, ..State::default() };
        let shared = Arc::new(Shared {
            tree,
            limits,
            state: Mutex::new(state),
            changed: Notify::new(),
            hungry: AtomicBool::new(false),
            pool: Handle::current(),
            permits,
        });
        PrefetchingWalk { shared, ready: Vec::new().into_iter(), directory: None, wait: FIRST_WAIT }
    }

    /// Takes what is ready, and sees to it that jobs read on.
    fn advance(&mut self) -> Front {
        let limits = &self.shared.limits;
        let mut state = self.shared.lock();
        let front = state.plan.advance();
        let waits = matches!(front, Front::Unknown);
        if waits && state.refused && state.jobs == 0 {
            let reason = "list the directory: the runtime that the walk began on has shut down; walk again";
            return Front::Failed(Error::unavailable(&state.plan.place(), reason));
        }
        let (mut needed, mut ahead) = (None, None);
        if waits {
            state.waiting = Some(self.wait);
            if state.jobs == 0 {
                needed = self.shared.job(&mut state, true);
            }
        }
        if waits || state.plan.ready() < limits.ahead / 2 {
            ahead = self.shared.job(&mut state, false);
        }
        drop(state);
        needed.into_iter().chain(ahead).for_each(Job::begin);
        front
    }

    fn yielded(&mut self, info: FileInfo) -> FileInfo {
        self.directory = info.is_dir().then(|| info.path().clone());
        info
    }
}

/// A step that waits; dropped, it does no longer.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting = None;
    }
}

#[async_trait]
impl DriverWalk for PrefetchingWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            if let Some(info) = self.ready.next() {
                return Ok(Some(self.yielded(info)));
            }
            match self.advance() {
                Front::Entries(entries) => self.ready = entries.into_iter(),
                Front::Failed(error) => return Err(error),
                Front::End => return Ok(None),
                Front::Unknown => {
                    let _waiting = Waiting(&self.shared);
                    self.shared.changed.notified().await;
                    self.wait = self.wait.saturating_mul(2).min(self.shared.limits.batch);
                }
            }
        }
    }

    fn at_hand(&mut self) -> Option<FileInfo> {
        let info = self.ready.next()?;
        Some(self.yielded(info))
    }

    fn skip_dir(&mut self) {
        let Some(directory) = self.directory.take() else {
            return;
        };
        while self.ready.as_slice().first().is_some_and(|info| info.path().is_below(&directory)) {
            self.ready.next();
        }
        if self.ready.as_slice().is_empty() {
            self.shared.lock().plan.skip(&directory);
        }
    }
}

impl Drop for PrefetchingWalk {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.plan.stop();
    }
}

/// The walk over a root that does not exist yet.
pub(crate) struct Nothing;

#[async_trait]
impl DriverWalk for Nothing {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        Ok(None)
    }

    fn skip_dir(&mut self) {}
}
