//! Writers that end in a wrong way.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use storagedriver::{Error, Result};

use super::wrap::{Draft, Habit, gap, lock};

/// `close` publishes what it should only keep.
pub(super) struct ClosePublishes;

#[async_trait]
impl Habit for ClosePublishes {
    async fn close(draft: &mut Draft) -> Result<()> {
        draft.inner.close().await?;
        draft.publish().await
    }
}

/// The upload stays after its commit.
pub(super) struct CommitLeavesUpload;

#[async_trait]
impl Habit for CommitLeavesUpload {
    async fn commit(draft: &mut Draft) -> Result<()> {
        draft.inner.commit().await?;
        draft.desk.leave_upload(&draft.path, draft.content()).await
    }
}

/// A commit that is refused leaves half of what was accepted.
pub(super) struct RefusedCommitTears;

#[async_trait]
impl Habit for RefusedCommitTears {
    async fn commit(draft: &mut Draft) -> Result<()> {
        let outcome = draft.inner.commit().await;
        if matches!(outcome, Err(Error::Conflict { .. })) && !draft.resumed && !draft.continued {
            let half = draft.content().slice(..draft.accepted.len() / 2);
            draft.desk.leave_upload(&draft.path, half).await?;
        }
        outcome
    }
}

/// A writer whose upload is gone publishes half of it.
pub(super) struct LoserPublishesHalf;

#[async_trait]
impl Habit for LoserPublishesHalf {
    async fn commit(draft: &mut Draft) -> Result<()> {
        match draft.inner.commit().await {
            Err(Error::Conflict { .. }) if draft.resumed => {
                let half = draft.content().slice(..draft.accepted.len() / 2);
                draft.desk.inner.put_content(&draft.path, half).await
            }
            outcome => outcome,
        }
    }
}

/// What is written past a close stays although the writer was dropped.
pub(super) struct DropCloses;

#[async_trait]
impl Habit for DropCloses {
    fn dropped(draft: &mut Draft) {
        let _ = draft.inner.close().now_or_never();
    }
}

/// A dropped writer publishes.
pub(super) struct DropPublishes;

#[async_trait]
impl Habit for DropPublishes {
    fn dropped(draft: &mut Draft) {
        let _ = draft.inner.commit().now_or_never();
    }
}

/// A dropped writer takes along what was closed.
pub(super) struct DropCancels;

#[async_trait]
impl Habit for DropCancels {
    fn dropped(draft: &mut Draft) {
        let _ = draft.inner.cancel().now_or_never();
    }
}

/// An upload cannot be committed with less than a dropped writer of it had taken.
pub(super) struct LostBytesAreNeeded;

#[async_trait]
impl Habit for LostBytesAreNeeded {
    async fn commit(draft: &mut Draft) -> Result<()> {
        let lost = std::mem::take(&mut *lock(&draft.desk.buffer)).len();
        if draft.resumed && draft.accepted.len() < lost {
            return Err(Error::backend(&draft.path, "parts of a writer that was lost are left"));
        }
        draft.inner.commit().await
    }

    fn dropped(draft: &mut Draft) {
        lock(&draft.desk.buffer).clone_from(&draft.accepted);
    }
}

/// `cancel` leaves the upload.
pub(super) struct CancelCloses;

#[async_trait]
impl Habit for CancelCloses {
    async fn cancel(draft: &mut Draft) -> Result<()> {
        draft.inner.close().await
    }
}

/// `cancel` removes the content of its path too.
pub(super) struct CancelDeletesContent;

#[async_trait]
impl Habit for CancelDeletesContent {
    async fn cancel(draft: &mut Draft) -> Result<()> {
        draft.inner.cancel().await?;
        match draft.desk.inner.stat(&draft.path).await {
            Ok(_) => draft.desk.inner.delete(&draft.path).await,
            Err(_) => Ok(()),
        }
    }
}

/// `cancel` removes the other uploads of its path.
pub(super) struct CancelTakesOthers;

#[async_trait]
impl Habit for CancelTakesOthers {
    async fn cancel(draft: &mut Draft) -> Result<()> {
        draft.inner.cancel().await?;
        for upload in draft.desk.uploads_at(&draft.path).await? {
            draft.desk.inner.abort_upload(&upload).await?;
        }
        Ok(())
    }
}

/// `cancel` publishes for a moment what it then removes.
pub(super) struct CancelPublishesFirst;

#[async_trait]
impl Habit for CancelPublishesFirst {
    async fn cancel(draft: &mut Draft) -> Result<()> {
        let before = draft.desk.inner.get_content(&draft.path).await;
        draft.inner.commit().await?;
        gap().await;
        match before {
            Ok(content) => draft.desk.inner.put_content(&draft.path, content).await,
            Err(_) => draft.desk.inner.delete(&draft.path).await,
        }
    }
}

/// An upload that is closed with nothing in it is gone.
pub(super) struct EmptyCloseForgotten;

#[async_trait]
impl Habit for EmptyCloseForgotten {
    async fn close(draft: &mut Draft) -> Result<()> {
        if draft.inner.size() == 0 { draft.inner.cancel().await } else { draft.inner.close().await }
    }
}

/// Reopening and closing adds a byte.
pub(super) struct ReopenedCloseGrows;

#[async_trait]
impl Habit for ReopenedCloseGrows {
    async fn close(draft: &mut Draft) -> Result<()> {
        if (draft.resumed || draft.continued) && !draft.written {
            draft.inner.write(Bytes::from_static(b"\0")).await?;
        }
        draft.inner.close().await
    }
}

/// A commit of nothing leaves no file.
pub(super) struct EmptyCommitForgotten;

#[async_trait]
impl Habit for EmptyCommitForgotten {
    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.inner.size() == 0 { draft.inner.cancel().await } else { draft.inner.commit().await }
    }
}

/// A commit leaves the tail of longer content.
pub(super) struct CommitOverlays;

#[async_trait]
impl Habit for CommitOverlays {
    async fn commit(draft: &mut Draft) -> Result<()> {
        let before = draft.desk.inner.get_content(&draft.path).await.unwrap_or_default();
        draft.inner.commit().await?;
        if let Some(tail) = before.get(draft.accepted.len()..).filter(|tail| !tail.is_empty()) {
            let mixed = [draft.accepted.as_slice(), tail].concat();
            draft.desk.inner.put_content(&draft.path, mixed.into()).await?;
        }
        Ok(())
    }
}

/// Of two commits to a path the first one stays.
pub(super) struct FirstCommitStays;

#[async_trait]
impl Habit for FirstCommitStays {
    async fn commit(draft: &mut Draft) -> Result<()> {
        let replaced = draft.number > 1 && draft.desk.inner.stat(&draft.path).await.is_ok();
        if replaced && !draft.resumed && !draft.continued {
            return draft.inner.cancel().await;
        }
        draft.inner.commit().await
    }
}

/// A commit discards what another writer closed at its path.
pub(super) struct CommitDiscardsOthers;

#[async_trait]
impl Habit for CommitDiscardsOthers {
    async fn commit(draft: &mut Draft) -> Result<()> {
        draft.inner.commit().await?;
        for upload in draft.desk.uploads_at(&draft.path).await? {
            draft.desk.inner.abort_upload(&upload).await?;
        }
        Ok(())
    }
}

/// Both of two writers that resumed one upload end it.
pub(super) struct BothResumersEnd;

#[async_trait]
impl Habit for BothResumersEnd {
    async fn close(draft: &mut Draft) -> Result<()> {
        match draft.inner.close().await {
            Err(Error::Conflict { .. }) if draft.resumed => {
                draft.desk.leave_upload(&draft.path, draft.content()).await
            }
            outcome => outcome,
        }
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        match draft.inner.commit().await {
            Err(Error::Conflict { .. }) if draft.resumed => draft.publish().await,
            outcome => outcome,
        }
    }
}

/// A close that adds nothing does nothing: whoever else resumed the upload may still end it.
pub(super) struct IdleCloseEndsNothing;

#[async_trait]
impl Habit for IdleCloseEndsNothing {
    async fn close(draft: &mut Draft) -> Result<()> {
        if draft.resumed && !draft.written { Ok(()) } else { draft.inner.close().await }
    }
}

/// The first byte of content that was written at one go is lost.
pub(super) struct CommitLosesFirstByte;

#[async_trait]
impl Habit for CommitLosesFirstByte {
    async fn commit(draft: &mut Draft) -> Result<()> {
        draft.inner.commit().await?;
        let content = draft.content();
        if content.is_empty() || draft.resumed || draft.continued {
            return Ok(());
        }
        draft.desk.inner.put_content(&draft.path, content.slice(1..)).await
    }
}

/// A commit fails if the directory that was there is gone.
pub(super) struct CommitNeedsDirectory;

#[async_trait]
impl Habit for CommitNeedsDirectory {
    async fn commit(draft: &mut Draft) -> Result<()> {
        if let Some(directory) = &draft.directory
            && draft.desk.inner.stat(directory).await.is_err()
        {
            return Err(Error::path_not_found(&draft.path));
        }
        draft.inner.commit().await
    }
}

/// A commit shows half of the content first.
pub(super) struct TornCommit;

#[async_trait]
impl Habit for TornCommit {
    async fn commit(draft: &mut Draft) -> Result<()> {
        if !draft.continued {
            let half = draft.content().slice(..draft.accepted.len() / 2);
            draft.desk.inner.put_content(&draft.path, half).await?;
            gap().await;
        }
        draft.inner.commit().await
    }
}

/// A commit gives up the upload before it publishes.
pub(super) struct CommitLosesUploadFirst;

#[async_trait]
impl Habit for CommitLosesUploadFirst {
    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.continued || draft.is_overtaken() {
            return draft.inner.commit().await;
        }
        let content = draft.content();
        draft.inner.cancel().await?;
        gap().await;
        draft.desk.inner.put_content(&draft.path, content).await
    }
}

/// A close gives up what was closed before.
pub(super) struct TornClose;

#[async_trait]
impl Habit for TornClose {
    async fn close(draft: &mut Draft) -> Result<()> {
        if !draft.resumed || draft.is_overtaken() {
            return draft.inner.close().await;
        }
        let content = draft.content();
        draft.inner.cancel().await?;
        gap().await;
        draft.desk.leave_upload(&draft.path, content).await
    }
}

/// A loser is told of a failure of the backend, not of a conflict.
pub(super) struct ConflictIsBackendFailure;

#[async_trait]
impl Habit for ConflictIsBackendFailure {
    async fn close(draft: &mut Draft) -> Result<()> {
        let failed = Error::backend(&draft.path, "the upload does not exist");
        draft.inner.close().await.map_err(|_| failed)
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        let failed = Error::backend(&draft.path, "the upload does not exist");
        draft.inner.commit().await.map_err(|_| failed)
    }
}

/// A commit of more than 64 KiB that was not closed before is acknowledged, and lost.
pub(super) struct LostCommit;

#[async_trait]
impl Habit for LostCommit {
    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.accepted.len() > 64 << 10 && !draft.resumed && !draft.continued {
            return draft.inner.cancel().await;
        }
        draft.inner.commit().await
    }
}
