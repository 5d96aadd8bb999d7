//! The error answers of GCS: JSON, XML, or a plain line, as the API has them.

use http::StatusCode;
use serde_json::json;

use crate::call::Outgoing;
use crate::xml;

/// What every request is answered from now on; see [`GcsServer::refuse`](super::GcsServer::refuse).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcsRefusal {
    /// 401 `authError`: the token is expired or wrong.
    InvalidCredentials,
    /// 403 `forbidden`: no permission.
    Forbidden,
    /// 404 `notFound`: the bucket does not exist.
    NoSuchBucket,
    /// 429 `rateLimitExceeded`, with `Retry-After: 1`.
    RateLimited,
    /// 503 `backendError`.
    Unavailable,
    /// 500 `internalError`.
    InternalError,
}

/// A refusal, in whichever form it is to be sent.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// `reason` of the JSON API.
    reason: &'static str,
    /// `Code` of the XML API.
    code: &'static str,
    message: String,
    retry_after: Option<&'static str>,
}

/// Which API a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Xml,
    /// The content of an object by the JSON API: its errors are one line.
    Media,
}

pub(super) type Answer<T = Outgoing> = Result<T, Refused>;

impl Refused {
    pub(super) fn new(
        status: StatusCode,
        reason: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, reason, code, message: message.into(), retry_after: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "InvalidArgument", message)
    }

    pub(super) fn no_object(bucket: &str, key: &str) -> Self {
        let message = format!("No such object: {bucket}/{key}");
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchKey", message)
    }

    pub(super) fn no_bucket() -> Self {
        let message = "The specified bucket does not exist.";
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchBucket", message)
    }

    pub(super) fn no_upload() -> Self {
        let message = "The requested upload was not found.";
        Self::new(StatusCode::NOT_FOUND, "notFound", "NoSuchUpload", message)
    }

    pub(super) fn condition() -> Self {
        let message = "At least one of the pre-conditions you specified did not hold.";
        Self::new(StatusCode::PRECONDITION_FAILED, "conditionNotMet", "PreconditionFailed", message)
    }

    pub(super) fn not_modified() -> Self {
        Self::new(StatusCode::NOT_MODIFIED, "notModified", "NotModified", "Not Modified")
    }

    pub(super) fn range() -> Self {
        let message = "Request range not satisfiable";
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "requestedRangeNotSatisfiable", "InvalidRange", message)
    }

    pub(super) fn unknown(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "NotFound", format!("Not Found: {what}"))
    }

    pub(super) fn method() -> Self {
        let message = "The specified method is not allowed against this resource.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", "MethodNotAllowed", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "authError", "AuthenticationRequired", "Invalid Credentials")
    }

    pub(super) fn signature(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "SignatureDoesNotMatch", message)
    }

    /// The reply.
    pub(super) fn outgoing(&self, form: Form) -> Outgoing {
        let reply = Outgoing::new(self.status);
        let reply = match self.retry_after {
            Some(seconds) => reply.with("retry-after", seconds),
            None => reply,
        };
        if self.status == StatusCode::NOT_MODIFIED {
            return reply;
        }
        let reply = match self.status {
            StatusCode::UNAUTHORIZED => {
                reply.with("www-authenticate", "Bearer realm=\"https://accounts.google.com/\"")
            }
            _ => reply,
        };
        match form {
            Form::Media => reply.text("text/html; charset=UTF-8", self.message.clone()),
            Form::Json => {
                let error = json!({"error": {
                    "code": self.status.as_u16(),
                    "message": self.message,
                    "errors": [{"message": self.message, "domain": "global", "reason": self.reason}],
                }});
                reply.text("application/json; charset=UTF-8", error.to_string())
            }
            Form::Xml => reply.xml(&format!(
                "<Error>{}{}</Error>",
                xml::element("Code", self.code),
                xml::element("Message", &self.message)
            )),
        }
    }
}

impl GcsRefusal {
    pub(super) fn refused(self) -> Refused {
        match self {
            Self::InvalidCredentials => Refused::unauthorized(),
            Self::Forbidden => Refused::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "AccessDenied",
                "driver@project.iam.gserviceaccount.com does not have storage.objects.get access to the Google \
                 Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).",
            ),
            Self::NoSuchBucket => Refused::no_bucket(),
            Self::RateLimited => {
                let message = "The object exceeded the rate limit for object mutation operations (create, update, \
                               and delete). Please reduce your request rate.";
                let mut refused =
                    Refused::new(StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded", "SlowDown", message);
                refused.retry_after = Some("1");
                refused
            }
            Self::Unavailable => Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "backendError",
                "ServiceUnavailable",
                "We encountered an internal error. Please try again.",
            ),
            Self::InternalError => Refused::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internalError",
                "InternalError",
                "We encountered an internal error. Please try again.",
            ),
        }
    }
}
