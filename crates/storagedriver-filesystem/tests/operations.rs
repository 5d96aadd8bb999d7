//! The operations, one by one, as far as this driver has something of its own about them.

use std::path::Path;

use bytes::Bytes;
use storagedriver::{ErrorKind, ReadOptions, Result, Storage, WalkOptions, WriteMode};
use storagedriver_filesystem::FilesystemParameters;
use tempfile::TempDir;

fn storage() -> (TempDir, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = FilesystemParameters::new(directory.path().join("root")).into_storage().unwrap();
    (directory, storage)
}

fn kind<T: std::fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

/// Every name below a directory of the machine, staged ones included.
fn names(directory: &Path) -> Vec<String> {
    fn collect(top: &Path, directory: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                collect(top, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(directory, directory, &mut found);
    found.sort();
    found
}

async fn upload(storage: &Storage, path: &str, mode: WriteMode, content: &[u8]) -> Result<u64> {
    let mut writer = storage.writer(path, mode).await?;
    writer.write(content.to_vec()).await?;
    writer.close().await
}

#[tokio::test]
async fn put_get_stat_list_delete() {
    let (directory, storage) = storage();
    storage.put_content("/a/b/c", "one").await.unwrap();
    storage.put_content("/a/b/c", "two!").await.unwrap();
    assert_eq!(storage.get_content("/a/b/c").await.unwrap(), "two!");
    assert_eq!(storage.stat("/a/b/c").await.unwrap().size(), Some(4));
    assert!(storage.stat("/a/b").await.unwrap().is_dir());
    assert_eq!(storage.list("/a").await.unwrap()[0].path().as_str(), "/a/b");
    assert_eq!(kind(storage.get_content("/a/b").await), ErrorKind::PathNotFound);
    assert_eq!(kind(storage.stat("/a/b/c/d").await), ErrorKind::PathNotFound);
    assert_eq!(kind(storage.put_content("/a/b", "x").await), ErrorKind::Conflict);
    assert_eq!(kind(storage.put_content("/a/b/c/d", "x").await), ErrorKind::Conflict);
    storage.delete("/a/b/c").await.unwrap();
    assert_eq!(kind(storage.stat("/a").await), ErrorKind::PathNotFound);
    assert_eq!(kind(storage.delete("/a").await), ErrorKind::PathNotFound);
    assert_eq!(names(&directory.path().join("root")), ["~staging"]);
}

#[tokio::test]
async fn an_upload_over_several_writers() {
    let (directory, storage) = storage();
    assert_eq!(upload(&storage, "/u/data", WriteMode::Create, b"").await.unwrap(), 0);
    assert_eq!(kind(storage.stat("/u").await), ErrorKind::PathNotFound);
    assert_eq!(upload(&storage, "/u/data", WriteMode::Append, b"abc").await.unwrap(), 3);
    let listed = storage.uploads("/").await.unwrap();
    assert_eq!((listed.len(), listed[0].size()), (1, 3));
    assert_eq!(
        upload(&storage, "/u/data", WriteMode::Append, &vec![b'd'; 3 << 20]).await.unwrap(),
        3 + (3 << 20)
    );
    // A writer that is dropped after it wrote changes nothing.
    let mut writer = storage.writer("/u/data", WriteMode::Append).await.unwrap();
    writer.write(vec![b'x'; 2 << 20]).await.unwrap();
    drop(writer);
    let mut writer = storage.writer("/u/data", WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), 3 + (3 << 20));
    writer.write("end").await.unwrap();
    writer.commit().await.unwrap();
    let content = storage.get_content("/u/data").await.unwrap();
    assert_eq!(content.len(), 6 + (3 << 20));
    assert!(content.starts_with(b"abcddd") && content.ends_with(b"dddend"));
    assert!(storage.uploads("/").await.unwrap().is_empty());
    assert_eq!(names(&directory.path().join("root")), ["u", "u/data", "~staging"]);
}

#[tokio::test]
async fn of_two_that_resumed_one_upload_the_second_to_end_is_refused() {
    for small in [true, false] {
        let (directory, storage) = storage();
        upload(&storage, "/u", WriteMode::Create, b"abc").await.unwrap();
        let chunk = if small { 1 } else { 2 << 20 };
        for first_opened_wins in [true, false] {
            let mut one = storage.writer("/u", WriteMode::Append).await.unwrap();
            let mut two = storage.writer("/u", WriteMode::Append).await.unwrap();
            let size = one.size();
            one.write(vec![b'1'; chunk]).await.unwrap();
            two.write(vec![b'2'; chunk]).await.unwrap();
            let (winner, loser) = if first_opened_wins { (one, two) } else { (two, one) };
            assert_eq!(winner.close().await.unwrap(), size + chunk as u64);
            assert_eq!(kind(loser.commit().await), ErrorKind::Conflict);
        }
        let writer = storage.writer("/u", WriteMode::Append).await.unwrap();
        writer.commit().await.unwrap();
        let content = storage.get_content("/u").await.unwrap();
        assert_eq!(content.len(), 3 + 2 * chunk);
        assert!(content[3..3 + chunk].iter().all(|&byte| byte == b'1'));
        assert!(content[3 + chunk..].iter().all(|&byte| byte == b'2'));
        assert_eq!(names(&directory.path().join("root")), ["u", "~staging"]);
    }
}

#[tokio::test]
async fn appending_to_committed_content_leaves_it_until_the_commit() {
    let (_directory, storage) = storage();
    storage.put_content("/a", "one").await.unwrap();
    let mut writer = storage.writer("/a", WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), 3);
    writer.write(" two").await.unwrap();
    assert_eq!(storage.get_content("/a").await.unwrap(), "one");
    assert_eq!(writer.close().await.unwrap(), 7);
    assert_eq!(storage.get_content("/a").await.unwrap(), "one");
    storage.writer("/a", WriteMode::Append).await.unwrap().commit().await.unwrap();
    assert_eq!(storage.get_content("/a").await.unwrap(), "one two");
    // The content is replaced between opening and commit, also over a close.
    for close in [false, true] {
        storage.put_content("/a", "one").await.unwrap();
        let mut writer = storage.writer("/a", WriteMode::Append).await.unwrap();
        writer.write(" two").await.unwrap();
        storage.put_content("/a", "ONE").await.unwrap();
        if close {
            writer.close().await.unwrap();
            writer = storage.writer("/a", WriteMode::Append).await.unwrap();
        }
        assert_eq!(kind(writer.commit().await), ErrorKind::Conflict);
        assert_eq!(storage.get_content("/a").await.unwrap(), "ONE");
        storage.delete("/a").await.unwrap();
    }
    assert_eq!(kind(storage.writer("/a", WriteMode::Append).await), ErrorKind::PathNotFound);
}

#[tokio::test]
async fn create_discards_and_cancel_removes() {
    let (directory, storage) = storage();
    upload(&storage, "/u", WriteMode::Create, b"abc").await.unwrap();
    let writer = storage.writer("/u", WriteMode::Create).await.unwrap();
    assert!(storage.uploads("/").await.unwrap().is_empty());
    drop(writer);
    assert_eq!(kind(storage.writer("/u", WriteMode::Append).await), ErrorKind::PathNotFound);
    upload(&storage, "/u", WriteMode::Create, b"abc").await.unwrap();
    storage.writer("/u", WriteMode::Append).await.unwrap().cancel().await.unwrap();
    let mut writer = storage.writer("/u", WriteMode::Create).await.unwrap();
    writer.write(vec![0; 2 << 20]).await.unwrap();
    assert_eq!(storage.uploads("/u").await.unwrap().len(), 1);
    writer.cancel().await.unwrap();
    assert_eq!(names(&directory.path().join("root")), ["~staging"]);
}

#[tokio::test]
async fn an_upload_that_is_open_or_moved_on_is_not_aborted() {
    let (_directory, storage) = storage();
    upload(&storage, "/u", WriteMode::Create, b"abc").await.unwrap();
    let listed = storage.uploads("/").await.unwrap().remove(0);
    let mut writer = storage.writer("/u", WriteMode::Append).await.unwrap();
    assert_eq!(kind(storage.abort_upload(&listed).await), ErrorKind::Conflict);
    writer.write("d").await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(kind(storage.abort_upload(&listed).await), ErrorKind::Conflict);
    let listed = storage.uploads("/u").await.unwrap().remove(0);
    storage.abort_upload(&listed).await.unwrap();
    storage.abort_upload(&listed).await.unwrap();
    assert!(storage.uploads("/").await.unwrap().is_empty());
}

#[tokio::test]
async fn rename_moves_and_prunes() {
    let (directory, storage) = storage();
    storage.put_content("/from/x/file", "content").await.unwrap();
    upload(&storage, "/from/x/file", WriteMode::Create, b"upload").await.unwrap();
    storage.rename("/from/x/file", "/to/y/file").await.unwrap();
    assert_eq!(storage.get_content("/to/y/file").await.unwrap(), "content");
    assert_eq!(kind(storage.stat("/from").await), ErrorKind::PathNotFound);
    assert_eq!(storage.writer("/from/x/file", WriteMode::Append).await.unwrap().size(), 6);
    let error = storage.rename("/none", "/to/y/file").await.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::PathNotFound, Some("/none")));
    assert_eq!(kind(storage.rename("/to", "/elsewhere").await), ErrorKind::PathNotFound);
    storage.put_content("/other", "x").await.unwrap();
    assert_eq!(kind(storage.rename("/other", "/to").await), ErrorKind::Conflict);
    assert_eq!(storage.get_content("/to/y/file").await.unwrap(), "content");
    storage.delete("/from").await.unwrap();
    assert_eq!(names(&directory.path().join("root")), ["other", "to", "to/y", "to/y/file", "~staging"]);
}

#[tokio::test]
async fn a_reader_keeps_to_one_version() {
    let (_directory, storage) = storage();
    let old: Bytes = vec![b'o'; 3 << 20].into();
    storage.put_content("/a", old.clone()).await.unwrap();
    let mut reader = storage.reader("/a", ReadOptions::from_offset(5)).await.unwrap();
    let version = reader.version().unwrap().clone();
    let first = reader.next().await.unwrap().unwrap();
    storage.put_content("/a", vec![b'n'; 3 << 20]).await.unwrap();
    let rest = reader.bytes().await.unwrap();
    assert_eq!(first.len() + rest.len() + 5, old.len());
    assert!(rest.iter().all(|&byte| byte == b'o'));
    let options = ReadOptions::all().with_version(version);
    assert_eq!(kind(storage.reader("/a", options).await), ErrorKind::Conflict);
    assert_eq!(
        kind(storage.reader("/a", ReadOptions::from_offset((3 << 20) + 1)).await),
        ErrorKind::InvalidOffset
    );
    let end = storage.reader("/a", ReadOptions::from_offset(3 << 20)).await.unwrap();
    assert!(end.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_root_is_made_by_the_first_write_and_not_before() {
    let (directory, storage) = storage();
    assert!(storage.stat("/").await.unwrap().is_dir());
    assert!(storage.list("/").await.unwrap().is_empty());
    assert!(storage.walk("/", WalkOptions::new()).await.unwrap().next().await.unwrap().is_none());
    assert!(storage.uploads("/").await.unwrap().is_empty());
    assert_eq!(kind(storage.get_content("/a").await), ErrorKind::PathNotFound);
    assert_eq!(kind(storage.delete("/a").await), ErrorKind::PathNotFound);
    assert!(!directory.path().join("root").exists());
    storage.put_content("/a", "x").await.unwrap();
    assert!(directory.path().join("root/a").exists());
}
