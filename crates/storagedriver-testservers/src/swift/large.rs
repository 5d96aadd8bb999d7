//! Large objects: manifests that name segments, one by one (static) or by what their names begin with (dynamic).

use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::refusal::{Answer, Refused};
use super::service::{Place, Service};
use crate::call::Call;
use crate::store::{Content, Draft, StoredObject, hex};

/// The property that marks a static manifest.
pub(super) const STATIC: &str = "x-static-large-object";
/// The property that a dynamic manifest has.
pub(super) const DYNAMIC: &str = "x-object-manifest";

/// A segment, as a static manifest keeps it.
struct Segment {
    container: String,
    key: String,
    etag: String,
    size: u64,
}

/// An object as a reader gets it.
pub(super) struct Whole {
    pub(super) content: Content,
    pub(super) etag: String,
}

pub(super) fn is_static(object: &StoredObject) -> bool {
    object.properties.contains_key(STATIC)
}

fn segments(object: &StoredObject) -> Vec<Segment> {
    let listed: Vec<Value> = serde_json::from_slice(&object.content.to_bytes()).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    listed
        .iter()
        .map(|entry| {
            let path = text(entry.get("name"));
            let (container, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
            Segment {
                container: container.to_owned(),
                key: key.to_owned(),
                etag: text(entry.get("hash")),
                size: entry.get("bytes").and_then(Value::as_u64).unwrap_or_default(),
            }
        })
        .collect()
}

/// What a listing shows as the size.
pub(super) fn whole_size(object: &StoredObject) -> u64 {
    if is_static(object) {
        segments(object).iter().map(|segment| segment.size).sum()
    } else {
        object.content.size()
    }
}

fn etag_of<'a>(etags: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Md5::new();
    for etag in etags {
        hash.update(etag.as_bytes());
    }
    hex(&hash.finalize())
}

/// The entity tag of a static large object: the MD5 of those of its segments.
pub(super) fn static_etag(object: &StoredObject) -> String {
    etag_of(segments(object).iter().map(|segment| segment.etag.as_str()))
}

impl Service {
    /// The object as a reader gets it. What is missing of a static one is refused; of a dynamic one nobody knows.
    pub(super) fn whole(&self, object: &StoredObject) -> Answer<Whole> {
        if let Some(manifest) = object.properties.get(DYNAMIC) {
            let decoded = crate::uri::decode(manifest);
            let (container, prefix) = decoded.split_once('/').ok_or_else(|| Refused::bad("manifest"))?;
            let listed = self.listed(container).unwrap_or_default();
            let found: Vec<_> =
                listed.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)).collect();
            let mut content = Content::default();
            for (key, _) in &found {
                let segment = self.store.object(container, key).ok_or_else(Refused::not_found)?;
                content.extend(&segment.content);
            }
            let etag = etag_of(found.iter().map(|(_, segment)| segment.etag.as_str()));
            return Ok(Whole { content, etag });
        }
        if !is_static(object) {
            return Ok(Whole { content: object.content.clone(), etag: object.etag.clone() });
        }
        let mut content = Content::default();
        for segment in segments(object) {
            let found = self
                .store
                .object(&segment.container, &segment.key)
                .filter(|found| found.etag == segment.etag);
            let found =
                found.ok_or(Refused(http::StatusCode::CONFLICT, "There was a conflict with a segment."))?;
            content.extend(&found.content);
        }
        Ok(Whole { content, etag: static_etag(object) })
    }

    /// What a static manifest is stored as: every segment has to be there, as the client says.
    pub(super) fn static_draft(&self, call: &Call, place: &Place) -> Answer<Draft> {
        let given: Vec<Value> =
            serde_json::from_slice(&call.body).map_err(|_| Refused::bad("Manifest must be valid JSON."))?;
        if given.is_empty() || given.len() > 1000 {
            return Err(Refused::bad("Number of segments"));
        }
        let mut kept = Vec::new();
        for segment in &given {
            let path = segment.get("path").and_then(Value::as_str).unwrap_or_default();
            let (container, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
            let found = self.store.object(container, key).filter(|found| found.content.size() > 0);
            let found = found.ok_or_else(|| Refused::bad("Errors: 404 Not Found"))?;
            let etag = segment.get("etag").and_then(Value::as_str);
            let size = segment.get("size_bytes").and_then(Value::as_u64);
            if etag.is_some_and(|etag| etag != found.etag)
                || size.is_some_and(|size| size != found.content.size())
            {
                return Err(Refused::bad("Errors: Etag Mismatch"));
            }
            if container == place.container && key == place.key {
                return Err(Refused::bad("a manifest cannot name itself"));
            }
            kept.push(json!({
                "name": format!("/{container}/{key}"), "hash": found.etag, "bytes": found.content.size(),
                "content_type": "application/octet-stream", "last_modified": "2024-01-01T00:00:00.000000",
            }));
        }
        let content = Content::from(Bytes::from(Value::from(kept).to_string()));
        let mut draft = Draft { content, ..Draft::default() };
        draft.properties.insert(STATIC.to_owned(), "True".to_owned());
        Ok(draft)
    }
}
