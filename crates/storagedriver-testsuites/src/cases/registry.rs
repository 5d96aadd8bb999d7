//! The calls that a registry makes, in its order.

use bytes::Bytes;
use storagedriver::{Error, ErrorKind, ReadOptions, Storage, StoragePath, WalkKey, WalkOptions, WriteMode};

use crate::fixture::{
    Fixture, at_once, expect_absent, expect_content, expect_no_upload, list_paths, pattern, put_all,
    read_all, refused, walk_keys,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

const UPLOAD: &str = "/docker/registry/v2/repositories/team/app/_uploads/0b8d/";

fn blob_path(digest: u64) -> String {
    format!("/docker/registry/v2/blobs/sha256/{:02x}/{digest:064x}/data", digest % 256)
}

fn upload(name: &str) -> String {
    format!("{UPLOAD}{name}")
}

/// POST: an upload begins, with nothing in it.
async fn post(storage: &Storage) -> Result<(), Mismatch> {
    storage.put_content(&upload("startedat"), "2026-11-21T03:00:00Z").await?;
    let writer = storage.writer(&upload("data"), WriteMode::Create).await?;
    storage.put_content(&upload("hashstates/sha256/0"), "state").await?;
    ensure_eq!(writer.close().await?, 0, "the size of an upload that begins");
    Ok(())
}

/// PATCH: more content arrives; what the upload has then.
async fn patch(storage: &Storage, expected: u64, content: &Bytes) -> Result<u64, Mismatch> {
    storage.get_content(&upload("startedat")).await?;
    let mut writer = storage.writer(&upload("data"), WriteMode::Append).await?;
    ensure_eq!(writer.size(), expected, "the size that a PATCH finds");
    let states = list_paths(storage, upload("hashstates/sha256").as_str()).await?;
    ensure!(
        states.contains(&upload(&format!("hashstates/sha256/{expected}"))),
        "the hash state at {expected} is gone"
    );
    writer.write(content.clone()).await?;
    let size = writer.size();
    storage.put_content(&upload(&format!("hashstates/sha256/{size}")), "state").await?;
    Ok(writer.close().await?)
}

/// PUT: the upload becomes a blob.
async fn put(storage: &Storage, expected: u64, blob: &str) -> Result<(), Mismatch> {
    let writer = storage.writer(&upload("data"), WriteMode::Append).await?;
    ensure_eq!(writer.size(), expected, "the size that the PUT finds");
    writer.commit().await?;
    ensure_eq!(storage.stat(&upload("data")).await?.size(), Some(expected), "the size after the commit");
    refused(storage.stat(blob).await, ErrorKind::PathNotFound)?;
    storage.rename(&upload("data"), blob).await?;
    let link = "/docker/registry/v2/repositories/team/app/_layers/sha256/0b8d/link";
    storage.put_content(link, "sha256:0b8d").await?;
    storage.delete(UPLOAD.trim_end_matches('/')).await?;
    Ok(())
}

pub(super) async fn pushes_a_blob_in_chunks(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let blob = blob_path(0xabcd);
    post(storage).await?;
    let mut content = Vec::new();
    for (seed, length) in [(1, 64 << 10), (2, 1), (3, 300_000)] {
        let chunk = pattern(seed, length);
        let size = patch(storage, content.len() as u64, &chunk).await?;
        content.extend_from_slice(&chunk);
        ensure_eq!(size, content.len() as u64, "the size after a PATCH");
        // GET of the status in between changes nothing.
        let writer = storage.writer(&upload("data"), WriteMode::Append).await?;
        ensure_eq!(writer.close().await?, size, "the size that a status tells");
    }
    put(storage, content.len() as u64, &blob).await?;
    expect_content(storage, &blob, &content).await?;
    expect_absent(storage, UPLOAD.trim_end_matches('/')).await?;
    expect_absent(storage, "/docker/registry/v2/repositories/team/app/_uploads").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn pushes_an_empty_blob(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let blob = blob_path(0xe3b0);
    post(storage).await?;
    put(storage, 0, &blob).await?;
    expect_content(storage, &blob, b"").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn pushes_through_several_processes(fixture: &Fixture) -> Checked {
    let (one, two) = (fixture.storage(), &fixture.another().await?);
    let blob = blob_path(0xcafe);
    post(one).await?;
    let mut content = Vec::new();
    for turn in 0..6 {
        let chunk = pattern(turn, 50_000);
        patch(if turn % 2 == 0 { two } else { one }, content.len() as u64, &chunk).await?;
        content.extend_from_slice(&chunk);
    }
    put(two, content.len() as u64, &blob).await?;
    expect_content(one, &blob, &content).await?;
    expect_no_upload(one, "/").await?;
    Ok(())
}

pub(super) async fn cancels_an_upload(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    post(storage).await?;
    patch(storage, 0, &pattern(1, 70_000)).await?;
    storage.writer(&upload("data"), WriteMode::Append).await?.cancel().await?;
    // The registry stores the hash state once more, and deletes what is left.
    storage.put_content(&upload("hashstates/sha256/70000"), "state").await?;
    storage.delete(UPLOAD.trim_end_matches('/')).await?;
    expect_absent(storage, UPLOAD.trim_end_matches('/')).await?;
    refused(storage.writer(&upload("data"), WriteMode::Append).await, ErrorKind::PathNotFound)?;
    expect_no_upload(storage, "/").await?;
    ensure!(storage.list("/").await?.is_empty(), "something is left");
    Ok(())
}

pub(super) async fn deletes_an_upload_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for directory in [UPLOAD.trim_end_matches('/'), "/docker/registry/v2/repositories/team"] {
        post(storage).await?;
        patch(storage, 0, &pattern(1, 70_000)).await?;
        storage.delete(directory).await?;
        expect_absent(storage, directory).await?;
        expect_no_upload(storage, "/").await?;
        refused(storage.writer(&upload("data"), WriteMode::Append).await, ErrorKind::PathNotFound)?;
    }
    Ok(())
}

pub(super) async fn pushes_one_blob_twice_at_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 100_000);
    let blob = blob_path(0xbeef);
    at_once(4, |task| {
        let (storage, content, blob) = (storage.clone(), content.clone(), blob.clone());
        async move {
            let data = format!("/docker/registry/v2/repositories/r{task}/_uploads/u/data");
            storage.writer(&data, WriteMode::Create).await?.close().await?;
            let mut writer = storage.writer(&data, WriteMode::Append).await?;
            writer.write(content.clone()).await?;
            writer.commit().await?;
            if !storage.exists(&blob).await? {
                storage.rename(&data, &blob).await?;
            }
            expect_content(&storage, &blob, &content).await?;
            match storage.delete(&format!("/docker/registry/v2/repositories/r{task}/_uploads/u")).await {
                Ok(()) | Err(Error::PathNotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
    })
    .await?;
    expect_content(storage, &blob, &content).await?;
    expect_absent(storage, "/docker/registry/v2/repositories").await?;
    Ok(())
}

pub(super) async fn moves_a_tag(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let tag = "/docker/registry/v2/repositories/app/_manifests/tags/latest";
    for digest in 0..5_u64 {
        let link = format!("sha256:{digest:064x}");
        storage.put_content(&format!("{tag}/index/sha256/{digest:064x}/link"), link.clone()).await?;
        storage.put_content(&format!("{tag}/current/link"), link.clone()).await?;
        expect_content(storage, &format!("{tag}/current/link"), link.as_bytes()).await?;
    }
    ensure_eq!(storage.list(&format!("{tag}/index/sha256")).await?.len(), 5, "the digests that the tag had");
    storage.delete(tag).await?;
    expect_absent(storage, "/docker/registry/v2/repositories/app").await?;
    Ok(())
}

/// The names of directories below `start` after `last`, one page of them.
async fn page(
    storage: &Storage,
    start: &str,
    last: Option<&str>,
    names: usize,
) -> Result<Vec<String>, Mismatch> {
    let mut options = WalkOptions::tree();
    if let Some(last) = last {
        options = options.after(WalkKey::after_subtree(&StoragePath::parse(start)?.child(last)?));
    }
    let mut walk = storage.walk(start, options).await?;
    let mut page = Vec::new();
    while page.len() < names
        && let Some(info) = walk.next().await?
    {
        walk.skip_dir();
        page.push(info.path().name().to_owned());
    }
    Ok(page)
}

pub(super) async fn pages_through_tags(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let tags = "/docker/registry/v2/repositories/app/_manifests/tags";
    let mut names = ["1.0", "1.0-rc1", "1.0.1", "1.0_x", "1", "latest", "v1", "v1-alpine", "V1", "10"];
    for name in names {
        storage.put_content(&format!("{tags}/{name}/current/link"), "sha256:0").await?;
        storage.put_content(&format!("{tags}/{name}/index/sha256/0/link"), "sha256:0").await?;
    }
    names.sort_unstable();
    for size in [1, 2, 3, 100] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let next = page(storage, tags, found.last().map(String::as_str), size).await?;
            if next.is_empty() {
                break;
            }
            found.extend(next);
        }
        ensure_eq!(found, names, "the tags by pages of {size}");
    }
    // A place to start at that is no tag.
    ensure_eq!(page(storage, tags, Some("1.0-zz"), 1).await?, ["1.0.1"], "the tag after 1.0-zz");
    Ok(())
}

pub(super) async fn walks_the_catalogue(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let root = "/docker/registry/v2/repositories";
    let names = ["a", "a-b", "a/b", "a/b/c", "a.b", "foo", "foo/foo", "foo/foo/foo"];
    for name in names {
        storage.put_content(&format!("{root}/{name}/_manifests/tags/t/current/link"), "x").await?;
        storage.put_content(&format!("{root}/{name}/_layers/sha256/0/link"), "x").await?;
    }
    storage.put_content(&format!("{root}/unfinished/_uploads/u/startedat"), "x").await?;
    let mut found = Vec::new();
    let mut walk = storage.walk(root, WalkOptions::tree()).await?;
    while let Some(info) = walk.next().await? {
        let path = info.path().as_str().to_owned();
        if info.path().name().starts_with('_') {
            walk.skip_dir();
        }
        if let Some(name) =
            path.strip_suffix("/_manifests").and_then(|path| path.strip_prefix(&format!("{root}/")))
        {
            found.push(name.to_owned());
        }
    }
    let sorted = ["a", "a/b", "a/b/c", "a-b", "a.b", "foo", "foo/foo", "foo/foo/foo"];
    ensure_eq!(found, sorted, "the catalogue");
    Ok(())
}

pub(super) async fn purges_stale_uploads(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let root = "/docker/registry/v2/repositories";
    for (name, started) in [("a", "old"), ("b/c", "new"), ("d", "old")] {
        storage.put_content(&format!("{root}/{name}/_uploads/u1/startedat"), started).await?;
        storage.writer(&format!("{root}/{name}/_uploads/u1/data"), WriteMode::Create).await?.close().await?;
        storage.put_content(&format!("{root}/{name}/_layers/sha256/0/link"), "x").await?;
    }
    let mut walk = storage.walk(root, WalkOptions::new()).await?;
    let mut stale = Vec::new();
    while let Some(info) = walk.next().await? {
        match info.path().name() {
            "_layers" | "_manifests" => walk.skip_dir(),
            "startedat" if storage.get_content(info.path().as_str()).await? == "old" => {
                stale.extend(info.path().parent());
            }
            _ => {}
        }
    }
    ensure_eq!(stale.len(), 2, "the stale uploads");
    for directory in stale {
        storage.delete(directory.as_str()).await?;
    }
    let left: Vec<String> =
        storage.uploads("/").await?.iter().map(|upload| upload.path().to_string()).collect();
    ensure_eq!(left, [format!("{root}/b/c/_uploads/u1/data")], "the uploads left");
    expect_absent(storage, &format!("{root}/a/_uploads")).await?;
    Ok(())
}

pub(super) async fn collects_garbage(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let blobs: Vec<String> = (0..12).map(|digest| blob_path(digest * 37)).collect();
    put_all(storage, &blobs).await?;
    let referenced = |path: &str| blobs.iter().step_by(3).any(|blob| blob == path);
    let mut walk = storage.walk("/docker/registry/v2/blobs", WalkOptions::new()).await?;
    let mut swept = 0;
    while let Some(info) = walk.next().await? {
        if info.path().name() == "data" && !referenced(info.path().as_str()) {
            let directory = info.path().parent().map(|parent| parent.to_string()).unwrap_or_default();
            storage.delete(&directory).await?;
            expect_absent(storage, &directory).await?;
            swept += 1;
        }
    }
    ensure_eq!(swept, 8, "the blobs swept");
    let keys = walk_keys(storage, "/", WalkOptions::new()).await?;
    let left: Vec<&String> = keys.iter().filter(|key| key.ends_with("/data")).collect();
    let mut wanted: Vec<&String> = blobs.iter().step_by(3).collect();
    wanted.sort();
    ensure_eq!(left, wanted, "the blobs left");
    refused(storage.list("/docker/registry/v2/repositories").await, ErrorKind::PathNotFound)?;
    Ok(())
}

pub(super) async fn serves_a_blob_in_ranges(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (blob, content) = (blob_path(0xfeed), pattern(1, 1_000_003));
    storage.put_content(&blob, content.clone()).await?;
    let size = storage.stat(&blob).await?.size().unwrap_or_default();
    ensure_eq!(size, 1_000_003, "the size of the blob");
    let version = storage.stat(&blob).await?.version().cloned();
    let mut read = Vec::new();
    while (read.len() as u64) < size {
        let mut options = ReadOptions::from_offset(read.len() as u64).with_length(123_457);
        options.version.clone_from(&version);
        let part = read_all(storage, &blob, options).await?;
        ensure!(!part.is_empty(), "a range before the end is empty");
        read.extend_from_slice(&part);
    }
    ensure!(read == content, "the ranges do not add up to the blob");
    ensure!(
        read_all(storage, &blob, ReadOptions::from_offset(size)).await?.is_empty(),
        "the end is not empty"
    );
    Ok(())
}
