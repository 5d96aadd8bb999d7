//! The commit of an upload.

use std::time::Duration;

use storagedriver::{Error, ErrorKind, Result, Version};

use crate::session::{BaseBytes, mark, same_upload};
use crate::upload::Upload;
use crate::{Condition, ObjectStoreBackend, PutOptions, StoreError, StoreResult, sessions};

/// So often a publication looks again at what it replaces.
const MOST_LOOKS: usize = 8;

/// How long a refused commit waits before it looks, each time again, whether another's was done. Ceph takes
/// half a second for a completion whose client was killed, and meanwhile knows the parts no more.
const LATER: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// Who has published an upload.
enum Publisher {
    /// This writer.
    Own,
    /// A writer of it: if it is this one, nothing tells.
    Any,
    Nobody,
}

impl<B: ObjectStoreBackend> Upload<B> {
    /// Publishes what was accepted; when it fails, keeps it for another try. The version that it made,
    /// unless that was not told.
    pub(crate) async fn publish(&mut self) -> Result<Option<Version>> {
        if let Err(error) = self.gather().await {
            let _ = if self.dead { self.clear_completed(false).await } else { self.keep().await };
            return Err(error);
        }
        // Another writer of the same upload may still begin one.
        let id = self.durable.upload.clone();
        let mark = mark(&self.durable, &self.writer);
        if self.version.is_some() {
            if self.engine.stages()
                && let Err(error) = self.stage(&mark).await
            {
                return Err(self.failed(error).await);
            }
            if let Err(error) = self.mark_committing(&mark).await {
                if let Some(staged) = self.staged(&mark) {
                    // What is left goes with `abort_stale`.
                    let _ = self.engine.delete_keys(&self.path, &[staged]).await;
                }
                return Err(error);
            }
        }
        let version = match self.request(id.as_deref(), &mark).await {
            Ok(version) => version,
            // There was nothing to be moved: whoever removed it has ended the upload.
            Err(StoreError::NoSuchUpload) if self.staged(&mark).is_some() => return Err(self.lost()),
            // The answer may be lost and the request done.
            Err(error) => match self.publisher(&mark).await {
                Ok(Publisher::Own) => None,
                Ok(Publisher::Any) => {
                    let _ = self.clear_completed(false).await;
                    return Err(self.unless_lost(error));
                }
                Ok(Publisher::Nobody) => return Err(self.failed(error).await),
                Err(_) => return Err(error.at(&self.path)),
            },
        };
        if self.version.is_some() {
            // It is done. If this is not, the next to find the session sees that by the mark.
            let _ = match id {
                Some(_) => self.clear_completed(version.is_some()).await,
                None => self.clear().await,
            };
        }
        Ok(version)
    }

    /// Who has published it by now; where another had begun to, when that may have come to its end.
    async fn publisher(&self, mark: &str) -> Result<Publisher> {
        let waits = self.durable.contested && self.durable.upload.is_some();
        for later in LATER.iter().filter(|_| waits) {
            match self.publisher_now(mark).await? {
                Publisher::Nobody => tokio::time::sleep(*later).await,
                publisher => return Ok(publisher),
            }
        }
        self.publisher_now(mark).await
    }

    async fn publisher_now(&self, mark: &str) -> Result<Publisher> {
        if let Some(staged) = self.staged(mark) {
            return match self.engine.backend.head(&staged).await {
                Ok(_) => Ok(Publisher::Nobody),
                // Moved, or removed by whoever ended the upload: then its session is not as it was.
                Err(StoreError::NotFound) => {
                    let found = sessions::read(&self.engine, &self.path, &self.durable.nonce).await?;
                    let own = found.is_some_and(|found| found.session.token == self.durable.token);
                    Ok(if own { Publisher::Own } else { Publisher::Nobody })
                }
                Err(error) => Err(error.at(&self.path)),
            };
        }
        let found = self.engine.head(&self.path).await?.and_then(|object| object.mark);
        if found.as_deref() != Some(mark) {
            return Ok(Publisher::Nobody);
        }
        if mark != self.durable.nonce {
            return Ok(Publisher::Own);
        }
        // All who complete a multipart upload leave its mark; who was the last to begin, the session
        // tells.
        let found = sessions::read(&self.engine, &self.path, &self.durable.nonce).await?;
        let last = found.is_some_and(|found| found.session.token == self.durable.token);
        Ok(if last && !self.durable.contested { Publisher::Own } else { Publisher::Any })
    }

    async fn failed(&mut self, error: StoreError) -> Error {
        match error {
            StoreError::NoSuchUpload => {
                if self.durable.upload.is_some() {
                    // What the session names is gone: nobody can go on with it.
                    let _ = self.clear_completed(false).await;
                }
                self.lost()
            }
            StoreError::Precondition => {
                let _ = self.keep().await;
                self.base_gone()
            }
            error => {
                let _ = self.keep().await;
                error.at(&self.path)
            }
        }
    }

    fn unless_lost(&self, error: StoreError) -> Error {
        match error {
            StoreError::NoSuchUpload | StoreError::Precondition => self.lost(),
            StoreError::Failed(failure) if failure.is_final() => self.lost(),
            error => error.at(&self.path),
        }
    }

    /// Removes the session of a multipart upload that is over, and whatever the store keeps of it if it
    /// was not told that it is.
    pub(crate) async fn clear_completed(&self, told: bool) -> Result<()> {
        if !told {
            sessions::abort_parts(&self.engine, &self.durable).await?;
        }
        sessions::remove(&self.engine, &self.path, &self.durable.nonce).await
    }

    /// Removes the session after a publication that used no multipart upload. What another closed
    /// meanwhile stays.
    async fn clear(&self) -> Result<()> {
        let (engine, path, nonce) = (&self.engine, &self.path, &self.durable.nonce);
        let description = engine.description();
        if self.durable.size.is_some()
            && description.conditional_delete
            && let Some(version) = &self.version
        {
            // Segments go before the session that names them.
            if description.multipart || self.window.len() == 0 {
                match engine.backend.delete_version(&engine.keys.session(path, nonce), version).await {
                    Ok(()) => return sessions::abort_parts(engine, &self.durable).await,
                    Err(StoreError::Precondition) => {}
                    Err(error) => return Err(error.at(path)),
                }
            }
            let found = sessions::read(engine, path, nonce).await?;
            if found.is_none_or(|found| found.session.generation != self.durable.generation) {
                return Ok(());
            }
        }
        // Another may have begun one.
        sessions::abort_parts(engine, &self.durable).await?;
        sessions::remove(engine, path, nonce).await
    }

    fn base_gone(&self) -> Error {
        let reason = "the content that the append started from was replaced; cancel the upload or begin \
                      one with Create";
        Error::conflict(&self.path, reason)
    }

    /// Gets everything to where it can be published from.
    async fn gather(&mut self) -> Result<()> {
        self.take_base().await?;
        if self.base.as_ref().is_some_and(|base| base.bytes == BaseBytes::Gone) {
            return Err(self.base_gone());
        }
        self.drain().await?;
        if self.window.len() == 0 && self.durable.upload.is_none() {
            return Ok(());
        }
        if !self.buffer.is_empty() || self.window.len() == 0 {
            self.reserve(1).await?;
            let budget = self.engine.options.budget.clone();
            let size = self.buffer.len() as u64;
            let permit = self
                .window
                .room(self.engine.parallel(), &budget, size)
                .await
                .map_err(|error| error.at(&self.path))?;
            self.send(self.buffer.len(), permit);
        }
        self.settle().await
    }

    /// Publishes, if nobody else has published the same upload.
    async fn request(&self, id: Option<&str>, mark: &str) -> StoreResult<Option<Version>> {
        let parts = self.window.len() > 0;
        let description = self.engine.description();
        let conditional = if parts { description.conditional_complete } else { description.conditional_put };
        let mut condition = None;
        if let Some(base) = &self.base {
            let version = Version::new(&base.version);
            if conditional {
                condition = Some(Condition::Matches(version));
            } else if self.current(mark).await? != Condition::Matches(version) {
                // Second best: a put between this look and the publication is lost.
                return Err(StoreError::Precondition);
            }
        }
        // Of a multipart upload the store lets one be completed. Of others, the one wins that finds at
        // the path what it expects: at first nothing, as that costs no request.
        if self.base.is_some() || id.is_some() || self.durable.size.is_none() || !conditional {
            return match self.send_whole(id, mark, condition).await {
                Err(StoreError::NotFound) if self.base.is_some() => Err(StoreError::Precondition),
                published => published,
            };
        }
        let mut expected = Condition::Absent;
        for _ in 0..MOST_LOOKS {
            match self.send_whole(id, mark, Some(expected)).await {
                Err(StoreError::Precondition | StoreError::NotFound) => {}
                published => return published,
            }
            expected = self.current(mark).await?;
        }
        Err(StoreError::failed(ErrorKind::Unavailable, "the content was replaced again and again; try again"))
    }

    /// What the path holds; [`StoreError::NoSuchUpload`] if it is this upload.
    async fn current(&self, mark: &str) -> StoreResult<Condition> {
        match self.engine.backend.head(&self.key()).await {
            Ok(object) if object.mark.as_deref().is_some_and(|found| same_upload(found, mark)) => {
                Err(StoreError::NoSuchUpload)
            }
            Ok(object) => Ok(Condition::Matches(object.version)),
            Err(StoreError::NotFound) => Ok(Condition::Absent),
            Err(error) => Err(error),
        }
    }

    /// Where this upload is put together, if it is moved to its path then.
    fn staged(&self, mark: &str) -> Option<String> {
        let staged = self.version.is_some() && self.engine.stages();
        staged.then(|| self.engine.keys.staged(&self.path, &self.durable.nonce, mark))
    }

    /// Puts the upload together beside its session.
    async fn stage(&self, mark: &str) -> StoreResult<()> {
        let staged = self.engine.keys.staged(&self.path, &self.durable.nonce, mark);
        self.put_together(&staged, &PutOptions::default()).await.map(drop)
    }

    /// Puts what was accepted at `key`.
    async fn put_together(&self, key: &str, options: &PutOptions) -> StoreResult<Version> {
        let parts = self.window.parts();
        if parts.is_empty() {
            return self.engine.backend.put(key, self.buffer.copy(), options).await;
        }
        let segments: Vec<String> = parts.into_iter().map(|part| part.tag).collect();
        let unmet = matches!(options.condition, Some(Condition::Matches(_)));
        match self.engine.backend.concatenate(key, &segments, options).await {
            // Its segments: a delete was faster.
            Err(StoreError::NotFound) if !unmet => Err(StoreError::NoSuchUpload),
            published => published,
        }
    }

    async fn send_whole(
        &self,
        id: Option<&str>,
        mark: &str,
        condition: Option<Condition>,
    ) -> StoreResult<Option<Version>> {
        let (backend, key) = (&self.engine.backend, self.key());
        if let Some(staged) = self.staged(mark) {
            return match backend.rename(&staged, &key).await {
                // Another may have replaced or deleted it by now, so its version is not asked for.
                Ok(()) => Ok(None),
                // A delete, or whoever ended the upload, was faster.
                Err(StoreError::NotFound) => Err(StoreError::NoSuchUpload),
                Err(error) => Err(error),
            };
        }
        if let Some(id) = id {
            return backend.complete(&key, id, &self.window.parts(), condition.as_ref()).await.map(Some);
        }
        self.put_together(&key, &PutOptions { condition, mark: Some(mark.to_owned()) }).await.map(Some)
    }
}
