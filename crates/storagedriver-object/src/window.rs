//! The parts of an upload that were sent, and those on their way.

use bytes::Bytes;
use storagedriver::ErrorKind;
use tokio::task::JoinSet;

use crate::budget::Budget;
use crate::{Part, StoreError, StoreResult};

#[derive(Debug)]
struct Slot {
    part: Part,
    /// What to send, until the store has it.
    unsent: Option<Bytes>,
}

/// Parts in their order, several on their way at once. Dropping it ends those.
#[derive(Debug, Default)]
pub(crate) struct Window {
    slots: Vec<Slot>,
    running: JoinSet<(usize, StoreResult<String>)>,
}

impl Window {
    /// Of parts that the store has.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let slots = parts.into_iter().map(|part| Slot { part, unsent: None }).collect();
        Window { slots, running: JoinSet::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.slots.iter().map(|slot| slot.part.size).sum()
    }

    /// The parts, as soon as all are sent.
    pub(crate) fn parts(&self) -> Vec<Part> {
        self.slots.iter().map(|slot| slot.part.clone()).collect()
    }

    /// Adds parts that the store has, before all others.
    pub(crate) fn prepend(&mut self, parts: Vec<Part>) {
        debug_assert!(self.running.is_empty(), "the places of parts on their way would change");
        let all = parts.into_iter().map(|part| Slot { part, unsent: None });
        self.slots = all.chain(std::mem::take(&mut self.slots)).collect();
    }

    /// Waits until another part may be on its way; the memory for it, if it is taken from the
    /// budget.
    pub(crate) async fn room(
        &mut self,
        parallel: usize,
        budget: &Budget,
        bytes: u64,
    ) -> StoreResult<Option<tokio::sync::OwnedSemaphorePermit>> {
        loop {
            if self.running.is_empty() {
                return Ok(None);
            }
            if self.running.len() < parallel
                && let Some(permit) = budget.try_take(bytes)
            {
                return Ok(Some(permit));
            }
            self.join().await?;
        }
    }

    /// Adds a part and sends it; `send` makes the request of it.
    pub(crate) fn add<F>(
        &mut self,
        number: u32,
        content: Bytes,
        permit: Option<tokio::sync::OwnedSemaphorePermit>,
        send: impl Fn(u32, Bytes) -> F,
    ) where
        F: Future<Output = StoreResult<String>> + Send + 'static,
    {
        let part = Part { number, tag: String::new(), size: content.len() as u64 };
        self.slots.push(Slot { part, unsent: Some(content.clone()) });
        let (place, request) = (self.slots.len().saturating_sub(1), send(number, content));
        self.running.spawn(async move {
            let sent = request.await;
            drop(permit);
            (place, sent)
        });
    }

    /// Ends what is on its way, and waits until it has ended: nothing is sent behind a cancel.
    pub(crate) async fn stop(&mut self) {
        self.running.shutdown().await;
        self.slots.clear();
    }

    /// Waits for one part.
    async fn join(&mut self) -> StoreResult<()> {
        match self.running.join_next().await {
            None => Ok(()),
            Some(Err(panicked)) => {
                Err(StoreError::failed(ErrorKind::Backend, "sending a part ended early")
                    .with_source(panicked))
            }
            Some(Ok((place, sent))) => {
                let tag = sent?;
                if let Some(slot) = self.slots.get_mut(place) {
                    slot.part.tag = tag;
                    slot.unsent = None;
                }
                Ok(())
            }
        }
    }

    /// Waits until the store has every part; one that failed is sent once more.
    pub(crate) async fn settle<F>(&mut self, send: impl Fn(u32, Bytes) -> F) -> StoreResult<()>
    where
        F: Future<Output = StoreResult<String>>,
    {
        while !self.running.is_empty() {
            // What failed is sent again below, and fails there if it must.
            let _ = self.join().await;
        }
        for slot in &mut self.slots {
            if let Some(content) = slot.unsent.clone() {
                slot.part.tag = send(slot.part.number, content).await?;
                slot.unsent = None;
            }
        }
        Ok(())
    }
}
