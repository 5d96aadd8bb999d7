//! What the proxy and its connections share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::copies::Copies;
use super::gate::Gate;
use super::record::{Entry, Record};
use super::request::Asked;
use super::schedule::{Classifier, Plan};
use super::{Fault, Schedule};

pub(super) struct State {
    pub(super) upstream: SocketAddr,
    pub(super) classifier: Classifier,
    pub(super) gate: Arc<Gate>,
    plan: Mutex<Plan>,
    record: Mutex<Record>,
    copies: Mutex<Copies>,
    /// The rest of each listing that was cut, by the token that leads to it.
    rests: Mutex<HashMap<String, String>>,
    tokens: AtomicU64,
}

impl State {
    pub(super) fn new(upstream: SocketAddr, schedule: Schedule) -> Self {
        Self {
            upstream,
            classifier: Arc::clone(&schedule.classifier),
            gate: Arc::new(Gate::new()),
            plan: Mutex::new(Plan::new(schedule)),
            record: Mutex::default(),
            copies: Mutex::default(),
            rests: Mutex::default(),
            tokens: AtomicU64::new(0),
        }
    }

    /// Notes a request and chooses its fault; returns its number in the record.
    pub(super) fn begin(&self, asked: &Asked) -> (usize, Option<Fault>) {
        // Both under one lock, so that the record has the order in which faults were chosen.
        let mut plan = self.plan();
        let fault = plan.choose(asked);
        (self.record().begin(asked, fault.clone()), fault)
    }

    pub(super) fn note(&self, number: usize, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.record().entry(number) {
            change(entry);
        }
    }

    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }

    pub(super) fn copies(&self) -> MutexGuard<'_, Copies> {
        lock(&self.copies)
    }

    pub(super) fn new_token(&self) -> String {
        format!("fault-layer-{}", self.tokens.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn keep_rest(&self, token: String, rest: String) {
        lock(&self.rests).insert(token, rest);
    }

    /// The page that a token of [`new_token`](Self::new_token) leads to; kept, for it may be asked for
    /// again.
    pub(super) fn rest(&self, token: &str) -> Option<String> {
        lock(&self.rests).get(token).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
