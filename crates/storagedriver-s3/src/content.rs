//! `HeadObject`, `GetObject`, `PutObject`.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{Method, Refusal, ReplyHead, Request, StatusCode, header};
use storagedriver_object::{Condition, Download, Object, PutOptions, StoreError, StoreResult};

use crate::backend::{MARK, S3Backend, SMALL};
use crate::xml::etag;

impl S3Backend {
    pub(crate) async fn head_object(&self, key: &str) -> StoreResult<Object> {
        let request = self.object("HeadObject", Method::HEAD, key, &[])?;
        self.exchange(&request, SMALL, |head, _| object(key, head, head.content_length()?)).await
    }

    pub(crate) async fn get_object(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let mut request = self.object("GetObject", Method::GET, key, &[])?;
        if range.as_ref().is_some_and(|range| range.start >= PAST_ALL) {
            return Err(StoreError::Range(None));
        }
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, version.as_str())?;
        }
        let first = match &range {
            Some(range) => request.clone().header(header::RANGE, &range_text(range))?,
            None => request.clone(),
        };
        // What the first reply turns out to be of is what the rest has to be of.
        let held: Arc<OnceLock<Version>> = Arc::default();
        let asked = range.clone().unwrap_or(0..u64::MAX);
        let resume = {
            let (held, asked) = (held.clone(), asked.clone());
            Box::new(move |delivered: u64| rest_of(&request, &held, &asked, delivered))
        };
        let (head, stream) = self.client.download(self.service.clone(), first, resume).await?;
        let size = match whole_size(&head, &asked) {
            Some(size) => size,
            None => return Err(unreadable("the store answers with another range than was asked for")),
        };
        let object = object(key, &head, size).map_err(|refusal| refusal.into_error("GetObject"))?;
        // The first to set it is this.
        let _ = held.set(object.version.clone());
        Ok(Download { object, stream })
    }

    pub(crate) async fn put_object(
        &self,
        key: &str,
        content: Bytes,
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let request = self.new_object("PutObject", Method::PUT, key, &[])?;
        let request = conditional(request, options.condition.as_ref())?;
        let request = match &options.mark {
            Some(mark) => request.header(MARK_HEADER, mark)?,
            None => request,
        };
        let request = self.with_body(request, content).await?;
        self.exchange(&request, SMALL, |head, _| version(head)).await
    }
}

/// No object reaches so far, and servers count in 63 bits.
const PAST_ALL: u64 = 1 << 62;

pub(crate) const MARK_HEADER: header::HeaderName = header::HeaderName::from_static(MARK);

/// With what a write demands of the object that it replaces.
pub(crate) fn conditional(request: Request, condition: Option<&Condition>) -> StoreResult<Request> {
    match condition {
        None => Ok(request),
        Some(Condition::Absent) => request.header(header::IF_NONE_MATCH, "*"),
        Some(Condition::Matches(version)) => request.header(header::IF_MATCH, version.as_str()),
    }
}

fn version(head: &ReplyHead) -> Result<Version, Refusal> {
    head.header(header::ETAG).map(etag).ok_or_else(|| Refusal::unreadable("the reply has no ETag"))
}

fn object(key: &str, head: &ReplyHead, size: u64) -> Result<Object, Refusal> {
    let modified = head.header(header::LAST_MODIFIED).and_then(|text| httpdate::parse_http_date(text).ok());
    Ok(Object {
        key: key.to_owned(),
        size,
        modified: modified.unwrap_or(SystemTime::UNIX_EPOCH),
        version: version(head)?,
        mark: head.header(MARK).map(str::to_owned),
    })
}

/// A range as a header has it: both ends are in it.
pub(crate) fn range_text(range: &Range<u64>) -> String {
    match range.end {
        PAST_ALL.. => format!("bytes={}-", range.start),
        end => format!("bytes={}-{}", range.start, end.saturating_sub(1)),
    }
}

/// The request for what comes after `delivered` bytes of what was asked for, in the same version.
fn rest_of(request: &Request, held: &OnceLock<Version>, asked: &Range<u64>, delivered: u64) -> Request {
    let start = asked.start.saturating_add(delivered);
    let mut rest = request.clone();
    // Both are texts that headers have had before.
    if let Ok(range) = range_text(&(start..asked.end)).parse() {
        rest.headers.insert(header::RANGE, range);
    }
    if let Some(Ok(version)) = held.get().map(|version| version.as_str().parse()) {
        rest.headers.insert(header::IF_MATCH, version);
    }
    rest
}

/// The size of the object that the reply is of; `None` if the reply is of another range than was
/// asked for.
fn whole_size(head: &ReplyHead, asked: &Range<u64>) -> Option<u64> {
    if head.status != StatusCode::PARTIAL_CONTENT {
        let size = head.content_length().ok()?;
        return (asked.start == 0 && asked.end >= size).then_some(size);
    }
    let (range, size) = head.header(header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, size): (u64, u64, u64) = (start.parse().ok()?, end.parse().ok()?, size.parse().ok()?);
    (start == asked.start && end.checked_add(1)? == asked.end.min(size)).then_some(size)
}

fn unreadable(reason: &str) -> StoreError {
    StoreError::failed(ErrorKind::Backend, format!("GetObject: {reason}"))
}

#[cfg(test)]
mod tests {
    use storagedriver_object::http::HeaderMap;

    use super::*;

    #[test]
    fn a_reply_of_another_range_is_not_taken() {
        let head = |status: u16, name: header::HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            ReplyHead { status: StatusCode::from_u16(status).unwrap(), headers }
        };
        let part = |text| head(206, header::CONTENT_RANGE, text);
        assert_eq!(whole_size(&part("bytes 2-4/9"), &(2..5)), Some(9));
        assert_eq!(whole_size(&part("bytes 2-8/9"), &(2..u64::MAX)), Some(9));
        for other in ["bytes 0-4/9", "bytes 2-3/9", "bytes 2-4/*", "2-4/9", "bytes 2-5/9"] {
            assert_eq!(whole_size(&part(other), &(2..5)), None, "{other}");
        }
        let whole = head(200, header::CONTENT_LENGTH, "9");
        assert_eq!(whole_size(&whole, &(0..u64::MAX)), Some(9));
        assert_eq!(whole_size(&whole, &(0..9)), Some(9));
        assert_eq!(whole_size(&whole, &(2..9)), None);
        assert_eq!(whole_size(&whole, &(0..5)), None);
    }
}
