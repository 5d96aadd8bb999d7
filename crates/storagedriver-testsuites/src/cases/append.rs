//! Uploads that go on: after a close, after a drop, and from committed content.

use bytes::Bytes;
use storagedriver::{Error, ErrorKind, FileWriter, Storage, WriteMode};

use crate::fixture::{
    Fixture, append, begin, close_upload, expect_absent, expect_content, expect_no_upload, pattern, refused,
    upload_sizes,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn resumes_at_the_closed_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let first = pattern(seed, size);
        close_upload(storage, "/file", &first).await?;
        let mut writer = storage.writer("/file", WriteMode::Append).await?;
        ensure_eq!(writer.size(), size, "the size that an append finds");
        writer.write("tail").await?;
        ensure_eq!(writer.size(), size + 4, "the size after a write");
        writer.commit().await?;
        expect_content(storage, "/file", &[&first[..], b"tail"].concat()).await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

/// Three pieces of one content, with a close after the first two.
async fn in_three_steps(storage: &Storage, step: u64) -> Result<(), Mismatch> {
    let steps: Vec<Bytes> = (0..3).map(|seed| pattern(seed + step, step)).collect();
    let mut size = 0;
    for (place, content) in steps.iter().enumerate() {
        let mode = if place == 0 { WriteMode::Create } else { WriteMode::Append };
        let mut writer = storage.writer("/dir/file", mode).await?;
        ensure_eq!(writer.size(), size, "the size that step {place} of {step} bytes finds");
        writer.write(content.clone()).await?;
        size += step;
        ensure_eq!(writer.close().await?, size, "the size that step {place} closes with");
    }
    storage.writer("/dir/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/dir/file", &steps.concat()).await?;
    storage.delete("/dir").await?;
    Ok(())
}

pub(super) async fn goes_on_in_small_steps(fixture: &Fixture) -> Checked {
    for step in [1, 32, 1000] {
        in_three_steps(fixture.storage(), step).await?;
    }
    Ok(())
}

pub(super) async fn goes_on_in_steps_around_each_boundary(fixture: &Fixture) -> Checked {
    for step in fixture.scale().sizes().into_iter().filter(|step| *step > 2) {
        in_three_steps(fixture.storage(), step).await?;
    }
    Ok(())
}

pub(super) async fn goes_on_in_large_steps(fixture: &Fixture) -> Checked {
    in_three_steps(fixture.storage(), fixture.scale().large).await?;
    Ok(())
}

pub(super) async fn is_not_found_where_nothing_is(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/file", "content").await?;
    for path in ["/absent", "/absent/below", "/dir", "/dir/absent"] {
        refused(storage.writer(path, WriteMode::Append).await, ErrorKind::PathNotFound)?;
    }
    expect_absent(storage, "/absent").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn resumes_an_upload_closed_with_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 32);
    for _ in 0..3 {
        ensure_eq!(storage.writer("/file", WriteMode::Create).await?.close().await?, 0, "the closed size");
        ensure_eq!(upload_sizes(storage, "/").await?, [("/file".to_owned(), 0)], "the uploads");
        ensure_eq!(storage.writer("/file", WriteMode::Append).await?.close().await?, 0, "the closed size");
    }
    append(storage, "/file", &content).await?.commit().await?;
    expect_content(storage, "/file", &content).await?;
    Ok(())
}

pub(super) async fn goes_on_from_empty_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 32);
    storage.put_content("/file", Bytes::new()).await?;
    let writer = append(storage, "/file", &content).await?;
    expect_content(storage, "/file", b"").await?;
    ensure_eq!(writer.close().await?, 32, "the closed size");
    expect_content(storage, "/file", b"").await?;
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &content).await?;
    Ok(())
}

pub(super) async fn reopening_and_closing_changes_nothing(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_001);
    close_upload(storage, "/file", &content).await?;
    for _ in 0..5 {
        let writer = storage.writer("/file", WriteMode::Append).await?;
        ensure_eq!(writer.close().await?, 70_001, "the closed size");
        ensure_eq!(upload_sizes(storage, "/").await?, [("/file".to_owned(), 70_001)], "the uploads");
        expect_absent(storage, "/file").await?;
    }
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &content).await?;
    Ok(())
}

pub(super) async fn reopening_and_closing_keeps_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 70_001);
    storage.put_content("/file", content.clone()).await?;
    for _ in 0..3 {
        ensure_eq!(
            storage.writer("/file", WriteMode::Append).await?.close().await?,
            70_001,
            "the closed size"
        );
        expect_content(storage, "/file", &content).await?;
    }
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &content).await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn goes_on_many_times(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let mut wanted = Vec::new();
    for seed in 0..25 {
        let content = pattern(seed, 1 + seed * 331);
        let mode = if seed == 0 { WriteMode::Create } else { WriteMode::Append };
        let mut writer = storage.writer("/file", mode).await?;
        ensure_eq!(writer.size(), wanted.len() as u64, "the size that step {seed} finds");
        writer.write(content.clone()).await?;
        wanted.extend_from_slice(&content);
        ensure_eq!(writer.close().await?, wanted.len() as u64, "the size that step {seed} closes with");
    }
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &wanted).await?;
    Ok(())
}

pub(super) async fn forgets_what_was_written_past_the_close(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let largest = fixture.scale().boundaries.iter().copied().max().unwrap_or_default();
    for kept in [0, 1, 5000, largest + 1] {
        let content = pattern(kept, kept);
        close_upload(storage, "/file", &content).await?;
        for lost in [1, 3000, largest * 2 + 1] {
            fixture.abandon(append(storage, "/file", &pattern(lost + 1, lost)).await?).await;
            let writer = storage.writer("/file", WriteMode::Append).await?;
            ensure_eq!(writer.size(), kept, "the size after {lost} bytes were written and dropped");
            drop(writer);
            ensure_eq!(upload_sizes(storage, "/").await?, [("/file".to_owned(), kept)], "the uploads");
        }
        // As much as was lost, as a client does that goes on.
        let again = pattern(99, largest * 2 + 1);
        append(storage, "/file", &again).await?.commit().await?;
        expect_content(storage, "/file", &[content, again].concat()).await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn commits_with_less_than_was_lost(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let largest = fixture.scale().boundaries.iter().copied().max().unwrap_or_default();
    for kept in [0, 1, 5000, largest + 1] {
        for again in [0, 10] {
            let content = pattern(kept, kept);
            close_upload(storage, "/file", &content).await?;
            fixture.abandon(append(storage, "/file", &pattern(kept + 1, largest * 2 + 1)).await?).await;
            append(storage, "/file", &pattern(99, again)).await?.commit().await?;
            expect_content(storage, "/file", &[content, pattern(99, again)].concat()).await?;
            storage.delete("/file").await?;
        }
    }
    Ok(())
}

pub(super) async fn goes_on_from_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let tail = pattern(99, 4097);
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let content = pattern(seed, size);
        storage.put_content("/file", content.clone()).await?;
        let writer = storage.writer("/file", WriteMode::Append).await?;
        ensure_eq!(writer.size(), size, "the size that an append to content finds");
        drop(writer);
        append(storage, "/file", &tail).await?.commit().await?;
        expect_content(storage, "/file", &[content, tail.clone()].concat()).await?;
    }
    Ok(())
}

pub(super) async fn keeps_content_readable_until_its_commit(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (content, tail) = (pattern(1, 70_000), pattern(2, 5000));
    storage.put_content("/file", content.clone()).await?;
    let writer = append(storage, "/file", &tail).await?;
    expect_content(storage, "/file", &content).await?;
    ensure_eq!(writer.close().await?, 75_000, "the closed size");
    expect_content(storage, "/file", &content).await?;
    let writer = append(storage, "/file", &tail).await?;
    ensure_eq!(writer.size(), 80_000, "the size of the resumed upload");
    expect_content(storage, "/file", &content).await?;
    writer.commit().await?;
    expect_content(storage, "/file", &[content, tail.clone(), tail].concat()).await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn conflicts_when_its_content_was_replaced(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "first").await?;
    let writer = append(storage, "/file", &pattern(1, 100)).await?;
    storage.put_content("/file", "other").await?;
    refused(writer.commit().await, ErrorKind::Conflict)?;
    expect_content(storage, "/file", b"other").await?;
    Ok(())
}

pub(super) async fn conflicts_when_its_content_was_replaced_after_a_close(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "first").await?;
    append(storage, "/file", &pattern(1, 100)).await?.close().await?;
    begin(storage, "/replacement", &pattern(2, 9)).await?.commit().await?;
    storage.rename("/replacement", "/file").await?;
    let writer = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 105, "the size of the upload, which a rename leaves as it is");
    refused(writer.commit().await, ErrorKind::Conflict)?;
    expect_content(storage, "/file", &pattern(2, 9)).await?;
    Ok(())
}

pub(super) async fn conflicts_when_its_content_is_gone(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "first").await?;
    let writer = append(storage, "/file", &pattern(1, 100)).await?;
    storage.rename("/file", "/moved").await?;
    refused(writer.commit().await, ErrorKind::Conflict)?;
    expect_absent(storage, "/file").await?;
    expect_content(storage, "/moved", b"first").await?;
    Ok(())
}

pub(super) async fn one_of_two_that_continue_the_same_content_commits(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "content").await?;
    let first = append(storage, "/file", &pattern(1, 100)).await?;
    let second = append(storage, "/file", &pattern(2, 200)).await?;
    first.commit().await?;
    refused(second.commit().await, ErrorKind::Conflict)?;
    expect_content(storage, "/file", &[b"content", &pattern(1, 100)[..]].concat()).await?;
    Ok(())
}

pub(super) async fn prefers_the_upload_to_the_content(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "committed").await?;
    close_upload(storage, "/file", &pattern(1, 50)).await?;
    let writer = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 50, "the size that an append finds");
    writer.commit().await?;
    expect_content(storage, "/file", &pattern(1, 50)).await?;
    Ok(())
}

pub(super) async fn resumes_the_newest_upload(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (one, two) = (pattern(1, 3000), pattern(2, 500));
    let first = begin(storage, "/file", &one).await?;
    let second = begin(storage, "/file", &two).await?;
    first.close().await?;
    second.close().await?;
    let mut sizes = upload_sizes(storage, "/file").await?;
    sizes.sort();
    ensure_eq!(sizes, [("/file".to_owned(), 500), ("/file".to_owned(), 3000)], "the uploads");
    let writer = storage.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 500, "the size that an append finds");
    writer.commit().await?;
    expect_content(storage, "/file", &two).await?;
    ensure_eq!(upload_sizes(storage, "/file").await?, [("/file".to_owned(), 3000)], "the other upload");
    storage.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(storage, "/file", &one).await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn a_commit_consumes_the_upload(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    close_upload(storage, "/file", &pattern(1, 3000)).await?;
    append(storage, "/file", &pattern(2, 10)).await?.commit().await?;
    expect_no_upload(storage, "/").await?;
    storage.delete("/file").await?;
    refused(storage.writer("/file", WriteMode::Append).await, ErrorKind::PathNotFound)?;
    Ok(())
}

/// Two writers that resumed the same upload of 100 bytes; what each wrote tells them apart.
async fn resume_twice(one: &Storage, two: &Storage) -> Result<(FileWriter, FileWriter), Mismatch> {
    close_upload(one, "/file", &pattern(1, 100)).await?;
    let mut first = one.writer("/file", WriteMode::Append).await?;
    let mut second = two.writer("/file", WriteMode::Append).await?;
    ensure_eq!((first.size(), second.size()), (100, 100), "the sizes that both find");
    first.write("first").await?;
    // The loser may be told as early as this.
    match second.write("the second").await {
        Ok(()) | Err(Error::Conflict { .. }) => Ok((first, second)),
        Err(error) => Err(error.into()),
    }
}

async fn one_of_two_resumers_ends(one: &Storage, two: &Storage) -> Result<(), Mismatch> {
    let first_content = [&pattern(1, 100)[..], b"first"].concat();
    let (first, second) = resume_twice(one, two).await?;
    first.close().await?;
    refused(second.close().await, ErrorKind::Conflict)?;
    ensure_eq!(upload_sizes(one, "/").await?, [("/file".to_owned(), 105)], "after close and close");
    let (first, second) = resume_twice(one, two).await?;
    first.close().await?;
    refused(second.commit().await, ErrorKind::Conflict)?;
    expect_absent(one, "/file").await?;
    one.writer("/file", WriteMode::Append).await?.commit().await?;
    expect_content(one, "/file", &first_content).await?;
    let (first, second) = resume_twice(one, two).await?;
    first.commit().await?;
    refused(second.commit().await, ErrorKind::Conflict)?;
    expect_content(one, "/file", &first_content).await?;
    let (first, second) = resume_twice(one, two).await?;
    first.commit().await?;
    refused(second.close().await, ErrorKind::Conflict)?;
    expect_content(one, "/file", &first_content).await?;
    // Also one that has written nothing.
    close_upload(one, "/file", &pattern(1, 100)).await?;
    let idle = two.writer("/file", WriteMode::Append).await?;
    append(one, "/file", &Bytes::from_static(b"first")).await?.commit().await?;
    refused(idle.commit().await, ErrorKind::Conflict)?;
    expect_content(one, "/file", &first_content).await?;
    one.delete("/file").await?;
    expect_no_upload(one, "/").await
}

pub(super) async fn one_of_two_resumers_can_end_it(fixture: &Fixture) -> Checked {
    one_of_two_resumers_ends(fixture.storage(), fixture.storage()).await?;
    Ok(())
}

/// A close that adds nothing is an ending, too.
pub(super) async fn a_close_without_a_write_ends_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for size in [0, 100] {
        let content = pattern(1, size);
        for commits in [false, true] {
            close_upload(storage, "/file", &content).await?;
            let first = storage.writer("/file", WriteMode::Append).await?;
            let second = storage.writer("/file", WriteMode::Append).await?;
            second.close().await?;
            let late = if commits { first.commit().await } else { first.close().await.map(drop) };
            refused(late, ErrorKind::Conflict)?;
            ensure_eq!(upload_sizes(storage, "/").await?, [("/file".to_owned(), size)], "the uploads");
            storage.writer("/file", WriteMode::Append).await?.commit().await?;
            expect_content(storage, "/file", &content).await?;
            storage.delete("/file").await?;
        }
    }
    Ok(())
}

pub(super) async fn one_of_two_processes_can_end_it(fixture: &Fixture) -> Checked {
    let other = fixture.another().await?;
    one_of_two_resumers_ends(fixture.storage(), &other).await?;
    one_of_two_resumers_ends(&other, fixture.storage()).await?;
    Ok(())
}

pub(super) async fn opening_fences_nobody(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 100);
    close_upload(storage, "/file", &content).await?;
    let mut writer = storage.writer("/file", WriteMode::Append).await?;
    drop(storage.writer("/file", WriteMode::Append).await?);
    drop(append(storage, "/file", &pattern(9, 10)).await?);
    writer.write("more").await?;
    ensure_eq!(writer.close().await?, 104, "the size that the first of two resumers closes with");
    let writer = storage.writer("/file", WriteMode::Append).await?;
    drop(storage.writer("/file", WriteMode::Append).await?);
    writer.commit().await?;
    expect_content(storage, "/file", &[&content[..], b"more"].concat()).await?;
    Ok(())
}

pub(super) async fn is_resumed_by_a_second_handle(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let (content, tail) = (pattern(seed, size), pattern(seed + 99, 777));
        close_upload(storage, "/file", &content).await?;
        ensure_eq!(upload_sizes(&other, "/").await?, [("/file".to_owned(), size)], "the uploads");
        let writer = append(&other, "/file", &tail).await?;
        ensure_eq!(writer.close().await?, size + 777, "the size that the second handle closes with");
        let writer = storage.writer("/file", WriteMode::Append).await?;
        ensure_eq!(writer.size(), size + 777, "the size that the first handle finds");
        writer.commit().await?;
        expect_content(&other, "/file", &[content, tail].concat()).await?;
        other.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn a_second_handle_forgets_what_was_not_closed(fixture: &Fixture) -> Checked {
    let (storage, other) = (fixture.storage(), fixture.another().await?);
    let content = pattern(1, 70_000);
    close_upload(storage, "/file", &content).await?;
    let open = append(storage, "/file", &pattern(2, 300_000)).await?;
    let mut writer = other.writer("/file", WriteMode::Append).await?;
    ensure_eq!(writer.size(), 70_000, "the size that the second handle finds while the first writes");
    writer.write("second").await?;
    writer.commit().await?;
    refused(open.commit().await, ErrorKind::Conflict)?;
    expect_content(storage, "/file", &[&content[..], b"second"].concat()).await?;
    ensure!(storage.uploads("/").await?.is_empty(), "an upload is left");
    Ok(())
}
