//! What a request asks for, as far as faults and counts look at it.

use hyper::Method;
use hyper::body::Body;
use hyper::http::request::Parts;

use super::{Fault, Place, gcs, s3};

/// The parameters that name a token: S3's version 2, Google's.
const TOKENS: [&str; 2] = ["continuation-token", "pageToken"];
/// The parameters that say where a listing starts, of the same.
const STARTS: [&str; 2] = ["start-after", "startOffset"];

/// The head of a request, and whether it has a body.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) operation: &'static str,
    s3_operation: &'static str,
    gcs_operation: &'static str,
    has_body: bool,
    copies: bool,
}

impl Asked {
    pub(super) fn new(parts: &Parts, body: &impl Body, operation: &'static str) -> Self {
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            operation,
            s3_operation: s3::path_style(parts),
            gcs_operation: gcs::operation(parts),
            has_body: !body.is_end_stream(),
            copies: parts.method == Method::PUT && parts.headers.contains_key("x-ms-copy-source"),
        }
    }

    /// The parameter's value as it stands in the query, percent-encoded.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        parameter(&self.query, name)
    }

    /// The token that a listing is asked to continue from, as it stands in the query.
    pub(super) fn token(&self) -> Option<&str> {
        TOKENS.into_iter().find_map(|name| self.parameter(name))
    }

    /// What a listing is asked to continue from, decoded; a token before the marker.
    pub(super) fn continues_from(&self) -> Option<String> {
        let raw = self.token().or_else(|| self.parameter("marker"))?;
        (!raw.is_empty()).then(|| super::listing::decode(raw))
    }

    /// The parameter that says after which key, or at which, a listing starts.
    pub(super) fn start(&self) -> Option<&'static str> {
        STARTS.into_iter().find(|name| self.parameter(name).is_some())
    }
}

impl Fault {
    /// Whether the fault can be given to this request.
    pub(super) fn fits(&self, asked: &Asked) -> bool {
        let reads = asked.method == Method::GET;
        match self {
            Self::ResetRequest { .. } | Self::Stall { place: Place::RequestBody(_), .. } => asked.has_body,
            Self::ErrorInSuccess { .. } => {
                let operations = [s3::COPY_OBJECT, s3::UPLOAD_PART_COPY, s3::COMPLETE_MULTIPART_UPLOAD];
                operations.contains(&asked.operation) || operations.contains(&asked.s3_operation)
            }
            Self::PendingCopy { .. } => asked.copies,
            Self::TruncateListing { .. } => {
                let s3 = [asked.operation, asked.s3_operation].iter().any(|name| s3::LISTINGS.contains(name));
                reads && (s3 || asked.gcs_operation == gcs::LIST)
            }
            Self::RepeatPage => reads && asked.continues_from().is_some(),
            Self::IgnoreStartAfter => reads && asked.start().is_some(),
            _ => true,
        }
    }
}

/// A parameter of a query.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}
