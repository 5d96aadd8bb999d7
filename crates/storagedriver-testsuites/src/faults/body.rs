//! Bodies as they pass through: untouched, cut, held up or in pieces, and never collected.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use storagedriver::BoxError;

use super::Hold;
use super::connection::Reset;
use super::gate::Gate;

pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The body as it comes.
pub(super) fn untouched(body: Incoming) -> Body {
    body.map_err(BoxError::from).boxed_unsync()
}

/// What happens inside a body.
#[derive(Debug)]
pub(super) enum Event {
    /// It ends with an error, and the client's connection with a reset.
    Reset(Reset),
    /// It waits.
    Wait(Arc<Gate>, Hold),
}

/// The body with an event after so many bytes, at most all but one where its length is known: once
/// all bytes are through, nobody asks the body for more.
pub(super) fn interrupted(body: Incoming, after: u64, event: Event) -> Body {
    let most = body.size_hint().exact().map_or(u64::MAX, |length| length.saturating_sub(1));
    let source = Interrupted { body, left: after.min(most), event: Some(event), rest: Bytes::new() };
    let frames = stream::unfold(source, |mut source| async move { Some((source.next().await?, source)) });
    StreamBody::new(frames).boxed_unsync()
}

struct Interrupted {
    body: Incoming,
    /// Bytes until the event.
    left: u64,
    event: Option<Event>,
    /// What has been received and comes after the event.
    rest: Bytes,
}

impl Interrupted {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        if self.left == 0
            && let Some(event) = self.event.take()
            && let Err(error) = event.happen().await
        {
            return Some(Err(error));
        }
        let mut data = if self.rest.is_empty() {
            match self.body.frame().await.map(|frame| frame.map(Frame::into_data)) {
                // Its length was not known, and it is shorter.
                None => return self.event.take()?.happen().await.err().map(Err),
                Some(Err(error)) => return Some(Err(error.into())),
                Some(Ok(Err(trailers))) => return Some(Ok(trailers)),
                Some(Ok(Ok(data))) => data,
            }
        } else {
            std::mem::take(&mut self.rest)
        };
        if self.event.is_some() {
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
            self.rest = data.split_off(most);
            self.left = self.left.saturating_sub(most as u64);
        }
        Some(Ok(Frame::data(data)))
    }
}

impl Event {
    async fn happen(self) -> Result<(), BoxError> {
        match self {
            Self::Reset(reset) => {
                // What came before is flushed while the body is pending, and only then.
                tokio::task::yield_now().await;
                reset.set();
                Err("a reset, as the fault layer was told".into())
            }
            Self::Wait(gate, hold) => {
                gate.wait(hold).await;
                Ok(())
            }
        }
    }
}

/// The body in pieces of so many bytes, with a wait before each.
pub(super) fn dripped(body: Incoming, piece: usize, gate: Arc<Gate>, hold: Hold) -> Body {
    let source = Dripped { body, piece: piece.max(1), gate, hold, rest: Bytes::new() };
    let frames = stream::unfold(source, |mut source| async move { Some((source.next().await?, source)) });
    StreamBody::new(frames).boxed_unsync()
}

struct Dripped {
    body: Incoming,
    piece: usize,
    gate: Arc<Gate>,
    hold: Hold,
    rest: Bytes,
}

impl Dripped {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        while self.rest.is_empty() {
            match self.body.frame().await?.map(Frame::into_data) {
                Err(error) => return Some(Err(error.into())),
                Ok(Err(trailers)) => return Some(Ok(trailers)),
                Ok(Ok(data)) => self.rest = data,
            }
        }
        self.gate.wait(self.hold).await;
        let piece = self.rest.split_to(self.piece.min(self.rest.len()));
        Some(Ok(Frame::data(piece)))
    }
}

/// Reads the body to its end and keeps nothing.
pub(super) async fn drain(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}
