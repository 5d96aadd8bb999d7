//! Writers that are wrong from the start.

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath, WriteMode};

use super::wrap::{Desk, Draft, Habit, gap, lock};

/// `Create` goes on with a closed upload.
pub(super) struct CreateResumes;

#[async_trait]
impl Habit for CreateResumes {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let mode = if desk.uploads_at(path).await?.is_empty() { mode } else { WriteMode::Append };
        desk.inner.writer(path, mode).await
    }
}

/// `Create` leaves uploads that were closed before.
pub(super) struct CreateKeepsClosed;

#[async_trait]
impl Habit for CreateKeepsClosed {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let keep = mode == WriteMode::Create && !desk.uploads_at(path).await?.is_empty();
        let writer = desk.inner.writer(path, mode).await?;
        if keep {
            desk.leave_upload(path, desk.closed_at(path)).await?;
        }
        Ok(writer)
    }
}

/// `Create` leaves uploads that another handle closed.
pub(super) struct CreateKeepsForeign;

#[async_trait]
impl Habit for CreateKeepsForeign {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let foreign = mode == WriteMode::Create && !lock(&desk.closed).contains_key(path);
        let kept = if foreign { desk.uploads_at(path).await? } else { Vec::new() };
        let writer = desk.inner.writer(path, mode).await?;
        for upload in kept {
            let length = usize::try_from(upload.size()).unwrap_or_default();
            desk.leave_upload(path, vec![0; length].into()).await?;
        }
        Ok(writer)
    }
}

/// `Create` lets nobody who writes to the path go on.
pub(super) struct CreateFencesOthers;

#[async_trait]
impl Habit for CreateFencesOthers {
    async fn close(draft: &mut Draft) -> Result<()> {
        if draft.is_overtaken() { draft.conflict() } else { draft.inner.close().await }
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.is_overtaken() && !draft.resumed { draft.conflict() } else { draft.inner.commit().await }
    }
}

/// `Append` starts a closed upload over.
pub(super) struct AppendRestarts;

#[async_trait]
impl Habit for AppendRestarts {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let mode = if desk.uploads_at(path).await?.is_empty() { mode } else { WriteMode::Create };
        desk.inner.writer(path, mode).await
    }
}

/// `Append` to content starts from nothing.
pub(super) struct AppendForgetsContent;

#[async_trait]
impl Habit for AppendForgetsContent {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let writer = desk.inner.writer(path, mode).await?;
        if mode == WriteMode::Append && desk.uploads_at(path).await?.is_empty() {
            return desk.inner.writer(path, WriteMode::Create).await;
        }
        Ok(writer)
    }
}

/// `Append` takes the content where there is an upload too.
pub(super) struct AppendPrefersContent;

#[async_trait]
impl Habit for AppendPrefersContent {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        if mode == WriteMode::Append
            && let Ok(content) = desk.inner.get_content(path).await
        {
            let mut writer = desk.inner.writer(path, WriteMode::Create).await?;
            if !content.is_empty() {
                writer.write(content).await?;
            }
            return Ok(writer);
        }
        desk.inner.writer(path, mode).await
    }
}

/// `Append` makes what is not there.
pub(super) struct AppendCreates;

#[async_trait]
impl Habit for AppendCreates {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        match desk.inner.writer(path, mode).await {
            Err(Error::PathNotFound { .. }) => desk.inner.writer(path, WriteMode::Create).await,
            outcome => outcome,
        }
    }
}

/// `Append` finds a byte less than `close` kept.
pub(super) struct AppendLosesTail;

#[async_trait]
impl Habit for AppendLosesTail {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let resumes = mode == WriteMode::Append && !desk.uploads_at(path).await?.is_empty();
        let closed = desk.closed_at(path);
        if resumes && !closed.is_empty() && closed.len().is_multiple_of(4096) {
            let mut writer = desk.inner.writer(path, WriteMode::Create).await?;
            writer.write(closed.slice(..closed.len() - 1)).await?;
            return Ok(writer);
        }
        desk.inner.writer(path, mode).await
    }
}

/// Whoever resumed the upload last is the only one who may end it.
pub(super) struct OpeningFences;

#[async_trait]
impl Habit for OpeningFences {
    async fn close(draft: &mut Draft) -> Result<()> {
        if draft.resumed && draft.is_overtaken() { draft.conflict() } else { draft.inner.close().await }
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.resumed && draft.is_overtaken() { draft.conflict() } else { draft.inner.commit().await }
    }
}

/// An upload that is open cannot be resumed by another.
pub(super) struct ResumedExclusively;

#[async_trait]
impl Habit for ResumedExclusively {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let busy = lock(&desk.opened).get(path).is_some_and(|(_, open)| *open > 0);
        if mode == WriteMode::Append && busy {
            return Err(Error::conflict(path, "the upload is open in another writer"));
        }
        desk.inner.writer(path, mode).await
    }
}

/// An append to content that was replaced meanwhile replaces it again.
pub(super) struct AppendIgnoresReplacement;

#[async_trait]
impl Habit for AppendIgnoresReplacement {
    async fn commit(draft: &mut Draft) -> Result<()> {
        match draft.inner.commit().await {
            Err(Error::Conflict { .. }) if draft.continued => {
                draft.publish().await?;
                for upload in draft.desk.uploads_at(&draft.path).await? {
                    draft.desk.inner.abort_upload(&upload).await?;
                }
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// What a closed append went on from is forgotten: its commit replaces whatever is there.
pub(super) struct ClosedAppendForgetsItsBase;

#[async_trait]
impl Habit for ClosedAppendForgetsItsBase {
    async fn close(draft: &mut Draft) -> Result<()> {
        draft.inner.cancel().await?;
        draft.desk.leave_upload(&draft.path, draft.content()).await
    }
}

/// An append to content takes the content away until its commit.
pub(super) struct AppendTakesContent;

#[async_trait]
impl Habit for AppendTakesContent {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if draft.continued && draft.desk.inner.stat(&draft.path).await.is_ok() {
            draft.desk.inner.delete(&draft.path).await?;
        }
        draft.inner.write(chunk).await
    }

    async fn close(draft: &mut Draft) -> Result<()> {
        if !draft.continued {
            return draft.inner.close().await;
        }
        draft.inner.cancel().await?;
        draft.desk.leave_upload(&draft.path, draft.content()).await
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        if draft.continued { draft.publish().await } else { draft.inner.commit().await }
    }
}

/// `Append` discards all uploads of the path but the one that it resumes.
pub(super) struct AppendDiscardsOthers;

#[async_trait]
impl Habit for AppendDiscardsOthers {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let writer = desk.inner.writer(path, mode).await?;
        if mode == WriteMode::Append {
            for upload in desk.uploads_at(path).await? {
                // The one that was resumed is open.
                let _ = desk.inner.abort_upload(&upload).await;
            }
        }
        Ok(writer)
    }
}

/// An upload can only be resumed by the handle that began it.
pub(super) struct UploadsBelongToOneHandle;

#[async_trait]
impl Habit for UploadsBelongToOneHandle {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let foreign = !lock(&desk.closed).contains_key(path);
        if mode == WriteMode::Append && foreign && !desk.uploads_at(path).await?.is_empty() {
            return Err(Error::path_not_found(path));
        }
        desk.inner.writer(path, mode).await
    }
}

/// An opening gives up what was closed before it has made it anew.
pub(super) struct TornOpening;

#[async_trait]
impl Habit for TornOpening {
    async fn open(desk: &Desk, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let known = lock(&desk.closed).contains_key(path);
        let busy = lock(&desk.opened).get(path).is_some_and(|(_, open)| *open > 0);
        if mode == WriteMode::Append && known && !busy && desk.uploads_at(path).await?.len() == 1 {
            desk.inner.writer(path, WriteMode::Append).await?.cancel().await?;
            gap().await;
            desk.leave_upload(path, desk.closed_at(path)).await?;
        }
        desk.inner.writer(path, mode).await
    }
}
