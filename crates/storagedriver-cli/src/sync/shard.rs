//! The splitting of a run over several machines.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::registry::{Algorithm, Digest, Entry};

/// One part of the files, as text `2/4`: the second of four.
///
/// Which part a file belongs to follows from its path alone, so machines that know nothing of one another share
/// the work: each file belongs to exactly one of the parts. A link whose digest stands in its path belongs to the
/// part of the blob with that digest. The choice is the same in every version of this crate: it is the first 64
/// bits of that digest, or of the SHA-256 of a path without one, modulo the number of parts.
///
/// ```
/// use storagedriver_cli::sync::Shard;
///
/// let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
/// assert_eq!(parts.iter().filter(|part| part.has("/some/file")).count(), 1);
/// assert!("0/3".parse::<Shard>().is_err());
/// assert!("4/3".parse::<Shard>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    /// From 1.
    index: NonZeroU32,
    of: NonZeroU32,
}

/// Why some text or two numbers are no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidShard {
    /// Not two whole numbers with a `/` between.
    #[error("a shard is `i/n`, such as 2/4 for the second of four")]
    Form,
    /// The first number is not one of those from 1 to the second.
    #[error("there is no shard {index} of {of}: the first number goes from 1 to the second")]
    Range {
        /// The first number.
        index: u32,
        /// The second.
        of: u32,
    },
}

impl Shard {
    /// The part `index` of `of`, counted from 1.
    ///
    /// # Errors
    /// [`InvalidShard::Range`] unless `1 <= index <= of`.
    pub fn new(index: u32, of: u32) -> Result<Self, InvalidShard> {
        match (NonZeroU32::new(index), NonZeroU32::new(of)) {
            (Some(index), Some(of)) if index <= of => Ok(Shard { index, of }),
            _ => Err(InvalidShard::Range { index, of }),
        }
    }

    /// Which part it is, from 1.
    pub fn index(self) -> u32 {
        self.index.get()
    }

    /// How many parts there are.
    pub fn of(self) -> u32 {
        self.of.get()
    }

    /// Whether the file at `path` belongs to this part.
    pub fn has(self, path: &str) -> bool {
        self.has_entry(&crate::registry::classify(path), path)
    }

    /// As [`has`](Shard::has), where it is known what the file is.
    pub(super) fn has_entry(self, entry: &Entry, path: &str) -> bool {
        let digest = entry.digest().unwrap_or_else(|| Digest::of(Algorithm::Sha256, path.as_bytes()));
        let first = digest.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        first % u64::from(self.of.get()) == u64::from(self.index.get() - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        // `parse` takes a `+` too.
        let number =
            |text: &str| text.parse().ok().filter(|_| !text.starts_with('+')).ok_or(InvalidShard::Form);
        let (index, of) = text.split_once('/').ok_or(InvalidShard::Form)?;
        Shard::new(number(index)?, number(of)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::blob_path;

    #[test]
    fn what_is_no_shard_is_refused_and_told() {
        for bad in ["", "1", "/", "1/", "/2", "a/2", "1/2/3", " 1/2", "+1/2", "-1/2", "1/99999999999"] {
            assert_eq!(bad.parse::<Shard>(), Err(InvalidShard::Form), "{bad}");
        }
        for (index, of) in [(0, 0), (0, 2), (3, 2), (1, 0)] {
            assert_eq!(format!("{index}/{of}").parse::<Shard>(), Err(InvalidShard::Range { index, of }));
        }
        let told = "5/4".parse::<Shard>().unwrap_err().to_string();
        assert!(told.contains("no shard 5 of 4"), "{told}");
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
    }

    /// Machines with other versions of the program share a run.
    #[test]
    fn the_choice_does_not_change() {
        let digest = Digest::of(Algorithm::Sha256, b"");
        let link = Entry::LayerLink { repository: "a/b".to_owned(), digest }.path().unwrap();
        let chosen = |path: &str| (1..=7).find(|&index| Shard::new(index, 7).unwrap().has(path));
        // 0xe3b0c44298fc1c14 % 7 + 1 and, of the other path, 0x14f832b0ce6640ac % 7 + 1.
        assert_eq!((chosen(&blob_path(&digest)), chosen(&link)), (Some(2), Some(2)));
        assert_eq!(chosen("/some/file"), Some(4));
    }

    proptest! {
        #[test]
        fn each_file_belongs_to_one_part(seed: u64, plain in "(/[a-z0-9._-]{1,9}x){1,4}", of in 1..40_u32) {
            let digest = Digest::of(Algorithm::Sha512, &seed.to_le_bytes());
            for path in [plain, blob_path(&digest)] {
                let parts = (1..=of).filter(|&index| Shard::new(index, of).unwrap().has(&path));
                prop_assert_eq!(parts.count(), 1);
            }
        }
    }
}
