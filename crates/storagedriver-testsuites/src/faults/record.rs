//! What the proxy has seen and done.

use std::collections::BTreeMap;

use super::Fault;
use super::request::Asked;

/// How many requests there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All requests, whatever became of them.
    pub requests: u64,
    /// By method: `GET`, `PUT`, …
    pub by_method: BTreeMap<String, u64>,
    /// By operation, as the schedule's classifier names them.
    pub by_operation: BTreeMap<&'static str, u64>,
    /// Requests that were given a fault, by the [name of its kind](Fault::name).
    pub by_fault: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// How many requests of an operation; 0 for one that was not seen.
    pub fn of(&self, operation: &str) -> u64 {
        self.by_operation.get(operation).copied().unwrap_or_default()
    }

    /// How many requests were given a fault.
    pub fn faults(&self) -> u64 {
        self.by_fault.values().sum()
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The operation, as the schedule's classifier names it.
    pub operation: &'static str,
    /// The path, percent-encoded as it was sent.
    pub path: String,
    /// The query as it was sent; empty when there was none.
    pub query: String,
    /// The status that the client was sent. `None` while there is none, and when the connection was
    /// reset or the client left before there was one.
    pub status: Option<u16>,
    /// The status that the upstream replied with. `None` when it was not asked, or did not reply.
    pub upstream: Option<u16>,
    /// The fault that the request was given.
    pub fault: Option<Fault>,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    counts: Counts,
    entries: Vec<Entry>,
    /// The number of the first entry: requests may be under way when the record is cleared.
    first: usize,
}

impl Record {
    /// Notes a request; returns its number.
    pub(super) fn begin(&mut self, asked: &Asked, fault: Option<Fault>) -> usize {
        let method = asked.method.to_string();
        self.counts.requests += 1;
        *self.counts.by_method.entry(method.clone()).or_default() += 1;
        *self.counts.by_operation.entry(asked.operation).or_default() += 1;
        if let Some(fault) = &fault {
            *self.counts.by_fault.entry(fault.name()).or_default() += 1;
        }
        let (path, query) = (asked.path.clone(), asked.query.clone());
        let (operation, status, upstream) = (asked.operation, None, None);
        self.entries.push(Entry { method, operation, path, query, status, upstream, fault });
        self.first + self.entries.len() - 1
    }

    pub(super) fn entry(&mut self, number: usize) -> Option<&mut Entry> {
        self.entries.get_mut(number.checked_sub(self.first)?)
    }

    pub(super) fn clear(&mut self) {
        self.first += self.entries.len();
        self.entries.clear();
        self.counts = Counts::default();
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }
}
