//! What is read on the thread of the future is what the pool would read, and nothing there blocks.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use storagedriver::{ErrorKind, ReadOptions, Result, Storage, StorageDriver, StoragePath};
use tempfile::TempDir;

use super::{hooked, plain};
use crate::jobs::{Hold, run};
use crate::sys::{Call, Errno, Event, Hook, Quick, Sys, Way};
use crate::{Filesystem, FilesystemParameters};

const EXT4: u64 = 0xEF53;
const TMPFS: u64 = 0x0102_1994;
const NFS: u64 = 0x6969;

const STEPS: [Quick; 6] =
    [Quick::Direct, Quick::Root, Quick::Identity, Quick::Open, Quick::Meta, Quick::Read];

/// More than two turns of a stream.
const LARGE: usize = 600 << 10;

/// Counts jobs of the pool, and decides what the caches answer.
#[derive(Default)]
struct Watcher {
    jobs: AtomicUsize,
    steps: Mutex<Vec<Quick>>,
    /// The file system that each one is taken for.
    magic: Option<u64>,
    refused: Option<Quick>,
    /// The most that one read from the cache gives.
    most: Option<usize>,
    /// What happens before each read from the cache.
    before_read: Option<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

impl Watcher {
    fn taken_for(magic: u64) -> Self {
        Watcher { magic: Some(magic), ..Watcher::default() }
    }

    fn jobs(&self) -> usize {
        self.jobs.load(Ordering::SeqCst)
    }
}

impl Hook for Watcher {
    fn before(&self, _: Call) -> Result<(), Errno> {
        Ok(())
    }

    fn after(&self, _: Event) {}

    fn quick(&self, step: Quick) -> Result<(), Errno> {
        self.steps.lock().unwrap().push(step);
        if let (Quick::Read, Some(before)) = (step, &self.before_read) {
            before();
        }
        if self.refused == Some(step) { Err(Errno::AGAIN) } else { Ok(()) }
    }

    fn most(&self, wanted: usize) -> usize {
        self.most.map_or(wanted, |most| most.min(wanted))
    }

    fn magic(&self, found: u64) -> u64 {
        self.magic.unwrap_or(found)
    }

    fn pooled(&self) {
        self.jobs.fetch_add(1, Ordering::SeqCst);
    }
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A root with a file of each size that differs, a link inside, links out, and no file system objects
/// of other kinds.
fn tree() -> TempDir {
    let directory = super::directory();
    let root = directory.path().join("root");
    std::fs::create_dir_all(root.join("d/below")).unwrap();
    std::fs::create_dir(root.join("many")).unwrap();
    for (name, size) in [("empty", 0), ("small", 4096), ("large", LARGE)] {
        std::fs::write(root.join("d").join(name), content(size)).unwrap();
    }
    for number in 0..1000 {
        std::fs::write(root.join(format!("many/{number:064}")), "").unwrap();
    }
    std::fs::write(directory.path().join("secret"), "secret").unwrap();
    symlink("small", root.join("d/link")).unwrap();
    symlink("d", root.join("way")).unwrap();
    symlink("nothing", root.join("d/dangling")).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink(directory.path(), root.join("up")).unwrap();
    directory
}

fn root(directory: &TempDir) -> PathBuf {
    directory.path().join("root")
}

async fn whole(storage: &Storage, path: &str, options: ReadOptions) -> Result<Vec<u8>> {
    let mut content = storage.reader(path, options).await?;
    let mut all = Vec::new();
    while let Some(piece) = content.next().await {
        let piece = piece?;
        assert!(!piece.is_empty());
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// What every operation that reads says of every kind of path, as text.
async fn everything(storage: &Storage) -> Vec<String> {
    let mut said = Vec::new();
    for path in [
        "/d/empty",
        "/d/small",
        "/d/large",
        "/d/link",
        "/d/dangling",
        "/way/small",
        "/d",
        "/d/below",
        "/many",
        "/none",
        "/d/small/none",
        "/out",
        "/up/secret",
        "/up",
        "/",
    ] {
        let short = |bytes: &[u8]| {
            (bytes.len(), bytes.iter().fold(0u64, |sum, &byte| sum.wrapping_mul(31) + u64::from(byte)))
        };
        if path != "/" {
            let got = storage.get_content(path).await.map(|content| short(&content));
            said.push(format!("get {path} {got:?}"));
            for options in [
                ReadOptions::all(),
                ReadOptions::from_offset(7),
                ReadOptions::from_offset(5).with_length(300 << 10),
                ReadOptions::from_offset(1 << 40),
            ] {
                let read = whole(storage, path, options).await.map(|content| short(&content));
                said.push(format!("read {path} {read:?}"));
            }
        }
        said.push(format!("stat {path} {:?}", storage.stat(path).await));
        said.push(format!("list {path} {:?}", storage.list(path).await));
    }
    said
}

/// Does `operate` until it started no job, since the kernel may forget what it cached: for a rename
/// of anything on the machine, or for want of memory.
async fn starts_no_job(watcher: &Watcher, what: &str, operate: impl AsyncFn()) {
    for _ in 0..200 {
        let before = watcher.jobs();
        operate().await;
        if watcher.jobs() == before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} starts jobs of the pool, each time");
}

#[tokio::test]
async fn what_is_cached_starts_no_job() {
    for directory in [super::directory(), tempfile::tempdir().unwrap()] {
        let way = Sys::default().way(std::fs::File::open(directory.path()).unwrap()).unwrap();
        let watcher = Arc::new(Watcher::default());
        let storage = hooked(directory.path(), watcher.clone());
        storage.put_content("/d/small", content(4096)).await.unwrap();
        storage.put_content("/d/large", content(LARGE)).await.unwrap();
        storage.stat("/d/none").await.unwrap_err();
        let operate = async || {
            for _ in 0..20 {
                assert!(storage.get_content("/d/small").await.unwrap() == content(4096));
                assert!(storage.get_content("/d/large").await.unwrap() == content(LARGE));
                assert!(
                    whole(&storage, "/d/large", ReadOptions::from_offset(1)).await.unwrap().len()
                        == LARGE - 1
                );
                assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
                assert!(storage.stat("/d").await.unwrap().is_dir());
                assert!(storage.get_content("/d/none").await.unwrap_err().is_not_found());
                assert!(storage.stat("/d/none").await.unwrap_err().is_not_found());
            }
        };
        let before = watcher.jobs();
        match way {
            // Neither NFS nor an overlay, of which a build machine may be made.
            Way::Patient => {
                println!("{:?} is not on a local file system that is known", directory.path());
                operate().await;
                assert!(watcher.jobs() - before >= 20 * 7);
            }
            way => {
                starts_no_job(&watcher, "a cached read", operate).await;
                if way == Way::Memory {
                    let listed = async || assert_eq!(storage.list("/d").await.unwrap().len(), 2);
                    starts_no_job(&watcher, "a list in memory", listed).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_step_that_the_cache_does_not_answer_is_made_in_the_pool() {
    let directory = tree();
    let expected = everything(&hooked(&root(&directory), Arc::new(Watcher::taken_for(NFS)))).await;
    for magic in [EXT4, TMPFS] {
        for refused in STEPS.map(Some).into_iter().chain([None]) {
            let watcher = Arc::new(Watcher { refused, ..Watcher::taken_for(magic) });
            let found = everything(&hooked(&root(&directory), watcher.clone())).await;
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "without {refused:?}");
            }
            assert_eq!(found.len(), expected.len());
            let reached = |step| watcher.steps.lock().unwrap().contains(&step);
            assert!(refused.is_none_or(reached), "{refused:?} is never made");
            assert!(watcher.jobs() > 0);
        }
    }
}

#[tokio::test]
async fn a_short_read_is_continued() {
    let directory = tree();
    let expected = everything(&plain(&root(&directory))).await;
    for most in [1, 1000, (256 << 10) - 1] {
        let watcher = Arc::new(Watcher { most: Some(most), ..Watcher::taken_for(TMPFS) });
        let storage = hooked(&root(&directory), watcher.clone());
        if most > 1 {
            assert_eq!(everything(&storage).await, expected);
        }
        storage.stat("/d/small").await.unwrap();
        let before = watcher.jobs();
        assert!(storage.get_content("/d/large").await.unwrap() == content(LARGE));
        // Once for the operation, not for each part of it.
        assert_eq!(watcher.jobs() - before, 1, "{most}");
    }
}

#[tokio::test]
async fn nothing_is_tried_on_a_file_system_that_is_not_known_to_be_local() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(NFS));
    let storage = hooked(&root(&directory), watcher.clone());
    for done in 1..=10 {
        storage.get_content("/d/small").await.unwrap();
        storage.stat("/d/small").await.unwrap();
        storage.stat("/none").await.unwrap_err();
        storage.list("/d").await.unwrap();
        // The first piece with its opening, one for the rest, and one to close.
        assert_eq!(whole(&storage, "/d/large", ReadOptions::all()).await.unwrap().len(), LARGE);
        assert_eq!(watcher.jobs(), done * 7);
    }
    let steps = watcher.steps.lock().unwrap();
    assert!(steps.iter().all(|step| matches!(step, Quick::Root | Quick::Identity)), "{steps:?}");
}

#[tokio::test]
async fn pipes_sockets_and_devices_block_nobody() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let directory = tree();
    let at = |name: &str| root(&directory).join("d").join(name);
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let mut names = vec!["pipe", "socket"];
    // The console of the system: only root may make it.
    match mknodat(CWD, at("device"), FileType::CharacterDevice, Mode::from_raw_mode(0o666), 0x0500) {
        Ok(()) => names.push("device"),
        Err(error) => println!("no device: {error}"),
    }
    for magic in [EXT4, TMPFS, NFS] {
        let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(magic)));
        for name in &names {
            let path = format!("/d/{name}");
            let tried = async {
                for _ in 0..3 {
                    let outcome = storage.get_content(&path).await.unwrap_err();
                    assert!(outcome.is_not_found() || *name == "device", "{outcome}");
                    let outcome = storage.reader(&path, ReadOptions::all()).await.unwrap_err();
                    assert!(outcome.is_not_found() || *name == "device", "{outcome}");
                    assert!(storage.stat(&path).await.unwrap_err().is_not_found());
                }
            };
            tokio::time::timeout(Duration::from_secs(30), tried).await.unwrap();
        }
        let listed = storage.list("/d").await.unwrap();
        assert!(listed.iter().all(|info| !names.contains(&info.path().name())));
    }
}

#[tokio::test]
async fn links_lead_inside_and_nowhere_else() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&root(&directory), watcher.clone());
    for _ in 0..3 {
        for path in ["/out", "/up/secret", "/up/root/d/small"] {
            for outcome in [
                storage.get_content(path).await.map(drop),
                storage.reader(path, ReadOptions::all()).await.map(drop),
                storage.stat(path).await.map(drop),
            ] {
                assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied, "{path}");
            }
        }
    }
    let inside = async || {
        for path in ["/d/link", "/way/small", "/way/link"] {
            assert!(storage.get_content(path).await.unwrap() == content(4096));
            assert_eq!(storage.stat(path).await.unwrap().size(), Some(4096));
        }
    };
    starts_no_job(&watcher, "a link inside", inside).await;
    // The root itself may be a link.
    let linked = directory.path().join("linked");
    symlink("root", &linked).unwrap();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&linked, watcher.clone());
    let read = async || {
        assert!(storage.get_content("/d/small").await.unwrap() == content(4096));
        assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
    };
    starts_no_job(&watcher, "a root that is a link", read).await;
    // And lead elsewhere at any time.
    let other = directory.path().join("other");
    std::fs::create_dir_all(other.join("d")).unwrap();
    std::fs::write(other.join("d/small"), "other").unwrap();
    std::fs::remove_file(&linked).unwrap();
    symlink("other", &linked).unwrap();
    assert_eq!(storage.get_content("/d/small").await.unwrap(), "other");
    assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(5));
}

#[tokio::test]
async fn the_root_is_looked_for_each_time() {
    let directory = tree();
    let path = root(&directory);
    let storage = hooked(&path, Arc::new(Watcher::taken_for(TMPFS)));
    let away = directory.path().join("away");
    let warm = async || {
        for _ in 0..3 {
            assert_eq!(storage.get_content("/d/small").await.unwrap().len(), 4096);
            assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
            assert_eq!(storage.list("/d").await.unwrap().len(), 5);
        }
    };
    for _ in 0..3 {
        warm().await;
        std::fs::rename(&path, &away).unwrap();
        assert!(storage.get_content("/d/small").await.unwrap_err().is_not_found());
        assert!(storage.stat("/d/small").await.unwrap_err().is_not_found());
        assert!(storage.list("/d").await.unwrap_err().is_not_found());
        assert!(storage.list("/").await.unwrap().is_empty());
        std::fs::write(&path, "a file").unwrap();
        for outcome in
            [storage.get_content("/d/small").await.map(drop), storage.stat("/d/small").await.map(drop)]
        {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Conflict);
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir_all(path.join("d")).unwrap();
        std::fs::write(path.join("d/small"), "new").unwrap();
        assert_eq!(storage.get_content("/d/small").await.unwrap(), "new");
        assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(3));
        assert_eq!(storage.list("/d").await.unwrap().len(), 1);
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
    }
}

#[tokio::test]
async fn content_that_is_cut_while_it_is_read_is_corrupted() {
    let directory = tree();
    let large = root(&directory).join("d/large");
    let cut = large.clone();
    let cutting = Watcher {
        before_read: Some(Box::new(move || truncate(&cut, 100 << 10))),
        ..Watcher::taken_for(TMPFS)
    };
    let storage = hooked(&root(&directory), Arc::new(cutting));
    storage.stat("/d/large").await.unwrap();
    let error = storage.get_content("/d/large").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupted);
    assert!(error.to_string().contains("cut to 102400 bytes"), "{error}");
    let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(TMPFS)));
    std::fs::write(&large, content(LARGE)).unwrap();
    let mut reading = storage.reader("/d/large", ReadOptions::all()).await.unwrap();
    let mut read = reading.next().await.unwrap().unwrap().to_vec();
    truncate(&large, 300 << 10);
    let error = loop {
        match reading.next().await.unwrap() {
            Ok(piece) => read.extend_from_slice(&piece),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Corrupted);
    assert!(read == content(300 << 10));
}

fn truncate(path: &Path, length: u64) {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[tokio::test]
async fn a_file_that_was_deleted_meanwhile_is_closed_in_the_pool() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&root(&directory), watcher.clone());
    let kept = async || drop(storage.reader("/d/large", ReadOptions::all()).await.unwrap());
    starts_no_job(&watcher, "closing a file that is there", kept).await;
    let reading = storage.reader("/d/large", ReadOptions::all()).await.unwrap();
    std::fs::remove_file(root(&directory).join("d/large")).unwrap();
    let before = watcher.jobs();
    drop(reading);
    assert_eq!(watcher.jobs() - before, 1);
}

/// Reading is not quicker than a job that nobody waits for and that is past its publishing step.
#[tokio::test]
async fn what_publishes_is_waited_for() {
    let directory = tree();
    let parameters = FilesystemParameters::new(root(&directory));
    let driver = Filesystem::with_sys(&parameters, Sys::hooked(Arc::new(Watcher::taken_for(TMPFS)))).unwrap();
    let path = StoragePath::parse("/d/small").unwrap();
    driver.stat(&path).await.unwrap();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let (held, to) = (path.clone(), root(&directory).join("d/small"));
    let publishing = run(&driver.holds, &path, move |ticket| {
        let _section = ticket.section(vec![Hold::Path(held)])?;
        let _ = tell.send(());
        let _ = gate.recv();
        std::fs::write(to, "published").unwrap();
        Ok(())
    });
    let mut publishing = Box::pin(publishing);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut publishing).await.is_err());
    told.recv().unwrap();
    drop(publishing);
    // Elsewhere nobody waits.
    driver.get_content(&StoragePath::parse("/d/large").unwrap()).await.unwrap();
    let mut reading = Box::pin(async {
        let read = driver.get_content(&path).await.unwrap();
        (read, driver.stat(&path).await.unwrap().size())
    });
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut reading).await.is_err());
    go.send(()).unwrap();
    let (read, size) = reading.await;
    assert_eq!((&*read, size), (&b"published"[..], Some(9)));
}

/// A task that reads what is cached, without end, lets the others of its thread run.
#[tokio::test(flavor = "current_thread")]
async fn one_who_reads_does_not_keep_the_thread() {
    let directory = tree();
    let large = root(&directory).join("d/large");
    truncate(&large, 64 << 20);
    let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(TMPFS)));
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    storage.stat("/d/large").await.unwrap();
    let least = |since: usize, turns: usize| assert!(turns - since >= 20, "{} turns", turns - since);
    let since = turns.load(Ordering::SeqCst);
    assert_eq!(whole(&storage, "/d/large", ReadOptions::all()).await.unwrap().len(), 64 << 20);
    least(since, turns.load(Ordering::SeqCst));
    let since = turns.load(Ordering::SeqCst);
    assert_eq!(storage.get_content("/d/large").await.unwrap().len(), 64 << 20);
    least(since, turns.load(Ordering::SeqCst));
    let since = turns.load(Ordering::SeqCst);
    for _ in 0..5000 {
        storage.stat("/d/small").await.unwrap();
    }
    least(since, turns.load(Ordering::SeqCst));
    other.abort();
}
