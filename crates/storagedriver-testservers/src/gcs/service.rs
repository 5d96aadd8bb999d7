//! Which request is which operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;

use super::copies::Rewrite;
use super::objects::as_json;
use super::options::GcsOptions;
use super::refusal::{Answer, Form, GcsRefusal, Refused};
use super::signed::check_signed;
use super::uploads::Session;
use crate::call::{Call, Outgoing};
use crate::store::Store;

/// The buckets, the rules, and what is under way.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) options: GcsOptions,
    pub(super) refusal: Arc<Mutex<Option<GcsRefusal>>>,
    pub(super) sessions: Mutex<BTreeMap<String, Session>>,
    pub(super) rewrites: Mutex<BTreeMap<String, Rewrite>>,
}

impl Service {
    pub(super) fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rewrites(&self) -> MutexGuard<'_, BTreeMap<String, Rewrite>> {
        self.rewrites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(&self, call: &Call) -> Outgoing {
        let form = form(call);
        let id = format!("ABPtcPq{:012}", self.store.lock().number());
        let reply = self.admit(call).and_then(|()| match form {
            Form::Xml => self.xml(call),
            Form::Json | Form::Media => self.json(call),
        });
        let reply = reply.unwrap_or_else(|refused| refused.outgoing(form));
        reply.with("x-guploader-uploadid", id).with("server", "UploadServer")
    }

    fn admit(&self, call: &Call) -> Answer<()> {
        // The token service needs none.
        if call.path == "/token" {
            return Ok(());
        }
        if let Some(refusal) = *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(refusal.refused());
        }
        if call.parameter("X-Goog-Signature").is_some() {
            return check_signed(call, &self.options.signing_keys);
        }
        // The session's URL is the proof.
        if call.parameter("upload_id").is_some() {
            return Ok(());
        }
        let Some(token) = &self.options.token else { return Ok(()) };
        let sent = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if sent == Some(token) { Ok(()) } else { Err(Refused::unauthorized()) }
    }

    fn json(&self, call: &Call) -> Answer {
        if call.path == "/token" {
            return Ok(as_json(&json!({
                "access_token": self.options.token.as_deref().unwrap_or("token"),
                "expires_in": 3600,
                "token_type": "Bearer",
            })));
        }
        let components = call.components();
        let parts: Vec<&str> = components.iter().map(String::as_str).collect();
        match (parts.as_slice(), &call.method) {
            (["upload", "storage", "v1", "b", bucket, "o"], _) => self.upload(call, bucket),
            (["v1", "projects", "-", "serviceAccounts", account], &Method::POST)
                if account.ends_with(":signBlob") =>
            {
                // Nobody can verify it: the server has no key. It is the same for the same text.
                let payload = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, &call.body));
                Ok(as_json(&json!({"keyId": "key", "signedBlob": payload})))
            }
            (["storage", "v1", "b", bucket], &Method::GET) => self.get_bucket(bucket),
            (["storage", "v1", "b", bucket, "o"], &Method::GET) => self.list(call, bucket),
            (
                ["storage", "v1", "b", from, "o", source, "rewriteTo", "b", to, "o", destination],
                &Method::POST,
            ) => self.rewrite(call, [from, source, to, destination].map(|name| (*name).to_owned())),
            (["storage", "v1", "b", bucket, "o", key, "compose"], &Method::POST) => {
                self.compose(call, bucket, key)
            }
            (["storage", "v1", "b", bucket, "o", key], method)
            | (["download", "storage", "v1", "b", bucket, "o", key], method) => match *method {
                Method::GET | Method::HEAD => self.get(call, bucket, key),
                Method::DELETE => self.delete(call, bucket, key),
                Method::PATCH => self.patch(call, bucket, key),
                _ => Err(Refused::unknown(&call.path)),
            },
            _ => Err(Refused::unknown(&call.path)),
        }
    }

    fn xml(&self, call: &Call) -> Answer {
        let (bucket, key) = call.bucket_and_key();
        if let Some(answer) = self.multipart(call, &bucket, &key) {
            return answer;
        }
        match (&call.method, key.is_empty()) {
            (&Method::GET, true) => self.xml_list(call, &bucket),
            (&Method::GET | &Method::HEAD, false) => self.xml_get(call, &bucket, &key),
            (&Method::PUT, false) => self.xml_put(call, &bucket, &key),
            (&Method::DELETE, false) => self.xml_delete(call, &bucket, &key),
            _ => Err(Refused::method()),
        }
    }
}

/// The JSON API has paths of its own; whatever else is asked for is a bucket.
fn form(call: &Call) -> Form {
    let json = ["/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/v1/projects/", "/token"];
    if !json.iter().any(|start| call.path.starts_with(start)) {
        Form::Xml
    } else if call.parameter("alt") == Some("media") {
        Form::Media
    } else {
        Form::Json
    }
}
