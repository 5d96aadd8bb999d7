//! The children of a directory.

use storagedriver::{EntryKind, ErrorKind, Storage};

use crate::fixture::{
    Fixture, at_once, begin, close_upload, expect_absent, list_paths, pattern, put_all, refused, tree,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn gives_the_direct_children(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/top/a", "/top/b/c", "/top/b/d/e", "/top/f", "/other/x"]).await?;
    ensure_eq!(list_paths(storage, "/").await?, ["/other", "/top"], "the list of the root");
    ensure_eq!(list_paths(storage, "/top").await?, ["/top/a", "/top/b", "/top/f"], "the list of /top");
    ensure_eq!(list_paths(storage, "/top/b").await?, ["/top/b/c", "/top/b/d"], "the list of /top/b");
    ensure_eq!(list_paths(storage, "/top/b/d").await?, ["/top/b/d/e"], "the list of /top/b/d");
    Ok(())
}

pub(super) async fn tells_kinds(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/top/a", "/top/b/c", "/top/d"]).await?;
    let kinds: Vec<EntryKind> = storage.list("/top").await?.iter().map(|info| info.kind()).collect();
    ensure_eq!(kinds, [EntryKind::File, EntryKind::Directory, EntryKind::File], "the kinds");
    for info in storage.list("/top").await?.iter().filter(|info| info.is_file()) {
        let stat = storage.stat(info.path().as_str()).await?;
        ensure!(
            info.size().is_none() || info.size() == stat.size(),
            "list and stat differ in size: {info:?}, {stat:?}"
        );
        ensure!(
            info.version().is_none() || stat.version().is_none() || info.version() == stat.version(),
            "list and stat differ in version: {info:?}, {stat:?}"
        );
    }
    for info in storage.list("/").await? {
        ensure_eq!(info.size(), Some(0), "the size of a directory");
    }
    Ok(())
}

pub(super) async fn sorts_by_path(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    let root = ["/a", "/a-", "/a-b", "/a.b", "/a0", "/ab", "/b", "/z"];
    ensure_eq!(list_paths(storage, "/").await?, root, "the list of the root");
    let children = ["/a/-", "/a/b", "/a/b-", "/a/b-c", "/a/b.c", "/a/b0", "/a/bc"];
    ensure_eq!(list_paths(storage, "/a").await?, children, "the list of /a");
    let names = ["/n/9", "/n/A", "/n/Z", "/n/_", "/n/a", "/n/z", "/n/.x", "/n/-x", "/n/x", "/n/X"];
    put_all(storage, &names).await?;
    let mut sorted = names.map(str::to_owned);
    sorted.sort();
    ensure_eq!(list_paths(storage, "/n").await?, sorted, "the list of /n");
    Ok(())
}

pub(super) async fn is_not_found_where_no_directory_is(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    refused(storage.list("/absent").await, ErrorKind::PathNotFound)?;
    put_all(storage, &["/dir/file", "/dirt"]).await?;
    for path in ["/absent", "/absent/below", "/dir/file", "/dir/file/below", "/dir/absent", "/dirt", "/di"] {
        let error = refused(storage.list(path).await, ErrorKind::PathNotFound)?;
        ensure_eq!(error.path(), Some(path), "the path in the error");
    }
    Ok(())
}

pub(super) async fn of_the_empty_root_is_empty(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    ensure!(storage.list("/").await?.is_empty(), "the list of a new store is not empty");
    put_all(storage, &["/a/b/c", "/d"]).await?;
    storage.delete("/a").await?;
    storage.delete("/d").await?;
    ensure!(storage.list("/").await?.is_empty(), "the list of an emptied store is not empty");
    Ok(())
}

/// Names of which each is a prefix of the next, so that a page that ends in the middle of a
/// directory shows.
fn many_names(count: usize) -> Vec<String> {
    (0..count)
        .map(|place| match place % 5 {
            0 => format!("/many/n{:05}", place / 5),
            1 => format!("/many/n{:05}-", place / 5),
            2 => format!("/many/n{:05}.d/x", place / 5),
            3 => format!("/many/n{:05}0/y/z", place / 5),
            _ => format!("/many/n{:05}_", place / 5),
        })
        .collect()
}

async fn put_at_once(storage: &Storage, paths: &[String], tasks: usize) -> Checked {
    at_once(tasks, |task| {
        let (storage, paths): (_, Vec<String>) =
            (storage.clone(), paths.iter().skip(task).step_by(tasks).cloned().collect());
        async move { Ok(put_all(&storage, &paths).await?) }
    })
    .await?;
    Ok(())
}

pub(super) async fn gives_many_children_each_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let paths = many_names(fixture.scale().children);
    put_at_once(storage, &paths, 8).await?;
    let mut wanted: Vec<String> =
        paths.iter().map(|path| path.split('/').take(3).collect::<Vec<_>>().join("/")).collect();
    wanted.sort();
    let found = list_paths(storage, "/many").await?;
    let missing: Vec<&String> = wanted.iter().filter(|path| found.binary_search(path).is_err()).collect();
    ensure!(missing.is_empty(), "{} of {} children are missing: {missing:?}", missing.len(), wanted.len());
    ensure!(found == wanted, "{} children where {} are wanted, or not sorted", found.len(), wanted.len());
    storage.delete("/many").await?;
    expect_absent(storage, "/many").await?;
    ensure!(storage.list("/").await?.is_empty(), "the delete of many left something");
    Ok(())
}

pub(super) async fn gives_a_directory_with_many_below_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let mut paths: Vec<String> =
        (0..fixture.scale().children).map(|place| format!("/top/middle/f{place:05}")).collect();
    paths.extend(
        ["/top/after", "/top/before", "/top/middle-", "/top/middle.x", "/top/middle0"].map(str::to_owned),
    );
    put_at_once(storage, &paths, 8).await?;
    let wanted =
        ["/top/after", "/top/before", "/top/middle", "/top/middle-", "/top/middle.x", "/top/middle0"];
    ensure_eq!(list_paths(storage, "/top").await?, wanted, "the list around a large directory");
    Ok(())
}

pub(super) async fn follows_changes_at_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for round in 0..3 {
        storage.put_content("/d/a", "a").await?;
        ensure_eq!(list_paths(storage, "/d").await?, ["/d/a"], "the list in round {round}");
        begin(storage, "/d/b", &pattern(1, 10)).await?.commit().await?;
        ensure_eq!(list_paths(storage, "/d").await?, ["/d/a", "/d/b"], "the list after a commit");
        storage.rename("/d/a", "/d/c").await?;
        ensure_eq!(list_paths(storage, "/d").await?, ["/d/b", "/d/c"], "the list after a rename");
        storage.delete("/d/b").await?;
        ensure_eq!(list_paths(storage, "/d").await?, ["/d/c"], "the list after a delete");
        storage.delete("/d/c").await?;
        expect_absent(storage, "/d").await?;
    }
    Ok(())
}

pub(super) async fn shows_nothing_of_writes_under_way(fixture: &Fixture) -> Checked {
    let storage = fixture.storage().clone();
    let rounds = fixture.scale().rounds;
    storage.put_content("/dir/kept", "kept").await?;
    close_upload(&storage, "/dir/closed", &pattern(1, 10)).await?;
    at_once(4, |task| {
        let storage = storage.clone();
        async move {
            for round in 0..rounds as u64 {
                match task {
                    0 => storage.put_content("/dir/put", pattern(round, 20_000)).await?,
                    1 => begin(&storage, "/dir/streamed", &pattern(round, 20_000)).await?.commit().await?,
                    2 => begin(&storage, "/dir/cancelled", &pattern(round, 20_000)).await?.cancel().await?,
                    _ => {
                        let listed = list_paths(&storage, "/dir").await?;
                        let known = ["/dir/kept", "/dir/put", "/dir/streamed"];
                        let strange: Vec<_> =
                            listed.iter().filter(|path| !known.contains(&path.as_str())).collect();
                        ensure!(strange.is_empty(), "the list shows {strange:?}");
                        ensure!(
                            listed.iter().any(|path| path == "/dir/kept"),
                            "the list misses /dir/kept: {listed:?}"
                        );
                        ensure_eq!(list_paths(&storage, "/").await?, ["/dir"], "the list of the root");
                    }
                }
            }
            Ok(())
        }
    })
    .await?;
    Ok(())
}

pub(super) async fn pages_end_anywhere(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let Some(page) = fixture.scale().page_size else {
        return small_pages(storage, 7).await.map_err(Into::into);
    };
    for count in [page - 1, page, page + 1] {
        small_pages(storage, count).await?;
    }
    Ok(())
}

/// A directory of exactly so many children, the last of which is a directory whose name is a
/// prefix of its neighbours'.
async fn small_pages(storage: &Storage, count: usize) -> Result<(), Mismatch> {
    let mut paths: Vec<String> =
        (0..count.saturating_sub(1)).map(|place| format!("/p/a{place:05}")).collect();
    paths.push("/p/b/x".to_owned());
    put_all(storage, &paths).await?;
    put_all(storage, &["/p/b/y", "/p-"]).await?;
    let found = list_paths(storage, "/p").await?;
    ensure_eq!(found.len(), count, "the children of a directory of {count}");
    ensure_eq!(found.last().map(String::as_str), Some("/p/b"), "the last child");
    put_all(storage, &["/p/b-", "/p/b.", "/p/b0"]).await?;
    let found = list_paths(storage, "/p").await?;
    let tail = found.get(count.saturating_sub(1)..).unwrap_or_default();
    ensure_eq!(tail, ["/p/b", "/p/b-", "/p/b.", "/p/b0"], "the end of the list");
    storage.delete("/p").await?;
    storage.delete("/p-").await?;
    Ok(())
}
