//! Walks: their entries, their orders, their places.

use storagedriver::{EntryKind, ErrorKind, StoragePath, WalkKey, WalkOptions, WalkOrder};

use crate::fixture::{
    Fixture, ORDERS, at_once, close_upload, expected_walk, in_order, is_of_this_day, pattern, put_all,
    refused, tree, walk_from, walk_keys,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn yields_every_descendant_in_key_order(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    let options = WalkOptions::new();
    ensure_eq!(
        walk_keys(storage, "/", options.clone()).await?,
        expected_walk(&tree(), "/", &options)?,
        "the walk"
    );
    storage.delete("/a").await?;
    put_all(storage, &["/a/x", "/a-b", "/a.b/c", "/a0", "/a/0"]).await?;
    let keys = walk_keys(storage, "/", options).await?;
    let wanted = ["/a-/", "/a-/x", "/a-b", "/a.b/", "/a.b/c", "/a/", "/a/0", "/a/x", "/a0", "/ab/"];
    ensure_eq!(keys.get(..10).unwrap_or_default(), wanted, "the start of the walk");
    Ok(())
}

pub(super) async fn yields_every_descendant_in_tree_order(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    let options = WalkOptions::tree();
    ensure_eq!(
        walk_keys(storage, "/", options.clone()).await?,
        expected_walk(&tree(), "/", &options)?,
        "the walk"
    );
    let example = ["/w/folder1/file1", "/w/folder1-suffix/file1", "/w/folder2/x", "/w/folder2/sub/y"];
    put_all(storage, &example).await?;
    let keys = walk_keys(storage, "/w", options).await?;
    let wanted = [
        "/w/folder1/",
        "/w/folder1/file1",
        "/w/folder1-suffix/",
        "/w/folder1-suffix/file1",
        "/w/folder2/",
        "/w/folder2/sub/",
        "/w/folder2/sub/y",
        "/w/folder2/x",
    ];
    ensure_eq!(keys, wanted, "the walk of Distribution's example");
    Ok(())
}

pub(super) async fn starts_anywhere_and_leaves_the_start_out(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for start in ["/", "/a", "/a/b", "/a/bc", "/a/bc/d/e", "/a-", "/b", "/b/b", "/a/-"] {
        for order in ORDERS {
            let options = in_order(order);
            let wanted = expected_walk(&tree(), start, &options)?;
            ensure_eq!(walk_keys(storage, start, options).await?, wanted, "the walk of {start}, {order:?}");
        }
    }
    Ok(())
}

pub(super) async fn is_not_found_where_no_directory_is(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/dir/file", "/dirt"]).await?;
    let after = WalkKey::file(&StoragePath::parse("/zzz")?);
    for order in ORDERS {
        for start in ["/absent", "/dir/absent", "/dir/file", "/dir/file/below", "/dirt", "/di"] {
            for options in [in_order(order), in_order(order).after(after.clone())] {
                let first = match storage.walk(start, options).await {
                    Ok(mut walk) => walk.next().await.map(drop),
                    Err(error) => Err(error),
                };
                refused(first, ErrorKind::PathNotFound)?;
            }
        }
    }
    Ok(())
}

pub(super) async fn of_the_empty_root_is_empty(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for _ in 0..2 {
        for order in ORDERS {
            ensure_eq!(walk_keys(storage, "/", in_order(order)).await?, Vec::<String>::new(), "the walk");
        }
        storage.put_content("/a/b/c", "c").await?;
        storage.delete("/a").await?;
    }
    Ok(())
}

pub(super) async fn tells_kind_size_and_time(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (path, size) in [("/a/empty", 0), ("/a/small", 7), ("/b/c/large", 100_001)] {
        storage.put_content(path, pattern(size, size)).await?;
    }
    for order in ORDERS {
        let entries = walk_from(storage, "/", in_order(order)).await?;
        ensure_eq!(entries.len(), 6, "the entries");
        for info in entries {
            let stat = storage.stat(info.path().as_str()).await?;
            ensure_eq!(info.kind(), stat.kind(), "the kind of {}", info.path());
            ensure_eq!(info.size(), stat.size(), "the size of {}", info.path());
            if info.is_file() {
                let modified = info.modified();
                ensure!(modified.is_some_and(is_of_this_day), "the time of {} is {modified:?}", info.path());
            }
        }
    }
    Ok(())
}

/// Walks, and skips each directory whose path is among these.
async fn walk_skipping(
    fixture: &Fixture,
    options: WalkOptions,
    skipped: &[&str],
) -> Result<Vec<String>, Mismatch> {
    let mut walk = fixture.storage().walk("/", options).await?;
    let mut keys = Vec::new();
    while let Some(info) = walk.next().await? {
        keys.push(info.key().to_string());
        if skipped.contains(&info.path().as_str()) {
            walk.skip_dir();
        }
    }
    Ok(keys)
}

/// The keys without those below the directories that are skipped.
fn without(keys: Vec<String>, skipped: &[&str]) -> Vec<String> {
    let hidden = |key: &String| {
        skipped
            .iter()
            .any(|path| key.strip_prefix(path).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/')))
    };
    keys.into_iter().filter(|key| !hidden(key)).collect()
}

pub(super) async fn skips_each_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        let whole = expected_walk(&tree(), "/", &in_order(order))?;
        let directories: Vec<&str> = whole.iter().filter_map(|key| key.strip_suffix('/')).collect();
        for directory in &directories {
            let found = walk_skipping(fixture, in_order(order), &[*directory]).await?;
            ensure_eq!(
                found,
                without(whole.clone(), &[*directory]),
                "the walk without {directory}, {order:?}"
            );
        }
        let found = walk_skipping(fixture, in_order(order), &directories).await?;
        ensure_eq!(found, without(whole.clone(), &directories), "the walk without any directory, {order:?}");
    }
    Ok(())
}

pub(super) async fn skips_nothing_after_a_file(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        let whole = expected_walk(&tree(), "/", &in_order(order))?;
        let found = walk_skipping(fixture, in_order(order), &tree()).await?;
        ensure_eq!(found, whole, "the walk that skips after each file, {order:?}");
    }
    Ok(())
}

pub(super) async fn skips_nothing_before_its_first_entry(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/a/b", "/a/c/d", "/e"]).await?;
    for order in ORDERS {
        let mut walk = storage.walk("/", in_order(order)).await?;
        walk.skip_dir();
        let mut keys = Vec::new();
        while let Some(info) = walk.next().await? {
            if info.path().as_str() == "/a/c" {
                // Twice is once.
                walk.skip_dir();
                walk.skip_dir();
            }
            keys.push(info.key().to_string());
        }
        ensure_eq!(keys, ["/a/", "/a/b", "/a/c/", "/e"], "the walk, {order:?}");
    }
    Ok(())
}

pub(super) async fn skips_after_a_start(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        let after = in_order(order).after(WalkKey::directory(&StoragePath::parse("/a")?));
        let whole = expected_walk(&tree(), "/", &after)?;
        let found = walk_skipping(fixture, after, &["/a/b", "/b"]).await?;
        ensure_eq!(found, without(whole, &["/a/b", "/b"]), "the walk, {order:?}");
    }
    Ok(())
}

/// As many files as a large directory may have, in directories whose names are prefixes of one
/// another.
fn many_files(count: usize) -> Vec<String> {
    (0..count)
        .map(|place| match place % 4 {
            0 => format!("/many/d{:04}/f", place / 4),
            1 => format!("/many/d{:04}-/f", place / 4),
            2 => format!("/many/d{:04}/sub/f", place / 4),
            _ => format!("/many/d{:04}.f", place / 4),
        })
        .collect()
}

pub(super) async fn yields_many_entries_each_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let files = many_files(fixture.scale().children);
    at_once(8, |task| {
        let (storage, files): (_, Vec<String>) =
            (storage.clone(), files.iter().skip(task).step_by(8).cloned().collect());
        async move { Ok(put_all(&storage, &files).await?) }
    })
    .await?;
    for order in ORDERS {
        let wanted = expected_walk(&files, "/", &in_order(order))?;
        let found = walk_keys(storage, "/", in_order(order)).await?;
        let differs = found.iter().zip(&wanted).find(|(found, wanted)| found != wanted);
        ensure!(differs.is_none(), "{order:?}: found and wanted: {differs:?}");
        ensure_eq!(found.len(), wanted.len(), "the entries, {order:?}");
        // Skips and starts at places that are not on the first page.
        let after = in_order(order).after(WalkKey::after_subtree(&StoragePath::parse("/many/d0020")?));
        let rest = walk_keys(storage, "/many", after.clone()).await?;
        ensure!(rest == expected_walk(&files, "/many", &after)?, "{order:?}: the walk after /many/d0020/~");
        let found = walk_skipping(fixture, in_order(order), &["/many"]).await?;
        ensure_eq!(found, ["/many/"], "the walk that skips all, {order:?}");
    }
    storage.delete("/many").await?;
    Ok(())
}

pub(super) async fn shows_no_upload(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a/file", "content").await?;
    for path in ["/a/file", "/a/upload", "/b/upload"] {
        close_upload(storage, path, &pattern(1, 70_000)).await?;
    }
    for order in ORDERS {
        let entries = walk_from(storage, "/", in_order(order)).await?;
        let keys: Vec<String> = entries.iter().map(|info| info.key().to_string()).collect();
        ensure_eq!(keys, ["/a/", "/a/file"], "the walk, {order:?}");
        ensure_eq!(entries.last().and_then(|info| info.size()), Some(7), "the size of the content");
    }
    Ok(())
}

pub(super) async fn may_be_deleted_behind(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for order in ORDERS {
        put_all(storage, &tree()).await?;
        let wanted = expected_walk(&tree(), "/", &in_order(order))?;
        let mut walk = storage.walk("/", in_order(order)).await?;
        let mut keys = Vec::new();
        while let Some(info) = walk.next().await? {
            keys.push(info.key().to_string());
            if info.kind() == EntryKind::File {
                storage.delete(info.path().as_str()).await?;
            }
        }
        ensure_eq!(keys, wanted, "the walk behind which every file was deleted, {order:?}");
        ensure!(storage.list("/").await?.is_empty(), "something is left");
    }
    Ok(())
}

pub(super) async fn misses_and_doubles_nothing_that_stays(fixture: &Fixture) -> Checked {
    let storage = fixture.storage().clone();
    let rounds = fixture.scale().rounds;
    let names = ["a", "bb", "c", "c.", "e"];
    let kept = ["/d/a/x", "/d/b", "/d/c/y", "/d/c-/z", "/d/e/f/g"];
    put_all(&storage, &kept).await?;
    at_once(3, |task| {
        let storage = storage.clone();
        async move {
            for round in 0..rounds {
                if task == 0 {
                    let path = format!("/d/{}/changing", names.get(round % names.len()).unwrap_or(&"a"));
                    storage.put_content(&path, "x").await?;
                    storage.delete(&path).await?;
                    continue;
                }
                let order = if task == 1 { WalkOrder::Key } else { WalkOrder::Tree };
                let wanted = expected_walk(&kept, "/", &in_order(order))?;
                let mut found = walk_keys(&storage, "/", in_order(order)).await?;
                found.retain(|key| !key.ends_with("/changing") && key != "/d/bb/" && key != "/d/c./");
                ensure_eq!(found, wanted, "what stays, {order:?}");
            }
            Ok(())
        }
    })
    .await?;
    Ok(())
}

pub(super) async fn may_be_dropped_midway(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        for steps in 0..5 {
            let mut walk = storage.walk("/", in_order(order)).await?;
            for _ in 0..steps {
                ensure!(walk.next().await?.is_some(), "the walk is over too early");
            }
            drop(walk);
        }
        let wanted = expected_walk(&tree(), "/", &in_order(order))?;
        ensure_eq!(walk_keys(storage, "/", in_order(order)).await?, wanted, "the walk, {order:?}");
    }
    Ok(())
}
