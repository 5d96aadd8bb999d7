//! Content that is put and got whole.

use std::collections::HashMap;

use bytes::Bytes;
use storagedriver::{ErrorKind, WalkOptions};

use crate::fixture::{
    Fixture, at_once, expect_absent, expect_content, holds_one_of, is_of_this_day, pattern, put_all, refused,
    walk_keys,
};
use crate::{Checked, ensure, ensure_eq};

pub(super) async fn keeps_every_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let content = pattern(seed, size);
        storage.put_content("/content", content.clone()).await?;
        expect_content(storage, "/content", &content).await?;
    }
    Ok(())
}

pub(super) async fn keeps_every_byte(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let every: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    let contents: [&[u8]; 6] = [b"a", "\u{df}".as_bytes(), &[0x80; 4], b"\0\0\0", b"\r\n\r\n\n", &every];
    for content in contents {
        storage.put_content("/content", content.to_vec()).await?;
        expect_content(storage, "/content", content).await?;
    }
    Ok(())
}

pub(super) async fn keeps_empty_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/empty", Bytes::new()).await?;
    expect_content(storage, "/dir/empty", b"").await?;
    let listed = storage.list("/dir").await?;
    ensure!(listed.len() == 1 && listed.iter().all(|info| info.is_file()), "the list is {listed:?}");
    storage.put_content("/dir/empty", "filled").await?;
    storage.put_content("/dir/empty", Bytes::new()).await?;
    expect_content(storage, "/dir/empty", b"").await?;
    Ok(())
}

pub(super) async fn keeps_large_content(fixture: &Fixture) -> Checked {
    let content = pattern(1, fixture.scale().large);
    fixture.storage().put_content("/large", content.clone()).await?;
    expect_content(fixture.storage(), "/large", &content).await?;
    Ok(())
}

pub(super) async fn replaces_longer_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (long, short) = (pattern(1, 1 << 20), pattern(2, 1 << 10));
    storage.put_content("/content", long).await?;
    storage.put_content("/content", short.clone()).await?;
    expect_content(storage, "/content", &short).await?;
    Ok(())
}

pub(super) async fn replaces_shorter_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (short, long) = (pattern(1, 1 << 10), pattern(2, (1 << 20) + 1));
    storage.put_content("/content", short).await?;
    storage.put_content("/content", long.clone()).await?;
    expect_content(storage, "/content", &long).await?;
    Ok(())
}

pub(super) async fn replaces_many_times(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for seed in 0..10 {
        let content = pattern(seed, 4096 - seed * 17);
        storage.put_content("/content", content.clone()).await?;
        expect_content(storage, "/content", &content).await?;
    }
    ensure_eq!(storage.list("/").await?.len(), 1, "the entries of the root");
    Ok(())
}

pub(super) async fn replaces_content_of_the_same_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for seed in 0..5 {
        let content = pattern(seed, 71);
        storage.put_content("/link", content.clone()).await?;
        expect_content(storage, "/link", &content).await?;
    }
    Ok(())
}

pub(super) async fn implies_the_directories_above(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a/b/c/file", "content").await?;
    ensure_eq!(
        walk_keys(storage, "/", WalkOptions::new()).await?,
        ["/a/", "/a/b/", "/a/b/c/", "/a/b/c/file"],
        "what a put made"
    );
    Ok(())
}

pub(super) async fn leaves_other_paths_alone(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let others = ["/a/b", "/a/b-", "/a/b.c", "/a/b0", "/a/bb", "/ab", "/a/B", "/b"];
    put_all(storage, &others).await?;
    storage.put_content("/a/c", pattern(1, 1000)).await?;
    storage.put_content("/a/b", "replaced").await?;
    storage.delete("/a/c").await?;
    for path in others.iter().filter(|path| **path != "/a/b") {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    expect_content(storage, "/a/b", b"replaced").await?;
    Ok(())
}

pub(super) async fn is_not_found_where_nothing_is(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for path in ["/absent", "/absent/below"] {
        let error = refused(storage.get_content(path).await, ErrorKind::PathNotFound)?;
        ensure_eq!(error.path(), Some(path), "the path in the error");
        expect_absent(storage, path).await?;
    }
    storage.put_content("/dir/file", "content").await?;
    refused(storage.get_content("/dir").await, ErrorKind::PathNotFound)?;
    Ok(())
}

pub(super) async fn stat_tells_size_and_time(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let mut before = None;
    for size in [11, 0, 4097] {
        storage.put_content("/dir/file", pattern(size, size)).await?;
        let info = storage.stat("/dir/file").await?;
        ensure_eq!(info.path().as_str(), "/dir/file", "the path in the stat");
        ensure_eq!(info.size(), Some(size), "the size in the stat");
        let modified = info.modified();
        ensure!(modified.is_some_and(is_of_this_day), "the time in the stat is {modified:?}");
        ensure!(modified >= before, "the time went back with a replacement: {before:?}, {modified:?}");
        before = modified;
    }
    ensure_eq!(storage.stat("/dir").await?.size(), Some(0), "the size of the directory");
    Ok(())
}

pub(super) async fn equal_versions_are_equal_bytes(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let mut seen: HashMap<String, Bytes> = HashMap::new();
    for (seed, length) in [(1, 64), (2, 64), (1, 64), (3, 65), (4, 0), (5, 64)] {
        let content = pattern(seed, length);
        storage.put_content("/file", content.clone()).await?;
        let stated = storage.stat("/file").await?.version().cloned();
        let read = storage.reader("/file", storagedriver::ReadOptions::all()).await?;
        if let (Some(stated), Some(read)) = (&stated, read.version()) {
            ensure_eq!(stated, read, "the version that stat and reader tell");
        }
        for version in stated.iter().chain(read.version()) {
            let before = seen.insert(version.to_string(), content.clone());
            ensure!(
                before.is_none_or(|before| before == content),
                "version {version} had other bytes before"
            );
        }
    }
    Ok(())
}

pub(super) async fn is_seen_by_a_second_handle(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    storage.put_content("/a/b", "first").await?;
    expect_content(&other, "/a/b", b"first").await?;
    other.put_content("/a/b", "second").await?;
    expect_content(storage, "/a/b", b"second").await?;
    other.rename("/a/b", "/c").await?;
    expect_absent(storage, "/a").await?;
    storage.delete("/c").await?;
    expect_absent(&other, "/c").await?;
    ensure!(other.list("/").await?.is_empty(), "the second handle still sees entries");
    Ok(())
}

pub(super) async fn is_replaced_atomically(fixture: &Fixture) -> Checked {
    // Different lengths, so that a mixture and a prefix both show.
    let contents: Vec<Bytes> = (0..4).map(|seed| pattern(seed, 100_000 + seed * 50_000)).collect();
    let (storage, rounds) = (fixture.storage().clone(), fixture.scale().rounds * 3);
    if let Some(first) = contents.first() {
        storage.put_content("/file", first.clone()).await?;
    }
    at_once(4, |task| {
        let (storage, contents) = (storage.clone(), contents.clone());
        async move {
            let allowed: Vec<&[u8]> = contents.iter().map(|content| &content[..]).collect();
            for round in 0..rounds {
                match contents.get((round + task) % contents.len()).filter(|_| task < 2) {
                    Some(content) => storage.put_content("/file", content.clone()).await?,
                    None => drop(holds_one_of(&storage, "/file", &allowed).await?),
                }
            }
            Ok(())
        }
    })
    .await?;
    Ok(())
}
