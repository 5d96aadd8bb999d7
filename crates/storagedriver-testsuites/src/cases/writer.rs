//! Content that is written as a stream.

use bytes::Bytes;
use storagedriver::{ErrorKind, Guarantee, ReadOptions, Storage, WalkOptions, WriteMode};

use crate::fixture::{
    Fixture, allowed_or_refused, append, begin, close_upload, expect_absent, expect_content,
    expect_no_upload, pattern, pieces, refused, upload_sizes, walk_keys,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn streams_every_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let content = pattern(seed, size);
        begin(storage, "/content", &content).await?.commit().await?;
        expect_content(storage, "/content", &content).await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn streams_every_byte(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let every: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    for content in [b"a", "\u{df}".as_bytes(), &[0x80; 4], b"\0\0\0", b"\r\n\r\n\n", &every] {
        begin(storage, "/content", &Bytes::copy_from_slice(content)).await?.commit().await?;
        expect_content(storage, "/content", content).await?;
    }
    Ok(())
}

pub(super) async fn takes_chunks_of_every_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let largest = fixture.scale().boundaries.iter().copied().max().unwrap_or_default();
    let content = pattern(1, largest.saturating_mul(2) + 5);
    for chunk in fixture.scale().sizes().into_iter().filter(|chunk| *chunk > 1000) {
        let mut writer = storage.writer("/content", WriteMode::Create).await?;
        for piece in pieces(&content, usize::try_from(chunk).unwrap_or(usize::MAX)) {
            writer.write(piece).await?;
        }
        writer.commit().await?;
        expect_content(storage, "/content", &content).await?;
    }
    Ok(())
}

pub(super) async fn takes_many_small_chunks(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 3000);
    for length in [1, 3, 7] {
        let mut writer = storage.writer("/content", WriteMode::Create).await?;
        for piece in pieces(&content, length) {
            writer.write(piece).await?;
        }
        writer.commit().await?;
        expect_content(storage, "/content", &content).await?;
    }
    Ok(())
}

pub(super) async fn takes_large_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, fixture.scale().large.saturating_mul(2));
    let mut writer = storage.writer("/content", WriteMode::Create).await?;
    for piece in pieces(&content, 128 << 10) {
        writer.write(piece).await?;
    }
    writer.commit().await?;
    expect_content(storage, "/content", &content).await?;
    Ok(())
}

pub(super) async fn size_counts_what_is_buffered(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let mut writer = storage.writer("/content", WriteMode::Create).await?;
    ensure_eq!(writer.size(), 0, "the size of a new upload");
    let mut size = 0;
    for chunk in [1, 1, 5, 0, 4095, 1, 70_000, 3] {
        writer.write(pattern(chunk, chunk)).await?;
        size += chunk;
        ensure_eq!(writer.size(), size, "the size after a chunk of {chunk} bytes");
    }
    ensure_eq!(writer.close().await?, size, "the size that close gives");
    let writer = storage.writer("/content", WriteMode::Append).await?;
    ensure_eq!(writer.size(), size, "the size of the resumed upload");
    writer.cancel().await?;
    Ok(())
}

/// Nothing of the upload at `/dir/file` shows.
async fn invisible(storage: &Storage, when: &str) -> Result<(), Mismatch> {
    let shown = |what: Mismatch| Mismatch::new(format!("{when}: {what:?}"));
    expect_absent(storage, "/dir/file").await.map_err(shown)?;
    ensure!(
        storage.list("/").await?.iter().all(|info| info.path().as_str() == "/other"),
        "{when}: the root lists it"
    );
    for options in [WalkOptions::new(), WalkOptions::tree()] {
        let keys = walk_keys(storage, "/", options).await?;
        ensure_eq!(keys, ["/other"], "{when}: the walk");
    }
    expect_absent(storage, "/dir").await.map_err(shown)
}

pub(super) async fn is_invisible_before_its_commit(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/other", "other").await?;
    let content = pattern(1, 200_000);
    let writer = begin(storage, "/dir/file", &content).await?;
    invisible(storage, "written").await?;
    writer.close().await?;
    invisible(storage, "closed").await?;
    let writer = append(storage, "/dir/file", &content).await?;
    invisible(storage, "resumed and written").await?;
    drop(writer);
    invisible(storage, "dropped").await?;
    append(storage, "/dir/file", &content).await?.commit().await?;
    expect_content(storage, "/dir/file", &[content.clone(), content].concat()).await?;
    Ok(())
}

pub(super) async fn leaves_content_readable_until_its_commit(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 5000), pattern(2, 70_000));
    storage.put_content("/file", old.clone()).await?;
    let writer = begin(storage, "/file", &new).await?;
    expect_content(storage, "/file", &old).await?;
    writer.close().await?;
    expect_content(storage, "/file", &old).await?;
    let writer = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), new.len() as u64, "the size of the resumed upload");
    expect_content(storage, "/file", &old).await?;
    writer.commit().await?;
    expect_content(storage, "/file", &new).await?;
    Ok(())
}

pub(super) async fn create_starts_afresh(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", pattern(1, 5000)).await?;
    close_upload(storage, "/file", &pattern(2, 3000)).await?;
    let mut writer = storage.writer("/file", WriteMode::Create).await?;
    ensure_eq!(writer.size(), 0, "the size of an upload that starts afresh");
    writer.write("short").await?;
    writer.commit().await?;
    expect_content(storage, "/file", b"short").await?;
    Ok(())
}

pub(super) async fn create_discards_uploads_closed_before(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 3000), pattern(2, 100));
    close_upload(storage, "/closed", &old).await?;
    close_upload(storage, "/closed", &new).await?;
    ensure_eq!(
        upload_sizes(storage, "/closed").await?,
        [("/closed".to_owned(), 100)],
        "after create and close"
    );
    close_upload(storage, "/committed", &old).await?;
    begin(storage, "/committed", &new).await?.commit().await?;
    expect_no_upload(storage, "/committed").await?;
    let writer = storage.writer("/committed", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 100, "the size that an append after the commit finds");
    drop(writer);
    close_upload(storage, "/cancelled", &old).await?;
    begin(storage, "/cancelled", &new).await?.cancel().await?;
    expect_no_upload(storage, "/cancelled").await?;
    refused(storage.writer("/cancelled", WriteMode::Append).await, ErrorKind::PathNotFound)?;
    Ok(())
}

pub(super) async fn create_leaves_uploads_that_are_open(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (one, two) = (pattern(1, 3000), pattern(2, 500));
    let first = begin(storage, "/file", &one).await?;
    let second = begin(storage, "/file", &two).await?;
    first.close().await?;
    second.commit().await?;
    expect_content(storage, "/file", &two).await?;
    ensure_eq!(
        upload_sizes(storage, "/file").await?,
        [("/file".to_owned(), 3000)],
        "the upload closed after create"
    );
    let first = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(first.size(), 3000, "the size of the resumed upload");
    first.commit().await?;
    expect_content(storage, "/file", &one).await?;
    Ok(())
}

pub(super) async fn commits_nothing_as_empty_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.writer("/a", WriteMode::Create).await?.commit().await?;
    expect_content(storage, "/a", b"").await?;
    storage.put_content("/b", "content").await?;
    let mut writer = storage.writer("/b", WriteMode::Create).await?;
    writer.write(Bytes::new()).await?;
    writer.commit().await?;
    expect_content(storage, "/b", b"").await?;
    Ok(())
}

pub(super) async fn commit_replaces_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in [(1, 1 << 20), (2, 1 << 10), (3, (1 << 20) + 1), (4, 1)] {
        let content = pattern(seed, size);
        begin(storage, "/dir/file", &content).await?.commit().await?;
        expect_content(storage, "/dir/file", &content).await?;
    }
    ensure_eq!(storage.list("/dir").await?.len(), 1, "the entries beside the content");
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn cancel_leaves_no_trace(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 200_000);
    storage.writer("/d/empty", WriteMode::Create).await?.cancel().await?;
    begin(storage, "/d/written", &content).await?.cancel().await?;
    close_upload(storage, "/d/resumed", &content).await?;
    append(storage, "/d/resumed", &content).await?.cancel().await?;
    for path in ["/d/empty", "/d/written", "/d/resumed"] {
        refused(storage.writer(path, WriteMode::Append).await, ErrorKind::PathNotFound)?;
        refused(storage.delete(path).await, ErrorKind::PathNotFound)?;
    }
    expect_absent(storage, "/d").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn cancel_leaves_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "content").await?;
    begin(storage, "/file", &pattern(1, 5000)).await?.cancel().await?;
    expect_content(storage, "/file", b"content").await?;
    append(storage, "/file", &pattern(1, 5000)).await?.cancel().await?;
    expect_content(storage, "/file", b"content").await?;
    ensure_eq!(storage.reader("/file", ReadOptions::all()).await?.size(), 7, "the size");
    expect_no_upload(storage, "/file").await?;
    Ok(())
}

pub(super) async fn dropped_publishes_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/kept", "content").await?;
    for path in ["/new", "/kept"] {
        drop(begin(storage, path, &pattern(1, 200_000)).await?);
        drop(storage.writer(path, WriteMode::Create).await?);
    }
    expect_absent(storage, "/new").await?;
    expect_content(storage, "/kept", b"content").await?;
    drop(append(storage, "/kept", &pattern(1, 100)).await?);
    expect_content(storage, "/kept", b"content").await?;
    Ok(())
}

pub(super) async fn a_refused_commit_tears_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_000);
    storage.put_content("/dir/file", "kept").await?;
    let writer = begin(storage, "/dir", &content).await?;
    if allowed_or_refused(writer.commit().await, ErrorKind::Conflict)?.is_some() {
        return Ok(expect_content(storage, "/dir", &content).await?);
    }
    expect_content(storage, "/dir/file", b"kept").await?;
    storage.delete("/dir/file").await?;
    expect_absent(storage, "/dir").await?;
    // What was accepted is resumable whole, or gone.
    match allowed_or_refused(storage.writer("/dir", WriteMode::Append).await, ErrorKind::PathNotFound)? {
        None => expect_no_upload(storage, "/").await?,
        Some(writer) => {
            ensure_eq!(writer.size(), 70_000, "the size after a refused commit");
            writer.commit().await?;
            expect_content(storage, "/dir", &content).await?;
        }
    }
    Ok(())
}

pub(super) async fn create_discards_uploads_of_a_second_handle(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    close_upload(&other, "/file", &pattern(1, 3000)).await?;
    close_upload(storage, "/file", &pattern(2, 500)).await?;
    for handle in [storage, &other] {
        ensure_eq!(upload_sizes(handle, "/").await?, [("/file".to_owned(), 500)], "the uploads");
    }
    begin(&other, "/file", &pattern(3, 10)).await?.commit().await?;
    expect_no_upload(storage, "/").await?;
    expect_content(storage, "/file", &pattern(3, 10)).await?;
    Ok(())
}

pub(super) async fn the_last_commit_wins_whole(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (one, two) = (pattern(1, 300_000), pattern(2, 200_000));
    for swapped in [false, true] {
        let mut first = storage.writer("/file", WriteMode::Create).await?;
        let mut second = storage.writer("/file", WriteMode::Create).await?;
        for (left, right) in pieces(&one, 30_000).zip(pieces(&two, 20_000)) {
            first.write(left).await?;
            second.write(right).await?;
        }
        let (before, last) = if swapped { (second, first) } else { (first, second) };
        before.commit().await?;
        expect_content(storage, "/file", if swapped { &two } else { &one }).await?;
        // Where a commit ends the other uploads of its path, the other may be told so.
        let independent = fixture.keeps(Guarantee::IndependentUploads);
        let won = if independent {
            last.commit().await?;
            true
        } else {
            allowed_or_refused(last.commit().await, ErrorKind::Conflict)?.is_some()
        };
        expect_content(storage, "/file", if swapped == won { &one } else { &two }).await?;
    }
    expect_no_upload(storage, "/file").await?;
    Ok(())
}

pub(super) async fn writers_of_several_paths_take_turns(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let contents: Vec<Bytes> = (0..5).map(|seed| pattern(seed, 90_000 + seed)).collect();
    let mut writers = Vec::new();
    for place in 0..contents.len() {
        writers.push(storage.writer(&format!("/dir{}/file{place}", place % 2), WriteMode::Create).await?);
    }
    for piece in 0..10 {
        for (writer, content) in writers.iter_mut().zip(&contents) {
            if let Some(chunk) = pieces(content, content.len().div_ceil(10)).nth(piece) {
                writer.write(chunk).await?;
            }
        }
    }
    for writer in writers {
        writer.commit().await?;
    }
    for (place, content) in contents.iter().enumerate() {
        expect_content(storage, &format!("/dir{}/file{place}", place % 2), content).await?;
    }
    Ok(())
}

pub(super) async fn survives_the_pruning_of_its_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 5000);
    storage.put_content("/a/b/other", "other").await?;
    let writer = begin(storage, "/a/b/c/file", &content).await?;
    storage.delete("/a/b/other").await?;
    writer.commit().await?;
    expect_content(storage, "/a/b/c/file", &content).await?;
    let writer = begin(storage, "/x/y/file", &content).await?;
    storage.put_content("/x/y/other", "other").await?;
    storage.rename("/x/y/other", "/elsewhere").await?;
    writer.close().await?;
    let writer = storage.writer("/x/y/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 5000, "the size of the upload whose directory was pruned");
    writer.commit().await?;
    expect_content(storage, "/x/y/file", &content).await?;
    Ok(())
}

pub(super) async fn commit_is_seen_by_a_second_handle(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    let content = pattern(1, 70_000);
    let writer = begin(storage, "/file", &content).await?;
    expect_absent(&other, "/file").await?;
    writer.commit().await?;
    expect_content(&other, "/file", &content).await?;
    Ok(())
}
