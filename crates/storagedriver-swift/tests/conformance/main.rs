//! The suite, a short state machine, and what Swift has beyond the contract, on a server that `cargo xtask conformance` has
//! started. With `STORAGEDRIVER_FULL` the suite asks for more.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod admin;
mod credentials;
mod faults;
mod given;
mod go_registry;
mod rights;
mod storm;

use std::time::Duration;

use storagedriver_swift::SwiftParameters;
use storagedriver_testsuites::{
    Checked, OnServer, Outcome, Scale, register_state_machine, register_suite, run_own_case,
};

/// Longer than a case takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(600);

fn server() -> OnServer {
    OnServer::new("swift", "prefix", |parameters| SwiftParameters::parse(parameters)?.into_storage())
        .with("chunksize", "1 MiB")
        .with_scale(Scale::network().with_part_size(1 << 20).with_timeout(PATIENCE))
}

/// A test of this driver's own as a case of the report.
fn own_case(name: &str, case: impl Future<Output = Outcome> + Send + 'static) -> Checked {
    run_own_case("swift", name, PATIENCE, case)
}

register_suite!(server());
register_state_machine!(server(), programs = if OnServer::is_long() { 12 } else { 3 }, steps = 30);
