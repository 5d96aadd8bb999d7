//! Objects through the JSON API: told of, read, patched, deleted, listed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};

use super::conditions::{Conditions, bucket};
use super::refusal::{Answer, Refused};
use super::resource::{PROPERTIES, resource, select};
use super::service::Service;
use crate::call::{Call, Outgoing, byte_range, http_date};
use crate::store::{Draft, Name, Query, StoredObject, page, unhex};

impl Service {
    pub(super) fn get_bucket(&self, name: &str) -> Answer {
        bucket(&mut self.store.lock(), name)?;
        Ok(as_json(&json!({
            "kind": "storage#bucket", "id": name, "name": name, "location": "US", "storageClass": "STANDARD",
        })))
    }

    pub(super) fn get(&self, call: &Call, name: &str, key: &str) -> Answer {
        let object = Conditions::of_query(call)?.read(&mut self.store.lock(), name, key)?;
        if call.parameter("alt") == Some("media") {
            return media(call, &object);
        }
        Ok(as_json(&select(resource(name, key, &object), call.parameter("fields"))))
    }

    pub(super) fn delete(&self, call: &Call, name: &str, key: &str) -> Answer {
        let mut state = self.store.lock();
        Conditions::of_query(call)?.read(&mut state, name, key)?;
        bucket(&mut state, name)?.objects.remove(key);
        Ok(Outgoing::new(StatusCode::NO_CONTENT))
    }

    /// Changes metadata: a null removes a name, and what is not named stays.
    pub(super) fn patch(&self, call: &Call, name: &str, key: &str) -> Answer {
        let changes: Value =
            serde_json::from_slice(&call.body).map_err(|_| Refused::invalid("Parse Error"))?;
        let mut state = self.store.lock();
        Conditions::of_query(call)?.read(&mut state, name, key)?;
        let object =
            bucket(&mut state, name)?.objects.get_mut(key).ok_or_else(|| Refused::no_object(name, key))?;
        for (field, value) in changes.get("metadata").and_then(Value::as_object).into_iter().flatten() {
            match value.as_str() {
                Some(text) => object.metadata.insert(field.clone(), text.to_owned()),
                None => object.metadata.remove(field),
            };
        }
        for (header, field) in PROPERTIES {
            if let Some(text) = changes.get(field).and_then(Value::as_str) {
                object.properties.insert(header.to_owned(), text.to_owned());
            }
        }
        object.metageneration += 1;
        Ok(as_json(&select(resource(name, key, object), call.parameter("fields"))))
    }

    pub(super) fn list(&self, call: &Call, name: &str) -> Answer {
        let asked = call.parameter("maxResults").and_then(|count| count.parse::<usize>().ok());
        let query = Query {
            prefix: call.parameter("prefix").unwrap_or_default().to_owned(),
            delimiter: call.parameter("delimiter").map(str::to_owned),
            after: call.parameter("pageToken").map(read_token).transpose()?,
            from: call.parameter("startOffset").map(str::to_owned),
            limit: asked.filter(|count| *count > 0).unwrap_or(1000).min(self.options.page_size),
            unordered: false,
        };
        let mut listing = page(&bucket(&mut self.store.lock(), name)?.objects, &query);
        if let Some(end) = call.parameter("endOffset") {
            let whole = listing.names.len();
            listing.names.retain(|found| found.text() < end);
            if listing.names.len() < whole {
                listing.next = None;
            }
        }
        let mut items = Vec::new();
        let mut prefixes = Vec::new();
        for found in &listing.names {
            match found {
                Name::Key(key, object) => items.push(resource(name, key, object)),
                Name::Prefix(prefix) => prefixes.push(Value::from(prefix.as_str())),
            }
        }
        let mut reply = json!({"kind": "storage#objects"});
        if let Some(fields) = reply.as_object_mut() {
            // What is empty is left out.
            if let Some(next) = listing.next {
                fields.insert("nextPageToken".to_owned(), URL_SAFE_NO_PAD.encode(next).into());
            }
            if !prefixes.is_empty() {
                fields.insert("prefixes".to_owned(), prefixes.into());
            }
            if !items.is_empty() {
                fields.insert("items".to_owned(), items.into());
            }
        }
        Ok(as_json(&select(reply, call.parameter("fields"))))
    }

    /// Publishes an object, if the conditions hold.
    pub(super) fn insert(
        &self,
        conditions: &Conditions,
        name: &str,
        key: &str,
        draft: Draft,
    ) -> Answer<StoredObject> {
        let mut state = self.store.lock();
        conditions.write(&mut state, name, key)?;
        state.put(name, key, draft).ok_or_else(Refused::no_bucket)
    }
}

/// The content of an object, or a range of it.
pub(super) fn media(call: &Call, object: &StoredObject) -> Answer {
    let size = object.content.size();
    let range = byte_range(call.header("range"), size).map_err(|_| Refused::range())?;
    let reply = match &range {
        None => Outgoing::ok(),
        Some(range) => {
            let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            Outgoing::new(StatusCode::PARTIAL_CONTENT).with("content-range", text)
        }
    };
    let content = match range {
        None => object.content.clone(),
        Some(range) => object.content.slice(range),
    };
    let mut reply = reply
        .content(content)
        .with("accept-ranges", "bytes")
        .with("last-modified", http_date(object.modified))
        .with("etag", format!("\"{}\"", object.etag))
        .with("x-goog-generation", object.generation.to_string())
        .with("x-goog-metageneration", object.metageneration.to_string())
        .with("x-goog-stored-content-length", size.to_string())
        .with("x-goog-stored-content-encoding", "identity")
        .with("x-goog-storage-class", "STANDARD")
        .with("content-type", "application/octet-stream");
    if let Some(hash) = unhex(&object.etag) {
        reply = reply.with("x-goog-hash", format!("md5={}", STANDARD.encode(hash)));
    }
    for (header, _) in PROPERTIES {
        if let Some(text) = object.properties.get(header) {
            reply = reply.with(header, text);
        }
    }
    Ok(reply)
}

pub(super) fn as_json(value: &Value) -> Outgoing {
    Outgoing::ok().text("application/json; charset=UTF-8", value.to_string())
}

fn read_token(token: &str) -> Answer<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Refused::invalid("Invalid Value: pageToken"))
}
