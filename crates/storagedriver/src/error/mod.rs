//! The one error type of the model, the drivers and the handle.

mod construct;
mod context;
mod kind;
mod operation;
mod parts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use context::Context;
pub use kind::ErrorKind;
pub use operation::Operation;
pub use parts::ErrorParts;

use crate::StoragePath;

/// The result of every operation on storage.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause from below: a system call, a client library, a server's reply.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What went wrong, on which driver, doing what, on which path.
///
/// Messages say what was tried, on what, and what to do; a cause from below is the
/// [`source`](std::error::Error::source) and is not repeated in the message. No variant ever
/// holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a file nor a directory is at the path, or not of the kind that the operation needs.
    #[error("{context}: path not found")]
    #[non_exhaustive]
    PathNotFound {
        /// Where.
        context: Context,
    },

    /// The path breaks the grammar, or the length limit of the driver. No I/O was done.
    #[error("{context}: invalid path: {reason}")]
    #[non_exhaustive]
    InvalidPath {
        /// Where.
        context: Context,
        /// Which rule is broken.
        reason: String,
    },

    /// A read was to start past the end of the content.
    #[error("{context}: offset {offset} is past the end of the content{}", OfSize(*size))]
    #[non_exhaustive]
    InvalidOffset {
        /// Where.
        context: Context,
        /// The offset asked for, in bytes.
        offset: u64,
        /// The size of the content in bytes, where the backend tells it.
        size: Option<u64>,
    },

    /// The state of the store forbids the operation: a file stands where a directory is needed,
    /// another writer ended the upload, the version asked for is gone.
    #[error("{context}: conflict: {reason}")]
    #[non_exhaustive]
    Conflict {
        /// Where.
        context: Context,
        /// With what, and what to do.
        reason: String,
    },

    /// The driver, or this backend, cannot do it.
    #[error("{context}: unsupported: {reason}")]
    #[non_exhaustive]
    Unsupported {
        /// Where.
        context: Context,
        /// Why not, and what to do instead.
        reason: String,
    },

    /// The backend knows who asks, and refuses.
    #[error("{context}: permission denied: {reason}")]
    #[non_exhaustive]
    PermissionDenied {
        /// Where.
        context: Context,
        /// What was refused.
        reason: String,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// The backend does not accept the credentials.
    #[error("{context}: not authenticated: {reason}")]
    #[non_exhaustive]
    Unauthenticated {
        /// Where.
        context: Context,
        /// Which credentials, and what to do.
        reason: String,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// The backend is full, or a quota is used up.
    #[error("{context}: out of space: {reason}")]
    #[non_exhaustive]
    OutOfSpace {
        /// Where.
        context: Context,
        /// What is full.
        reason: String,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// The backend asks for fewer requests. May be retried, after `retry_after` where given.
    #[error("{context}: throttled: {reason}")]
    #[non_exhaustive]
    Throttled {
        /// Where.
        context: Context,
        /// What the backend said.
        reason: String,
        /// How long the backend asks to wait.
        retry_after: Option<Duration>,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// The backend could not be reached or did not answer. May be retried.
    #[error("{context}: unavailable: {reason}")]
    #[non_exhaustive]
    Unavailable {
        /// Where.
        context: Context,
        /// What happened.
        reason: String,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// What the backend holds or answered contradicts itself.
    #[error("{context}: corrupted: {reason}")]
    #[non_exhaustive]
    Corrupted {
        /// Where.
        context: Context,
        /// What contradicts what.
        reason: String,
    },

    /// Any other failure of the backend; see the source.
    #[error("{context}: {reason}")]
    #[non_exhaustive]
    Backend {
        /// Where.
        context: Context,
        /// What was tried.
        reason: String,
        /// The cause from below.
        #[source]
        source: Option<BoxError>,
    },

    /// No driver of that name is linked into this program.
    #[error(
        "no storage driver named {name:?}; registered: {}. A driver registers itself only if its \
         crate is referenced (`use storagedriver_{name} as _;`), if it is not linked through a \
         static library (use `Factory::new().with(…)`), and if it was built against this version \
         of the crate `storagedriver`",
        Names(registered)
    )]
    #[non_exhaustive]
    InvalidStorageDriver {
        /// The name asked for.
        name: String,
        /// The names that are registered, sorted.
        registered: Vec<String>,
    },

    /// Two crates registered the same driver name; other names are not affected.
    #[error("storage driver {name:?} is registered by more than one crate: {}; link only one of them", crates.join(", "))]
    #[non_exhaustive]
    DuplicateStorageDriver {
        /// The name asked for.
        name: String,
        /// The crates, each with its version.
        crates: Vec<String>,
    },

    /// A parameter is missing, unknown, of the wrong kind or out of range.
    #[error("{driver}: parameter {parameter:?}: {reason}")]
    #[non_exhaustive]
    InvalidParameter {
        /// The driver whose parameters were read.
        driver: String,
        /// The parameter's name.
        parameter: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },

    /// A configuration file or the environment does not say one usable thing.
    #[error("configuration: {reason}")]
    #[non_exhaustive]
    InvalidConfiguration {
        /// What is wrong, where, and what to do.
        reason: String,
    },
}

struct OfSize(Option<u64>);

impl fmt::Display for OfSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(size) => write!(f, " of {size} bytes"),
            None => Ok(()),
        }
    }
}

struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}

/// The context of an error behind a reference of either kind, as a reference of that kind.
macro_rules! context_of {
    ($error:expr) => {
        match $error {
            Error::PathNotFound { context }
            | Error::InvalidPath { context, .. }
            | Error::InvalidOffset { context, .. }
            | Error::Conflict { context, .. }
            | Error::Unsupported { context, .. }
            | Error::PermissionDenied { context, .. }
            | Error::Unauthenticated { context, .. }
            | Error::OutOfSpace { context, .. }
            | Error::Throttled { context, .. }
            | Error::Unavailable { context, .. }
            | Error::Corrupted { context, .. }
            | Error::Backend { context, .. } => Some(context),
            Error::InvalidStorageDriver { .. }
            | Error::DuplicateStorageDriver { .. }
            | Error::InvalidParameter { .. }
            | Error::InvalidConfiguration { .. } => None,
        }
    };
}

impl Error {
    /// Whether the path was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::PathNotFound { .. })
    }

    /// Whether the same call may succeed later without anything being changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Throttled { .. } | Error::Unavailable { .. })
    }

    /// Where the error arose; `None` for errors of the factory and the configuration.
    pub fn context(&self) -> Option<&Context> {
        context_of!(self)
    }

    fn context_mut(&mut self) -> Option<&mut Context> {
        context_of!(self)
    }

    /// The driver that failed, once the handle has stamped it.
    pub fn driver(&self) -> Option<&str> {
        self.context().and_then(|context| context.driver.as_deref())
    }

    /// The operation that failed, once the handle has stamped it.
    pub fn operation(&self) -> Option<Operation> {
        self.context().and_then(|context| context.operation)
    }

    /// The path that it failed on.
    pub fn path(&self) -> Option<&str> {
        self.context().and_then(|context| context.path.as_deref())
    }

    /// The error of a path below `directory`, as seen from there.
    #[must_use]
    pub(crate) fn seen_from(mut self, directory: &StoragePath) -> Self {
        if let Some(path) = self.context_mut().and_then(|context| context.path.as_mut()) {
            let seen = StoragePath::parse(path).ok().and_then(|path| path.seen_from(directory));
            if let Some(seen) = seen {
                *path = Arc::from(seen.as_str());
            }
        }
        self
    }

    /// Fills in what the error does not yet know; never overwrites.
    #[must_use]
    pub fn stamped(mut self, driver: &Arc<str>, operation: Operation, path: Option<&StoragePath>) -> Self {
        if let Some(context) = self.context_mut() {
            context.driver.get_or_insert_with(|| driver.clone());
            context.operation.get_or_insert(operation);
            if let (None, Some(path)) = (&context.path, path) {
                context.path = Some(Arc::from(path.as_str()));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_driver_operation_path_and_is_not_repeated_by_its_source() {
        let path = StoragePath::parse("/a/b").unwrap();
        let driver: Arc<str> = Arc::from("filesystem");
        let error = Error::io(&path, "open", std::io::Error::from(std::io::ErrorKind::PermissionDenied))
            .stamped(&driver, Operation::GetContent, Some(&path));
        assert_eq!(error.to_string(), "filesystem: get_content /a/b: permission denied: open");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn a_stamp_never_overwrites() {
        let inner = StoragePath::parse("/inner").unwrap();
        let outer = StoragePath::parse("/outer").unwrap();
        let error = Error::path_not_found(&inner)
            .stamped(&Arc::from("first"), Operation::Stat, None)
            .stamped(&Arc::from("second"), Operation::Walk, Some(&outer));
        assert_eq!(error.driver(), Some("first"));
        assert_eq!(error.operation(), Some(Operation::Stat));
        assert_eq!(error.path(), Some("/inner"));
    }

    #[test]
    fn an_unknown_driver_names_what_is_registered_and_the_silent_causes() {
        let error = Error::InvalidStorageDriver { name: "s4".into(), registered: vec!["s3".into()] };
        let text = error.to_string();
        for part in ["\"s4\"", "registered: s3", "referenced", "static library", "built against this version"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn an_error_stays_small_enough_to_return_by_value() {
        assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
    }
}
