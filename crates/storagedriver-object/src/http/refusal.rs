//! What a store says when it refuses, and what that means.

use std::time::Duration;

use ::http::StatusCode;
use storagedriver::ErrorKind;

use super::ReplyHead;
use crate::StoreError;

/// So much of a refusal's text is shown.
const SHOWN: usize = 500;

/// What a store says when it refuses.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The status; that of an error inside a 200, if the store tells one there.
    pub status: StatusCode,
    /// The store's own name of the error: `SlowDown`.
    pub code: Option<String>,
    /// What the store says about it.
    pub message: Option<String>,
    /// What the store calls this request: its operator can find it by that.
    pub request_id: Option<String>,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with this status, and nothing else known.
    pub fn new(status: StatusCode) -> Self {
        Refusal { status, code: None, message: None, request_id: None, retry_after: None }
    }

    /// As any HTTP server refuses: status, `Retry-After`, and the body if it is short text.
    pub fn plain(head: &ReplyHead, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).ok().map(str::trim).filter(|text| !text.is_empty());
        Refusal {
            message: text.map(|text| text.chars().take(SHOWN).collect()),
            retry_after: head.retry_after(),
            ..Self::new(head.status)
        }
    }

    /// A reply of success that cannot be understood; the request is sent again.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Refusal { message: Some(reason.into()), ..Self::new(StatusCode::OK) }
    }

    /// Whether the store's name of the error is one of these.
    pub fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// Whether sending again may help, by the status alone.
    pub fn is_transient(&self) -> bool {
        matches!(self.status.as_u16(), 200..=299 | 408 | 425 | 429 | 500 | 502 | 503 | 504)
    }

    /// Status, code, message and request id, for the end of a sentence.
    pub fn describe(&self) -> String {
        let mut text = if self.status.is_success() {
            "a reply that cannot be understood".to_owned()
        } else {
            self.status.to_string()
        };
        for (before, part) in [(", ", &self.code), (": ", &self.message)] {
            if let Some(part) = part {
                text.push_str(before);
                text.push_str(part);
            }
        }
        if let Some(id) = &self.request_id {
            text.push_str(&format!(" (request id {id})"));
        }
        text
    }

    /// What it means by its status: 404 [`NotFound`](StoreError::NotFound), 412
    /// [`Precondition`](StoreError::Precondition), 416 [`Range`](StoreError::Range), 401
    /// `Unauthenticated`, 403 `PermissionDenied`, 409 `Conflict`, 429 and 503 `Throttled`, 507
    /// `OutOfSpace`, other 5xx and 408 `Unavailable`, else `Backend`. `what` names the request.
    pub fn into_error(self, what: &str) -> StoreError {
        let kind = match self.status.as_u16() {
            404 | 410 => return StoreError::NotFound,
            412 => return StoreError::Precondition,
            416 => return StoreError::Range(None),
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::PermissionDenied,
            409 => ErrorKind::Conflict,
            429 | 503 => ErrorKind::Throttled,
            507 => ErrorKind::OutOfSpace,
            408 | 425 | 500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Backend,
        };
        self.into_failure(kind, what, "")
    }

    /// A failure of this kind; `advice` says what to do, and may be empty.
    pub fn into_failure(self, kind: ErrorKind, what: &str, advice: &str) -> StoreError {
        let separator = if advice.is_empty() { "" } else { "; " };
        let reason = format!("{what} was answered by {}{separator}{advice}", self.describe());
        let error = StoreError::failed(kind, reason);
        match self.retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}
