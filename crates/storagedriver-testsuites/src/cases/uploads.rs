//! Uploads as the store tells of them, and their end from outside.

use std::time::Duration;

use storagedriver::{Error, ErrorKind, Guarantee, Storage, WalkOptions, WriteMode};

use crate::fixture::{
    Fixture, allowed_or_refused, append, at_once, begin, close_upload, expect_absent, expect_content,
    expect_no_upload, is_of_this_day, pattern, refused, upload_sizes, walk_keys,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

fn sizes(uploads: &[(&str, u64)]) -> Vec<(String, u64)> {
    uploads.iter().map(|(path, size)| ((*path).to_owned(), *size)).collect()
}

pub(super) async fn lists_what_was_closed(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (path, size) in [("/b", 7), ("/a/x", 0), ("/a-b", 70_001), ("/a/-", 1)] {
        close_upload(storage, path, &pattern(size, size)).await?;
    }
    let found = upload_sizes(storage, "/").await?;
    let wanted = sizes(&[("/a-b", 70_001), ("/a/-", 1), ("/a/x", 0), ("/b", 7)]);
    ensure_eq!(found, wanted, "the uploads, sorted by path");
    let ids = storage.uploads("/").await?;
    for (place, upload) in ids.iter().enumerate() {
        let same = ids.iter().filter(|other| other.id() == upload.id() && other.path() == upload.path());
        ensure_eq!(same.count(), 1, "the uploads with the id of upload {place}");
    }
    Ok(())
}

pub(super) async fn lists_those_at_and_below_a_path(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for path in ["/a/b", "/a/b-", "/a/b/c", "/a/b/c/d", "/a/bc", "/ab", "/z"] {
        close_upload(storage, path, &pattern(1, 5)).await?;
    }
    let below = |path: &'static str| upload_sizes(storage, path);
    ensure_eq!(below("/a/b").await?, sizes(&[("/a/b", 5), ("/a/b/c", 5), ("/a/b/c/d", 5)]), "of /a/b");
    ensure_eq!(below("/a/b/c/d").await?, sizes(&[("/a/b/c/d", 5)]), "of one upload");
    ensure_eq!(below("/a").await?.len(), 5, "how many are below /a");
    ensure_eq!(below("/z").await?, sizes(&[("/z", 5)]), "of /z");
    Ok(())
}

pub(super) async fn lists_none_where_there_is_none(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    expect_no_upload(storage, "/").await?;
    expect_no_upload(storage, "/absent").await?;
    storage.put_content("/dir/file", "content").await?;
    for path in ["/", "/dir", "/dir/file", "/dir/file/below", "/dir/absent"] {
        expect_no_upload(storage, path).await?;
    }
    Ok(())
}

pub(super) async fn forgets_those_that_ended(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    for path in ["/a", "/b"] {
        begin(storage, path, &content).await?.commit().await?;
        close_upload(storage, path, &content).await?;
        append(storage, path, &content).await?.commit().await?;
        begin(storage, path, &content).await?.cancel().await?;
        close_upload(storage, path, &content).await?;
        append(storage, path, &content).await?.cancel().await?;
        close_upload(storage, path, &content).await?;
        storage.delete(path).await?;
        expect_no_upload(storage, path).await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn tells_when_it_was_active(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    close_upload(storage, "/file", &pattern(1, 5)).await?;
    let [first] = &storage.uploads("/").await?[..] else {
        return Err(Mismatch::new("there is not one upload").into());
    };
    append(storage, "/file", &pattern(1, 5)).await?.close().await?;
    let [second] = &storage.uploads("/").await?[..] else {
        return Err(Mismatch::new("there is not one upload after an append").into());
    };
    ensure!(second.modified() >= first.modified(), "the time of activity went back");
    ensure!(is_of_this_day(second.modified()), "the time of activity is {:?}", second.modified());
    ensure!(second.size() > first.size(), "the size did not grow");
    // Far beyond any difference between clocks: no upload of this case is a day old.
    let reaped = storage.abort_stale("/", Duration::from_secs(24 * 60 * 60)).await?;
    ensure_eq!((reaped.aborted.len(), reaped.kept), (0, 1), "what was aborted and kept as a day old");
    Ok(())
}

pub(super) async fn is_no_entry_and_implies_no_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/file", "content").await?;
    for path in ["/dir/upload", "/other/upload"] {
        close_upload(storage, path, &pattern(1, 70_000)).await?;
    }
    expect_absent(storage, "/dir/upload").await?;
    expect_absent(storage, "/other").await?;
    ensure_eq!(storage.list("/dir").await?.len(), 1, "the children of /dir");
    ensure_eq!(storage.list("/").await?.len(), 1, "the children of the root");
    ensure_eq!(walk_keys(storage, "/", WalkOptions::new()).await?, ["/dir/", "/dir/file"], "the walk");
    refused(storage.rename("/dir/upload", "/x").await, ErrorKind::PathNotFound)?;
    Ok(())
}

pub(super) async fn abort_removes_every_trace(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (path, size) in [("/d/a", 0), ("/d/b", 70_000)] {
        close_upload(storage, path, &pattern(1, size)).await?;
    }
    for upload in storage.uploads("/d").await? {
        storage.abort_upload(&upload).await?;
        refused(storage.writer(upload.path().as_str(), WriteMode::Append).await, ErrorKind::PathNotFound)?;
        refused(storage.delete(upload.path().as_str()).await, ErrorKind::PathNotFound)?;
    }
    expect_no_upload(storage, "/").await?;
    expect_absent(storage, "/d").await?;
    Ok(())
}

pub(super) async fn abort_leaves_content_and_other_uploads(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a", "content").await?;
    close_upload(storage, "/a", &pattern(1, 10)).await?;
    close_upload(storage, "/a-b", &pattern(1, 20)).await?;
    close_upload(storage, "/a.b", &pattern(1, 30)).await?;
    for upload in storage.uploads("/a").await? {
        storage.abort_upload(&upload).await?;
    }
    expect_content(storage, "/a", b"content").await?;
    ensure_eq!(upload_sizes(storage, "/").await?, sizes(&[("/a-b", 20), ("/a.b", 30)]), "the uploads left");
    Ok(())
}

pub(super) async fn abort_of_one_that_is_gone_is_no_error(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let endings = ["aborted", "committed", "cancelled", "deleted"];
    for ending in endings {
        close_upload(storage, "/file", &pattern(1, 10)).await?;
        let uploads = storage.uploads("/").await?;
        ensure_eq!(uploads.len(), 1, "the uploads before one is {ending}");
        let resumed = storage.writer("/file", WriteMode::Append).await?;
        match ending {
            "committed" => resumed.commit().await?,
            "cancelled" => resumed.cancel().await?,
            "deleted" => storage.delete("/file").await?,
            _ => {
                // Until the drop has reached it, the driver holds a live writer, and an abort is a conflict.
                fixture.abandon(resumed).await;
                for upload in &uploads {
                    storage.abort_upload(upload).await?;
                }
            }
        }
        for upload in &uploads {
            storage.abort_upload(upload).await?;
        }
        expect_no_upload(storage, "/").await?;
    }
    Ok(())
}

pub(super) async fn abort_conflicts_when_it_moved_on(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    close_upload(storage, "/file", &pattern(1, 10)).await?;
    let before = storage.uploads("/").await?;
    append(storage, "/file", &pattern(2, 5)).await?.close().await?;
    for upload in &before {
        refused(storage.abort_upload(upload).await, ErrorKind::Conflict)?;
    }
    ensure_eq!(upload_sizes(storage, "/").await?, sizes(&[("/file", 15)]), "the upload that moved on");
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &[pattern(1, 10), pattern(2, 5)].concat()).await?;
    Ok(())
}

pub(super) async fn abort_under_a_live_writer_tears_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = [pattern(1, 70_000), pattern(2, 5)].concat();
    close_upload(storage, "/file", &pattern(1, 70_000)).await?;
    let listed = storage.uploads("/").await?;
    ensure_eq!(listed.len(), 1, "the uploads");
    let writer = append(storage, "/file", &pattern(2, 5)).await?;
    let mut aborted = false;
    for upload in &listed {
        match storage.abort_upload(upload).await {
            Ok(()) => aborted = true,
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // A driver that cannot see the writer may abort; the writer must then not publish a part.
    match writer.commit().await {
        Ok(()) => expect_content(storage, "/file", &content).await?,
        Err(Error::Conflict { .. }) if aborted => expect_absent(storage, "/file").await?,
        Err(error) => return Err(error.into()),
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn delete_under_a_live_writer_tears_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = [pattern(1, 70_000), pattern(2, 5)].concat();
    for below in [false, true] {
        close_upload(storage, "/dir/file", &pattern(1, 70_000)).await?;
        let writer = append(storage, "/dir/file", &pattern(2, 5)).await?;
        storage.delete(if below { "/dir/file" } else { "/dir" }).await?;
        expect_no_upload(storage, "/").await?;
        match allowed_or_refused(writer.commit().await, ErrorKind::Conflict)? {
            Some(()) => {
                expect_content(storage, "/dir/file", &content).await?;
                storage.delete("/dir").await?;
            }
            None => expect_absent(storage, "/dir").await?,
        }
        expect_no_upload(storage, "/").await?;
    }
    Ok(())
}

pub(super) async fn lists_many_each_once(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let count = fixture.scale().page_size.map_or(100, |page| page + 3);
    let paths: Vec<String> = (0..count).map(|place| format!("/many/d{}/u{place:05}", place % 7)).collect();
    at_once(8, |task| {
        let (storage, paths): (_, Vec<String>) =
            (storage.clone(), paths.iter().skip(task).step_by(8).cloned().collect());
        async move {
            for path in &paths {
                close_upload(&storage, path, &pattern(1, 5)).await?;
            }
            Ok(())
        }
    })
    .await?;
    let mut wanted = paths.clone();
    wanted.sort();
    let found: Vec<String> =
        storage.uploads("/").await?.iter().map(|upload| upload.path().to_string()).collect();
    ensure!(found == wanted, "{} uploads where {} are wanted, or not sorted", found.len(), wanted.len());
    let some = storage.uploads("/many/d3").await?;
    ensure_eq!(
        some.len(),
        paths.iter().filter(|path| path.starts_with("/many/d3/")).count(),
        "those below /many/d3"
    );
    storage.delete("/many").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn stale_ones_are_aborted_by_age(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/a/kept", "content").await?;
    for path in ["/a/one", "/a/kept", "/b/two"] {
        close_upload(storage, path, &pattern(1, 10)).await?;
    }
    let reaped = storage.abort_stale("/", Storage::STALE_AFTER).await?;
    ensure_eq!((reaped.aborted.len(), reaped.kept), (0, 3), "what was aborted and kept as seven days old");
    let reaped = storage.abort_stale("/a", Duration::ZERO).await?;
    ensure_eq!((reaped.aborted.len(), reaped.kept), (2, 0), "what was aborted and kept below /a");
    ensure_eq!(upload_sizes(storage, "/").await?, sizes(&[("/b/two", 10)]), "the uploads left");
    expect_content(storage, "/a/kept", b"content").await?;
    Ok(())
}

pub(super) async fn delete_of_the_path_removes_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for size in [0, 70_000] {
        close_upload(storage, "/d/only", &pattern(1, size)).await?;
        storage.delete("/d/only").await?;
        expect_no_upload(storage, "/").await?;
        refused(storage.writer("/d/only", WriteMode::Append).await, ErrorKind::PathNotFound)?;
        refused(storage.delete("/d/only").await, ErrorKind::PathNotFound)?;
    }
    storage.put_content("/both", "content").await?;
    close_upload(storage, "/both", &pattern(1, 10)).await?;
    storage.delete("/both").await?;
    expect_absent(storage, "/both").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn delete_of_a_parent_removes_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for path in ["/a/b/c", "/a/b/d", "/ab/c", "/a-/c"] {
        close_upload(storage, path, &pattern(1, 10)).await?;
    }
    storage.put_content("/a/file", "content").await?;
    storage.delete("/a/b").await?;
    ensure_eq!(upload_sizes(storage, "/").await?, sizes(&[("/a-/c", 10), ("/ab/c", 10)]), "the uploads left");
    expect_content(storage, "/a/file", b"content").await?;
    close_upload(storage, "/a/b/c", &pattern(1, 10)).await?;
    storage.delete("/a").await?;
    ensure_eq!(upload_sizes(storage, "/").await?, sizes(&[("/a-/c", 10), ("/ab/c", 10)]), "the uploads left");
    refused(storage.writer("/a/b/c", WriteMode::Append).await, ErrorKind::PathNotFound)?;
    Ok(())
}

/// The upload at `/file` is resumed whole, and committed. A backend that lacks the guarantee may
/// have ended it, but not torn it.
async fn resumes_whole(fixture: &Fixture, content: &[u8]) -> Result<(), Mismatch> {
    let storage = fixture.storage();
    let found = upload_sizes(storage, "/").await?;
    if found.is_empty() && !fixture.keeps(Guarantee::IndependentUploads) {
        return Ok(storage.delete("/file").await?);
    }
    ensure_eq!(found, sizes(&[("/file", content.len() as u64)]), "the upload");
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", content).await?;
    expect_no_upload(storage, "/").await?;
    storage.delete("/file").await?;
    Ok(())
}

/// An ending that a backend may refuse that lacks the guarantee.
fn ended<T>(fixture: &Fixture, result: storagedriver::Result<T>) -> Result<(), Mismatch> {
    if fixture.keeps(Guarantee::IndependentUploads) {
        result?;
    } else {
        allowed_or_refused(result, ErrorKind::Conflict)?;
    }
    Ok(())
}

pub(super) async fn a_put_leaves_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    close_upload(storage, "/file", &content).await?;
    storage.put_content("/file", "put").await?;
    expect_content(storage, "/file", b"put").await?;
    storage.put_content("/file", "again").await?;
    resumes_whole(fixture, &content).await?;
    // And one that is open.
    let writer = begin(storage, "/file", &content).await?;
    storage.put_content("/file", "put").await?;
    ended(fixture, writer.close().await)?;
    expect_content(storage, "/file", b"put").await?;
    resumes_whole(fixture, &content).await?;
    Ok(())
}

pub(super) async fn the_commit_of_another_leaves_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    let other = begin(storage, "/file", &pattern(2, 10)).await?;
    let writer = begin(storage, "/file", &content).await?;
    writer.close().await?;
    other.commit().await?;
    expect_content(storage, "/file", &pattern(2, 10)).await?;
    resumes_whole(fixture, &content).await?;
    // And one that is open.
    let writer = begin(storage, "/file", &content).await?;
    begin(storage, "/file", &pattern(2, 10)).await?.commit().await?;
    ended(fixture, writer.close().await)?;
    expect_content(storage, "/file", &pattern(2, 10)).await?;
    resumes_whole(fixture, &content).await?;
    Ok(())
}

pub(super) async fn a_rename_at_either_end_leaves_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    storage.put_content("/file", "source").await?;
    close_upload(storage, "/file", &content).await?;
    storage.rename("/file", "/elsewhere").await?;
    expect_content(storage, "/elsewhere", b"source").await?;
    expect_absent(storage, "/file").await?;
    let found = upload_sizes(storage, "/").await?;
    let ended = found.is_empty() && !fixture.keeps(Guarantee::IndependentUploads);
    ensure!(ended || found == sizes(&[("/file", 70_000)]), "the upload at the source of a rename: {found:?}");
    storage.rename("/elsewhere", "/file").await?;
    expect_content(storage, "/file", b"source").await?;
    resumes_whole(fixture, &content).await?;
    Ok(())
}

pub(super) async fn a_cancel_leaves_the_others(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    close_upload(storage, "/fil", &pattern(3, 3)).await?;
    close_upload(storage, "/file/below", &pattern(3, 3)).await?;
    let other = begin(storage, "/file", &pattern(2, 10)).await?;
    let writer = begin(storage, "/file", &content).await?;
    writer.close().await?;
    other.cancel().await?;
    for path in ["/fil", "/file/below"] {
        ensure_eq!(upload_sizes(storage, path).await?, sizes(&[(path, 3)]), "the upload at another path");
        storage.delete(path).await?;
    }
    if upload_sizes(storage, "/").await?.is_empty() && !fixture.keeps(Guarantee::IndependentUploads) {
        return Ok(());
    }
    resumes_whole(fixture, &content).await?;
    Ok(())
}

pub(super) async fn is_aborted_by_a_second_handle(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    close_upload(storage, "/file", &pattern(1, 10)).await?;
    let listed = other.uploads("/").await?;
    ensure_eq!(listed.len(), 1, "the uploads that the second handle lists");
    append(storage, "/file", &pattern(2, 5)).await?.close().await?;
    for upload in &listed {
        refused(other.abort_upload(upload).await, ErrorKind::Conflict)?;
    }
    for upload in other.uploads("/").await? {
        other.abort_upload(&upload).await?;
    }
    expect_no_upload(storage, "/").await?;
    refused(storage.writer("/file", WriteMode::Append).await, ErrorKind::PathNotFound)?;
    Ok(())
}
