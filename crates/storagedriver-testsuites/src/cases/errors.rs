//! What errors say, and what a driver says of itself.

use storagedriver::{Error, ErrorKind, Guarantee, Operation, ReadOptions, RedirectRequest, WriteMode};

use crate::fixture::{Fixture, close_upload, each_operation, pattern, refused};
use crate::{Checked, Mismatch, ensure, ensure_eq};

/// The error names the driver, the operation and the path, in its fields and in its text.
fn says_where(error: &Error, driver: &str, operation: Operation, path: &str) -> Result<(), Mismatch> {
    ensure_eq!(error.driver(), Some(driver), "the driver in an error of {operation}");
    ensure_eq!(error.operation(), Some(operation), "the operation in an error of {operation}");
    ensure_eq!(error.path(), Some(path), "the path in an error of {operation}");
    let text = error.to_string();
    for part in [driver, operation.as_str(), path] {
        ensure!(text.contains(part), "the message of an error of {operation} does not say {part:?}: {text}");
    }
    Ok(())
}

pub(super) async fn say_driver_operation_and_path(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let driver = storage.name();
    for (operation, result) in each_operation(storage, "/a/../b").await {
        says_where(&refused(result, ErrorKind::InvalidPath)?, driver, operation, "/a/../b")?;
    }
    storage.put_content("/dir/file", "content").await?;
    let absent = "/dir/absent";
    let errors = [
        (Operation::GetContent, storage.get_content(absent).await.map(drop)),
        (Operation::Reader, storage.reader(absent, ReadOptions::all()).await.map(drop)),
        (Operation::Writer, storage.writer(absent, WriteMode::Append).await.map(drop)),
        (Operation::Stat, storage.stat(absent).await.map(drop)),
        (Operation::List, storage.list(absent).await.map(drop)),
        (Operation::Rename, storage.rename(absent, "/other").await),
        (Operation::Delete, storage.delete(absent).await),
    ];
    for (operation, result) in errors {
        says_where(&refused(result, ErrorKind::PathNotFound)?, driver, operation, absent)?;
    }
    let past = storage.reader("/dir/file", ReadOptions::from_offset(99)).await;
    says_where(&refused(past, ErrorKind::InvalidOffset)?, driver, Operation::Reader, "/dir/file")?;
    Ok(())
}

pub(super) async fn of_an_ending_name_it(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let driver = storage.name();
    for operation in [Operation::Close, Operation::Commit] {
        close_upload(storage, "/file", &pattern(1, 10)).await?;
        let mut loser = storage.writer("/file", WriteMode::Append).await?;
        let mut winner = storage.writer("/file", WriteMode::Append).await?;
        winner.write("won").await?;
        winner.commit().await?;
        // The loser may be told as early as by its write.
        if let Err(error) = loser.write("lost").await {
            says_where(&refused::<()>(Err(error), ErrorKind::Conflict)?, driver, Operation::Write, "/file")?;
        }
        let ended = match operation {
            Operation::Close => loser.close().await.map(drop),
            _ => loser.commit().await,
        };
        says_where(&refused(ended, ErrorKind::Conflict)?, driver, operation, "/file")?;
        storage.delete("/file").await?;
    }
    Ok(())
}

pub(super) async fn tell_absence_from_the_rest(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for (operation, result) in each_operation(storage, "/absent").await {
        // The root of what follows is made by `Create` and `put_content`, which come last.
        let Err(error) = result else { continue };
        ensure!(error.is_not_found(), "{operation} of nothing: {error}");
        ensure!(!error.is_retryable(), "{operation} of nothing says that trying again may help: {error}");
    }
    storage.put_content("/file", "content").await?;
    let past = refused(storage.reader("/file", ReadOptions::from_offset(8)).await, ErrorKind::InvalidOffset)?;
    ensure!(!past.is_not_found() && !past.is_retryable(), "an offset past the end: {past}");
    let invalid = refused(storage.stat("relative").await, ErrorKind::InvalidPath)?;
    ensure!(!invalid.is_not_found() && !invalid.is_retryable(), "an invalid path: {invalid}");
    Ok(())
}

pub(super) async fn leave_the_driver_usable(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/file", "content").await?;
    for _ in 0..50 {
        refused(storage.get_content("/absent").await, ErrorKind::PathNotFound)?;
        refused(storage.reader("/file", ReadOptions::from_offset(99)).await, ErrorKind::InvalidOffset)?;
        refused(storage.writer("/absent", WriteMode::Append).await, ErrorKind::PathNotFound)?;
        refused(storage.rename("/absent", "/file").await, ErrorKind::PathNotFound)?;
        refused(storage.delete("/absent").await, ErrorKind::PathNotFound)?;
    }
    ensure_eq!(storage.get_content("/file").await?, "content", "the content after many errors");
    Ok(())
}

pub(super) async fn a_redirect_is_none_or_a_url(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/dir/file", "content").await?;
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let request = RedirectRequest::new(method).with_header("Host", "registry.example");
        if let Some(url) = storage.redirect_url(&request, "/dir/file").await? {
            ensure!(url.has_host() || url.scheme() == "file", "a URL that no client can use: {url}");
        }
    }
    ensure_eq!(storage.get_content("/dir/file").await?, "content", "the content after redirects");
    Ok(())
}

pub(super) async fn the_driver_says_what_it_lacks(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let name = storage.name();
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ensure!(!name.is_empty() && name.bytes().all(valid), "the name {name:?} is not of a-z, 0-9 and -");
    ensure_eq!(storage.guarantees(), storage.clone().guarantees(), "what the driver says twice");
    let shared = fixture.keeps(Guarantee::Shared);
    match fixture.another().await {
        Ok(other) => {
            ensure!(shared, "there is a second handle on a driver that lacks `shared`");
            ensure_eq!(other.name(), name, "the name of the second handle");
            ensure_eq!(other.guarantees(), storage.guarantees(), "the guarantees of the second handle");
        }
        Err(mismatch) if shared => return Err(mismatch.into()),
        Err(_) => {}
    }
    let limits = storage.limits();
    ensure!(limits.component >= 128 && limits.path >= 512, "a registry needs longer paths than {limits:?}");
    Ok(())
}
