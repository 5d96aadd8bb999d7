//! `sync`: what it copies, what it leaves, and what it never does.

mod between;
mod copies;
mod deletes;
mod faults;
mod interrupted;
mod meanwhile;
mod random;
mod requests;
mod shards;

use std::sync::{Arc, Mutex};

use storagedriver::Storage;
use storagedriver_cli::registry::{Fault, FaultKind};
use storagedriver_cli::sync::{SyncOptions, SyncSummary, sync};
use storagedriver_cli::transfer::{Event, Monitor};
use storagedriver_inmemory::InMemory;

use crate::trees::{Files, fill};

/// Options that differ from the usual ones in a few fields.
fn options(change: impl FnOnce(&mut SyncOptions)) -> SyncOptions {
    let mut options = SyncOptions::default();
    change(&mut options);
    options
}

fn memory() -> Storage {
    Storage::new(InMemory::new())
}

async fn memory_with(files: &Files) -> Storage {
    let storage = memory();
    fill(&storage, files).await;
    storage
}

/// A run, and the faults that it reported.
async fn run(from: &Storage, to: &Storage, options: &SyncOptions) -> (SyncSummary, Vec<Fault>) {
    let (summary, events) = run_seen(from, to, options).await;
    let faults: Vec<Fault> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Fault(fault) => Some(fault),
            _ => None,
        })
        .collect();
    assert_eq!(summary.faults, faults.len() as u64);
    (summary, faults)
}

async fn run_seen(from: &Storage, to: &Storage, options: &SyncOptions) -> (SyncSummary, Vec<Event>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let monitor = Arc::new(Monitor::new(move |event: &Event| sink.lock().unwrap().push(event.clone())));
    let summary = sync(from, to, options, &monitor).await.unwrap();
    let events = std::mem::take(&mut *seen.lock().unwrap());
    (summary, events)
}

/// A run without any fault.
async fn clean(from: &Storage, to: &Storage, options: &SyncOptions) -> SyncSummary {
    let (summary, faults) = run(from, to, options).await;
    assert!(faults.is_empty(), "{faults:#?}");
    summary
}

fn kinds(faults: &[Fault]) -> Vec<FaultKind> {
    let mut kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.kind).collect();
    kinds.sort();
    kinds
}
