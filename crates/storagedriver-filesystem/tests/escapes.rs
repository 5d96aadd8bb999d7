//! Nothing leads out of the root directory: no symbolic link, raced or not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storagedriver::{ErrorKind, ReadOptions, Result, Storage, WalkOptions, WriteMode};
use storagedriver_filesystem::FilesystemParameters;
use tempfile::TempDir;

const SECRET: &str = "secret";

/// A root directory, and beside it a directory that nobody may touch.
struct Place {
    _directory: TempDir,
    root: PathBuf,
    outside: PathBuf,
    storage: Storage,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
        for path in [&root, &outside, &outside.join("sub")] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::write(outside.join("file"), SECRET).unwrap();
        std::fs::write(outside.join("sub/file"), SECRET).unwrap();
        let storage = FilesystemParameters::new(&root).with_durability("none").into_storage().unwrap();
        Place { _directory: directory, root, outside, storage }
    }

    fn assert_untouched(&self) {
        fn names(path: &Path) -> Vec<String> {
            let mut names: Vec<_> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
        assert_eq!(names(&self.outside), ["file", "sub"]);
        assert_eq!(names(&self.outside.join("sub")), ["file"]);
        for file in ["file", "sub/file"] {
            assert_eq!(std::fs::read_to_string(self.outside.join(file)).unwrap(), SECRET);
        }
    }
}

async fn commit(storage: &Storage, path: &str, mode: WriteMode) -> Result<()> {
    let mut writer = storage.writer(path, mode).await?;
    writer.write("new").await?;
    writer.commit().await
}

/// Every operation through a path; none may have read the secret.
async fn everything(storage: &Storage, path: &str) -> Vec<Option<ErrorKind>> {
    let inside = format!("{path}/file");
    let content = storage.get_content(&inside).await;
    assert!(content.as_ref().map_or(true, |content| content != SECRET), "the secret was read through {path}");
    let reader = match storage.reader(&inside, ReadOptions::all()).await {
        Ok(reader) => reader.bytes().await.map(|content| assert!(content != SECRET)),
        Err(error) => Err(error),
    };
    let mut outcomes = vec![content.map(drop), reader];
    outcomes.push(storage.list(path).await.map(drop));
    outcomes.push(storage.stat(&inside).await.map(drop));
    outcomes.push(storage.put_content(&inside, "new").await);
    outcomes.push(commit(storage, &inside, WriteMode::Create).await);
    outcomes.push(commit(storage, &inside, WriteMode::Append).await);
    outcomes.push(storage.rename(&inside, "/taken").await);
    outcomes.push(storage.put_content("/mine", "mine").await);
    outcomes.push(storage.rename("/mine", &inside).await);
    outcomes.push(storage.delete(&inside).await);
    outcomes.push(storage.delete(&format!("{path}/sub")).await);
    outcomes.into_iter().map(|outcome| outcome.err().map(|error| error.kind())).collect()
}

#[tokio::test]
async fn a_link_out_of_the_root_is_refused_by_every_operation() {
    let place = Place::new();
    std::fs::create_dir(place.root.join("d")).unwrap();
    symlink(&place.outside, place.root.join("absolute")).unwrap();
    symlink("../outside", place.root.join("relative")).unwrap();
    symlink("../../outside", place.root.join("d/deep")).unwrap();
    symlink("/proc/self/root", place.root.join("magic")).unwrap();
    for path in ["/absolute", "/relative", "/d/deep", "/magic"] {
        for (at, kind) in everything(&place.storage, path).await.into_iter().enumerate() {
            // The put of `/mine` itself has to succeed.
            let expected = (at != 8).then_some(ErrorKind::PermissionDenied);
            assert!(kind == expected || at == 7 && kind.is_some(), "operation {at} through {path}: {kind:?}");
        }
        place.assert_untouched();
    }
    // The link itself is ours to delete, and is replaced as a file is.
    place.storage.put_content("/relative", "x").await.unwrap();
    assert_eq!(place.storage.get_content("/relative").await.unwrap(), "x");
    place.storage.delete("/absolute").await.unwrap();
    place.storage.delete("/d").await.unwrap();
    place.assert_untouched();
}

#[tokio::test]
async fn a_link_out_of_the_root_is_listed_and_stops_a_walk() {
    let place = Place::new();
    place.storage.put_content("/a/file", "x").await.unwrap();
    symlink("nothing", place.root.join("dangling")).unwrap();
    let listed = place.storage.list("/").await.unwrap();
    assert_eq!(listed.iter().map(|info| info.path().as_str()).collect::<Vec<_>>(), ["/a"]);
    let kind = |outcome: Result<_>| outcome.map(drop).unwrap_err().kind();
    assert_eq!(kind(place.storage.get_content("/dangling").await), ErrorKind::PathNotFound);
    for (name, target) in
        [("z", place.outside.as_path()), ("z", Path::new("/etc/passwd")), ("z", Path::new("z"))]
    {
        symlink(target, place.root.join(name)).unwrap();
        let listed = place.storage.list("/").await.unwrap();
        assert_eq!(listed.iter().map(|info| info.path().as_str()).collect::<Vec<_>>(), ["/a", "/z"]);
        // Whoever collects garbage must not take a tree for whole of which a part cannot be read.
        let mut walk = place.storage.walk("/", WalkOptions::new()).await.unwrap();
        assert_eq!(walk.next().await.unwrap().unwrap().path().as_str(), "/a");
        assert_eq!(walk.next().await.unwrap().unwrap().path().as_str(), "/a/file");
        assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(kind(place.storage.get_content("/z").await), ErrorKind::PermissionDenied);
        place.storage.delete("/z").await.unwrap();
    }
    place.assert_untouched();
}

#[tokio::test]
async fn a_link_that_stays_inside_is_followed() {
    let place = Place::new();
    place.storage.put_content("/real/file", "x").await.unwrap();
    symlink("real", place.root.join("link")).unwrap();
    symlink("real/file", place.root.join("file")).unwrap();
    assert_eq!(place.storage.get_content("/link/file").await.unwrap(), "x");
    assert_eq!(place.storage.get_content("/file").await.unwrap(), "x");
    assert!(place.storage.stat("/file").await.unwrap().is_file());
    assert_eq!(place.storage.list("/").await.unwrap().len(), 3);
    place.storage.put_content("/link/other", "y").await.unwrap();
    assert_eq!(place.storage.get_content("/real/other").await.unwrap(), "y");
    // Deleting or replacing a link leaves alone what it points to; moving one is refused.
    assert_eq!(place.storage.rename("/file", "/moved").await.unwrap_err().kind(), ErrorKind::Conflict);
    place.storage.put_content("/file", "z").await.unwrap();
    place.storage.delete("/link").await.unwrap();
    assert_eq!(place.storage.get_content("/real/file").await.unwrap(), "x");
}

#[tokio::test]
async fn a_staging_place_that_is_a_link_is_refused() {
    let place = Place::new();
    symlink(&place.outside, place.root.join("~staging")).unwrap();
    for outcome in [
        place.storage.put_content("/a", "x").await,
        commit(&place.storage, "/a", WriteMode::Create).await,
        place.storage.uploads("/").await.map(drop),
    ] {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    place.assert_untouched();
}

/// Another process turns a directory into a link out of the root and back, as fast as it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_put_there_in_a_race_leads_nowhere() {
    let place = Place::new();
    let over = Arc::new(AtomicBool::new(false));
    let (stop, root, outside) = (over.clone(), place.root.clone(), place.outside.clone());
    let racer = std::thread::spawn(move || {
        let mut turns = 0;
        while !stop.load(Ordering::Relaxed) {
            let _ = std::fs::remove_dir_all(root.join("d"));
            let _ = std::fs::create_dir(root.join("d"));
            let _ = std::fs::write(root.join("d/file"), "ours");
            symlink(&outside, root.join("link")).unwrap();
            let _ = std::fs::remove_dir_all(root.join("d"));
            let _ = std::fs::rename(root.join("link"), root.join("d"));
            let _ = std::fs::remove_file(root.join("link"));
            let _ = std::fs::remove_file(root.join("d"));
            turns += 1;
        }
        turns
    });
    let (mut refused, mut done) = (0, 0);
    // Longer on a machine where the two do not meet.
    for round in 0..5000 {
        if round >= 300 && refused > 0 {
            break;
        }
        for outcome in everything(&place.storage, "/d").await {
            refused += usize::from(outcome == Some(ErrorKind::PermissionDenied));
            done += usize::from(outcome.is_none());
        }
    }
    over.store(true, Ordering::Relaxed);
    let turns = racer.join().unwrap();
    place.assert_untouched();
    println!("{turns} turns of the race; {refused} operations refused, {done} done");
    assert!(turns > 0 && refused > 0 && done > 300, "there was no race: {turns}, {refused}, {done}");
}
