//! The host is killed under load: its driver goes with it, and what was acknowledged is there.
//!
//! The host is this program again; it says before and after each operation what it does.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use storagedriver::{Parameters, Storage, WriteMode};
use storagedriver_filesystem::FilesystemParameters;

use crate::executable::{Executable, Started, open_path};
use crate::processes::{runs, wait_until};
use crate::workers::{Progress, WORKERS, Worker};
use crate::{clean, random_part, wanted};

const ROOT: &str = "STORAGEDRIVER_TEST_ROOT";
const RUN: &str = "STORAGEDRIVER_TEST_RUN";
const DRIVER: &str = "STORAGEDRIVER_TEST_DRIVER";

/// How long a host works at most before it is killed.
const WORKED: Duration = Duration::from_millis(150);

fn say(line: &str) {
    // Not by `println`, which libtest may hold back.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The host: does nothing unless the parent started it.
#[test]
fn host() {
    let (Ok(root), Ok(run), Ok(driver)) = (std::env::var(ROOT), std::env::var(RUN), std::env::var(DRIVER))
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let parameters = Parameters::from_iter([("rootdirectory", root.as_str()), ("durability", "none")]);
        let storage = open_path(Path::new(&driver), parameters).await.unwrap();
        if run == "unpublished" {
            publish_nothing(&storage).await;
        }
        let all = WORKERS.map(|worker| tokio::spawn(work(worker, storage.clone(), run.clone())));
        for worker in all {
            worker.await.unwrap();
        }
    });
}

async fn work(worker: Worker, storage: Storage, run: String) {
    for step in 0.. {
        say(&format!("{} {step} begin", worker.name()));
        worker.step(&storage, &run, step).await.unwrap();
        say(&format!("{} {step} done", worker.name()));
    }
}

/// Writes for ever: an upload that is never ended, and one that goes on after a close.
async fn publish_nothing(storage: &Storage) {
    let mut closed = storage.writer("/closed", WriteMode::Create).await.unwrap();
    closed.write("closed").await.unwrap();
    closed.close().await.unwrap();
    let mut resumed = storage.writer("/closed", WriteMode::Append).await.unwrap();
    let mut open = storage.writer("/open", WriteMode::Create).await.unwrap();
    say("begin");
    loop {
        resumed.write(vec![1; 100_000]).await.unwrap();
        open.write(vec![2; 300_000]).await.unwrap();
    }
}

/// Starts a host and waits for its first operation; what it said until then.
fn start(
    root: &Path,
    run: &str,
    executable: &Executable,
) -> (Child, impl Iterator<Item = String> + Send + use<>) {
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "host::host", "--nocapture", "--test-threads=1"])
        .env(ROOT, root)
        .env(RUN, run)
        .env(DRIVER, executable.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.by_ref().find(|line| line.contains('@')).expect("the host ended by itself");
    (host, std::iter::once(first).chain(lines))
}

/// Kills the host, and waits for the end of its driver; how long that took.
fn kill_host(mut host: Child, executable: &Executable) -> Duration {
    let Started { process: driver, socket } = executable.started().pop().unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    let gone = wait_until(|| !runs(driver)).expect("the driver outlives its host");
    assert!(!socket.parent().unwrap().exists(), "the directory of {socket:?} is left");
    gone
}

fn in_process(root: &Path) -> Storage {
    FilesystemParameters::new(root).with_durability("none").into_storage().unwrap()
}

#[test]
fn a_killed_host_takes_its_driver_along_and_loses_nothing() {
    let wanted = wanted(15, 60);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let executable = Executable::driver("filesystem");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let (mut kills, mut hosts, mut in_flight, mut steps) = (0, 0, 0, 0);
    let mut longest = Duration::ZERO;
    while kills < wanted {
        hosts += 1;
        assert!(hosts < 2 * wanted + 10, "only {kills} of {hosts} kills met an operation");
        let run = format!("run{hosts}");
        let (host, lines) = start(&root, &run, &executable);
        let reader = std::thread::spawn(move || lines.collect::<Vec<_>>());
        std::thread::sleep(random_part(WORKED, hosts));
        longest = longest.max(kill_host(host, &executable));
        let said = reader.join().unwrap();
        let came: Vec<_> = WORKERS.iter().map(|&worker| (worker, Progress::of(worker, &said))).collect();
        let busy = came.iter().filter(|(_, progress)| progress.in_flight).count();
        kills += usize::from(busy > 0);
        in_flight += busy;
        steps += came.iter().map(|(_, progress)| progress.done).sum::<u64>();
        runtime.block_on(async {
            let storage = in_process(&root);
            for (worker, progress) in came {
                if let Err(wrong) = worker.check(&storage, &run, progress).await {
                    panic!("{run}: {} after {progress:?}: {wrong}", worker.name());
                }
            }
            clean(&storage, &root, &run).await;
        });
    }
    println!(
        "{kills} kills of {hosts} hosts, {in_flight} operations in flight, {steps} acknowledged, a driver gone after \
         {longest:.1?} at most (the rule: 1 s), {:.1} s",
        started.elapsed().as_secs_f64()
    );
}

#[test]
fn a_host_killed_mid_write_publishes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let executable = Executable::driver("filesystem");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..5 {
        let (host, _lines) = start(&root, "unpublished", &executable);
        std::thread::sleep(random_part(WORKED, round));
        let gone = kill_host(host, &executable);
        println!("the driver was gone after {gone:.1?} (the rule: 1 s)");
        runtime.block_on(async {
            let storage = in_process(&root);
            assert!(storage.list("/").await.unwrap().is_empty(), "something was published");
            let closed = storage.writer("/closed", WriteMode::Append).await.unwrap();
            assert_eq!(closed.size(), "closed".len() as u64);
            closed.cancel().await.unwrap();
            storage.abort_stale("/", Duration::ZERO).await.unwrap();
        });
    }
}
