//! Two processes on one store, step by step.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use storagedriver::{ErrorKind, Result, Storage, WriteMode};
use storagedriver_object::testing::{Control, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};

const PART: usize = 2000;

fn store() -> MemoryStore {
    let mut description = Description::FULL;
    description.min_part = 1024;
    MemoryStore::new(description)
}

fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    let mut options = ObjectOptions::default();
    options.part_size = PART as u64;
    options.orphan_age = Duration::ZERO;
    (Storage::new(ObjectDriver::new(backend, options)), control)
}

async fn begin(storage: &Storage, size: usize) {
    let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(vec![0; size]).await.unwrap();
    writer.close().await.unwrap();
}

/// Resumes, writes `more` bytes of `byte`, and commits or closes.
async fn go_on(storage: &Storage, byte: u8, more: usize, commit: bool) -> Result<()> {
    let mut writer = storage.writer("/file", WriteMode::Append).await?;
    writer.write(vec![byte; more]).await?;
    writer.write(vec![byte]).await?;
    if commit { writer.commit().await } else { writer.close().await.map(drop) }
}

fn whole(first: usize, byte: u8, more: usize) -> Vec<u8> {
    [vec![0; first], vec![byte; more + 1]].concat()
}

async fn poll_once(work: &mut Work<'_>) -> std::task::Poll<Result<()>> {
    std::future::poll_fn(|context| std::task::Poll::Ready(work.as_mut().poll(context))).await
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Lets `one` make `requests` requests, then runs `between`, then lets `one` end.
async fn stop_after(
    requests: usize,
    control: &Control,
    mut one: Work<'_>,
    between: Work<'_>,
) -> (Result<()>, Result<()>) {
    control.hold();
    control.step(requests);
    // As far as it gets: each request gives way a few times, and so do the tasks of parts.
    for _ in 0..200 {
        if let std::task::Poll::Ready(ended) = poll_once(&mut one).await {
            control.release();
            return (ended, between.await);
        }
        tokio::task::yield_now().await;
    }
    let second = between.await;
    control.release();
    (one.await, second)
}

#[tokio::test]
async fn of_two_that_resume_one_upload_one_ends_it() {
    for (first, more) in [(100, 50), (100, 5000), (5000, 50), (5000, 5000)] {
        for (commits, other_commits) in [(true, true), (true, false), (false, true), (false, false)] {
            for requests in 0..16 {
                let store = store();
                let ((a, control), (b, _)) = (open(&store), open(&store));
                begin(&a, first).await;
                let ended = stop_after(
                    requests,
                    &control,
                    Box::pin(go_on(&a, 1, more, commits)),
                    Box::pin(go_on(&b, 2, more, other_commits)),
                )
                .await;
                let step = format!("{first}+{more}, {commits} {other_commits}, after {requests}: {ended:?}");
                for end in [&ended.0, &ended.1] {
                    let allowed = matches!(end, Ok(()))
                        || matches!(end, Err(e) if [ErrorKind::Conflict, ErrorKind::PathNotFound].contains(&e.kind()));
                    assert!(allowed, "{step}");
                }
                assert!(ended.0.is_ok() || ended.1.is_ok(), "{step}");
                settle(&b, &step, first, more).await;
                assert_eq!(store.open_uploads(), 0, "{step}");
                let left: Vec<String> = store.keys();
                assert_eq!(left, ["file"], "{step}");
            }
        }
    }
}

/// Commits what is closed, and looks at the content: nobody's bytes are mixed with another's.
async fn settle(storage: &Storage, step: &str, first: usize, more: usize) {
    for upload in storage.uploads("/").await.unwrap() {
        let writer = storage.writer("/file", WriteMode::Append).await;
        assert!(writer.is_ok(), "{step}: {upload:?}: {writer:?}");
        writer.unwrap().commit().await.unwrap();
    }
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    let found = storage.get_content("/file").await.unwrap();
    let (a, b) = (whole(first, 1, more), whole(first, 2, more));
    // One after the other is allowed where the second resumed what the first had closed, or went on from its content.
    let after = |one: &[u8], byte: u8| [one, &vec![byte; more + 1]].concat();
    let known = [a.clone(), b.clone(), after(&a, 2), after(&b, 1)].contains(&found.to_vec());
    assert!(known, "{step}: {} bytes", found.len());
}

#[tokio::test]
async fn another_upload_between_publication_and_the_end_of_a_session_is_kept() {
    for (first, more) in [(100, 50), (5000, 5000)] {
        // From where the first has found its upload.
        for requests in 2..16 {
            let store = store();
            let ((a, control), (b, _)) = (open(&store), open(&store));
            begin(&a, first).await;
            let create = async {
                let mut writer = b.writer("/file", WriteMode::Create).await?;
                writer.write(vec![9; 3000]).await?;
                writer.write("x").await?;
                writer.close().await.map(drop)
            };
            let ended =
                stop_after(requests, &control, Box::pin(go_on(&a, 1, more, true)), Box::pin(create)).await;
            ended.1.unwrap();
            let writer = b.writer("/file", WriteMode::Append).await.unwrap();
            assert_eq!(writer.size(), 3001, "after {requests}: {:?}", ended.0);
            writer.commit().await.unwrap();
            assert_eq!(b.get_content("/file").await.unwrap().len(), 3001, "after {requests}");
            b.abort_stale("/", Duration::ZERO).await.unwrap();
            assert_eq!(
                (store.keys(), store.open_uploads()),
                (vec!["file".to_owned()], 0),
                "after {requests}"
            );
        }
    }
}
