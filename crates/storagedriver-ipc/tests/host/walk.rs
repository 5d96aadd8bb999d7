//! Walks: credit and skips.

use std::sync::{Arc, Mutex};

use storagedriver::{ErrorKind, Storage, Walk, WalkOptions};
use storagedriver_ipc::proto::walk_request::Step;
use storagedriver_ipc::proto::{EntryKind, FileInfo, WalkReply, WalkRequest};

use crate::fake::{Answers, Call, Fake};

/// What the host said.
type Said = Arc<Mutex<Vec<Step>>>;

fn directory(path: impl Into<String>) -> FileInfo {
    FileInfo { path: path.into(), kind: EntryKind::Directory.into(), ..Default::default() }
}

fn file(path: impl Into<String>) -> FileInfo {
    let modified = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    FileInfo { path: path.into(), kind: EntryKind::File.into(), size: Some(1), modified, version: None }
}

/// `/0/` to `/9/`, each with 100 files.
fn tree() -> Vec<FileInfo> {
    let below = |top: usize| {
        let files = (0..100).map(move |number| file(format!("/{top}/{number:02}")));
        std::iter::once(directory(format!("/{top}"))).chain(files)
    };
    (0..10).flat_map(below).collect()
}

/// Sends all entries, as it is given credit, and does not care about skips.
async fn stubborn(mut call: Call<WalkRequest, WalkReply>, said: Said, entries: Vec<FileInfo>) {
    let (mut credit, mut entries) = (0, entries.into_iter().peekable());
    loop {
        let batch: Vec<_> = entries.by_ref().take(credit).collect();
        credit -= batch.len();
        if !batch.is_empty() {
            call.send(WalkReply { entries: batch });
        }
        if entries.peek().is_none() {
            return;
        }
        let Some(step) = call.next().await.and_then(|request| request.step) else { return };
        said.lock().unwrap().push(step.clone());
        credit += match step {
            Step::Start(start) => start.credit as usize,
            Step::More(more) => more.credit as usize,
            Step::Skip(_) => 0,
        };
    }
}

async fn walk(entries: Vec<FileInfo>) -> (Fake, Storage, Said) {
    let said = Said::default();
    let saying = said.clone();
    let walk = move |call| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(stubborn(call, saying.clone(), entries.clone()))
    };
    let fake = Fake::serve(Answers { walk: Arc::new(walk), ..Answers::default() });
    let storage = fake.open().await.unwrap();
    (fake, storage, said)
}

async fn paths(mut walk: Walk, mut skip: impl FnMut(&str) -> bool) -> Vec<String> {
    let mut paths = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        paths.push(info.path().as_str().to_owned());
        if skip(info.path().as_str()) {
            walk.skip_dir();
        }
    }
    paths
}

fn skips(said: &Said) -> Vec<String> {
    let said = said.lock().unwrap();
    said.iter()
        .filter_map(|step| if let Step::Skip(skip) = step { Some(skip.path.clone()) } else { None })
        .collect()
}

fn granted(said: &Said) -> Vec<u64> {
    let said = said.lock().unwrap();
    said.iter()
        .filter_map(|step| if let Step::More(more) = step { Some(more.credit) } else { None })
        .collect()
}

#[tokio::test]
async fn all_comes_and_credit_grows() {
    let (_fake, storage, said) = walk(tree()).await;
    let all = paths(storage.walk("/", WalkOptions::new()).await.unwrap(), |_| false).await;
    assert_eq!(all, tree().into_iter().map(|entry| entry.path).collect::<Vec<_>>());
    let granted = granted(&said);
    assert!(granted.len() < 20 && granted.iter().max() > Some(&128), "{granted:?}");
    let Some(Step::Start(start)) = said.lock().unwrap().first().cloned() else { panic!("no start") };
    assert_eq!((start.path.as_str(), start.start_after.as_str(), start.credit), ("/", "", 32));
}

#[tokio::test]
async fn what_is_skipped_is_dropped_whatever_the_driver_sends() {
    let (_fake, storage, said) = walk(tree()).await;
    let tops = paths(storage.walk("/", WalkOptions::new()).await.unwrap(), |path| path.len() == 2).await;
    assert_eq!(tops, (0..10).map(|top| format!("/{top}")).collect::<Vec<_>>());
    // Each is told, as more was to come below it.
    assert_eq!(skips(&said).len(), 10, "{:?}", skips(&said));
    assert!(granted(&said).iter().all(|&credit| credit <= 32), "{:?}", granted(&said));
}

#[tokio::test]
async fn a_skip_of_what_is_past_is_not_told_and_one_after_a_file_does_nothing() {
    let entries =
        || vec![directory("/a"), file("/a/x"), file("/a-b"), directory("/b"), file("/b/y"), file("/bc")];
    let (_fake, storage, said) = walk(entries()).await;
    let found = paths(storage.walk("/", WalkOptions::new()).await.unwrap(), |path| path != "/b").await;
    assert_eq!(found, ["/a", "/a-b", "/b", "/b/y", "/bc"]);
    assert!(skips(&said).is_empty(), "{:?}", skips(&said));
    // Before the first entry there is nothing to skip.
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    walk.skip_dir();
    assert_eq!(paths(walk, |_| false).await.len(), 6);
}

#[tokio::test]
async fn more_than_was_allowed_is_an_error() {
    let walk = |call: Call<WalkRequest, WalkReply>| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { call.send(WalkReply { entries: tree() }) })
    };
    let fake = Fake::serve(Answers { walk: Arc::new(walk), ..Answers::default() });
    let storage = fake.open().await.unwrap();
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    let error = walk.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
    assert!(error.to_string().contains("more entries than it may"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end() {
    let (fake, storage, _) = walk(tree()).await;
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    walk.next().await.unwrap().unwrap();
    fake.break_connections();
    let error = loop {
        match walk.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the walk ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}
