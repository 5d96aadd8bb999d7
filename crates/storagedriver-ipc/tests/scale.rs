//! Nothing is bounded by the size of a message, and nothing waits for a reader that does not read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod drivers;
#[path = "drivers/executable.rs"]
mod executable;

use std::time::{Duration, Instant};

use drivers::filled_child;
use executable::{Executable, open};
use storagedriver::{Parameters, ReadOptions, Storage, WalkOptions, WriteMode};
use storagedriver_testsuites::fixture::pattern;
use tokio::sync::Mutex;

/// How many children a directory has.
const CHILDREN: u64 = 100_000;
/// How many bytes the large content has.
const LARGE: u64 = 64 << 20;
/// How much memory either process may take for the streams that stand still: 2 MiB each at either end by the page, what
/// messages are put together in, and what allocators keep; a quarter of what the four would give.
const HELD: u64 = 64 << 20;
/// Nothing here takes so long, on however busy a machine; what waits for the stream would wait for ever.
const FOREVER: Duration = Duration::from_secs(120);

/// One test at a time: the memory of this process is looked at.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn filled(children: u64, large: u64) -> (Executable, Storage) {
    let executable = Executable::driver("filled");
    let parameters = [
        ("children", children.to_string()),
        ("large", large.to_string()),
        ("starttimeout", "60s".to_owned()),
    ];
    let storage = open(&executable, Parameters::from_iter(parameters)).await.unwrap();
    let started = executable.started();
    assert!(!started[0].socket.exists(), "the socket of a driver that is connected");
    (executable, storage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_may_have_a_hundred_thousand_children() {
    let _alone = ALONE.lock().await;
    let (_executable, storage) = filled(CHILDREN, 0).await;
    let started = Instant::now();
    let listed = storage.list("/many").await.unwrap();
    println!("list of {} children: {:.2?}", listed.len(), started.elapsed());
    assert_eq!(listed.len() as u64, CHILDREN);
    let right = (0..CHILDREN).map(filled_child);
    assert!(listed.iter().map(|info| info.path().as_str()).eq(right), "the names or their order");

    for options in [WalkOptions::new(), WalkOptions::tree()] {
        let (started, order) = (Instant::now(), options.order);
        let mut walk = storage.walk("/", options).await.unwrap();
        let mut at = 0;
        while let Some(entry) = walk.next().await.unwrap() {
            if entry.path().as_str().starts_with("/many/") {
                assert_eq!(entry.path().as_str(), filled_child(at));
                assert_eq!(entry.size(), Some("child".len() as u64));
                at += 1;
            }
        }
        assert_eq!(at, CHILDREN, "{order:?}");
        println!("walk of {at} entries, {order:?}: {:.2?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_may_be_larger_than_any_message() {
    let _alone = ALONE.lock().await;
    let (_executable, storage) = filled(0, LARGE).await;
    let started = Instant::now();
    let large = storage.get_content("/large").await.unwrap();
    println!("get_content of 64 MiB: {:.2?}", started.elapsed());
    assert!(large == pattern(1, LARGE));
    let content = pattern(2, LARGE + 1);
    let started = Instant::now();
    storage.put_content("/put", content.clone()).await.unwrap();
    println!("put_content of 64 MiB: {:.2?}", started.elapsed());
    assert!(storage.reader("/put", ReadOptions::all()).await.unwrap().bytes().await.unwrap() == content);

    // One chunk of a writer is taken whole, however large.
    let mut writer = storage.writer("/written", WriteMode::Create).await.unwrap();
    writer.write(content.clone()).await.unwrap();
    assert_eq!(writer.size(), LARGE + 1);
    writer.commit().await.unwrap();
    assert!(storage.get_content("/written").await.unwrap() == content);
}

/// How many bytes of memory a process holds.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Does a little of everything.
async fn call(storage: Storage, number: usize) {
    let path = format!("/calls/{number}");
    let content = pattern(number as u64, 5000);
    storage.put_content(&path, content.clone()).await.unwrap();
    let mut writer = storage.writer(&format!("{path}-upload"), WriteMode::Create).await.unwrap();
    writer.write(pattern(1, 100_000)).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content(&path).await.unwrap(), content);
    assert!(!storage.list("/calls").await.unwrap().is_empty());
    storage.stat(&path).await.unwrap();
    storage.delete(&path).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_waits_for_a_reader_that_does_not_read() {
    let _alone = ALONE.lock().await;
    let (executable, storage) = filled(CHILDREN / 2, LARGE).await;
    // Warm: what a process keeps after its first calls is not what a stream holds.
    for number in 0..64 {
        call(storage.clone(), number).await;
    }
    let driver = executable.started()[0].process;
    let (host_before, driver_before) = (resident(std::process::id()), resident(driver));

    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = storage.reader("/large", ReadOptions::all()).await.unwrap();
        assert!(!stream.next().await.unwrap().unwrap().is_empty());
        streams.push(stream);
    }
    let mut walk = storage.walk("/many", WalkOptions::new()).await.unwrap();
    walk.next().await.unwrap().unwrap();

    let started = Instant::now();
    let calls: Vec<_> = (0..64).map(|number| tokio::spawn(call(storage.clone(), number))).collect();
    for call in calls {
        tokio::time::timeout(FOREVER, call).await.expect("a call waits for the stream").unwrap();
    }
    println!("64 times 7 calls beside four streams and a walk that stand still: {:.2?}", started.elapsed());
    let grown = |now: u64, before: u64| now.saturating_sub(before);
    let (host, driver) =
        (grown(resident(std::process::id()), host_before), grown(resident(driver), driver_before));
    println!("grown by {} KiB (host) and {} KiB (driver)", host >> 10, driver >> 10);
    assert!(host < HELD, "the host took {host} bytes more");
    assert!(driver < HELD, "the driver took {driver} bytes more");

    // They go on where they stood.
    let content = pattern(1, LARGE);
    for mut stream in streams {
        let mut read = 0;
        while let Some(chunk) = stream.next().await {
            read += chunk.unwrap().len() as u64;
        }
        assert!(read < LARGE && read > LARGE - (16 << 20), "{read} bytes were left to read");
    }
    let mut rest = 1;
    while walk.next().await.unwrap().is_some() {
        rest += 1;
    }
    assert_eq!(rest, CHILDREN / 2);
    assert!(storage.get_content("/large").await.unwrap() == content);
}
