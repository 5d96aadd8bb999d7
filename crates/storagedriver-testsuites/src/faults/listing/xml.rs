//! Listings in XML, rewritten as text.
//!
//! Only what the stores write is read: elements without attributes, no comments.

use std::borrow::Cow;

use super::{Truncated, decode_bytes};
use crate::faults::Mark;

const END: &str = "</ListBucketResult>";

/// Cuts an S3 listing after its first entries; `None` when it is no such listing, or has no more than
/// `keep`. With a `token` the listing is of version 2, without one of version 1.
pub(super) fn truncate(listing: &str, keep: usize, mark: Mark, token: Option<&str>) -> Option<Truncated> {
    let (frame, mut entries) = take_apart(listing)?;
    let keep = if mark == Mark::Truncated && token.is_none() { keep.max(1) } else { keep };
    if entries.len() <= keep {
        return None;
    }
    let rest = entries.split_off(keep);
    let truncated = if mark == Mark::Complete { "false" } else { "true" };
    let mut page = set(&frame, "IsTruncated", Some(truncated));
    page = set(&page, "NextContinuationToken", None);
    page = set(&page, "NextMarker", None);
    if mark == Mark::Truncated {
        let last = entries.last().map(|entry| entry.name.as_str());
        page = match token {
            Some(token) => set(&page, "NextContinuationToken", Some(token)),
            None => set(&page, "NextMarker", last),
        };
    }
    let rest = (mark == Mark::Truncated && token.is_some()).then(|| put_together(&frame, &rest));
    Some(Truncated { page: put_together(&page, &entries), rest })
}

/// Makes the page name `from`, which it was asked for with, as the next; `None` when it is no listing.
pub(super) fn repeat(listing: &str, from: &str, token: bool) -> Option<String> {
    let text = escape(from);
    if listing.contains("</EnumerationResults>") {
        return Some(set_before(listing, "NextMarker", Some(&text), "</EnumerationResults>"));
    }
    let (frame, entries) = take_apart(listing)?;
    let frame = set(&frame, "IsTruncated", Some("true"));
    let frame = if token {
        set(&frame, "NextContinuationToken", Some(&text))
    } else if is_encoded(&frame) {
        set(&frame, "NextMarker", Some(&encode(from)))
    } else {
        set(&frame, "NextMarker", Some(&text))
    };
    Some(put_together(&frame, &entries))
}

struct Entry {
    /// As it stands in the listing.
    name: String,
    /// To sort by.
    bytes: Vec<u8>,
    text: String,
}

/// The listing without its entries, and the entries in the order of their names.
fn take_apart(listing: &str) -> Option<(String, Vec<Entry>)> {
    if !listing.contains(END) {
        return None;
    }
    let encoded = is_encoded(listing);
    let mut entries = Vec::new();
    let mut add = |name: &str, text: String| {
        let plain = unescape(name);
        let bytes = if encoded { decode_bytes(&plain) } else { plain.into_owned().into_bytes() };
        entries.push(Entry { name: name.to_owned(), bytes, text });
    };
    let frame = without(listing, "Contents", |block| {
        add(element(block, "Key").unwrap_or_default(), format!("<Contents>{block}</Contents>"));
    });
    let frame = without(&frame, "CommonPrefixes", |block| {
        // Some servers write several prefixes into one.
        without(block, "Prefix", |prefix| {
            add(prefix, format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"));
        });
    });
    entries.sort_by(|one, other| one.bytes.cmp(&other.bytes));
    Some((frame, entries))
}

fn put_together(frame: &str, entries: &[Entry]) -> String {
    let count = element(frame, "KeyCount").map(|_| entries.len().to_string());
    let frame = set(frame, "KeyCount", count.as_deref());
    let all: String = entries.iter().map(|entry| entry.text.as_str()).collect();
    frame.replacen(END, &format!("{all}{END}"), 1)
}

/// The text without its elements of this name, each of which is shown to `seen`.
fn without(text: &str, name: &str, mut seen: impl FnMut(&str)) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (mut left, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(&open) {
        let Some((inside, after)) = after.split_once(&close) else { break };
        left.push_str(before);
        seen(inside);
        rest = after;
    }
    left.push_str(rest);
    left
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(inside, _)| inside)
}

fn set(frame: &str, name: &str, value: Option<&str>) -> String {
    set_before(frame, name, value, END)
}

/// Gives the element this content, or takes it away.
fn set_before(frame: &str, name: &str, value: Option<&str>, end: &str) -> String {
    let bare =
        without(&frame.replace(&format!("<{name}/>"), "").replace(&format!("<{name} />"), ""), name, |_| {});
    match value {
        Some(value) => bare.replacen(end, &format!("<{name}>{value}</{name}>{end}"), 1),
        None => bare,
    }
}

fn is_encoded(listing: &str) -> bool {
    element(listing, "EncodingType") == Some("url")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, after) = after.split_once(';').unwrap_or((after, ""));
        plain.extend(character(name));
        rest = after;
    }
    plain.push_str(rest);
    plain.into()
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(byte);
    let byte = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>3</KeyCount>\
        <NextContinuationToken>next</NextContinuationToken><Contents><Key>a</Key></Contents>\
        <Contents><Key>c&amp;d</Key></Contents><CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>\
        </ListBucketResult>";

    #[test]
    fn the_rest_goes_on_where_the_page_ends_and_leads_where_the_whole_did() {
        let Truncated { page, rest } = truncate(PAGE, 2, Mark::Truncated, Some("mine")).unwrap();
        let rest = rest.unwrap();
        let names = |text: &str| -> Vec<String> {
            take_apart(text).unwrap().1.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(&page), ["a", "b/"], "prefixes and keys are cut in one order");
        assert_eq!(names(&rest), ["c&amp;d"]);
        assert_eq!(element(&page, "NextContinuationToken"), Some("mine"));
        assert_eq!(element(&rest, "NextContinuationToken"), Some("next"));
        assert_eq!((element(&page, "KeyCount"), element(&rest, "KeyCount")), (Some("2"), Some("1")));
    }

    #[test]
    fn version_1_names_the_last_entry_that_stays() {
        let Truncated { page, rest } = truncate(PAGE, 0, Mark::Truncated, None).unwrap();
        assert_eq!(
            (element(&page, "NextMarker"), element(&page, "NextContinuationToken")),
            (Some("a"), None)
        );
        assert_eq!(rest, None);
    }

    #[test]
    fn lies_name_no_token() {
        for (mark, says) in [(Mark::Complete, "false"), (Mark::TruncatedWithoutToken, "true")] {
            let Truncated { page, rest } = truncate(PAGE, 1, mark, Some("mine")).unwrap();
            assert_eq!(element(&page, "IsTruncated"), Some(says));
            assert_eq!((element(&page, "NextContinuationToken"), rest), (None, None));
        }
    }

    #[test]
    fn what_is_short_enough_or_no_listing_stays() {
        assert_eq!(truncate(PAGE, 3, Mark::Complete, None), None);
        assert_eq!(truncate("<Error/>", 0, Mark::Complete, None), None);
        assert_eq!(repeat("<Error/>", "x", true), None);
    }

    #[test]
    fn names_sort_decoded() {
        let page = "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%7E</Key></Contents>\
            <Contents><Key>aA</Key></Contents></ListBucketResult>";
        let Truncated { page, .. } = truncate(page, 1, Mark::Truncated, None).unwrap();
        assert_eq!(element(&page, "NextMarker"), Some("aA"));
    }

    #[test]
    fn a_page_names_itself_in_the_words_of_its_store() {
        let page = repeat(PAGE, "a<b", true).unwrap();
        assert_eq!(element(&page, "NextContinuationToken"), Some("a&lt;b"));
        let azure = "<EnumerationResults><Blobs/><NextMarker /></EnumerationResults>";
        let page = repeat(azure, "from", false).unwrap();
        assert_eq!(page, "<EnumerationResults><Blobs/><NextMarker>from</NextMarker></EnumerationResults>");
        let encoded = "<ListBucketResult><EncodingType>url</EncodingType></ListBucketResult>";
        assert_eq!(element(&repeat(encoded, "a b", false).unwrap(), "NextMarker"), Some("a%20b"));
    }
}
