//! List Blobs.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blobs::{BLOB_TYPE, blob_type};
use super::conditions::container;
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::{START_FROM_VERSION, Service};
use crate::call::{Call, Outgoing, http_date};
use crate::store::{Bucket, Content, Fields, Name, Query, StoredObject, page};
use crate::{uri, xml};

impl Service {
    pub(super) fn list(&self, call: &Call, place: &Place) -> Answer {
        let asked = match call.parameter("maxresults").map(str::parse::<usize>) {
            None => 5000,
            Some(Ok(count)) if count > 0 => count,
            Some(_) => return Err(Refused::parameter("maxresults")),
        };
        let after = match call.parameter("marker") {
            None => None,
            Some(marker) => Some(read_marker(marker).ok_or_else(|| Refused::parameter("marker"))?),
        };
        // Older versions do not know it, and take no notice.
        let knows_start = call.header("x-ms-version").is_some_and(|version| version >= START_FROM_VERSION);
        let query = Query {
            prefix: call.parameter("prefix").unwrap_or_default().to_owned(),
            delimiter: call.parameter("delimiter").map(str::to_owned),
            after,
            from: call.parameter("startFrom").filter(|_| knows_start).map(str::to_owned),
            limit: asked.min(self.options.page_size),
            unordered: false,
        };
        let include: Vec<&str> = call.parameter("include").unwrap_or_default().split(',').collect();
        let mut state = self.store.lock();
        let found = container(&mut state, &place.container)?;
        let listing = if include.contains(&"uncommittedblobs") {
            page(&with_uncommitted(found), &query)
        } else {
            page(&found.objects, &query)
        };
        let mut text = format!(
            "<EnumerationResults ServiceEndpoint=\"http://127.0.0.1/\" ContainerName=\"{}\">",
            xml::escape(&place.container)
        );
        text += &xml::element("Prefix", &query.prefix);
        text += &xml::element("MaxResults", &asked.to_string());
        if let Some(delimiter) = &query.delimiter {
            text += &xml::element("Delimiter", delimiter);
        }
        text += "<Blobs>";
        for name in &listing.names {
            match name {
                Name::Prefix(prefix) => text += &format!("<BlobPrefix>{}</BlobPrefix>", named(prefix)),
                Name::Key(key, object) => text += &entry(key, object, &include),
            }
        }
        text += "</Blobs>";
        let next = listing.next.map(|next| STANDARD.encode(next)).unwrap_or_default();
        text += &xml::element("NextMarker", &next);
        Ok(Outgoing::ok().xml(&(text + "</EnumerationResults>")))
    }
}

fn read_marker(marker: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(marker).ok()?).ok()
}

/// The blobs, and the names that have nothing but blocks that were not committed.
fn with_uncommitted(found: &Bucket) -> BTreeMap<String, StoredObject> {
    let mut all = found.objects.clone();
    for name in found.blocks.keys() {
        all.entry(name.clone()).or_insert_with(|| StoredObject {
            content: Content::default(),
            metadata: Fields::new(),
            properties: [(BLOB_TYPE.to_owned(), "BlockBlob".to_owned())].into(),
            blocks: Vec::new(),
            etag: "0x0".to_owned(),
            generation: 0,
            metageneration: 0,
            modified: SystemTime::UNIX_EPOCH,
        });
    }
    all
}

/// The element with a name; one that XML cannot hold is percent-encoded.
fn named(name: &str) -> String {
    let valid = |letter: char| matches!(letter, '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if name.chars().all(valid) {
        return xml::element("Name", name);
    }
    format!("<Name Encoded=\"true\">{}</Name>", uri::encode(name))
}

fn entry(key: &str, object: &StoredObject, include: &[&str]) -> String {
    let property = |name: &str| object.properties.get(name).map(String::as_str);
    let mut text = format!("<Blob>{}<Properties>", named(key));
    text += &xml::element("Creation-Time", &http_date(object.modified));
    text += &xml::element("Last-Modified", &http_date(object.modified));
    text += &xml::element("Etag", &object.etag);
    text += &xml::element("Content-Length", &object.content.size().to_string());
    text += &xml::element("Content-Type", property("content-type").unwrap_or("application/octet-stream"));
    text += &xml::element("Content-MD5", property("content-md5").unwrap_or_default());
    text += &xml::element("BlobType", blob_type(object));
    text +=
        "<AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>";
    if include.contains(&"copy") {
        let elements = [
            ("x-ms-copy-id", "CopyId"),
            ("x-ms-copy-source", "CopySource"),
            ("x-ms-copy-status", "CopyStatus"),
            ("x-ms-copy-progress", "CopyProgress"),
        ];
        for (header, element) in elements {
            text += &property(header).map(|value| xml::element(element, value)).unwrap_or_default();
        }
    }
    text += "<ServerEncrypted>true</ServerEncrypted></Properties>";
    if include.contains(&"metadata") {
        text += "<Metadata>";
        for (name, value) in &object.metadata {
            text += &xml::element(name, value);
        }
        text += "</Metadata>";
    }
    text + "<OrMetadata /></Blob>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_xml_cannot_hold_are_encoded() {
        assert_eq!(named("a&b"), "<Name>a&amp;b</Name>");
        assert_eq!(named("a\u{1}b"), "<Name Encoded=\"true\">a%01b</Name>");
    }
}
