//! Append blobs, which the Go driver of Distribution writes.

use http::StatusCode;

use super::blobs::{blob, blob_type, check_md5, created, next_etag};
use super::conditions::{check_write, container};
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::Call;
use crate::store::Content;

const COUNT: &str = "x-ms-blob-committed-block-count";

impl Service {
    pub(super) fn append_block(&self, call: &Call, place: &Place) -> Answer {
        check_md5(call)?;
        let size = call.body.len() as u64;
        if size == 0 {
            return Err(Refused::header("Content-Length"));
        }
        if size > self.options.max_append {
            let message = "The request body is too large and exceeds the maximum permissible limit.";
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge", message));
        }
        let mut state = self.store.lock();
        let found = blob(&mut state, place)?;
        check_write(call, Some(&found))?;
        if blob_type(&found) != "AppendBlob" {
            return Err(Refused::blob_type());
        }
        self.check_pending(place)?;
        let offset = found.content.size();
        let wanted = call.header("x-ms-blob-condition-appendpos");
        if wanted.is_some_and(|wanted| wanted.parse() != Ok(offset)) {
            let message = "The append position condition specified was not met.";
            let refused = StatusCode::PRECONDITION_FAILED;
            return Err(Refused::new(refused, "AppendPositionConditionNotMet", message));
        }
        let etag = next_etag(&mut state);
        let objects = &mut container(&mut state, &place.container)?.objects;
        let stored = objects.get_mut(&place.blob).ok_or_else(Refused::no_blob)?;
        stored.content.extend(&Content::from(call.body.clone()));
        stored.etag = etag;
        stored.modified = std::time::SystemTime::now();
        let count = stored.properties.get(COUNT).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0) + 1;
        stored.properties.insert(COUNT.to_owned(), count.to_string());
        Ok(created(stored).with("x-ms-blob-append-offset", offset.to_string()).with(COUNT, count.to_string()))
    }
}
