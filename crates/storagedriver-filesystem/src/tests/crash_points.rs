//! A process that dies between any two of its calls, or one of whose calls fails, leaves a state
//! that the contract allows, and nothing that `abort_stale` does not remove.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use storagedriver::{ErrorKind, Result, Storage, WriteMode};

use super::recorder::{Failing, Recorder};
use super::{hooked, plain, publish, upload};
use crate::names::Name;
use crate::sys::{Call, Errno};

/// What an upload to `/u/data` writes: the first bytes, and the rest. Large enough to be written
/// before the ending, so that there are calls in between.
const FIRST: &[u8] = b"abc";
const REST: &[u8] = &[b'r'; 1 << 20];

/// What a path holds: its content, and the sizes of its closed uploads.
type State = (Option<Vec<u8>>, Vec<u64>);

async fn state(storage: &Storage, root: &Path, path: &str) -> State {
    let content = match storage.get_content(path).await {
        Ok(content) => Some(content.to_vec()),
        Err(error) if error.is_not_found() => None,
        Err(error) => panic!("{error}"),
    };
    let mut closed = Vec::new();
    for upload in storage.uploads(path).await.unwrap() {
        if Name::parse(upload.id()).is_none_or(|name| name.length().is_none()) {
            continue;
        }
        closed.push(upload.size());
        let staged = std::fs::read(root.join(format!("~staging{path}/{}", upload.id()))).unwrap();
        let whole = [FIRST, REST].concat();
        let size = usize::try_from(upload.size()).unwrap();
        assert!(staged[..size] == whole[..size], "an upload of {size} bytes is torn");
    }
    (content, closed)
}

/// No staged file, no hidden name, no empty directory is anywhere.
fn assert_clean(root: &Path, directory: &Path) {
    let mut empty = true;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        empty = false;
        let name = path.file_name().unwrap().to_str().unwrap();
        if directory == root && name == "~staging" {
            assert!(std::fs::read_dir(&path).unwrap().next().is_none(), "something is left in {path:?}");
            continue;
        }
        assert!(!name.starts_with('~'), "{path:?} is left");
        if path.is_dir() {
            assert_clean(root, &path);
        }
    }
    assert!(!empty || directory == root, "{directory:?} is left empty");
}

/// What befalls the process.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It is dead from the call on.
    Death,
    /// The call fails, and the operation has to say so by this kind of error.
    Failure(Errno, ErrorKind),
}

const FATES: [Fate; 4] = [
    Fate::Death,
    Fate::Failure(Errno::NOSPC, ErrorKind::OutOfSpace),
    Fate::Failure(Errno::DQUOT, ErrorKind::OutOfSpace),
    Fate::Failure(Errno::IO, ErrorKind::Backend),
];

/// Runs `operate` once for each of its calls and each fate, which comes at that call, and looks at
/// what is at `paths` then: `allowed` says whether it may be. An operation that succeeds in spite of
/// a call that failed has to have done all.
fn everywhere(
    prepare: impl AsyncFn(&Storage),
    operate: impl AsyncFn(&Storage) -> Result<()>,
    paths: &[&str],
    allowed: impl Fn(&[State]) -> bool,
) {
    let (_, outcome, done) = run(&prepare, &operate, paths, Failing::Nothing);
    outcome.unwrap();
    assert!(allowed(&done), "{}", shown(&done));
    for fate in FATES {
        for at in 0.. {
            let failing = match fate {
                Fate::Death => Failing::From(at),
                Fate::Failure(errno, _) => Failing::Once(at, errno),
            };
            let (calls, outcome, states) = run(&prepare, &operate, paths, failing);
            if calls.len() <= at {
                assert!(at > 2, "there was nothing to fail");
                break;
            }
            let at = format!("{fate:?} at call {at} of {calls:?}: {}", shown(&states));
            assert!(allowed(&states), "{at}");
            match (fate, outcome) {
                (Fate::Death, _) => {}
                (_, Ok(())) => assert!(states == done, "{at}"),
                (Fate::Failure(_, kind), Err(error)) => assert_eq!(error.kind(), kind, "{at}: {error}"),
            }
        }
    }
}

/// The calls of `operate`, how it ended, and what is there then.
fn run(
    prepare: &impl AsyncFn(&Storage),
    operate: &impl AsyncFn(&Storage) -> Result<()>,
    paths: &[&str],
    failing: Failing,
) -> (Vec<Call>, Result<()>, Vec<State>) {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    runtime().block_on(async { prepare(&plain(&root)).await });
    let recorder = Arc::new(Recorder::new(failing));
    // With the runtime go all its jobs, and with them the locks of the dead process.
    let outcome = runtime().block_on(async { operate(&hooked(&root, recorder.clone())).await });
    let states = runtime().block_on(async {
        let storage = plain(&root);
        let mut states = Vec::new();
        for path in paths {
            states.push(state(&storage, &root, path).await);
        }
        storage.abort_stale("/", Duration::ZERO).await.unwrap();
        // Removing a directory that is empty is best effort: one that the system refuses to remove stays.
        let refused = |at| recorder.calls().get(at) == Some(&Call::Rmdir);
        if root.exists() && !matches!(failing, Failing::Once(at, _) if refused(at)) {
            assert_clean(&root, &root);
        }
        states
    });
    (recorder.calls(), outcome, states)
}

fn shown(states: &[State]) -> String {
    let content = |content: &Vec<u8>| format!("{} bytes", content.len());
    states.iter().map(|(c, uploads)| format!("({:?}, {uploads:?}) ", c.as_ref().map(content))).collect()
}

fn is(state: &State, content: Option<&[u8]>, uploads: &[u64]) -> bool {
    state.0.as_deref() == content && state.1 == uploads
}

const WHOLE: u64 = 3 + (1 << 20);

fn whole() -> Vec<u8> {
    [FIRST, REST].concat()
}

#[test]
fn put_content() {
    everywhere(
        async |_| {},
        async |storage| storage.put_content("/a/b", FIRST).await,
        &["/a/b"],
        |states| is(&states[0], None, &[]) || is(&states[0], Some(FIRST), &[]),
    );
}

#[test]
fn put_content_over_content_beside_an_upload() {
    everywhere(
        async |storage| {
            storage.put_content("/a/b", "old").await.unwrap();
            upload(storage, "/a/b", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| storage.put_content("/a/b", "new").await,
        &["/a/b"],
        |states| is(&states[0], Some(b"old"), &[3]) || is(&states[0], Some(b"new"), &[3]),
    );
}

#[test]
fn an_upload_that_is_created_and_closed() {
    everywhere(
        async |storage| {
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| upload(storage, "/u/data", WriteMode::Create, &[FIRST, REST]).await.map(drop),
        &["/u/data"],
        |states| [&[3][..], &[], &[WHOLE]].iter().any(|uploads| is(&states[0], None, uploads)),
    );
}

#[test]
fn an_upload_that_is_resumed_and_closed() {
    everywhere(
        async |storage| {
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| upload(storage, "/u/data", WriteMode::Append, &[REST]).await.map(drop),
        &["/u/data"],
        |states| is(&states[0], None, &[3]) || is(&states[0], None, &[WHOLE]),
    );
}

#[test]
fn an_upload_that_two_resumed_and_the_second_closes() {
    everywhere(
        async |storage| {
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| {
            let mut first = storage.writer("/u/data", WriteMode::Append).await?;
            first.write("others").await?;
            upload(storage, "/u/data", WriteMode::Append, &[REST]).await.map(drop)
        },
        &["/u/data"],
        |states| is(&states[0], None, &[3]) || is(&states[0], None, &[WHOLE]),
    );
}

#[test]
fn an_upload_that_two_resumed_and_the_second_commits() {
    everywhere(
        async |storage| {
            storage.put_content("/u/data", "old").await.unwrap();
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| {
            let mut first = storage.writer("/u/data", WriteMode::Append).await?;
            first.write("others").await?;
            publish(storage, "/u/data", WriteMode::Append, &[REST]).await
        },
        &["/u/data"],
        |states| {
            is(&states[0], Some(b"old"), &[3])
                || is(&states[0], Some(b"old"), &[WHOLE])
                || is(&states[0], Some(&whole()), &[])
        },
    );
}

#[test]
fn an_upload_that_is_resumed_and_committed() {
    everywhere(
        async |storage| {
            storage.put_content("/u/data", "old").await.unwrap();
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| publish(storage, "/u/data", WriteMode::Append, &[REST]).await,
        &["/u/data"],
        |states| {
            is(&states[0], Some(b"old"), &[3])
                || is(&states[0], Some(b"old"), &[WHOLE])
                || is(&states[0], Some(&whole()), &[])
        },
    );
}

#[test]
fn content_that_is_appended_to() {
    everywhere(
        async |storage| storage.put_content("/u/data", FIRST).await.unwrap(),
        async |storage| publish(storage, "/u/data", WriteMode::Append, &[REST]).await,
        &["/u/data"],
        |states| {
            is(&states[0], Some(FIRST), &[])
                || is(&states[0], Some(FIRST), &[WHOLE])
                || is(&states[0], Some(&whole()), &[])
        },
    );
}

#[test]
fn an_upload_that_is_cancelled() {
    everywhere(
        async |storage| {
            upload(storage, "/u/data", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| {
            let mut writer = storage.writer("/u/data", WriteMode::Append).await?;
            writer.write(REST).await?;
            writer.cancel().await
        },
        &["/u/data"],
        |states| is(&states[0], None, &[3]) || is(&states[0], None, &[]),
    );
}

#[test]
fn rename() {
    everywhere(
        async |storage| {
            storage.put_content("/from/x", FIRST).await.unwrap();
            storage.put_content("/to/y", "old").await.unwrap();
        },
        async |storage| storage.rename("/from/x", "/to/y").await,
        &["/from/x", "/to/y"],
        |states| match &states[0].0 {
            Some(source) => source == FIRST && is(&states[1], Some(b"old"), &[]),
            None => is(&states[1], Some(FIRST), &[]),
        },
    );
}

#[test]
fn rename_into_a_new_directory() {
    everywhere(
        async |storage| storage.put_content("/from/x", FIRST).await.unwrap(),
        async |storage| storage.rename("/from/x", "/to/y/z").await,
        &["/from/x", "/to/y/z"],
        |states| is(&states[0], Some(FIRST), &[]) != is(&states[1], Some(FIRST), &[]),
    );
}

#[test]
fn delete() {
    everywhere(
        async |storage| {
            for path in ["/a/x/1", "/a/x/2", "/a/y/3", "/ab"] {
                storage.put_content(path, FIRST).await.unwrap();
            }
            upload(storage, "/a/x/1", WriteMode::Create, &[FIRST]).await.unwrap();
        },
        async |storage| storage.delete("/a").await,
        &["/a/x/1", "/ab"],
        |states| {
            states[0].0.as_ref().is_none_or(|content| content == FIRST) && is(&states[1], Some(FIRST), &[])
        },
    );
}
