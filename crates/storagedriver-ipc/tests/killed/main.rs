//! Processes that are killed (SIGKILL) at random instants: the driver, and its host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod driver;
#[path = "../drivers/mod.rs"]
mod drivers;
#[path = "../drivers/executable.rs"]
mod executable;
mod host;
#[path = "../drivers/processes.rs"]
mod processes;
// What is done until the kill, and what of it has to be there: as in the driver's own test.
#[path = "../../../storagedriver-filesystem/tests/killed/workers.rs"]
mod workers;

use std::path::Path;
use std::time::Duration;

use storagedriver::Storage;

/// A part of `longest` that differs from call to call.
fn random_part(longest: Duration, seed: usize) -> Duration {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), seed) as u32;
    longest.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

fn kill(process: u32) {
    let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}

/// How many kills that count a run makes.
fn wanted(few: usize, many: usize) -> usize {
    let given = std::env::var("STORAGEDRIVER_KILLS").ok().and_then(|kills| kills.parse().ok());
    given.unwrap_or(if std::env::var_os("STORAGEDRIVER_FULL").is_some() { many } else { few })
}

/// Aborts what uploads a run left, deletes its files, and sees that nothing else is there.
async fn clean(storage: &Storage, root: &Path, run: &str) {
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    assert!(storage.uploads("/").await.unwrap().is_empty());
    if storage.exists(&format!("/{run}")).await.unwrap() {
        storage.delete(&format!("/{run}")).await.unwrap();
    }
    assert!(storage.list("/").await.unwrap().is_empty());
    let staged = std::fs::read_dir(root.join("~staging"));
    assert!(
        staged.is_err() || staged.unwrap().next().is_none(),
        "something is left in the staging directory"
    );
}
