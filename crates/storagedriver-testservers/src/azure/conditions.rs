//! Conditions on reads and writes.

use super::refusal::{Answer, Refused};
use crate::call::Call;
use crate::store::{Bucket, State, StoredObject};

/// A container, which must be there.
pub(super) fn container<'a>(state: &'a mut State, name: &str) -> Answer<&'a mut Bucket> {
    state.buckets.get_mut(name).ok_or_else(Refused::no_container)
}

/// Checks what a write demands of the blob that it replaces.
pub(super) fn check_write(call: &Call, current: Option<&StoredObject>) -> Answer<()> {
    match (call.header("if-none-match"), current) {
        (Some("*"), Some(_)) => {
            return Err(Refused::conflict("BlobAlreadyExists", "The specified blob already exists."));
        }
        (Some(tag), Some(found)) if names(tag, found) => return Err(Refused::condition()),
        _ => {}
    }
    match (call.header("if-match"), current) {
        (None, _) => Ok(()),
        (Some(tag), Some(found)) if names(tag, found) => Ok(()),
        _ => Err(Refused::condition()),
    }
}

/// Checks what a read demands of the blob.
pub(super) fn check_read(call: &Call, found: &StoredObject) -> Answer<()> {
    if call.header("if-match").is_some_and(|tag| !names(tag, found)) {
        return Err(Refused::condition());
    }
    if call.header("if-none-match").is_some_and(|tag| names(tag, found)) {
        return Err(Refused::not_modified());
    }
    Ok(())
}

/// Checks what a copy demands of its source.
pub(super) fn check_source(call: &Call, found: &StoredObject) -> Answer<()> {
    let refused = || {
        Refused::new(
            http::StatusCode::PRECONDITION_FAILED,
            "SourceConditionNotMet",
            "The source condition specified using HTTP conditional header(s) is not met.",
        )
    };
    if call.header("x-ms-source-if-match").is_some_and(|tag| !names(tag, found))
        || call.header("x-ms-source-if-none-match").is_some_and(|tag| names(tag, found))
    {
        return Err(refused());
    }
    Ok(())
}

fn names(tag: &str, found: &StoredObject) -> bool {
    tag == "*" || tag.trim_matches('"') == found.etag
}
