//! The runs, each in a process of its own: its memory is measured.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use storagedriver::{FileInfo, Parameters, Storage, Value, factory};
use storagedriver_cli::registry::{Entry, FaultKind};
use storagedriver_cli::sync::{SyncOptions, sync};
use storagedriver_cli::transfer::{Event, Monitor};
use storagedriver_cli::usage::UsageWalk;
use storagedriver_cli::verify::{VerifyOptions, verify};

use crate::generated::{GETS, LIST_CALLS, STATS};
use crate::registry::Registry;

/// The most memory that a run may ever have: 128 MiB.
const MEMORY: u64 = 128 << 20;
/// Says to the child what to do.
const RUN: &str = "STORAGEDRIVER_SCALE_RUN";
/// Says to the child how many files there are.
const FILES: &str = "STORAGEDRIVER_SCALE_FILES";

async fn open(files: u64, lacks: Option<&Entry>) -> Storage {
    let files = ("files", Value::from(files as i64));
    let lacks = lacks.and_then(Entry::path).map(|path| ("lacks", path.into()));
    factory::create("generated", Parameters::from_iter([files].into_iter().chain(lacks))).await.unwrap()
}

/// A monitor that writes down what happens, and the list it writes to.
fn recording() -> (Arc<Monitor>, Arc<Mutex<Vec<Event>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let monitor = Monitor::new(move |event: &Event| match event {
        Event::Began(_) => {}
        event => sink.lock().unwrap().push(event.clone()),
    });
    (Arc::new(monitor), seen)
}

/// `sync --dry-run` where the destination lacks one link.
async fn compare(registry: &Registry, files: u64) {
    let missing = registry.its_link();
    let (from, to) = (open(files, None).await, open(files, Some(&missing)).await);
    let (monitor, seen) = recording();
    let mut options = SyncOptions::default();
    options.dry_run = true;
    let summary = sync(&from, &to, &options, &monitor).await.unwrap();
    assert_eq!((summary.copied, summary.same, summary.faults), (1, registry.files() - 1, 0));
    let path = missing.path().unwrap();
    assert_eq!(*seen.lock().unwrap(), [Event::WouldCopy { path, bytes: 71 }]);
    // The two together: no more pages than there are.
    assert_eq!(LIST_CALLS.load(Ordering::Relaxed), 2 * registry.files().div_ceil(1000));
    // Tags, which are compared by their bytes, at both sides.
    assert_eq!((GETS.load(Ordering::Relaxed), STATS.load(Ordering::Relaxed)), (2 * registry.tags(), 0));
}

/// `verify --links-only` where one blob is missing.
async fn check(registry: &Registry, files: u64) {
    let missing = registry.some_blob();
    let storage = open(files, Some(&missing)).await;
    let (monitor, seen) = recording();
    let mut options = VerifyOptions::default();
    options.links_only = true;
    let summary = verify(&storage, &options, &monitor).await.unwrap();
    assert_eq!((summary.blobs, summary.hashed, summary.faults), (registry.blobs() - 1, 0, 1));
    assert_eq!(summary.links, registry.files() - registry.blobs());
    assert_eq!(summary.unreferenced, Some(registry.blobs() - 1 - registry.referenced()));
    let [Event::Fault(fault)] = &seen.lock().unwrap()[..] else { panic!("not one fault") };
    assert_eq!((fault.kind, &fault.path), (FaultKind::MissingBlob, &registry.its_link().path().unwrap()));
    assert!(LIST_CALLS.load(Ordering::Relaxed) <= registry.files().div_ceil(1000) + 1);
    // Every link, the manifest behind every revision, and the link without its blob once more. What is there is
    // known from the walk; only what is not is asked for.
    let gets = summary.links + registry.tags() + 1;
    assert_eq!((GETS.load(Ordering::Relaxed), STATS.load(Ordering::Relaxed)), (gets, 1));
}

/// `du`, and what every directory holds.
async fn sum_up(registry: &Registry, files: u64) {
    let storage = open(files, None).await;
    let mut walk = UsageWalk::new(&storage, "/", usize::MAX).await.unwrap();
    let (mut directories, mut bytes, mut told, mut all) = (0, 0, 0, None);
    let mut seen = |entry: &FileInfo| {
        directories += u64::from(entry.is_dir());
        bytes += entry.size().unwrap_or_default();
    };
    while let Some(usage) = walk.next(&mut seen).await.unwrap() {
        told += 1;
        all = Some(usage);
    }
    let all = all.unwrap();
    assert_eq!((all.depth, all.files, all.bytes), (0, registry.files(), bytes));
    // Those of the walk, and the root.
    assert_eq!(told, directories + 1);
    assert!(directories > registry.files(), "each file has a directory of its own");
    assert_eq!(LIST_CALLS.load(Ordering::Relaxed), registry.files().div_ceil(1000));
    assert_eq!(GETS.load(Ordering::Relaxed), 0);
}

/// Not a test by itself: what the others start.
#[test]
fn the_child() {
    let (Ok(run), Ok(files)) = (std::env::var(RUN), std::env::var(FILES)) else { return };
    let files: u64 = files.parse().unwrap();
    let registry = Registry::new(files);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match run.as_str() {
            "sync" => compare(&registry, files).await,
            "du" => sum_up(&registry, files).await,
            _ => check(&registry, files).await,
        }
    });
    let peak = peak();
    println!("{run} of {files} files: {} MiB, {} list calls", peak >> 20, LIST_CALLS.load(Ordering::Relaxed));
    assert!(peak <= MEMORY, "{peak} bytes");
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn start(run: &str, files: u64) {
    let started = std::time::Instant::now();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "runs::the_child", "--nocapture"]).env(RUN, run).env(FILES, files.to_string());
    let output = child.output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}{error}{run}: {:.1} s", started.elapsed().as_secs_f64());
    assert!(output.status.success(), "{run} of {files} files failed");
    assert!(out.contains(&format!("{run} of {files} files")), "the child did not run");
}

#[test]
fn two_registries_of_two_million_files_are_compared() {
    start("sync", 2_000_000);
}

#[test]
fn a_registry_of_two_million_files_is_checked() {
    start("verify", 2_000_000);
}

#[test]
fn a_registry_of_two_million_files_is_summed_up() {
    start("du", 2_000_000);
}

/// `cargo test --release -p storagedriver-cli --test scale -- --ignored --nocapture`: minutes.
#[test]
#[ignore = "takes minutes, and a release build"]
fn twenty_million_files_are_compared_and_checked() {
    start("sync", 20_000_000);
    start("verify", 20_000_000);
}
