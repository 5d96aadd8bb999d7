//! Requests on their way to a driver.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The largest piece of content in one message, in bytes.
pub(super) const PIECE: usize = 1024 * 1024;

/// The requests of a call that goes on: sending never waits. Who sends bounds what is under way. Dropping the
/// sender ends them.
pub(super) struct Queue<T>(UnboundedReceiver<T>);

/// A queue, and what sends to it.
pub(super) fn queue<T>() -> (UnboundedSender<T>, Queue<T>) {
    let (sender, receiver) = unbounded_channel();
    (sender, Queue(receiver))
}

impl<T> Stream for Queue<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

/// Cuts content into pieces, each with whether it is the last. Empty content is one empty piece.
pub(super) fn pieces(mut content: Bytes) -> impl Iterator<Item = (Bytes, bool)> + Send {
    let mut over = false;
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        over = content.len() <= PIECE;
        let piece = if over { std::mem::take(&mut content) } else { content.split_to(PIECE) };
        Some((piece, over))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_cut_without_a_rest() {
        let cut = |size: usize| -> Vec<_> {
            pieces(Bytes::from(vec![0; size])).map(|(piece, last)| (piece.len(), last)).collect()
        };
        assert_eq!(cut(0), [(0, true)]);
        assert_eq!(cut(PIECE), [(PIECE, true)]);
        assert_eq!(cut(PIECE + 1), [(PIECE, false), (1, true)]);
        assert_eq!(cut(2 * PIECE), [(PIECE, false), (PIECE, true)]);
    }
}
