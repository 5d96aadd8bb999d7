//! What is acknowledged survives a power cut, and not one sync is superfluous.

use std::sync::Arc;

use storagedriver::{Storage, WriteMode};

use super::machine::Machine;
use super::recorder::{Failing, Recorder, Step};
use super::{hooked, plain, publish, upload};
use crate::sys::Event;

/// Enough that it is written before the ending.
const LARGE: &[u8] = &[b'x'; 1 << 20];

fn replay(top: &mut Machine, steps: &[Step]) -> Result<(), String> {
    steps.iter().try_for_each(|step| top.apply(step))
}

fn is_sync(machine: &Machine, step: &Step) -> bool {
    match step {
        Step::Did(Event::Sync { .. }) => true,
        // Above the machine's top there is nothing that could be checked.
        Step::Did(Event::SyncDir { directory }) => machine.knows(*directory),
        _ => false,
    }
}

fn shown(steps: &[Step]) -> String {
    steps.iter().enumerate().map(|(at, step)| format!("{at}: {step:?}\n")).collect()
}

/// Prepares as one process, runs `scenario` as another, and checks the order of its calls: as they
/// are, and without each one of the syncs.
async fn check(prepare: impl AsyncFn(&Storage), scenario: impl AsyncFn(&Storage, &Recorder)) {
    check_except(|_| false, prepare, scenario).await;
}

/// As [`check`], but not without those syncs that are superfluous in this scenario.
async fn check_except(
    superfluous: impl Fn(&Step) -> bool,
    prepare: impl AsyncFn(&Storage),
    scenario: impl AsyncFn(&Storage, &Recorder),
) {
    let directory = tempfile::tempdir().unwrap();
    let (top, root) = (directory.path(), directory.path().join("root"));
    prepare(&plain(&root)).await;
    let before = Machine::scan(top);
    let recorder = Arc::new(Recorder::new(Failing::Nothing));
    scenario(&hooked(&root, recorder.clone()), &recorder).await;
    let steps = recorder.steps();
    let mut machine = before.clone();
    if let Err(broken) = replay(&mut machine, &steps) {
        panic!("{broken}, after:\n{}", shown(&steps));
    }
    let syncs: Vec<usize> =
        (0..steps.len()).filter(|&at| is_sync(&machine, &steps[at]) && !superfluous(&steps[at])).collect();
    assert!(!syncs.is_empty());
    for at in syncs {
        let mut without = steps.clone();
        let removed = without.remove(at);
        let outcome = replay(&mut before.clone(), &without);
        assert!(outcome.is_err(), "nothing is lost without step {at}, {removed:?}, of:\n{}", shown(&steps));
    }
}

#[tokio::test]
async fn put_content_into_directories_that_it_makes() {
    check(
        async |_| {},
        async |storage, log| {
            storage.put_content("/a/b/c", "content").await.unwrap();
            log.answered(&["/a/b/c"]);
            storage.put_content("/a/b/c", "other").await.unwrap();
            log.answered(&["/a/b/c"]);
            storage.put_content("/a/d", "content").await.unwrap();
            log.answered(&["/a/d"]);
        },
    )
    .await;
}

#[tokio::test]
async fn put_content_into_directories_that_another_process_made() {
    check(
        async |storage| storage.put_content("/a/b/c", "old").await.unwrap(),
        async |storage, log| {
            storage.put_content("/a/b/c", "content").await.unwrap();
            log.answered(&["/a/b/c"]);
        },
    )
    .await;
}

#[tokio::test]
async fn an_upload_closed_resumed_and_committed() {
    check(
        async |_| {},
        async |storage, log| {
            for mode in [WriteMode::Create, WriteMode::Append] {
                upload(storage, "/u/data", mode, &[LARGE, b"more"]).await.unwrap();
                log.answered(&["/u/data"]);
            }
            publish(storage, "/u/data", WriteMode::Append, &[b"end"]).await.unwrap();
            log.answered(&["/u/data"]);
        },
    )
    .await;
}

#[tokio::test]
async fn an_upload_committed_at_once() {
    check(
        async |_| {},
        async |storage, log| {
            publish(storage, "/u/data", WriteMode::Create, &[LARGE, b"end"]).await.unwrap();
            log.answered(&["/u/data"]);
            publish(storage, "/u/data", WriteMode::Create, &[b"small"]).await.unwrap();
            log.answered(&["/u/data"]);
            publish(storage, "/u/data", WriteMode::Append, &[b"appended"]).await.unwrap();
            log.answered(&["/u/data"]);
        },
    )
    .await;
}

#[tokio::test]
async fn an_upload_that_two_resumed() {
    check(
        async |storage| {
            upload(storage, "/u", WriteMode::Create, &[b"start"]).await.unwrap();
        },
        async |storage, log| {
            let first = storage.writer("/u", WriteMode::Append).await.unwrap();
            upload(storage, "/u", WriteMode::Append, &[LARGE]).await.unwrap();
            log.answered(&["/u"]);
            let second = storage.writer("/u", WriteMode::Append).await.unwrap();
            drop(first);
            publish(storage, "/u", WriteMode::Append, &[b"end"]).await.unwrap();
            log.answered(&["/u"]);
            drop(second);
        },
    )
    .await;
}

#[tokio::test]
async fn closed_uploads_that_a_later_one_discards_stay_away() {
    check(
        async |_| {},
        async |storage, log| {
            upload(storage, "/u", WriteMode::Create, &[b"old"]).await.unwrap();
            log.answered(&["/u"]);
            publish(storage, "/u", WriteMode::Create, &[b"new"]).await.unwrap();
            log.answered(&["/u"]);
        },
    )
    .await;
}

#[tokio::test]
async fn rename_into_directories_that_it_makes_and_out_of_one_that_is_pruned() {
    // The files are synced again, which is needed if others wrote them: the next test.
    let file = |step: &Step| matches!(step, Step::Did(Event::Sync { .. }));
    check_except(
        file,
        async |_| {},
        async |storage, log| {
            storage.put_content("/from/x/file", "content").await.unwrap();
            log.answered(&["/from/x/file"]);
            storage.put_content("/from/other", "content").await.unwrap();
            log.answered(&["/from/other"]);
            storage.rename("/from/x/file", "/to/y/file").await.unwrap();
            log.answered(&["/from/x/file", "/to/y/file"]);
            storage.rename("/from/other", "/to/y/file").await.unwrap();
            log.answered(&["/from/other", "/to/y/file"]);
        },
    )
    .await;
}

#[tokio::test]
async fn rename_of_a_file_that_another_program_wrote() {
    check(
        async |storage| storage.put_content("/a/b/c", "old").await.unwrap(),
        async |storage, log| {
            storage.rename("/a/b/c", "/a/b/d").await.unwrap();
            log.answered(&["/a/b/c", "/a/b/d"]);
        },
    )
    .await;
}

#[tokio::test]
async fn delete_of_a_file_a_directory_and_an_upload() {
    check(
        async |_| {},
        async |storage, log| {
            for path in ["/u/x", "/v", "/w"] {
                upload(storage, path, WriteMode::Create, &[b"upload"]).await.unwrap();
                log.answered(&[path]);
            }
            for file in ["/a/b/file", "/a/c", "/d/e"] {
                storage.put_content(file, "content").await.unwrap();
                log.answered(&[file]);
            }
            storage.delete("/a/b/file").await.unwrap();
            log.answered(&["/a/b/file"]);
            storage.delete("/d").await.unwrap();
            log.answered(&["/d/e"]);
            storage.delete("/u").await.unwrap();
            log.answered(&["/u/x"]);
            storage.writer("/v", WriteMode::Append).await.unwrap().cancel().await.unwrap();
            log.answered(&["/v"]);
            storage.abort_upload(&storage.uploads("/w").await.unwrap()[0]).await.unwrap();
            log.answered(&["/w"]);
        },
    )
    .await;
}
