//! What a writer has accepted and not sent, and the gauge of it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use metrics::{Key, Label, Level, Metadata, SharedString, with_recorder};
use storagedriver::observe::BUFFERED_BYTES;

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Allocations for whole parts are multiples of this.
const STEP: usize = 64 << 10;
/// Parts above this are not allocated before they are received.
const LARGE: usize = 64 << 20;

/// Counts the bytes that the writers of one driver hold.
#[derive(Clone)]
pub(crate) struct Meter(Arc<Key>);

impl Meter {
    pub(crate) fn new(driver: &str) -> Self {
        let label = Label::new("driver", SharedString::from(driver.to_owned()));
        Meter(Arc::new(Key::from_parts(BUFFERED_BYTES, vec![label])))
    }

    /// Counts so many bytes until the guard is dropped.
    pub(crate) fn hold(&self, bytes: usize) -> Held {
        let mut held = Held { meter: self.clone(), bytes: 0 };
        held.set(bytes);
        held
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

/// Bytes that are counted.
#[derive(Debug)]
pub(crate) struct Held {
    meter: Meter,
    bytes: usize,
}

impl Held {
    fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            // Bytes of memory: far below where a float skips numbers.
            let change = bytes as f64 - self.bytes as f64;
            with_recorder(|recorder| recorder.register_gauge(&self.meter.0, &METADATA).increment(change));
            self.bytes = bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The bytes behind the last part that was sent: copies, so that no allocation of a caller is kept.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    held: Held,
}

impl Buffer {
    pub(crate) fn new(meter: &Meter) -> Self {
        Buffer { bytes: Vec::new(), held: meter.hold(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Grows with what it receives, and not past a part of `part` bytes and the bytes at hand.
    pub(crate) fn extend(&mut self, more: &[u8], part: u64) {
        let needed = self.bytes.len().saturating_add(more.len());
        if needed > self.bytes.capacity() {
            let wanted = capacity(needed, more.len(), part);
            self.bytes.reserve_exact(wanted.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(more);
        self.held.set(self.bytes.len());
    }

    /// Goes on in this allocation, if it is larger.
    pub(crate) fn reuse(&mut self, mut spare: Vec<u8>) {
        if spare.capacity() > self.bytes.capacity() {
            spare.clear();
            spare.extend_from_slice(&self.bytes);
            self.bytes = spare;
        }
    }

    /// Takes the first bytes out, in an allocation that the rest does not share.
    pub(crate) fn take(&mut self, length: usize) -> (Bytes, Held) {
        let rest = self.bytes.get(length..).unwrap_or_default().to_vec();
        let mut first = std::mem::replace(&mut self.bytes, rest);
        first.truncate(length);
        let held = self.held.meter.hold(first.len());
        self.held.set(self.bytes.len());
        (first.into(), held)
    }

    /// Puts what follows `before` behind it.
    pub(crate) fn prepend(&mut self, mut before: Buffer, part: u64) {
        before.extend(&self.bytes, part);
        *self = before;
    }

    pub(crate) fn copy(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }
}

/// What to allocate for `needed` bytes of a part. Twice as much each time would leave holes of all
/// sizes in the heap: measured, a third more memory than is in use. So small buffers double, and
/// then one allocation, alike for all parts, holds the rest; what is not written of it takes no memory.
fn capacity(needed: usize, more: usize, part: u64) -> usize {
    let part = usize::try_from(part).unwrap_or(usize::MAX);
    let whole = part.saturating_add(more).checked_next_multiple_of(STEP).unwrap_or(usize::MAX);
    let doubled = needed.checked_next_power_of_two().unwrap_or(needed);
    let wanted = if needed > part / 8 && part <= LARGE { whole } else { doubled.min(whole) };
    wanted.max(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_does_not_grow_past_a_part_and_a_chunk() {
        let mut buffer = Buffer::new(&Meter::new("test"));
        for round in 0..100 {
            buffer.extend(&[round; 1000], 50_000);
            if buffer.len() >= 50_000 {
                let (part, _) = buffer.take(50_000);
                assert_eq!((part.len(), part[0]), (50_000, round - 49));
            }
            assert!(buffer.bytes.capacity() <= STEP, "{}", buffer.bytes.capacity());
        }
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_part_does_not_keep_the_memory_of_the_rest() {
        let mut buffer = Buffer::new(&Meter::new("test"));
        buffer.extend(&[1; 1000], 600);
        let (part, _) = buffer.take(600);
        let place = buffer.bytes.as_ptr();
        assert!(!part.as_ptr_range().contains(&place));
        assert_eq!((part.len(), buffer.len()), (600, 400));
    }
}
