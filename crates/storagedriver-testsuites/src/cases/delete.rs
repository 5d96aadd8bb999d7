//! Deleting.

use storagedriver::{Error, ErrorKind, WalkOptions};

use crate::fixture::{
    Fixture, at_once, begin, expect_absent, expect_content, list_paths, pattern, put_all, refused, tree,
    walk_from,
};
use crate::{Checked, ensure, ensure_eq};

pub(super) async fn removes_a_file(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for size in [0, 32, 100_000] {
        storage.put_content("/d/file", pattern(1, size)).await?;
        storage.delete("/d/file").await?;
        expect_absent(storage, "/d/file").await?;
        begin(storage, "/d/file", &pattern(2, size)).await?.commit().await?;
        storage.delete("/d/file").await?;
        expect_absent(storage, "/d/file").await?;
    }
    Ok(())
}

pub(super) async fn removes_all_below(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    let below = |directory: &'static str| {
        move |path: &&&str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut left = tree();
    for directory in ["/a/bc/d", "/a/b", "/a", "/b"] {
        storage.delete(directory).await?;
        expect_absent(storage, directory).await?;
        for path in left.iter().filter(below(directory)) {
            expect_absent(storage, path).await?;
        }
        left.retain(|path| !below(directory)(&path));
        for path in &left {
            expect_content(storage, path, path.as_bytes()).await?;
        }
    }
    ensure_eq!(list_paths(storage, "/").await?, ["/a-", "/a-b", "/a.b", "/a0", "/ab", "/z"], "what is left");
    Ok(())
}

pub(super) async fn leaves_siblings_of_a_like_name(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let siblings = ["/d/ab", "/d/a-", "/d/a.", "/d/a_", "/d/a0", "/d/a-b/x", "/d/a.b/x", "/d/ab/../x"];
    let siblings: Vec<&str> = siblings.into_iter().filter(|path| !path.contains("..")).collect();
    put_all(storage, &siblings).await?;
    for inside in ["/d/a", "/d/a/x"] {
        storage.put_content(inside, "content").await?;
        storage.delete("/d/a").await?;
        expect_absent(storage, "/d/a").await?;
        for path in &siblings {
            expect_content(storage, path, path.as_bytes()).await?;
        }
    }
    refused(storage.delete("/d/a").await, ErrorKind::PathNotFound)?;
    ensure_eq!(storage.list("/d").await?.len(), siblings.len(), "the siblings");
    Ok(())
}

pub(super) async fn of_nothing_is_not_found(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/dir/file", "/dirt"]).await?;
    for path in ["/absent", "/absent/below", "/dir/absent", "/dir/fil", "/dir/file/below", "/di"] {
        let error = refused(storage.delete(path).await, ErrorKind::PathNotFound)?;
        ensure_eq!(error.path(), Some(path), "the path in the error");
    }
    storage.delete("/dir").await?;
    refused(storage.delete("/dir").await, ErrorKind::PathNotFound)?;
    refused(storage.delete("/dir/file").await, ErrorKind::PathNotFound)?;
    expect_content(storage, "/dirt", b"/dirt").await?;
    Ok(())
}

pub(super) async fn lets_the_path_be_used_anew(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for round in 0..3 {
        // In turn a file and a directory.
        storage.put_content("/d/x", format!("{round}")).await?;
        expect_content(storage, "/d/x", format!("{round}").as_bytes()).await?;
        storage.delete("/d/x").await?;
        storage.put_content("/d/x/y", "below").await?;
        expect_content(storage, "/d/x/y", b"below").await?;
        storage.delete("/d").await?;
        begin(storage, "/d/x", &pattern(1, 10)).await?.commit().await?;
        expect_content(storage, "/d/x", &pattern(1, 10)).await?;
        storage.delete("/d/x").await?;
    }
    Ok(())
}

pub(super) async fn at_once_with_puts_beside_it_loses_none(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for round in 0..fixture.scale().rounds {
        storage.put_content("/d/e/old", "old").await?;
        at_once(2, |task| {
            let storage = storage.clone();
            async move {
                match task {
                    0 => storage.delete("/d/e/old").await?,
                    _ => storage.put_content("/d/e/new", "new").await?,
                }
                Ok(())
            }
        })
        .await?;
        expect_content(storage, "/d/e/new", b"new").await?;
        ensure_eq!(list_paths(storage, "/d/e").await?, ["/d/e/new"], "the directory in round {round}");
        storage.delete("/d").await?;
    }
    Ok(())
}

pub(super) async fn at_once_with_puts_below_it_tears_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for round in 0..fixture.scale().rounds {
        put_all(storage, &["/d/a", "/d/e/b", "/d/e/f/c"]).await?;
        at_once(3, |task| {
            let storage = storage.clone();
            async move {
                match task {
                    0 => match storage.delete("/d").await {
                        Ok(()) | Err(Error::PathNotFound { .. }) => {}
                        Err(error) => return Err(error.into()),
                    },
                    _ => {
                        for name in ["/d/e/new", "/d/e/f/new", "/d/new"] {
                            storage.put_content(&format!("{name}{task}"), pattern(task as u64, 3000)).await?;
                        }
                    }
                }
                Ok(())
            }
        })
        .await?;
        for info in walk_from(storage, "/", WalkOptions::new()).await?.iter().filter(|info| info.is_file()) {
            let path = info.path().as_str();
            ensure!(path.contains("/new"), "round {round}: {path} was there before the delete, and still is");
            let task = if path.ends_with('1') { 1 } else { 2 };
            expect_content(storage, path, &pattern(task, 3000)).await?;
        }
        if storage.exists("/d").await? {
            storage.delete("/d").await?;
        }
        expect_absent(storage, "/d").await?;
    }
    Ok(())
}

pub(super) async fn twice_at_once_leaves_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for _ in 0..fixture.scale().rounds {
        put_all(storage, &["/d/a", "/d/b/c", "/d/b/d"]).await?;
        let done = at_once(3, |_| {
            let storage = storage.clone();
            async move {
                match storage.delete("/d").await {
                    Ok(()) => Ok(true),
                    Err(Error::PathNotFound { .. }) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        })
        .await?;
        ensure!(done.contains(&true), "none of the deletes found anything");
        expect_absent(storage, "/d").await?;
    }
    Ok(())
}
