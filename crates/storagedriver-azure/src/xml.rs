//! The XML of the service, read and written.
//!
//! Read by events: names may begin or end in spaces, and a foreign name must not spoil a page.

use std::time::SystemTime;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What the body of a refusal tells.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) detail: Option<String>,
}

/// One name of a listing.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// Whether it stands for all names that begin with it.
    pub(crate) is_prefix: bool,
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) etag: String,
    pub(crate) copy_status: Option<String>,
    /// Only accounts with a hierarchical namespace tell one.
    pub(crate) resource_type: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Listed>,
    pub(crate) next: Option<String>,
}

/// A key that signs URLs in the name of a user.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DelegationKey {
    pub(crate) object: String,
    pub(crate) tenant: String,
    pub(crate) start: String,
    pub(crate) expiry: String,
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) value: String,
}

pub(crate) fn error(body: &[u8]) -> Told {
    let mut told = Told::default();
    // What is no XML tells nothing.
    let _ = leaves(body, |path, _, text| match path {
        ["Error", "Code"] => told.code = Some(text),
        ["Error", "Message"] => told.message = Some(text),
        ["Error", "AuthenticationErrorDetail"] => told.detail = Some(text),
        _ => {}
    });
    told
}

pub(crate) fn listing(body: &[u8]) -> Result<Listing, String> {
    let mut listing = Listing::default();
    let mut wrong = None;
    leaves(body, |path, encoded, text| {
        let Some(rest) = path.strip_prefix(&["EnumerationResults"]) else { return };
        match rest {
            ["NextMarker"] => listing.next = Some(text).filter(|marker| !marker.is_empty()),
            // The name comes first in each entry.
            ["Blobs", kind, "Name"] => {
                let name = if encoded { percent_decode(&text) } else { Some(text) };
                match name {
                    Some(name) => listing.entries.push(Listed {
                        name,
                        is_prefix: *kind == "BlobPrefix",
                        ..Listed::default()
                    }),
                    None => wrong = Some("a name that is not UTF-8".to_owned()),
                }
            }
            ["Blobs", "Blob", "Properties", property] => {
                let Some(entry) = listing.entries.last_mut() else { return };
                match *property {
                    "Content-Length" => match text.trim().parse() {
                        Ok(size) => entry.size = size,
                        Err(_) => wrong = Some(format!("a size that is no number: {text:?}")),
                    },
                    "Last-Modified" => entry.modified = httpdate::parse_http_date(text.trim()).ok(),
                    "Etag" => entry.etag = text,
                    "CopyStatus" => entry.copy_status = Some(text),
                    "ResourceType" => entry.resource_type = Some(text),
                    _ => {}
                }
            }
            _ => {}
        }
    })?;
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(listing),
    }
}

pub(crate) fn delegation_key(body: &[u8]) -> Result<DelegationKey, String> {
    let mut key = DelegationKey::default();
    leaves(body, |path, _, text| {
        let ["UserDelegationKey", field] = path else { return };
        let place = match *field {
            "SignedOid" => &mut key.object,
            "SignedTid" => &mut key.tenant,
            "SignedStart" => &mut key.start,
            "SignedExpiry" => &mut key.expiry,
            "SignedService" => &mut key.service,
            "SignedVersion" => &mut key.version,
            "Value" => &mut key.value,
            _ => return,
        };
        *place = text;
    })?;
    if key.value.is_empty() { Err("no key in the reply".to_owned()) } else { Ok(key) }
}

/// The body of Put Block List; ids are base64, so nothing has to be escaped.
pub(crate) fn block_list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut body = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for id in ids {
        body.push_str("<Latest>");
        body.push_str(id);
        body.push_str("</Latest>");
    }
    body.push_str("</BlockList>");
    body
}

/// Calls `found` with each element without children: the path to it, whether its text is
/// percent-encoded (names that XML cannot hold are), and the text.
fn leaves(body: &[u8], mut found: impl FnMut(&[&str], bool, String)) -> Result<(), String> {
    let body = std::str::from_utf8(body).map_err(|_| "the reply is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(body.trim_start_matches('\u{feff}'));
    // So that a deep nesting costs nothing.
    const DEEPEST: usize = 16;
    let mut path: Vec<String> = Vec::new();
    let (mut text, mut is_leaf, mut encoded, mut roots) = (String::new(), false, false, 0_u32);
    loop {
        match reader.read_event().map_err(|error| format!("the reply is no XML: {error}"))? {
            Event::Start(start) => {
                roots += u32::from(path.is_empty());
                path.push(String::from_utf8_lossy(start.name().as_ref()).into_owned());
                if path.len() > DEEPEST {
                    return Err("the reply is nested too deeply".to_owned());
                }
                text.clear();
                (is_leaf, encoded) = (true, is_encoded(&start));
            }
            Event::Empty(start) => {
                roots += u32::from(path.is_empty());
                let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
                let names: Vec<&str> = path.iter().map(String::as_str).chain([name.as_str()]).collect();
                found(&names, false, String::new());
                is_leaf = false;
            }
            Event::Text(part) => text.push_str(&part.decode().map_err(|error| error.to_string())?),
            Event::CData(part) => text.push_str(&part.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(character) => character,
                    None => match reference.decode().map_err(|error| error.to_string())?.as_ref() {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        other => return Err(format!("the reply has an unknown reference, {other:?}")),
                    },
                };
                text.push(character);
            }
            Event::End(_) => {
                if is_leaf {
                    let names: Vec<&str> = path.iter().map(String::as_str).collect();
                    found(&names, encoded, std::mem::take(&mut text));
                }
                is_leaf = false;
                path.pop();
            }
            Event::Eof if path.is_empty() && roots > 0 => return Ok(()),
            Event::Eof => return Err("the reply ends early".to_owned()),
            _ => {}
        }
    }
}

fn is_encoded(start: &BytesStart<'_>) -> bool {
    let attribute = start.try_get_attribute("Encoded").ok().flatten();
    attribute.is_some_and(|attribute| attribute.value.eq_ignore_ascii_case(b"true"))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <EnumerationResults ServiceEndpoint=\"https://a/\" ContainerName=\"c\"><Prefix>a</Prefix>\
        <Blobs><Blob><Name>a &amp;&#x41; </Name><Properties><Last-Modified>Sat, 21 Nov 2026 06:00:00 GMT\
        </Last-Modified><Etag>0x8D</Etag><Content-Length>12</Content-Length><Content-Type /></Properties>\
        <OrMetadata /></Blob><BlobPrefix><Name>a/</Name></BlobPrefix>\
        <Blob><Name Encoded=\"true\">a%EF%BF%BF%01</Name><Properties><Content-Length>0</Content-Length>\
        <CopyStatus>pending</CopyStatus><ResourceType>file</ResourceType></Properties></Blob></Blobs>\
        <NextMarker>m&lt;1</NextMarker></EnumerationResults>";

    #[test]
    fn a_page_is_read_as_it_is() {
        let page = listing(PAGE.as_bytes()).unwrap();
        let names: Vec<_> =
            page.entries.iter().map(|entry| (entry.name.as_str(), entry.is_prefix, entry.size)).collect();
        assert_eq!(names, [("a &A ", false, 12), ("a/", true, 0), ("a\u{ffff}\u{1}", false, 0)]);
        assert_eq!(page.entries[0].etag, "0x8D");
        assert!(page.entries[0].modified.is_some());
        assert_eq!(page.entries[2].copy_status.as_deref(), Some("pending"));
        assert_eq!(page.entries[2].resource_type.as_deref(), Some("file"));
        assert_eq!(page.next.as_deref(), Some("m<1"));
    }

    #[test]
    fn an_empty_page_has_no_next() {
        let page = listing(b"<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>").unwrap();
        assert_eq!(page, Listing::default());
    }

    #[test]
    fn what_is_cut_or_no_xml_is_noticed() {
        for end in [0, 5, PAGE.len() / 2, PAGE.len() - 1] {
            let end = (end..).find(|&end| PAGE.is_char_boundary(end)).unwrap();
            assert!(listing(&PAGE.as_bytes()[..end]).is_err(), "{end}");
        }
        let wrong = PAGE.replace("<Content-Length>12", "<Content-Length>many");
        assert!(listing(wrong.as_bytes()).is_err());
    }

    #[test]
    fn errors_are_told() {
        let told = error(
            b"<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code><Message>m\nTime:1</Message></Error>",
        );
        assert_eq!((told.code.as_deref(), told.message.as_deref()), (Some("ServerBusy"), Some("m\nTime:1")));
        assert!(error(b"<html>").code.is_none());
    }
}
