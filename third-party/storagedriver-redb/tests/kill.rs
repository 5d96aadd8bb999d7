//! What was acknowledged survives `kill -9`, and what was not is there whole or not at all.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use storagedriver::{Error, Result, Storage, WriteMode};
use storagedriver_redb::Redb;

/// Makes this program the one that is killed: the database and the number of the first operation.
const CHILD: &str = "STORAGEDRIVER_REDB_CHILD";

/// What operation `n` writes: of another size and content than its neighbours. Uploads grow by it.
fn content(n: u64) -> Vec<u8> {
    let step = if n % 3 == 2 { 100 } else { 9000 };
    (0..n % 7 * step + 10).map(|place| (place * 31 + n * 7) as u8).collect()
}

fn path(n: u64) -> String {
    match n % 3 {
        0 => format!("/put/{}", n % 5),
        1 => format!("/commit/{}", n % 5),
        _ => format!("/upload/{}", n % 2),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().build().unwrap()
}

async fn operation(storage: &Storage, n: u64) -> Result<()> {
    let path = path(n);
    if n % 3 == 0 {
        return storage.put_content(&path, content(n)).await;
    }
    let resumed = match n % 3 {
        1 => storage.writer(&path, WriteMode::Create).await,
        _ => storage.writer(&path, WriteMode::Append).await,
    };
    let mut writer = match resumed {
        Err(error) if error.is_not_found() => storage.writer(&path, WriteMode::Create).await?,
        opened => opened?,
    };
    writer.write(content(n)).await?;
    if n % 3 == 1 { writer.commit().await } else { writer.close().await.map(|_| ()) }
}

async fn run_child(file: &str, first: u64) -> Result<()> {
    let storage = Storage::new(Redb::open(Path::new(file))?);
    let said = |error| Error::invalid_configuration(format!("{error}"));
    let mut parent = std::io::stdout();
    for n in first.. {
        writeln!(parent, "begin {n}").and_then(|()| parent.flush()).map_err(said)?;
        operation(&storage, n).await?;
        writeln!(parent, "done {n}").and_then(|()| parent.flush()).map_err(said)?;
    }
    Ok(())
}

/// Runs the child and kills it `after` its first operation was done. Returns the numbers of the last
/// operation begun and of the last one done.
fn kill_child(file: &Path, first: u64, after: Duration) -> (u64, Option<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, format!("{} {first}", file.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (first_done, started) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let (mut begun, mut done) = (first, None);
        for line in output.lines().map_while(|line| line.ok()) {
            // The test runner may have put words of its own before ours.
            if let Some((_, number)) = line.split_once("begin ") {
                begun = number.parse().unwrap();
            } else if let Some((_, number)) = line.split_once("done ") {
                done = Some(number.parse().unwrap());
                first_done.send(()).ok();
            }
        }
        (begun, done)
    });
    started.recv().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Not a test of its own: what `kill_child` runs.
#[test]
fn child() {
    if let Ok(arguments) = std::env::var(CHILD) {
        let (file, first) = arguments.rsplit_once(' ').unwrap();
        runtime().block_on(run_child(file, first.parse().unwrap())).unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("registry.redb");
    let wanted = if std::env::var_os("STORAGEDRIVER_FULL").is_some() { 100 } else { 15 };
    let runtime = runtime();
    let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut first, mut killed) = (0, 0);
    for round in 0..wanted * 20 {
        if killed == wanted {
            break;
        }
        let after = Duration::from_micros(round * 7919 % 40_000);
        let (begun, done) = kill_child(&file, first, after);
        killed += u64::from(done != Some(begun));
        for n in (first..=begun).filter(|&n| done.is_some_and(|done| n <= done)) {
            apply(&mut model, n);
        }
        runtime.block_on(async {
            let storage = Storage::new(Redb::open(&file).unwrap());
            let found = state(&storage, &path(begun)).await;
            if done != Some(begun) && found.as_ref() != model.get(&path(begun)) {
                apply(&mut model, begun);
                assert!(found.as_ref() == model.get(&path(begun)), "operation {begun} is there in part");
            }
            for (path, content) in &model {
                assert!(state(&storage, path).await.as_ref() == Some(content), "{path} lost what was acknowledged");
            }
        });
        first = begun + 1;
    }
    assert_eq!(killed, wanted, "too few kills hit an operation");
    runtime.block_on(async {
        let storage = Storage::new(Redb::open(&file).unwrap());
        storage.abort_stale("/", Duration::ZERO).await.unwrap();
        assert!(storage.uploads("/").await.unwrap().is_empty());
    });
}

/// What the operation makes of the content at its path.
fn apply(model: &mut BTreeMap<String, Vec<u8>>, n: u64) {
    let content = content(n);
    let held = model.entry(path(n)).or_default();
    if n % 3 == 2 { held.extend(content) } else { *held = content }
}

/// The content of a path; of a closed upload what its commit publishes, so that all of it is seen.
/// The next append goes on from there.
async fn state(storage: &Storage, path: &str) -> Option<Vec<u8>> {
    if !storage.uploads(path).await.unwrap().is_empty() {
        storage.writer(path, WriteMode::Append).await.unwrap().commit().await.unwrap();
    }
    let content = storage.get_content(path).await;
    content.ok().map(|content| content.to_vec())
}
