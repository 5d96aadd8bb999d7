//! fake-gcs-server: the JSON API of Google Cloud Storage, in memory.

use serde_json::json;

use super::bucket::make_gcs_bucket;
use super::http;
use super::process::{self, Process, free_port};
use super::{BUCKET, READY, Running, Server, Site, install, versions};
use crate::project::{Outcome, Project};

pub(crate) const FAKE_GCS: Server =
    Server { name: "fake-gcs-server", about: "a server of Google's JSON API, for gcs", start };

fn start(project: &Project, site: Site) -> Outcome<Running> {
    let program = install::go(project, &versions::FAKE_GCS)?;
    let port = free_port()?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut command = process::command(program);
    command.current_dir(&site.data).args(["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1"]);
    command.args(["-port", &port.to_string(), "-external-url", &endpoint]);
    command.args(["-public-host", &format!("127.0.0.1:{port}"), "-log-level", "warn"]);
    let mut server = Process::start("fake-gcs-server", &site.logs, &mut command)?;
    let ready = format!("{endpoint}/storage/v1/b?project=conformance");
    server.wait_until(READY, || http::status(&ready) == Some(200))?;
    make_gcs_bucket(&endpoint, BUCKET)?;
    // It has no XML API, and ignores some conditions.
    let storage = json!({ "driver": "gcs", "parameters": {
        "bucket": BUCKET, "endpoint": endpoint, "anonymous": true, "uploads": "compose", "emulator": true,
    }, "address": format!("127.0.0.1:{port}") });
    Ok(Running { storage, _processes: vec![server], site })
}
