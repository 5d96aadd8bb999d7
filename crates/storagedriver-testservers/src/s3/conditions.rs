//! Conditions on reads and writes.

use http::StatusCode;
use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::errors;
use super::options::ConditionalWrites;
use crate::store::StoredObject;

/// Whether a condition names the object.
fn names(condition: &ETagCondition, object: &StoredObject) -> bool {
    match condition.as_etag() {
        None => true,
        Some(etag) => etag.value() == object.etag,
    }
}

/// Checks what a write demands of the object that it replaces.
pub(super) fn check_write(
    rule: ConditionalWrites,
    current: Option<&StoredObject>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    if if_match.is_none() && if_none_match.is_none() {
        return Ok(());
    }
    match rule {
        ConditionalWrites::Ignored => return Ok(()),
        ConditionalWrites::Refused => return Err(errors::not_implemented("conditional writes")),
        ConditionalWrites::Supported => {}
    }
    if let Some(condition) = if_none_match {
        if !condition.is_any() {
            return Err(errors::not_implemented("If-None-Match other than *"));
        }
        if current.is_some() {
            return Err(errors::precondition());
        }
    }
    match (if_match, current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(errors::no_such_key()),
        (Some(condition), Some(object)) if names(condition, object) => Ok(()),
        (Some(_), Some(_)) => Err(errors::precondition()),
    }
}

/// Checks what a read demands of the object.
pub(super) fn check_read(
    object: &StoredObject,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    if if_match.is_some_and(|condition| !names(condition, object)) {
        return Err(errors::precondition());
    }
    if if_none_match.is_some_and(|condition| names(condition, object)) {
        let mut error = S3Error::with_message(S3ErrorCode::NotModified, "Not Modified");
        error.set_status_code(StatusCode::NOT_MODIFIED);
        return Err(error);
    }
    Ok(())
}

/// The entity tag of an object.
pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}
