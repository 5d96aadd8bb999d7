//! Azurite: Azure's blob storage in memory.

use serde_json::json;

use super::bucket::make_container;
use super::http;
use super::process::{self, Process, free_port};
use super::{BUCKET, READY, Running, Server, Site, install, versions};
use crate::project::{Outcome, Project};

pub(crate) const AZURITE: Server =
    Server { name: "azurite", about: "Azurite, a server of Azure's blob storage, for azure", start };

/// The account that every emulator of this store has, with the key that its documentation gives.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

fn start(project: &Project, site: Site) -> Outcome<Running> {
    let programs = install::npm(project, versions::AZURITE)?;
    let port = free_port()?;
    let mut command = process::command(programs.join("azurite-blob"));
    command.current_dir(&site.data).args(["--inMemoryPersistence", "--skipApiVersionCheck", "--silent"]);
    command.args(["--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    let mut azurite = Process::start("azurite", &site.logs, &mut command)?;
    let service = format!("http://127.0.0.1:{port}/{ACCOUNT}");
    // Without credentials it refuses: any answer means that it is there.
    azurite.wait_until(READY, || http::status(&service).is_some())?;
    make_container(&service, ACCOUNT, KEY, BUCKET)?;
    let storage = json!({ "driver": "azure", "parameters": {
        "accountname": ACCOUNT, "accountkey": KEY, "container": BUCKET, "serviceurl": service,
        "credentials": { "type": "shared_key" },
    }});
    Ok(Running { storage, _processes: vec![azurite], site })
}
