//! File systems that are full, read-only, several under one root, or blind to case.
//!
//! Each test runs a part of this executable again in a mount namespace of its own, where it may
//! mount what it likes; where the machine allows none, it says so and passes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use storagedriver::{ErrorKind, Result, Storage, WalkOptions, WriteMode};
use storagedriver_filesystem::FilesystemParameters;

const INSIDE: &str = "STORAGEDRIVER_TEST_MOUNTED";

/// Runs the test `inside` of this executable in a namespace of its own, after the shell commands
/// `mount`, in which `$D` is a directory; the test gets it from [`mounted`].
fn in_namespace(inside: &str, mount: &str) {
    let directory = tempfile::tempdir().unwrap();
    let attempts = [&["--mount"][..], &["--user", "--map-root-user", "--mount"]];
    let allowed = attempts.iter().find(|flags| {
        let mut unshare = Command::new("unshare");
        unshare.args(**flags).args(["sh", "-c", r#"mount -t tmpfs tmpfs "$D""#]).env("D", directory.path());
        unshare.output().is_ok_and(|tried| tried.status.success())
    });
    let Some(flags) = allowed else {
        let skipped = format!("{inside} is skipped: no mount namespace can be made here\n");
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
        return;
    };
    let script = format!(r#"set -e; {mount}; exec "$0" --exact {inside} --nocapture"#);
    let ran = Command::new("unshare")
        .args(*flags)
        .args(["sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env("D", directory.path())
        .env(INSIDE, directory.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

/// The directory that was mounted, in the test that runs inside.
fn mounted() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

fn storage(root: impl AsRef<Path>) -> Storage {
    FilesystemParameters::new(root.as_ref()).into_storage().unwrap()
}

fn kind<T>(outcome: Result<T>) -> ErrorKind {
    outcome.map(drop).unwrap_err().kind()
}

async fn upload(storage: &Storage, path: &str, mode: WriteMode, content: &[u8]) -> Result<u64> {
    let mut writer = storage.writer(path, mode).await?;
    writer.write(content.to_vec()).await?;
    writer.close().await
}

fn files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[test]
fn a_full_file_system() {
    in_namespace("inside_a_full_file_system", r#"mount -t tmpfs -o size=4m tmpfs "$D""#);
}

#[tokio::test]
async fn inside_a_full_file_system() {
    let Some(root) = mounted() else {
        return;
    };
    let storage = storage(&root);
    storage.put_content("/old", "old").await.unwrap();
    storage.put_content("/ballast", vec![0; 2 << 20]).await.unwrap();
    assert_eq!(kind(storage.put_content("/old", vec![1; 3 << 20]).await), ErrorKind::OutOfSpace);
    assert_eq!(storage.get_content("/old").await.unwrap(), "old");
    assert_eq!(kind(storage.put_content("/new/file", vec![1; 3 << 20]).await), ErrorKind::OutOfSpace);
    assert_eq!(files(&root), 2);
    // A write that fails takes nothing, and may be tried again; what was closed stays.
    upload(&storage, "/u", WriteMode::Create, &[2; 1000]).await.unwrap();
    let mut writer = storage.writer("/u", WriteMode::Append).await.unwrap();
    writer.write(vec![3; 1000]).await.unwrap();
    let chunk = vec![4; 3 << 20];
    assert_eq!(kind(writer.write(chunk.clone()).await), ErrorKind::OutOfSpace);
    assert_eq!(writer.size(), 2000);
    storage.delete("/ballast").await.unwrap();
    writer.write(chunk.clone()).await.unwrap();
    writer.commit().await.unwrap();
    let content = storage.get_content("/u").await.unwrap();
    assert_eq!(content[..1000], [2; 1000]);
    assert_eq!(content[1000..2000], [3; 1000]);
    assert_eq!(content[2000..], chunk);
    // Full at the ending: what an earlier close made durable is there.
    upload(&storage, "/v", WriteMode::Create, b"closed").await.unwrap();
    let mut writer = storage.writer("/v", WriteMode::Append).await.unwrap();
    writer.write(vec![5; (1 << 20) - 10]).await.unwrap();
    storage.put_content("/filler", vec![0; 900 << 10]).await.unwrap();
    assert_eq!(kind(writer.close().await), ErrorKind::OutOfSpace);
    assert_eq!(storage.writer("/v", WriteMode::Append).await.unwrap().size(), 6);
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!(files(&root), 3);
}

#[test]
fn a_file_system_without_inodes() {
    in_namespace("inside_a_file_system_without_inodes", r#"mount -t tmpfs -o nr_inodes=12 tmpfs "$D""#);
}

#[tokio::test]
async fn inside_a_file_system_without_inodes() {
    let Some(root) = mounted() else {
        return;
    };
    let storage = storage(&root);
    storage.put_content("/a", "x").await.unwrap();
    let deep = "/1/2/3/4/5/6/7/8/9/10/11/12/13";
    assert_eq!(kind(storage.put_content(deep, "x").await), ErrorKind::OutOfSpace);
    assert_eq!(kind(upload(&storage, deep, WriteMode::Create, b"x").await), ErrorKind::OutOfSpace);
    assert_eq!(kind(storage.rename("/a", deep).await), ErrorKind::OutOfSpace);
    // The directories that could be made are gone again.
    assert_eq!(storage.list("/").await.unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(root.join("~staging")).unwrap().count(), 0);
    // With no inode left, what is there can still be moved and deleted.
    storage.put_content("/d/e/f", "x").await.unwrap();
    while std::fs::File::create(root.join(format!("a b{}", files(&root)))).is_ok() {}
    storage.rename("/d/e/f", "/d/e/g").await.unwrap();
    storage.delete("/d").await.unwrap();
    assert!(!root.join("d").exists());
}

#[test]
fn a_read_only_root() {
    in_namespace(
        "inside_a_read_only_root",
        r#"mount -t tmpfs tmpfs "$D"; mkdir -p "$D/a" "$D/~staging/u"; echo content > "$D/a/b";
           : > "$D/~staging/u/~0000000000000001.0000000000000001.0";
           : > "$D/~staging/~0000000000000002.0000000000000001.passing~v"; mount -o remount,bind,ro "$D""#,
    );
}

#[tokio::test]
async fn inside_a_read_only_root() {
    let Some(root) = mounted() else {
        return;
    };
    let storage = storage(&root);
    assert_eq!(storage.get_content("/a/b").await.unwrap(), "content\n");
    assert!(storage.stat("/").await.unwrap().is_dir());
    assert_eq!(storage.list("/").await.unwrap().len(), 1);
    assert!(storage.walk("/", WalkOptions::new()).await.unwrap().next().await.unwrap().is_some());
    let uploads = storage.uploads("/").await.unwrap();
    assert_eq!(uploads.len(), 2);
    for refused in [
        storage.put_content("/a/b", "x").await,
        storage.put_content("/c", "x").await,
        storage.rename("/a/b", "/c").await,
        storage.delete("/a/b").await,
        storage.delete("/a").await,
        storage.abort_upload(&uploads[0]).await,
        storage.abort_upload(&uploads[1]).await,
        upload(&storage, "/a/b", WriteMode::Create, b"x").await.map(drop),
        upload(&storage, "/u", WriteMode::Append, b"x").await.map(drop),
    ] {
        assert_eq!(kind(refused), ErrorKind::PermissionDenied);
    }
    assert_eq!(
        kind(self::storage(root.join("below/it")).put_content("/c", "x").await),
        ErrorKind::PermissionDenied
    );
    assert_eq!(kind(self::storage(root.join("below/it")).stat("/").await), ErrorKind::PermissionDenied);
    assert_eq!(kind(self::storage(root.join("a/b")).stat("/").await), ErrorKind::Conflict);
    assert_eq!(kind(self::storage(root.join("a/b")).list("/").await), ErrorKind::Conflict);
}

#[test]
fn a_root_that_spans_file_systems() {
    in_namespace(
        "inside_a_root_that_spans_file_systems",
        r#"mkdir "$D/other"; mount -t tmpfs -o size=8m tmpfs "$D/other""#,
    );
}

#[tokio::test]
async fn inside_a_root_that_spans_file_systems() {
    let Some(root) = mounted() else {
        return;
    };
    let storage = storage(&root);
    storage.put_content("/other/a/b", "one").await.unwrap();
    storage.put_content("/other/a/b", "two").await.unwrap();
    assert_eq!(storage.get_content("/other/a/b").await.unwrap(), "two");
    storage.rename("/other/a/b", "/here").await.unwrap();
    // A file of the source's name beside the target is another file.
    storage.put_content("/other/there/here", "stays").await.unwrap();
    storage.rename("/here", "/other/there/b").await.unwrap();
    assert_eq!(storage.get_content("/other/there/here").await.unwrap(), "stays");
    storage.delete("/other/there/here").await.unwrap();
    assert_eq!(kind(storage.stat("/here").await), ErrorKind::PathNotFound);
    assert_eq!(storage.get_content("/other/there/b").await.unwrap(), "two");
    assert_eq!(storage.list("/other").await.unwrap().len(), 1);
    upload(&storage, "/other/u", WriteMode::Create, &[1; 2 << 20]).await.unwrap();
    let writer = storage.writer("/other/u", WriteMode::Append).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content("/other/u").await.unwrap(), vec![1; 2 << 20]);
    let mut writer = storage.writer("/other/u", WriteMode::Append).await.unwrap();
    writer.write("end").await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content("/other/u").await.unwrap().len(), 3 + (2 << 20));
    // Too large for where it is to go: the upload stays, and no copy is left half-way.
    let mut writer = storage.writer("/other/large", WriteMode::Create).await.unwrap();
    writer.write(vec![2; 9 << 20]).await.unwrap();
    assert_eq!(kind(writer.commit().await), ErrorKind::OutOfSpace);
    assert_eq!(storage.writer("/other/large", WriteMode::Append).await.unwrap().size(), 9 << 20);
    assert_eq!(files(&root.join("other")), 2);
    storage.delete("/other").await.unwrap();
    assert_eq!(files(&root), 0);
}

#[test]
fn a_file_system_that_is_blind_to_case() {
    // Two names of one directory: what such a file system shows, made on one that is not blind.
    in_namespace(
        "inside_a_file_system_that_is_blind_to_case",
        r#"mkdir "$D/~staging" "$D/~STAGING"; mount --bind "$D/~staging" "$D/~STAGING""#,
    );
}

#[tokio::test]
async fn inside_a_file_system_that_is_blind_to_case() {
    let Some(root) = mounted() else {
        return;
    };
    let storage = storage(&root);
    for refused in [
        storage.put_content("/a", "x").await,
        upload(&storage, "/a", WriteMode::Create, b"x").await.map(drop),
    ] {
        assert_eq!(kind(refused), ErrorKind::Unsupported);
    }
    assert!(storage.list("/").await.unwrap().is_empty());
}
