//! Futures that are dropped before they are done.

use bytes::Bytes;
use storagedriver::{Error, ErrorKind, FileWriter, Guarantee, ReadOptions, Storage, WalkOptions, WriteMode};

use crate::fixture::{
    Dropped, Fixture, begin, close_upload, drop_amid, expect_absent, expect_content, expect_no_upload,
    holds_one_of, pattern, put_all, refused, upload_sizes,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn a_dropped_put_is_whole_or_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 30_000), pattern(2, 300_000));
    for polls in 0..fixture.scale().polls {
        storage.put_content("/d/file", old.clone()).await?;
        fixture.drop_after(polls, storage.put_content("/d/file", new.clone())).await;
        fixture.drop_after(polls, storage.put_content("/e/new", new.clone())).await;
        holds_one_of(storage, "/d/file", &[&old, &new]).await?;
        fixture.settle().await;
        if storage.exists("/e/new").await? {
            expect_content(storage, "/e/new", &new).await?;
        }
        // What was dropped does not come back over what is put after it.
        storage.put_content("/d/file", "last").await?;
        expect_content(storage, "/d/file", b"last").await?;
        ensure_eq!(storage.list("/d").await?.len(), 1, "the entries beside the content");
        storage.put_content("/e/new", "last").await?;
        storage.delete("/e").await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn a_put_dropped_at_any_instant_is_whole_or_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 30_000), pattern(2, 1_000_000));
    for round in 0..fixture.scale().rounds * 2 {
        storage.put_content("/d/file", old.clone()).await?;
        drop_amid(round * round, storage.put_content("/d/file", new.clone())).await;
        holds_one_of(storage, "/d/file", &[&old, &new]).await?;
        fixture.settle().await;
        storage.put_content("/d/file", "last").await?;
        expect_content(storage, "/d/file", b"last").await?;
        ensure_eq!(storage.list("/d").await?.len(), 1, "the entries beside the content");
    }
    Ok(())
}

pub(super) async fn an_upload_dropped_at_any_instant_is_done_or_as_closed(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 100), pattern(2, 600_000));
    for round in 0..fixture.scale().rounds * 2 {
        storage.put_content("/file", old.clone()).await?;
        close_upload(storage, "/file", &new.slice(..5000)).await?;
        let resumed = async {
            let mut writer = storage.writer("/file", WriteMode::Append).await?;
            writer.write(new.slice(5000..300_000)).await?;
            writer.write(new.slice(300_000..)).await?;
            writer.commit().await
        };
        match drop_amid(round * round, resumed).await {
            Dropped::Done(ended) => ended?,
            Dropped::Midway => fixture.settle().await,
        }
        one_of_two_states(storage, &old, &new, 5000).await?;
        storage.delete("/file").await?;
        expect_no_upload(storage, "/").await?;
    }
    Ok(())
}

pub(super) async fn a_rename_dropped_at_any_instant_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 200_000);
    for round in 0..fixture.scale().rounds * 2 {
        storage.put_content("/a/from", content.clone()).await?;
        drop_amid(round * round / 2, storage.rename("/a/from", "/b/to")).await;
        fixture.settle().await;
        let ends = (storage.exists("/a/from").await?, storage.exists("/b/to").await?);
        ensure!(ends.0 || ends.1, "round {round}: a dropped rename lost both ends");
        for (there, path) in [(ends.0, "/a/from"), (ends.1, "/b/to")] {
            if there {
                expect_content(storage, path, &content).await?;
                storage.delete(path).await?;
            }
        }
        ensure!(storage.list("/").await?.is_empty(), "round {round}: something else is left");
    }
    Ok(())
}

pub(super) async fn a_dropped_write_took_all_or_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let largest = fixture.scale().boundaries.iter().copied().max().unwrap_or_default();
    let (first, second, third) = (pattern(1, 5000), pattern(2, largest + 1), pattern(3, 777));
    for polls in 0..fixture.scale().polls {
        let mut writer = begin(storage, "/file", &first).await?;
        let before = writer.size();
        fixture.drop_after(polls, writer.write(second.clone())).await;
        let taken = writer.size();
        ensure!(
            taken == before || taken == before + largest + 1,
            "a dropped write took {} bytes",
            taken - before
        );
        writer.write(third.clone()).await?;
        ensure_eq!(writer.size(), taken + 777, "the size after the next write");
        writer.commit().await?;
        let middle = if taken == before { Bytes::new() } else { second.clone() };
        expect_content(storage, "/file", &[first.clone(), middle, third.clone()].concat()).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_close_keeps_the_last_one(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (first, second) = (pattern(1, 5000), pattern(2, 70_000));
    let whole = [first.clone(), second.clone()].concat();
    for polls in 0..fixture.scale().polls {
        close_upload(storage, "/file", &first).await?;
        let mut writer = storage.writer("/file", WriteMode::Append).await?;
        writer.write(second.clone()).await?;
        let closed = fixture.drop_after(polls, writer.close()).await;
        fixture.settle().await;
        let writer = storage.writer("/file", WriteMode::Append).await?;
        let found = writer.size();
        ensure!(
            found == 5000 || found == 75_000,
            "an upload whose close was dropped resumes at {found} bytes"
        );
        ensure!(matches!(closed, Dropped::Midway) || found == 75_000, "a close that was done was lost");
        let (kept, lost) = whole.split_at(usize::try_from(found).unwrap_or_default());
        commit_shorter(storage, writer, kept, lost).await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

/// Commits the upload of `/file` as it was closed; where the driver cannot, with what was lost sent again.
async fn commit_shorter(
    storage: &Storage,
    mut writer: FileWriter,
    kept: &[u8],
    lost: &[u8],
) -> Result<(), Mismatch> {
    let mut whole = kept.to_vec();
    if !storage.guarantees().has(Guarantee::ShorterResume) {
        writer.write(lost.to_vec()).await?;
        whole.extend_from_slice(lost);
    }
    writer.commit().await?;
    expect_content(storage, "/file", &whole).await
}

/// After a commit that may or may not have been: the old content and the upload as last closed,
/// or the new content and no upload.
async fn one_of_two_states(storage: &Storage, old: &[u8], new: &[u8], closed: u64) -> Result<(), Mismatch> {
    let which = holds_one_of(storage, "/file", &[old, new]).await?;
    let uploads = upload_sizes(storage, "/file").await?;
    if which == 1 {
        ensure!(uploads.is_empty(), "the commit took effect, and the upload is still there: {uploads:?}");
        return Ok(());
    }
    ensure_eq!(uploads, [("/file".to_owned(), closed)], "the upload whose commit took no effect");
    let writer = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), closed, "the size of the upload whose commit took no effect");
    let (kept, lost) = new.split_at(usize::try_from(closed).unwrap_or_default());
    commit_shorter(storage, writer, kept, lost).await
}

pub(super) async fn a_dropped_commit_is_done_or_not(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 100), pattern(2, 75_000));
    for polls in 0..fixture.scale().polls {
        storage.put_content("/file", old.clone()).await?;
        close_upload(storage, "/file", &new.slice(..5000)).await?;
        let mut writer = storage.writer("/file", WriteMode::Append).await?;
        writer.write(new.slice(5000..)).await?;
        let committed = fixture.drop_after(polls, writer.commit()).await;
        fixture.settle().await;
        if matches!(committed, Dropped::Done(_)) {
            expect_content(storage, "/file", &new).await?;
        }
        one_of_two_states(storage, &old, &new, 5000).await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_cancel_publishes_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for polls in 0..fixture.scale().polls {
        storage.put_content("/file", "content").await?;
        let writer = begin(storage, "/file", &pattern(1, 70_000)).await?;
        fixture.drop_after(polls, writer.cancel()).await;
        close_upload(storage, "/new", &pattern(1, 70_000)).await?;
        let writer = storage.writer("/new", WriteMode::Append).await?;
        fixture.drop_after(polls, writer.cancel()).await;
        fixture.settle().await;
        expect_content(storage, "/file", b"content").await?;
        expect_absent(storage, "/new").await?;
        let left = upload_sizes(storage, "/new").await?;
        let whole = [("/new".to_owned(), 70_000)];
        ensure!(left.is_empty() || left == whole, "a dropped cancel left {left:?}");
        begin(storage, "/new", &pattern(2, 5)).await?.commit().await?;
        storage.delete("/new").await?;
        storage.delete("/file").await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn a_dropped_opening_leaves_what_was_closed(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    for polls in 0..fixture.scale().polls {
        close_upload(storage, "/file", &content).await?;
        fixture.drop_after(polls, storage.writer("/file", WriteMode::Append)).await;
        fixture.settle().await;
        ensure_eq!(upload_sizes(storage, "/file").await?, [("/file".to_owned(), 70_000)], "the upload");
        storage.put_content("/kept", "content").await?;
        fixture.drop_after(polls, storage.writer("/kept", WriteMode::Create)).await;
        fixture.drop_after(polls, storage.writer("/kept", WriteMode::Append)).await;
        expect_content(storage, "/kept", b"content").await?;
        storage.writer("/file", WriteMode::Append).await?.commit().await?;
        expect_content(storage, "/file", &content).await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_rename_loses_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (content, replaced) = (pattern(1, 200_000), pattern(2, 300));
    for polls in 0..fixture.scale().polls {
        storage.put_content("/from", content.clone()).await?;
        storage.put_content("/d/to", replaced.clone()).await?;
        fixture.drop_after(polls, storage.rename("/from", "/d/to")).await;
        fixture.settle().await;
        let moved = holds_one_of(storage, "/d/to", &[&replaced, &content]).await? == 1;
        match storage.get_content("/from").await {
            Ok(found) => ensure!(found == content, "the source of a dropped rename has other content"),
            Err(Error::PathNotFound { .. }) => ensure!(moved, "a dropped rename lost the content"),
            Err(error) => return Err(error.into()),
        }
        storage.delete("/d").await?;
        if storage.exists("/from").await? {
            storage.delete("/from").await?;
        }
    }
    ensure!(storage.list("/").await?.is_empty(), "dropped renames left something");
    Ok(())
}

pub(super) async fn a_dropped_delete_can_be_run_again(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir-/kept", "kept").await?;
    for polls in 0..fixture.scale().polls {
        let paths: Vec<String> = (0..20).map(|place| format!("/dir/{}/file{place}", place % 4)).collect();
        put_all(storage, &paths).await?;
        close_upload(storage, "/dir/upload", &pattern(1, 10)).await?;
        fixture.drop_after(polls, storage.delete("/dir")).await;
        for path in &paths {
            // What is still there is whole.
            match storage.get_content(path).await {
                Ok(found) => ensure!(found == *path, "{path} has other content"),
                Err(error) => drop(refused::<()>(Err(error), ErrorKind::PathNotFound)?),
            }
        }
        match storage.delete("/dir").await {
            Ok(()) | Err(Error::PathNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        expect_absent(storage, "/dir").await?;
        expect_no_upload(storage, "/").await?;
    }
    expect_content(storage, "/dir-/kept", b"kept").await?;
    Ok(())
}

pub(super) async fn a_dropped_look_changes_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 300_000);
    storage.put_content("/d/file", content.clone()).await?;
    close_upload(storage, "/d/upload", &pattern(2, 10)).await?;
    for polls in 0..fixture.scale().polls {
        fixture.drop_after(polls, storage.stat("/d/file")).await;
        fixture.drop_after(polls, storage.list("/d")).await;
        fixture.drop_after(polls, storage.get_content("/d/file")).await;
        fixture.drop_after(polls, storage.uploads("/")).await;
        fixture.drop_after(polls, storage.walk("/", WalkOptions::new())).await;
        let mut reader = storage.reader("/d/file", ReadOptions::all()).await?;
        fixture.drop_after(polls, reader.next()).await;
        let mut walk = storage.walk("/", WalkOptions::tree()).await?;
        fixture.drop_after(polls, walk.next()).await;
    }
    expect_content(storage, "/d/file", &content).await?;
    ensure_eq!(upload_sizes(storage, "/").await?, [("/d/upload".to_owned(), 10)], "the upload");
    ensure_eq!(storage.list("/d").await?.len(), 1, "the entries");
    Ok(())
}
