//! What happens when a process dies: DataNode and NameNode killed and started again during writes, and a client
//! killed in the middle of an upload.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use storagedriver::{Error, Storage, WalkOptions, WriteMode};

use super::{given, new_root, run, storage};

/// Where the child works.
const ROOT: &str = "STORAGEDRIVER_TEST_ROOT";

/// How long a server may take to be back.
const PATIENCE: Duration = Duration::from_secs(240);

/// How much is written before the server is killed, and after it is back.
const BEFORE: usize = 12;
const AFTER: usize = 6;

fn pid(process: &str) -> String {
    let place = given()["processes"][process].as_str().unwrap().to_owned();
    std::fs::read_to_string(place).unwrap().trim().to_owned()
}

/// Kills a server; it is started again by whoever started it.
fn kill(process: &str) {
    let pid = pid(process);
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success(), "no {process} {pid}");
}

/// Content that tells which it is, and whether it is whole.
fn content(worker: usize, step: usize) -> String {
    let length = if step % 3 == 2 { 1_500_000 } else { 3_000 };
    let line = format!("{worker} {step} {length}\n");
    let mut content = line.repeat(length / line.len() + 1);
    content.truncate(length);
    content
}

/// Which step a content is of; fails if it is not whole.
fn step_of(worker: usize, read: &[u8]) -> usize {
    let text = std::str::from_utf8(read).unwrap();
    let step =
        text.split(' ').nth(1).unwrap_or_else(|| panic!("{} bytes are torn", read.len())).parse().unwrap();
    assert!(text == content(worker, step), "worker {worker}: {} bytes of step {step} are torn", read.len());
    step
}

async fn write(storage: &Storage, path: &str, content: String, streamed: bool) -> Result<(), Error> {
    if !streamed {
        return storage.put_content(path, content).await;
    }
    let half = content.len() / 2;
    let mut writer = storage.writer(path, WriteMode::Create).await?;
    writer.write(content[..half].to_owned()).await?;
    let closed = writer.close().await?;
    let mut writer = storage.writer(path, WriteMode::Append).await?;
    if writer.size() != closed {
        panic!("{path}: closed at {closed} bytes, resumed at {}", writer.size());
    }
    writer.write(content[half..].to_owned()).await?;
    writer.commit().await
}

/// One writer that replaces one path again and again. What it was told is done has to be there.
async fn work(storage: Storage, worker: usize, killed: Arc<AtomicBool>) -> (usize, usize) {
    let path = format!("/{worker}/data");
    let (mut done, mut failed) = (0, 0);
    let (mut after, mut step, mut acknowledged) = (0, 0, None);
    let started = Instant::now();
    while after < AFTER {
        assert!(
            started.elapsed() < PATIENCE,
            "worker {worker} was not served again: {done} done, {failed} failed"
        );
        match write(&storage, &path, content(worker, step), worker % 2 == 1).await {
            Ok(()) => {
                acknowledged = Some(step);
                done += 1;
                after += usize::from(killed.load(Ordering::Relaxed));
            }
            Err(error) => {
                assert!(killed.load(Ordering::Relaxed), "worker {worker}, step {step}: {error}");
                failed += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        // Something that was tried later than what was acknowledged may be there, but nothing older.
        if let (Ok(read), Some(least)) = (storage.get_content(&path).await, acknowledged) {
            let found = step_of(worker, &read);
            assert!(
                (least..=step).contains(&found),
                "worker {worker}: {found} is there, {least} was acknowledged"
            );
        }
        step += 1;
    }
    (done, failed)
}

async fn restarted(process: &'static str) {
    let root = new_root(process);
    let storage = storage(&root).await;
    // What nobody touches meanwhile.
    for number in 0..BEFORE {
        storage.put_content(&format!("/kept/{number}"), content(9, number)).await.unwrap();
    }
    let killed = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> =
        (0..4).map(|worker| tokio::spawn(work(storage.clone(), worker, killed.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    killed.store(true, Ordering::Relaxed);
    let before = pid(process);
    kill(process);
    for (worker, task) in workers.into_iter().enumerate() {
        let (done, failed) = task.await.unwrap();
        eprintln!("{process} killed: worker {worker}: {done} writes acknowledged, {failed} failed");
    }
    let started = Instant::now();
    while pid(process) == before {
        assert!(started.elapsed() < PATIENCE, "{process} was not started again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for number in 0..BEFORE {
        let read = storage.get_content(&format!("/kept/{number}")).await.unwrap();
        assert_eq!(step_of(9, &read), number);
    }
    for worker in 0..4 {
        step_of(worker, &storage.get_content(&format!("/{worker}/data")).await.unwrap());
    }
    assert_clean(&storage).await;
    storage.delete("/kept").await.unwrap();
}

/// Nothing is left once what was given up is aborted, and there is nothing but what was written.
async fn assert_clean(storage: &Storage) {
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!(storage.uploads("/").await.unwrap(), []);
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    while let Some(info) = walk.next().await.unwrap() {
        let name = info.path().name();
        assert!(info.is_dir() || name == "data" || info.path().as_str().starts_with("/kept/"), "{info:?}");
    }
}

#[test]
fn a_datanode_is_killed_during_writes() {
    run(restarted("datanode"));
}

#[test]
fn a_namenode_is_killed_during_writes() {
    run(restarted("namenode"));
}

const CLOSED: usize = 2_500_000;
const LOST: usize = 1_300_000;

fn say(line: &str) {
    // Not by `println`, which libtest may hold back.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The child: does nothing unless the parent started it.
#[test]
fn child() {
    let Ok(root) = std::env::var(ROOT) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let storage = storage(&root).await;
        let mut writer = storage.writer("/a/data", WriteMode::Create).await.unwrap();
        writer.write(vec![b'a'; CLOSED]).await.unwrap();
        assert_eq!(writer.close().await.unwrap(), CLOSED as u64);
        let mut writer = storage.writer("/a/data", WriteMode::Append).await.unwrap();
        writer.write(vec![b'b'; LOST]).await.unwrap();
        say("written");
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn a_client_is_killed_in_an_upload_and_another_goes_on() {
    run(async {
        let root = new_root("client");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "restarts::child", "--nocapture", "--test-threads=1"])
            .env(ROOT, &root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let written = lines.any(|line| line.unwrap().contains("@written"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(written, "the child ended by itself");

        let storage = storage(&root).await;
        let mut writer = storage.writer("/a/data", WriteMode::Append).await.unwrap();
        assert_eq!(writer.size(), CLOSED as u64, "what was closed, and nothing past it");
        writer.write("the end").await.unwrap();
        writer.commit().await.unwrap();
        let read = storage.get_content("/a/data").await.unwrap();
        assert_eq!(read.len(), CLOSED + 7);
        assert!(read[..CLOSED].iter().all(|&byte| byte == b'a') && &read[CLOSED..] == b"the end");
        // What the dead client had open goes with the upload.
        assert_eq!(storage.uploads("/").await.unwrap(), []);
        storage.delete("/a").await.unwrap();
    });
}
