//! Uploads.

use std::sync::Arc;
use std::time::SystemTime;

use storagedriver::bytes::{Bytes, BytesMut};
use storagedriver::{DriverWriter, Error, Result, StoragePath, async_trait};

use super::on_the_way;
use super::server::{Server, State, Upload};

pub(crate) struct Writer {
    server: Arc<Server>,
    path: StoragePath,
    content: BytesMut,
    base: Option<u64>,
    /// The upload that was resumed, and how often it had been closed.
    resumed: Option<(u64, u64)>,
    /// How often what was uncommitted at the path had been ended.
    ended: u64,
}

impl Writer {
    pub(crate) fn create(server: Arc<Server>, path: &StoragePath) -> Self {
        let ended = {
            let mut state = server.lock();
            state.uploads.retain(|_, upload| upload.path != *path);
            state.ended.get(path).copied().unwrap_or_default()
        };
        Writer { server, path: path.clone(), content: BytesMut::new(), base: None, resumed: None, ended }
    }

    pub(crate) fn append(server: Arc<Server>, path: &StoragePath) -> Result<Self> {
        let (content, base, resumed, ended) = {
            let state = server.lock();
            let at_path = state.uploads.iter().filter(|(_, upload)| upload.path == *path);
            let ended = state.ended.get(path).copied().unwrap_or_default();
            match at_path.max_by_key(|(_, upload)| upload.closed) {
                Some((id, upload)) => {
                    (upload.content.clone(), upload.base, Some((*id, upload.closed)), ended)
                }
                None => {
                    let file = state.files.get(path).ok_or_else(|| Error::path_not_found(path))?;
                    (file.content.clone(), Some(file.version), None, ended)
                }
            }
        };
        let content = BytesMut::from(&content[..]);
        Ok(Writer { server, path: path.clone(), content, base, resumed, ended })
    }

    /// Whether nobody else ended what this goes on from; then it is taken out of the store.
    fn claim(&self, state: &mut State) -> Result<()> {
        let lost = || Error::conflict(&self.path, "another writer, or a publication, ended the upload");
        if state.ended.get(&self.path).copied().unwrap_or_default() != self.ended {
            return Err(lost());
        }
        let Some((id, closed)) = self.resumed else { return Ok(()) };
        match state.uploads.get(&id) {
            Some(upload) if upload.closed == closed => {
                state.uploads.remove(&id);
                Ok(())
            }
            _ => Err(lost()),
        }
    }
}

#[async_trait]
impl DriverWriter for Writer {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        on_the_way().await;
        self.content.extend_from_slice(&chunk);
        on_the_way().await;
        Ok(())
    }

    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    async fn close(&mut self) -> Result<()> {
        on_the_way().await;
        {
            let mut state = self.server.lock();
            self.claim(&mut state)?;
            let closed = state.next();
            let id = self.resumed.map_or(closed, |(id, _)| id);
            let upload = Upload {
                path: self.path.clone(),
                content: self.content.split().freeze(),
                closed,
                base: self.base,
                modified: SystemTime::now(),
            };
            self.content = BytesMut::from(&upload.content[..]);
            state.uploads.insert(id, upload);
        }
        on_the_way().await;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        on_the_way().await;
        {
            let mut state = self.server.lock();
            let held = state.files.get(&self.path).map(|file| file.version);
            if self.base.is_some() && self.base != held {
                return Err(Error::conflict(&self.path, "the content that the append continues is gone"));
            }
            self.claim(&mut state)?;
            let content = self.content.split().freeze();
            state.publish(&self.path, content, self.server.ends_uploads);
        }
        on_the_way().await;
        Ok(())
    }

    async fn cancel(&mut self) -> Result<()> {
        on_the_way().await;
        if let Some((id, closed)) = self.resumed {
            let mut state = self.server.lock();
            if state.uploads.get(&id).is_some_and(|upload| upload.closed == closed) {
                state.uploads.remove(&id);
            }
        }
        on_the_way().await;
        Ok(())
    }
}
