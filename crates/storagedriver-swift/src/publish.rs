//! Putting content where other content may be: the segments of what is replaced go.

use bytes::Bytes;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{HeaderName, Method, Request, header};
use storagedriver_object::{PutOptions, StoreError, StoreResult};

use crate::claims::{Held, Purpose};
use crate::client::Client;
use crate::layout::Set;
use crate::objects::{CONTENT, Found, MARK};

const COPY_FROM: HeaderName = HeaderName::from_static("x-copy-from");
/// The largest object that a copy makes of segments, in bytes.
const MOST_COPIED: u64 = 5 << 30;

/// What a put refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refers<'a> {
    /// Nothing: if it finds nothing, the container is missing.
    Nothing,
    /// Another object.
    Object,
    /// The segments of a set.
    Set(&'a Set),
}

impl Client {
    pub(crate) async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        let mut request = self.put_request("PUT object", key, &[], content).await?;
        if let Some(mark) = &options.mark {
            request = request.header(MARK, mark)?;
        }
        if self.layout.is_hidden(key) {
            return self.send_put(&request).await;
        }
        self.publish(key, &request, Refers::Nothing, true).await
    }

    /// Sends a put, and removes the segments of the manifest that it replaces. With `blind` it is first sent on the
    /// condition that nothing is there, where the cluster has that, and only if something is, that is looked at.
    pub(crate) async fn publish(
        &self,
        key: &str,
        request: &Request,
        refers: Refers<'_>,
        blind: bool,
    ) -> StoreResult<Version> {
        let send = |request: Request| async move {
            match refers {
                Refers::Nothing => self.send_put(&request).await,
                _ => self.send_put_as_is(&request).await,
            }
        };
        if blind && self.cluster().await?.has_conditional_put() {
            match send(request.clone().header(header::IF_NONE_MATCH, "*")?).await {
                Err(StoreError::Precondition) => {}
                published => return published,
            }
        }
        let found = self.find(key).await?;
        if let (Refers::Set(set), Some(found)) = (refers, &found)
            && found.refers_to(set)
        {
            // An earlier attempt whose answer was lost.
            return Ok(found.object.version.clone());
        }
        let Some(replaced) = found.and_then(|found| found.set) else { return send(request.clone()).await };
        let purpose = Purpose::Delete(key.to_owned());
        let held = self.claim(&replaced, &purpose).await?;
        if held != Held::Mine && held != Held::Other(purpose) {
            // Somebody moves the segments: they are not to be removed.
            return send(request.clone()).await;
        }
        if !self.refers(key, &replaced).await? {
            self.release(&replaced).await?;
            return send(request.clone()).await;
        }
        // If this fails, or is cut short, the claim tells of the segments.
        let version = send(request.clone()).await?;
        if self.remove_segments(&replaced).await.is_ok() {
            let _ = self.release(&replaced).await;
        }
        Ok(version)
    }

    /// Copies an object: its content, or the manifest that it is. Returns the version of the copy, if that is known.
    pub(crate) async fn copy(&self, from: &str, to: &str) -> StoreResult<Option<Version>> {
        let found = self.look(from).await?;
        if !found.is_large {
            let request = self.copy_request(from, to, &[]).await?;
            return self.publish(to, &request, Refers::Object, false).await.map(Some);
        }
        let Some(set) = &found.set else {
            // Segments that are not ours to remove are nobody's to fight for.
            let request = self.copy_request(from, to, &[("multipart-manifest", "get")]).await?;
            self.publish(to, &request, Refers::Object, false).await?;
            return Ok(Some(found.object.version));
        };
        let purpose = Purpose::Move(from.to_owned(), to.to_owned());
        let held = self.claim(set, &purpose).await?;
        if held != Held::Mine && held != Held::Other(purpose) {
            return self.copy_content(from, to, &found).await;
        }
        // It may have been deleted, or moved, before the claim was had.
        match self.find(from).await? {
            Some(now) if now.refers_to(set) => {}
            now => {
                self.release(set).await?;
                return Err(now.map_or(StoreError::NotFound, |_| StoreError::Precondition));
            }
        }
        let request = self.copy_request(from, to, &[("multipart-manifest", "get")]).await?;
        self.publish(to, &request, Refers::Set(set), false).await?;
        self.moves.remember(from, set);
        // A manifest is whole or not there.
        Ok(Some(found.object.version))
    }

    /// Copies what a manifest stands for: somebody else has to do with its segments, or was cut short.
    async fn copy_content(&self, from: &str, to: &str, found: &Found) -> StoreResult<Option<Version>> {
        if self.cluster().await?.is_ceph || found.object.size > MOST_COPIED {
            let reason = format!(
                "{from} is being renamed or deleted, or was and that was cut short; try again, or end what was left \
                 behind (abort_stale)"
            );
            return Err(StoreError::failed(ErrorKind::Conflict, reason));
        }
        let request = self.copy_request(from, to, &[]).await?;
        self.publish(to, &request, Refers::Object, false).await.map(Some)
    }

    async fn copy_request(&self, from: &str, to: &str, query: &[(&str, &str)]) -> StoreResult<Request> {
        Request::new("PUT copy", Method::PUT, self.url(to, query).await?)
            .header(header::CONTENT_TYPE, CONTENT)?
            .header(COPY_FROM, &self.path(from))
    }
}
