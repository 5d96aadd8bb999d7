//! The object that an upload is kept in between its writers.
//!
//! One line of text with what `uploads` needs, one line of JSON with the rest, then the tail: the
//! bytes that are shorter than a part. The first line ends in the SHA-256 of all that follows it.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Part;

const MAGIC: &str = "storagedriver-upload";
const VERSION: &str = "1";
/// More than the longest first line: what `uploads` reads of a session.
pub(crate) const HEAD: u64 = 4096;

/// Whether an upload goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Open,
    /// A commit was begun; it is done if the path holds what has this mark.
    Committing(String),
    /// It is being aborted.
    Ending,
}

/// The content that an append goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    pub(crate) version: String,
    pub(crate) size: u64,
    pub(crate) bytes: BaseBytes,
}

/// Where the bytes of a base are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BaseBytes {
    /// At the path, to be taken before the first part.
    AtPath,
    /// Among the parts.
    Taken,
    /// Nowhere: the content was replaced before they were taken. The upload goes on, for only a
    /// commit may tell of it.
    Gone,
}

/// What is durable of an upload: all but its tail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) path: String,
    pub(crate) nonce: String,
    /// Raised by each close: of the writers that resumed one generation, one can end it.
    pub(crate) generation: u64,
    /// Different each time that it is written, so that a writer knows its own.
    pub(crate) token: String,
    pub(crate) state: State,
    /// The size as last closed; `None` if it never was.
    pub(crate) size: Option<u64>,
    /// The store's name of the multipart upload.
    pub(crate) upload: Option<String>,
    pub(crate) part_size: u64,
    pub(crate) parts: Vec<Part>,
    /// The first part number that no writer has been given.
    pub(crate) free: u32,
    pub(crate) base: Option<Base>,
    /// Whether a writer resumed it after another had begun to commit it: whose commit completes the
    /// multipart upload cannot be told then.
    pub(crate) contested: bool,
}

/// The first line of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: Option<u64>,
    pub(crate) state: State,
    pub(crate) upload: Option<String>,
}

impl Session {
    pub(crate) fn encode(&self, tail: &[u8]) -> Option<Bytes> {
        let json = serde_json::to_vec(self).ok()?;
        let mut sum = Sha256::new();
        sum.update(&json);
        sum.update(b"\n");
        sum.update(tail);
        let size = self.size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        let state = match &self.state {
            State::Open => "open".to_owned(),
            State::Committing(mark) => format!("committing={mark}"),
            State::Ending => "ending".to_owned(),
        };
        let upload = self.upload.as_deref().unwrap_or("-");
        let first = format!("{MAGIC} {VERSION} {size} {state} {upload} {}\n", hex(&sum.finalize()));
        let mut encoded = BytesMut::with_capacity(first.len() + json.len() + 1 + tail.len());
        encoded.put(first.as_bytes());
        encoded.put(json.as_slice());
        encoded.put_u8(b'\n');
        encoded.put(tail);
        Some(encoded.freeze())
    }

    /// The session and its tail; `None` if the bytes are not those of a session.
    pub(crate) fn decode(encoded: &Bytes) -> Option<(Session, Bytes)> {
        let first_end = encoded.iter().position(|&byte| byte == b'\n')?;
        let first = std::str::from_utf8(encoded.get(..first_end)?).ok()?;
        let rest = encoded.slice(first_end.checked_add(1)?..);
        if Head::decode(encoded).is_none() || first.rsplit(' ').next()? != hex(&Sha256::digest(&rest)) {
            return None;
        }
        let json_end = rest.iter().position(|&byte| byte == b'\n')?;
        let session = serde_json::from_slice(rest.get(..json_end)?).ok()?;
        Some((session, rest.slice(json_end.checked_add(1)?..)))
    }
}

impl Head {
    /// From the first bytes of a session.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Head> {
        let line = encoded.split(|&byte| byte == b'\n').next()?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        if words.next()? != MAGIC || words.next()? != VERSION {
            return None;
        }
        let size = match words.next()? {
            "-" => None,
            size => Some(size.parse().ok()?),
        };
        let state = match words.next()? {
            "open" => State::Open,
            "ending" => State::Ending,
            state => State::Committing(state.strip_prefix("committing=")?.to_owned()),
        };
        let upload = Some(words.next()?).filter(|id| *id != "-").map(str::to_owned);
        words.next()?;
        Some(Head { size, state, upload })
    }
}

/// The mark of what a writer publishes: all who complete a multipart upload leave the nonce; of others
/// each has its own.
pub(crate) fn mark(session: &Session, writer: &str) -> String {
    match session.upload {
        Some(_) => session.nonce.clone(),
        None => format!("{}.{}.{writer}", session.nonce, session.generation),
    }
}

/// Whether two marks are of one upload, in one generation where both tell it.
pub(crate) fn same_upload(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    one.next() == other.next() && one.next().zip(other.next()).is_none_or(|(one, other)| one == other)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A name that no other has: in the order of time, then random.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_micros());
    let mut random = RandomState::new().build_hasher();
    random.write_u64(COUNT.fetch_add(1, Ordering::Relaxed));
    random.write_u32(std::process::id());
    format!("{micros:015x}{:016x}", random.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            path: "/a".into(),
            nonce: "n".into(),
            generation: 3,
            token: unique(),
            state: State::Committing("n.3".into()),
            size: Some(7),
            upload: Some("id/+=".into()),
            part_size: 5,
            parts: vec![Part { number: 2, tag: "\"t\"".into(), size: 5 }],
            free: 3,
            base: None,
            contested: false,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let encoded = session().encode(b"\n\0tail").unwrap();
        let (read, tail) = Session::decode(&encoded).unwrap();
        assert_eq!((read.nonce, &tail[..]), ("n".to_owned(), &b"\n\0tail"[..]));
        let head = Head::decode(&encoded[..120]).unwrap();
        assert_eq!((head.size, head.state), (Some(7), State::Committing("n.3".into())));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let encoded = session().encode(b"tail").unwrap();
        for place in (0..encoded.len()).filter(|&place| place > encoded.len() - 20) {
            let mut changed = encoded.to_vec();
            changed[place] ^= 1;
            assert_eq!(Session::decode(&changed.into()), None, "byte {place}");
        }
        assert_eq!(Session::decode(&encoded.slice(..encoded.len() - 1)), None, "a tail cut short");
        assert_eq!(Session::decode(&Bytes::from_static(b"other")), None);
    }

    #[test]
    fn names_are_unique_and_in_the_order_of_time() {
        let names: Vec<String> = (0..1000).map(|_| unique()).collect();
        let set: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(set.len(), 1000);
        assert!(names.windows(2).all(|pair| pair[0][..15] <= pair[1][..15]));
    }
}
