//! An answer of the NameNode is lost, of each call that changes something: nobody is told what is not so, nothing is
//! torn, and the next try is served. And how many calls each operation makes.

use std::collections::BTreeMap;
use std::time::Duration;

use storagedriver::{Error, ErrorKind, ReadOptions, Result, Storage, WriteMode};

use super::relay::Relay;
use super::{namenode, new_root, run, storage_by};

const OLD: &str = "the old content";
const NEW: &str = "the new content";

/// Every call by which the driver changes something.
const CHANGES: [&str; 8] =
    ["create", "addBlock", "fsync", "complete", "setTimes", "mkdirs", "rename2", "delete"];

/// An operation on a path below a place of its own.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Put,
    Replace,
    Upload,
    Resume,
    Rename,
    Delete,
}

use Operation::{Delete, Put, Rename, Replace, Resume, Upload};

impl Operation {
    /// What it finds.
    async fn prepare(self, storage: &Storage, place: &str) -> Result<()> {
        match self {
            Put | Upload => Ok(()),
            Replace | Delete => storage.put_content(&format!("{place}/data"), OLD).await,
            Rename => storage.put_content(&format!("{place}/source"), NEW).await,
            Resume => {
                let mut writer = storage.writer(&format!("{place}/data"), WriteMode::Create).await?;
                writer.write(&NEW[..4]).await?;
                writer.close().await.map(drop)
            }
        }
    }

    async fn run(self, storage: &Storage, place: &str) -> Result<()> {
        let path = format!("{place}/data");
        match self {
            Put | Replace => storage.put_content(&path, NEW).await,
            Upload => {
                let mut writer = storage.writer(&path, WriteMode::Create).await?;
                writer.write(NEW).await?;
                writer.commit().await
            }
            Resume => {
                let mut writer = storage.writer(&path, WriteMode::Append).await?;
                // What was closed, or all of it where a commit was done and its answer lost.
                let size = usize::try_from(writer.size()).unwrap();
                assert!(size == 4 || size == NEW.len(), "{size} bytes");
                writer.write(&NEW[size..]).await?;
                writer.commit().await
            }
            Rename => storage.rename(&format!("{place}/source"), &path).await,
            Delete => storage.delete(&path).await,
        }
    }

    /// What is at the path: `before` where it has not been done, `after` where it has.
    fn before(self) -> Option<&'static str> {
        matches!(self, Replace | Delete).then_some(OLD)
    }

    fn after(self) -> Option<&'static str> {
        (!matches!(self, Delete)).then_some(NEW)
    }
}

async fn found(storage: &Storage, path: &str) -> Option<String> {
    match storage.get_content(path).await {
        Ok(content) => Some(String::from_utf8(content.to_vec()).unwrap()),
        Err(error) if error.kind() == ErrorKind::PathNotFound => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Whether the answer of a call was lost on the way.
async fn one(relay: &Relay, storage: &Storage, operation: Operation, call: &str) -> bool {
    let place = format!("/{operation:?}-{call}").to_lowercase();
    let path = format!("{place}/data");
    let told = |outcome: &std::result::Result<(), Error>| format!("{operation:?}, {call} lost: {outcome:?}");
    operation.prepare(storage, &place).await.unwrap();
    relay.lose(call);
    let outcome = operation.run(storage, &place).await;
    let lost = relay.spare();
    let content = found(storage, &path).await;
    let (before, after) = (operation.before(), operation.after());
    match &outcome {
        Ok(()) => assert_eq!(content.as_deref(), after, "{}", told(&outcome)),
        Err(error) => {
            assert!(lost, "{}", told(&outcome));
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", told(&outcome));
            assert!([before, after].contains(&content.as_deref()), "{}: {content:?}", told(&outcome));
        }
    }
    // Who was told that it failed tries again; what has been done cannot be done again.
    if outcome.is_err() {
        match operation.run(storage, &place).await {
            Ok(()) => {}
            Err(again) => {
                assert_eq!(again.kind(), ErrorKind::PathNotFound, "{}, then {again}", told(&outcome));
                assert_eq!(content.as_deref(), after, "{}, then {again}", told(&outcome));
            }
        }
        assert_eq!(found(storage, &path).await.as_deref(), after, "{}", told(&outcome));
    }
    lost
}

#[test]
fn an_answer_that_is_lost_is_told_as_it_is() {
    run(async {
        let root = new_root("answers");
        // Most of the time is waiting; each goes a way of its own.
        let tried = [Put, Replace, Upload, Resume, Rename, Delete].map(|operation| {
            let root = root.clone();
            tokio::spawn(async move {
                let relay = Relay::start(namenode());
                let storage = storage_by(&root, &relay.address).await;
                let mut lost = Vec::new();
                for call in CHANGES {
                    if one(&relay, &storage, operation, call).await {
                        lost.push(call);
                    }
                }
                lost
            })
        });
        let mut lost = Vec::new();
        for tried in tried {
            lost.extend(tried.await.unwrap());
        }
        eprintln!("answers lost: {lost:?}");
        for call in CHANGES {
            assert!(lost.contains(&call), "no operation makes the call {call}");
        }
        let storage = storage_by(&root, &namenode()).await;
        storage.abort_stale("/", Duration::ZERO).await.unwrap();
        assert_eq!(storage.uploads("/").await.unwrap(), []);
    });
}

/// The calls of an operation. `complete` is asked again until the DataNode has told of the block, and counts once.
async fn calls(relay: &Relay, operation: impl Future<Output = Result<()>>) -> BTreeMap<String, usize> {
    relay.calls();
    operation.await.unwrap();
    let mut calls = relay.calls();
    calls.entry("complete".to_owned()).and_modify(|count| *count = 1);
    calls
}

/// `docs/hdfs.md` says how many.
#[test]
fn operations_make_as_many_calls_as_the_page_says() {
    run(async {
        let relay = Relay::start(namenode());
        let storage = storage_by(&new_root("calls"), &relay.address).await;
        storage.put_content("/a/kept", OLD).await.unwrap();
        storage.put_content("/b/kept", OLD).await.unwrap();
        let read = async { storage.get_content("/a/data").await.map(drop) };
        let opened = async { storage.reader("/a/data", ReadOptions::all()).await.map(drop) };
        let counted = [
            ("put_content", 6, calls(&relay, storage.put_content("/a/data", NEW)).await),
            ("put_content over another", 6, calls(&relay, storage.put_content("/a/data", NEW)).await),
            ("put_content in a new directory", 9, calls(&relay, storage.put_content("/c/data", NEW)).await),
            ("get_content", 1, calls(&relay, read).await),
            ("reader", 3, calls(&relay, opened).await),
            ("stat", 1, calls(&relay, async { storage.stat("/a/data").await.map(drop) }).await),
            ("list", 1, calls(&relay, async { storage.list("/a").await.map(drop) }).await),
            ("rename", 4, calls(&relay, storage.rename("/a/data", "/b/data")).await),
            ("delete", 4, calls(&relay, storage.delete("/b/data")).await),
        ];
        for (operation, expected, calls) in counted {
            assert_eq!(calls.values().sum::<usize>(), expected, "{operation}: {calls:?}");
        }
    });
}
