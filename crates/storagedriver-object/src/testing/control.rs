//! What a test makes of the requests of one client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storagedriver::ErrorKind;
use tokio::sync::{Notify, Semaphore};

use crate::{StoreError, StoreResult};

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and has no effect.
    Before,
    /// It takes effect, and its answer is a failure.
    Applied,
    /// It never reaches the store, and no answer comes.
    LostBefore,
    /// It takes effect, and no answer comes.
    LostAfter,
    /// It takes effect, its answer is lost, and it is sent again, as the layer below a backend does: the
    /// answer is that of the second time.
    Repeated,
}

/// What is wrong with the pages of listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A listing that is to start after a key starts at the first.
    IgnoredStart,
    /// Every page is the first, with the marker of the first.
    RepeatedPage,
    /// Every page is the first, with a marker that was not given before.
    NewMarkers,
    /// Every page is empty and not the last, with a marker that was not given before.
    EmptyPages,
    /// Nothing is shown yet of all that was put.
    Late,
}

#[derive(Debug, Default)]
struct Requests {
    log: Vec<String>,
    /// By the number of the request, from 0.
    faults: BTreeMap<usize, Fault>,
    /// Each request waits for a permit of it.
    gate: Option<Arc<Semaphore>>,
    broken_copies: bool,
    lie: Option<Lie>,
}

/// Counts, fails and holds the requests of one client.
#[derive(Debug, Clone, Default)]
pub struct Control {
    requests: Arc<Mutex<Requests>>,
    lost: Arc<Notify>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests were made.
    pub fn count(&self) -> usize {
        self.lock().log.len()
    }

    /// The requests made since the last call: what and on which key.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().log)
    }

    /// Lets the request of this number, counted from 0 with [`take_log`](Self::take_log) starting
    /// anew, meet this fault.
    pub fn fail(&self, request: usize, fault: Fault) {
        self.lock().faults.insert(request, fault);
    }

    /// Forgets the faults that were not met.
    pub fn clear(&self) {
        self.lock().faults.clear();
    }

    /// From now on copies have half of their bytes and are acknowledged without a version, as where an
    /// error hides in a good answer.
    pub fn break_copies(&self) {
        self.lock().broken_copies = true;
    }

    pub(super) fn breaks_copies(&self) -> bool {
        self.lock().broken_copies
    }

    /// From now on listings are wrong in this way.
    pub fn lie(&self, lie: Lie) {
        self.lock().lie = Some(lie);
    }

    pub(super) fn told_lie(&self) -> Option<Lie> {
        self.lock().lie
    }

    /// From now on each request waits for a permit.
    pub fn hold(&self) {
        self.lock().gate = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets so many of the requests go that wait or will wait.
    pub fn step(&self, requests: usize) {
        if let Some(gate) = &self.lock().gate {
            gate.add_permits(requests);
        }
    }

    /// Lets all requests go.
    pub fn release(&self) {
        if let Some(gate) = self.lock().gate.take() {
            gate.close();
        }
    }

    /// Waits until a request was lost: now its client can be ended.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }

    async fn lose<T>(&self) -> T {
        self.lost.notify_one();
        std::future::pending().await
    }

    pub(super) async fn request<T>(
        &self,
        what: &str,
        key: &str,
        mut apply: impl FnMut() -> StoreResult<T> + Send,
    ) -> StoreResult<T> {
        let (fault, gate) = {
            let mut requests = self.lock();
            let number = requests.log.len();
            requests.log.push(format!("{what} {key}"));
            (requests.faults.remove(&number), requests.gate.clone())
        };
        if let Some(gate) = gate
            && let Ok(permit) = gate.acquire().await
        {
            permit.forget();
        }
        // On the way there and back a future can be dropped.
        tokio::task::yield_now().await;
        let failure = || StoreError::failed(ErrorKind::Unavailable, "a fault of the test");
        let answer = match fault {
            None => apply(),
            Some(Fault::Before) => Err(failure()),
            Some(Fault::LostBefore) => self.lose().await,
            Some(Fault::Applied) => {
                let _ = apply();
                Err(failure())
            }
            Some(Fault::Repeated) => {
                let _ = apply();
                apply()
            }
            Some(Fault::LostAfter) => {
                let _ = apply();
                self.lose().await
            }
        };
        tokio::task::yield_now().await;
        answer
    }
}
