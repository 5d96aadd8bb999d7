//! The kinds of errors.

use std::fmt;

use crate::Error;

macro_rules! kinds {
    ($($variant:ident = $name:literal;)+) => {
        /// The kind of an [`Error`]: one value per variant, for metrics, exit codes and the process
        /// boundary.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = concat!("[`Error::", stringify!($variant), "`]")] $variant,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the enumeration.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant),+];

            /// The value of the `kind` label of `registry_storage_errors_total`: `path_not_found`.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorKind::$variant => $name),+ }
            }
        }

        impl Error {
            /// Which variant this is.
            pub fn kind(&self) -> ErrorKind {
                match self { $(Error::$variant { .. } => ErrorKind::$variant),+ }
            }
        }
    };
}

kinds! {
    PathNotFound = "path_not_found";
    InvalidPath = "invalid_path";
    InvalidOffset = "invalid_offset";
    Conflict = "conflict";
    Unsupported = "unsupported";
    PermissionDenied = "permission_denied";
    Unauthenticated = "unauthenticated";
    OutOfSpace = "out_of_space";
    Throttled = "throttled";
    Unavailable = "unavailable";
    Corrupted = "corrupted";
    Backend = "backend";
    InvalidStorageDriver = "invalid_storage_driver";
    DuplicateStorageDriver = "duplicate_storage_driver";
    InvalidParameter = "invalid_parameter";
    InvalidConfiguration = "invalid_configuration";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
