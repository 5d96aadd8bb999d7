//! Why a command ends without having done what was asked, and how the program says so.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use storagedriver::ErrorKind;
use storagedriver_cli::storage_argument::InvalidStorageArgument;

use crate::interrupt::Signal;
use crate::linked::{Kind, NotBuilt};
use crate::paint::Paint;

/// What a command that ran to its end answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done: exit code 0.
    Yes,
    /// The answer is no: exit code 1. The output has said why.
    No,
}

/// Why a command did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line asks for what cannot be: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// What storage says; the exit code depends on its kind.
    #[error(transparent)]
    Storage(storagedriver::Error),
    /// A driver or middleware that the program could have been built with: exit code 2.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// What has to be done before anything else failed; the exit code is that of its source.
    #[error("{what}")]
    #[cfg_attr(not(feature = "conformance"), expect(dead_code, reason = "only that command tries first"))]
    Unfit {
        /// What could not be done, and why it is needed.
        what: String,
        /// What the storage says.
        source: storagedriver::Error,
    },
    /// The driver sends clients nowhere: exit code 1.
    #[error(
        "{driver} has no URL for {method} {path}: a driver has one only if its backend serves clients itself, \
         and its parameters allow it"
    )]
    NoUrl {
        /// The driver.
        driver: String,
        /// What a client would do.
        method: String,
        /// With which file.
        path: String,
    },
    /// Reading or writing outside the storage failed: exit code 3.
    #[error("{what}")]
    Local {
        /// What was tried, on what.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// Whoever read the output has gone: exit code 141, and no message.
    #[error("the reader of the output has gone")]
    ClosedPipe,
    /// A signal asked the program to end: exit code 128 and the signal's number, and no message.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
}

impl From<storagedriver::Error> for Failure {
    /// That a driver is not registered is the model's view of it; here it is missing, and its user cannot link it.
    fn from(error: storagedriver::Error) -> Self {
        let missing = match &error {
            storagedriver::Error::InvalidStorageDriver { name, .. } => NotBuilt::driver(name),
            _ => None,
        };
        missing.map_or(Failure::Storage(error), Failure::NotBuilt)
    }
}

impl From<InvalidStorageArgument> for Failure {
    fn from(error: InvalidStorageArgument) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl Failure {
    /// The failure of writing to the output.
    pub(crate) fn output(source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            return Failure::ClosedPipe;
        }
        Failure::Local { what: "writing the output".to_owned(), source }
    }

    /// 1: the answer is no; 2: usage; 3: the backend failed; 128 and more: ended from outside.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::NotBuilt(_) => 2,
            Failure::NoUrl { .. } => 1,
            Failure::Local { .. } => 3,
            Failure::ClosedPipe => 141,
            Failure::Interrupted(signal) => signal.exit_code(),
            Failure::Storage(error) | Failure::Unfit { source: error, .. } => match error.kind() {
                ErrorKind::PathNotFound | ErrorKind::InvalidOffset | ErrorKind::Corrupted => 1,
                ErrorKind::InvalidPath
                | ErrorKind::InvalidStorageDriver
                | ErrorKind::DuplicateStorageDriver
                | ErrorKind::InvalidParameter
                | ErrorKind::InvalidConfiguration => 2,
                _ => 3,
            },
        }
    }

    /// What to print on standard error; `None` where silence is expected.
    pub(crate) fn report(&self, json: bool, paint: Paint) -> Option<String> {
        match self {
            Failure::ClosedPipe | Failure::Interrupted(_) => None,
            _ if json => Some(self.as_json()),
            _ => Some(self.as_text(paint)),
        }
    }

    /// The messages of the causes, outermost first.
    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    fn as_text(&self, paint: Paint) -> String {
        let mut text = format!("{} {self}", paint.wrong("storagedriver:"));
        for cause in self.causes() {
            // Writing to a string does not fail.
            let _ = write!(text, ": {cause}");
        }
        text
    }

    fn as_json(&self) -> String {
        let error = match self {
            Failure::Storage(error) => error,
            Failure::NotBuilt(missing) => {
                return line(&ErrorObject {
                    kind: self.kind(),
                    message: &missing.to_string(),
                    driver: (missing.kind() == Kind::Driver).then_some(&*missing.name),
                    operation: None,
                    path: None,
                    causes: Vec::new(),
                });
            }
            _ => return error_line(self.kind(), &self.to_string(), self.causes()),
        };
        let context = error.context();
        line(&ErrorObject {
            kind: self.kind(),
            message: &error.to_string(),
            driver: match error {
                storagedriver::Error::InvalidStorageDriver { name, .. }
                | storagedriver::Error::DuplicateStorageDriver { name, .. } => Some(name),
                storagedriver::Error::InvalidParameter { driver, .. } => Some(driver),
                _ => context.and_then(|context| context.driver.as_deref()),
            },
            operation: context.and_then(|context| context.operation).map(|operation| operation.as_str()),
            path: context.and_then(|context| context.path.as_deref()),
            causes: self.causes(),
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Failure::Usage(_) => "usage",
            Failure::Storage(error) | Failure::Unfit { source: error, .. } => error.kind().as_str(),
            Failure::NotBuilt(missing) => match missing.kind() {
                Kind::Driver => ErrorKind::InvalidStorageDriver.as_str(),
                Kind::Middleware => ErrorKind::InvalidConfiguration.as_str(),
            },
            Failure::NoUrl { .. } => "no_url",
            Failure::Local { .. } => "local",
            Failure::ClosedPipe => "closed_pipe",
            Failure::Interrupted(_) => "interrupted",
        }
    }
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    kind: &'a str,
    message: &'a str,
    driver: Option<&'a str>,
    operation: Option<&'a str>,
    path: Option<&'a str>,
    causes: Vec<String>,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: &'a ErrorObject<'a>,
}

fn line(error: &ErrorObject<'_>) -> String {
    serde_json::to_string(&ErrorLine { error }).unwrap_or_default()
}

/// One line with an error object that concerns no storage.
pub(crate) fn error_line(kind: &str, message: &str, causes: Vec<String>) -> String {
    line(&ErrorObject { kind, message, driver: None, operation: None, path: None, causes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use storagedriver::{Error, StoragePath};

    fn path() -> StoragePath {
        StoragePath::parse("/a").unwrap()
    }

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        for (code, failure) in [
            (1, Failure::from(Error::path_not_found(&path()))),
            (1, Error::corrupted(&path(), "two ends").into()),
            (1, Error::invalid_offset(&path(), 4, Some(3)).into()),
            (2, Error::invalid_path("a", "no slash").into()),
            (2, Error::invalid_parameter("s3", "bucket", "missing").into()),
            (2, Error::invalid_configuration("empty").into()),
            (2, Failure::Usage("no".into())),
            (3, Error::conflict(&path(), "moved on").into()),
            (3, Error::permission_denied(&path(), "refused").into()),
            (3, Failure::output(io::Error::other("full"))),
            (141, Failure::output(io::ErrorKind::BrokenPipe.into())),
            (130, Failure::Interrupted(Signal::Interrupt)),
        ] {
            assert_eq!(failure.exit_code(), code, "{failure}");
        }
    }

    #[test]
    fn a_report_carries_the_causes_and_silence_is_kept() {
        let failure =
            Failure::from(Error::backend(&path(), "open").with_source(io::Error::other("disc on fire")));
        assert_eq!(
            failure.report(false, Paint::default()).unwrap(),
            "storagedriver: storage /a: open: disc on fire"
        );
        let json: serde_json::Value =
            serde_json::from_str(&failure.report(true, Paint::default()).unwrap()).unwrap();
        assert_eq!(json["error"]["kind"], "backend");
        assert_eq!(json["error"]["path"], "/a");
        assert_eq!(json["error"]["causes"][0], "disc on fire");
        assert_eq!(Failure::ClosedPipe.report(true, Paint::default()), None);
    }
}
