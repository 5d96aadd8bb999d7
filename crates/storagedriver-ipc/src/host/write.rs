//! An upload to a driver.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use storagedriver::{DriverWriter, Error, ErrorParts, Result, StoragePath, WriteMode, async_trait};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::link::Link;
use super::queue::{pieces, queue};
use crate::convert::from_error_message;
use crate::proto::{
    WriteChunk, WriteEnding, WriteOpen, WriteReply, WriteRequest, write_reply, write_request,
};

/// How many bytes may wait to be accepted.
const MOST_WAITING: u64 = 4 * 1024 * 1024;

/// How many chunks may wait: small ones cost more than their bytes.
const MOST_CHUNKS: usize = 4096;

/// How long the status of a call may take, when all was said.
const STATUS: Duration = Duration::from_secs(1);

pub(super) struct ExternalWriter {
    link: Arc<Link>,
    path: StoragePath,
    /// `None` once the ending is sent.
    requests: Option<UnboundedSender<WriteRequest>>,
    replies: Streaming<WriteReply>,
    /// How many bytes the driver accepted.
    accepted: u64,
    /// The chunks that were taken here and not yet accepted there, from `first` on.
    waiting: VecDeque<Bytes>,
    waiting_bytes: u64,
    /// The sequence number of the first that waits.
    first: u64,
    /// Those that wait were refused, and have to be sent again.
    refused: bool,
    /// Why, until a `write` has told it.
    refusal: Option<Error>,
    /// The call is over: why.
    broken: Option<ErrorParts>,
}

/// What a driver said last.
enum Reply {
    Chunks,
    Ended(u64),
}

impl ExternalWriter {
    /// Opens an upload.
    ///
    /// # Errors
    /// What the driver answered, or `Unavailable`.
    pub(super) async fn open(link: Arc<Link>, path: &StoragePath, mode: WriteMode) -> Result<Self> {
        let mode = match mode {
            WriteMode::Create => crate::proto::WriteMode::Create,
            WriteMode::Append => crate::proto::WriteMode::Append,
            _ => return Err(Error::unsupported(path, "the protocol has no such mode of writing")),
        };
        let (requests, queue) = queue();
        let open = WriteOpen { path: path.as_str().to_owned(), mode: mode.into() };
        // The queue is ours: it takes what it is given.
        let _ = requests.send(WriteRequest { step: Some(write_request::Step::Open(open)) });
        let mut replies = link.reply(path, link.client().write(queue).await).await?;
        let opened = match replies.message().await {
            Ok(opened) => opened.and_then(|reply| reply.step),
            Err(status) => return Err(link.error(path, &status).await),
        };
        let Some(write_reply::Step::Opened(opened)) = opened else {
            return Err(Error::backend(
                path,
                "the driver broke the protocol: its first reply to a write is not `opened`",
            ));
        };
        Ok(ExternalWriter {
            link,
            path: path.clone(),
            requests: Some(requests),
            replies,
            accepted: opened.size,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            first: 1,
            refused: false,
            refusal: None,
            broken: None,
        })
    }

    fn send(&self, step: write_request::Step) {
        if let Some(requests) = &self.requests {
            // A driver that is gone shows in the next reply.
            let _ = requests.send(WriteRequest { step: Some(step) });
        }
    }

    fn send_chunk(&self, sequence: u64, chunk: Bytes) {
        for (data, last) in pieces(chunk) {
            self.send(write_request::Step::Chunk(WriteChunk { sequence, data, last }));
        }
    }

    /// Sends again what was refused.
    fn send_refused(&mut self) {
        if std::mem::take(&mut self.refused) {
            self.refusal = None;
            for (sequence, chunk) in (self.first..).zip(&self.waiting) {
                self.send_chunk(sequence, chunk.clone());
            }
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.waiting.is_empty()
            || (self.waiting.len() < MOST_CHUNKS
                && self.waiting_bytes.saturating_add(bytes as u64) <= MOST_WAITING)
    }

    /// The call is over and can go on no more.
    fn fail(&mut self, error: Error) -> Error {
        self.broken = Some(ErrorParts::from(&error));
        error
    }

    fn check(&self) -> Result<()> {
        match &self.broken {
            Some(broken) => Err(broken.clone().into_error()),
            None => Ok(()),
        }
    }

    /// Waits for the next reply.
    async fn reply(&mut self) -> Result<Reply> {
        let reply = self.replies.message().await;
        self.took(reply).await
    }

    async fn took(&mut self, reply: Result<Option<WriteReply>, Status>) -> Result<Reply> {
        let step = match reply {
            Ok(Some(reply)) => reply.step,
            Ok(None) => return Err(self.protocol("ended the call without an ending")),
            Err(status) => {
                // Before anything is awaited: this may be dropped here.
                self.fail(Error::unavailable(&self.path, "the driver broke off the upload"));
                let error = self.link.error(&self.path, &status).await;
                return Err(self.fail(error));
            }
        };
        match step {
            Some(write_reply::Step::Accepted(accepted)) => {
                self.accept(accepted.sequence, accepted.size)?;
                Ok(Reply::Chunks)
            }
            Some(write_reply::Step::Refused(refused)) => {
                let known = self.first..self.first.saturating_add(self.waiting.len() as u64);
                if self.refused || !known.contains(&refused.sequence) {
                    return Err(self.protocol("refused a chunk that does not wait"));
                }
                // Those before it were accepted, whether it said so or not.
                while self.first < refused.sequence {
                    self.accept_first();
                }
                self.refused = true;
                self.refusal = Some(from_error_message(refused.error.unwrap_or_default()));
                Ok(Reply::Chunks)
            }
            Some(write_reply::Step::Ended(ended)) => Ok(Reply::Ended(ended.size)),
            Some(write_reply::Step::Opened(_)) => Err(self.protocol("opened an upload twice")),
            // What a later version may say.
            None => Ok(Reply::Chunks),
        }
    }

    fn protocol(&mut self, what: &str) -> Error {
        self.fail(Error::backend(&self.path, format!("the driver broke the protocol: it {what}")))
    }

    fn accept_first(&mut self) {
        if let Some(chunk) = self.waiting.pop_front() {
            self.accepted += chunk.len() as u64;
            self.waiting_bytes -= chunk.len() as u64;
        }
        self.first += 1;
    }

    fn accept(&mut self, sequence: u64, size: u64) -> Result<()> {
        let end = self.first.saturating_add(self.waiting.len() as u64);
        if sequence >= end {
            return Err(self.protocol("accepted a chunk that was not sent"));
        }
        while self.first <= sequence {
            self.accept_first();
        }
        if size != self.accepted {
            let reason = format!("the driver has {size} bytes of the upload, and accepted {}", self.accepted);
            return Err(self.fail(Error::corrupted(&self.path, reason)));
        }
        Ok(())
    }

    /// Sends an ending, and waits for it.
    async fn end(&mut self, ending: WriteEnding) -> Result<u64> {
        self.send(write_request::Step::Ending(ending.into()));
        self.requests = None;
        loop {
            if let Reply::Ended(size) = self.reply().await? {
                // It is done. The status of the call is only waited for so that the call ends in order.
                let _ = timeout(STATUS, self.replies.message()).await;
                return Ok(size);
            }
        }
    }

    /// Waits until all chunks are accepted, sending once more what is refused; then ends.
    async fn finish(&mut self, ending: WriteEnding) -> Result<()> {
        self.check()?;
        let size = self.size();
        let mut is_last_try = self.refused;
        self.send_refused();
        while !self.waiting.is_empty() {
            if let Reply::Ended(_) = self.reply().await? {
                return Err(self.protocol("ended the upload before it was told to"));
            }
            let Some(refusal) = self.refusal.take() else { continue };
            if is_last_try {
                // What the driver has stays resumable; what it refused is lost with this writer.
                let _ = self.end(WriteEnding::Close).await;
                return Err(refusal);
            }
            is_last_try = true;
            self.send_refused();
        }
        let ended = self.end(ending).await?;
        if ended != size {
            let reason = format!("the upload has {size} bytes, and the driver ended it with {ended}");
            return Err(Error::corrupted(&self.path, reason));
        }
        Ok(())
    }
}

#[async_trait]
impl DriverWriter for ExternalWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.check()?;
        while let Some(reply) = self.replies.message().now_or_never() {
            if let Reply::Ended(_) = self.took(reply).await? {
                return Err(self.protocol("ended the upload before it was told to"));
            }
        }
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        self.send_refused();
        // A chunk that is larger than may wait goes alone.
        while !self.has_room(chunk.len()) {
            if let Reply::Ended(_) = self.reply().await? {
                return Err(self.protocol("ended the upload before it was told to"));
            }
            if let Some(refusal) = self.refusal.take() {
                return Err(refusal);
            }
        }
        // Nothing is awaited from here on: a dropped write took nothing.
        self.waiting_bytes += chunk.len() as u64;
        self.send_chunk(self.first + self.waiting.len() as u64, chunk.clone());
        self.waiting.push_back(chunk);
        Ok(())
    }

    fn size(&self) -> u64 {
        self.accepted + self.waiting_bytes
    }

    async fn close(&mut self) -> Result<()> {
        self.finish(WriteEnding::Close).await
    }

    async fn commit(&mut self) -> Result<()> {
        self.finish(WriteEnding::Commit).await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.check()?;
        self.end(WriteEnding::Cancel).await?;
        Ok(())
    }
}
