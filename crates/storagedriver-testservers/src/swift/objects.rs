//! Single objects: put, told of, read, copied, deleted.

use http::{Method, StatusCode};

use super::large::{DYNAMIC, STATIC, is_static, static_etag};
use super::refusal::{Answer, Refused};
use super::service::{Place, Service};
use crate::call::{Call, Outgoing, byte_range, http_date};
use crate::store::{Content, Draft, StoredObject, md5_hex};

const META: &str = "x-object-meta-";

impl Service {
    pub(super) fn object(&self, call: &Call, place: &Place) -> Answer {
        match call.method {
            Method::GET | Method::HEAD => self.get(call, place),
            Method::PUT => self.put(call, place),
            Method::POST => self.post(call, place),
            Method::DELETE => self.delete(place),
            _ => Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed.")),
        }
    }

    fn find(&self, place: &Place) -> Answer<StoredObject> {
        self.store.object(&place.container, &place.key).ok_or_else(Refused::not_found)
    }

    fn get(&self, call: &Call, place: &Place) -> Answer {
        let object = self.find(place)?;
        let raw = call.parameter("multipart-manifest") == Some("get");
        let (content, etag) = if raw {
            (object.content.clone(), object.etag.clone())
        } else {
            let whole = self.whole(&object)?;
            (whole.content, whole.etag)
        };
        let quoted = !raw && (is_static(&object) || object.properties.contains_key(DYNAMIC));
        let shown = if quoted { format!("\"{etag}\"") } else { etag.clone() };
        if call.header("if-match").is_some_and(|wanted| wanted.trim_matches('"') != etag) {
            return Err(Refused::precondition());
        }
        let size = content.size();
        let Ok(range) = byte_range(call.header("range"), size) else {
            return Err(Refused(StatusCode::RANGE_NOT_SATISFIABLE, "Requested Range Not Satisfiable"));
        };
        let mut reply = match &range {
            None => Outgoing::ok(),
            Some(range) => Outgoing::new(StatusCode::PARTIAL_CONTENT).with(
                "content-range",
                format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)),
            ),
        };
        let content = match range {
            None => content,
            Some(range) => content.slice(range),
        };
        reply = reply
            .content(content)
            .with("etag", shown)
            .with("accept-ranges", "bytes")
            .with("last-modified", http_date(object.modified));
        for (name, value) in &object.metadata {
            reply = reply.with(&format!("{META}{name}"), value);
        }
        for (name, value) in &object.properties {
            reply = reply.with(name, value);
        }
        Ok(reply)
    }

    fn put(&self, call: &Call, place: &Place) -> Answer {
        // Demands are met or refused at once with the put: no other request comes between.
        let is_manifest =
            call.parameter("multipart-manifest") == Some("put") && self.options.static_large_objects;
        let draft = if is_manifest {
            self.static_draft(call, place)?
        } else if let Some(source) = call.header("x-copy-from") {
            self.copied(call, source)?
        } else {
            let content = Content::from(call.body.clone());
            if call.header("etag").is_some_and(|etag| etag.trim_matches('"') != md5_hex(&content)) {
                return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Entity"));
            }
            Draft { content, ..Draft::default() }
        };
        let mut draft = draft;
        draft.metadata.extend(call.prefixed(META));
        for (name, value) in call.kept(&["content-type", DYNAMIC]) {
            draft.properties.insert(name, value);
        }
        draft
            .properties
            .entry("content-type".to_owned())
            .or_insert_with(|| "application/octet-stream".to_owned());
        let mut state = self.store.lock();
        let exists = state
            .buckets
            .get(&place.container)
            .ok_or_else(Refused::not_found)?
            .objects
            .contains_key(&place.key);
        match call.header("if-none-match") {
            Some("*") if exists => return Err(Refused::precondition()),
            Some("*") | None => {}
            Some(_) => return Err(Refused::bad("If-None-Match only supports *")),
        }
        let stored = state.put(&place.container, &place.key, draft).ok_or_else(Refused::not_found)?;
        drop(state);
        let etag =
            if is_static(&stored) { format!("\"{}\"", static_etag(&stored)) } else { stored.etag.clone() };
        Ok(Outgoing::new(StatusCode::CREATED)
            .with("etag", etag)
            .with("last-modified", http_date(stored.modified)))
    }

    /// A copy has the bytes that a reader gets, and the metadata.
    fn copied(&self, call: &Call, source: &str) -> Answer<Draft> {
        let decoded = crate::uri::decode(source.trim_start_matches('/'));
        let (container, key) = decoded.split_once('/').ok_or_else(Refused::precondition)?;
        let object = self.find(&Place { container: container.to_owned(), key: key.to_owned() })?;
        let mut draft = Draft { metadata: object.metadata.clone(), ..Draft::default() };
        if call.parameter("multipart-manifest") == Some("get") {
            draft.content = object.content;
            draft.properties = object.properties;
        } else {
            draft.content = self.whole(&object)?.content;
            draft.properties = object.properties;
            draft.properties.remove(STATIC);
            draft.properties.remove(DYNAMIC);
        }
        Ok(draft)
    }

    /// Replaces the metadata; a dynamic manifest that is not named again is one no more.
    fn post(&self, call: &Call, place: &Place) -> Answer {
        let mut state = self.store.lock();
        let objects = &mut state.buckets.get_mut(&place.container).ok_or_else(Refused::not_found)?.objects;
        let object = objects.get_mut(&place.key).ok_or_else(Refused::not_found)?;
        object.metadata = call.prefixed(META);
        object.properties.remove(DYNAMIC);
        object.properties.extend(call.kept(&[DYNAMIC]));
        Ok(Outgoing::new(StatusCode::ACCEPTED))
    }

    fn delete(&self, place: &Place) -> Answer {
        if self.store.remove(&place.container, &place.key) {
            Ok(Outgoing::new(StatusCode::NO_CONTENT))
        } else {
            Err(Refused::not_found())
        }
    }
}
