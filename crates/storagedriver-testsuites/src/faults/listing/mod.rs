//! Listings, rewritten as text: the XML of S3 and Azure, the JSON of Google Cloud Storage.

use super::Mark;

mod json;
mod xml;

/// A listing that lost its last entries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Truncated {
    pub(super) page: String,
    /// The page that the token leads to.
    pub(super) rest: Option<String>,
}

/// Cuts a listing of S3 or Google Cloud Storage after its first entries; `None` when it is none, or has
/// no more than `keep`. With a `token` the rest is kept for it; without one the page names its last entry,
/// as version 1 of S3's does.
pub(super) fn truncate(listing: &str, keep: usize, mark: Mark, token: Option<&str>) -> Option<Truncated> {
    match token {
        Some(token) if is_json(listing) => json::truncate(listing, keep, mark, token),
        _ => xml::truncate(listing, keep, mark, token),
    }
}

/// Makes the page name `from`, which it was asked for with, as the next; `None` when it is no listing.
/// `token` tells version 2 of S3's from version 1.
pub(super) fn repeat(listing: &str, from: &str, token: bool) -> Option<String> {
    if is_json(listing) { json::repeat(listing, from) } else { xml::repeat(listing, from, token) }
}

/// Whether a listing is in JSON.
pub(super) fn is_json(listing: &str) -> bool {
    listing.trim_start().starts_with('{')
}

/// Percent-decodes a value of a query.
pub(super) fn decode(text: &str) -> String {
    String::from_utf8_lossy(&decode_bytes(text)).into_owned()
}

fn decode_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let decoded = if first == b'%' { after.get(..2).and_then(hex) } else { None };
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = after;
            }
        }
    }
    bytes
}
