//! Many at once.

use bytes::Bytes;
use storagedriver::{Error, Guarantee, ReadOptions, WriteMode};

use crate::fixture::{
    Fixture, at_once, begin, close_upload, expect_absent, expect_content, expect_no_upload, holds_one_of,
    list_paths, pattern, pieces, read_all,
};
use crate::{Checked, ensure, ensure_eq};

pub(super) async fn streams_to_many_paths(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let count = fixture.scale().concurrency;
    at_once(count, |task| {
        let storage = storage.clone();
        async move {
            let content = pattern(task as u64, 100_000 + task as u64 * 997);
            let path = format!("/dir{}/file{task}", task % 3);
            let mut writer = storage.writer(&path, WriteMode::Create).await?;
            for piece in pieces(&content, 10_000) {
                writer.write(piece).await?;
                tokio::task::yield_now().await;
            }
            writer.commit().await?;
            Ok(expect_content(&storage, &path, &content).await?)
        }
    })
    .await?;
    for task in 0..count {
        let content = pattern(task as u64, 100_000 + task as u64 * 997);
        expect_content(storage, &format!("/dir{}/file{task}", task % 3), &content).await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn puts_to_many_paths(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let count = fixture.scale().concurrency;
    at_once(count, |task| {
        let storage = storage.clone();
        async move {
            let path = format!("/dir/sub/file{task:03}");
            for seed in 0..4 {
                let content = pattern(seed, 5000 + task as u64);
                storage.put_content(&path, content.clone()).await?;
                expect_content(&storage, &path, &content).await?;
            }
            Ok(())
        }
    })
    .await?;
    ensure_eq!(storage.list("/dir/sub").await?.len(), count, "the files");
    Ok(())
}

pub(super) async fn reads_one_file_from_many_places(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let size = fixture.scale().large;
    let content = pattern(1, size);
    storage.put_content("/file", content.clone()).await?;
    at_once(fixture.scale().concurrency, |task| {
        let (storage, content) = (storage.clone(), content.clone());
        async move {
            let offset = (task as u64 * 0x9e37_79b9) % size;
            let options = ReadOptions::from_offset(offset).with_length(200_000);
            let read = read_all(&storage, "/file", options).await?;
            let wanted = content.slice(offset as usize..).slice(..read.len());
            ensure_eq!(read.len() as u64, 200_000.min(size - offset), "the bytes read from {offset}");
            ensure!(read == wanted, "the bytes from {offset} on are not those of the content");
            Ok(())
        }
    })
    .await?;
    Ok(())
}

pub(super) async fn puts_to_one_path_leave_one_whole(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let contents: Vec<Bytes> =
        (0..fixture.scale().concurrency as u64).map(|seed| pattern(seed, 20_000 + seed * 1009)).collect();
    at_once(contents.len(), |task| {
        let (storage, content) = (storage.clone(), contents.get(task).cloned().unwrap_or_default());
        async move { Ok(storage.put_content("/dir/file", content).await?) }
    })
    .await?;
    let allowed: Vec<&[u8]> = contents.iter().map(|content| &content[..]).collect();
    let which = holds_one_of(storage, "/dir/file", &allowed).await?;
    expect_content(storage, "/dir/file", contents.get(which).map(|content| &content[..]).unwrap_or_default())
        .await?;
    ensure_eq!(list_paths(storage, "/dir").await?, ["/dir/file"], "what many puts left");
    Ok(())
}

pub(super) async fn commits_to_one_path_leave_one_whole(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    // Where a commit ends the other uploads of its path, the others may be told so.
    let independent = fixture.keeps(Guarantee::IndependentUploads);
    let contents: Vec<Bytes> =
        (0..fixture.scale().concurrency as u64).map(|seed| pattern(seed, 20_000 + seed * 1009)).collect();
    at_once(contents.len(), |task| {
        let (storage, content) = (storage.clone(), contents.get(task).cloned().unwrap_or_default());
        async move {
            let mut writer = storage.writer("/dir/file", WriteMode::Create).await?;
            for piece in pieces(&content, 7000) {
                writer.write(piece).await?;
                tokio::task::yield_now().await;
            }
            match writer.commit().await {
                Err(Error::Conflict { .. }) if !independent => Ok(()),
                ended => Ok(ended?),
            }
        }
    })
    .await?;
    let allowed: Vec<&[u8]> = contents.iter().map(|content| &content[..]).collect();
    let which = holds_one_of(storage, "/dir/file", &allowed).await?;
    expect_content(storage, "/dir/file", contents.get(which).map(|content| &content[..]).unwrap_or_default())
        .await?;
    ensure_eq!(list_paths(storage, "/dir").await?, ["/dir/file"], "what many commits left");
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn readers_never_see_a_commit_half_done(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let rounds = fixture.scale().rounds;
    let contents: Vec<Bytes> = (0..3).map(|seed| pattern(seed, 200_000 + seed * 70_000)).collect();
    storage.put_content("/file", contents.first().cloned().unwrap_or_default()).await?;
    at_once(4, |task| {
        let (storage, contents) = (storage.clone(), contents.clone());
        async move {
            let allowed: Vec<&[u8]> = contents.iter().map(|content| &content[..]).collect();
            for round in 0..rounds {
                match contents.get((round + task) % 3).filter(|_| task == 0) {
                    Some(content) => begin(&storage, "/file", content).await?.commit().await?,
                    None if task == 1 => {
                        let size = storage.stat("/file").await?.size();
                        let known = contents.iter().any(|content| Some(content.len() as u64) == size);
                        ensure!(known, "a stat tells {size:?} bytes");
                    }
                    None => drop(holds_one_of(&storage, "/file", &allowed).await?),
                }
            }
            Ok(())
        }
    })
    .await?;
    Ok(())
}

pub(super) async fn puts_and_deletes_in_one_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let rounds = fixture.scale().rounds;
    // Each delete may prune the directory under the others' puts.
    at_once(8, |task| {
        let storage = storage.clone();
        async move {
            let path = format!("/a/b/c/file{task}");
            for round in 0..rounds {
                let content = format!("{task} {round}");
                storage.put_content(&path, content.clone()).await?;
                expect_content(&storage, &path, content.as_bytes()).await?;
                storage.delete(&path).await?;
            }
            Ok(())
        }
    })
    .await?;
    expect_absent(storage, "/a").await?;
    Ok(())
}

pub(super) async fn uploads_and_deletes_in_one_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let rounds = fixture.scale().rounds;
    at_once(8, |task| {
        let storage = storage.clone();
        async move {
            let content = pattern(task as u64, 5000);
            let path = format!("/a/b/c/file{task}");
            for round in 0..rounds {
                close_upload(&storage, &path, &content).await?;
                let writer = storage.writer(&path, WriteMode::Append).await?;
                ensure_eq!(writer.size(), 5000, "the size of the upload of task {task}");
                match round % 3 {
                    0 => writer.cancel().await?,
                    1 => {
                        writer.commit().await?;
                        expect_content(&storage, &path, &content).await?;
                        storage.delete(&path).await?;
                    }
                    _ => {
                        drop(writer);
                        storage.delete(&path).await?;
                    }
                }
            }
            Ok(())
        }
    })
    .await?;
    expect_absent(storage, "/a").await?;
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn renames_in_one_directory(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let rounds = fixture.scale().rounds;
    at_once(8, |task| {
        let storage = storage.clone();
        async move {
            let (here, there) = (format!("/a/b/file{task}"), format!("/c/d/file{task}"));
            storage.put_content(&here, format!("{task}")).await?;
            for _ in 0..rounds {
                storage.rename(&here, &there).await?;
                storage.rename(&there, &here).await?;
            }
            Ok(expect_content(&storage, &here, format!("{task}").as_bytes()).await?)
        }
    })
    .await?;
    expect_absent(storage, "/c").await?;
    ensure_eq!(storage.list("/a/b").await?.len(), 8, "the files");
    Ok(())
}

pub(super) async fn one_of_many_resumers_ends_an_upload(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for _ in 0..fixture.scale().rounds.min(5) {
        close_upload(storage, "/file", &pattern(1, 1000)).await?;
        let mut writers = Vec::new();
        for _ in 0..8 {
            writers.push(std::sync::Mutex::new(Some(storage.writer("/file", WriteMode::Append).await?)));
        }
        let done = at_once(8, |task| {
            // Each task takes its own; nobody panics while holding the lock.
            let writer = writers.get(task).and_then(|writer| writer.lock().ok()?.take());
            async move {
                let Some(mut writer) = writer else { return Ok(false) };
                let ended = async {
                    writer.write(format!("task {task}")).await?;
                    writer.commit().await
                };
                match ended.await {
                    Ok(()) => Ok(true),
                    Err(Error::Conflict { .. }) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        })
        .await?;
        ensure_eq!(done.iter().filter(|done| **done).count(), 1, "how many of eight resumers committed");
        let winner = done.iter().position(|done| *done).unwrap_or_default();
        let content = [&pattern(1, 1000)[..], format!("task {winner}").as_bytes()].concat();
        expect_content(storage, "/file", &content).await?;
        expect_no_upload(storage, "/").await?;
        storage.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn two_processes_write_at_once(fixture: &Fixture) -> Checked {
    let (one, two) = (fixture.storage().clone(), fixture.another().await?);
    let rounds = fixture.scale().rounds;
    let contents: [Bytes; 2] = [pattern(0, 30_000), pattern(1, 50_000)];
    at_once(2, |task| {
        let storage = if task == 0 { one.clone() } else { two.clone() };
        let (allowed, content) = (contents.clone(), pattern(task as u64, 30_000 + task as u64 * 20_000));
        async move {
            for round in 0..rounds {
                if round % 2 == 0 {
                    storage.put_content("/shared/file", content.clone()).await?;
                } else {
                    begin(&storage, "/shared/file", &content).await?.commit().await?;
                }
                holds_one_of(&storage, "/shared/file", &allowed.each_ref().map(|content| &content[..]))
                    .await?;
                let own = format!("/shared/own{task}");
                storage.put_content(&own, content.clone()).await?;
                storage.delete(&own).await?;
            }
            Ok(())
        }
    })
    .await?;
    ensure_eq!(list_paths(&one, "/shared").await?, ["/shared/file"], "what is left");
    ensure_eq!(
        one.get_content("/shared/file").await?,
        two.get_content("/shared/file").await?,
        "both handles"
    );
    Ok(())
}
