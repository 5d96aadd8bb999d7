//! Digests of content.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The algorithms that a registry accepts in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, what nearly every registry holds.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in the order of the enumeration.
    pub const ALL: &'static [Algorithm] = &[Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];

    /// The name in a digest and, as none of them holds `+`, `.` or `;`, in a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name)
    }

    /// How many bytes a digest has.
    pub fn length(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
            Algorithm::Sha512 => 64,
        }
    }

    /// Begins the digest of some content.
    pub fn digester(self) -> Digester {
        match self {
            Algorithm::Sha256 => Digester::Sha256(Sha256::new()),
            Algorithm::Sha384 => Digester::Sha384(Sha384::new()),
            Algorithm::Sha512 => Digester::Sha512(Sha512::new()),
        }
    }
}

/// The digest of some content, as text `<algorithm>:<hex>`.
///
/// The order is that of the paths of the blobs: by algorithm, then by bytes.
///
/// ```
/// use storagedriver_cli::registry::{Algorithm, Digest};
///
/// let digest = Digest::of(Algorithm::Sha256, b"");
/// let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(digest.to_string(), text);
/// assert_eq!(text.parse(), Ok(digest));
/// assert!("sha256:E3B0".parse::<Digest>().is_err());
/// ```
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: Algorithm,
    /// Zero behind the length of the algorithm.
    bytes: [u8; 64],
}

/// Why some text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDigest {
    /// There is no `:`.
    #[error("a digest is `<algorithm>:<hex>`")]
    Form,
    /// The algorithm is not one of [`Algorithm::ALL`].
    #[error("its algorithm is not sha256, sha384 or sha512")]
    Algorithm,
    /// Another number of characters than the algorithm has, or one that is not `0-9a-f`.
    #[error("its second part is not as many characters 0-9 a-f as the algorithm has")]
    Hex,
}

impl Digest {
    /// The digest of `content`.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut digester = algorithm.digester();
        digester.update(content);
        digester.finish()
    }

    /// A digest from its two parts.
    ///
    /// # Errors
    /// [`InvalidDigest::Hex`]: upper case is refused too, as registries do.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Result<Self, InvalidDigest> {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != algorithm.length() || !rest.is_empty() {
            return Err(InvalidDigest::Hex);
        }
        let mut bytes = [0; 64];
        for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
            let (Some(high), Some(low)) = (nibble(high), nibble(low)) else {
                return Err(InvalidDigest::Hex);
            };
            *byte = high << 4 | low;
        }
        Ok(Digest { algorithm, bytes })
    }

    /// A digest from its bytes; `None` if there are not as many as the algorithm has.
    pub fn from_bytes(algorithm: Algorithm, found: &[u8]) -> Option<Self> {
        let mut bytes = [0; 64];
        bytes
            .get_mut(..algorithm.length())
            .filter(|place| place.len() == found.len())?
            .copy_from_slice(found);
        Some(Digest { algorithm, bytes })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes, as many as the algorithm has.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.length()).unwrap_or_default()
    }

    /// The second part of the text.
    pub fn hex(&self) -> String {
        let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
        self.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Digest {}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.algorithm.cmp(&other.algorithm).then_with(|| self.bytes.cmp(&other.bytes))
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.algorithm.hash(state);
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (algorithm, hex) = text.split_once(':').ok_or(InvalidDigest::Form)?;
        Self::from_hex(Algorithm::named(algorithm).ok_or(InvalidDigest::Algorithm)?, hex)
    }
}

/// A digest in the making.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Digester {
    /// With SHA-256.
    Sha256(Sha256),
    /// With SHA-384.
    Sha384(Sha384),
    /// With SHA-512.
    Sha512(Sha512),
}

impl Digester {
    /// Takes the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Digester::Sha256(hasher) => hasher.update(bytes),
            Digester::Sha384(hasher) => hasher.update(bytes),
            Digester::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of what was taken.
    pub fn finish(self) -> Digest {
        fn padded(found: &[u8]) -> [u8; 64] {
            let mut bytes = [0; 64];
            for (place, &byte) in bytes.iter_mut().zip(found) {
                *place = byte;
            }
            bytes
        }
        let (algorithm, bytes) = match self {
            Digester::Sha256(hasher) => (Algorithm::Sha256, padded(&hasher.finalize())),
            Digester::Sha384(hasher) => (Algorithm::Sha384, padded(&hasher.finalize())),
            Digester::Sha512(hasher) => (Algorithm::Sha512, padded(&hasher.finalize())),
        };
        Digest { algorithm, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_and_back() {
        for &algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, b"content");
            assert_eq!(digest.as_bytes().len(), algorithm.length());
            assert_eq!(digest.to_string().parse(), Ok(digest));
            assert_eq!(Digest::from_bytes(algorithm, digest.as_bytes()), Some(digest));
            assert_eq!(Digest::from_bytes(algorithm, &digest.as_bytes()[1..]), None);
        }
    }

    #[test]
    fn what_is_no_digest() {
        let hex = Digest::of(Algorithm::Sha256, b"").hex();
        assert_eq!(hex.parse::<Digest>(), Err(InvalidDigest::Form));
        assert_eq!("".parse::<Digest>(), Err(InvalidDigest::Form));
        assert_eq!(format!("md5:{hex}").parse::<Digest>(), Err(InvalidDigest::Algorithm));
        for bad in [&hex[1..], &hex[2..], &format!("{hex}0"), &hex.to_uppercase(), &hex.replace('e', "g")] {
            assert_eq!(format!("sha256:{bad}").parse::<Digest>(), Err(InvalidDigest::Hex), "{bad}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_text() {
        let digests: Vec<Digest> = Algorithm::ALL
            .iter()
            .flat_map(|&algorithm| (0..9u8).map(move |byte| Digest::of(algorithm, &[byte])))
            .collect();
        for a in &digests {
            for b in &digests {
                assert_eq!(a.cmp(b), a.to_string().cmp(&b.to_string()));
            }
        }
    }
}
