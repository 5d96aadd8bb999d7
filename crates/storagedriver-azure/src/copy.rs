//! Copies in the store, which may go on after the request that began them was answered.

use std::time::Duration;

use bytes::Bytes;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{Method, Refusal, ReplyHead};
use storagedriver_object::{Condition, StoreError, StoreResult};
use tokio::time::Instant;

use crate::blob::{COPY_ID, COPY_STATUS, etag, quoted};
use crate::client::{COPY_ACTION, COPY_SOURCE, Client, SMALL, SOURCE_IF_MATCH, conditional};
use crate::location::with_query;

/// The longest wait between two looks at a copy.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long to wait for a copy.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// How many looks in a row may show no progress; `None`: without end.
    pub(crate) looks: Option<u32>,
    /// The wait before the first look.
    pub(crate) delay: Duration,
    /// For how long it may stand still, however many looks that were.
    pub(crate) stall: Duration,
}

/// A copy that the service took on.
#[derive(Debug)]
struct Begun {
    id: String,
    is_done: bool,
    version: Version,
}

impl Begun {
    fn of(head: &ReplyHead) -> Result<Self, Refusal> {
        let id = head.header(COPY_ID.as_str());
        let id = id.ok_or_else(|| Refusal::unreadable("the reply does not name the copy"))?;
        let is_done = head.header(COPY_STATUS.as_str()) == Some("success");
        Ok(Begun { id: id.to_owned(), is_done, version: etag(head)? })
    }
}

impl Client {
    /// Copies a blob and returns when the copy is whole. A copy that fails is removed, so that
    /// nothing of it is taken for content; the source is never touched.
    pub(crate) async fn copy(
        &self,
        (from, version): (&str, Option<&Version>),
        to: &str,
        condition: Option<&Condition>,
        patience: &Patience,
    ) -> StoreResult<Version> {
        let begun = match self.begin_copy((from, version), to, condition).await {
            Err(StoreError::Failed(failure)) if failure.kind() == ErrorKind::Conflict => {
                match self.other_type(to).await {
                    // A blob of another type is not replaced, it has to go first.
                    Ok(Some(there)) if is_replaceable(condition, &there) => {
                        self.delete(to, Some(&there)).await?;
                        self.begin_copy((from, version), to, Some(&Condition::Absent)).await?
                    }
                    Ok(Some(_)) => return Err(StoreError::Precondition),
                    _ => return Err(StoreError::Failed(failure)),
                }
            }
            begun => begun?,
        };
        if begun.is_done {
            return Ok(begun.version);
        }
        self.await_copy(to, &begun.id, patience).await
    }

    async fn begin_copy(
        &self,
        (from, version): (&str, Option<&Version>),
        to: &str,
        condition: Option<&Condition>,
    ) -> StoreResult<Begun> {
        let mut source = self.location.blob(from)?;
        source.set_query(self.service.credentials.query().as_deref());
        let request = self.request("CopyBlob", Method::PUT, self.location.blob(to)?, Bytes::new())?;
        let mut request = conditional(request, condition)?.header(COPY_SOURCE, source.as_str())?;
        if let Some(version) = version {
            request = request.header(SOURCE_IF_MATCH, &quoted(version))?;
        }
        self.send(&request, SMALL, |head, _| Begun::of(head)).await
    }

    async fn await_copy(&self, to: &str, id: &str, patience: &Patience) -> StoreResult<Version> {
        let mut looks = 0_u32;
        let (mut idle, mut moved, mut progress) = (0_u32, Instant::now(), None);
        loop {
            looks = looks.saturating_add(1);
            tokio::time::sleep(patience.delay.saturating_mul(looks).min(LONGEST_WAIT)).await;
            let blob = match self.head(to).await {
                Ok(blob) if blob.copy_id.as_deref() == Some(id) => blob,
                Ok(_) | Err(StoreError::NotFound) => return Err(replaced(to)),
                Err(error) => return Err(error),
            };
            match blob.copy_status.as_deref() {
                Some("success") => return Ok(blob.object.version),
                Some("pending") => {}
                status => {
                    let reason = format!(
                        "the service ended the copy {id} to {to:?} as {}; the source is still there, try again",
                        status.unwrap_or("unknown")
                    );
                    self.remove_failed(to, &blob.object.version).await;
                    return Err(StoreError::failed(ErrorKind::Unavailable, reason));
                }
            }
            if blob.copy_progress != progress {
                (idle, moved, progress) = (0, Instant::now(), blob.copy_progress);
                continue;
            }
            idle = idle.saturating_add(1);
            if patience.looks.is_some_and(|most| idle >= most) && moved.elapsed() >= patience.stall {
                return Err(self.give_up(to, id, progress.as_deref()).await);
            }
        }
    }

    /// Ends a copy that does not move.
    async fn give_up(&self, to: &str, id: &str, progress: Option<&str>) -> StoreError {
        // What cannot be ended goes on; nothing depends on it.
        if let Ok(()) = self.abort_copy(to, id).await
            && let Ok(blob) = self.head(to).await
            && blob.copy_id.as_deref() == Some(id)
            && blob.copy_status.as_deref() == Some("aborted")
        {
            self.remove_failed(to, &blob.object.version).await;
        }
        let reason = format!(
            "the copy {id} to {to:?} stood still at {} bytes and was given up; the source is still there, try \
             again, or raise stalltimeout or max_retries",
            progress.unwrap_or("unknown")
        );
        StoreError::failed(ErrorKind::Unavailable, reason)
    }

    async fn abort_copy(&self, to: &str, id: &str) -> StoreResult<()> {
        let url = with_query(self.location.blob(to)?, &[("comp", "copy"), ("copyid", id)]);
        let request = self.request("AbortCopyBlob", Method::PUT, url, Bytes::new())?;
        let request = request.header(COPY_ACTION, "abort")?;
        self.send(&request, SMALL, |_, _| Ok(())).await
    }

    /// Removes what a failed copy left. What cannot be removed is not shown: it is empty.
    async fn remove_failed(&self, to: &str, version: &Version) {
        if let Err(error) = self.delete(to, Some(version)).await {
            tracing::warn!(key = to, ?error, "what a failed copy left could not be removed");
        }
    }
}

/// Whether a blob of this version may be replaced.
pub(crate) fn is_replaceable(condition: Option<&Condition>, there: &Version) -> bool {
    match condition {
        None => true,
        Some(Condition::Absent) => false,
        Some(Condition::Matches(version)) => version == there,
    }
}

fn replaced(to: &str) -> StoreError {
    let reason = format!("{to:?} was replaced while it was copied to; the source is still there, try again");
    StoreError::failed(ErrorKind::Conflict, reason)
}
