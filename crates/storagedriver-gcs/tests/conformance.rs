//! The suite and a short state machine, on a server that `cargo xtask conformance` has started.

use std::time::Duration;

use storagedriver_gcs::GcsParameters;
use storagedriver_testsuites::{OnServer, Scale, register_state_machine, register_suite};

fn server() -> OnServer {
    // A request whose future was dropped may be with the server, and is done there.
    let scale = Scale::network().with_part_size(5 << 20).with_settle(Duration::from_millis(500));
    OnServer::new("gcs", "rootdirectory", |parameters| GcsParameters::parse(parameters)?.into_storage())
        .with("chunksize", "5 MiB")
        .with_scale(scale)
}

register_suite!(server());
register_state_machine!(server(), programs = if OnServer::is_long() { 20 } else { 3 }, steps = 30);
