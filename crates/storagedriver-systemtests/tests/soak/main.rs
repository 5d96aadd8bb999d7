//! Mixed operations for minutes on in-memory, filesystem, S3 and a driver out of process, each compared with a model;
//! nothing may grow meanwhile. Started by `cargo xtask soak`.
//!
//! One executable in three roles, so that the memory of a server is not that of its client: this program, the S3
//! server that it starts, and the driver out of process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod model;
mod process;
mod server;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use storagedriver::{Parameters, Storage, factory};
use storagedriver_filesystem as _;
use storagedriver_systemtests::growth;
use tokio::sync::Barrier;

use self::process::Sample;
use self::server::Server;
use self::work::Worker;

/// How long to go on, in minutes; a fraction is allowed.
const MINUTES: &str = "STORAGEDRIVER_SOAK_MINUTES";
/// How many samples are taken in a run: each after all storages were emptied.
const SAMPLES: u32 = 40;

fn main() -> std::process::ExitCode {
    let own = std::env::args_os().next().map(std::path::PathBuf::from).unwrap_or_default();
    if own.file_name().is_some_and(|name| name == "registry-storage-inmemory") {
        return storagedriver_ipc::main(&[storagedriver_inmemory::DRIVER]);
    }
    if std::env::args().nth(1).as_deref() == Some(server::ROLE) {
        server::serve();
        return std::process::ExitCode::SUCCESS;
    }
    let minutes = std::env::var(MINUTES).ok().map_or(10.0, |text| text.parse::<f64>().unwrap());
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(soak(Duration::from_secs_f64(minutes * 60.0)));
    std::process::ExitCode::SUCCESS
}

async fn open(driver: &str, parameters: &[(&str, &str)]) -> Storage {
    factory::create(driver, Parameters::from_iter(parameters.iter().copied())).await.unwrap()
}

async fn soak(duration: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let executable = directory.path().join("registry-storage-inmemory");
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &executable).unwrap();
    let mut server = Server::start();
    let workers = [
        // So many operations in a second that all together take about a third of a processor.
        (open("inmemory", &[]).await, "inmemory", 90),
        (open("filesystem", &[("rootdirectory", root.to_str().unwrap())]).await, "filesystem", 60),
        (open("s3", &server.parameters()).await, "s3", 20),
        (open("external", &[("path", executable.to_str().unwrap())]).await, "out of process", 45),
    ];
    // Each round ends with a sample.
    let round = duration / SAMPLES;
    let started = Instant::now();
    let quiet = Arc::new(Barrier::new(workers.len() + 1));
    let running: Vec<_> = workers
        .into_iter()
        .zip(1..)
        .map(|((storage, name, rate), seed)| {
            let worker = Worker::new(storage, name, seed, rate);
            tokio::spawn(worker.rounds(SAMPLES, started, round, quiet.clone()))
        })
        .collect();
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        tokio::select! {
            _ = quiet.wait() => {}
            () = one_failed(&running) => break,
        }
        samples.push(Sample::take(&root, server.objects()));
        println!("{:>5} s  {}", started.elapsed().as_secs(), samples[samples.len() - 1]);
        quiet.wait().await;
    }
    for worker in running {
        println!("{}", worker.await.unwrap());
    }
    println!("cpu: {:.2} of a processor", process::cpu().as_secs_f64() / started.elapsed().as_secs_f64());
    let grown: Vec<String> = Sample::BOUNDS
        .iter()
        .filter_map(|(name, bound, of)| {
            let series: Vec<u64> = samples.iter().map(of).collect();
            growth(&series, *bound).map(|grown| format!("{name}: {grown}"))
        })
        .collect();
    assert!(grown.is_empty(), "it grows:\n{}", grown.join("\n"));
}

/// Returns when a worker has ended before its time: it found something wrong, and the others would wait for it.
async fn one_failed<T>(running: &[tokio::task::JoinHandle<T>]) {
    while !running.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
