//! Digests of bodies.

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use storagedriver::ErrorKind;
use storagedriver_object::{StoreError, StoreResult};

/// More than this is not hashed on a thread that others wait for: it takes longer than the hand-over.
const INLINE: usize = 256 << 10;

/// The SHA-256 of a body, in hexadecimal digits.
pub(crate) async fn of_body(body: &Bytes) -> StoreResult<String> {
    if body.len() <= INLINE {
        return Ok(hex(digest(&SHA256, body).as_ref()));
    }
    let body = body.clone();
    let hashed = tokio::task::spawn_blocking(move || hex(digest(&SHA256, &body).as_ref())).await;
    hashed.map_err(|error| {
        StoreError::failed(ErrorKind::Backend, "the digest of a body was not finished").with_source(error)
    })
}

/// In lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal digits; `None` if they are not.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len().is_multiple_of(2).then(|| text.as_bytes().chunks(2).map(pair).collect())?
}
