//! Digests of bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};
use storagedriver::ErrorKind;
use storagedriver_object::{StoreError, StoreResult};

/// More than this is not hashed on a thread that others wait for: it takes longer than the hand-over.
const INLINE: usize = 256 << 10;

/// The SHA-256 of a body, in hexadecimal digits.
pub(crate) async fn sha256(body: &Bytes) -> StoreResult<String> {
    of_body(body, |body| hex(digest(&SHA256, body).as_ref())).await
}

/// The MD5 of a body, as `Content-MD5` has it.
pub(crate) async fn md5(body: &Bytes) -> StoreResult<String> {
    of_body(body, |body| STANDARD.encode(Md5::digest(body))).await
}

async fn of_body(body: &Bytes, digest: fn(&[u8]) -> String) -> StoreResult<String> {
    if body.len() <= INLINE {
        return Ok(digest(body));
    }
    let body = body.clone();
    let hashed = tokio::task::spawn_blocking(move || digest(&body)).await;
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
