//! How drivers make errors.

use std::time::Duration;

use super::{BoxError, Context, Error};
use crate::StoragePath;

/// Constructors for drivers: they take what a driver knows, the handle adds the rest.
impl Error {
    /// Nothing of the needed kind is at `path`.
    pub fn path_not_found(path: &StoragePath) -> Self {
        Error::PathNotFound { context: Context::of(path) }
    }

    /// `path` breaks a rule; it need not be a valid path.
    pub fn invalid_path(path: impl AsRef<str>, reason: impl Into<String>) -> Self {
        Error::InvalidPath { context: Context::at(path), reason: reason.into() }
    }

    /// A read at `offset` of content that has `size` bytes (where known).
    pub fn invalid_offset(path: &StoragePath, offset: u64, size: Option<u64>) -> Self {
        Error::InvalidOffset { context: Context::at(path), offset, size }
    }

    /// The state of the store forbids it.
    pub fn conflict(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Conflict { context: Context::at(path), reason: reason.into() }
    }

    /// The driver cannot do it.
    pub fn unsupported(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Unsupported { context: Context::at(path), reason: reason.into() }
    }

    /// The backend refuses it to this user.
    pub fn permission_denied(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::PermissionDenied { context: Context::at(path), reason: reason.into(), source: None }
    }

    /// The backend does not accept the credentials.
    pub fn unauthenticated(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Unauthenticated { context: Context::at(path), reason: reason.into(), source: None }
    }

    /// The backend is full.
    pub fn out_of_space(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::OutOfSpace { context: Context::at(path), reason: reason.into(), source: None }
    }

    /// The backend asks for fewer requests.
    pub fn throttled(path: &StoragePath, reason: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Error::Throttled { context: Context::at(path), reason: reason.into(), retry_after, source: None }
    }

    /// The backend does not answer.
    pub fn unavailable(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Unavailable { context: Context::at(path), reason: reason.into(), source: None }
    }

    /// What the backend holds contradicts itself.
    pub fn corrupted(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Corrupted { context: Context::at(path), reason: reason.into() }
    }

    /// Any other failure; `reason` says what was tried.
    pub fn backend(path: &StoragePath, reason: impl Into<String>) -> Self {
        Error::Backend { context: Context::at(path), reason: reason.into(), source: None }
    }

    /// A parameter that cannot be used.
    pub fn invalid_parameter(
        driver: impl Into<String>,
        parameter: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Error::InvalidParameter { driver: driver.into(), parameter: parameter.into(), reason: reason.into() }
    }

    /// A configuration that cannot be used.
    pub fn invalid_configuration(reason: impl Into<String>) -> Self {
        Error::InvalidConfiguration { reason: reason.into() }
    }

    /// The failure of a system call, by its meaning: missing, refused, full, otherwise `Backend`.
    /// `reason` says what was tried.
    pub fn io(path: &StoragePath, reason: impl Into<String>, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let reason = reason.into();
        match source.kind() {
            Io::NotFound => Error::path_not_found(path),
            Io::PermissionDenied | Io::ReadOnlyFilesystem => {
                Error::permission_denied(path, reason).with_source(source)
            }
            Io::StorageFull | Io::QuotaExceeded => Error::out_of_space(path, reason).with_source(source),
            _ => Error::backend(path, reason).with_source(source),
        }
    }

    /// Adds the cause from below; a variant that has none is returned as it is.
    #[must_use]
    pub fn with_source(mut self, cause: impl Into<BoxError>) -> Self {
        match &mut self {
            Error::PermissionDenied { source, .. }
            | Error::Unauthenticated { source, .. }
            | Error::OutOfSpace { source, .. }
            | Error::Throttled { source, .. }
            | Error::Unavailable { source, .. }
            | Error::Backend { source, .. } => *source = Some(cause.into()),
            _ => {}
        }
        self
    }
}
