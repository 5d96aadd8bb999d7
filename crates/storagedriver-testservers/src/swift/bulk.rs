//! Deletes of many objects at once.

use http::StatusCode;
use serde_json::json;

use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing};
use crate::uri;

impl Service {
    /// The reply is a success whatever came of the single deletes; the body tells.
    pub(super) fn bulk_delete(&self, call: &Call) -> Answer {
        if !self.options.bulk_delete {
            return Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed."));
        }
        let text = std::str::from_utf8(&call.body).map_err(|_| Refused::bad("Not text"))?;
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() > self.options.bulk_delete_limit {
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, "Maximum Bulk Deletes exceeded"));
        }
        let (mut deleted, mut missing) = (0, 0);
        let mut errors = Vec::new();
        for line in lines {
            let path = uri::decode(line.trim_start_matches('/'));
            match path.split_once('/') {
                Some((container, key)) if self.store.remove(container, key) => deleted += 1,
                Some(_) => missing += 1,
                None => errors.push([line.to_owned(), "409 Conflict".to_owned()]),
            }
        }
        let status = if !errors.is_empty() {
            "400 Bad Request"
        } else if deleted == 0 && missing > 0 {
            "404 Not Found"
        } else {
            "200 OK"
        };
        let body = json!({
            "Response Status": status, "Response Body": "", "Number Deleted": deleted,
            "Number Not Found": missing, "Errors": errors,
        });
        Ok(Outgoing::ok().text("application/json", body.to_string()))
    }
}
