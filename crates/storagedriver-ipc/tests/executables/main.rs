//! Executables that are no drivers, strange ones, and those that crash: each is a clear error in bounded time, and leaves
//! nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "../drivers/mod.rs"]
mod drivers;
#[path = "../drivers/executable.rs"]
mod executable;
#[path = "../drivers/processes.rs"]
mod processes;
mod secrets;
mod strange;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use executable::{Executable, open, open_path};
use processes::{runs, state_and_parent, wait_until};
use storagedriver::{Error, ErrorKind, Parameters, Storage};

/// How long the host waits for a driver that will not come.
const SHORT: &str = "2s";
/// Every failure comes by then: the wait for the start, the second that a process has to end, and much for a busy machine.
const BOUNDED: Duration = Duration::from_secs(60);

fn parameters() -> Parameters {
    Parameters::from_iter([("starttimeout", "30s")])
}

/// The children of this process, those included that ended and were not waited for.
fn children() -> Vec<u32> {
    let all = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let own = std::process::id();
    all.filter(|&process| state_and_parent(process).is_some_and(|(_, parent)| parent == own)).collect()
}

/// What comes of opening it.
async fn attempt(executable: &Executable, parameters: Parameters) -> Result<Storage, Error> {
    tokio::time::timeout(BOUNDED, open(executable, parameters))
        .await
        .expect("neither opened nor refused in time")
}

/// The error of opening it, which leaves nothing behind.
async fn refused(executable: Executable, says: &[&str]) -> Error {
    refused_with(executable, parameters(), says).await
}

/// The error of waiting for it in vain.
async fn given_up(executable: Executable) -> Error {
    let short = Parameters::from_iter([("starttimeout", SHORT)]);
    refused_with(executable, short, &[SHORT, "starttimeout"]).await
}

async fn refused_with(executable: Executable, parameters: Parameters, says: &[&str]) -> Error {
    let error = match attempt(&executable, parameters).await {
        Ok(storage) => panic!("it was opened: {storage:?}"),
        Err(error) => error,
    };
    let text = with_causes(&error);
    println!("{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(text.len() < 4 << 10, "{} bytes of text", text.len());
    assert_nothing_left(&executable).await;
    error
}

fn with_causes(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// No process of it runs or waits to be waited for, and no socket of it is there, nor its directory.
async fn assert_nothing_left(executable: &Executable) {
    let left = || {
        let started = executable.started();
        let children = children();
        let process =
            started.iter().find(|started| runs(started.process) || children.contains(&started.process));
        let directory = started
            .iter()
            .find(|started| started.socket.parent().is_some_and(|directory| directory.exists()));
        process.or(directory).map(|started| format!("{started:?}"))
    };
    let mut found = left();
    let waiting = Instant::now();
    while found.is_some() && waiting.elapsed() < BOUNDED {
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = left();
    }
    assert_eq!(found, None, "is left");
}

#[tokio::test]
async fn one_that_is_not_there_is_said_to_be_not_there() {
    let error = open_path("/nowhere/registry-storage-swift".as_ref(), parameters()).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/registry-storage-swift"), "{error}");
    // By name alone it is a driver that nobody knows.
    let factory = storagedriver::Factory::new().with_resolver(storagedriver_ipc::host::RESOLVER.resolve);
    let error = factory.create("nobody-has-this", Parameters::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStorageDriver);
}

#[tokio::test]
async fn one_that_cannot_be_executed_says_what_to_do() {
    let executable = Executable::script("plain", "exit 0");
    std::fs::set_permissions(executable.path(), PermissionsExt::from_mode(0o644)).unwrap();
    refused(executable, &["registry-storage-plain", "not executable", "chmod +x"]).await;
}

#[tokio::test]
async fn one_that_ends_at_once_is_told_with_what_it_wrote() {
    refused(
        Executable::script("ends", "echo 'no such pool: layers' >&2; exit 3"),
        &["3", "no such pool: layers"],
    )
    .await;
}

#[tokio::test]
async fn one_that_ends_well_but_serves_nothing_failed() {
    refused(Executable::script("well", "exit 0"), &["ended"]).await;
}

#[tokio::test]
async fn one_that_never_listens_is_ended() {
    given_up(Executable::script("never", "exec sleep 3600")).await;
}

#[tokio::test]
async fn one_that_listens_and_says_nothing_is_ended() {
    given_up(Executable::running("silent", "strange::silent")).await;
}

#[tokio::test]
async fn one_that_speaks_another_protocol_is_ended() {
    for strange in ["http1", "garbage", "closes"] {
        refused(Executable::running(strange, &format!("strange::{strange}")), &["protocol"]).await;
    }
}

#[tokio::test]
async fn one_that_writes_a_line_without_end_is_read_and_cut() {
    let endless = "head -c 20000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 'the last word' >&2; exit 1";
    refused(Executable::script("endless", endless), &["xxx", "the last word"]).await;
}

#[tokio::test]
async fn one_that_another_process_outlives_is_not_waited_for() {
    let started = Instant::now();
    let error = refused(Executable::running("outlived", "strange::outlived"), &["3"]).await;
    assert!(started.elapsed() < Duration::from_secs(25), "waited for the other process: {error}");
    // It is ours to end: it left the driver's group, so that the host may not.
    let text = with_causes(&error);
    let other =
        text.split("left ").nth(1).and_then(|text| text.split(' ').next()).and_then(|text| text.parse().ok());
    if let Some(other) = other {
        assert!(runs(other));
        let other = rustix::process::Pid::from_raw(other as i32).unwrap();
        rustix::process::kill_process(other, rustix::process::Signal::KILL).unwrap();
    }
}

/// One that puts itself into the background has ended, for its host; what it put there goes with it.
#[tokio::test]
async fn one_that_goes_into_the_background_is_no_driver() {
    let script = "sleep 3600 & echo \"$! $STORAGEDRIVER_SOCKET\" >>\"$(dirname \"$0\")/started\"; exit 0";
    refused(Executable::script("daemon", script), &["ended"]).await;
}

#[tokio::test]
async fn versions_that_do_not_meet_are_named() {
    refused(Executable::running("newer", "strange::newer"), &["2", "3", "1", "strange 9.9"]).await;
    refused(Executable::running("unoffered", "strange::unoffered"), &["9"]).await;
}

#[tokio::test]
async fn another_driver_is_named() {
    let mut named = parameters();
    named.insert("driver", "strange");
    let says = ["\"strange\" was asked for", "strange 9.9 is the driver \"another\""];
    refused_with(Executable::running("strange", "strange::other"), named, &says).await;
}

#[tokio::test]
async fn what_a_later_driver_adds_is_skipped_or_an_error() {
    let executable = Executable::running("strange", "strange::later");
    let storage = attempt(&executable, parameters()).await.unwrap();
    assert_eq!(
        storage.guarantees().lacking().map(|lacking| lacking.as_str()).collect::<Vec<_>>(),
        ["shared"]
    );
    // A kind of entry that did not exist.
    assert_eq!(storage.stat("/a").await.unwrap_err().kind(), ErrorKind::Backend);
    // A call that the driver does not have.
    assert_eq!(storage.stat("/a").await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(storage.get_content("/a").await.unwrap_err().kind(), ErrorKind::Unsupported);
    drop(storage);
    assert_nothing_left(&executable).await;
}

#[tokio::test]
async fn what_the_driver_refuses_arrives_as_such() {
    let executable = Executable::running("crashing", "strange::crashing");
    let mut given = parameters();
    given.insert("shards", 7);
    let error = attempt(&executable, given).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    for part in ["strange", "shards", "7", "from 1 to 1"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let mut given = parameters();
    given.insert("shrads", 1);
    let error = attempt(&executable, given).await.unwrap_err();
    assert!(error.to_string().contains("did you mean \"shards\"?"), "{error}");
    assert_nothing_left(&executable).await;
}

#[tokio::test]
async fn a_slow_start_is_waited_for_as_long_as_was_said() {
    let slow = |seconds: &str| {
        let program = std::env::current_exe().unwrap();
        let script =
            format!("sleep {seconds}; exec '{}' --exact drivers::inmemory --nocapture", program.display());
        Executable::script("inmemory", &script)
    };
    given_up(slow("60")).await;
    let executable = slow("1");
    let storage = attempt(&executable, parameters()).await.unwrap();
    storage.put_content("/a", "there").await.unwrap();
    drop(storage);
    assert_nothing_left(&executable).await;
}

/// A driver that dies again and again is started again more and more slowly; each call is answered at once or so.
#[tokio::test]
async fn a_crash_loop_is_not_a_busy_loop() {
    let executable = Executable::running("crashing", "strange::crashing");
    let storage = attempt(&executable, parameters()).await.unwrap();
    let (started, mut calls) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(5) {
        let crashed = tokio::time::timeout(BOUNDED, storage.stat("/crash")).await.expect("a call hangs");
        let error = crashed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        calls += 1;
    }
    let starts = executable.started().len();
    println!("{calls} calls, {starts} starts in {:.1?}", started.elapsed());
    assert!((2..=20).contains(&starts), "{starts} starts in five seconds");
    // What it wrote last is told.
    let error = storage.stat("/crash").await.unwrap_err();
    assert!(with_causes(&error).contains("out of luck"), "{error}");
    // And it comes back.
    let asked = Instant::now();
    while let Err(error) = storage.stat("/").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(asked.elapsed() < Duration::from_secs(60), "it does not come back: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(storage);
    assert_nothing_left(&executable).await;
}

/// An executable that fails only when it is started again.
#[tokio::test]
async fn a_driver_that_cannot_be_started_again_says_why() {
    let again = Executable::running("crashing", "strange::crashing");
    let storage = attempt(&again, parameters()).await.unwrap();
    storage.stat("/").await.unwrap();
    std::fs::remove_file(again.path()).unwrap();
    let crashed = storage.stat("/crash").await.unwrap_err();
    assert_eq!(crashed.kind(), ErrorKind::Unavailable, "{crashed}");
    let mut told = false;
    for _ in 0..20 {
        let error =
            tokio::time::timeout(BOUNDED, storage.stat("/")).await.expect("a call hangs").unwrap_err();
        told |= with_causes(&error).contains("registry-storage-crashing");
    }
    assert!(told, "no error names the executable that is gone");
    drop(storage);
    assert_nothing_left(&again).await;
}

/// A driver goes when the last handle on its storage goes, and whatever is under way does not keep the process.
#[tokio::test]
async fn a_driver_goes_with_its_storage() {
    let executable = Executable::driver("inmemory");
    let storage = attempt(&executable, parameters()).await.unwrap();
    let writer = storage.writer("/a", storagedriver::WriteMode::Create).await.unwrap();
    let process = executable.started()[0].process;
    assert!(runs(process));
    drop(storage);
    drop(writer);
    let gone = wait_until(|| !runs(process)).expect("the driver stays");
    println!("gone after {gone:.1?}");
    assert_nothing_left(&executable).await;
}
