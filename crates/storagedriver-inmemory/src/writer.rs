//! Uploads.

use std::time::SystemTime;

use storagedriver::bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath, async_trait};

use crate::driver::InMemory;
use crate::rope::RopeBuilder;
use crate::state::{State, Upload, UploadKey};

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
    base: Option<u64>,
    resumed: Option<Resumed>,
}

impl Writer {
    pub(crate) fn new(
        store: InMemory,
        path: StoragePath,
        content: RopeBuilder,
        base: Option<u64>,
        resumed: Option<Resumed>,
    ) -> Self {
        Writer { store, path, content, base, resumed }
    }

    /// Takes the upload that was resumed out of the store, if nobody else ended or changed it.
    fn claim(&mut self, state: &mut State) -> Result<Option<UploadKey>> {
        let Some(resumed) = self.resumed.take() else {
            return Ok(None);
        };
        match state.uploads.get_mut(&resumed.key) {
            Some(upload) if upload.generation == resumed.generation => {
                state.uploads.remove(&resumed.key);
                Ok(Some(resumed.key))
            }
            _ => Err(self.lost()),
        }
    }

    fn lost(&self) -> Error {
        Error::conflict(&self.path, "the upload that this writer resumed was ended by another; open it again")
    }

    /// Keeps what was accepted as a closed upload.
    fn keep(&mut self, state: &mut State, key: Option<UploadKey>) {
        let number = state.next_number();
        let upload = Upload {
            content: self.content.snapshot(),
            modified: SystemTime::now(),
            base: self.base,
            generation: number,
            resumed: 0,
        };
        state.uploads.insert(key.unwrap_or_else(|| (self.path.clone(), number)), upload);
    }

    fn check_base(&self, state: &State) -> Result<()> {
        let Some(base) = self.base else {
            return Ok(());
        };
        if state.files.get(&self.path).is_some_and(|file| file.version == base) {
            return Ok(());
        }
        Err(Error::conflict(&self.path, "the content that this append started from was replaced"))
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
        let mut state = store.write();
        let key = self.claim(&mut state)?;
        self.keep(&mut state, key);
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let content = self.content.snapshot();
        let store = self.store.clone();
        let mut state = store.write();
        let key = self.claim(&mut state)?;
        let published = self.check_base(&state).and_then(|()| state.publish(&self.path, content));
        if published.is_err() {
            self.keep(&mut state, key);
        }
        published
    }

    async fn cancel(&mut self) -> Result<()> {
        let store = self.store.clone();
        let mut state = store.write();
        // One that another ended is not this writer's any more: nothing of it is left.
        let _ = self.claim(&mut state);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(resumed) = self.resumed.take()
            && let Some(upload) = self.store.write().uploads.get_mut(&resumed.key)
            // A close since has counted from zero again: the hold is another writer's.
            && upload.generation == resumed.generation
        {
            upload.resumed = upload.resumed.saturating_sub(1);
        }
    }
}
