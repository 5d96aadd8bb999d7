//! What the JSON API says about objects.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use storagedriver::Version;
use storagedriver_object::Object;
use storagedriver_object::http::Refusal;

/// The name of the metadata that a mark is kept under.
pub(crate) const MARK: &str = "storagedriver-mark";
/// The content type of all that is committed, as the Go driver has it.
pub(crate) const CONTENT: &str = "application/octet-stream";
/// The content type of the objects in which the Go driver keeps its open uploads.
pub(crate) const GO_SESSION: &str = "application/x-docker-upload-session";
/// What is asked for of an object; the mark excepted, which listings have no use for.
pub(crate) const FIELDS: &str = "name,size,updated,generation,contentType";

/// An object, as the [resource] tells of it.
///
/// [resource]: https://cloud.google.com/storage/docs/json_api/v1/objects#resource
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) size: Option<String>,
    #[serde(default)]
    pub(crate) updated: Option<String>,
    #[serde(default)]
    pub(crate) generation: Option<String>,
    #[serde(default)]
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Resource {
    /// Whether it is an open upload of the Go driver, which nobody may see as content.
    pub(crate) fn is_go_session(&self) -> bool {
        self.content_type.as_deref() == Some(GO_SESSION)
    }

    /// The object that it tells of.
    pub(crate) fn object(mut self) -> Result<Object, Refusal> {
        let size = self.size.as_deref().and_then(|size| size.parse().ok());
        let modified = self.updated.as_deref().and_then(time);
        let (Some(size), Some(modified)) = (size, modified) else {
            return Err(Refusal::unreadable(format!(
                "the object {:?} is told of without size or time",
                self.name
            )));
        };
        Ok(Object {
            size,
            modified,
            version: self.version()?,
            mark: self.metadata.remove(MARK),
            key: self.name,
        })
    }

    /// Its generation.
    pub(crate) fn version(&self) -> Result<Version, Refusal> {
        match self.generation.as_deref().filter(|generation| is_generation(generation)) {
            Some(generation) => Ok(Version::new(generation)),
            None => Err(Refusal::unreadable("the reply has no generation")),
        }
    }
}

/// Whether this is a generation, and not an ETag or nothing.
pub(crate) fn is_generation(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A time in the format of RFC 3339.
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

/// The body of a reply.
pub(crate) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    // The text of the error may quote what the store keeps secret: tokens are replies, too.
    serde_json::from_slice(body).map_err(|error| {
        Refusal::unreadable(format!(
            "the reply is not the JSON that was expected (column {})",
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_resource_becomes_an_object() {
        let body = Bytes::from_static(
            br#"{"kind":"storage#object","name":"a/b","size":"7","updated":"1970-01-01T00:00:01.250Z",
                 "generation":"1700000000000001","metadata":{"storagedriver-mark":"n.3","other":"x"}}"#,
        );
        let object = parse::<Resource>(&body).unwrap().object().unwrap();
        assert_eq!(
            object,
            Object {
                key: "a/b".into(),
                size: 7,
                modified: UNIX_EPOCH + Duration::from_millis(1250),
                version: Version::new("1700000000000001"),
                mark: Some("n.3".into()),
            }
        );
    }

    #[test]
    fn one_without_what_is_needed_is_no_object() {
        for body in [
            r#"{"name":"a","size":"7","updated":"1970-01-01T00:00:01Z"}"#,
            r#"{"name":"a","size":"x","updated":"1970-01-01T00:00:01Z","generation":"1"}"#,
            r#"{"name":"a","size":"7","updated":"yesterday","generation":"1"}"#,
            r#"{"name":"a","size":"7","updated":"1970-01-01T00:00:01Z","generation":"\"etag\""}"#,
        ] {
            assert!(parse::<Resource>(&Bytes::from(body)).unwrap().object().is_err(), "{body}");
        }
        assert!(parse::<Resource>(&Bytes::from_static(b"<html>")).is_err());
    }
}
