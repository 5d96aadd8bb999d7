//! An upload as a call.

use futures_util::{Stream, StreamExt, future, stream};
use storagedriver::{FileWriter, Operation, WriteMode};
use tonic::{Status, Streaming};

use super::call::{Call, broken};
use super::content::Pieces;
use crate::proto::write_reply::Step as Reply;
use crate::proto::write_request::Step;
use crate::proto::{
    self, WriteAccepted, WriteChunk, WriteEnded, WriteEnding, WriteOpened, WriteRefused, WriteReply,
    WriteRequest,
};

/// Answers an upload from its opening on.
pub(super) async fn write(
    call: Call,
    mut requests: Streaming<WriteRequest>,
) -> Result<impl Stream<Item = Result<WriteReply, Status>>, Status> {
    let Some(Step::Open(open)) = requests.message().await?.and_then(|request| request.step) else {
        return Err(broken("an upload has to begin with `open`"));
    };
    let mode = match open.mode() {
        proto::WriteMode::Create => WriteMode::Create,
        proto::WriteMode::Append => WriteMode::Append,
        proto::WriteMode::Unspecified => return Err(broken(format!("the mode {} is none", open.mode))),
    };
    let writer = call.run(call.storage.writer(&open.path, mode)).await?;
    let opened = reply(Reply::Opened(WriteOpened { size: writer.size() }));
    let upload = Upload {
        call: call.at(Operation::Write),
        requests,
        writer: Some(writer),
        accepted: 0,
        is_refused: false,
        pieces: Pieces::default(),
    };
    let rest = stream::unfold(upload, |mut upload| async {
        let reply = upload.next().await.transpose()?;
        Some((reply, upload))
    });
    Ok(stream::once(future::ready(Ok(opened))).chain(rest))
}

fn reply(step: Reply) -> WriteReply {
    WriteReply { step: Some(step) }
}

struct Upload {
    call: Call,
    requests: Streaming<WriteRequest>,
    /// `None` after the ending. Dropped without one, it publishes nothing.
    writer: Option<FileWriter>,
    /// The last chunk that was taken.
    accepted: u64,
    /// The one after it was refused, and did not come again.
    is_refused: bool,
    /// Of the chunk that is coming.
    pieces: Pieces,
}

impl Upload {
    /// The next reply; `None` when the upload has ended, or the host dropped it.
    async fn next(&mut self) -> Result<Option<WriteReply>, Status> {
        while self.writer.is_some()
            && let Some(request) = self.requests.message().await?
        {
            let step = match request.step {
                Some(Step::Chunk(chunk)) => self.chunk(chunk).await?,
                Some(Step::Ending(_)) if !self.pieces.is_empty() => {
                    return Err(broken("an ending came in the middle of a chunk"));
                }
                Some(Step::Ending(ending)) => Some(self.end(ending).await?),
                Some(Step::Open(_)) => return Err(broken("an upload is opened once")),
                // What a newer host says and this driver does not know cannot be left out: it may be content.
                None => return Err(broken("a step of an upload that this driver does not know")),
            };
            if let Some(step) = step {
                return Ok(Some(reply(step)));
            }
        }
        Ok(None)
    }

    async fn chunk(&mut self, piece: WriteChunk) -> Result<Option<Reply>, Status> {
        let expected = self.accepted.saturating_add(1);
        if piece.sequence != expected {
            if self.is_refused {
                return Ok(None);
            }
            return Err(broken(format!("chunk {} came instead of {expected}", piece.sequence)));
        }
        self.is_refused = false;
        self.pieces.push(piece.data);
        if !piece.last {
            return Ok(None);
        }
        let chunk = self.pieces.take();
        let Some(writer) = &mut self.writer else { return Ok(None) };
        Ok(Some(match self.call.attempt(writer.write(chunk)).await? {
            Ok(()) => {
                self.accepted = expected;
                Reply::Accepted(WriteAccepted { sequence: expected, size: writer.size() })
            }
            Err(error) => {
                self.is_refused = true;
                Reply::Refused(WriteRefused { sequence: expected, error: Some(self.call.message(&error)) })
            }
        }))
    }

    async fn end(&mut self, ending: i32) -> Result<Reply, Status> {
        let ending = WriteEnding::try_from(ending).unwrap_or(WriteEnding::Unspecified);
        let Some(writer) = self.writer.take() else {
            return Err(broken("an upload ends once"));
        };
        let size = writer.size();
        let size = match ending {
            WriteEnding::Close => self.call.at(Operation::Close).run(writer.close()).await?,
            WriteEnding::Commit => {
                self.call.at(Operation::Commit).run(writer.commit()).await?;
                size
            }
            WriteEnding::Cancel => {
                self.call.at(Operation::Cancel).run(writer.cancel()).await?;
                0
            }
            WriteEnding::Unspecified => return Err(broken("an ending that is none")),
        };
        Ok(Reply::Ended(WriteEnded { size }))
    }
}
