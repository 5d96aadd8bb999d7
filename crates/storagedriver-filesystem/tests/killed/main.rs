//! A process that is killed (SIGKILL) at random instants under load: nothing torn, nothing lost that
//! was acknowledged, nothing left after `abort_stale`.
//!
//! The child is this executable again. Each of its workers goes through operations that follow from
//! its kind and a number, and writes a line before and after each. The parent kills the child,
//! reads the lines, and so knows for each worker what was done and what was in flight.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod workers;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use storagedriver::Storage;
use storagedriver_filesystem::FilesystemParameters;
use workers::{Progress, WORKERS, Worker};

/// How many kills that count one run makes, unless `STORAGEDRIVER_KILLS` says another number.
const KILLS: usize = 300;
/// How long a child works at most.
const WORKED: Duration = Duration::from_millis(60);

const ROOT: &str = "STORAGEDRIVER_TEST_ROOT";
const RUN: &str = "STORAGEDRIVER_TEST_RUN";
const DURABILITY: &str = "STORAGEDRIVER_TEST_DURABILITY";

fn storage(root: &Path, durability: &'static str) -> Storage {
    FilesystemParameters::new(root).with_durability(durability).into_storage().unwrap()
}

fn say(line: &str) {
    // Not by `println`, which libtest may hold back.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The child: does nothing unless the parent started it.
#[test]
fn child() {
    let (Ok(root), Ok(run)) = (std::env::var(ROOT), std::env::var(RUN)) else {
        return;
    };
    let durability = if std::env::var(DURABILITY).as_deref() == Ok("full") { "full" } else { "none" };
    let storage = storage(Path::new(&root), durability);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut all = Vec::new();
        for worker in WORKERS {
            let (storage, run) = (storage.clone(), run.clone());
            all.push(tokio::spawn(async move {
                for step in 0.. {
                    say(&format!("{} {step} begin", worker.name()));
                    worker.step(&storage, &run, step).await.unwrap();
                    say(&format!("{} {step} done", worker.name()));
                }
            }));
        }
        for worker in all {
            worker.await.unwrap();
        }
    });
}

/// Lets a child work for a while and kills it; how far each worker came, if any was at work.
fn kill_one(root: &Path, run: &str, durability: &str, worked: Duration) -> Vec<(Worker, Progress)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(ROOT, root)
        .env(RUN, run)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    // The clock starts with the first operation.
    for line in lines.by_ref() {
        said.push(line.unwrap());
        if said.last().is_some_and(|line| line.contains('@')) {
            break;
        }
    }
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(worked);
    child.kill().unwrap();
    said.extend(reader.join().unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(
        !output.status.success() && std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9),
        "the child ended by itself: {}{}",
        said.join("\n"),
        String::from_utf8_lossy(&output.stderr)
    );
    WORKERS.iter().map(|&worker| (worker, Progress::of(worker, &said))).collect()
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
        } else {
            assert!(!name.starts_with('~'), "{path:?} is left");
            if path.is_dir() {
                assert_clean(root, &path);
            }
        }
    }
    assert!(!empty || directory == root, "{directory:?} is left empty");
}

#[test]
fn killed_at_random_instants() {
    let wanted =
        std::env::var("STORAGEDRIVER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let (mut kills, mut children, mut steps, mut in_flight) = (0, 0, 0, 0);
    while kills < wanted {
        children += 1;
        assert!(children < 2 * wanted, "too few of {children} kills met an operation");
        let run = format!("run{children}");
        let durability = if children % 4 == 0 { "full" } else { "none" };
        let worked = WORKED.mul_f64(
            f64::from(std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), children) as u32)
                / f64::from(u32::MAX),
        );
        let came = kill_one(&root, &run, durability, worked);
        let busy = came.iter().filter(|(_, progress)| progress.in_flight).count();
        kills += usize::from(busy > 0);
        in_flight += busy;
        steps += came.iter().map(|(_, progress)| progress.done).sum::<u64>();
        runtime.block_on(async {
            let storage = storage(&root, "none");
            for (worker, progress) in came {
                if let Err(wrong) = worker.check(&storage, &run, progress).await {
                    panic!("{run}, {durability}: {} after {progress:?}: {wrong}", worker.name());
                }
            }
            storage.abort_stale("/", Duration::ZERO).await.unwrap();
            assert!(storage.uploads("/").await.unwrap().is_empty());
            assert_clean(&root, &root);
            if storage.exists(&format!("/{run}")).await.unwrap() {
                storage.delete(&format!("/{run}")).await.unwrap();
            }
            assert!(storage.list("/").await.unwrap().is_empty());
        });
    }
    println!(
        "{kills} kills of {children}, {in_flight} operations in flight, {steps} acknowledged, {:.1} s",
        started.elapsed().as_secs_f64()
    );
}
