//! What a Swift server says when it refuses.

use http::StatusCode;

use crate::call::Outgoing;

/// What every request for storage is answered with, if a test wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwiftRefusal {
    /// 403: the user may not.
    Forbidden,
    /// 404, as for a container that is not there.
    NotFound,
    /// 498, as Swift's limit of rates answers.
    RateLimited,
    /// 503.
    Unavailable,
    /// 507: the devices are full.
    Full,
    /// 413: the quota is used up.
    Quota,
}

impl SwiftRefusal {
    pub(super) fn refused(self) -> Refused {
        match self {
            Self::Forbidden => Refused(StatusCode::FORBIDDEN, "Access was denied to this resource."),
            Self::NotFound => Refused::not_found(),
            Self::RateLimited => {
                Refused(StatusCode::from_u16(498).unwrap_or(StatusCode::TOO_MANY_REQUESTS), "Slow down")
            }
            Self::Unavailable => {
                Refused(StatusCode::SERVICE_UNAVAILABLE, "The server is currently unavailable.")
            }
            Self::Full => Refused(StatusCode::INSUFFICIENT_STORAGE, "There was not enough space to save."),
            Self::Quota => Refused(StatusCode::PAYLOAD_TOO_LARGE, "Upload exceeds quota."),
        }
    }
}

/// A refusal: status and text.
#[derive(Debug)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str);

pub(super) type Answer<T = Outgoing> = Result<T, Refused>;

impl Refused {
    pub(super) fn not_found() -> Self {
        Refused(StatusCode::NOT_FOUND, "The resource could not be found.")
    }

    pub(super) fn forbidden() -> Self {
        Refused(StatusCode::FORBIDDEN, "Access was denied to this resource.")
    }

    pub(super) fn unauthorized() -> Self {
        Refused(StatusCode::UNAUTHORIZED, "This server could not verify that you are authorized.")
    }

    pub(super) fn bad(reason: &'static str) -> Self {
        Refused(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn precondition() -> Self {
        Refused(StatusCode::PRECONDITION_FAILED, "A precondition for this request was not met.")
    }

    pub(super) fn outgoing(&self) -> Outgoing {
        Outgoing::new(self.0)
            .text("text/html; charset=UTF-8", format!("<html><h1>Refused</h1><p>{}</p></html>", self.1))
    }
}
