//! What has to be in a storage, and random choices.

use std::collections::BTreeMap;

use storagedriver::bytes::Bytes;

/// Below it lies what is compared with the model.
pub(crate) const KEPT: &str = "/soak";
/// Below it lies what futures that were dropped may or may not have done.
pub(crate) const DROPPED: &str = "/dropped";

/// Files and closed uploads, by path.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) files: BTreeMap<String, Bytes>,
    pub(crate) uploads: BTreeMap<String, Bytes>,
}

/// Numbers that a seed determines.
#[derive(Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // Xorshift: the low bits are as good as the others.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// One of twenty paths in four directories.
    pub(crate) fn path(&mut self) -> String {
        format!("{KEPT}/d{}/f{}", self.below(4), self.below(5))
    }

    /// Mostly a few kilobytes; now and then more than a driver holds back.
    pub(crate) fn content(&mut self) -> Bytes {
        let length = match self.below(200) {
            0 => 6 << 20,
            1..10 => self.below(400_000),
            _ => self.below(5_000),
        };
        let first = self.below(251) as usize;
        (0..length as usize).map(|place| ((place + first) % 251) as u8).collect::<Vec<u8>>().into()
    }
}
