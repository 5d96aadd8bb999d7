//! Requests and replies of the protocols that this crate parses itself.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::listener::{Reply, body, streamed};
use crate::store::{Content, Fields};
use crate::uri;

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As it was written: percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(request: Request<Bytes>) -> Self {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: head.headers,
            body,
        }
    }

    /// A query parameter that has a value.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.raw_parameter(name).filter(|value| !value.is_empty())
    }

    /// A query parameter, also one without a value.
    pub(crate) fn raw_parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The components of the path, decoded.
    pub(crate) fn components(&self) -> Vec<String> {
        self.path.trim_start_matches('/').split('/').map(uri::decode).collect()
    }

    /// The bucket, and all that follows it in the path, decoded.
    pub(crate) fn bucket_and_key(&self) -> (String, String) {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (uri::decode(bucket), uri::decode(key))
    }

    /// The headers whose name starts with `prefix`, without it.
    pub(crate) fn prefixed(&self, prefix: &str) -> Fields {
        self.headers
            .iter()
            .filter_map(|(name, value)| {
                let rest = name.as_str().strip_prefix(prefix)?;
                Some((rest.to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect()
    }

    /// Those of these headers that it has.
    pub(crate) fn kept(&self, names: &[&str]) -> Fields {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.header(name)?.to_owned()))).collect()
    }
}

/// A reply.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    content: Content,
}

impl Outgoing {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::default() }
    }

    pub(crate) fn ok() -> Self {
        Self::new(StatusCode::OK)
    }

    /// Sets a header; a value that cannot be one is left out.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.as_ref())) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    pub(crate) fn text(self, kind: &str, text: impl Into<Bytes>) -> Self {
        self.with("content-type", kind).content(Content::from(text.into()))
    }

    pub(crate) fn xml(self, text: &str) -> Self {
        self.text(
            "application/xml; charset=UTF-8",
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{text}"),
        )
    }

    /// The reply; that to a HEAD tells the size of the body that it does not have.
    pub(crate) fn into_reply(self, method: &Method) -> Reply {
        let mut reply = if *method == Method::HEAD {
            Response::new(body(Bytes::new()))
        } else {
            Response::new(streamed(&self.content))
        };
        *reply.status_mut() = self.status;
        *reply.headers_mut() = self.headers;
        let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&self.status);
        if !bodiless && !reply.headers().contains_key(http::header::CONTENT_LENGTH) {
            reply.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(self.content.size()));
        }
        reply
    }
}

/// What a `Range` header asks for of `size` bytes: `None` for all of it, an error if there is
/// nothing of it. More than one range is answered with all of it, as these services do.
pub(crate) fn byte_range(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, Unsatisfiable> {
    let Some((first, last)) =
        header.and_then(|text| text.trim().strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(suffix)) if first.trim().is_empty() => size.saturating_sub(suffix)..size,
        _ => return Ok(None),
    };
    if range.start >= size { Err(Unsatisfiable) } else { Ok(Some(range)) }
}

/// No byte of a range exists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfiable;

/// A time as in `Last-Modified`.
pub(crate) fn http_date(time: std::time::SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A time by RFC 3339, in milliseconds.
pub(crate) fn rfc3339(time: std::time::SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(byte_range(None, 5), Ok(None));
        assert_eq!(byte_range(Some("bytes=1-2"), 5), Ok(Some(1..3)));
        assert_eq!(byte_range(Some("bytes=1-"), 5), Ok(Some(1..5)));
        assert_eq!(byte_range(Some("bytes=-2"), 5), Ok(Some(3..5)));
        assert_eq!(byte_range(Some("bytes=1-99"), 5), Ok(Some(1..5)));
        assert_eq!(byte_range(Some("bytes=5-6"), 5), Err(Unsatisfiable));
        assert_eq!(byte_range(Some("bytes=0-"), 0), Err(Unsatisfiable));
        assert_eq!(byte_range(Some("lines=1-2"), 5), Ok(None));
    }

    #[test]
    fn times() {
        let time = UNIX_EPOCH + Duration::from_millis(784_111_777_250);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(rfc3339(time), "1994-11-06T08:49:37.250Z");
    }
}
