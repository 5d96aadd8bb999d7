//! The bytes of an object: pieces that are shared, never copied.

use std::ops::Range;

use bytes::Bytes;

/// The content of an object, in the pieces in which it arrived. Clones and slices share the memory.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pieces: Vec<Bytes>,
    size: u64,
}

impl Content {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Appends another content.
    pub fn extend(&mut self, other: &Content) {
        self.pieces.extend(other.pieces.iter().filter(|piece| !piece.is_empty()).cloned());
        self.size = self.size.saturating_add(other.size);
    }

    /// The bytes of a range, cut at the end.
    pub fn slice(&self, range: Range<u64>) -> Content {
        let mut found = Content::default();
        let mut offset = 0;
        for piece in &self.pieces {
            let length = piece.len() as u64;
            let from = range.start.saturating_sub(offset).min(length);
            let to = range.end.saturating_sub(offset).min(length);
            if from < to {
                found.pieces.push(piece.slice(index(from)..index(to)));
                found.size = found.size.saturating_add(to - from);
            }
            offset = offset.saturating_add(length);
        }
        found
    }

    /// All of it in one piece.
    pub fn to_bytes(&self) -> Bytes {
        match self.pieces.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => many.concat().into(),
        }
    }
}

/// An offset within a piece, which is in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        let size = bytes.len() as u64;
        Self { pieces: if bytes.is_empty() { Vec::new() } else { vec![bytes] }, size }
    }
}

impl PartialEq<[u8]> for Content {
    fn eq(&self, other: &[u8]) -> bool {
        self.to_bytes() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cross_pieces_and_stop_at_the_end() {
        let mut content = Content::from(Bytes::from_static(b"abc"));
        content.extend(&Bytes::from_static(b"defg").into());
        assert_eq!(content.size(), 7);
        assert_eq!(content.slice(2..4).to_bytes(), "cd");
        assert_eq!(content.slice(0..7).to_bytes(), "abcdefg");
        assert_eq!(content.slice(5..100).to_bytes(), "fg");
        assert_eq!(content.slice(5..100).size(), 2);
        assert_eq!(content.slice(7..9).size(), 0);
    }
}
