//! Uploads through the JSON API: simple, with metadata, resumable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::conditions::{Conditions, bucket};
use super::objects::as_json;
use super::refusal::{Answer, Refused};
use super::resource::{PROPERTIES, resource, select};
use super::service::Service;
use crate::call::{Call, Outgoing};
use crate::store::{Content, Draft, StoredObject, md5};

/// A resumable upload.
#[derive(Debug)]
pub(super) struct Session {
    bucket: String,
    key: String,
    draft: Draft,
    conditions: Conditions,
    fields: Option<String>,
    /// The reply, once it is complete.
    done: Option<StoredObject>,
}

impl Service {
    pub(super) fn upload(&self, call: &Call, name: &str) -> Answer {
        match (&call.method, call.parameter("uploadType")) {
            (&Method::POST, Some("media")) => self.upload_media(call, name),
            (&Method::POST, Some("multipart")) => self.upload_related(call, name),
            (&Method::POST, Some("resumable")) => self.begin_resumable(call, name),
            (&Method::PUT, _) => self.resume(call),
            (&Method::DELETE, _) => self.cancel_resumable(call),
            _ => Err(Refused::invalid("Required parameter: uploadType")),
        }
    }

    fn upload_media(&self, call: &Call, name: &str) -> Answer {
        let key = call.parameter("name").ok_or_else(|| Refused::invalid("Required parameter: name"))?;
        let mut draft = Draft { content: call.body.clone().into(), ..Draft::default() };
        draft.properties = call.kept(&["content-type"]);
        self.publish(call, name, key, draft)
    }

    fn upload_related(&self, call: &Call, name: &str) -> Answer {
        let (metadata, kind, content) =
            related(call).ok_or_else(|| Refused::invalid("Malformed multipart body."))?;
        let (key, mut draft) = described(&metadata, call.parameter("name"))?;
        if let Some(kind) = kind {
            draft.properties.entry("content-type".to_owned()).or_insert(kind);
        }
        draft.content = content.into();
        if let Some(sent) = metadata.get("md5Hash").and_then(Value::as_str)
            && sent != STANDARD.encode(md5(&draft.content))
        {
            return Err(Refused::invalid(format!(
                "Provided MD5 hash \"{sent}\" doesn't match calculated MD5 hash"
            )));
        }
        self.publish(call, name, &key, draft)
    }

    fn publish(&self, call: &Call, name: &str, key: &str, draft: Draft) -> Answer {
        let object = self.insert(&Conditions::of_query(call)?, name, key, draft)?;
        Ok(as_json(&select(resource(name, key, &object), call.parameter("fields"))))
    }

    fn begin_resumable(&self, call: &Call, name: &str) -> Answer {
        let metadata = if call.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&call.body).map_err(|_| Refused::invalid("Parse Error"))?
        };
        let (key, mut draft) = described(&metadata, call.parameter("name"))?;
        if let Some(kind) = call.header("x-upload-content-type") {
            draft.properties.entry("content-type".to_owned()).or_insert_with(|| kind.to_owned());
        }
        let conditions = Conditions::of_query(call)?;
        let mut state = self.store.lock();
        bucket(&mut state, name)?;
        conditions.write(&mut state, name, &key)?;
        let id = format!("resumable-{:012}", state.number());
        drop(state);
        let session = Session {
            bucket: name.to_owned(),
            key,
            draft,
            conditions,
            fields: call.parameter("fields").map(str::to_owned),
            done: None,
        };
        self.sessions().insert(id.clone(), session);
        let host = call.header("host").unwrap_or("127.0.0.1");
        let location = format!("http://{host}{}?uploadType=resumable&upload_id={id}", call.path);
        Ok(Outgoing::ok().with("location", location).with("x-guploader-uploadid", id))
    }

    /// Takes a chunk, or tells how far the upload came.
    fn resume(&self, call: &Call) -> Answer {
        let id = call.parameter("upload_id").unwrap_or_default();
        let mut sessions = self.sessions();
        let session = sessions.get_mut(id).ok_or_else(Refused::no_upload)?;
        if let Some(object) = &session.done {
            return Ok(as_json(&select(
                resource(&session.bucket, &session.key, object),
                session.fields.as_deref(),
            )));
        }
        let taken = session.draft.content.size();
        let total = match call.header("content-range") {
            None => Some(taken.saturating_add(call.body.len() as u64)),
            Some(range) => {
                let malformed = || Refused::invalid("Failed to parse Content-Range header.");
                let (span, total) = range
                    .strip_prefix("bytes ")
                    .and_then(|range| range.split_once('/'))
                    .ok_or_else(malformed)?;
                if span != "*" {
                    let first = span.split('-').next().and_then(|first| first.parse::<u64>().ok());
                    if first != Some(taken) {
                        // The chunk is not the next one: what is there is told, nothing is taken.
                        return Ok(incomplete(taken));
                    }
                }
                if total == "*" { None } else { Some(total.parse::<u64>().map_err(|_| malformed())?) }
            }
        };
        let taken = taken.saturating_add(call.body.len() as u64);
        let complete = total == Some(taken);
        if !complete && !taken.is_multiple_of(self.options.chunk_multiple.max(1)) {
            return Err(Refused::invalid(format!(
                "Invalid request. The number of bytes uploaded is required to be equal or greater than {}, except \
                 for the final request (it's recommended to be the exact multiple of {}).",
                self.options.chunk_multiple, self.options.chunk_multiple
            )));
        }
        session.draft.content.extend(&Content::from(call.body.clone()));
        if !complete {
            return Ok(incomplete(taken));
        }
        let object =
            self.insert(&session.conditions, &session.bucket, &session.key, session.draft.clone())?;
        let reply = select(resource(&session.bucket, &session.key, &object), session.fields.as_deref());
        session.done = Some(object);
        session.draft = Draft::default();
        Ok(as_json(&reply))
    }

    fn cancel_resumable(&self, call: &Call) -> Answer {
        let id = call.parameter("upload_id").unwrap_or_default();
        self.sessions().remove(id).ok_or_else(Refused::no_upload)?;
        // The service's own: client closed request.
        Ok(Outgoing::new(StatusCode::from_u16(499).unwrap_or(StatusCode::NO_CONTENT)))
    }
}

/// 308, and what was taken.
fn incomplete(taken: u64) -> Outgoing {
    let reply = Outgoing::new(StatusCode::PERMANENT_REDIRECT);
    match taken.checked_sub(1) {
        Some(last) => reply.with("range", format!("bytes=0-{last}")),
        None => reply,
    }
}

/// The key and what else a resource says of an object that is to be.
pub(super) fn described(metadata: &Value, name: Option<&str>) -> Answer<(String, Draft)> {
    let key = name
        .or_else(|| metadata.get("name").and_then(Value::as_str))
        .ok_or_else(|| Refused::invalid("Required parameter: name"))?;
    Ok((key.to_owned(), draft(metadata)))
}

/// What a resource says of an object that is to be.
pub(super) fn draft(metadata: &Value) -> Draft {
    let mut draft = Draft::default();
    for (field, value) in metadata.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = value.as_str() {
            draft.metadata.insert(field.clone(), text.to_owned());
        }
    }
    for (header, field) in PROPERTIES {
        if let Some(text) = metadata.get(field).and_then(Value::as_str) {
            draft.properties.insert(header.to_owned(), text.to_owned());
        }
    }
    draft
}

/// The two parts of a `multipart/related` body: metadata, content type and content.
fn related(call: &Call) -> Option<(Value, Option<String>, Bytes)> {
    let (_, boundary) = call.header("content-type")?.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches(['"', '\'']);
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let body = &call.body;
    let start = find(body, first.as_bytes())?.checked_add(first.len())?;
    let rest = body.slice(start..);
    let end = find(&rest, next.as_bytes())?;
    let (_, metadata) = part(&rest.slice(..end))?;
    let rest = rest.slice(end.checked_add(next.len())?..);
    // The last of them: content may hold anything but must not be searched from its front.
    let end = rest.windows(next.len()).rposition(|window| window == next.as_bytes())?;
    let (kind, content) = part(&rest.slice(..end))?;
    Some((serde_json::from_slice(&metadata).ok()?, kind, content))
}

/// The content type and the content of a part.
fn part(bytes: &Bytes) -> Option<(Option<String>, Bytes)> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let kind = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Some((kind, bytes.slice(end.checked_add(4)?..)))
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
