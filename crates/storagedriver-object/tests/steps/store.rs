//! Small stores of every kind, and two clients that take turns.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use storagedriver::{Result, Storage, WriteMode};
use storagedriver_object::testing::{Control, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};

pub(crate) const PART: usize = 2000;

fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.page = 7;
    description.delete_batch = 5;
    description.max_copy = 100_000;
    description
}

/// The kinds of stores: what they have changes which requests are made.
pub(crate) fn kinds() -> Vec<(&'static str, Description)> {
    let mut unconditional = small();
    unconditional.conditional_put = false;
    unconditional.conditional_complete = false;
    unconditional.conditional_copy = false;
    unconditional.conditional_delete = false;
    let mut same_size = small();
    same_size.same_size_parts = true;
    same_size.copy_part = false;
    same_size.lists_uploads = false;
    let mut segments = small();
    segments.multipart = false;
    segments.copy_part = false;
    segments.lists_uploads = false;
    let mut unordered = small();
    unordered.byte_order = false;
    unordered.start_after = false;
    let mut moved = segments.clone();
    moved.marks = false;
    moved.versions = false;
    moved.rename = true;
    moved.conditional_put = false;
    moved.conditional_complete = false;
    moved.conditional_copy = false;
    moved.conditional_delete = false;
    vec![
        ("everything", small()),
        ("moved", moved),
        ("unconditional", unconditional),
        ("same-size parts", same_size),
        ("segments", segments),
        ("unordered", unordered),
    ]
}

pub(crate) fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    let mut options = ObjectOptions::default();
    options.part_size = PART as u64;
    options.orphan_age = Duration::ZERO;
    (Storage::new(ObjectDriver::new(backend, options)), control)
}

/// Leaves a closed upload of so many zeros.
pub(crate) async fn begin(storage: &Storage, size: usize) {
    let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(vec![0; size]).await.unwrap();
    writer.close().await.unwrap();
}

/// Fails unless everything of uploads is gone once they are reaped.
pub(crate) async fn nothing_is_left(store: &MemoryStore, step: &str) {
    no_session_is_left(store, step).await;
    assert_eq!(store.open_uploads(), 0, "{step}: multipart uploads are left");
}

/// Fails unless all sessions and segments are gone once uploads are reaped.
pub(crate) async fn no_session_is_left(store: &MemoryStore, step: &str) {
    let (storage, _) = open(store);
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    let listed = storage.uploads("/").await.unwrap();
    assert!(listed.is_empty(), "{step}: {listed:?}");
    let left: Vec<String> = store.keys().into_iter().filter(|key| key.contains("~uploads")).collect();
    assert!(left.is_empty(), "{step}: {} keys of sessions, {:?}", left.len(), left.first());
}

pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A client at work.
pub(crate) struct Client<'a> {
    pub(crate) control: &'a Control,
    pub(crate) work: Work<'a>,
    pub(crate) ended: Option<Result<()>>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(control: &'a Control, work: impl Future<Output = Result<()>> + 'a) -> Self {
        control.hold();
        Client { control, work: Box::pin(work), ended: None }
    }

    /// Lets it make so many requests. As far as it gets: each request gives way a few times, and so
    /// do the tasks of parts.
    pub(crate) async fn step(&mut self, requests: usize) {
        self.control.step(requests);
        for _ in 0..10 + 8 * requests {
            if self.ended.is_some() {
                return;
            }
            let polled = std::future::poll_fn(|context| Poll::Ready(self.work.as_mut().poll(context)));
            if let Poll::Ready(ended) = polled.await {
                self.ended = Some(ended);
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn run_on(&mut self) {
        self.control.release();
        if self.ended.is_none() {
            self.ended = Some(self.work.as_mut().await);
        }
    }
}

/// The first makes so many requests, then the second so many, and so on; then both go on to their
/// ends, the one whose turn it is first. The first turn that was longer than its client's work.
pub(crate) async fn in_turns<'a>(
    turns: &[usize],
    one: &mut Client<'a>,
    other: &mut Client<'a>,
) -> Option<usize> {
    let mut too_long = None;
    for (number, &requests) in turns.iter().enumerate() {
        let client = if number % 2 == 0 { &mut *one } else { &mut *other };
        client.step(requests).await;
        if client.ended.is_some() {
            too_long = too_long.or(Some(number));
        }
    }
    let (first, second) = if turns.len().is_multiple_of(2) { (one, other) } else { (other, one) };
    first.run_on().await;
    second.run_on().await;
    too_long
}
