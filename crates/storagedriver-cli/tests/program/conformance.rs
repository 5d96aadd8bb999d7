//! `conformance`: the suite on a live storage.
#![cfg(all(feature = "conformance", feature = "external", unix))]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;
use storagedriver::layer::ReadOnly;
use storagedriver::{Error, Layer, Result, Storage, StorageDriver, StoragePath, async_trait};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::{Server, SocketFile};
use storagedriver_testsuites::CASES;
use storagedriver_testsuites::mutants::MUTANTS;

use crate::run::{Ended, Store, end, objects, program, run};
use crate::signals::{send, wait_until};

/// A storage of this test's own, which the program reaches as a driver in another process.
struct Served {
    socket: SocketFile,
    /// Serves until it is dropped.
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn new(storage: Storage) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let _entered = runtime.enter();
        let socket = SocketFile::private("conformance").unwrap();
        let listener = socket.listener().unwrap();
        runtime.spawn(Server::opened(storage).serve(listener, std::future::pending()));
        drop(_entered);
        Served { socket, _runtime: runtime }
    }

    fn argument(&self) -> String {
        format!("external:socket={}", self.socket.path().display())
    }

    fn run(&self, options: &[&str]) -> Ended {
        run(&[&["conformance", self.argument().as_str()], options].concat())
    }
}

/// The objects of one kind.
fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn every_case_runs_and_what_a_driver_lacks_is_skipped_with_the_reason() {
    let lines = objects(&run(&["conformance", "inmemory", "--json"]).ok());
    let (cases, summary) = (of(&lines, "case"), lines.last().unwrap());
    assert_eq!(lines[0]["cases"], CASES.len());
    assert_eq!(cases.len(), CASES.len());
    let count = |outcome: &str| cases.iter().filter(|line| line["outcome"] == outcome).count();
    for (outcome, sum) in [("pass", "passed"), ("fail", "failed"), ("skip", "skipped")] {
        assert_eq!(summary[sum], count(outcome), "{outcome}");
    }
    assert_eq!((summary["event"].as_str(), count("fail")), (Some("summary"), 0));
    assert_eq!(summary["guarantees"]["shared"], false);
    let skipped = CASES.iter().filter(|case| case.needs.contains(&storagedriver::Guarantee::Shared)).count();
    assert_eq!(count("skip"), skipped);
    for line in cases.iter().filter(|line| line["outcome"] == "skip") {
        assert_eq!(line["reason"], "the driver lacks the guarantee shared");
    }
}

#[test]
fn the_page_has_the_figures_of_the_json_and_nothing_is_left() {
    let store = Store::with(&["/docker/kept"]);
    let options = [
        "--below",
        "/docker",
        "--case",
        "list::tells",
        "--case",
        "append::is_resumed",
        "--case",
        "rename::m",
    ];
    let page = store.run("conformance", &options);
    let text = String::from_utf8(page.stdout).unwrap();
    assert_eq!(page.code, Some(0), "{text}{}", page.stderr);
    assert!(
        page.stderr.contains(" cases on filesystem in /docker/storagedriver-conformance-"),
        "{}",
        page.stderr
    );

    let summary = store.json("conformance", &options).pop().unwrap();
    for area in summary["areas"].as_array().unwrap() {
        let [passed, failed, skipped] =
            ["passed", "failed", "skipped"].map(|key| area[key].as_u64().unwrap());
        let cases = passed + failed + skipped;
        let row =
            format!("| {} | {cases} | {passed} | {failed} | {skipped} |\n", area["area"].as_str().unwrap());
        assert!(text.contains(&row), "no {row} in {text}");
    }
    let all = format!("| all | {0} | {0} | 0 | 0 |", summary["passed"]);
    assert!(text.contains(&all), "no {all} in {text}");
    assert!(text.contains("storagedriver-filesystem ") && text.contains("| `durable` | yes |"), "{text}");
    assert_eq!(store.text("walk", &[]), "/docker/\n/docker/kept\n");
    assert_eq!(store.files().len(), 1, "{:?}", store.files());
}

#[test]
fn a_broken_driver_fails_the_case_of_its_sentence() {
    let mutant = MUTANTS.iter().find(|mutant| mutant.name == "stat_counts_blocks").unwrap();
    let (case, says) = mutant.caught_by[0];
    let served = Served::new(Storage::from_arc((mutant.wrap)(Arc::new(InMemory::new()))));
    let page = served.run(&["--case", "content::stat", "--case", "content::keeps_empty"]);
    let text = String::from_utf8(page.stdout).unwrap();
    assert_eq!(page.code, Some(1), "{text}{}", page.stderr);
    let told = text
        .lines()
        .find(|line| line.starts_with(&format!("- `{case}`: ")))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(told.contains(says) && told.contains("(at cases/content.rs:"), "{told}");
    assert!(text.contains("| content | 2 | 1 | 1 | 0 |"), "{text}");
    assert!(page.stderr.contains(&format!("failed: {case}: ")), "{}", page.stderr);

    let json = served.run(&["--case", "content::stat", "--json"]);
    assert_eq!((json.code, json.stderr.as_str()), (Some(1), ""));
    let lines = objects(&String::from_utf8(json.stdout).unwrap());
    assert_eq!(of(&lines, "case")[0]["outcome"], "fail");
    assert_eq!(lines.last().unwrap()["crate"], Value::Null);
}

#[test]
fn a_signal_in_the_middle_leaves_nothing() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let store = Store::with(&["/kept"]);
        let child = store.command("conformance", &["--jobs", "8"]).spawn().unwrap();
        // A whole run takes seconds, and has some files there most of the time.
        wait_until("the work", || store.files().len() > 20);
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        assert!(error.contains(": removing /storagedriver-conformance-"), "{error}");
        assert_eq!(store.text("walk", &[]), "/kept\n");
        assert_eq!(store.text("uploads", &[]), "");
        assert_eq!(store.files().len(), 1, "{:?}", store.files());
    }
}

/// A driver that never deletes.
#[derive(Debug)]
struct DeleteHangs(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for DeleteHangs {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        // The first is the trial before the suite.
        if path.as_str().ends_with("/probe") {
            return self.0.delete(path).await;
        }
        std::future::pending().await
    }
}

#[test]
fn a_second_signal_ends_at_once_and_tells_what_removes_the_rest() {
    let whole = Storage::new(InMemory::new());
    let served = Served::new(whole.layer(DeleteHangs));
    let command = ["conformance", &served.argument(), "--case", "content::"];
    let mut child = program(command).spawn().unwrap();
    let told = lines_of(child.stderr.take().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let left = || runtime.block_on(whole.list("/")).unwrap();
    wait_until("the work", || !left().is_empty() && !of_probe_alone(&runtime, &whole));
    send("INT", &child);
    // Two signals at once are one: the second waits until the program has seen the first.
    let mut error = String::new();
    while !error.contains("; once more ends at once\n") {
        error += &next_line(&told, &mut child, &error).unwrap_or_else(|| panic!("it ended: {error}"));
    }
    send("INT", &child);
    while let Some(line) = next_line(&told, &mut child, &error) {
        error += &line;
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{error}");
    let directory = left()[0].path().to_string();
    // Of a driver in another process nobody knows which parameters are secret.
    let advice = format!("storagedriver rm --recursive STORAGE {directory}\n");
    assert!(error.ends_with(&advice), "no {advice} in {error}");
}

/// The lines that a program prints, as they come.
fn lines_of(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            // Whoever waited for it may have failed.
            let _ = sender.send(line.unwrap() + "\n");
        }
    });
    lines
}

/// The next line; None at the end. A program that says nothing for a minute is ended, and the test fails.
fn next_line(lines: &Receiver<String>, child: &mut Child, before: &str) -> Option<String> {
    match lines.recv_timeout(Duration::from_secs(60)) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("neither a line nor the end after: {before}");
        }
    }
}

/// Whether nothing but the trial before the suite is there.
fn of_probe_alone(runtime: &tokio::runtime::Runtime, whole: &Storage) -> bool {
    runtime.block_on(async {
        let directory = whole.list("/").await.unwrap();
        match directory.first() {
            Some(directory) => match whole.list(directory.path().as_str()).await {
                Ok(found) => found.iter().all(|info| info.path().name() == "probe"),
                Err(_) => true,
            },
            None => true,
        }
    })
}

#[test]
fn a_storage_that_cannot_be_written_is_refused_with_the_reason() {
    let served = Served::new(Storage::new(InMemory::new()).layer(ReadOnly::new));
    let message = served.run(&[]).failed(3);
    assert!(message.contains("has to write, read and delete"), "{message}");
    assert!(message.contains("this storage was opened read-only"), "{message}");
    // Nothing was written, so nothing is left.
    assert!(!message.contains("rm --recursive"), "{message}");

    let store = Store::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let root = store.root().display();
    let text = format!(
        "storage:\n  filesystem:\n    rootdirectory: {root}\n  maintenance:\n    readonly:\n      enabled: true\n"
    );
    std::fs::write(file.path(), text).unwrap();
    let message = run(&["conformance", &format!("@{}", file.path().display())]).failed(2);
    assert!(message.contains("maintenance.readonly"), "{message}");
}

/// A driver that refuses to delete.
#[derive(Debug)]
struct DeleteFails(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for DeleteFails {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        Err(Error::permission_denied(path, "deleting is for others"))
    }
}

#[test]
fn where_the_run_and_tidying_up_fail_both_are_told() {
    let whole = Storage::new(InMemory::new());
    let served = Served::new(whole.layer(DeleteFails));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for json in [false, true] {
        let told = served.run(if json { &["--json"] } else { &[] }).failed(3);
        let [tidying, run] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
        assert!(
            run.contains("it has to write, read and delete") && run.contains("deleting is for others"),
            "{told}"
        );
        let directory = runtime.block_on(whole.list("/")).unwrap()[0].path().to_string();
        let advice = format!("this does it: storagedriver rm --recursive STORAGE {directory}");
        assert!(tidying.contains("tidying up failed") && tidying.contains(&advice), "no {advice} in {told}");
        assert_eq!(tidying.starts_with("{\"error\""), json, "{told}");
        runtime.block_on(whole.delete(&directory)).unwrap();
    }
}

#[test]
fn a_closed_pipe_ends_it_and_leaves_nothing() {
    let store = Store::new();
    let mut child = store.command("conformance", &["--json", "--case", "content::"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(141), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(store.files().is_empty(), "{:?}", store.files());
}

#[test]
fn cases_are_listed_and_chosen() {
    let names = run(&["conformance", "--list"]).ok();
    assert_eq!(names.lines().count(), CASES.len());
    let some = objects(&run(&["conformance", "--list", "--case", "walk::", "--json"]).ok());
    assert!(some.iter().all(|case| case["area"] == "walk" && case["sentences"][0].is_string()), "{some:?}");
    run(&["conformance"]).failed(2);
    for options in [&["--case", "no-such-case"][..], &["--below", "no-slash"], &["--jobs", "0"]] {
        run(&[&["conformance", "inmemory"], options].concat()).failed(2);
    }
    let mut absent = program(["conformance", "no-such-driver"]);
    assert_ne!(end(&mut absent, b"").code, Some(0));
}
