//! Moving files.

use bytes::Bytes;
use storagedriver::{Error, ErrorKind};

use crate::fixture::{
    Fixture, allowed_or_refused, at_once, begin, expect_absent, expect_content, list_paths, pattern, put_all,
    refused,
};
use crate::{Checked, ensure, ensure_eq};
use storagedriver::Guarantee;

pub(super) async fn moves_content_of_every_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let content = pattern(seed, size);
        storage.put_content("/from/file", content.clone()).await?;
        storage.rename("/from/file", "/to/other/file").await?;
        expect_content(storage, "/to/other/file", &content).await?;
        expect_absent(storage, "/from/file").await?;
    }
    Ok(())
}

pub(super) async fn moves_large_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, fixture.scale().large);
    begin(storage, "/from", &content).await?.commit().await?;
    storage.rename("/from", "/to").await?;
    expect_content(storage, "/to", &content).await?;
    expect_absent(storage, "/from").await?;
    Ok(())
}

pub(super) async fn replaces_the_destination(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (from, to) in [(10, 5000), (5000, 10), (10, 10), (0, 10), (10, 0)] {
        let content = pattern(1, from);
        storage.put_content("/d/from", content.clone()).await?;
        storage.put_content("/d/to", pattern(2, to)).await?;
        storage.rename("/d/from", "/d/to").await?;
        expect_content(storage, "/d/to", &content).await?;
        expect_absent(storage, "/d/from").await?;
        ensure_eq!(list_paths(storage, "/d").await?, ["/d/to"], "what is left in the directory");
    }
    Ok(())
}

pub(super) async fn onto_itself_changes_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/d/file", "content").await?;
    let before = storage.stat("/d/file").await?;
    storage.rename("/d/file", "/d/file").await?;
    expect_content(storage, "/d/file", b"content").await?;
    ensure_eq!(storage.stat("/d/file").await?, before, "the stat after a rename onto itself");
    for path in ["/absent", "/d", "/d/absent"] {
        refused(storage.rename(path, path).await, ErrorKind::PathNotFound)?;
    }
    Ok(())
}

pub(super) async fn of_nothing_leaves_the_destination(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/kept", "/ab"]).await?;
    for from in ["/absent", "/a", "/absent/below", "/kept/below"] {
        for to in ["/kept", "/new/place"] {
            let error = refused(storage.rename(from, to).await, ErrorKind::PathNotFound)?;
            ensure_eq!(error.path(), Some(from), "the path in the error");
        }
    }
    expect_content(storage, "/kept", b"/kept").await?;
    expect_absent(storage, "/new").await?;
    Ok(())
}

pub(super) async fn of_a_directory_is_refused(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/dir/a", "/dir/sub/b", "/kept"]).await?;
    for to in ["/kept", "/new", "/dir2/sub"] {
        for from in ["/dir", "/dir/sub"] {
            refused(storage.rename(from, to).await, ErrorKind::PathNotFound)?;
        }
    }
    for path in ["/dir/a", "/dir/sub/b", "/kept"] {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    expect_absent(storage, "/new").await?;
    expect_absent(storage, "/dir2").await?;
    Ok(())
}

pub(super) async fn makes_and_prunes_directories(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/a/b/c/file", "/a/kept"]).await?;
    storage.rename("/a/b/c/file", "/x/y/z/file").await?;
    expect_absent(storage, "/a/b").await?;
    expect_content(storage, "/a/kept", b"/a/kept").await?;
    expect_content(storage, "/x/y/z/file", b"/a/b/c/file").await?;
    storage.rename("/x/y/z/file", "/x/y/file").await?;
    expect_absent(storage, "/x/y/z").await?;
    // Up, to where its own directory was.
    storage.rename("/x/y/file", "/file").await?;
    expect_absent(storage, "/x").await?;
    storage.rename("/file", "/file2/file").await?;
    expect_absent(storage, "/file").await?;
    expect_content(storage, "/file2/file", b"/a/b/c/file").await?;
    Ok(())
}

pub(super) async fn into_its_own_path_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a/b", "content").await?;
    for (from, to) in [("/a/b", "/a/b/c"), ("/a/b", "/a")] {
        match allowed_or_refused(storage.rename(from, to).await, ErrorKind::Conflict)? {
            Some(()) => {
                expect_content(storage, to, b"content").await?;
                storage.rename(to, from).await?;
            }
            None => ensure!(!storage.exists("/a/b/c").await?, "a refused rename left a destination"),
        }
        expect_content(storage, from, b"content").await?;
    }
    Ok(())
}

pub(super) async fn leaves_neighbours_alone(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let others = ["/d/from-", "/d/from.x/y", "/d/fro", "/d/to-", "/d/to0", "/d/t"];
    put_all(storage, &others).await?;
    storage.put_content("/d/from", "content").await?;
    storage.rename("/d/from", "/d/to").await?;
    for path in others {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    ensure_eq!(storage.list("/d").await?.len(), others.len() + 1, "the entries of the directory");
    Ok(())
}

pub(super) async fn is_never_seen_with_neither_end(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let atomic = fixture.keeps(Guarantee::AtomicRename);
    for round in 0..fixture.scale().rounds {
        let (from, to) = (format!("/d{round}/from"), format!("/e{round}/to"));
        storage.put_content(&from, pattern(1, 50_000)).await?;
        at_once(2, |task| {
            let (storage, from, to) = (storage.clone(), from.clone(), to.clone());
            async move {
                if task == 0 {
                    return Ok(storage.rename(&from, &to).await?);
                }
                loop {
                    // The file goes one way only, so what was seen first cannot come back.
                    let arrived = storage.exists(&to).await?;
                    let left = !storage.exists(&from).await?;
                    ensure!(left || !arrived || !atomic, "both ends of a rename are there");
                    if left {
                        ensure!(storage.exists(&to).await?, "neither end of a rename is there");
                        return Ok(());
                    }
                }
            }
        })
        .await?;
        expect_content(storage, &to, &pattern(1, 50_000)).await?;
    }
    Ok(())
}

pub(super) async fn replaces_atomically(fixture: &Fixture) -> Checked {
    let storage = fixture.storage().clone();
    let rounds = fixture.scale().rounds;
    let contents: [Bytes; 2] = [pattern(1, 70_000), pattern(2, 150_000)];
    storage.put_content("/to", contents[0].clone()).await?;
    at_once(2, |task| {
        let (storage, contents) = (storage.clone(), contents.clone());
        async move {
            for round in 0..rounds {
                if task == 0 {
                    let content = if round % 2 == 0 { &contents[1] } else { &contents[0] };
                    storage.put_content("/from", content.clone()).await?;
                    storage.rename("/from", "/to").await?;
                    continue;
                }
                let found = storage.get_content("/to").await?;
                ensure!(contents.contains(&found), "{} bytes that are neither content", found.len());
            }
            Ok(())
        }
    })
    .await?;
    Ok(())
}

pub(super) async fn of_one_file_twice_at_once_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let atomic = fixture.keeps(Guarantee::AtomicRename);
    for _ in 0..fixture.scale().rounds {
        storage.put_content("/from", "content").await?;
        let done = at_once(2, |task| {
            let storage = storage.clone();
            async move {
                match storage.rename("/from", &format!("/to{task}")).await {
                    Ok(()) => Ok(true),
                    Err(Error::PathNotFound { .. } | Error::Conflict { .. }) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        })
        .await?;
        ensure!(
            !atomic || done.iter().filter(|done| **done).count() == 1,
            "of two renames of one file: {done:?}"
        );
        expect_absent(storage, "/from").await?;
        for (place, done) in done.iter().enumerate() {
            if *done {
                expect_content(storage, &format!("/to{place}"), b"content").await?;
                storage.delete(&format!("/to{place}")).await?;
            }
        }
        ensure!(storage.list("/").await?.is_empty(), "a rename that failed left its destination");
    }
    Ok(())
}
