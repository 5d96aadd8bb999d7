//! What a backend says when a request fails.

use std::time::Duration;

use storagedriver::{BoxError, Error, ErrorKind, StoragePath};

/// The result of a request to a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a request failed. A backend knows keys, not paths: the engine adds the path.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such object.
    NotFound,
    /// There is no such multipart upload: it was completed or aborted.
    NoSuchUpload,
    /// The object is not in the state that the request demanded.
    Precondition,
    /// The range starts at or past the end; the size of the object, where the store tells it.
    Range(Option<u64>),
    /// Anything else.
    Failed(Failure),
}

/// A failure that the engine passes on.
#[derive(Debug)]
pub struct Failure {
    kind: ErrorKind,
    reason: String,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl StoreError {
    /// A failure of this kind: [`Unsupported`](ErrorKind::Unsupported),
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Unauthenticated`](ErrorKind::Unauthenticated),
    /// [`OutOfSpace`](ErrorKind::OutOfSpace), [`Throttled`](ErrorKind::Throttled),
    /// [`Unavailable`](ErrorKind::Unavailable), [`Corrupted`](ErrorKind::Corrupted),
    /// [`Conflict`](ErrorKind::Conflict); any other becomes [`Backend`](ErrorKind::Backend). `reason` says what was tried and what
    /// to do, and never holds a secret.
    pub fn failed(kind: ErrorKind, reason: impl Into<String>) -> Self {
        StoreError::Failed(Failure { kind, reason: reason.into(), retry_after: None, source: None })
    }

    /// The store has no such operation.
    pub fn unsupported(what: &str) -> Self {
        Self::failed(ErrorKind::Unsupported, format!("this store has no {what}"))
    }

    /// With the error from below.
    #[must_use]
    pub fn with_source(mut self, cause: impl Into<BoxError>) -> Self {
        if let StoreError::Failed(failure) = &mut self {
            failure.source = Some(cause.into());
        }
        self
    }

    /// With how long the store asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        if let StoreError::Failed(failure) = &mut self {
            failure.retry_after = Some(wait);
        }
        self
    }

    /// As the driver reports it.
    pub(crate) fn at(self, path: &StoragePath) -> Error {
        match self {
            StoreError::NotFound => Error::path_not_found(path),
            StoreError::NoSuchUpload => {
                Error::conflict(path, "the store no longer has the upload: it was ended elsewhere")
            }
            StoreError::Precondition => {
                Error::conflict(path, "what the store holds is not what the request demanded; start again")
            }
            StoreError::Range(size) => {
                Error::backend(path, format!("the store refused a range; it tells {size:?} bytes"))
            }
            StoreError::Failed(failure) => failure.at(path),
        }
    }
}

impl Failure {
    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was tried, what came of it and what to do.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the store refused the request as it is, and would refuse it again.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.kind, ErrorKind::Unsupported | ErrorKind::Backend)
    }

    fn at(self, path: &StoragePath) -> Error {
        let reason = self.reason;
        let error = match self.kind {
            ErrorKind::Conflict => Error::conflict(path, reason),
            ErrorKind::Unsupported => Error::unsupported(path, reason),
            ErrorKind::PermissionDenied => Error::permission_denied(path, reason),
            ErrorKind::Unauthenticated => Error::unauthenticated(path, reason),
            ErrorKind::OutOfSpace => Error::out_of_space(path, reason),
            ErrorKind::Throttled => Error::throttled(path, reason, self.retry_after),
            ErrorKind::Unavailable => Error::unavailable(path, reason),
            ErrorKind::Corrupted => Error::corrupted(path, reason),
            _ => Error::backend(path, reason),
        };
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}
