//! The walk against the walk over `list`, and what it holds at most.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use storagedriver::{ErrorKind, Layer, Storage, StorageDriver, WalkKey, WalkOrder};

use super::*;
use crate::durability::Durable;
use crate::sys::Sys;
use crate::{Filesystem, FilesystemParameters};

/// The driver without its own walk.
#[derive(Debug)]
struct ByList(Filesystem);

#[async_trait]
impl Layer for ByList {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }

    async fn walk(&self, _: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        Ok(None)
    }
}

fn by_list(root: &Path) -> Storage {
    Storage::new(ByList(Filesystem::new(&FilesystemParameters::new(root)).unwrap()))
}

fn path(text: &str) -> StoragePath {
    StoragePath::parse(text).unwrap()
}

fn try_begin(
    root: &Path,
    start: &str,
    options: WalkOptions,
    limits: Limits,
    permits: usize,
) -> Result<PrefetchingWalk> {
    let root = Arc::new(Root::new(root.to_owned(), Sys::default(), Durable::new(false)));
    let begun = root.begin_walk(&path(start), options, limits)?.unwrap();
    Ok(PrefetchingWalk::new(begun, Arc::new(Semaphore::new(permits))))
}

fn begin(root: &Path, start: &str, options: WalkOptions, limits: Limits, permits: usize) -> PrefetchingWalk {
    try_begin(root, start, options, limits, permits).unwrap()
}

/// Limits that a small tree meets.
fn tight() -> Limits {
    Limits { jobs: 2, ahead: 8, batch: 4, part: 16, names: 3, open: 2, depth: 2, buffer: 1024 }
}

/// Whether the entries of this directory are skipped.
type Skipped = fn(&StoragePath) -> bool;

const SKIPS: [Skipped; 3] = [
    |_| false,
    |path| path.as_str().len() % 3 == 0,
    |path| path.name().starts_with('a') && path.components().count() > 1,
];

/// So many entries are compared: links that lead in a circle make more than anybody wants.
const COMPARED: usize = 600;

/// What was yielded, and how it ended.
type Told = (Vec<FileInfo>, Option<ErrorKind>);

/// What a walk yields whose `step` skips what was yielded last, if it is told so, and goes on.
async fn told(skipped: Skipped, mut step: impl AsyncFnMut(bool) -> Result<Option<FileInfo>>) -> Told {
    let mut told = Vec::new();
    let mut skips = false;
    while told.len() < COMPARED {
        match step(skips).await {
            Ok(Some(info)) => {
                skips = skipped(info.path());
                told.push(info);
            }
            Ok(None) => return (told, None),
            Err(error) => return (told, Some(error.kind())),
        }
    }
    (told, None)
}

async fn native(mut walk: PrefetchingWalk, skipped: Skipped) -> Told {
    let step = async |skips| {
        if skips {
            walk.skip_dir();
        }
        walk.next().await
    };
    told(skipped, step).await
}

async fn listed(storage: &Storage, start: &str, options: WalkOptions, skipped: Skipped) -> Told {
    let mut walk = match storage.walk(start, options).await {
        Ok(walk) => walk,
        Err(error) => return (Vec::new(), Some(error.kind())),
    };
    let step = async |skips| {
        if skips {
            walk.skip_dir();
        }
        walk.next().await
    };
    told(skipped, step).await
}

/// What stands at a place of a random tree.
#[derive(Debug, Clone)]
enum Made {
    File(usize),
    Directory,
    Link(&'static str),
}

const NAMES: [&str; 11] =
    ["a", "a-", "a.", "a0", "a_", "b", "B", "ab", ".nfs0123456789abcdef01234567", "~a", "a b"];

/// To a sibling, to a directory above, to nothing, out of the root, and to itself.
const TARGETS: [&str; 6] = ["a", "b", "..", "absent", "/", "a0"];

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        4 => (0..9_usize).prop_map(Made::File),
        4 => Just(Made::Directory),
        1 => prop::sample::select(&TARGETS[..]).prop_map(Made::Link),
    ]
}

fn trees() -> impl Strategy<Value = Vec<(Vec<&'static str>, Made)>> {
    let place = prop::collection::vec(prop::sample::select(&NAMES[..]), 1..5);
    prop::collection::vec((place, made()), 0..40)
}

fn make(root: &Path, tree: &[(Vec<&'static str>, Made)]) {
    for (place, made) in tree {
        let path = place.iter().fold(root.to_owned(), |path, name| path.join(name));
        // What is in the way wins: a link may even lead the making elsewhere in the tree.
        let Some(above) = path.parent() else { continue };
        if above.canonicalize().is_ok_and(|above| !above.starts_with(root.canonicalize().unwrap())) {
            continue;
        }
        let _ = std::fs::create_dir_all(above);
        let _ = match made {
            Made::File(size) => std::fs::write(&path, vec![b'x'; *size]),
            Made::Directory => std::fs::create_dir(&path),
            Made::Link(target) => symlink(target, &path),
        };
    }
}

fn starts() -> Vec<Option<WalkKey>> {
    let mut starts = vec![None];
    for text in ["/a", "/a/", "/a/~", "/a-/a0", "/a.", "/b/a/", "/B/~", "/zzz", "/a/b/a-", "/", "/~"] {
        starts.push(Some(text.parse().unwrap()));
    }
    starts
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

async fn compare(root: &Path, start_after: Option<WalkKey>, skipped: Skipped) -> Result<(), TestCaseError> {
    let storage = by_list(root);
    for order in [WalkOrder::Key, WalkOrder::Tree] {
        for start in ["/", "/a"] {
            let mut options = WalkOptions::new();
            options.order = order;
            options.start_after.clone_from(&start_after);
            if !root.join(start.trim_start_matches('/')).is_dir() {
                continue;
            }
            let wanted = listed(&storage, start, options.clone(), skipped).await;
            let loose = Limits { names: 64, ..tight() };
            for (limits, permits) in [(Limits::default(), 8), (tight(), 8), (loose, 0)] {
                let found = match try_begin(root, start, options.clone(), limits.clone(), permits) {
                    Ok(walk) => native(walk, skipped).await,
                    Err(error) => (Vec::new(), Some(error.kind())),
                };
                prop_assert_eq!(
                    &found,
                    &wanted,
                    "{:?} from {}, {:?}, {:?}",
                    order,
                    start,
                    start_after,
                    limits
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_yields_what_the_walk_over_list_yields(
        tree in trees(),
        start_after in prop::sample::select(starts()),
        skipped in prop::sample::select(&SKIPS[..]),
    ) {
        let directory = crate::tests::directory();
        // Relative links that stay inside the root, and one level above it to lead to.
        let root = directory.path().join("root");
        std::fs::create_dir(&root).unwrap();
        make(&root, &tree);
        runtime().block_on(compare(&root, start_after, skipped))?;
    }
}

/// A tree with a directory of many files, many directories of one, and a deep one.
fn large(root: &Path, scale: usize) {
    for at in 0..scale {
        std::fs::create_dir_all(root.join(format!("wide/{at:05}"))).unwrap();
        std::fs::write(root.join(format!("wide/{at:05}/data")), "x").unwrap();
        std::fs::create_dir_all(root.join("flat")).unwrap();
        std::fs::write(root.join(format!("flat/{at:05}")), "x").unwrap();
    }
    let mut deep = root.join("deep");
    for _ in 0..60 {
        std::fs::create_dir(&deep).unwrap();
        for name in ["e", "f", "g"] {
            std::fs::write(deep.join(name), "x").unwrap();
        }
        deep.push("d");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_holds_no_more_than_its_limits_of_large_and_of_deep_trees() {
    let directory = crate::tests::directory();
    large(directory.path(), 700);
    let limits =
        Limits { jobs: 2, ahead: 64, batch: 16, part: 32, names: 50, open: 4, depth: 3, buffer: 4096 };
    for order in [WalkOrder::Key, WalkOrder::Tree] {
        let mut options = WalkOptions::new();
        options.order = order;
        let mut wanted = by_list(directory.path()).walk("/", options.clone()).await.unwrap();
        let mut walk = begin(directory.path(), "/", options, limits.clone(), 8);
        let gauges = walk.shared.tree.meter.gauges.clone();
        let mut entries = 0;
        while let Some(wanted) = wanted.next().await.unwrap() {
            assert_eq!(walk.next().await.unwrap(), Some(wanted));
            entries += 1;
        }
        assert_eq!(walk.next().await.unwrap(), None);
        assert_eq!(entries, 3 + 2 * 700 + 700 + 4 * 60 - 1);
        let most = |gauge: &AtomicUsize| gauge.load(Ordering::SeqCst);
        assert!(most(&gauges.most_jobs) <= limits.jobs);
        // What a job finds comes to what is ready: a batch, and the entry that made it one.
        let most_entries = limits.ahead + limits.jobs * (limits.batch + 1);
        assert!(most(&gauges.most_entries) <= most_entries, "{gauges:?}");
        assert!(most(&gauges.most_names) <= limits.names, "{gauges:?}");
        assert!(most(&gauges.most_read) <= 2 * limits.names, "{gauges:?}");
        // A job has those of its levels open, and the one that it reads.
        let most_open = limits.open + limits.jobs * (limits.depth + 2);
        assert!(most(&gauges.most_open) <= most_open, "{gauges:?}");
        drop(walk);
        assert_eq!(most(&gauges.open), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_it_stops_its_jobs() {
    let directory = crate::tests::directory();
    large(directory.path(), 300);
    for taken in [0, 1, 17] {
        let mut walk = begin(directory.path(), "/", WalkOptions::new(), tight(), 8);
        let gauges = walk.shared.tree.meter.gauges.clone();
        for _ in 0..taken {
            walk.next().await.unwrap().unwrap();
        }
        let shared = Arc::downgrade(&walk.shared);
        drop(walk);
        // A job that runs ends with the call that it is in.
        for _ in 0..10_000 {
            if shared.strong_count() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(shared.strong_count(), 0, "a job goes on");
        assert_eq!(gauges.open.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_permit_it_reads_only_while_a_step_waits() {
    let directory = crate::tests::directory();
    large(directory.path(), 300);
    let permits = Arc::new(Semaphore::new(0));
    let root = Arc::new(Root::new(directory.path().to_owned(), Sys::default(), Durable::new(false)));
    let begun = root.begin_walk(&StoragePath::root(), WalkOptions::new(), tight()).unwrap().unwrap();
    let mut walk = PrefetchingWalk::new(begun, permits);
    let gauges = walk.shared.tree.meter.gauges.clone();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
        assert!(gauges.most_jobs.load(Ordering::SeqCst) <= 1);
    }
    assert_eq!(entries, 3 + 2 * 300 + 300 + 4 * 60 - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_dropped_loses_nothing() {
    let directory = crate::tests::directory();
    large(directory.path(), 100);
    let wanted = listed(&by_list(directory.path()), "/", WalkOptions::new(), |_| false).await;
    let mut walk = begin(directory.path(), "/", WalkOptions::new(), tight(), 8);
    let mut found = Vec::new();
    let mut dropped = 0;
    while found.len() < wanted.0.len() {
        let mut step = walk.next();
        match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(info) => found.push(info.unwrap().unwrap()),
            Poll::Pending => {
                dropped += 1;
                drop(step);
                tokio::time::sleep(Duration::from_micros(50)).await;
            }
        }
    }
    assert_eq!(found, wanted.0);
    assert!(dropped > 0);
}

/// What `work` gives on a thread of its own. Fails if that hangs, which is then left behind.
fn within_a_minute<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(work()));
    told.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// All that is left of a walk, on a runtime that has nothing to do with it.
fn rest(mut walk: PrefetchingWalk) -> (PrefetchingWalk, usize, Option<Error>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut entries = 0;
    let ended = loop {
        match runtime.block_on(walk.next()) {
            Ok(Some(_)) => entries += 1,
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    (walk, entries, ended)
}

#[test]
fn a_walk_whose_runtime_is_gone_fails() {
    let directory = crate::tests::directory();
    large(directory.path(), 50);
    for permits in [0, 8] {
        let runtime = runtime();
        let walk = {
            let _entered = runtime.enter();
            begin(directory.path(), "/", WalkOptions::new(), tight(), permits)
        };
        within_a_minute("the runtime shuts down", move || drop(runtime));
        let (mut walk, entries, error) = within_a_minute("the walk fails", move || rest(walk));
        assert!(entries > 0, "what was read is yielded");
        for _ in 0..2 {
            let (again, more, error) = within_a_minute("it fails again", move || rest(walk));
            assert_eq!((more, error.unwrap().kind()), (0, ErrorKind::Unavailable));
            walk = again;
        }
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("has shut down"), "{error}");
    }
}

#[test]
fn a_runtime_shuts_down_while_a_walk_goes_on() {
    let directory = crate::tests::directory();
    large(directory.path(), 200);
    let whole = 3 + 2 * 200 + 200 + 4 * 60 - 1;
    let mut stopped = 0;
    for round in 0..40 {
        let runtime = runtime();
        let mut walk = {
            let _entered = runtime.enter();
            begin(directory.path(), "/", WalkOptions::new(), tight(), 8)
        };
        for _ in 0..round {
            runtime.block_on(walk.next()).unwrap().unwrap();
        }
        let walking = std::thread::spawn(move || within_a_minute("the walk ends", move || rest(walk)));
        within_a_minute("the runtime shuts down", move || drop(runtime));
        let (_walk, entries, ended) = walking.join().unwrap();
        match ended {
            None => assert_eq!(round + entries, whole),
            Some(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                stopped += 1;
            }
        }
    }
    println!("{stopped} of 40 walks did not reach their end");
}

#[tokio::test]
async fn what_vanishes_before_its_turn_is_left_out() {
    let directory = crate::tests::directory();
    let root = directory.path();
    for name in ["a", "b", "c", "d"] {
        std::fs::create_dir_all(root.join(name).join("below")).unwrap();
        std::fs::write(root.join(name).join("below/file"), "x").unwrap();
        std::fs::write(root.join(name).join("file"), "x").unwrap();
    }
    // No job reads before a step asks for it.
    let limits = Limits { jobs: 1, ahead: 1, batch: 1, part: 8, ..tight() };
    let mut walk = begin(root, "/", WalkOptions::new(), limits, 0);
    let mut keys = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        keys.push(info.key().to_string());
        if info.path().as_str() == "/a" {
            std::fs::remove_dir_all(root.join("a/below")).unwrap();
            std::fs::remove_file(root.join("b/file")).unwrap();
            std::fs::remove_dir_all(root.join("c")).unwrap();
            std::fs::write(root.join("c"), "a file now").unwrap();
            std::fs::remove_dir_all(root.join("d")).unwrap();
            symlink("b", root.join("d")).unwrap();
        }
    }
    let wanted = ["/a/", "/a/file", "/b/", "/b/below/", "/b/below/file", "/c/", "/d/", "/d/below/"];
    assert_eq!(keys[..wanted.len()], wanted, "{keys:?}");
}

#[tokio::test]
async fn it_fails_where_a_directory_cannot_be_read_and_fails_there_again() {
    let directory = crate::tests::directory();
    let root = directory.path();
    std::fs::write(root.join("0"), "x").unwrap();
    std::fs::create_dir(root.join("1")).unwrap();
    symlink("/", root.join("1/out")).unwrap();
    std::fs::write(root.join("1/a"), "x").unwrap();
    std::fs::write(root.join("2"), "x").unwrap();
    let mut walk = begin(root, "/", WalkOptions::new(), Limits::default(), 8);
    for key in ["/0", "/1/", "/1/a"] {
        assert_eq!(walk.next().await.unwrap().unwrap().key().to_string(), key);
    }
    for _ in 0..3 {
        assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    std::fs::remove_file(root.join("1/out")).unwrap();
    assert_eq!(walk.next().await.unwrap().unwrap().key().to_string(), "/2");
    // Nobody reads there if it is skipped.
    symlink("/", root.join("1/out")).unwrap();
    let told = native(begin(root, "/", WalkOptions::new(), Limits::default(), 8), |_| true).await;
    assert_eq!((told.0.len(), told.1), (3, None));
}

#[test]
fn what_failed_is_read_again_when_the_next_step_asks_and_not_before() {
    let at: StoragePath = "/a".parse().unwrap();
    let again = Directory { path: at.clone(), through_link: false, filtered: false };
    let found = Expansion {
        failed: Some((at.clone(), Error::unavailable(&at, "unreadable"))),
        rest: vec![Part::whole(again, None)],
        ..Expansion::default()
    };
    let (mut plan, limits) = (Plan::default(), Limits::default());
    plan.append(found);
    assert!(!plan.has_work(&limits));
    assert!(matches!(plan.advance(), Front::Failed(_)));
    assert!(!plan.has_work(&limits), "a job may read it before who walks could mend it");
    assert!(matches!(plan.advance(), Front::Unknown));
    assert!(plan.has_work(&limits));
}

#[tokio::test]
async fn a_directory_that_no_path_can_reach_ends_it() {
    let directory = crate::tests::directory();
    let name = "d".repeat(200);
    let mut at = rustix::fs::open(
        directory.path(),
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    for _ in 0..25 {
        rustix::fs::mkdirat(&at, &name, rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        at = rustix::fs::openat(&at, &name, flags, rustix::fs::Mode::empty()).unwrap();
    }
    let wanted = listed(&by_list(directory.path()), "/", WalkOptions::new(), |_| false).await;
    assert_eq!(wanted.1, Some(ErrorKind::InvalidPath));
    for limits in [Limits::default(), tight()] {
        let walk = begin(directory.path(), "/", WalkOptions::new(), limits, 8);
        assert_eq!(native(walk, |_| false).await, wanted);
    }
}
