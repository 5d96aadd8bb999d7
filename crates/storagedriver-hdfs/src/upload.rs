//! An upload: the segments that it consists of, and its three endings.

use std::sync::Arc;

use bytes::Bytes;
use hdfs_native::HdfsError;
use hdfs_native::file::FileReader;
use storagedriver::{Error, Result, StoragePath, WriteMode};

use crate::cluster::{Hadoop, is_missing};
use crate::names::{Segment, State, unique};
use crate::staged::Staged;
use crate::uploads::{Found, Remains};
use crate::version::FileVersion;

/// A closed upload that is resumed: whoever renames its state first has it.
#[derive(Debug, Clone)]
struct Claim {
    state: State,
    /// Its segments in order, with their lengths.
    chain: Vec<(Segment, u64)>,
}

/// The segment that this writer writes.
struct Own {
    segment: Segment,
    staged: Staged,
}

/// An upload in progress.
pub(crate) struct Upload {
    hadoop: Arc<Hadoop>,
    path: StoragePath,
    id: u64,
    claim: Option<Claim>,
    base: Option<FileVersion>,
    /// The committed content that it continues, until it was copied.
    prefix: Option<FileReader>,
    own: Option<Own>,
    /// How many bytes it had when it was opened.
    opened_at: u64,
}

impl Upload {
    /// Opens an upload.
    pub(crate) async fn open(hadoop: &Arc<Hadoop>, path: &StoragePath, mode: WriteMode) -> Result<Self> {
        let mut upload = Upload {
            hadoop: hadoop.clone(),
            path: path.clone(),
            id: unique(),
            claim: None,
            base: None,
            prefix: None,
            own: None,
            opened_at: 0,
        };
        match mode {
            WriteMode::Append => upload.resume().await?,
            _ => hadoop.discard_closed(path).await?,
        }
        Ok(upload)
    }

    pub(crate) fn opened_at(&self) -> u64 {
        self.opened_at
    }

    fn gone(&self) -> Error {
        Error::conflict(&self.path, "the upload was ended, discarded or deleted by somebody else")
    }

    fn place(&self, name: impl std::fmt::Display) -> String {
        format!("{}/{name}", self.hadoop.staging(&self.path))
    }

    /// Finds what there is to go on with.
    async fn resume(&mut self) -> Result<()> {
        if let Some((state, chain)) = self.hadoop.newest_closed(&self.path).await? {
            self.id = state.upload;
            self.base = state.base;
            self.opened_at = state.length;
            self.claim = Some(Claim { state, chain });
            return Ok(());
        }
        let (reader, version) = self.hadoop.open_version(&self.path).await?;
        self.opened_at = version.size;
        self.base = Some(version);
        self.prefix = Some(reader).filter(|_| version.size > 0);
        Ok(())
    }

    /// Makes the segment that is written, if there is none yet.
    async fn own(&mut self) -> Result<&mut Staged> {
        if self.own.is_none() {
            let before = self.claim.as_ref().map_or(0, |claim| claim.state.last);
            let segment = Segment { upload: self.id, writer: unique(), before, taken: false };
            let mut staged = Staged::create(&self.hadoop, &self.path, self.place(segment)).await?;
            if let (Some(prefix), Some(base)) = (&self.prefix, self.base)
                && let Err(error) = staged.copy(prefix, base.size).await
            {
                staged.trace.remove().await;
                let replaced = self.hadoop.expect_base(&self.path, base).await;
                return Err(replaced.err().unwrap_or(error));
            }
            self.prefix = None;
            self.own = Some(Own { segment, staged });
        }
        match &mut self.own {
            Some(own) => Ok(&mut own.staged),
            None => Err(Error::backend(&self.path, "there is no file to write")),
        }
    }

    /// Takes a piece whole, or nothing: it is asked for when it is taken.
    pub(crate) async fn write(&mut self, piece: impl FnOnce() -> Bytes) -> Result<()> {
        self.own().await?.send(piece).await
    }

    /// Makes what was written durable.
    async fn seal(&mut self) -> Result<()> {
        if self.prefix.is_some() {
            self.own().await?;
        }
        match &mut self.own {
            Some(own) => own.staged.finish().await,
            None => Ok(()),
        }
    }

    /// Keeps the upload at `size` bytes for a later writer.
    pub(crate) async fn close(&mut self, size: u64) -> Result<()> {
        self.seal().await?;
        let last = match (&self.own, &self.claim) {
            (Some(own), _) => own.segment.writer,
            (None, Some(claim)) => claim.state.last,
            (None, None) => 0,
        };
        self.keep(size, last).await
    }

    /// Closes the upload, if nobody else has ended it.
    async fn keep(&mut self, size: u64, last: u64) -> Result<()> {
        let Some(claim) = &self.claim else {
            self.let_go();
            let begun = State { upload: self.id, sequence: 0, length: 0, last: 0, whole: 0, base: self.base };
            let made = self.hadoop.make_directory(&self.place(begun.closed(size, last))).await;
            return made.map_err(Hadoop::write_fault(&self.path, "close the upload"));
        };
        let next = claim.state.closed(size, last);
        self.go_on(next).await
    }

    /// Gives the upload that was resumed its next state, if nobody else has.
    async fn go_on(&mut self, next: State) -> Result<()> {
        let Some(claim) = self.claim.clone() else {
            return Err(self.gone());
        };
        let failed = || Hadoop::write_fault(&self.path, "go on with the upload");
        if claim.state.whole != 0 && !self.take(claim.state.whole).await.map_err(failed())? {
            self.remove_own().await;
            return Err(self.gone());
        }
        self.let_go();
        match self.rename_state(claim.state, next).await {
            Ok(()) => {
                self.claim = Some(Claim { state: next, ..claim });
                Ok(())
            }
            Err(error) if is_missing(&error) => {
                // It cannot be resumed by this segment.
                self.remove_own().await;
                Err(self.gone())
            }
            Err(error) => Err(Hadoop::write_fault(&self.path, "go on with the upload")(error)),
        }
    }

    /// Takes the segment of a commit that somebody else has begun, so that it cannot be published any more.
    /// False if it was published.
    async fn take(&self, whole: u64) -> Result<bool, HdfsError> {
        let segment = Segment { upload: self.id, writer: whole, before: 0, taken: false };
        let taken = Segment { taken: true, ..segment };
        match self.hadoop.client.rename(&self.place(segment), &self.place(taken), false).await {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(self.hadoop.status(&self.place(taken)).await?.is_some()),
            Err(error) => Err(error),
        }
    }

    /// Whatever becomes of the next call: the segment may belong to the upload's state from now on.
    fn let_go(&mut self) {
        if let Some(own) = &mut self.own {
            own.staged.trace.let_go();
        }
    }

    async fn rename_state(&self, from: State, to: State) -> Result<(), HdfsError> {
        self.hadoop.client.rename(&self.place(from), &self.place(to), false).await
    }

    async fn remove_own(&mut self) {
        if let Some(own) = self.own.take() {
            own.staged.trace.remove().await;
        }
    }

    /// Publishes `size` bytes as the content of the path.
    pub(crate) async fn commit(&mut self, size: u64) -> Result<()> {
        self.seal().await?;
        let Some(claim) = self.claim.clone() else {
            return self.commit_own(size).await;
        };
        let (whole, combined) = self.whole().await?;
        let mut combined = combined.map(|staged| staged.trace);
        // The state names it from here on; until it is published, the upload is as it was closed.
        if let Some(combined) = &mut combined {
            combined.let_go();
        }
        if let Err(error) = self.go_on(claim.state.committing(whole.writer)).await {
            // Else the state may name it all the same: then the outcome is not known.
            if let (Some(combined), Error::Conflict { .. }) = (combined, &error) {
                combined.remove().await;
            }
            return Err(error);
        }
        let remains = Remains::new(&self.hadoop, &self.path, self.id);
        let place = self.place(whole);
        if let Err(error) = self.hadoop.publish(&self.path, &place, self.base).await {
            remains.keep();
            // Left resumable, if that can be done; the error that counts is the first.
            if self.hadoop.status(&place).await.is_ok_and(|found| found.is_some())
                && let Some(claim) = self.claim.clone()
            {
                let _ = self.rename_state(claim.state, claim.state.closed(size, whole.writer)).await;
            }
            return Err(error);
        }
        self.own = None;
        remains.remove().await;
        Ok(())
    }

    /// Publishes an upload that was never closed.
    async fn commit_own(&mut self, size: u64) -> Result<()> {
        self.own().await?.finish().await?;
        let Some(own) = &self.own else {
            return Err(self.gone());
        };
        let (place, last) = (own.staged.trace.place().to_owned(), own.segment.writer);
        match self.hadoop.publish(&self.path, &place, self.base).await {
            Ok(()) => {
                if let Some(mut own) = self.own.take() {
                    own.staged.trace.let_go();
                }
                self.hadoop.prune_staging(&self.path).await;
                Ok(())
            }
            Err(error) => {
                // Left resumable, if that can be done; the error that counts is the first.
                if self.hadoop.status(&place).await.is_ok_and(|found| found.is_some()) {
                    let _ = self.keep(size, last).await;
                }
                Err(error)
            }
        }
    }

    /// The one segment that holds everything; made now, if there is none.
    async fn whole(&mut self) -> Result<(Segment, Option<Staged>)> {
        let chain = self.claim.as_ref().map(|claim| claim.chain.clone()).unwrap_or_default();
        match (&self.own, chain.as_slice()) {
            // One that was taken from a commit is not published: nobody could take it again.
            (None, [(only, _)]) if !only.taken => return Ok((*only, None)),
            (None, []) => {
                self.own().await?.finish().await?;
            }
            _ => {}
        }
        if let (Some(own), []) = (&self.own, chain.as_slice()) {
            return Ok((own.segment, None));
        }
        // HDFS can join files without copying them, but not by this client.
        let segment = Segment { upload: self.id, writer: unique(), before: 0, taken: false };
        let mut staged = Staged::create(&self.hadoop, &self.path, self.place(segment)).await?;
        let own = self.own.as_ref().map(|own| (own.segment, own.staged.length));
        let copied = async {
            for (segment, length) in chain.iter().copied().chain(own) {
                let read = self.hadoop.client.read(&self.place(segment)).await;
                let read = read.map_err(Hadoop::write_fault(&self.path, "read a part of the upload"))?;
                staged.copy(&read, length).await?;
            }
            staged.finish().await
        }
        .await;
        match copied {
            Ok(()) => Ok((segment, Some(staged))),
            Err(error) => {
                staged.trace.remove().await;
                Err(error)
            }
        }
    }

    /// Removes every trace of the upload.
    pub(crate) async fn cancel(&mut self) -> Result<()> {
        self.remove_own().await;
        self.prefix = None;
        if let Some(claim) = self.claim.take() {
            let remains = Remains::new(&self.hadoop, &self.path, self.id);
            let removed = self.hadoop.remove(&self.place(claim.state)).await;
            // If it is gone, somebody else has the upload.
            if removed.map_err(Hadoop::write_fault(&self.path, "cancel the upload"))? {
                remains.remove().await;
            } else {
                remains.keep();
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The segments of a closed upload in order; `None` if its last one is gone, or the one that a commit
/// publishes: then it has ended.
pub(crate) fn chain(state: &State, found: &Found, path: &StoragePath) -> Result<Option<Vec<(Segment, u64)>>> {
    let is_there = |writer| found.segments.iter().any(|(segment, _)| segment.writer == writer);
    if state.whole != 0 && !is_there(state.whole) {
        return Ok(None);
    }
    let mut chain = Vec::new();
    let (mut next, mut length) = (state.last, 0_u64);
    while next != 0 {
        let of_upload =
            |(segment, _): &&(Segment, u64)| segment.upload == state.upload && segment.writer == next;
        let Some(&(segment, bytes)) = found.segments.iter().find(of_upload) else {
            if chain.is_empty() {
                return Ok(None);
            }
            return Err(Error::corrupted(path, "a part of the upload is missing"));
        };
        if chain.len() > found.segments.len() {
            return Err(Error::corrupted(path, "the parts of the upload name each other in a circle"));
        }
        length = length.saturating_add(bytes);
        chain.push((segment, bytes));
        next = segment.before;
    }
    if length != state.length {
        let reason = format!("an upload closed at {} bytes has {length}", state.length);
        return Err(Error::corrupted(path, reason));
    }
    chain.reverse();
    Ok(Some(chain))
}
