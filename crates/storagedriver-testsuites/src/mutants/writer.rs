//! Writers that break a sentence.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use storagedriver::{DriverWriter, Error, Result, StoragePath, WriteMode};

use super::wrap::{Desk, Draft, Habit, gap, lock, long_gap};

/// `close` publishes what it should only keep.
pub(super) struct ClosePublishes;

#[async_trait]
impl Habit for ClosePublishes {
    async fn close(draft: &mut Draft) -> Result<()> {
        draft.inner.close().await?;
        draft.publish().await
    }
}

/// What is written is readable at once.
pub(super) struct WritesInPlace;

#[async_trait]
impl Habit for WritesInPlace {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        draft.inner.write(chunk).await?;
        draft.publish().await
    }
}

/// `size` leaves out what is buffered.
pub(super) struct SizeWithoutBuffer;

#[async_trait]
impl Habit for SizeWithoutBuffer {
    fn size(draft: &Draft) -> u64 {
        draft.inner.size() & !4095
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

/// Chunks of one byte are lost.
pub(super) struct LosesTinyChunks;

#[async_trait]
impl Habit for LosesTinyChunks {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if chunk.len() == 1 && draft.accepted.len() > 2_000 {
            return Ok(());
        }
        draft.inner.write(chunk).await
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }
}

/// All writers share one buffer.
pub(super) struct SharedBuffer;

impl SharedBuffer {
    async fn flush(draft: &mut Draft) -> Result<()> {
        let buffered = std::mem::take(&mut *lock(&draft.desk.buffer));
        if buffered.is_empty() { Ok(()) } else { draft.inner.write(buffered.into()).await }
    }
}

#[async_trait]
impl Habit for SharedBuffer {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        lock(&draft.desk.buffer).extend_from_slice(&chunk);
        Ok(())
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }

    async fn close(draft: &mut Draft) -> Result<()> {
        Self::flush(draft).await?;
        draft.inner.close().await
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        Self::flush(draft).await?;
        draft.inner.commit().await
    }

    async fn cancel(draft: &mut Draft) -> Result<()> {
        lock(&draft.desk.buffer).clear();
        draft.inner.cancel().await
    }
}

/// What is written past the first mebibyte is lost.
pub(super) struct LosesWhatIsLarge;

#[async_trait]
impl Habit for LosesWhatIsLarge {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if draft.inner.size() >= 1 << 20 { Ok(()) } else { draft.inner.write(chunk).await }
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }
}

/// The last byte of a chunk that fills a part is lost.
pub(super) struct LosesByteAtBoundary;

#[async_trait]
impl Habit for LosesByteAtBoundary {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if chunk.len() >= 4096 && chunk.len().is_multiple_of(4096) {
            return draft.inner.write(chunk.slice(..chunk.len() - 1)).await;
        }
        draft.inner.write(chunk).await
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
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
            long_gap().await;
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

/// A dropped write took half of its chunk.
pub(super) struct TornWrite;

#[async_trait]
impl Habit for TornWrite {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        let half = chunk.len() / 2;
        if half > 0 {
            draft.inner.write(chunk.slice(..half)).await?;
            gap().await;
        }
        draft.inner.write(chunk.slice(half..)).await
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
