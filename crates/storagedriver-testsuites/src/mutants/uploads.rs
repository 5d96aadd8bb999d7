//! Mutants about uploads as the store tells of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use storagedriver::{DriverWriter, Error, Layer, Result, StorageDriver, StoragePath, UploadInfo, WriteMode};

use super::wrap::{lock, mutant};

mutant! {
    /// Uploads are sorted the wrong way round.
    UploadsUnsorted {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let mut uploads = self.inner.uploads(below).await?;
            uploads.reverse();
            Ok(uploads)
        }
    }
}

mutant! {
    /// Uploads are found by the beginning of their names.
    UploadsByPrefix {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let mut uploads = self.inner.uploads(&StoragePath::root()).await?;
            uploads.retain(|upload| upload.path().as_str().starts_with(below.as_str()));
            Ok(uploads)
        }
    }
}

mutant! {
    /// The uploads of a path do not include the one at the path.
    UploadsBelowOnly {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let mut uploads = self.inner.uploads(below).await?;
            uploads.retain(|upload| upload.path() != below);
            Ok(uploads)
        }
    }
}

mutant! {
    /// The uploads of nothing are an error.
    UploadsOfNothingFail {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let uploads = self.inner.uploads(below).await?;
            if uploads.is_empty() && !below.is_root() {
                self.inner.stat(below).await?;
            }
            Ok(uploads)
        }
    }
}

mutant! {
    /// The last upload of a page is lost.
    UploadsMissAtPage {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let uploads = self.inner.uploads(below).await?.into_iter().enumerate();
            Ok(uploads.filter(|(place, _)| place % 50 != 49).map(|(_, upload)| upload).collect())
        }
    }
}

mutant! {
    /// Uploads are listed without their sizes.
    UploadsWithoutSizes {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let uploads = self.inner.uploads(below).await?;
            let bare = |upload: &UploadInfo| {
                UploadInfo::new(upload.path().clone(), 0, upload.modified(), upload.id())
            };
            Ok(uploads.iter().map(bare).collect())
        }
    }
}

mutant! {
    /// Every upload was last active long ago.
    UploadsLookStale {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let uploads = self.inner.uploads(below).await?;
            let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
            let aged = |upload: &UploadInfo| {
                UploadInfo::new(upload.path().clone(), upload.size(), old, upload.id())
            };
            Ok(uploads.iter().map(aged).collect())
        }
    }
}

mutant! {
    /// The time of an upload goes back.
    UploadTimesGoBack remembers u64 {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let uploads = self.inner.uploads(below).await?;
            let back = {
                let mut state = lock(&self.state);
                *state += 1;
                Duration::from_secs(*state)
            };
            let earlier = |upload: &UploadInfo| {
                let modified = upload.modified().checked_sub(back).unwrap_or(SystemTime::UNIX_EPOCH);
                UploadInfo::new(upload.path().clone(), upload.size(), modified, upload.id())
            };
            Ok(uploads.iter().map(earlier).collect())
        }
    }
}

mutant! {
    /// Something that nobody began is always among the uploads.
    UploadFromBefore {
        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let mut uploads = self.inner.uploads(below).await?;
            if below.is_root() {
                let left = StoragePath::parse("/left")?;
                uploads.push(UploadInfo::new(left, 1, SystemTime::now(), "left"));
                uploads.sort_by(|one, other| one.path().cmp(other.path()));
            }
            Ok(uploads)
        }
    }
}

mutant! {
    /// Uploads that ended are still listed.
    EndedUploadsListed remembers BTreeSet<StoragePath> {
        async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
            if mode == WriteMode::Append {
                lock(&self.state).insert(path.clone());
            }
            self.inner.writer(path, mode).await
        }

        async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
            let mut uploads = self.inner.uploads(below).await?;
            for path in lock(&self.state).iter().filter(|path| path.is_within(below)) {
                if !uploads.iter().any(|upload| upload.path() == path) {
                    uploads.push(UploadInfo::new(path.clone(), 0, SystemTime::now(), "ended"));
                }
            }
            uploads.sort_by(|one, other| one.path().cmp(other.path()));
            Ok(uploads)
        }
    }
}

mutant! {
    /// Aborting does nothing.
    AbortDoesNothing {
        async fn abort_upload(&self, _upload: &UploadInfo) -> Result<()> {
            Ok(())
        }
    }
}

mutant! {
    /// Aborting removes the content of the path.
    AbortDeletesContent {
        async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
            self.inner.abort_upload(upload).await?;
            match self.inner.stat(upload.path()).await {
                Ok(_) => self.inner.delete(upload.path()).await,
                Err(_) => Ok(()),
            }
        }
    }
}

mutant! {
    /// Aborting takes along uploads whose paths begin the same.
    AbortTakesLongerNames {
        async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
            self.inner.abort_upload(upload).await?;
            for other in self.inner.uploads(&StoragePath::root()).await? {
                if other.path().as_str().starts_with(upload.path().as_str()) {
                    self.inner.abort_upload(&other).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// Aborting what is gone is an error.
    AbortOfNothingFails {
        async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
            if self.inner.uploads(upload.path()).await?.is_empty() {
                return Err(Error::path_not_found(upload.path()));
            }
            self.inner.abort_upload(upload).await
        }
    }
}

mutant! {
    /// Aborting does not look whether the upload has moved on.
    AbortIgnoresMovement {
        async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
            for now in self.inner.uploads(upload.path()).await? {
                if now.path() == upload.path() {
                    self.inner.abort_upload(&now).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// Aborting under a live writer publishes what was closed.
    AbortUnderAWriterPublishes {
        async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
            match self.inner.abort_upload(upload).await {
                Err(Error::Conflict { .. }) => {
                    let mut writer = self.inner.writer(upload.path(), WriteMode::Append).await?;
                    writer.commit().await
                }
                outcome => outcome,
            }
        }
    }
}
