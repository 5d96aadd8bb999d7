//! An error taken apart, for a process boundary, and put together again behind it.

use std::fmt;
use std::time::Duration;

use super::{BoxError, Context, Error, ErrorKind};

/// What an [`Error`] holds, as plain values: for carrying it to another process, where it is the same
/// error again. The causes arrive as texts.
///
/// ```
/// use storagedriver::{Error, ErrorParts, StoragePath};
///
/// let path = StoragePath::parse("/a")?;
/// let error = Error::unavailable(&path, "no route").with_source(std::io::Error::other("cable cut"));
/// let again = ErrorParts::from(&error).into_error();
/// assert_eq!(again.to_string(), error.to_string());
/// assert_eq!(std::error::Error::source(&again).unwrap().to_string(), "cable cut");
/// # Ok::<(), storagedriver::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorParts {
    /// Which variant. The two that are about the drivers linked into a program become
    /// [`InvalidConfiguration`](Error::InvalidConfiguration).
    pub kind: ErrorKind,
    /// Where; with `InvalidParameter`, the driver alone.
    pub context: Context,
    /// What is wrong and what to do, without the context.
    pub reason: String,
    /// The messages of the causes below, outermost first.
    pub causes: Vec<String>,
    /// Of `InvalidOffset`: the offset asked for, in bytes.
    pub offset: u64,
    /// Of `InvalidOffset`: the size of the content in bytes, where it is known.
    pub size: Option<u64>,
    /// Of `Throttled`: how long the backend asks to wait.
    pub retry_after: Option<Duration>,
    /// Of `InvalidParameter`: the parameter's name.
    pub parameter: String,
}

impl ErrorParts {
    /// Parts of this kind, with nothing in them.
    pub fn new(kind: ErrorKind) -> Self {
        ErrorParts {
            kind,
            context: Context::default(),
            reason: String::new(),
            causes: Vec::new(),
            offset: 0,
            size: None,
            retry_after: None,
            parameter: String::new(),
        }
    }

    /// The error of these parts.
    pub fn into_error(self) -> Error {
        let (context, reason) = (self.context, self.reason);
        let source = chain(self.causes);
        match self.kind {
            ErrorKind::PathNotFound => Error::PathNotFound { context },
            ErrorKind::InvalidPath => Error::InvalidPath { context, reason },
            ErrorKind::InvalidOffset => {
                Error::InvalidOffset { context, offset: self.offset, size: self.size }
            }
            ErrorKind::Conflict => Error::Conflict { context, reason },
            ErrorKind::Unsupported => Error::Unsupported { context, reason },
            ErrorKind::PermissionDenied => Error::PermissionDenied { context, reason, source },
            ErrorKind::Unauthenticated => Error::Unauthenticated { context, reason, source },
            ErrorKind::OutOfSpace => Error::OutOfSpace { context, reason, source },
            ErrorKind::Throttled => {
                Error::Throttled { context, reason, retry_after: self.retry_after, source }
            }
            ErrorKind::Unavailable => Error::Unavailable { context, reason, source },
            ErrorKind::Corrupted => Error::Corrupted { context, reason },
            ErrorKind::Backend => Error::Backend { context, reason, source },
            ErrorKind::InvalidParameter => {
                let driver = context.driver.as_deref().unwrap_or_default().to_owned();
                Error::InvalidParameter { driver, parameter: self.parameter, reason }
            }
            ErrorKind::InvalidConfiguration
            | ErrorKind::InvalidStorageDriver
            | ErrorKind::DuplicateStorageDriver => Error::InvalidConfiguration { reason },
        }
    }
}

impl From<&Error> for ErrorParts {
    fn from(error: &Error) -> Self {
        let mut parts = ErrorParts::new(error.kind());
        parts.context = error.context().cloned().unwrap_or_default();
        match error {
            Error::PathNotFound { .. } => {}
            Error::InvalidOffset { offset, size, .. } => (parts.offset, parts.size) = (*offset, *size),
            Error::InvalidPath { reason, .. }
            | Error::Conflict { reason, .. }
            | Error::Unsupported { reason, .. }
            | Error::PermissionDenied { reason, .. }
            | Error::Unauthenticated { reason, .. }
            | Error::OutOfSpace { reason, .. }
            | Error::Unavailable { reason, .. }
            | Error::Corrupted { reason, .. }
            | Error::Backend { reason, .. }
            | Error::InvalidConfiguration { reason } => parts.reason.clone_from(reason),
            Error::Throttled { reason, retry_after, .. } => {
                parts.reason.clone_from(reason);
                parts.retry_after = *retry_after;
            }
            Error::InvalidParameter { driver, parameter, reason } => {
                parts.context.driver = Some(driver.as_str().into());
                parts.parameter.clone_from(parameter);
                parts.reason.clone_from(reason);
            }
            Error::InvalidStorageDriver { .. } | Error::DuplicateStorageDriver { .. } => {
                parts.kind = ErrorKind::InvalidConfiguration;
                parts.reason = error.to_string();
            }
        }
        let mut cause = std::error::Error::source(error);
        while let Some(below) = cause {
            parts.causes.push(below.to_string());
            cause = below.source();
        }
        parts
    }
}

/// A cause that came as text.
#[derive(Debug)]
struct Cause {
    text: String,
    below: Option<BoxError>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.below.as_deref().map(|below| below as _)
    }
}

fn chain(causes: Vec<String>) -> Option<BoxError> {
    causes.into_iter().rfold(None, |below, text| Some(Box::new(Cause { text, below }) as BoxError))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, StoragePath};
    use std::sync::Arc;

    fn again(error: &Error) -> Error {
        ErrorParts::from(error).into_error()
    }

    #[test]
    fn every_kind_survives_being_taken_apart() {
        let path = StoragePath::parse("/a/b").unwrap();
        let cause = || std::io::Error::other("below");
        let errors = [
            Error::path_not_found(&path),
            Error::invalid_path("/a//b", "a component is empty"),
            Error::invalid_offset(&path, 7, Some(3)),
            Error::invalid_offset(&path, 7, None),
            Error::conflict(&path, "why"),
            Error::unsupported(&path, "why"),
            Error::permission_denied(&path, "why").with_source(cause()),
            Error::unauthenticated(&path, "why").with_source(cause()),
            Error::out_of_space(&path, "why").with_source(cause()),
            Error::throttled(&path, "why", Some(Duration::from_millis(1500))).with_source(cause()),
            Error::unavailable(&path, "why").with_source(cause()),
            Error::corrupted(&path, "why"),
            Error::backend(&path, "why").with_source(cause()),
            Error::invalid_parameter("s3", "bucket", "is missing"),
            Error::invalid_configuration("why"),
        ];
        for error in errors {
            let error = error.stamped(&Arc::from("s3"), Operation::Commit, Some(&path));
            let same = again(&error);
            assert_eq!(ErrorParts::from(&same), ErrorParts::from(&error));
            assert_eq!((same.to_string(), same.kind()), (error.to_string(), error.kind()));
        }
    }

    #[test]
    fn what_is_about_the_drivers_of_a_program_arrives_as_a_configuration_error() {
        let error = Error::InvalidStorageDriver { name: "s4".into(), registered: vec![] };
        let same = again(&error);
        assert_eq!(same.kind(), ErrorKind::InvalidConfiguration);
        assert!(same.to_string().contains(&error.to_string()), "{same}");
    }

    #[test]
    fn a_chain_of_causes_stays_in_order() {
        let mut parts = ErrorParts::new(ErrorKind::Backend);
        parts.causes = vec!["outer".to_owned(), "inner".to_owned()];
        let error = parts.clone().into_error();
        assert_eq!(ErrorParts::from(&error), parts);
    }
}
