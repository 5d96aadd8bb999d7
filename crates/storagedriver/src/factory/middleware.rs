//! Storage middleware: what a configuration lists under `middleware.storage`.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::{ParameterTable, Parameters, Result, Storage};

/// What a crate says about a storage middleware that it holds, so that a configuration finds it by
/// its name. Registered by [`register!`](crate::register!).
#[derive(Clone, Copy)]
pub struct MiddlewareRegistration {
    /// The name in the configuration, such as `redirect`.
    pub name: &'static str,
    /// The crate that holds it: `env!("CARGO_PKG_NAME")`.
    pub crate_name: &'static str,
    /// That crate's version: `env!("CARGO_PKG_VERSION")`.
    pub crate_version: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The options that it takes.
    pub table: &'static ParameterTable,
    /// Puts it around storage; see [`Storage::layer`].
    pub wrap: fn(Storage, Parameters) -> BoxFuture<'static, Result<Storage>>,
}

impl MiddlewareRegistration {
    pub(super) fn is(&self, other: &MiddlewareRegistration) -> bool {
        (self.name, self.crate_name, self.crate_version)
            == (other.name, other.crate_name, other.crate_version)
    }
}

impl fmt::Debug for MiddlewareRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "middleware {} ({} {})", self.name, self.crate_name, self.crate_version)
    }
}

inventory::collect!(MiddlewareRegistration);
