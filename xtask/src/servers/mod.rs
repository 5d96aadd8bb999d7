//! Real servers for the tests: installed where they are missing, started on free ports of the
//! loopback interface, stopped with whoever started them.

mod azurite;
mod bucket;
pub(crate) mod ceph;
mod fake_gcs;
mod hadoop;
mod http;
pub(crate) mod install;
mod process;
mod python;
mod registry;
mod swift;
pub(crate) mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::{Outcome, Project};
use process::Process;
pub(crate) use process::command;
pub(crate) use python::python_kit;

/// What a bucket or container is called on every server that has one.
const BUCKET: &str = "conformance";

/// How long a server may take to be ready; on two busy cores the slowest takes some ten seconds.
const READY: Duration = Duration::from_secs(120);

/// A server that can be had here.
pub(crate) struct Server {
    /// What it is called: in the report, on the command line, and below `target/servers`.
    pub(crate) name: &'static str,
    /// What it is, in a line.
    about: &'static str,
    /// Installs what is missing, starts it, and makes the bucket.
    start: fn(&Project, Site) -> Outcome<Running>,
}

/// Every server, by name.
const SERVERS: &[&Server] = &[
    &azurite::AZURITE,
    &ceph::CEPH,
    &ceph::CEPH_SWIFT,
    &fake_gcs::FAKE_GCS,
    &hadoop::HADOOP,
    &registry::REGISTRY,
    &swift::SWIFT_S3API,
    &swift::SWIFT_TEMPAUTH,
    &swift::SWIFT_KEYSTONE,
];

pub(crate) use azurite::AZURITE;
pub(crate) use ceph::{CEPH, CEPH_SWIFT};
pub(crate) use fake_gcs::FAKE_GCS;
pub(crate) use hadoop::HADOOP;
pub(crate) use registry::{client, registry, registry_2};
pub(crate) use swift::{SWIFT_KEYSTONE, SWIFT_S3API, SWIFT_TEMPAUTH};

impl Server {
    /// Gets the server running; it runs until the result is dropped.
    ///
    /// # Errors
    /// It cannot be installed, it does not start, or it is not ready in time: with the end of its
    /// log.
    pub(crate) fn start(&self, project: &Project) -> Outcome<Running> {
        let started = Instant::now();
        let running = (self.start)(project, Site::new(project, self.name)?)?;
        eprintln!("{} is ready after {:.1} s", self.name, started.elapsed().as_secs_f64());
        Ok(running)
    }
}

/// A server that runs.
pub(crate) struct Running {
    /// The storage on it, as the drivers' tests take it: `driver` and `parameters`, and for those that wait until the server
    /// has done what it was asked its `address`.
    pub(crate) storage: Value,
    /// Kept for their `drop`, in this order.
    _processes: Vec<Process>,
    site: Site,
}

impl Running {
    /// Where its files are, while it runs.
    pub(crate) fn data(&self) -> &Path {
        &self.site.data
    }
}

/// Where a server has its files.
struct Site {
    /// Its data; removed with this value.
    data: PathBuf,
    /// What it says; kept until the server is started again.
    logs: PathBuf,
}

impl Site {
    fn new(project: &Project, name: &str) -> Outcome<Self> {
        let place = project.target.join("servers").join(name);
        // Killed, we had no time to tidy up.
        for kind in ["data", "log"] {
            remove_ended(&place.join(kind))?;
        }
        let [data, logs] = ["data", "log"].map(|kind| place.join(kind).join(std::process::id().to_string()));
        for directory in [&data, &logs] {
            if directory.exists() {
                fs::remove_dir_all(directory)?;
            }
            fs::create_dir_all(directory)?;
        }
        Ok(Site { data, logs })
    }

    /// Writes a file of the server's configuration; where it lies.
    fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        let path = self.data.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Removes what belongs to processes that are no more; the directories are called by their numbers.
pub(crate) fn remove_ended(place: &Path) -> Outcome {
    if !place.is_dir() {
        return Ok(());
    }
    for directory in crate::project::entries(place)? {
        let owner = directory.file_name().map(|pid| Path::new("/proc").join(pid));
        if owner.is_some_and(|owner| !owner.exists()) {
            fs::remove_dir_all(directory)?;
        }
    }
    Ok(())
}

/// Starts one server and says how to use it, until it is interrupted.
pub(crate) fn serve(project: &Project, name: &str) -> Outcome {
    let Some(server) = SERVERS.iter().find(|server| server.name == name) else {
        return Err(format!("no server `{name}`; there are\n{}", list()).into());
    };
    let running = server.start(project)?;
    println!("{}", running.storage);
    eprintln!("The line above is what STORAGEDRIVER_CONFORMANCE_STORAGE takes. Ctrl-C stops {name}.");
    loop {
        // Whatever ends us ends the server.
        std::thread::park();
    }
}

/// Every server with what it is, a line each.
pub(crate) fn list() -> String {
    let line = |server: &&Server| format!("  {:16} {}", server.name, server.about);
    SERVERS.iter().map(line).collect::<Vec<_>>().join("\n")
}
