//! Where an error arose.

use std::fmt;
use std::sync::Arc;

use crate::{Operation, StoragePath};

/// Where an error arose: which driver, doing what, on which path.
///
/// A driver gives the path; the [`Storage`](crate::Storage) handle fills in the rest. What is
/// already there is never overwritten, so the innermost, most precise knowledge survives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The driver's name, `None` until the handle has stamped it.
    pub driver: Option<Arc<str>>,
    /// The operation, `None` until the handle has stamped it.
    pub operation: Option<Operation>,
    /// The path as the caller wrote it: it need not be a valid one.
    pub path: Option<Arc<str>>,
}

impl Context {
    /// A context that knows only its path.
    pub fn at(path: impl AsRef<str>) -> Self {
        Context { path: Some(Arc::from(path.as_ref())), ..Context::default() }
    }

    /// A context that knows only its path, and shares it: absence is an answer that should cost little.
    pub(crate) fn of(path: &StoragePath) -> Self {
        Context { path: Some(path.shared()), ..Context::default() }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.driver.as_deref().unwrap_or("storage"))?;
        if let Some(operation) = self.operation {
            write!(f, ": {operation}")?;
        }
        if let Some(path) = &self.path {
            write!(f, " {path}")?;
        }
        Ok(())
    }
}
