//! What goes over the wire: requests and how many, identities, manifests, temporary URLs, refusals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod budgets;
mod errors;
mod go_layout;
mod identities;
mod late_listings;
mod redirect;
mod renames;
mod segments;
#[path = "../server/mod.rs"]
mod server;
mod wire;

use std::time::Duration;

use storagedriver::{Storage, WriteMode};
use storagedriver_object::http::HttpOptions;
use storagedriver_swift::{SwiftBackend, SwiftParameters};

const MIB: usize = 1 << 20;

/// A storage that waits little between attempts, and tells of claims of any age.
fn impatient(parameters: &SwiftParameters, attempts: u32) -> Storage {
    let mut options = HttpOptions::default();
    options.attempts = attempts;
    options.first_wait = Duration::from_millis(1);
    options.max_wait = Duration::from_millis(20);
    options.stall_timeout = Duration::from_secs(5);
    parameters.storage(SwiftBackend::with_options(parameters, options, Duration::ZERO).unwrap())
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|number| (number / 7 % 251) as u8).collect()
}

/// Writes through a writer, in pieces of a MiB.
async fn upload(storage: &Storage, path: &str, content: &[u8]) {
    let mut writer = storage.writer(path, WriteMode::Create).await.unwrap();
    for piece in content.chunks(MIB) {
        writer.write(piece.to_vec()).await.unwrap();
    }
    writer.commit().await.unwrap();
}
