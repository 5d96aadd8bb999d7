//! Each defect of Distribution's filesystem driver, and what it leaves in its trees.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use storagedriver::{ErrorKind, ReadOptions, Storage, WalkOptions, WriteMode};
use storagedriver_filesystem::FilesystemParameters;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let storage = FilesystemParameters::new(&root).with_durability("none").into_storage().unwrap();
    (directory, root, storage)
}

async fn listed(storage: &Storage, path: &str) -> Vec<String> {
    storage.list(path).await.unwrap().iter().map(|info| info.path().to_string()).collect()
}

#[tokio::test]
async fn put_content_does_not_leave_the_root() {
    let (directory, _, storage) = place();
    for path in ["/../escaped", "/a/../../escaped", "/..", "/."] {
        assert_eq!(storage.put_content(path, "x").await.unwrap_err().kind(), ErrorKind::InvalidPath);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn cancel_never_deletes_what_was_committed() {
    let (_directory, _, storage) = place();
    storage.put_content("/a", "committed").await.unwrap();
    for size in [1, 2 << 20] {
        for mode in [WriteMode::Create, WriteMode::Append] {
            let mut writer = storage.writer("/a", mode).await.unwrap();
            writer.write(vec![b'x'; size]).await.unwrap();
            assert_eq!(storage.get_content("/a").await.unwrap(), "committed");
            writer.cancel().await.unwrap();
            assert_eq!(storage.get_content("/a").await.unwrap(), "committed");
        }
    }
}

#[tokio::test]
async fn close_without_commit_publishes_nothing_and_create_truncates_nothing() {
    let (_directory, _, storage) = place();
    storage.put_content("/a", "committed").await.unwrap();
    for path in ["/a", "/b/c"] {
        let mut writer = storage.writer(path, WriteMode::Create).await.unwrap();
        writer.write(vec![b'x'; 2 << 20]).await.unwrap();
        writer.close().await.unwrap();
    }
    assert_eq!(storage.get_content("/a").await.unwrap(), "committed");
    assert_eq!(storage.stat("/b").await.unwrap_err().kind(), ErrorKind::PathNotFound);
    assert_eq!(listed(&storage, "/").await, ["/a"]);
}

#[tokio::test]
async fn what_lies_below_a_file_is_not_found() {
    let (_directory, _, storage) = place();
    storage.put_content("/file", "x").await.unwrap();
    let path = "/file/below/it";
    for kind in [
        storage.stat(path).await.unwrap_err().kind(),
        storage.get_content(path).await.unwrap_err().kind(),
        storage.reader(path, ReadOptions::all()).await.unwrap_err().kind(),
        storage.list(path).await.unwrap_err().kind(),
        storage.list("/file").await.unwrap_err().kind(),
        storage.delete(path).await.unwrap_err().kind(),
        storage.rename(path, "/other").await.unwrap_err().kind(),
        storage.writer(path, WriteMode::Append).await.unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::PathNotFound);
    }
    assert!(storage.uploads(path).await.unwrap().is_empty());
    assert_eq!(storage.put_content(path, "y").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(storage.rename("/file", path).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(storage.get_content("/file").await.unwrap(), "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_on_its_way_is_visible_to_nobody() {
    let (_directory, _, storage) = place();
    let putting = storage.clone();
    let puts = tokio::spawn(async move {
        for _ in 0..20 {
            putting.put_content("/d/file", vec![b'x'; 1 << 20]).await.unwrap();
        }
    });
    while !puts.is_finished() {
        match storage.list("/d").await {
            Ok(found) => assert_eq!(found.len(), 1, "{found:?}"),
            Err(error) => assert!(error.is_not_found(), "{error}"),
        }
        for info in storage.list("/").await.unwrap() {
            assert_eq!(info.path().as_str(), "/d");
        }
    }
    puts.await.unwrap();
}

#[tokio::test]
async fn the_limit_covers_streams_and_walks() {
    let (_directory, root, _) = place();
    let mut parameters = FilesystemParameters::new(root);
    parameters.maxthreads = 1;
    let storage = parameters.into_storage().unwrap();
    storage.put_content("/a", vec![0; 1 << 20]).await.unwrap();
    storage.put_content("/b/c", "x").await.unwrap();
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    walk.next().await.unwrap();
    walk.next().await.unwrap();
    // Less than 25 counts as 25.
    let mut streams = Vec::new();
    for _ in 0..25 {
        streams.push(storage.reader("/a", ReadOptions::all()).await.unwrap());
    }
    let waiting = Duration::from_millis(50);
    assert!(tokio::time::timeout(waiting, storage.stat("/a")).await.is_err());
    assert!(tokio::time::timeout(waiting, walk.next()).await.is_err());
    streams.pop();
    storage.stat("/a").await.unwrap();
    assert_eq!(walk.next().await.unwrap().unwrap().path().as_str(), "/b/c");
}

#[tokio::test]
async fn what_a_go_registry_left_is_usable_at_once() {
    let (_directory, root, storage) = place();
    let upload = root.join("docker/registry/v2/repositories/app/_uploads/1");
    std::fs::create_dir_all(&upload).unwrap();
    std::fs::create_dir_all(root.join("docker/registry/v2/repositories/app/_layers/sha256")).unwrap();
    std::fs::write(upload.join("startedat"), "2026-01-01T00:00:00Z").unwrap();
    std::fs::write(upload.join("data"), "half").unwrap();
    std::fs::write(upload.join("link.5b1f8d6e-8d1c-4a7e-9d07-0d6a4d0c2b1a.tmp"), "left").unwrap();
    let at = "/docker/registry/v2/repositories/app";
    // Its open upload is an ordinary file to us, and goes on by Append.
    let mut writer = storage.writer(&format!("{at}/_uploads/1/data"), WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), 4);
    writer.write(" and half").await.unwrap();
    writer.commit().await.unwrap();
    storage.rename(&format!("{at}/_uploads/1/data"), "/docker/registry/v2/blobs/data").await.unwrap();
    assert_eq!(storage.get_content("/docker/registry/v2/blobs/data").await.unwrap(), "half and half");
    // What a killed process left of a put is an ordinary file too: nothing tells it from one.
    let left = listed(&storage, &format!("{at}/_uploads/1")).await;
    assert_eq!(left.len(), 2);
    assert!(left[0].ends_with(".tmp") && left[1].ends_with("/startedat"));
    // Directories that it left empty show, and can be deleted.
    assert_eq!(listed(&storage, at).await, [format!("{at}/_layers"), format!("{at}/_uploads")]);
    assert!(storage.list(&format!("{at}/_layers/sha256")).await.unwrap().is_empty());
    storage.delete(&format!("{at}/_layers")).await.unwrap();
    storage.delete(&format!("{at}/_uploads/1")).await.unwrap();
    assert_eq!(listed(&storage, "/docker/registry/v2").await, ["/docker/registry/v2/blobs"]);
}

#[tokio::test]
async fn names_and_things_that_no_path_can_mean_are_left_out_and_deleted_with_their_directory() {
    let (_directory, root, storage) = place();
    storage.put_content("/d/file", "x").await.unwrap();
    for name in [&b"a b"[..], b"\xc3\xbc", b"\xff", b"~x", b"a~", b"lost+found"] {
        std::fs::write(root.join("d").join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        std::fs::create_dir(root.join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(root.join("d/socket")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(root.join("d/pipe")).status();
    assert!(made.unwrap().success());
    assert_eq!(listed(&storage, "/").await, ["/d"]);
    assert_eq!(listed(&storage, "/d").await, ["/d/file"]);
    for path in ["/d/pipe", "/d/socket"] {
        assert_eq!(storage.get_content(path).await.unwrap_err().kind(), ErrorKind::PathNotFound);
        assert_eq!(storage.stat(path).await.unwrap_err().kind(), ErrorKind::PathNotFound);
        assert_eq!(storage.rename(path, "/x").await.unwrap_err().kind(), ErrorKind::PathNotFound);
        assert_eq!(
            storage.writer(path, WriteMode::Append).await.unwrap_err().kind(),
            ErrorKind::PathNotFound
        );
    }
    storage.delete("/d").await.unwrap();
    assert!(!root.join("d").exists());
}
