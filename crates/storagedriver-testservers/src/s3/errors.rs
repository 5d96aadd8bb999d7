//! The error answers of S3, in its words.

use std::str::FromStr;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// An error by its code and status; codes that `s3s` does not know are sent as they are.
pub(crate) fn refuse(code: &'static str, status: StatusCode, message: impl Into<String>) -> S3Error {
    // Cannot fail: what is not in the table is a custom code.
    let code = S3ErrorCode::from_str(code).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message.into());
    error.set_status_code(status);
    error
}

pub(crate) fn no_such_bucket() -> S3Error {
    refuse("NoSuchBucket", StatusCode::NOT_FOUND, "The specified bucket does not exist")
}

pub(crate) fn no_such_key() -> S3Error {
    refuse("NoSuchKey", StatusCode::NOT_FOUND, "The specified key does not exist.")
}

pub(crate) fn no_such_upload() -> S3Error {
    refuse(
        "NoSuchUpload",
        StatusCode::NOT_FOUND,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

pub(crate) fn precondition() -> S3Error {
    refuse(
        "PreconditionFailed",
        StatusCode::PRECONDITION_FAILED,
        "At least one of the pre-conditions you specified did not hold",
    )
}

pub(crate) fn not_implemented(what: &str) -> S3Error {
    refuse(
        "NotImplemented",
        StatusCode::NOT_IMPLEMENTED,
        format!("A header or operation you provided implies functionality that is not implemented: {what}"),
    )
}

pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> S3Error {
    refuse(code, StatusCode::BAD_REQUEST, message)
}
