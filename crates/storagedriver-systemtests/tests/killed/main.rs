//! Clients that are killed (SIGKILL) at random instants in the middle of an upload, a rename, a delete,
//! on a real server: for the next process nothing is torn, nothing that was acknowledged is lost, a
//! rename left the old file, the new one or both, and `abort_stale` leaves the server nothing.
//!
//! The child is this executable again. Each of its workers goes through steps that follow from its
//! kind and a number, and tells the parent by a pipe before and after each; so the parent knows
//! what was acknowledged, and what was in flight.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod check;
mod child;
mod steps;

use std::collections::BTreeMap;
use std::time::Duration;

use child::{Acknowledged, Instant, kill_one};
use steps::{WORKERS, Worker};
use storagedriver::Storage;
use storagedriver_systemtests::{GivenStorage, Server};

/// How many kills have to meet an operation of each kind, unless `STORAGEDRIVER_KILLS` says another
/// number.
const KILLS: usize = 30;

/// How long after the beginning of an operation it is killed at most, when nothing is known of how
/// long one takes.
const WORKED: Duration = Duration::from_millis(100);

/// How long what a killed client has sent may take to be done: until then the server is still moving.
const SETTLED: Duration = Duration::from_millis(500);

/// The storage with limits so low that files of a few MiB are uploaded and copied in parts.
fn given() -> GivenStorage {
    let given = GivenStorage::from_environment().unwrap();
    given
        .with("chunksize", 5 << 20)
        .with("multipartcopythresholdsize", 5 << 20)
        .with("multipartcopychunksize", 5 << 20)
}

/// The child: does nothing unless the parent started it.
#[test]
fn child() {
    if let Some(root) = child::root() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(child::work(given(), root));
    }
}

#[test]
fn killed_in_the_middle() {
    let wanted =
        std::env::var("STORAGEDRIVER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = std::time::Instant::now();
    let (mut kills, mut acknowledged, mut children) = (BTreeMap::<_, usize>::new(), 0, 0);
    let mut worked = BTreeMap::from(WORKERS.map(|worker| (worker, WORKED)));
    while let Some(worker) = rarest(&kills, wanted) {
        children += 1;
        assert!(children <= 10 * wanted, "of {children} kills only these met an operation: {kills:?}");
        let root = format!("killed-{}-{children}", std::process::id());
        let (step, part) = random(children);
        let most = worked.get_mut(&worker).unwrap();
        let came = kill_one(&root, Instant { worker, step, after: most.mul_f64(part) });
        for (worker, progress) in &came {
            *kills.entry(*worker).or_default() += usize::from(progress.is_amid(*worker));
            acknowledged += progress.done;
        }
        // So that the kills are spread over the whole operation, however fast the machine is.
        let met = came.iter().any(|(killed, progress)| *killed == worker && progress.is_amid(worker));
        *most = most.mul_f64(if met { 1.2 } else { 0.7 });
        std::thread::sleep(SETTLED);
        runtime.block_on(after_a_kill(&root, &came));
    }
    println!(
        "{children} kills, {acknowledged} operations acknowledged, met {kills:?} within {worked:?}, {:.1} s",
        started.elapsed().as_secs_f64()
    );
}

/// The kind that was met least, if one of them was not met often enough.
fn rarest(kills: &BTreeMap<Worker, usize>, wanted: usize) -> Option<Worker> {
    let met = |worker: &Worker| kills.get(worker).copied().unwrap_or_default();
    WORKERS.into_iter().min_by_key(met).filter(|worker| met(worker) < wanted)
}

/// What the next process has to find and can do.
async fn after_a_kill(root: &str, came: &[(Worker, Acknowledged)]) {
    let given = given();
    let storage = given.open(root).await.unwrap();
    for (worker, progress) in came {
        if let Err(wrong) = check::check(*worker, &storage, *progress).await {
            panic!("{root}: {worker:?} after {progress:?}: {wrong}");
        }
    }
    let reaper = given.open_without_writers(root).unwrap();
    reaper.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!(reaper.uploads("/").await.unwrap().len(), 0, "{root}: uploads after abort_stale");
    let server = Server::new(&given).unwrap();
    let prefix = format!("{root}/");
    assert_eq!(server.open_uploads(&prefix).await.unwrap(), [], "{root}: the server's own uploads");
    delete_all(&storage).await;
    assert_eq!(server.keys(&prefix).await.unwrap(), [""; 0], "{root}: hidden objects");
}

async fn delete_all(storage: &Storage) {
    for entry in storage.list("/").await.unwrap() {
        storage.delete(entry.path().as_str()).await.unwrap();
    }
}

/// Which step of its kind is killed, and after which part of the time; others for each number and in
/// each run.
fn random(number: usize) -> (u64, f64) {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number);
    (random % 4, f64::from(u32::try_from(random >> 32).unwrap()) / f64::from(u32::MAX))
}
