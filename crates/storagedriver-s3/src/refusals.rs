//! What a refusal of S3 means, and what to do about it.

use storagedriver::ErrorKind;
use storagedriver_object::StoreError;
use storagedriver_object::http::{Refusal, ReplyHead, Request, StatusCode};

use crate::xml::{Element, failure};

/// Refused as such, but a new attempt may be taken.
const TRANSIENT: &[&str] = &[
    "BadDigest",
    "Busy",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "XAmzContentSHA256Mismatch",
];

/// The credentials are no longer taken; newer ones may be.
const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"];

const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
];

const FULL: &[&str] =
    &["InsufficientCapacity", "QuotaExceeded", "StorageFull", "StorageQuotaExceeded", "XMinioStorageFull"];

const WRONG_REGION: &[&str] = &[
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
];

/// The status that goes with a code, where an error stands inside a reply of success.
pub(crate) fn status_of(code: &str) -> StatusCode {
    match code {
        "NoSuchKey" | "NoSuchUpload" | "NoSuchBucket" => StatusCode::NOT_FOUND,
        "AccessDenied" | "AllAccessDisabled" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" => {
            StatusCode::FORBIDDEN
        }
        "PreconditionFailed" => StatusCode::PRECONDITION_FAILED,
        "ConditionalRequestConflict" | "OperationAborted" => StatusCode::CONFLICT,
        code if THROTTLED.contains(&code) => StatusCode::SERVICE_UNAVAILABLE,
        "ServiceUnavailable" => StatusCode::SERVICE_UNAVAILABLE,
        code if TRANSIENT.contains(&code) || code.is_empty() => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Reads a refusal: the element `Error` in the body, and the headers for what is not in it.
pub(crate) fn read(head: &ReplyHead, body: &[u8]) -> Refusal {
    let error = Element::parse(body).filter(|root| root.name == "Error");
    let mut refusal = match &error {
        Some(error) => Refusal { status: head.status, retry_after: head.retry_after(), ..failure(error) },
        None => Refusal::plain(head, body),
    };
    if refusal.request_id.is_none() {
        refusal.request_id = head.header("x-amz-request-id").map(str::to_owned);
    }
    let region = error.as_ref().and_then(|error| error.value("Region"));
    if let Some(region) = region.or_else(|| head.header("x-amz-bucket-region")) {
        let wrong = refusal.is(WRONG_REGION) || head.status.is_redirection();
        if wrong {
            let said = refusal.message.take().map(|said| format!("{said} ")).unwrap_or_default();
            refusal.message = Some(format!("{said}(the bucket is in {region})"));
        }
    } else if let Some(endpoint) = error.as_ref().and_then(|error| error.value("Endpoint")) {
        let said = refusal.message.take().map(|said| format!("{said} ")).unwrap_or_default();
        refusal.message = Some(format!("{said}(the bucket is at {endpoint})"));
    }
    refusal
}

pub(crate) fn is_transient(refusal: &Refusal) -> bool {
    refusal.is_transient() && !refusal.is(FULL) || refusal.is(TRANSIENT)
}

/// Whether newer credentials may be taken. The reply to a HEAD has no body, and so no code.
pub(crate) fn is_expired(refusal: &Refusal) -> bool {
    refusal.is(EXPIRED) || (refusal.code.is_none() && matches!(refusal.status.as_u16(), 400 | 401 | 403))
}

/// What a refusal is to the engine.
pub(crate) fn error(request: &Request, refusal: Refusal, bucket: &str) -> StoreError {
    let code = refusal.code.clone().unwrap_or_default();
    match code.as_str() {
        "NoSuchUpload" => return StoreError::NoSuchUpload,
        "NoSuchKey" if is_of_upload(request) => return StoreError::NoSuchUpload,
        "NoSuchKey" => return StoreError::NotFound,
        "PreconditionFailed" => return StoreError::Precondition,
        "InvalidRange" if request.what == "GetObject" => return StoreError::Range(None),
        _ => {}
    }
    match (refusal.status.as_u16(), code.is_empty()) {
        // A HEAD, or a store that writes no body: there is nothing but the status to go by.
        (404, true) if is_of_upload(request) => return StoreError::NoSuchUpload,
        (404, true) if request.url.query().is_none() => return StoreError::NotFound,
        (412, _) => return StoreError::Precondition,
        (416, _) if request.what == "GetObject" => return StoreError::Range(None),
        _ => {}
    }
    let (kind, advice) = meaning(&code, refusal.status, request, bucket);
    refusal.into_failure(kind, request.what, &advice)
}

/// Whether a missing key can only mean a missing upload.
fn is_of_upload(request: &Request) -> bool {
    let conditional =
        request.headers.contains_key("if-match") || request.headers.contains_key("if-none-match");
    match request.what {
        "UploadPart" | "AbortMultipartUpload" => true,
        "CompleteMultipartUpload" => !conditional,
        _ => false,
    }
}

fn meaning(code: &str, status: StatusCode, request: &Request, bucket: &str) -> (ErrorKind, String) {
    use ErrorKind as Kind;
    let advice = |kind, text: &str| (kind, text.to_owned());
    match code {
        "NoSuchBucket" => {
            (Kind::Backend, format!("create the bucket {bucket:?}, or correct the parameter bucket"))
        }
        "InvalidBucketName" => (Kind::Backend, format!("correct the parameter bucket ({bucket:?})")),
        "InvalidAccessKeyId" => advice(
            Kind::Unauthenticated,
            "the store does not know the access key: correct accesskey, or sessiontoken if the key is temporary",
        ),
        "SignatureDoesNotMatch" => {
            advice(Kind::Unauthenticated, "correct secretkey, and region if the store checks it")
        }
        "RequestTimeTooSkewed" | "RequestExpired" => {
            advice(Kind::Unauthenticated, "set the clock of this machine")
        }
        code if EXPIRED.contains(&code) => advice(
            Kind::Unauthenticated,
            "the credentials have expired: renew sessiontoken, or let them come from the environment, a profile \
             or the instance",
        ),
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
            (Kind::PermissionDenied, format!("grant {}", permission(request.what)))
        }
        code if WRONG_REGION.contains(&code) => advice(
            Kind::Backend,
            "set the parameter region, and regionendpoint if it is given, to the bucket's",
        ),
        code if FULL.contains(&code) => advice(Kind::OutOfSpace, ""),
        code if THROTTLED.contains(&code) => advice(Kind::Throttled, ""),
        "InvalidPart" if request.what == "CompleteMultipartUpload" => advice(
            Kind::Backend,
            "the store has other parts of the upload than this writer knows: another sent more past its last \
             close and was lost, or replaced some. Send at least as much again as was lost, or cancel the upload \
             and begin it anew with Create",
        ),
        "EntityTooLarge" => advice(Kind::Unsupported, "lower chunksize and multipartcopychunksize"),
        "EntityTooSmall" => advice(Kind::Backend, "raise chunksize"),
        "InvalidStorageClass" => advice(Kind::Backend, "set storageclass to one that the store has, or NONE"),
        "AccessControlListNotSupported" => {
            advice(Kind::Backend, "the bucket takes no ACL: set objectacl to bucket-owner-full-control")
        }
        "InvalidObjectState" => advice(Kind::Backend, "the object is archived: restore it first"),
        "MethodNotAllowed" | "NotImplemented" => {
            advice(Kind::Unsupported, "the store lacks the request: set profile to one that does without it")
        }
        code if code.starts_with("KMS.") => advice(Kind::Backend, "see to the key that keyid names"),
        _ => by_status(status, request),
    }
}

fn by_status(status: StatusCode, request: &Request) -> (ErrorKind, String) {
    use ErrorKind as Kind;
    match status.as_u16() {
        300..=399 => {
            (Kind::Backend, "set the parameters region and regionendpoint to the bucket's".to_owned())
        }
        401 => (Kind::Unauthenticated, "see to accesskey and secretkey".to_owned()),
        403 => (
            Kind::PermissionDenied,
            format!("see to the credentials, and grant {}", permission(request.what)),
        ),
        // A HEAD has no body that would say so.
        400 if request.what == "HeadObject" => {
            (Kind::Backend, "see to region and to the age of the credentials".to_owned())
        }
        501 => (
            Kind::Unsupported,
            "the store lacks the request: set profile to one that does without it".to_owned(),
        ),
        409 => (Kind::Conflict, String::new()),
        429 | 503 => (Kind::Throttled, String::new()),
        507 => (Kind::OutOfSpace, String::new()),
        408 | 425 | 500..=599 => (Kind::Unavailable, String::new()),
        _ => (Kind::Backend, String::new()),
    }
}

/// The permission that a request needs, as Amazon's policies name it.
fn permission(what: &str) -> &'static str {
    match what {
        // Without the second, an absent object is refused as well.
        "GetObject" | "HeadObject" => "s3:GetObject and s3:ListBucket",
        "ListObjects" => "s3:ListBucket",
        "ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        "AbortMultipartUpload" => "s3:AbortMultipartUpload",
        "DeleteObject" | "DeleteObjects" => "s3:DeleteObject",
        "CopyObject" | "UploadPartCopy" => "s3:GetObject and s3:PutObject",
        _ => "s3:PutObject",
    }
}
