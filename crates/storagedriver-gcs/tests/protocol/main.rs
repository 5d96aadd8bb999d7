//! What goes over the wire: requests, tokens, signatures, refusals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod credentials;
mod errors;
mod go_uploads;
mod redirect;
#[path = "../server/mod.rs"]
mod server;
mod wire;

use std::time::Duration;

use storagedriver::Storage;
use storagedriver_gcs::{GcsBackend, GcsParameters};
use storagedriver_object::http::HttpOptions;
use storagedriver_testsuites::BoxError;

/// A storage that waits little between attempts.
fn impatient(parameters: &GcsParameters, attempts: u32) -> Result<Storage, BoxError> {
    let mut options = HttpOptions::default();
    options.attempts = attempts;
    options.first_wait = Duration::from_millis(1);
    options.max_wait = Duration::from_millis(20);
    options.stall_timeout = Duration::from_secs(5);
    Ok(parameters.storage(GcsBackend::with_options(parameters, options)?)?)
}
