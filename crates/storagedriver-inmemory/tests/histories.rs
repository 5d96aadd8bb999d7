//! Histories of operations whose directories come and go with them: a file that is put, moved or deleted
//! changes up to four directories, and must change them in one step.

use storagedriver::Storage;
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::model::history::{Plan, record};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn across_directories_that_come_and_go() {
    for seed in 0..30 {
        let mut plan = Plan::with_seed(seed);
        plan.paths = ["/p/q/a", "/p/r/s/b", "/t"].map(str::to_owned).to_vec();
        let history = record(&Storage::new(InMemory::new()), &plan).await.unwrap();
        history.check().unwrap_or_else(|unexplained| panic!("{unexplained}\nseed {seed}"));
    }
}
