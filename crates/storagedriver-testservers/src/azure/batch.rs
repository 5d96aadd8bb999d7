//! Batches of deletes: requests in the parts of a body, replies in the parts of another.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing};

/// The most requests of a batch.
const MOST: usize = 256;

impl Service {
    /// The proof of the batch counts for all that is in it.
    pub(super) fn batch(&self, call: &Call) -> Answer {
        if !self.options.batch {
            return Err(Refused::not_implemented());
        }
        let malformed = || Refused::bad("InvalidInput", "One of the request inputs is not valid.");
        let boundary = call
            .header("content-type")
            .and_then(|kind| kind.split_once("boundary="))
            .map(|(_, boundary)| boundary.trim_matches('"').to_owned())
            .ok_or_else(malformed)?;
        let text = std::str::from_utf8(&call.body).map_err(|_| malformed())?;
        let parts: Vec<&str> =
            text.split(&format!("--{boundary}")).skip(1).filter(|part| !part.starts_with("--")).collect();
        if parts.is_empty() || parts.len() > MOST {
            let message = "The batch operation exceeds maximum number of allowed subrequests.";
            return Err(Refused::bad("ExceedsMaxBatchRequestCount", message));
        }
        let mut reply = String::new();
        for part in parts {
            let (id, request) = read(part).ok_or_else(malformed)?;
            if request.method != Method::DELETE {
                return Err(malformed());
            }
            let place = Place::of(&request.path);
            let (status, code) = match self.delete_blob(&request, &place) {
                Ok(done) => (done.status, None),
                Err(refused) => (refused.status, Some(refused.code)),
            };
            let error = code.map(|code| format!("x-ms-error-code: {code}\r\n")).unwrap_or_default();
            reply += &format!(
                "--batchresponse_1\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {} {}\r\n\
                 {error}x-ms-request-id: {}\r\nx-ms-version: 2023-11-03\r\n\r\n",
                status.as_u16(),
                status.canonical_reason().unwrap_or_default(),
                self.request_id(),
            );
        }
        reply += "--batchresponse_1--";
        Ok(Outgoing::new(StatusCode::ACCEPTED).text("multipart/mixed; boundary=batchresponse_1", reply))
    }
}

/// The id and the request of a part.
fn read(part: &str) -> Option<(String, Call)> {
    let (head, request) = part.trim_start().split_once("\r\n\r\n")?;
    let id = headers(head).get("content-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let (line, rest) = request.split_once("\r\n")?;
    let mut words = line.split(' ');
    let method = Method::from_bytes(words.next()?.as_bytes()).ok()?;
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some((
        id,
        Call {
            method,
            path: path.to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: headers(rest),
            body: bytes::Bytes::new(),
        },
    ))
}

fn headers(text: &str) -> HeaderMap {
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        })
        .collect()
}
