//! Giving a staged file its path.

use std::sync::Arc;

use bytes::Bytes;
use storagedriver::{Error, Result, StoragePath};

use crate::cluster::{ATTEMPTS, Hadoop, is_missing};
use crate::locks::hold;
use crate::names::{STAGING, passing};
use crate::staged::Staged;
use crate::tidy::Tidy;
use crate::version::{FileVersion, tick};

/// Leaves the time of the last access as it is.
const KEEP: u64 = u64::MAX;

impl Hadoop {
    /// Makes a staged file, closed and durable, the content of a path, if the path still holds `base`.
    pub(crate) async fn publish(
        self: &Arc<Self>,
        path: &StoragePath,
        staged: &str,
        base: Option<FileVersion>,
    ) -> Result<()> {
        let stamped = self.client.set_times(staged, tick(), KEEP).await;
        stamped.map_err(Hadoop::write_fault(path, "set the time of a staged file"))?;
        let held = hold(self, path).await;
        if let Some(base) = base {
            self.expect_base(path, base).await?;
        }
        let tidy = Tidy::above(self, &[path]);
        let gone = || Error::conflict(path, "the upload was ended, discarded or deleted by somebody else");
        let put = self.put_at(path, staged, path, &tidy, &gone).await;
        // Whoever holds a path waits for no other.
        drop(held);
        if put.is_ok() {
            tidy.not();
        } else {
            tidy.now().await;
        }
        put
    }

    /// Fails if a path no longer holds the content that an append began with.
    pub(crate) async fn expect_base(&self, path: &StoragePath, base: FileVersion) -> Result<()> {
        let found = self.status(&self.content(path)).await;
        let found =
            found.map_err(Hadoop::write_fault(path, "look at the content that the append began with"))?;
        if found.filter(|status| !status.isdir).map(|status| FileVersion::of(&status)) == Some(base) {
            return Ok(());
        }
        Err(Error::conflict(path, "the content that the append started from was replaced"))
    }

    /// Renames a file to a path, replacing what is there; makes the directories above. `gone` is the
    /// error if there is no such file; others are told for `told`. `tidy` is what the caller does if it fails.
    pub(crate) async fn put_at(
        self: &Arc<Self>,
        told: &StoragePath,
        from: &str,
        to: &StoragePath,
        tidy: &Tidy,
        gone: &(dyn Fn() -> Error + Sync),
    ) -> Result<()> {
        let place = self.content(to);
        let failed = || Hadoop::write_fault(told, "rename the file to its path");
        for _ in 0..ATTEMPTS {
            let (hadoop, one, other) = (self.clone(), from.to_owned(), place.clone());
            match tidy.send(async move { hadoop.client.rename(&one, &other, true).await }).await {
                Ok(()) => return Ok(()),
                // Either end: the file, or the directory above the path, which others may prune.
                Err(error) if is_missing(&error) => {
                    if self.status(from).await.map_err(failed())?.is_none() {
                        return Err(gone());
                    }
                    let above = to.parent().unwrap_or_else(StoragePath::root);
                    let (hadoop, above) = (self.clone(), self.content(&above));
                    let made = tidy.send(async move { hadoop.make_directory(&above).await }).await;
                    made.map_err(Hadoop::write_fault(told, "make the directory above the path"))?;
                }
                Err(error) => {
                    // That a directory is there has no class of its own among the exceptions.
                    let there = self.status(&place).await;
                    if there.is_ok_and(|there| there.is_some_and(|status| status.isdir)) {
                        return Err(Error::conflict(told, "a directory is at the path"));
                    }
                    return Err(failed()(error));
                }
            }
        }
        Err(Error::unavailable(told, "the directory above the path was removed again and again"))
    }

    /// Puts content at a path.
    pub(crate) async fn put(self: &Arc<Self>, path: &StoragePath, content: Bytes) -> Result<()> {
        let (name, flat) = passing(path);
        let place = if flat {
            format!("{}/{name}", self.staging(&StoragePath::root()))
        } else {
            format!("{}/{name}", self.staging(path))
        };
        debug_assert!(place.contains(STAGING));
        let mut staged = Staged::create(self, path, place).await?;
        let outcome = async {
            if !content.is_empty() {
                staged.send(|| content).await?;
            }
            staged.finish().await?;
            self.publish(path, staged.trace.place(), None).await
        }
        .await;
        match outcome {
            Ok(()) => {
                staged.trace.let_go();
                if !flat {
                    self.prune_staging(path).await;
                }
                Ok(())
            }
            Err(error) => {
                staged.trace.remove().await;
                Err(error)
            }
        }
    }
}
