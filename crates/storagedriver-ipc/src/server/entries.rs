//! Entries in batches.

use std::mem;

use futures_util::{Stream, stream};
use prost::Message;
use tonic::Status;

/// The most entries in one message.
const MOST: usize = 1000;

/// The most bytes of them, about: so many that a message costs little beside them, and no stream waits long for another.
const MOST_BYTES: usize = 240 << 10;

/// Entries of one message.
pub(super) struct Batch<M> {
    entries: Vec<M>,
    bytes: usize,
}

impl<M: Message> Batch<M> {
    pub(super) fn new() -> Self {
        Batch { entries: Vec::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, entry: M) {
        // Tag and length stand before each.
        self.bytes += entry.encoded_len() + 4;
        self.entries.push(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MOST || self.bytes >= MOST_BYTES
    }

    pub(super) fn take(&mut self) -> Vec<M> {
        self.bytes = 0;
        mem::take(&mut self.entries)
    }
}

/// All of `entries`, each batch made when the host has read the one before.
pub(super) fn batches<T, M: Message, R>(
    entries: Vec<T>,
    message: impl Fn(&T) -> M,
    reply: impl Fn(Vec<M>) -> R,
) -> impl Stream<Item = Result<R, Status>> {
    let mut entries = entries.into_iter();
    stream::iter(std::iter::from_fn(move || {
        let mut batch = Batch::new();
        while !batch.is_full()
            && let Some(entry) = entries.next()
        {
            batch.push(message(&entry));
        }
        (!batch.is_empty()).then(|| Ok(reply(batch.take())))
    }))
}
