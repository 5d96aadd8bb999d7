//! Objects through the XML API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use super::conditions::{Conditions, bucket};
use super::objects::media;
use super::refusal::{Answer, Refused};
use super::resource::PROPERTIES;
use super::service::Service;
use crate::call::{Call, Outgoing, rfc3339};
use crate::store::{Draft, Name, Query, StoredObject, page};
use crate::{uri, xml};

/// Metadata of the user.
const META: &str = "x-goog-meta-";

impl Service {
    pub(super) fn xml_get(&self, call: &Call, name: &str, key: &str) -> Answer {
        let object = Conditions::of_headers(call)?.read(&mut self.store.lock(), name, key)?;
        let quoted = format!("\"{}\"", object.etag);
        if call.header("if-match").is_some_and(|tag| tag != quoted && tag != "*") {
            return Err(Refused::condition());
        }
        if call.header("if-none-match").is_some_and(|tag| tag == quoted || tag == "*") {
            return Err(Refused::not_modified());
        }
        let mut reply = media(call, &object)?;
        for (field, value) in &object.metadata {
            reply = reply.with(&format!("{META}{field}"), value);
        }
        Ok(reply)
    }

    pub(super) fn xml_put(&self, call: &Call, name: &str, key: &str) -> Answer {
        let conditions = Conditions::of_headers(call)?;
        let Some(source) = call.header("x-goog-copy-source") else {
            let draft = Draft { content: call.body.clone().into(), ..described(call) };
            return Ok(written(&self.insert(&conditions, name, key, draft)?));
        };
        let source = source.strip_prefix('/').unwrap_or(source);
        let (from_bucket, from_key) = source.split_once('/').unwrap_or((source, ""));
        let (from_bucket, from_key) = (uri::decode(from_bucket), uri::decode(from_key));
        let found = Conditions::default().read(&mut self.store.lock(), &from_bucket, &from_key)?;
        let replaces =
            call.header("x-goog-metadata-directive").is_some_and(|text| text.eq_ignore_ascii_case("replace"));
        let mut draft = if replaces {
            described(call)
        } else {
            Draft { metadata: found.metadata, properties: found.properties, ..Draft::default() }
        };
        draft.content = found.content;
        draft.etag = Some(found.etag);
        let stored = self.insert(&conditions, name, key, draft)?;
        let text = format!(
            "<CopyObjectResult>{}{}</CopyObjectResult>",
            xml::element("LastModified", &rfc3339(stored.modified)),
            xml::element("ETag", &format!("\"{}\"", stored.etag))
        );
        Ok(written(&stored).xml(&text))
    }

    pub(super) fn xml_delete(&self, call: &Call, name: &str, key: &str) -> Answer {
        let mut state = self.store.lock();
        Conditions::of_headers(call)?.read(&mut state, name, key)?;
        bucket(&mut state, name)?.objects.remove(key);
        Ok(Outgoing::new(StatusCode::NO_CONTENT))
    }

    /// Lists a bucket, by version 2 of the protocol that both services share.
    pub(super) fn xml_list(&self, call: &Call, name: &str) -> Answer {
        let asked = call.parameter("max-keys").and_then(|count| count.parse::<usize>().ok());
        let token = call.parameter("continuation-token").and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        let after = match token {
            Some(bytes) => String::from_utf8(bytes).ok(),
            None => call.parameter("start-after").or_else(|| call.parameter("marker")).map(str::to_owned),
        };
        let query = Query {
            prefix: call.parameter("prefix").unwrap_or_default().to_owned(),
            delimiter: call.parameter("delimiter").map(str::to_owned),
            after,
            limit: asked.unwrap_or(1000).min(self.options.page_size),
            ..Query::default()
        };
        let listing = page(&bucket(&mut self.store.lock(), name)?.objects, &query);
        let mut text = xml::element("Name", name) + &xml::element("Prefix", &query.prefix);
        for found in &listing.names {
            match found {
                Name::Prefix(prefix) => {
                    text += &format!("<CommonPrefixes>{}</CommonPrefixes>", xml::element("Prefix", prefix));
                }
                Name::Key(key, object) => {
                    text += "<Contents>";
                    text += &xml::element("Key", key);
                    text += &xml::element("Generation", &object.generation.to_string());
                    text += &xml::element("MetaGeneration", &object.metageneration.to_string());
                    text += &xml::element("LastModified", &rfc3339(object.modified));
                    text += &xml::element("ETag", &format!("\"{}\"", object.etag));
                    text += &xml::element("Size", &object.content.size().to_string());
                    text += "</Contents>";
                }
            }
        }
        text += &xml::element("IsTruncated", if listing.next.is_some() { "true" } else { "false" });
        if let Some(next) = &listing.next {
            text += &xml::element("NextContinuationToken", &URL_SAFE_NO_PAD.encode(next));
        }
        Ok(Outgoing::ok().xml(&format!("<ListBucketResult>{text}</ListBucketResult>")))
    }
}

/// What the headers say of an object that is to be.
pub(super) fn described(call: &Call) -> Draft {
    let names: Vec<&str> = PROPERTIES.iter().map(|(header, _)| *header).collect();
    Draft { metadata: call.prefixed(META), properties: call.kept(&names), ..Draft::default() }
}

/// The head of a reply to a write.
pub(super) fn written(object: &StoredObject) -> Outgoing {
    Outgoing::ok()
        .with("etag", format!("\"{}\"", object.etag))
        .with("x-goog-generation", object.generation.to_string())
        .with("x-goog-metageneration", object.metageneration.to_string())
}
