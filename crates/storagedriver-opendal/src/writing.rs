//! Writes and renames.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use opendal::options::WriteOptions;
use opendal::{Buffer, Error, Metadata};
use storagedriver::{ErrorKind, Version};
use storagedriver_object::{Condition, PutOptions, StoreError, StoreResult};

use crate::backend::{MARK, OpenDalBackend, version};
use crate::failure::failure;

/// The parts in which OpenDAL sends what comes as a stream; S3 and Google want 5 MiB at least.
const PART: usize = 10 << 20;

/// So often what failed is tried again because its directory was pruned meanwhile.
const MOST_TRIES: usize = 8;

/// Longer than the clock of a file system stands still, which is what versions are made of there.
const TICK: Duration = Duration::from_millis(11);

/// Whether the last name of a key leaves no room for what OpenDAL adds to one that it stages.
fn is_long(key: &str) -> bool {
    key.rsplit('/').next().unwrap_or_default().len() > 200
}

impl OpenDalBackend {
    fn options(&self, options: &PutOptions) -> WriteOptions {
        let mark = options.mark.clone().filter(|_| self.review.description.marks && !self.review.private);
        let mut write = WriteOptions {
            user_metadata: mark.map(|mark| [(MARK.to_owned(), mark)].into()),
            ..WriteOptions::default()
        };
        match &options.condition {
            Some(Condition::Matches(version)) => write.if_match = Some(version.as_str().to_owned()),
            Some(Condition::Absent) => write.if_not_exists = true,
            None => {}
        }
        write
    }

    /// Writes a whole object.
    pub(crate) async fn write(
        &self,
        key: &str,
        content: impl Into<Buffer>,
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let content = content.into();
        if self.review.private {
            let mut ledger = self.ledger.open().await;
            if let Some(condition) = &options.condition {
                ledger.check(key, self.stat(key).await.is_ok(), condition)?;
            }
            let written = self.operator.write(key, content).await;
            written.map_err(|error| failure("write an object", error))?;
            return Ok(ledger.written(key, options.mark.clone()));
        }
        if self.review.directories && self.review.description.rename && is_long(key) {
            return self.write_long(key, content).await;
        }
        let weak = !self.review.description.versions;
        let before = if weak { self.stat(key).await.ok().map(|found| version(&found)) } else { None };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.operator.write_options(key, content.clone(), self.options(options)).await {
                Ok(written) => {
                    let (after, fine) = self.written(key, &written).await?;
                    // As if nothing had been written: the clock has not moved.
                    if !fine || before.as_ref() != Some(&after) || tries == MOST_TRIES {
                        return Ok(after);
                    }
                    tokio::time::sleep(TICK).await;
                }
                Err(error) => {
                    if !self.lost_directory(key, &error, tries).await {
                        return Err(self.refused(key, "write an object", error).await);
                    }
                }
            }
        }
    }

    /// Writes an object under a short name and moves it.
    async fn write_long(&self, key: &str, content: Buffer) -> StoreResult<Version> {
        let short = format!("~long/{:016x}", RandomState::new().hash_one(key));
        let written = self.operator.write(&short, content).await;
        written.map_err(|error| failure("write an object", error))?;
        let moved = self.move_to(&short, key).await;
        if moved.is_err() {
            // The failure that matters is the first.
            let _ = self.operator.delete(&short).await;
        }
        moved?;
        Ok(version(&self.stat(key).await?))
    }

    /// The version that was written, and whether the service's clock tells less than a second.
    async fn written(&self, key: &str, written: &Metadata) -> StoreResult<(Version, bool)> {
        let told = written.etag().is_some()
            || !self.review.description.versions && written.last_modified().is_some();
        let found = if told { written.clone() } else { self.stat(key).await? };
        let fine = found.last_modified().is_some_and(|time| {
            let time = std::time::SystemTime::from(time).duration_since(std::time::SystemTime::UNIX_EPOCH);
            time.is_ok_and(|time| time.subsec_nanos() != 0)
        });
        Ok((version(&found), fine))
    }

    /// Writes what comes as a stream; nothing is there before all of it is.
    pub(crate) async fn write_stream(
        &self,
        key: &str,
        mut content: BoxStream<'_, StoreResult<Bytes>>,
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let mut write = self.options(options);
        write.chunk = Some(PART);
        let mut writer = match self.operator.writer_options(key, write).await {
            Ok(writer) => writer,
            Err(error) => return Err(self.refused(key, "begin to write an object", error).await),
        };
        let sent = async {
            while let Some(chunk) = content.try_next().await? {
                writer.write(chunk).await.map_err(|error| failure("write an object", error))?;
            }
            Ok(())
        };
        if let Err(error) = sent.await {
            // The failure that matters is the first.
            let _ = writer.abort().await;
            return Err(error);
        }
        match writer.close().await {
            Ok(written) => Ok(self.written(key, &written).await?.0),
            Err(error) => {
                let _ = writer.abort().await;
                Err(self.refused(key, "end an object written in parts", error).await)
            }
        }
    }

    /// Moves an object, over what is there.
    pub(crate) async fn move_to(&self, from: &str, to: &str) -> StoreResult<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.operator.rename(from, to).await {
                Ok(()) => {
                    self.prune(from).await;
                    return Ok(());
                }
                Err(error) => {
                    self.stat(from).await?;
                    if !self.lost_directory(to, &error, tries).await {
                        return Err(self.refused(to, "rename an object", error).await);
                    }
                }
            }
        }
    }

    /// Whether a write failed because its directory was pruned between its making and its use.
    async fn lost_directory(&self, key: &str, error: &Error, tries: usize) -> bool {
        self.review.prunes
            && tries < MOST_TRIES
            && error.kind() == opendal::ErrorKind::NotFound
            && self.in_the_way(key).await.is_none()
    }

    /// What a write failed of. Where names are files or directories, one may be in the way.
    pub(crate) async fn refused(&self, key: &str, what: &str, error: Error) -> StoreError {
        let failed = failure(what, error);
        if self.review.directories
            && matches!(failed, StoreError::Failed(_) | StoreError::NotFound)
            && let Some(reason) = self.in_the_way(key).await
        {
            return StoreError::failed(ErrorKind::Conflict, reason);
        }
        failed
    }

    async fn in_the_way(&self, key: &str) -> Option<String> {
        let above = key.match_indices('/').filter_map(|(slash, _)| key.get(..slash));
        for directory in above {
            if self.stat(directory).await.is_ok() {
                return Some(format!("{directory} is a file, and the service has real directories"));
            }
        }
        let is_directory = self.operator.stat(key).await.is_ok_and(|found| found.is_dir());
        is_directory.then(|| format!("{key} is a directory of the service"))
    }
}
