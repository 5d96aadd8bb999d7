//! Whole blobs: put, read, told of, deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};

use super::conditions::{check_read, check_write, container};
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing, byte_range, http_date};
use crate::store::{Content, Draft, State, StoredObject, md5};

/// Metadata of the user.
const META: &str = "x-ms-meta-";
pub(super) const BLOB_TYPE: &str = "x-ms-blob-type";
/// What a reply tells of a blob, by the name of the header: those of a request have a prefix.
const PROPERTIES: [&str; 6] = [
    "content-type",
    "content-encoding",
    "content-language",
    "content-md5",
    "cache-control",
    "content-disposition",
];
/// What a reply tells of the copy that made a blob.
const COPY: [&str; 5] = [
    "x-ms-copy-id",
    "x-ms-copy-source",
    "x-ms-copy-status",
    "x-ms-copy-progress",
    "x-ms-copy-status-description",
];

impl Service {
    pub(super) fn put_blob(&self, call: &Call, place: &Place) -> Answer {
        check_md5(call)?;
        let kind = call.header(BLOB_TYPE).unwrap_or_default();
        match kind {
            "BlockBlob" => {}
            "AppendBlob" if call.body.is_empty() => {}
            "AppendBlob" => return Err(Refused::header("Content-Length")),
            "PageBlob" => return Err(Refused::not_implemented()),
            _ => {
                let message =
                    "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type";
                return Err(Refused::bad("MissingRequiredHeader", message));
            }
        }
        let mut draft = described(call);
        draft.content = call.body.clone().into();
        draft.properties.insert(BLOB_TYPE.to_owned(), kind.to_owned());
        let mut state = self.store.lock();
        let current = container(&mut state, &place.container)?.objects.get(&place.blob);
        check_write(call, current)?;
        check_type(current, kind)?;
        self.check_pending(place)?;
        let stored = self.publish(&mut state, place, draft)?;
        Ok(created(&stored).with("content-md5", STANDARD.encode(md5(&stored.content))))
    }

    /// Replaces a blob, and with it what was not committed at its name.
    pub(super) fn publish(&self, state: &mut State, place: &Place, mut draft: Draft) -> Answer<StoredObject> {
        container(state, &place.container)?.blocks.remove(&place.blob);
        draft.etag = Some(next_etag(state));
        state.put(&place.container, &place.blob, draft).ok_or_else(Refused::no_container)
    }

    pub(super) fn get_blob(&self, call: &Call, place: &Place) -> Answer {
        let mut state = self.store.lock();
        self.settle(&mut state, place)?;
        let found = blob(&mut state, place)?;
        check_read(call, &found)?;
        let size = found.content.size();
        let range = call.header("x-ms-range").or_else(|| call.header("range"));
        let range = if call.method == Method::HEAD { None } else { range };
        let range = byte_range(range, size).map_err(|_| Refused::range(size))?;
        let reply = match &range {
            None => Outgoing::ok().content(found.content.clone()),
            Some(range) => {
                let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
                Outgoing::new(StatusCode::PARTIAL_CONTENT)
                    .with("content-range", text)
                    .content(found.content.slice(range.clone()))
            }
        };
        Ok(told(reply, &found, range.is_some()))
    }

    pub(super) fn delete_blob(&self, call: &Call, place: &Place) -> Answer {
        let mut state = self.store.lock();
        let found = blob(&mut state, place)?;
        check_write(call, Some(&found))?;
        self.check_pending(place)?;
        let container = container(&mut state, &place.container)?;
        container.objects.remove(&place.blob);
        container.blocks.remove(&place.blob);
        Ok(Outgoing::new(StatusCode::ACCEPTED).with("x-ms-delete-type-permanent", "true"))
    }

    pub(super) fn set_metadata(&self, call: &Call, place: &Place) -> Answer {
        let mut state = self.store.lock();
        let found = blob(&mut state, place)?;
        check_write(call, Some(&found))?;
        self.check_pending(place)?;
        let etag = next_etag(&mut state);
        let objects = &mut container(&mut state, &place.container)?.objects;
        let stored = objects.get_mut(&place.blob).ok_or_else(Refused::no_blob)?;
        stored.metadata = call.prefixed(META);
        stored.etag = etag;
        stored.modified = std::time::SystemTime::now();
        stored.metageneration += 1;
        let reply = Outgoing::ok();
        Ok(reply
            .with("etag", format!("\"{}\"", stored.etag))
            .with("last-modified", http_date(stored.modified)))
    }
}

/// The entity tag of the next state of a blob, as the service's look.
pub(super) fn next_etag(state: &mut State) -> String {
    format!("0x8DD{:012X}", state.number())
}

/// A blob, which must be there.
pub(super) fn blob(state: &mut State, place: &Place) -> Answer<StoredObject> {
    container(state, &place.container)?.objects.get(&place.blob).cloned().ok_or_else(Refused::no_blob)
}

/// A blob keeps its type until it is deleted.
pub(super) fn check_type(current: Option<&StoredObject>, kind: &str) -> Answer<()> {
    match current {
        Some(found) if blob_type(found) != kind => Err(Refused::blob_type()),
        _ => Ok(()),
    }
}

pub(super) fn blob_type(found: &StoredObject) -> &str {
    found.properties.get(BLOB_TYPE).map_or("BlockBlob", String::as_str)
}

/// What the headers say of a blob that is to be.
pub(super) fn described(call: &Call) -> Draft {
    let mut draft = Draft { metadata: call.prefixed(META), ..Draft::default() };
    for name in PROPERTIES {
        let sent = call.header(&format!("x-ms-blob-{name}"));
        let plain = sent.or_else(|| call.header(name).filter(|_| name == "content-type"));
        if let Some(value) = plain {
            draft.properties.insert(name.to_owned(), value.to_owned());
        }
    }
    draft
}

/// Compares the body with the MD5 that was sent for it.
pub(super) fn check_md5(call: &Call) -> Answer<()> {
    let Some(sent) = call.header("content-md5") else { return Ok(()) };
    if sent == STANDARD.encode(md5(&Content::from(call.body.clone()))) {
        return Ok(());
    }
    let message =
        "The MD5 value specified in the request did not match with the MD5 value calculated by the server.";
    Err(Refused::bad("Md5Mismatch", message))
}

/// The head of a reply to a write.
pub(super) fn created(found: &StoredObject) -> Outgoing {
    Outgoing::new(StatusCode::CREATED)
        .with("etag", format!("\"{}\"", found.etag))
        .with("last-modified", http_date(found.modified))
        .with("x-ms-request-server-encrypted", "true")
}

fn told(reply: Outgoing, found: &StoredObject, ranged: bool) -> Outgoing {
    let mut reply = reply
        .with("content-type", "application/octet-stream")
        .with("etag", format!("\"{}\"", found.etag))
        .with("last-modified", http_date(found.modified))
        .with("accept-ranges", "bytes")
        .with("x-ms-creation-time", http_date(found.modified))
        .with("x-ms-lease-status", "unlocked")
        .with("x-ms-lease-state", "available")
        .with("x-ms-server-encrypted", "true")
        .with(BLOB_TYPE, blob_type(found));
    for name in PROPERTIES.into_iter().chain(COPY).chain(["x-ms-blob-committed-block-count"]) {
        let Some(value) = found.properties.get(name) else { continue };
        // The MD5 is that of the whole blob.
        let name = if ranged && name == "content-md5" { "x-ms-blob-content-md5" } else { name };
        reply = reply.with(name, value);
    }
    for (name, value) in &found.metadata {
        reply = reply.with(&format!("{META}{name}"), value);
    }
    reply
}
