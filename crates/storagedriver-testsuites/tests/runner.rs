//! The runner: what a case's end is told as.

// Tests may.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use storagedriver::bytes::Bytes;
use storagedriver::{FileInfo, Layer, Result, Storage, StorageDriver, StoragePath};
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::{
    BoxError, CASES, Case, Harness, Outcome, REPORT_VARIABLE, SERVER_VARIABLE, Scale, Store, async_trait,
    check, run_blocking, run_case, run_suite,
};

/// A harness whose stores are in memory, with one fault.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    OpenFails,
    OpenPanics,
    OpenHangs,
    RemoveFails,
    GetLies,
    GetPanics,
    StatHangs,
}

struct Faulty(Fault);

#[async_trait]
impl Harness for Faulty {
    async fn open(&self) -> std::result::Result<Box<dyn Store>, BoxError> {
        match self.0 {
            Fault::OpenFails => Err("the server is away".into()),
            Fault::OpenPanics => panic!("the harness is broken"),
            Fault::OpenHangs => std::future::pending().await,
            fault => {
                let storage = Storage::new(InMemory::new()).layer(|inner| FaultyDriver(inner, fault));
                Ok(Box::new(FaultyStore(storage, fault)))
            }
        }
    }

    fn scale(&self) -> Scale {
        let hangs = matches!(self.0, Fault::OpenHangs | Fault::StatHangs);
        Scale::default().with_timeout(Duration::from_millis(if hangs { 50 } else { 60_000 }))
    }
}

struct FaultyStore(Storage, Fault);

#[async_trait]
impl Store for FaultyStore {
    fn storage(&self) -> Storage {
        self.0.clone()
    }

    async fn remove(&self) -> std::result::Result<(), BoxError> {
        if self.1 == Fault::RemoveFails { Err("the bucket is locked".into()) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct FaultyDriver(Arc<dyn StorageDriver>, Fault);

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fault")
    }
}

#[async_trait]
impl Layer for FaultyDriver {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        match self.1 {
            Fault::GetLies => Ok(Bytes::from_static(b"lies")),
            Fault::GetPanics => panic!("the driver is broken"),
            _ => self.0.get_content(path).await,
        }
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        match self.1 {
            Fault::StatHangs => std::future::pending().await,
            _ => self.0.stat(path).await,
        }
    }
}

const SIMPLE: &str = "content::keeps_empty_content";
const SHARED: &str = "content::is_seen_by_a_second_handle";

fn outcome(case: &str, fault: Fault) -> Outcome {
    run_blocking(Case::find(case).unwrap(), Arc::new(Faulty(fault)))
}

#[track_caller]
fn fails_saying(fault: Fault, part: &str) {
    let outcome = outcome(SIMPLE, fault);
    assert_eq!(outcome.as_str(), "fail");
    assert!(outcome.reason().contains(part), "{}", outcome.reason());
    let failure = run_case(SIMPLE, Faulty(fault)).unwrap_err().to_string();
    assert!(failure.contains(SIMPLE) && failure.contains(part), "{failure}");
}

#[test]
fn a_case_passes() {
    assert_eq!(outcome(SIMPLE, Fault::None), Outcome::Pass);
    run_case(SIMPLE, Faulty(Fault::None)).unwrap();
}

#[test]
fn a_mismatch_is_told_with_the_line_of_the_case() {
    fails_saying(Fault::GetLies, "4 bytes where 0 are wanted");
    fails_saying(Fault::GetLies, "cases/content.rs:");
}

#[test]
fn a_panic_and_a_hang_of_the_driver_are_failures() {
    fails_saying(Fault::GetPanics, "the driver is broken");
    fails_saying(Fault::StatHangs, "hung");
}

#[test]
fn a_fault_of_the_harness_is_a_failure() {
    fails_saying(Fault::OpenFails, "the server is away");
    fails_saying(Fault::OpenPanics, "the harness is broken");
    fails_saying(Fault::OpenHangs, "hung");
    fails_saying(Fault::RemoveFails, "the bucket is locked");
}

#[test]
fn a_case_whose_guarantee_is_lacking_is_skipped() {
    assert_eq!(
        outcome(SHARED, Fault::None),
        Outcome::Skip("the driver lacks the guarantee shared".to_owned())
    );
    run_case(SHARED, Faulty(Fault::None)).unwrap();
}

#[test]
fn an_unknown_case_is_a_failure() {
    assert!(run_case("content::no_such_case", Faulty(Fault::None)).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_runs_the_cases_it_chooses() {
    let seen = Mutex::new(Vec::new());
    let harness: Arc<dyn Harness> = Arc::new(Faulty(Fault::GetLies));
    let chosen = |case: &Case| case.name == SIMPLE || case.name == SHARED || case.name.starts_with("list::");
    let failed = run_suite(harness, chosen, |case, outcome| {
        seen.lock().unwrap().push((case.name, outcome.as_str()));
    })
    .await;
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), CASES.iter().filter(|case| chosen(case)).count());
    assert!(seen.contains(&(SIMPLE, "fail")) && seen.contains(&(SHARED, "skip")));
    assert!(seen.contains(&("list::tells_kinds", "pass")));
    assert_eq!(failed, seen.iter().filter(|(_, outcome)| *outcome == "fail").count());
}

/// A harness whose driver waits in `get_content` until the test is over, and tells that it was dropped there.
struct Waiting(Arc<Mutex<Vec<&'static str>>>);

#[derive(Debug)]
struct WaitingDriver(Arc<dyn StorageDriver>, Arc<Mutex<Vec<&'static str>>>);

struct Told(Arc<Mutex<Vec<&'static str>>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped");
    }
}

#[async_trait]
impl Layer for WaitingDriver {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn get_content(&self, _: &StoragePath) -> Result<Bytes> {
        self.1.lock().unwrap().push("waits");
        let _told = Told(self.1.clone());
        std::future::pending().await
    }
}

#[async_trait]
impl Harness for Waiting {
    async fn open(&self) -> std::result::Result<Box<dyn Store>, BoxError> {
        let storage = Storage::new(InMemory::new()).layer(|inner| WaitingDriver(inner, self.0.clone()));
        Ok(Box::new(FaultyStore(storage, Fault::None)))
    }
}

#[tokio::test]
async fn a_case_that_is_given_up_goes_on_nowhere() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let harness: Arc<dyn Harness> = Arc::new(Waiting(seen.clone()));
    let mut running = Box::pin(check(Case::find(SIMPLE).unwrap(), harness));
    while seen.lock().unwrap().is_empty() {
        tokio::select! {
            _ = &mut running => panic!("the case cannot end"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    drop(running);
    while *seen.lock().unwrap() != ["waits", "dropped"] {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Run by the test below in a process of its own, with the report asked for.
#[test]
fn child_of_the_report() {
    run_case(SIMPLE, Faulty(Fault::None)).unwrap();
    run_case(SHARED, Faulty(Fault::None)).unwrap();
    run_case(SIMPLE, Faulty(Fault::OpenFails)).unwrap_err();
}

#[test]
fn the_report_gets_a_line_per_case_and_a_skip_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.jsonl");
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["child_of_the_report", "--exact"])
        .env(REPORT_VARIABLE, &report)
        .env(SERVER_VARIABLE, "minio")
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let line = |driver: &str, case: &str, outcome: &str, reason: &str| {
        format!(
            "{{\"driver\":\"{driver}\",\"server\":\"minio\",\"case\":\"{case}\",\"outcome\":\"{outcome}\",\
             \"reason\":\"{reason}\"}}\n"
        )
    };
    let wanted = [
        line("inmemory", SIMPLE, "pass", ""),
        line("inmemory", SHARED, "skip", "the driver lacks the guarantee shared"),
        line("", SIMPLE, "fail", "opening a store failed: the server is away"),
    ];
    assert_eq!(std::fs::read_to_string(report).unwrap(), wanted.concat());
    // Past the capturing of output: without `--nocapture`.
    let errors = String::from_utf8(child.stderr).unwrap();
    assert!(errors.contains(&format!("{SHARED} ... skipped: the driver lacks")), "{errors}");
}
