//! Content that is read as a stream.

use storagedriver::{Content, Error, ErrorKind, ReadOptions};

use crate::fixture::{Fixture, begin, expect_content, pattern, read_all, refused};
use crate::{Checked, Mismatch, ensure, ensure_eq};

pub(super) async fn streams_every_size(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (seed, size) in (0..).zip(fixture.scale().sizes()) {
        let content = pattern(seed, size);
        storage.put_content("/content", content.clone()).await?;
        let mut reader = storage.reader("/content", ReadOptions::all()).await?;
        ensure_eq!(reader.size(), size, "the size that the reader tells");
        let mut read = Vec::new();
        while let Some(chunk) = reader.next().await {
            let chunk = chunk?;
            ensure!(!chunk.is_empty(), "a chunk of content of {size} bytes is empty");
            read.extend_from_slice(&chunk);
        }
        ensure!(read == content, "the stream of {size} bytes is not the content");
        ensure!(reader.next().await.is_none(), "a stream that was over went on");
    }
    Ok(())
}

/// Offsets that a driver could get wrong: both ends, and around each boundary.
fn offsets(fixture: &Fixture, size: u64) -> Vec<u64> {
    let mut offsets = fixture.scale().sizes();
    offsets.extend([size / 2, size.saturating_sub(1), size]);
    offsets.retain(|offset| *offset <= size);
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

pub(super) async fn starts_at_every_offset(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let size = fixture.scale().boundaries.iter().copied().max().unwrap_or_default() + 3;
    let content = pattern(1, size);
    storage.put_content("/content", content.clone()).await?;
    for offset in offsets(fixture, size) {
        let read = read_all(storage, "/content", ReadOptions::from_offset(offset)).await?;
        ensure!(content.ends_with(&read), "what is read from {offset} is not the end of the content");
        ensure_eq!(read.len() as u64, size - offset, "the bytes read from {offset}");
    }
    Ok(())
}

pub(super) async fn is_empty_at_the_end(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for size in [0, 1, 96] {
        storage.put_content("/content", pattern(1, size)).await?;
        let mut reader = storage.reader("/content", ReadOptions::from_offset(size)).await?;
        ensure_eq!(reader.size(), size, "the size that a reader at the end tells");
        ensure!(reader.next().await.is_none(), "a reader at the end of {size} bytes has a chunk");
    }
    Ok(())
}

pub(super) async fn refuses_an_offset_past_the_end(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for size in [0, 1, 96] {
        storage.put_content("/content", pattern(1, size)).await?;
        for offset in [size + 1, size + 1000, u64::from(u32::MAX) + 1, i64::MAX as u64, u64::MAX] {
            for options in [ReadOptions::from_offset(offset), ReadOptions::from_offset(offset).with_length(1)]
            {
                let error = refused(storage.reader("/content", options).await, ErrorKind::InvalidOffset)?;
                let told = match &error {
                    Error::InvalidOffset { offset, size: told, .. } => Some((*offset, told.unwrap_or(size))),
                    _ => None,
                };
                ensure_eq!(told, Some((offset, size)), "the offset and the size in the error");
                ensure!(
                    error.to_string().contains(&offset.to_string()),
                    "the error does not say {offset}: {error}"
                );
            }
        }
    }
    Ok(())
}

pub(super) async fn cuts_at_every_length(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let size = fixture.scale().boundaries.iter().copied().max().unwrap_or_default() + 3;
    let content = pattern(1, size);
    storage.put_content("/content", content.clone()).await?;
    for offset in [0, 1, size / 2, size - 1, size] {
        for length in [0, 1, 2, 4096, size - 1, size, size + 1, u64::MAX - 1, u64::MAX] {
            let options = ReadOptions::from_offset(offset).with_length(length);
            let reader = storage.reader("/content", options).await?;
            ensure_eq!(reader.size(), size, "the size of the whole, told by a reader of a part");
            let read = reader.bytes().await?;
            let wanted = length.min(size - offset);
            ensure_eq!(read.len() as u64, wanted, "the bytes of {length} from {offset} of {size}");
            let whole = read_all(storage, "/content", ReadOptions::from_offset(offset)).await?;
            ensure!(
                whole.starts_with(&read),
                "the {length} bytes from {offset} are not those of the content"
            );
        }
    }
    Ok(())
}

pub(super) async fn is_not_found_where_nothing_is(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/file", "content").await?;
    for path in ["/absent", "/dir", "/dir/absent", "/dir/file/below"] {
        for offset in [0, 64, u64::MAX] {
            let reader = storage.reader(path, ReadOptions::from_offset(offset)).await;
            refused(reader, ErrorKind::PathNotFound)?;
        }
    }
    Ok(())
}

pub(super) async fn reads_the_version_asked_for_or_conflicts(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "one").await?;
    let Some(version) = storage.stat("/file").await?.version().cloned() else {
        return Ok(());
    };
    let options = ReadOptions::all().with_version(version);
    ensure_eq!(read_all(storage, "/file", options.clone()).await?, "one", "the version asked for");
    storage.put_content("/file", "two").await?;
    refused(read_version(fixture, options.clone()).await, ErrorKind::Conflict)?;
    begin(storage, "/file", &pattern(1, 9)).await?.commit().await?;
    refused(read_version(fixture, options.clone()).await, ErrorKind::Conflict)?;
    storage.delete("/file").await?;
    refused(read_version(fixture, options).await, ErrorKind::PathNotFound)?;
    Ok(())
}

async fn read_version(fixture: &Fixture, options: ReadOptions) -> storagedriver::Result<()> {
    fixture.storage().reader("/file", options).await?.bytes().await.map(drop)
}

/// Reads on, and checks that it gives the rest of this one content or fails.
async fn one_version(mut reader: Content, content: &[u8]) -> Result<(), Mismatch> {
    let mut read = 0;
    while let Some(chunk) = reader.next().await {
        let Ok(chunk) = chunk else { return Ok(()) };
        let wanted = content.get(read..).unwrap_or_default();
        ensure!(wanted.starts_with(&chunk), "from byte {read} on the reader gives another version");
        read += chunk.len();
    }
    ensure_eq!(read, content.len(), "the bytes of a reader that did not fail");
    Ok(())
}

pub(super) async fn opened_before_a_put_reads_one_version(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 3 << 20), pattern(2, 3 << 20));
    storage.put_content("/file", old.clone()).await?;
    let reader = storage.reader("/file", ReadOptions::all()).await?;
    storage.put_content("/file", new.clone()).await?;
    one_version(reader, &old).await?;
    expect_content(storage, "/file", &new).await?;
    Ok(())
}

pub(super) async fn opened_before_a_commit_reads_one_version(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let (old, new) = (pattern(1, 3 << 20), pattern(2, 2 << 20));
    storage.put_content("/file", old.clone()).await?;
    let mut reader = storage.reader("/file", ReadOptions::all()).await?;
    let first = match reader.next().await {
        Some(first) => first?,
        None => return Err(Mismatch::new("the stream of 3 MiB has no chunk").into()),
    };
    begin(storage, "/file", &new).await?.commit().await?;
    ensure!(old.starts_with(&first), "the first chunk is not of the content");
    one_version(reader, &old.slice(first.len()..)).await?;
    expect_content(storage, "/file", &new).await?;
    Ok(())
}

pub(super) async fn opened_before_it_goes_reads_one_version(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 2 << 20);
    storage.put_content("/file", content.clone()).await?;
    let reader = storage.reader("/file", ReadOptions::all()).await?;
    storage.delete("/file").await?;
    one_version(reader, &content).await?;
    storage.put_content("/file", content.clone()).await?;
    let reader = storage.reader("/file", ReadOptions::all()).await?;
    storage.rename("/file", "/moved").await?;
    one_version(reader, &content).await?;
    storage.put_content("/other", pattern(2, 2 << 20)).await?;
    let reader = storage.reader("/moved", ReadOptions::all()).await?;
    storage.rename("/other", "/moved").await?;
    one_version(reader, &content).await?;
    Ok(())
}

pub(super) async fn may_be_dropped_midway(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 5 << 20);
    storage.put_content("/file", content.clone()).await?;
    for _ in 0..5 {
        drop(storage.reader("/file", ReadOptions::all()).await?);
        let mut reader = storage.reader("/file", ReadOptions::from_offset(1)).await?;
        ensure!(reader.next().await.transpose()?.is_some(), "the stream has no chunk");
        drop(reader);
    }
    expect_content(storage, "/file", &content).await?;
    storage.delete("/file").await?;
    ensure!(storage.list("/").await?.is_empty(), "something is left");
    Ok(())
}

pub(super) async fn several_take_turns(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let content = pattern(1, 1 << 20);
    storage.put_content("/file", content.clone()).await?;
    let mut readers = Vec::new();
    for offset in [0, 1, 500_000, 1 << 20] {
        readers.push((storage.reader("/file", ReadOptions::from_offset(offset)).await?, offset as usize));
    }
    // One chunk of each in turn, so that a shared position shows.
    let mut open = true;
    while open {
        open = false;
        for (reader, at) in &mut readers {
            if let Some(chunk) = reader.next().await.transpose()? {
                let wanted = content.get(*at..).unwrap_or_default();
                ensure!(wanted.starts_with(&chunk), "a reader among several reads something else at {at}");
                *at += chunk.len();
                open = true;
            }
        }
    }
    for (_, at) in readers {
        ensure_eq!(at, content.len(), "where a reader among several ended");
    }
    Ok(())
}
