//! The suite and a short state machine on a real server. `cargo xtask conformance` starts one, and
//! says in `STORAGEDRIVER_CONFORMANCE_STORAGE` where it is.

use std::time::Duration;

use storagedriver_s3::S3Parameters;
use storagedriver_testsuites::{OnServer, Scale, register_state_machine, register_suite};

fn server() -> OnServer {
    // A request whose future was dropped may be with the server, and is done there.
    let scale = Scale::network().with_part_size(5 << 20).with_settle(Duration::from_millis(500));
    OnServer::new("s3", "rootdirectory", |parameters| S3Parameters::parse(parameters)?.into_storage())
        .with_scale(scale)
        .with_emptying()
}

register_suite!(server());
register_state_machine!(server(), programs = if OnServer::is_long() { 20 } else { 3 }, steps = 30);
