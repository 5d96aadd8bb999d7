//! Containers: told of, made, listed.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::large::{is_static, static_etag, whole_size};
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing};
use crate::store::{Name, Query, StoredObject, page};

impl Service {
    pub(super) fn container(&self, call: &Call, name: &str) -> Answer {
        if call.method == Method::PUT {
            self.store.create_bucket(name);
            return Ok(Outgoing::new(StatusCode::CREATED));
        }
        let Some(listed) = self.listed(name) else { return Err(Refused::not_found()) };
        match call.method {
            Method::HEAD => {
                let reply = Outgoing::new(StatusCode::NO_CONTENT)
                    .with("x-container-object-count", listed.len().to_string());
                Ok(self.with_keys(reply, name, "container"))
            }
            Method::POST => {
                self.take_keys(call, name, "container");
                Ok(Outgoing::new(StatusCode::NO_CONTENT))
            }
            Method::GET => {
                let asked = call.parameter("limit").and_then(|limit| limit.parse().ok());
                if asked.is_some_and(|limit: usize| limit > self.options.page_size) {
                    return Err(Refused::precondition());
                }
                let query = Query {
                    prefix: call.parameter("prefix").unwrap_or_default().to_owned(),
                    delimiter: call.parameter("delimiter").map(str::to_owned),
                    after: call.parameter("marker").map(str::to_owned),
                    limit: asked.unwrap_or(self.options.page_size),
                    ..Query::default()
                };
                let names: Vec<Value> = page(&listed, &query)
                    .names
                    .into_iter()
                    .map(|found| match found {
                        Name::Key(key, object) => entry(&key, &object),
                        Name::Prefix(prefix) => json!({"subdir": prefix}),
                    })
                    .collect();
                Ok(Outgoing::ok().text("application/json; charset=utf-8", Value::from(names).to_string()))
            }
            _ => Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed.")),
        }
    }
}

/// An object in a listing: that of a manifest shows the size of all segments if they are static, else none.
fn entry(key: &str, object: &StoredObject) -> Value {
    let time = jiff::Timestamp::try_from(object.modified).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut entry = json!({
        "name": key,
        "bytes": whole_size(object),
        "hash": object.etag,
        "content_type": object.properties.get("content-type"),
        "last_modified": time.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string(),
    });
    if is_static(object)
        && let Some(fields) = entry.as_object_mut()
    {
        fields.insert("slo_etag".to_owned(), Value::from(format!("\"{}\"", static_etag(object))));
    }
    entry
}
