//! Which content of a path is meant: inode, time of the last change, and size.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use storagedriver::Version;

use crate::sys::{Meta, Stamp};

/// One version of a file's content. Every publication sets a time that this process never set
/// before, to the nanosecond, so that a later file with the same inode number differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileVersion {
    inode: u64,
    modified: Stamp,
    size: u64,
}

/// The longest text of a version.
const LONGEST_TEXT: usize = 16 + 1 + 16 + 1 + 8 + 1 + 16;

/// Adds a number, without leading zeros. By hand: a walk makes four of these for each file, and
/// formatting them takes as long as asking the kernel.
fn push_hexadecimal(text: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = u32::try_from((number >> (4 * place)) & 0xf).unwrap_or_default();
        text.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

/// The characters of a version, six bits each.
const DIGITS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

/// Room for four numbers of 64 bits, eleven digits each, and what parts them.
const LONGEST_SHORT: usize = 4 * (11 + 1);

/// Numbers as text.
struct Short {
    text: [u8; LONGEST_SHORT],
    length: usize,
}

impl Default for Short {
    fn default() -> Self {
        Short { text: [0; LONGEST_SHORT], length: 0 }
    }
}

impl Short {
    /// Adds a number, its lowest digit first.
    fn push(&mut self, mut number: u64) {
        while number > 0 {
            self.put(DIGITS.get((number & 63) as usize).copied().unwrap_or(b'0'));
            number >>= 6;
        }
    }

    fn put(&mut self, character: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = character;
            self.length += 1;
        }
    }

    fn as_str(&self) -> &str {
        self.text.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl FileVersion {
    pub(crate) fn of(meta: &Meta) -> Self {
        FileVersion { inode: meta.inode, modified: meta.modified, size: meta.size }
    }

    /// As it stands in the name of an upload, and in [`Version`].
    pub(crate) fn to_text(self) -> String {
        let Stamp { seconds, nanoseconds } = self.modified;
        let mut text = String::with_capacity(LONGEST_TEXT);
        for part in [self.inode, seconds.cast_unsigned(), nanoseconds.into(), self.size] {
            if !text.is_empty() {
                text.push('-');
            }
            push_hexadecimal(&mut text, part);
        }
        text
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = || u64::from_str_radix(parts.next()?, 16).ok();
        let (inode, seconds, nanoseconds, size) = (part()?, part()?, part()?, part()?);
        let modified =
            Stamp { seconds: seconds.cast_signed(), nanoseconds: u32::try_from(nanoseconds).ok()? };
        parts.next().is_none().then_some(FileVersion { inode, modified, size })
    }

    /// The same in fewer characters: with them a [`Version`] of an ordinary file stands in place, and
    /// neither a `stat` nor an entry of a walk makes a text on the heap.
    pub(crate) fn version(self) -> Version {
        let mut text = Short::default();
        let Stamp { seconds, nanoseconds } = self.modified;
        for part in [self.inode, seconds.cast_unsigned(), nanoseconds.into()] {
            text.push(part);
            text.put(b'.');
        }
        text.push(self.size);
        Version::new(text.as_str())
    }
}

static LAST: Mutex<u64> = Mutex::new(0);

/// The time in nanoseconds since 1970, later than any that this process was given before and later
/// than `after`.
pub(crate) fn tick(after: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *last = u64::try_from(now).unwrap_or(u64::MAX).max(last.saturating_add(1));
    // A name that claims to be of the far future does not take this process there.
    (*last).max(after.saturating_add(1))
}

/// A time for content that is about to be published.
pub(crate) fn stamp() -> Stamp {
    let now = tick(0);
    Stamp {
        seconds: i64::try_from(now / 1_000_000_000).unwrap_or(i64::MAX),
        nanoseconds: u32::try_from(now % 1_000_000_000).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_text_and_back() {
        for seconds in [0, 1_700_000_000, -5] {
            let version = FileVersion { inode: 77, modified: Stamp { seconds, nanoseconds: 12 }, size: 0 };
            assert_eq!(FileVersion::parse(&version.to_text()), Some(version));
        }
        assert_eq!(FileVersion::parse("1-2-3"), None);
        assert_eq!(FileVersion::parse("1-2-3-4-5"), None);
    }

    #[test]
    fn a_version_is_hexadecimal() {
        for number in [0, 1, 15, 16, 0x0123_4567_89ab_cdef, u64::MAX, i64::MIN.cast_unsigned()] {
            let mut text = String::new();
            push_hexadecimal(&mut text, number);
            assert_eq!(text, format!("{number:x}"));
        }
    }

    #[test]
    fn versions_differ_and_most_are_short() {
        let version = |inode, seconds, nanoseconds, size| {
            FileVersion { inode, modified: Stamp { seconds, nanoseconds }, size }.version()
        };
        let ordinary = version(0x00ff_ffff, 1_800_000_000, 999_999_999, 1 << 20);
        assert!(ordinary.as_str().len() <= 23, "{ordinary}");
        let longest = version(u64::MAX, -1, u32::MAX, u64::MAX);
        assert_eq!(longest.as_str().len(), 3 + 11 + 11 + 6 + 11);
        let edges = [0, 1, 63, 64, 4095, 4096];
        let mut all = std::collections::HashSet::new();
        for inode in edges {
            for seconds in edges {
                for nanoseconds in edges {
                    for size in edges {
                        let nanoseconds = u32::try_from(nanoseconds).unwrap();
                        all.insert(version(inode, seconds.cast_signed(), nanoseconds, size));
                    }
                }
            }
        }
        assert_eq!(all.len(), edges.len().pow(4));
    }

    #[test]
    fn no_two_times_are_equal() {
        let first = tick(0);
        assert!(tick(0) > first);
        let far = first + (1 << 60);
        assert!(tick(far) > far);
        assert!(tick(0) < far);
        assert_ne!(stamp(), stamp());
    }
}
