//! How a case says what is wrong.
//!
//! Cases return errors instead of panicking, so that a program can run them and print what they
//! found. A [`Failure`] knows the line of the case it arose on: `?` records it.

use std::error::Error as _;
use std::fmt;
use std::panic::Location;

/// The result of a case.
pub type Checked<T = ()> = Result<T, Failure>;

/// A sentence of the contract that did not hold, or an operation that failed where it must not.
pub struct Failure {
    message: String,
    location: Option<&'static Location<'static>>,
}

impl Failure {
    /// A failure outside any case.
    pub fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), location: None }
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.location {
            Some(location) => write!(f, " (at {}:{})", within_crate(location.file()), location.line()),
            None => Ok(()),
        }
    }
}

/// The part of a file's path below `src`: what comes before depends on where the crate was built.
fn within_crate(file: &str) -> &str {
    file.rsplit_once("/src/").map_or(file, |(_, file)| file)
}

// A `#[test]` that returns an error prints it by `Debug`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// A failure that does not know its line yet: what the fixture's functions return, so that the `?`
/// in the case says where.
#[derive(Debug)]
pub struct Mismatch(String);

impl Mismatch {
    /// Says what is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Mismatch(message.into())
    }
}

impl From<storagedriver::Error> for Mismatch {
    fn from(error: storagedriver::Error) -> Self {
        Mismatch(format!("an operation failed: {}", with_causes(&error)))
    }
}

impl From<Mismatch> for Failure {
    #[track_caller]
    fn from(mismatch: Mismatch) -> Self {
        Failure { message: mismatch.0, location: Some(Location::caller()) }
    }
}

impl From<storagedriver::Error> for Failure {
    #[track_caller]
    fn from(error: storagedriver::Error) -> Self {
        Failure { message: Mismatch::from(error).0, location: Some(Location::caller()) }
    }
}

/// An error and what caused it, on one line.
pub(crate) fn with_causes(error: &storagedriver::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Fails unless the condition holds.
#[macro_export]
#[doc(hidden)]
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(From::from($crate::Mismatch::new(format!($($message)+))));
        }
    };
}

/// Fails unless both are equal.
#[macro_export]
#[doc(hidden)]
macro_rules! ensure_eq {
    ($found:expr, $wanted:expr, $($message:tt)+) => {
        match (&$found, &$wanted) {
            (found, wanted) => {
                if *found != *wanted {
                    let message = format!($($message)+);
                    return Err(From::from($crate::Mismatch::new(format!(
                        "{message}: found {found:?}, wanted {wanted:?}"
                    ))));
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Checked {
        fn fixture() -> Result<(), Mismatch> {
            ensure_eq!(1 + 1, 3, "the sum");
            Ok(())
        }
        fixture()?;
        Ok(())
    }

    #[test]
    fn a_failure_says_what_and_on_which_line_of_the_case() {
        let text = broken().unwrap_err().to_string();
        assert!(text.starts_with("the sum: found 2, wanted 3 (at "), "{text}");
        assert!(text.contains("failure.rs:"), "{text}");
        assert!(!text.contains("library"), "the line is of the standard library: {text}");
    }
}
