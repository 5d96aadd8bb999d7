//! A bed, made: the server that runs, or the directory that is there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::bed::Bed;
use super::gateway::Gateway;
use super::places::Place;
use super::programs::Programs;
use super::workloads::{self, Scale, Workload};
use crate::project::{Outcome, Project};
use crate::servers::{self, Running};

/// Everything on a server lies below this, as in a bucket that holds more than a registry.
const ROOT: &str = "/bench";

/// What work is done on.
pub(crate) enum Ground<'a> {
    Memory,
    Files {
        /// The root directory of every subject.
        root: PathBuf,
        place: &'a Place,
        is_durable: bool,
    },
    Server {
        gateway: Gateway,
        storage: Value,
        /// Kept until the work is done.
        _running: Running,
    },
    Null {
        /// The driver's executable.
        executable: &'a Path,
        scale: Scale,
    },
}

impl<'a> Ground<'a> {
    /// Starts or makes it.
    ///
    /// # Errors
    /// The server does not start, or there is no such directory.
    pub(crate) fn prepare(
        project: &Project,
        bed: Bed,
        places: &'a [Place],
        programs: &'a Programs,
        scale: Scale,
    ) -> Outcome<Self> {
        Ok(match bed {
            Bed::InMemory => Ground::Memory,
            Bed::Files { file_system, is_durable } => {
                let place = places.iter().find(|place| place.file_system == file_system);
                let place = place.ok_or_else(|| format!("there is no {file_system}"))?;
                let root = place.directory.join(bed.driver());
                fs::create_dir_all(&root)?;
                Ground::Files { root, place, is_durable }
            }
            Bed::S3 => {
                let running = servers::CEPH.start(project)?;
                let mut storage = running.storage.clone();
                if let Some(parameters) = storage.get_mut("parameters").and_then(Value::as_object_mut) {
                    parameters.insert("rootdirectory".to_owned(), ROOT.into());
                }
                Ground::Server { gateway: Gateway::of(&running)?, storage, _running: running }
            }
            Bed::Ipc => Ground::Null { executable: &programs.null, scale },
        })
    }

    /// Who does what is not measured, and with which storage. What is in memory nobody else can prepare.
    pub(crate) fn preparer(&self) -> Option<(&'static str, Value)> {
        match self {
            Ground::Memory => None,
            // Without waiting for the disk.
            Ground::Files { root, .. } => Some(("raw", files(root, false))),
            Ground::Server { .. } | Ground::Null { .. } => Some(("ours", self.storage("ours"))),
        }
    }

    /// What a subject's program opens.
    pub(crate) fn storage(&self, subject: &str) -> Value {
        match self {
            Ground::Memory => json!({ "driver": "inmemory", "parameters": {} }),
            Ground::Files { root, is_durable, .. } => files(root, *is_durable),
            Ground::Server { storage, .. } => storage.clone(),
            Ground::Null { executable, scale } => {
                let (size, entries) = (workloads::streamed(*scale), workloads::entries(*scale));
                let (size, entries) = (size.to_string(), entries.to_string());
                if subject != "ours" {
                    return json!({ "driver": "null", "parameters": { "size": size, "entries": entries } });
                }
                let path = executable.display().to_string();
                let parameters = json!({ "size": size, "entries": entries, "path": path });
                json!({ "driver": "external", "parameters": parameters })
            }
        }
    }

    /// Where requests are counted.
    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        if let Ground::Server { gateway, .. } = self { Some(gateway) } else { None }
    }

    /// Whether there is room for what a workload writes, twice.
    ///
    /// # Errors
    /// Nobody knows how much room there is.
    pub(crate) fn has_room(&self, workload: &Workload) -> Outcome<bool> {
        match self {
            Ground::Files { place, .. } => Ok(place.available()? >= workload.bytes.saturating_mul(2)),
            _ => Ok(true),
        }
    }

    /// Removes a directory of a workload.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub(crate) fn clear(&self, place: &str) -> Outcome {
        let Ground::Files { root, .. } = self else { return Ok(()) };
        let directory = root.join(place.trim_start_matches('/'));
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        Ok(())
    }

    /// Frees what a workload left on a server.
    ///
    /// # Errors
    /// It cannot be freed.
    pub(crate) fn reclaim(&self, workload: &Workload) -> Outcome {
        self.gateway().map_or(Ok(()), |gateway| gateway.reclaim(workload.is_large()))
    }
}

fn files(root: &Path, is_durable: bool) -> Value {
    let durability = if is_durable { "full" } else { "none" };
    let parameters = json!({ "rootdirectory": root.display().to_string(), "durability": durability });
    json!({ "driver": "filesystem", "parameters": parameters })
}
