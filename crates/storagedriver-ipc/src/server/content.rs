//! Content on its way to the host, in pieces, and back from it.

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use storagedriver::{Content, Result};
use tonic::{Status, Streaming};

use super::call::{Call, broken};
use crate::proto::{ContentHead, ContentReply, PutContentRequest};

/// The most bytes of content in one message.
const MOST: usize = 1 << 20;

/// Chunks below this many bytes are put together, if the next is at hand, ...
const TINY: usize = 64 << 10;

/// ... up to this many: each message costs more than copying so much.
const GATHERED: usize = 256 << 10;

/// All of some content that is in memory. What is small is one message.
pub(super) fn whole(content: Bytes) -> impl Stream<Item = Result<ContentReply, Status>> {
    let mut head = Some(ContentHead { size: content.len() as u64, version: None });
    let mut rest = content;
    futures_util::stream::iter(std::iter::from_fn(move || {
        if rest.is_empty() && head.is_none() {
            return None;
        }
        let data = rest.split_to(rest.len().min(MOST));
        Some(Ok(ContentReply { head: head.take(), data }))
    }))
}

/// Content as it comes out of a driver, read no further than the host asks: one chunk ahead at the most.
pub(super) struct Frames {
    call: Call,
    head: Option<ContentHead>,
    content: Option<Content>,
    /// What the driver gave and was not sent.
    rest: Bytes,
    /// Comes after what was read before it.
    failure: Option<Status>,
}

impl Frames {
    pub(super) fn new(call: Call, content: Content) -> Self {
        let version = content.version().map(|version| version.as_str().to_owned());
        let head = Some(ContentHead { size: content.size(), version });
        Frames { call, head, content: Some(content), rest: Bytes::new(), failure: None }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(content) = &mut self.content else {
            return Poll::Ready(None);
        };
        match ready!(content.poll_next_unpin(context)) {
            Some(Ok(chunk)) => return Poll::Ready(Some(chunk)),
            Some(Err(error)) => self.failure = Some(self.call.status(&error)),
            None => {}
        }
        self.content = None;
        Poll::Ready(None)
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while self.rest.is_empty() {
            match ready!(self.poll_chunk(context)) {
                Some(chunk) => self.rest = chunk,
                None => return Poll::Ready(None),
            }
        }
        if self.rest.len() >= TINY {
            return Poll::Ready(Some(self.rest.split_to(self.rest.len().min(MOST))));
        }
        let first = mem::take(&mut self.rest);
        let mut gathered = BytesMut::new();
        while let Poll::Ready(Some(chunk)) = self.poll_chunk(context) {
            let length = gathered.len().max(first.len());
            if chunk.len() >= TINY || length + chunk.len() > GATHERED {
                self.rest = chunk;
                break;
            }
            if gathered.is_empty() {
                gathered.extend_from_slice(&first);
            }
            gathered.extend_from_slice(&chunk);
        }
        Poll::Ready(Some(if gathered.is_empty() { first } else { gathered.freeze() }))
    }
}

impl Stream for Frames {
    type Item = Result<ContentReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let data = match this.poll_piece(context) {
            Poll::Ready(data) => data,
            // The host waits for the head; the data may take its time.
            Poll::Pending if this.head.is_some() => Some(Bytes::new()),
            Poll::Pending => return Poll::Pending,
        };
        if let Some(data) = data {
            return Poll::Ready(Some(Ok(ContentReply { head: this.head.take(), data })));
        }
        if let Some(failure) = this.failure.take() {
            this.head = None;
            return Poll::Ready(Some(Err(failure)));
        }
        let head = this.head.take();
        Poll::Ready(head.map(|head| Ok(ContentReply { head: Some(head), data: Bytes::new() })))
    }
}

/// What the host sends in pieces and means as a whole.
#[derive(Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    length: usize,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.length = self.length.saturating_add(piece.len());
        self.pieces.push_back(piece);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What has come. A single piece is not copied, unless it is so small that the buffer in which it came is worth more.
    pub(super) fn take(&mut self) -> Bytes {
        let Pieces { mut pieces, length } = mem::take(self);
        if pieces.len() == 1 && length >= TINY {
            return pieces.pop_front().unwrap_or_default();
        }
        let mut whole = BytesMut::with_capacity(length);
        // Each is let go of as soon as it is copied.
        while let Some(piece) = pieces.pop_front() {
            whole.extend_from_slice(&piece);
        }
        whole.freeze()
    }
}

/// The path and the content of a `PutContent`, when its last piece has come.
pub(super) async fn put(mut requests: Streaming<PutContentRequest>) -> Result<(String, Bytes), Status> {
    let mut pieces = Pieces::default();
    let mut path = None;
    while let Some(request) = requests.message().await? {
        let path = path.get_or_insert(request.path);
        pieces.push(request.data);
        if request.last {
            return Ok((mem::take(path), pieces.take()));
        }
    }
    Err(broken("the content ended before its last piece; nothing was changed"))
}
