//! Histories on the in-memory driver, on a driver that is wrong, and made by hand.
#![allow(clippy::unwrap_used)] // the functions that tests share, too

use std::sync::{Arc, Mutex};

use storagedriver::bytes::Bytes;
use storagedriver::{Guarantee, Guarantees, Layer, Result, Storage, StorageDriver, StoragePath};
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::model::history::{
    Action, Answer, Event, History, HistoryFailure, Plan, record, run_histories,
};
use storagedriver_testsuites::{BoxError, Harness, Store, async_trait, register_histories};

/// Opens stores of the drivers that the function makes.
struct Fresh(fn() -> Storage);

#[async_trait]
impl Harness for Fresh {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened((self.0)())))
    }
}

struct Opened(Storage);

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.0.clone()
    }
}

register_histories!(Fresh(|| Storage::new(InMemory::new())), histories = 100);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_seeds_on_the_in_memory_driver() {
    for seed in [0, 1, 99, u64::MAX - 5] {
        run_histories(Arc::new(Fresh(|| Storage::new(InMemory::new()))), seed, 10).await.unwrap();
    }
    // What one history holds depends on who was quicker; so many together always hold something.
    let (mut events, mut reads) = (0, 0);
    for seed in 0..20 {
        let history = record(&Storage::new(InMemory::new()), &Plan::with_seed(seed)).await.unwrap();
        events += history.events.len();
        reads += history.events.iter().filter(|event| matches!(event.answer, Answer::Read(_))).count();
    }
    assert!(events > 300, "{events}");
    assert!(reads > 10, "{reads}");
}

/// Answers reads from what it read first, until something is written through it twice.
#[derive(Debug)]
struct Stale(Arc<dyn StorageDriver>, Mutex<Vec<(StoragePath, Bytes)>>);

#[async_trait]
impl Layer for Stale {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        let held =
            self.1.lock().unwrap().iter().find(|(at, _)| at == path).map(|(_, content)| content.clone());
        if let Some(content) = held {
            return Ok(content);
        }
        let content = self.0.get_content(path).await?;
        self.1.lock().unwrap().push((path.clone(), content.clone()));
        Ok(content)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_driver_that_answers_from_a_stale_cache_is_found() {
    let stale = || Storage::new(Stale(Arc::new(InMemory::new()), Mutex::default()));
    let failure = run_histories(Arc::new(Fresh(stale)), 1, 20).await.unwrap_err();
    assert!(matches!(failure, HistoryFailure::Unexplained(..)), "{failure}");
    let text = failure.to_string();
    assert!(text.contains("no order of these operations explains"), "{text}");
    assert!(text.contains("none of these fits"), "{text}");
}

const A: &str = "/a";
const B: &str = "/b";

fn put(path: &str, value: u32) -> Action {
    Action::Put(path.to_owned(), value)
}

fn get(path: &str) -> Action {
    Action::Get(path.to_owned())
}

fn rename(from: &str, to: &str) -> Action {
    Action::Rename(from.to_owned(), to.to_owned())
}

fn delete(path: &str) -> Action {
    Action::Delete(path.to_owned())
}

/// Task, from, to, action, answer.
type Line = (usize, u64, u64, Action, Answer);

fn history(atomic_rename: bool, lines: Vec<Line>) -> History {
    let events = lines.into_iter().map(|(task, invoked, answered, action, answer)| Event {
        task,
        action,
        invoked,
        answered,
        answer,
    });
    History { events: events.collect(), atomic_rename }
}

#[track_caller]
fn explained(lines: Vec<Line>) {
    history(true, lines).check().unwrap();
}

#[track_caller]
fn refused(lines: Vec<Line>) {
    history(true, lines.clone()).check().unwrap_err();
    history(false, lines).check().unwrap_err();
}

use Answer::{Done, NotFound, Read};

#[test]
fn a_stale_read_is_refused() {
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, put(A, 2), Done), (1, 5, 6, get(A), Read(1))]);
    // While the second is being written either is right.
    explained(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 6, put(A, 2), Done), (1, 4, 5, get(A), Read(1))]);
}

#[test]
fn reads_that_go_back_are_refused() {
    refused(vec![
        (0, 1, 2, put(A, 1), Done),
        (0, 3, 10, put(A, 2), Done),
        (1, 4, 5, get(A), Read(2)),
        (2, 6, 7, get(A), Read(1)),
    ]);
}

#[test]
fn a_lost_update_is_refused() {
    refused(vec![
        (0, 1, 2, put(A, 1), Done),
        (1, 3, 4, put(A, 2), Done),
        (1, 5, 6, delete(B), NotFound),
        (0, 7, 8, get(A), NotFound),
    ]);
    refused(vec![
        (0, 1, 4, put(A, 1), Done),
        (1, 2, 3, put(A, 2), Done),
        (0, 5, 6, get(A), Read(1)),
        (1, 7, 8, get(A), Read(2)),
    ]);
}

#[test]
fn a_spliced_value_and_one_that_nobody_wrote_are_refused() {
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, get(A), Answer::Spliced("half".to_owned()))]);
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, get(A), Read(7))]);
    refused(vec![(0, 1, 2, get(A), Read(1)), (0, 3, 4, put(A, 1), Done)]);
}

#[test]
fn a_rename_is_one_step_or_copies_first() {
    let both_seen = vec![
        (0, 1, 2, put(A, 1), Done),
        (0, 3, 10, rename(A, B), Done),
        (1, 4, 5, get(B), Read(1)),
        (1, 6, 7, get(A), Read(1)),
    ];
    history(true, both_seen.clone()).check().unwrap_err();
    history(false, both_seen).check().unwrap();
    // Never neither.
    refused(vec![
        (0, 1, 2, put(A, 1), Done),
        (0, 3, 10, rename(A, B), Done),
        (1, 4, 5, get(A), NotFound),
        (1, 6, 7, get(B), NotFound),
    ]);
    // The source is gone when it is answered.
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, rename(A, B), Done), (1, 5, 6, get(A), Read(1))]);
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, rename(A, B), NotFound)]);
}

#[test]
fn of_two_deletes_one_finds_it() {
    explained(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 6, delete(A), Done), (1, 4, 5, delete(A), NotFound)]);
    let both = vec![(0, 1, 2, put(A, 1), Done), (0, 3, 6, delete(A), Done), (1, 4, 5, delete(A), Done)];
    history(true, both.clone()).check().unwrap_err();
    // Where a delete looks first, both may see it; but not one after the other.
    history(false, both).check().unwrap();
    refused(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, delete(A), Done), (1, 5, 6, delete(A), Done)]);
    // Unless an upload is there too.
    explained(vec![
        (2, 0, 7, Action::Commit(A.to_owned(), 2, 0), Answer::Unknown("gone".to_owned())),
        (0, 1, 2, put(A, 1), Done),
        (0, 3, 6, delete(A), Done),
        (1, 4, 5, delete(A), Done),
    ]);
}

#[test]
fn what_failed_may_be_done_never_or_later() {
    let failed = || Answer::Unknown("unavailable".to_owned());
    for last in [Read(1), Read(2)] {
        explained(vec![(0, 1, 2, put(A, 1), Done), (0, 3, 4, put(A, 2), failed()), (1, 5, 6, get(A), last)]);
    }
    // But only once.
    refused(vec![
        (0, 1, 2, put(A, 2), failed()),
        (0, 3, 4, get(A), Read(2)),
        (0, 5, 6, put(A, 1), Done),
        (1, 7, 8, get(A), Read(2)),
    ]);
}

#[test]
fn a_delete_may_find_what_a_writer_left_that_failed() {
    let failed = || Answer::Unpublished("no such upload".to_owned());
    let commit = || Action::Commit(A.to_owned(), 1, 1);
    let found = vec![(0, 1, 4, commit(), failed()), (1, 2, 6, delete(A), Done)];
    explained(found.clone());
    history(false, found).check().unwrap();
    // But it publishes nothing, and without it there is nothing to find.
    refused(vec![(0, 1, 4, commit(), failed()), (0, 5, 6, get(A), Read(1))]);
    refused(vec![(1, 2, 6, delete(A), Done)]);
}

#[test]
fn a_delete_may_find_a_copy_on_its_way() {
    let (copying, over) = (
        vec![
            (0, 1, 2, put(A, 1), Done),
            (0, 3, 8, rename(A, B), Done),
            (1, 4, 5, delete(B), Done),
            (1, 9, 10, get(B), Read(1)),
        ],
        vec![
            (0, 1, 2, put(A, 1), Done),
            (0, 3, 4, rename(A, B), Done),
            (1, 5, 6, delete(B), Done),
            (1, 7, 8, delete(B), Done),
        ],
    );
    history(false, copying.clone()).check().unwrap();
    history(true, copying).check().unwrap_err();
    // Only while it lasts.
    refused(over);
}

#[test]
fn a_value_that_came_back_need_not_go_with_a_rename_of_its_first_version() {
    // Moved away and back between the copy and the delete of another rename.
    let back = |last| {
        vec![
            (0, 1, 2, put(A, 1), Done),
            (0, 3, 20, rename(A, B), Done),
            (1, 4, 5, rename(A, "/c"), Done),
            (1, 6, 7, rename("/c", A), Done),
            (1, 21, 22, get(A), last),
        ]
    };
    history(false, back(Read(1))).check().unwrap();
    history(false, back(NotFound)).check().unwrap();
    history(true, back(Read(1))).check().unwrap_err();
}

/// A rename of several steps, in the wrong order: the source goes before the destination is there.
#[derive(Debug)]
struct DeletesFirst(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for DeletesFirst {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let content = self.0.get_content(from).await?;
        self.0.delete(from).await?;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.0.put_content(to, content).await
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees().without(Guarantee::AtomicRename)
    }
}

/// A rename that copies, and forgets the source.
#[derive(Debug)]
struct Copies(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for Copies {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let content = self.0.get_content(from).await?;
        self.0.put_content(to, content).await
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees().without(Guarantee::AtomicRename)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rename_of_several_steps_that_are_wrong_is_found() {
    let wrong: [fn() -> Storage; 2] = [
        || Storage::new(DeletesFirst(Arc::new(InMemory::new()))),
        || Storage::new(Copies(Arc::new(InMemory::new()))),
    ];
    for (number, open) in wrong.into_iter().enumerate() {
        let failure = run_histories(Arc::new(Fresh(open)), 1, 300).await;
        assert!(matches!(failure, Err(HistoryFailure::Unexplained(..))), "{number}: {failure:?}");
    }
}
