//! What a failure of OpenDAL means to the engine.

use std::error::Error as _;
use std::io;

use opendal::{Error, ErrorKind as Kind};
use storagedriver::ErrorKind;
use storagedriver_object::StoreError;

/// What the engine is told: `what` was tried.
pub(crate) fn failure(what: &str, error: Error) -> StoreError {
    let kind = match error.kind() {
        // A component of the key is a file, or the key is a directory: there is no such object.
        Kind::NotFound | Kind::IsADirectory | Kind::NotADirectory => return StoreError::NotFound,
        Kind::ConditionNotMatch => return StoreError::Precondition,
        Kind::PermissionDenied => ErrorKind::PermissionDenied,
        Kind::RateLimited => ErrorKind::Throttled,
        Kind::Unsupported => ErrorKind::Unsupported,
        Kind::Conflict | Kind::AlreadyExists => ErrorKind::Conflict,
        _ => match io_kind(&error) {
            Some(io::ErrorKind::NotADirectory) => return StoreError::NotFound,
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => ErrorKind::OutOfSpace,
            Some(io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty) => ErrorKind::Conflict,
            Some(io::ErrorKind::ReadOnlyFilesystem) => ErrorKind::PermissionDenied,
            _ if error.is_temporary() => ErrorKind::Unavailable,
            _ => ErrorKind::Backend,
        },
    };
    let reason = format!("the service failed to {what}; its own words are the cause");
    StoreError::failed(kind, reason).with_source(error)
}

/// The kind of the failed system call, if there is one below.
fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}
