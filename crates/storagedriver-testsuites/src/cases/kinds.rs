//! What a path is: a file, a directory, or nothing.

use storagedriver::{EntryKind, ErrorKind, ReadOptions, Storage, WalkOptions, WriteMode};

use crate::fixture::{
    Fixture, allowed_or_refused, close_upload, expect_absent, expect_content, expect_no_upload, list_paths,
    pattern, put_all, refused, walk_keys,
};
use crate::{Checked, ensure, ensure_eq};

pub(super) async fn a_path_is_a_file_a_directory_or_absent(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/sub/file", "content").await?;
    for directory in ["/dir", "/dir/sub"] {
        let info = storage.stat(directory).await?;
        ensure_eq!(info.kind(), EntryKind::Directory, "the kind of {directory}");
        ensure_eq!(info.path().as_str(), directory, "the path in the stat");
        ensure_eq!(info.size(), Some(0), "the size of {directory}");
        refused(storage.get_content(directory).await, ErrorKind::PathNotFound)?;
        refused(storage.reader(directory, ReadOptions::all()).await, ErrorKind::PathNotFound)?;
        ensure!(storage.exists(directory).await?, "{directory} does not exist");
    }
    let info = storage.stat("/dir/sub/file").await?;
    ensure_eq!(info.kind(), EntryKind::File, "the kind of the file");
    for absent in ["/absent", "/dir/absent", "/dir/sub/absent", "/dir/sub/file/absent", "/dir/sub/fil"] {
        expect_absent(storage, absent).await?;
    }
    Ok(())
}

pub(super) async fn a_prefix_of_a_name_is_no_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/foobar", "/food/x", "/foo-/x", "/foo.bar"]).await?;
    expect_absent(storage, "/foo").await?;
    refused(storage.delete("/foo").await, ErrorKind::PathNotFound)?;
    refused(storage.rename("/foo", "/elsewhere").await, ErrorKind::PathNotFound)?;
    refused(storage.writer("/foo", WriteMode::Append).await, ErrorKind::PathNotFound)?;
    refused(walk_first(storage, "/foo").await, ErrorKind::PathNotFound)?;
    ensure_eq!(storage.list("/").await?.len(), 4, "the children of the root");
    Ok(())
}

/// A missing start may show when the walk is opened or at its first step.
async fn walk_first(storage: &Storage, start: &str) -> Result<(), storagedriver::Error> {
    storage.walk(start, WalkOptions::new()).await?.next().await.map(drop)
}

pub(super) async fn directories_go_with_what_was_below(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/a/b/c/d", "/a/e"]).await?;
    storage.delete("/a/b/c/d").await?;
    expect_absent(storage, "/a/b").await?;
    expect_absent(storage, "/a/b/c").await?;
    ensure_eq!(list_paths(storage, "/a").await?, ["/a/e"], "what is left below /a");
    storage.rename("/a/e", "/f/g/h").await?;
    expect_absent(storage, "/a").await?;
    storage.delete("/f/g").await?;
    expect_absent(storage, "/f").await?;
    close_upload(storage, "/u/v/w", &pattern(1, 10)).await?;
    storage.writer("/u/v/w", WriteMode::Append).await?.cancel().await?;
    expect_absent(storage, "/u").await?;
    ensure!(storage.list("/").await?.is_empty(), "the root is not empty");
    Ok(())
}

pub(super) async fn nothing_is_below_a_file(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "content").await?;
    for below in ["/file/x", "/file/x/y"] {
        expect_absent(storage, below).await?;
        refused(storage.delete(below).await, ErrorKind::PathNotFound)?;
        refused(storage.rename(below, "/elsewhere").await, ErrorKind::PathNotFound)?;
        refused(storage.writer(below, WriteMode::Append).await, ErrorKind::PathNotFound)?;
        refused(walk_first(storage, below).await, ErrorKind::PathNotFound)?;
        expect_no_upload(storage, below).await?;
    }
    expect_content(storage, "/file", b"content").await?;
    Ok(())
}

pub(super) async fn an_entry_may_have_the_name_of_its_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a/x/x/f", "f").await?;
    ensure!(storage.stat("/a/x").await?.is_dir(), "/a/x is not a directory");
    ensure_eq!(list_paths(storage, "/a/x").await?, ["/a/x/x"], "the list of /a/x");
    storage.put_content("/a/x/g", "g").await?;
    expect_content(storage, "/a/x/g", b"g").await?;
    ensure_eq!(
        walk_keys(storage, "/", WalkOptions::new()).await?,
        ["/a/", "/a/x/", "/a/x/g", "/a/x/x/", "/a/x/x/f"],
        "the walk"
    );
    Ok(())
}

pub(super) async fn a_file_where_a_directory_is_needed_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "kept").await?;
    let below = "/file/below";
    let put = allowed_or_refused(storage.put_content(below, "new").await, ErrorKind::Conflict)?;
    expect_content(storage, "/file", b"kept").await?;
    match put {
        Some(()) => expect_content(storage, below, b"new").await?,
        None => expect_absent(storage, below).await?,
    }
    let upload = async {
        let mut writer = storage.writer("/file/upload", WriteMode::Create).await?;
        writer.write("new").await?;
        writer.commit().await
    };
    let committed = allowed_or_refused(upload.await, ErrorKind::Conflict)?;
    ensure_eq!(committed.is_some(), put.is_some(), "whether a commit is allowed where a put is");
    storage.put_content("/other", "other").await?;
    let renamed = allowed_or_refused(storage.rename("/other", "/file/renamed").await, ErrorKind::Conflict)?;
    ensure_eq!(renamed.is_some(), put.is_some(), "whether a rename is allowed where a put is");
    expect_content(storage, if renamed.is_some() { "/file/renamed" } else { "/other" }, b"other").await?;
    expect_content(storage, "/file", b"kept").await?;
    Ok(())
}

pub(super) async fn a_directory_where_a_file_is_needed_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/sub/file", "kept").await?;
    let put = allowed_or_refused(storage.put_content("/dir/sub", "new").await, ErrorKind::Conflict)?;
    expect_content(storage, "/dir/sub/file", b"kept").await?;
    if put.is_some() {
        expect_content(storage, "/dir/sub", b"new").await?;
    } else {
        ensure!(!storage.stat("/dir/sub").await?.is_file(), "a refused put made a file");
    }
    let upload = async {
        let mut writer = storage.writer("/dir", WriteMode::Create).await?;
        writer.write("new").await?;
        writer.commit().await
    };
    let committed = allowed_or_refused(upload.await, ErrorKind::Conflict)?;
    ensure_eq!(committed.is_some(), put.is_some(), "whether a commit is allowed where a put is");
    storage.put_content("/other", "other").await?;
    let renamed = allowed_or_refused(storage.rename("/other", "/dir").await, ErrorKind::Conflict)?;
    ensure_eq!(renamed.is_some(), put.is_some(), "whether a rename is allowed where a put is");
    expect_content(storage, if renamed.is_some() { "/dir" } else { "/other" }, b"other").await?;
    expect_content(storage, "/dir/sub/file", b"kept").await?;
    Ok(())
}

pub(super) async fn a_name_that_is_both_lists_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/both", "file").await?;
    let put = allowed_or_refused(storage.put_content("/both/child", "child").await, ErrorKind::Conflict)?;
    let listed = storage.list("/").await?;
    ensure_eq!(listed.len(), 1, "the entries of the root");
    let keys = walk_keys(storage, "/", WalkOptions::new()).await?;
    let tree = walk_keys(storage, "/", WalkOptions::tree()).await?;
    if put.is_none() {
        ensure_eq!(keys, ["/both"], "the walk without the child");
        return Ok(());
    }
    ensure!(listed.iter().all(|info| info.is_file() && info.is_dir()), "the entry is not both: {listed:?}");
    ensure_eq!(keys, ["/both", "/both/", "/both/child"], "the walk of a name that is both");
    ensure_eq!(tree, keys, "the walk in tree order");
    ensure!(storage.stat("/both").await?.is_file(), "stat does not tell of the file");
    ensure_eq!(list_paths(storage, "/both").await?, ["/both/child"], "the list below the name that is both");
    storage.delete("/both").await?;
    expect_absent(storage, "/both/child").await?;
    Ok(())
}
