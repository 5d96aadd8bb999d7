//! A request's body that tells when the last byte moved.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use reqwest::Body;
use tokio::time::Instant;

/// So many bytes are given to the connection at once.
const PIECE: usize = 128 << 10;

/// When something last moved.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    began: Instant,
    /// In microseconds after `began`.
    last: Arc<AtomicU64>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Progress { began: Instant::now(), last: Arc::new(AtomicU64::new(0)) }
    }

    fn moved(&self) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(micros, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.began + Duration::from_micros(self.last.load(Ordering::Relaxed))
    }

    /// Returns when nothing has moved for so long.
    pub(super) async fn stalled(&self, timeout: Duration) {
        loop {
            let last = self.last();
            tokio::time::sleep_until(last + timeout).await;
            if self.last() == last {
                return;
            }
        }
    }
}

/// The body of one attempt.
pub(super) fn body(content: Bytes, progress: &Progress) -> Body {
    if content.len() <= PIECE {
        return Body::wrap(Full::new(content));
    }
    Body::wrap(Pieces { rest: content, progress: progress.clone() })
}

/// Content in pieces. A piece is taken when the connection has room for it.
struct Pieces {
    rest: Bytes,
    progress: Progress,
}

impl ::http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<::http_body::Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        self.progress.moved();
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(::http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> ::http_body::SizeHint {
        ::http_body::SizeHint::with_exact(self.rest.len() as u64)
    }
}
