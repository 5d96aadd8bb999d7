//! Refusals that a test asks for: what S3 answers when something is wrong that this server cannot have.

use http::StatusCode;

/// What every request is answered from now on; see [`S3Server::refuse`](super::S3Server::refuse).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Refusal {
    /// 403 `RequestTimeTooSkewed`: the clock of the client is wrong. The server compares the times of
    /// requests with its own; this is for clients that cannot change theirs.
    ClockSkew,
    /// 400 `ExpiredToken`: the session token is too old.
    ExpiredToken,
    /// 403 `InvalidAccessKeyId`: nobody has this key.
    UnknownKey,
    /// 403 `SignatureDoesNotMatch`: the secret is wrong.
    WrongSecret,
    /// 403 `AccessDenied`: no permission.
    AccessDenied,
    /// 301 `PermanentRedirect`: the bucket is in `eu-central-1`, and has an endpoint there.
    WrongEndpoint,
    /// 404 `NoSuchBucket`.
    NoSuchBucket,
    /// 503 `SlowDown`, with `Retry-After: 1`.
    SlowDown,
    /// 500 `InternalError`.
    InternalError,
    /// 507 `InsufficientStorage`, as stores with a quota answer: nothing is left.
    Full,
}

/// An answer that is not of the operation.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// More elements of the body.
    pub(super) elements: Vec<(&'static str, String)>,
    /// More headers.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), elements: Vec::new(), headers: Vec::new() }
    }

    fn element(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.elements.push((name, value.into()));
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A signature for another region than the bucket's.
    pub(super) fn wrong_region(named: &str, region: &str) -> Self {
        let message = format!(
            "The authorization header is malformed; the region '{named}' is wrong; expecting '{region}'"
        );
        Self::new(StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed", message)
            .element("Region", region)
            .header("x-amz-bucket-region", region)
    }
}

impl S3Refusal {
    pub(super) fn answer(self, bucket: &str) -> Answer {
        let forbidden = StatusCode::FORBIDDEN;
        match self {
            Self::ClockSkew => Answer::new(
                forbidden,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
            .element("RequestTime", "20200101T000000Z")
            .element("ServerTime", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .element("MaxAllowedSkewMilliseconds", "900000"),
            Self::ExpiredToken => {
                Answer::new(StatusCode::BAD_REQUEST, "ExpiredToken", "The provided token has expired.")
            }
            Self::UnknownKey => Answer::new(
                forbidden,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            Self::WrongSecret => Answer::new(
                forbidden,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Self::AccessDenied => Answer::new(forbidden, "AccessDenied", "Access Denied"),
            Self::WrongEndpoint => Answer::new(
                StatusCode::MOVED_PERMANENTLY,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please \
                 send all future requests to this endpoint.",
            )
            .element("Endpoint", format!("{bucket}.s3.eu-central-1.amazonaws.com"))
            .element("Bucket", bucket)
            .header("x-amz-bucket-region", "eu-central-1"),
            Self::NoSuchBucket => {
                Answer::new(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
                    .element("BucketName", bucket)
            }
            Self::SlowDown => {
                Answer::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.")
                    .header("retry-after", "1")
            }
            Self::InternalError => Answer::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
            ),
            Self::Full => Answer::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "InsufficientStorage",
                "There is not enough storage left to complete the request.",
            ),
        }
    }
}
