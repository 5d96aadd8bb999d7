//! The error answers of the Blob service.

use std::time::SystemTime;

use http::StatusCode;

use crate::call::{Outgoing, rfc3339};
use crate::xml;

/// What every request is answered from now on; see [`AzureServer::refuse`](super::AzureServer::refuse).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureRefusal {
    /// 403 `AuthenticationFailed`: the key is wrong.
    WrongKey,
    /// 403 `AuthenticationFailed`: the date of the request is too old. The server compares dates
    /// itself; this is for clients that cannot change theirs.
    ClockSkew,
    /// 401 `InvalidAuthenticationInfo`: the token has expired.
    ExpiredToken,
    /// 403 `AuthorizationPermissionMismatch`: no permission.
    NotPermitted,
    /// 404 `ContainerNotFound`.
    NoContainer,
    /// 503 `ServerBusy`, with `Retry-After: 1`.
    ServerBusy,
    /// 500 `OperationTimedOut`.
    TimedOut,
    /// 500 `InternalError`.
    InternalError,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    message: String,
    /// What an authentication failure explains.
    detail: Option<String>,
    headers: Vec<(&'static str, String)>,
}

pub(super) type Answer<T = Outgoing> = Result<T, Refused>;

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None, headers: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn bad(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn conflict(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(super) fn no_blob() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
    }

    pub(super) fn no_container() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ContainerNotFound", "The specified container does not exist.")
    }

    pub(super) fn condition() -> Self {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Self::new(StatusCode::PRECONDITION_FAILED, "ConditionNotMet", message)
    }

    pub(super) fn not_modified() -> Self {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Self::new(StatusCode::NOT_MODIFIED, "ConditionNotMet", message)
    }

    pub(super) fn blob_type() -> Self {
        Self::conflict("InvalidBlobType", "The blob type is invalid for this operation.")
    }

    pub(super) fn range(size: u64) -> Self {
        let message = "The range specified is invalid for the current size of the resource.";
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message)
            .with("content-range", &format!("bytes */{size}"))
    }

    pub(super) fn not_implemented() -> Self {
        let message = "The requested operation is not implemented on the specified resource.";
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn parameter(name: &str) -> Self {
        let message =
            format!("Value for one of the query parameters specified in the request URI is invalid: {name}");
        Self::new(StatusCode::BAD_REQUEST, "InvalidQueryParameterValue", message)
    }

    pub(super) fn header(name: &str) -> Self {
        let message = format!("The value for one of the HTTP headers is not in the correct format: {name}");
        Self::new(StatusCode::BAD_REQUEST, "InvalidHeaderValue", message)
    }

    /// A signature that does not fit; `detail` says why.
    pub(super) fn authentication(detail: impl Into<String>) -> Self {
        let message = "Server failed to authenticate the request. Make sure the value of Authorization header is \
                       formed correctly including the signature.";
        let mut refused = Self::new(StatusCode::FORBIDDEN, "AuthenticationFailed", message);
        refused.detail = Some(detail.into());
        refused
    }

    pub(super) fn permission() -> Self {
        let message = "This request is not authorized to perform this operation using this permission.";
        Self::new(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", message)
    }

    pub(super) fn token(code: &'static str, message: &str) -> Self {
        let challenge = "Bearer authorization_uri=https://login.microsoftonline.com/tenant/oauth2/authorize \
                         resource_id=https://storage.azure.com";
        Self::new(StatusCode::UNAUTHORIZED, code, message).with("www-authenticate", challenge)
    }

    /// The reply; a HEAD keeps the headers only.
    pub(super) fn outgoing(&self, id: &str) -> Outgoing {
        let mut reply = Outgoing::new(self.status).with("x-ms-error-code", self.code);
        for (name, value) in &self.headers {
            reply = reply.with(name, value);
        }
        if self.status == StatusCode::NOT_MODIFIED {
            return reply;
        }
        let time = rfc3339(SystemTime::now());
        let message = format!("{}\nRequestId:{id}\nTime:{time}", self.message);
        let detail = self
            .detail
            .as_deref()
            .map(|detail| xml::element("AuthenticationErrorDetail", detail))
            .unwrap_or_default();
        reply.xml(&format!(
            "<Error>{}{}{detail}</Error>",
            xml::element("Code", self.code),
            xml::element("Message", &message)
        ))
    }
}

impl AzureRefusal {
    pub(super) fn refused(self) -> Refused {
        let failed = StatusCode::INTERNAL_SERVER_ERROR;
        match self {
            Self::WrongKey => Refused::authentication(
                "The MAC signature found in the HTTP request is not the same as any computed signature.",
            ),
            Self::ClockSkew => {
                Refused::authentication("Request date header too old: 'Wed, 01 Jan 2020 00:00:00 GMT'")
            }
            Self::ExpiredToken => Refused::token(
                "InvalidAuthenticationInfo",
                "Server failed to authenticate the request. Please refer to the information in the \
                 www-authenticate header.",
            ),
            Self::NotPermitted => Refused::permission(),
            Self::NoContainer => Refused::no_container(),
            Self::ServerBusy => Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServerBusy",
                "The server is currently unable to receive requests. Please retry your request.",
            )
            .with("retry-after", "1"),
            Self::TimedOut => {
                let message = "Operation could not be completed within the specified time.";
                Refused::new(failed, "OperationTimedOut", message)
            }
            Self::InternalError => {
                let message = "The server encountered an internal error. Please retry the request.";
                Refused::new(failed, "InternalError", message)
            }
        }
    }
}
