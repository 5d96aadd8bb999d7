//! The driver is killed under load, and what its host knows is compared with what is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use storagedriver::{Error, ErrorKind, Parameters, Storage, WriteMode};

use crate::executable::{Executable, open};
use crate::workers::{Progress, WORKERS, Worker};
use crate::{clean, kill, random_part, wanted};

/// How long a driver works at most before it is killed.
const WORKED: Duration = Duration::from_millis(150);
/// How long a call after a kill may take: a restart, with its pause, on a busy machine.
const RESTARTED: Duration = Duration::from_secs(60);

fn parameters(root: &Path) -> Parameters {
    Parameters::from_iter([("rootdirectory", root.display().to_string().as_str()), ("durability", "none")])
}

/// Works until a call fails or `stop` is set. Says how far it came, and the failure.
async fn work(
    worker: Worker,
    storage: Storage,
    run: String,
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> (Worker, Progress, Option<Error>) {
    for step in 0.. {
        if let Err(error) = worker.step(&storage, &run, step).await {
            return (worker, Progress { done: step, in_flight: true }, Some(error));
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            return (worker, Progress { done: step + 1, in_flight: false }, None);
        }
    }
    unreachable!("there is always a next step")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_driver_loses_nothing_that_it_acknowledged() {
    let wanted = wanted(25, 150);
    let executable = Executable::driver("filesystem");
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let storage = open(&executable, parameters(&root)).await.unwrap();
    let started = Instant::now();
    let (mut kills, mut attempts, mut in_flight) = (0, 0, 0);
    let mut longest_restart = Duration::ZERO;
    let acknowledged = Arc::new(AtomicU64::new(0));
    while kills < wanted {
        attempts += 1;
        assert!(attempts < 2 * wanted + 10, "only {kills} of {attempts} kills met an operation");
        let (run, stop) = (format!("run{attempts}"), Arc::new(AtomicBool::new(false)));
        let before = acknowledged.load(Ordering::Relaxed);
        let all = WORKERS.map(|worker| {
            tokio::spawn(work(worker, storage.clone(), run.clone(), acknowledged.clone(), stop.clone()))
        });
        // The clock starts with the first operation that was done.
        while acknowledged.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(random_part(WORKED, attempts)).await;
        kill(executable.started().pop().unwrap().process);
        stop.store(true, Ordering::Relaxed);
        let mut came = Vec::new();
        for worker in all {
            let ended =
                tokio::time::timeout(RESTARTED, worker).await.expect("a call hangs after the kill").unwrap();
            if let (_, _, Some(error)) = &ended {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(error.is_retryable(), "{error}");
            }
            came.push(ended);
        }
        let busy = came.iter().filter(|(_, _, error)| error.is_some()).count();
        kills += usize::from(busy > 0);
        in_flight += busy;
        // The next call works; where none was in flight, it may be the one that finds the driver dead.
        let asked = Instant::now();
        let asking = async || {
            tokio::time::timeout(RESTARTED, storage.stat("/")).await.expect("the driver is not back")
        };
        match asking().await {
            Err(error) if busy == 0 && error.kind() == ErrorKind::Unavailable => {
                drop(asking().await.unwrap())
            }
            next => drop(next.unwrap_or_else(|error| panic!("after {came:?}: {error}"))),
        }
        longest_restart = longest_restart.max(asked.elapsed());
        for (worker, progress, error) in came {
            if let Err(wrong) = worker.check(&storage, &run, progress).await {
                panic!("{run}: {} after {progress:?} and {error:?}: {wrong}", worker.name());
            }
        }
        clean(&storage, &root, &run).await;
    }
    println!(
        "{kills} kills of {attempts}, {in_flight} operations in flight, {} acknowledged, {} processes, longest \
         restart {longest_restart:.1?}, {:.1} s",
        acknowledged.load(Ordering::Relaxed),
        executable.started().len(),
        started.elapsed().as_secs_f64()
    );
}

/// An upload goes on from its last close, whatever the host sent since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_resumes_from_its_last_close() {
    let executable = Executable::driver("filesystem");
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let storage = open(&executable, parameters(&root)).await.unwrap();
    let content = storagedriver_testsuites::fixture::pattern(3, 5 << 20);
    let mut closed = 0;
    for round in 0..4usize {
        let mode = if round == 0 { WriteMode::Create } else { WriteMode::Append };
        let mut writer = storage.writer("/upload", mode).await.unwrap();
        assert_eq!(writer.size(), closed as u64);
        writer.write(content.slice(closed..closed + 700_000)).await.unwrap();
        closed += 700_000;
        assert_eq!(writer.close().await.unwrap(), closed as u64);

        // Past the close, and lost.
        let mut writer = storage.writer("/upload", WriteMode::Append).await.unwrap();
        writer.write(content.slice(..300_000)).await.unwrap();
        kill(executable.started().pop().unwrap().process);
        let ended = match round % 2 {
            0 => writer.commit().await,
            _ => writer.close().await.map(drop),
        };
        let error = ended.expect_err("the driver is dead");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(!storage.exists("/upload").await.unwrap());
        let listed = storage.uploads("/upload").await.unwrap();
        assert!(listed.iter().any(|upload| upload.size() == closed as u64), "{listed:?}");
    }
    let writer = storage.writer("/upload", WriteMode::Append).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content("/upload").await.unwrap(), content.slice(..closed));
}

/// A reader and a walk that were under way end in an error too, not in an early end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_says_so() {
    let executable = Executable::driver("filled");
    let parameters = Parameters::from_iter([("children", "50000"), ("large", "33554432")]);
    let storage = open(&executable, parameters).await.unwrap();
    let mut reader = storage.reader("/large", storagedriver::ReadOptions::all()).await.unwrap();
    let mut walk = storage.walk("/", storagedriver::WalkOptions::new()).await.unwrap();
    let first = reader.next().await.unwrap().unwrap();
    walk.next().await.unwrap().unwrap();
    kill(executable.started()[0].process);
    let mut read = first.len();
    let error = loop {
        match reader.next().await {
            Some(Ok(chunk)) => read += chunk.len(),
            Some(Err(error)) => break error,
            None => panic!("the stream ended after {read} bytes as if it were whole"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let error = loop {
        match walk.next().await {
            Ok(Some(_)) => {}
            Err(error) => break error,
            Ok(None) => panic!("the walk ended as if it were whole"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    tokio::time::timeout(RESTARTED, storage.stat("/large")).await.unwrap().unwrap();
}
