//! The parts of an upload that were sent, and those on their way.

use bytes::Bytes;
use storagedriver::ErrorKind;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinError, JoinSet};

use crate::budget::Budget;
use crate::buffer::Held;
use crate::{Part, StoreError, StoreResult};

#[derive(Debug)]
struct Slot {
    part: Part,
    /// What to send, until the store has it.
    unsent: Option<Unsent>,
}

#[derive(Debug)]
struct Unsent {
    content: Bytes,
    _held: Held,
    /// Kept as long as the content: a part that was sent takes memory until the writer looks.
    _permit: Option<OwnedSemaphorePermit>,
}

/// A part by its place, and its tag.
type Joined = Result<(usize, StoreResult<String>), JoinError>;

/// Parts in their order, several on their way at once. Dropping it ends those.
#[derive(Debug, Default)]
pub(crate) struct Window {
    slots: Vec<Slot>,
    running: JoinSet<(usize, StoreResult<String>)>,
    /// Whether what is on its way has no memory from the budget: it takes the writer's own.
    alone: bool,
    failed: bool,
    /// The allocation of a part that was sent.
    spare: Option<Vec<u8>>,
}

impl Window {
    /// Of parts that the store has.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let slots = parts.into_iter().map(|part| Slot { part, unsent: None }).collect();
        Window { slots, ..Window::default() }
    }

    /// Whether a part was not taken by the store, and is to be sent again.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
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

    /// Waits until another part may be on its way; the memory for it from the budget, or none: then it
    /// takes the writer's own, and [`end_alone`](Self::end_alone) waits for it.
    pub(crate) async fn room(
        &mut self,
        parallel: usize,
        budget: &Budget,
        bytes: u64,
    ) -> StoreResult<Option<OwnedSemaphorePermit>> {
        self.end_alone().await?;
        loop {
            if self.running.len() < parallel
                && let Some(permit) = budget.try_take(bytes)
            {
                return Ok(Some(permit));
            }
            if self.running.is_empty() {
                return Ok(None);
            }
            self.join().await?;
        }
    }

    /// Waits for a part that has the writer's own memory.
    pub(crate) async fn end_alone(&mut self) -> StoreResult<()> {
        while self.alone && !self.running.is_empty() {
            self.join().await?;
        }
        self.alone = false;
        Ok(())
    }

    /// Adds a part and sends it; `send` makes the request of it.
    pub(crate) fn add<F>(
        &mut self,
        number: u32,
        (content, held): (Bytes, Held),
        permit: Option<OwnedSemaphorePermit>,
        send: impl Fn(u32, Bytes) -> F,
    ) where
        F: Future<Output = StoreResult<String>> + Send + 'static,
    {
        let part = Part { number, tag: String::new(), size: content.len() as u64 };
        self.alone |= permit.is_none();
        let unsent = Unsent { content: content.clone(), _held: held, _permit: permit };
        self.slots.push(Slot { part, unsent: Some(unsent) });
        let (place, request) = (self.slots.len().saturating_sub(1), send(number, content));
        self.running.spawn(async move { (place, request.await) });
    }

    /// Ends what is on its way, and waits until it has ended: nothing is sent behind a cancel. `detached`: the
    /// store carries it out all the same, so it is waited for whole.
    pub(crate) async fn stop(&mut self, detached: bool) {
        if detached {
            while self.running.join_next().await.is_some() {}
        }
        self.running.shutdown().await;
        self.slots.clear();
    }

    /// Frees the memory of the parts that were sent meanwhile, but for one allocation.
    pub(crate) fn look(&mut self) -> StoreResult<Option<Vec<u8>>> {
        while let Some(joined) = self.running.try_join_next() {
            self.joined(Some(joined))?;
        }
        Ok(self.spare.take())
    }

    /// Waits for one part.
    async fn join(&mut self) -> StoreResult<()> {
        let joined = self.running.join_next().await;
        self.joined(joined)
    }

    fn joined(&mut self, joined: Option<Joined>) -> StoreResult<()> {
        match joined {
            None => Ok(()),
            Some(Err(panicked)) => {
                Err(StoreError::failed(ErrorKind::Backend, "sending a part ended early")
                    .with_source(panicked))
            }
            Some(Ok((place, sent))) => {
                self.failed |= sent.is_err();
                let tag = sent?;
                if let Some(slot) = self.slots.get_mut(place) {
                    slot.part.tag = tag;
                    let sent = slot.unsent.take().map(|unsent| unsent.content);
                    self.spare = sent.filter(Bytes::is_unique).map(Vec::from).or(self.spare.take());
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
            if let Some(unsent) = &slot.unsent {
                slot.part.tag = send(slot.part.number, unsent.content.clone()).await?;
                slot.unsent = None;
            }
        }
        (self.alone, self.failed) = (false, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_called_back_is_waited_for() {
        let (sent, arrives) = tokio::sync::oneshot::channel::<()>();
        let mut window = Window::default();
        window.running.spawn(async move {
            (0, arrives.await.map(|()| String::new()).map_err(|_| StoreError::NotFound))
        });
        {
            let mut stop = Box::pin(window.stop(true));
            assert!((&mut stop).now_or_never().is_none());
            sent.send(()).unwrap();
            stop.await;
        }
        window.running.spawn(std::future::pending());
        // This one is called back.
        window.stop(false).await;
        assert!(window.running.is_empty());
    }
}
