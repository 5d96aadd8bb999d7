//! Content as the chunks it came in.

use std::ops::Range;
use std::sync::Arc;

use storagedriver::bytes::{Bytes, BytesMut};

/// Chunks below this are gathered, so that many small writes do not cost an allocation each.
const SMALL: usize = 64 * 1024;

/// Content that nobody changes any more. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) enum Rope {
    /// What came in one piece needs no list of pieces.
    One(Bytes),
    Many {
        chunks: Arc<[Bytes]>,
        size: u64,
    },
}

impl Rope {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Rope::One(chunk) => chunk.len() as u64,
            Rope::Many { size, .. } => *size,
        }
    }

    /// All of it; shared if it is one chunk.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Rope::One(chunk) => chunk,
            Rope::Many { chunks, .. } => chunks.concat().into(),
        }
    }

    fn chunks(&self) -> &[Bytes] {
        match self {
            Rope::One(chunk) => std::slice::from_ref(chunk),
            Rope::Many { chunks, .. } => chunks,
        }
    }

    /// The chunks that cover `range`, cut to it.
    pub(crate) fn into_range(self, range: Range<u64>) -> impl Iterator<Item = Bytes> + Send + 'static {
        let mut place = 0;
        let mut start: u64 = 0;
        std::iter::from_fn(move || {
            loop {
                let chunk = self.chunks().get(place)?;
                let end = start + chunk.len() as u64;
                let (from, to) = (range.start.max(start), range.end.min(end));
                let (offset, before) = (start, from < to);
                place += 1;
                start = end;
                if before {
                    // Both differences are within the chunk, whose length is a usize.
                    return Some(chunk.slice((from - offset) as usize..(to - offset) as usize));
                }
                if start >= range.end {
                    return None;
                }
            }
        })
    }
}

impl From<Bytes> for Rope {
    fn from(chunk: Bytes) -> Self {
        Rope::One(chunk)
    }
}

/// Content that a writer adds to.
#[derive(Debug, Default)]
pub(crate) struct RopeBuilder {
    chunks: Vec<Bytes>,
    tail: BytesMut,
    size: u64,
}

impl RopeBuilder {
    /// Goes on after `start`.
    pub(crate) fn after(start: &Rope) -> Self {
        RopeBuilder { chunks: start.chunks().to_vec(), tail: BytesMut::new(), size: start.size() }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn push(&mut self, chunk: Bytes) {
        self.size += chunk.len() as u64;
        if chunk.len() < SMALL {
            self.tail.extend_from_slice(&chunk);
            if self.tail.len() >= SMALL {
                self.seal();
            }
        } else {
            self.seal();
            self.chunks.push(chunk);
        }
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(self.tail.split().freeze());
        }
    }

    /// What was pushed so far.
    pub(crate) fn snapshot(&mut self) -> Rope {
        self.seal();
        match self.chunks.as_slice() {
            [] => Rope::One(Bytes::new()),
            [one] => Rope::One(one.clone()),
            many => Rope::Many { chunks: Arc::from(many), size: self.size },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(lengths: &[usize]) -> (Rope, Vec<u8>) {
        let mut builder = RopeBuilder::default();
        let mut flat = Vec::new();
        for (place, &length) in lengths.iter().enumerate() {
            let chunk = vec![place as u8; length];
            flat.extend_from_slice(&chunk);
            builder.push(chunk.into());
        }
        (builder.snapshot(), flat)
    }

    #[test]
    fn small_chunks_are_gathered_and_large_ones_shared() {
        let (rope, flat) = built(&[1; 1000]);
        assert_eq!(rope.chunks().len(), 1);
        assert_eq!(rope.clone().into_bytes(), flat);
        let large = Bytes::from(vec![7; SMALL]);
        let mut builder = RopeBuilder::default();
        builder.push(large.clone());
        assert_eq!(builder.snapshot().chunks()[0].as_ptr(), large.as_ptr());
    }

    #[test]
    fn every_range_of_several_chunks() {
        let (rope, flat) = built(&[3, SMALL, 1, SMALL + 1, 2]);
        assert_eq!(rope.size(), flat.len() as u64);
        let edges = [0, 1, 3, 4, SMALL + 2, SMALL + 3, SMALL + 4, 2 * SMALL + 5, flat.len() - 1, flat.len()];
        for &start in &edges {
            for &end in edges.iter().filter(|&&end| end >= start) {
                let read: Vec<u8> = rope
                    .clone()
                    .into_range(start as u64..end as u64)
                    .flat_map(|chunk| chunk.to_vec())
                    .collect();
                assert_eq!(read, flat[start..end], "{start}..{end}");
            }
        }
        assert_eq!(Rope::from(Bytes::new()).into_range(0..0).count(), 0);
    }

    #[test]
    fn a_builder_goes_on_after_a_rope_and_leaves_it_as_it_is() {
        let (rope, flat) = built(&[5]);
        let mut builder = RopeBuilder::after(&rope);
        builder.push(Bytes::from_static(b"more"));
        assert_eq!(builder.snapshot().into_bytes(), [&flat[..], b"more"].concat());
        assert_eq!(rope.clone().into_bytes(), flat);
    }
}
