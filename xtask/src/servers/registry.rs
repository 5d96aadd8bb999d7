//! Distribution's own registry, and a client of registries.

use std::path::PathBuf;

use serde_json::json;

use super::http;
use super::process::{self, Process, free_port};
use super::{READY, Running, Server, Site, install, versions};
use crate::project::{Outcome, Project};

pub(crate) const REGISTRY: Server =
    Server { name: "registry", about: "Distribution's registry, on a directory of its own", start };

/// The registry's program, for a test that starts its own.
pub(crate) fn registry(project: &Project) -> Outcome<PathBuf> {
    install::go(project, &versions::REGISTRY)
}

/// That of version 2.
pub(crate) fn registry_2(project: &Project) -> Outcome<PathBuf> {
    let (package, program) = versions::REGISTRY_2;
    install::unpacked(project, package, program)
}

/// The client's program.
pub(crate) fn client(project: &Project) -> Outcome<PathBuf> {
    install::go(project, &versions::CRANE)
}

fn start(project: &Project, site: Site) -> Outcome<Running> {
    let program = registry(project)?;
    let port = free_port()?;
    let root = site.data.join("root");
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
         http:\n  addr: 127.0.0.1:{port}\n",
        root.display()
    );
    let configuration = site.write("config.yml", &text)?;
    let mut command = process::command(program);
    command.arg("serve").arg(configuration).env("OTEL_TRACES_EXPORTER", "none");
    let mut registry = Process::start("registry", &site.logs, &mut command)?;
    let url = format!("http://127.0.0.1:{port}/v2/");
    registry.wait_until(READY, || http::status(&url) == Some(200))?;
    let storage = json!({ "driver": "filesystem", "parameters": { "rootdirectory": root } });
    Ok(Running { storage, _processes: vec![registry], site })
}
