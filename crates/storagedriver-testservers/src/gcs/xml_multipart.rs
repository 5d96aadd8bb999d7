//! Multipart uploads, which only the XML API has. No request of them takes a condition.

use std::collections::BTreeMap;
use std::time::SystemTime;

use http::{Method, StatusCode};
use serde::Deserialize;

use super::conditions::{Conditions, bucket};
use super::refusal::{Answer, Refused};
use super::service::Service;
use super::xml_objects::{described, written};
use crate::call::{Call, Outgoing, rfc3339};
use crate::store::{Content, Draft, State, StoredPart, Upload, md5_hex};
use crate::xml;

#[derive(Deserialize)]
struct Completion {
    #[serde(rename = "Part", default)]
    parts: Vec<Chosen>,
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(rename = "PartNumber")]
    number: u32,
    #[serde(rename = "ETag")]
    etag: String,
}

impl Service {
    /// A request of a multipart upload; `None` if it is none.
    pub(super) fn multipart(&self, call: &Call, name: &str, key: &str) -> Option<Answer> {
        let id = call.parameter("uploadId");
        if id.is_none() && call.raw_parameter("uploads").is_none() {
            return None;
        }
        match Conditions::of_headers(call) {
            Ok(conditions) if conditions.is_empty() => {}
            _ => {
                return Some(Err(Refused::invalid("Preconditions are not supported for multipart uploads.")));
            }
        }
        Some(match (&call.method, id) {
            (&Method::POST, None) => self.initiate(call, name, key),
            (&Method::GET, None) => self.list_uploads(call, name),
            (&Method::PUT, Some(id)) => self.put_part(call, name, key, id),
            (&Method::POST, Some(id)) => self.complete(call, name, key, id),
            (&Method::DELETE, Some(id)) => self.abort(name, key, id),
            (&Method::GET, Some(id)) => self.list_parts(call, name, key, id),
            _ => Err(Refused::invalid("The request is no operation of a multipart upload.")),
        })
    }

    fn initiate(&self, call: &Call, name: &str, key: &str) -> Answer {
        let mut state = self.store.lock();
        let id = format!("upload-{:012}", state.number());
        let upload = Upload {
            key: key.to_owned(),
            draft: described(call),
            started: SystemTime::now(),
            parts: BTreeMap::new(),
        };
        bucket(&mut state, name)?.uploads.insert(id.clone(), upload);
        Ok(Outgoing::ok().xml(&format!(
            "<InitiateMultipartUploadResult>{}{}{}</InitiateMultipartUploadResult>",
            xml::element("Bucket", name),
            xml::element("Key", key),
            xml::element("UploadId", &id)
        )))
    }

    fn put_part(&self, call: &Call, name: &str, key: &str, id: &str) -> Answer {
        let number = call.parameter("partNumber").and_then(|number| number.parse::<u32>().ok());
        let number = number.filter(|number| (1..=10_000).contains(number)).ok_or_else(|| {
            Refused::invalid("Part number must be an integer between 1 and 10000, inclusive")
        })?;
        let content = Content::from(call.body.clone());
        let part = StoredPart { etag: md5_hex(&content), content, modified: SystemTime::now() };
        let reply = Outgoing::ok().with("etag", format!("\"{}\"", part.etag));
        upload(&mut self.store.lock(), name, key, id)?.parts.insert(number, part);
        Ok(reply)
    }

    fn complete(&self, call: &Call, name: &str, key: &str, id: &str) -> Answer {
        let text = std::str::from_utf8(&call.body).unwrap_or_default();
        let completion: Completion = quick_xml::de::from_str(text).map_err(|_| malformed())?;
        let mut state = self.store.lock();
        let open = upload(&mut state, name, key, id)?.clone();
        let content = self.joined(&open, &completion.parts)?;
        bucket(&mut state, name)?.uploads.remove(id);
        let etag = Some(format!("-multipart{}", state.number()));
        let stored =
            state.put(name, key, Draft { content, etag, ..open.draft }).ok_or_else(Refused::no_bucket)?;
        Ok(written(&stored).xml(&format!(
            "<CompleteMultipartUploadResult>{}{}{}{}</CompleteMultipartUploadResult>",
            xml::element("Location", &format!("http://storage.googleapis.com/{name}/{key}")),
            xml::element("Bucket", name),
            xml::element("Key", key),
            xml::element("ETag", &format!("\"{}\"", stored.etag))
        )))
    }

    fn joined(&self, open: &Upload, chosen: &[Chosen]) -> Answer<Content> {
        let bad = |code, message: &str| Refused::new(StatusCode::BAD_REQUEST, "invalid", code, message);
        let last = chosen.last().ok_or_else(malformed)?.number;
        let mut content = Content::default();
        let mut before = 0;
        for entry in chosen {
            if entry.number <= before {
                return Err(bad("InvalidPartOrder", "The list of parts was not in ascending order."));
            }
            before = entry.number;
            let part = open
                .parts
                .get(&entry.number)
                .filter(|part| entry.etag.trim_matches('"') == part.etag)
                .ok_or_else(|| {
                    bad("InvalidPart", "One or more of the specified parts could not be found.")
                })?;
            if entry.number != last && part.content.size() < self.options.min_part {
                return Err(bad(
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed object size.",
                ));
            }
            content.extend(&part.content);
        }
        Ok(content)
    }

    fn abort(&self, name: &str, key: &str, id: &str) -> Answer {
        let mut state = self.store.lock();
        upload(&mut state, name, key, id)?;
        bucket(&mut state, name)?.uploads.remove(id);
        Ok(Outgoing::new(StatusCode::NO_CONTENT))
    }

    fn list_parts(&self, call: &Call, name: &str, key: &str, id: &str) -> Answer {
        let limit = limit(call.parameter("max-parts"), self.options.page_size);
        let after =
            call.parameter("part-number-marker").and_then(|marker| marker.parse::<u32>().ok()).unwrap_or(0);
        let mut state = self.store.lock();
        let open = upload(&mut state, name, key, id)?;
        let mut rest = open.parts.range(after.saturating_add(1)..);
        let mut text =
            xml::element("Bucket", name) + &xml::element("Key", key) + &xml::element("UploadId", id);
        let mut last = None;
        for (number, part) in rest.by_ref().take(limit) {
            text += "<Part>";
            text += &xml::element("PartNumber", &number.to_string());
            text += &xml::element("LastModified", &rfc3339(part.modified));
            text += &xml::element("ETag", &format!("\"{}\"", part.etag));
            text += &xml::element("Size", &part.content.size().to_string());
            text += "</Part>";
            last = Some(*number);
        }
        let truncated = rest.next().is_some();
        text += &xml::element("IsTruncated", if truncated { "true" } else { "false" });
        if let Some(last) = last.filter(|_| truncated) {
            text += &xml::element("NextPartNumberMarker", &last.to_string());
        }
        Ok(Outgoing::ok().xml(&format!("<ListPartsResult>{text}</ListPartsResult>")))
    }

    /// Open uploads by key, then by age.
    fn list_uploads(&self, call: &Call, name: &str) -> Answer {
        let limit = limit(call.parameter("max-uploads"), self.options.page_size);
        let prefix = call.parameter("prefix").unwrap_or_default();
        let marker = call.parameter("key-marker").unwrap_or_default();
        let id_marker = call.parameter("upload-id-marker");
        let mut state = self.store.lock();
        let open = &bucket(&mut state, name)?.uploads;
        let mut found: Vec<_> = open
            .iter()
            .filter(|(id, upload)| {
                let past = upload.key.as_str() > marker
                    || (upload.key == marker && id_marker.is_some_and(|marker| id.as_str() > marker));
                upload.key.starts_with(prefix) && past
            })
            .collect();
        found.sort_by_key(|(id, upload)| (upload.key.clone(), (*id).clone()));
        let truncated = found.len() > limit;
        found.truncate(limit);
        let mut text = xml::element("Bucket", name) + &xml::element("Prefix", prefix);
        for (id, upload) in &found {
            text += "<Upload>";
            text += &xml::element("Key", &upload.key);
            text += &xml::element("UploadId", id);
            text += &xml::element("StorageClass", "STANDARD");
            text += &xml::element("Initiated", &rfc3339(upload.started));
            text += "</Upload>";
        }
        text += &xml::element("IsTruncated", if truncated { "true" } else { "false" });
        if let Some((id, upload)) = found.last().filter(|_| truncated) {
            text += &xml::element("NextKeyMarker", &upload.key);
            text += &xml::element("NextUploadIdMarker", id);
        }
        Ok(Outgoing::ok().xml(&format!("<ListMultipartUploadsResult>{text}</ListMultipartUploadsResult>")))
    }
}

fn limit(asked: Option<&str>, page_size: usize) -> usize {
    asked.and_then(|count| count.parse::<usize>().ok()).unwrap_or(1000).min(page_size)
}

fn malformed() -> Refused {
    Refused::new(
        StatusCode::BAD_REQUEST,
        "invalid",
        "MalformedCompleteMultipartUploadRequest",
        "The XML is malformed.",
    )
}

/// An open upload of this key.
fn upload<'a>(state: &'a mut State, name: &str, key: &str, id: &str) -> Answer<&'a mut Upload> {
    bucket(state, name)?.uploads.get_mut(id).filter(|upload| upload.key == key).ok_or_else(Refused::no_upload)
}
