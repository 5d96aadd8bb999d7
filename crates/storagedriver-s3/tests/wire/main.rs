//! What goes over the wire: headers, hosts, quirks, and how many requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failure fails the test"
)]

mod budgets;
mod errors;
mod headers;
mod hosts;
mod listing;
#[path = "../servers/mod.rs"]
mod servers;
mod signing;
mod strays;

use storagedriver::Storage;
use storagedriver_s3::{Profile, S3Options as Options};

/// A driver on a server.
fn open(endpoint: &str, root: &str, profile: Profile) -> Storage {
    let options = Options::new("s3").with_profile(profile);
    servers::parameters(endpoint, root).into_storage_with(options).expect("a driver")
}
