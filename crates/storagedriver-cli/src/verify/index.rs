//! The digests of all blobs, on disk in the order of the walk.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use super::spool::{read_digest, write_digest};
use crate::registry::Digest;

/// Digests are looked for, and written, in blocks of so many bytes.
const BLOCK: usize = 4096;
/// So many of the digests that blocks begin with are in memory: 2 MB.
const FENCES: usize = 32_768;

/// Takes digests in rising order and tells whether one is among them. They go to an unnamed temporary file, so
/// memory does not grow with their number; a few reads of a block find one.
#[derive(Debug)]
pub(super) struct Index {
    file: File,
    /// The block that is being filled, not yet in the file.
    last: Vec<u8>,
    newest: Option<Digest>,
    blocks: usize,
    /// What each block begins with, but of `stride` blocks only the first.
    fences: Vec<Digest>,
    stride: usize,
    limit: usize,
}

impl Index {
    pub(super) fn new() -> io::Result<Self> {
        Index::with_fences(FENCES)
    }

    fn with_fences(limit: usize) -> io::Result<Self> {
        Ok(Index {
            file: tempfile::tempfile()?,
            last: Vec::with_capacity(BLOCK),
            newest: None,
            blocks: 0,
            fences: Vec::new(),
            stride: 1,
            limit,
        })
    }

    /// Takes a digest.
    ///
    /// # Errors
    /// It is not greater than the one before: the driver does not walk in the order of keys. Or the file cannot be
    /// written.
    pub(super) fn push(&mut self, digest: &Digest) -> io::Result<()> {
        if let Some(newest) = self.newest.filter(|newest| newest >= digest) {
            let reason = format!("the walk shows {digest} after {newest}, which is not the order of keys");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        // An algorithm's number and the bytes.
        if self.last.len() + 1 + digest.as_bytes().len() > BLOCK {
            self.flush()?;
        }
        if self.last.is_empty() && self.blocks.is_multiple_of(self.stride) {
            self.fence(*digest);
        }
        self.newest = Some(*digest);
        write_digest(&mut self.last, digest)
    }

    fn fence(&mut self, digest: Digest) {
        if self.fences.len() >= self.limit {
            let mut number = 0_usize;
            self.fences.retain(|_| {
                number += 1;
                !number.is_multiple_of(2)
            });
            self.stride *= 2;
        }
        if self.blocks.is_multiple_of(self.stride) {
            self.fences.push(digest);
        }
    }

    /// Writes the block, filled up with what is no algorithm's number.
    fn flush(&mut self) -> io::Result<()> {
        self.last.resize(BLOCK, u8::MAX);
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(&self.last)?;
        self.last.clear();
        self.blocks += 1;
        Ok(())
    }

    fn block(&mut self, number: usize) -> io::Result<Vec<u8>> {
        if number == self.blocks {
            return Ok(self.last.clone());
        }
        let mut block = vec![0; BLOCK];
        self.file.seek(SeekFrom::Start(number as u64 * BLOCK as u64))?;
        self.file.read_exact(&mut block)?;
        Ok(block)
    }

    /// Whether the digest was taken.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn contains(&mut self, digest: &Digest) -> io::Result<bool> {
        let Some(fence) = self.fences.partition_point(|fence| fence <= digest).checked_sub(1) else {
            return Ok(false);
        };
        // The last block of these that begins with no more than the digest holds it, if any does.
        let all = self.blocks + usize::from(!self.last.is_empty());
        let (mut low, mut high) = (fence * self.stride, ((fence + 1) * self.stride).min(all));
        loop {
            let middle = low + (high - low) / 2;
            let block = self.block(middle)?;
            if middle > low && first(&block)?.is_none_or(|first| first > *digest) {
                high = middle;
            } else if high - middle > 1 {
                low = middle;
            } else {
                return holds(&block, digest);
            }
        }
    }

    /// All that was taken, in order.
    pub(super) fn into_sorted(mut self) -> io::Result<impl Iterator<Item = io::Result<Digest>>> {
        self.flush()?;
        self.file.rewind()?;
        let mut file = BufReader::new(self.file);
        let mut block = io::Cursor::new(Vec::new());
        let mut left = self.blocks;
        let mut next = move || {
            loop {
                if let Some(digest) = read_digest(&mut block)? {
                    return Ok(Some(digest));
                }
                if left == 0 {
                    return Ok(None);
                }
                left -= 1;
                let mut read = vec![0; BLOCK];
                file.read_exact(&mut read)?;
                block = io::Cursor::new(read);
            }
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }
}

/// The digest that a block begins with.
fn first(mut block: &[u8]) -> io::Result<Option<Digest>> {
    read_digest(&mut block)
}

fn holds(mut block: &[u8], digest: &Digest) -> io::Result<bool> {
    while let Some(found) = read_digest(&mut block)? {
        if found >= *digest {
            return Ok(found == *digest);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::registry::Algorithm;

    fn digest(seed: u64) -> Digest {
        let algorithm = Algorithm::ALL[seed as usize % Algorithm::ALL.len()];
        Digest::of(algorithm, &seed.to_le_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_taken_is_found_and_nothing_else(
            seeds in prop::collection::btree_set(0..4000_u64, 0..2500), limit in 1..40_usize,
        ) {
            let taken: BTreeSet<Digest> = seeds.iter().map(|&seed| digest(seed)).collect();
            let mut index = Index::with_fences(limit).unwrap();
            for digest in &taken {
                index.push(digest).unwrap();
            }
            prop_assert!(index.fences.len() <= limit.max(1));
            for seed in 0..4000 {
                prop_assert_eq!(index.contains(&digest(seed)).unwrap(), seeds.contains(&seed));
            }
            let sorted: Vec<Digest> = index.into_sorted().unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(sorted, taken.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_walk_in_another_order_is_noticed() {
        let (small, large) = (digest(1).min(digest(4)), digest(1).max(digest(4)));
        for second in [small, large] {
            let mut index = Index::new().unwrap();
            index.push(&large).unwrap();
            assert!(index.push(&second).unwrap_err().to_string().contains("order of keys"));
        }
    }
}
