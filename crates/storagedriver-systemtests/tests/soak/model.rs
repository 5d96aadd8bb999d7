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
    pub(crate) uploads: BTreeMap<String, Upload>,
    /// Which number a file got when it was written last, and the last number.
    written: BTreeMap<String, u64>,
    last: u64,
}

/// An upload that was closed, or is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    pub(crate) content: Bytes,
    /// The file that an append began with: its number and content.
    pub(crate) began_with: Option<(u64, Bytes)>,
}

impl Model {
    pub(crate) fn write(&mut self, path: &str, content: Bytes) {
        self.last += 1;
        self.written.insert(path.to_owned(), self.last);
        self.files.insert(path.to_owned(), content);
    }

    /// What a writer that appends goes on with.
    pub(crate) fn append(&self, path: &str) -> Option<Upload> {
        let file = || {
            let content = self.files.get(path)?.clone();
            Some(Upload { began_with: Some((self.written[path], content.clone())), content })
        };
        self.uploads.get(path).cloned().or_else(file)
    }

    /// Whether an upload's commit may succeed: not if the file that it began with has other bytes now.
    pub(crate) fn may_commit(&self, path: &str, upload: &Upload) -> bool {
        upload.began_with.as_ref().is_none_or(|(_, content)| self.files.get(path) == Some(content))
    }

    /// Whether it may be a conflict: only if that file was replaced.
    pub(crate) fn may_conflict(&self, path: &str, upload: &Upload) -> bool {
        let untouched = |number: &u64| self.files.contains_key(path) && self.written[path] == *number;
        upload.began_with.as_ref().is_some_and(|(number, _)| !untouched(number))
    }
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
