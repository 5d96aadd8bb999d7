//! What a failure of `object_store` means to the engine.

use std::error::Error as StdError;
use std::io;

use object_store::Error;
use storagedriver::ErrorKind;
use storagedriver_object::StoreError;

/// What the engine is told: `what` was tried.
pub(crate) fn failure(what: &str, error: Error) -> StoreError {
    let kind = match &error {
        Error::NotFound { .. } => return StoreError::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. } => {
            return StoreError::Precondition;
        }
        Error::PermissionDenied { .. } => ErrorKind::PermissionDenied,
        Error::Unauthenticated { .. } => ErrorKind::Unauthenticated,
        Error::NotSupported { .. } | Error::NotImplemented { .. } => ErrorKind::Unsupported,
        error => match io_kind(error) {
            // A component of the key is a file, or the key is a directory: there is no such object.
            Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return StoreError::NotFound,
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                ErrorKind::PermissionDenied
            }
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => ErrorKind::OutOfSpace,
            Some(
                io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe,
            ) => ErrorKind::Unavailable,
            _ => ErrorKind::Backend,
        },
    };
    StoreError::failed(kind, format!("the store failed to {what}; its own words are the cause"))
        .with_source(error)
}

/// The kind of the failed system call, if there is one below.
pub(crate) fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}
