//! Uploads.

use std::time::SystemTime;

use storagedriver::bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath, Version, async_trait};

use crate::driver::InMemory;
use crate::rope::RopeBuilder;
use crate::uploads::{Upload, UploadKey, Uploads};

/// The upload that a writer resumed, in the state in which it did.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) key: UploadKey,
    pub(crate) generation: u64,
}

pub(crate) struct Writer {
    store: InMemory,
    path: StoragePath,
    content: RopeBuilder,
    /// The version of the committed content that this goes on from.
    base: Option<Version>,
    resumed: Option<Resumed>,
}

impl Writer {
    pub(crate) fn new(
        store: InMemory,
        path: StoragePath,
        content: RopeBuilder,
        base: Option<Version>,
        resumed: Option<Resumed>,
    ) -> Self {
        Writer { store, path, content, base, resumed }
    }

    /// Takes the upload that was resumed out of the store, if nobody else ended or changed it.
    fn claim(&mut self, uploads: &mut Uploads) -> Result<Option<UploadKey>> {
        let Some(resumed) = self.resumed.take() else {
            return Ok(None);
        };
        match uploads.0.get_mut(&resumed.key) {
            Some(upload) if upload.generation == resumed.generation => {
                uploads.0.remove(&resumed.key);
                Ok(Some(resumed.key))
            }
            _ => Err(self.lost()),
        }
    }

    fn lost(&self) -> Error {
        Error::conflict(&self.path, "the upload that this writer resumed was ended by another; open it again")
    }

    /// Keeps what was accepted as a closed upload.
    fn keep(&mut self, uploads: &mut Uploads, key: Option<UploadKey>) {
        let number = self.store.files().next_number();
        let upload = Upload {
            content: self.content.snapshot(),
            modified: SystemTime::now(),
            base: self.base.clone(),
            generation: number,
            resumed: 0,
        };
        uploads.0.insert(key.unwrap_or_else(|| (self.path.clone(), number)), upload);
    }
}

#[async_trait]
impl DriverWriter for Writer {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.content.push(chunk);
        Ok(())
    }

    fn size(&self) -> u64 {
        self.content.size()
    }

    async fn close(&mut self) -> Result<()> {
        let store = self.store.clone();
        let mut uploads = store.write_uploads();
        let key = self.claim(&mut uploads)?;
        self.keep(&mut uploads, key);
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let content = self.content.snapshot();
        let store = self.store.clone();
        if self.resumed.is_none() {
            // Nothing was closed, so that there is no upload to take out in the same step.
            let published = store.files().publish(&self.path, content, self.base.as_ref());
            if published.is_err() {
                self.keep(&mut store.write_uploads(), None);
            }
            return published;
        }
        let mut uploads = store.write_uploads();
        let key = self.claim(&mut uploads)?;
        let published = store.files().publish(&self.path, content, self.base.as_ref());
        if published.is_err() {
            self.keep(&mut uploads, key);
        }
        published
    }

    async fn cancel(&mut self) -> Result<()> {
        let store = self.store.clone();
        // One that another ended is not this writer's any more: nothing of it is left.
        let _ = self.claim(&mut store.write_uploads());
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(resumed) = self.resumed.take()
            && let Some(upload) = self.store.write_uploads().0.get_mut(&resumed.key)
            // A close since has counted from zero again: the hold is another writer's.
            && upload.generation == resumed.generation
        {
            upload.resumed = upload.resumed.saturating_sub(1);
        }
    }
}
