//! OpenStack Swift on one machine: one copy of everything, each server one process. It speaks its own protocol, with
//! TempAuth or with Keystone, and S3 by its middleware `s3api`.

mod keystone;
mod proxy;

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use self::keystone::Keystone;
use super::bucket::S3Account;
use super::http;
use super::process::{self, Process, free_port};
use super::{BUCKET, READY, Running, Server, Site, install, versions};
use crate::project::{self, Outcome, Project};

pub(crate) const SWIFT_S3API: Server =
    Server { name: "swift-s3api", about: "OpenStack Swift's S3 interface, for s3", start: start_s3api };

pub(crate) const SWIFT_TEMPAUTH: Server = Server {
    name: "swift-tempauth",
    about: "OpenStack Swift with its own users, for swift",
    start: start_tempauth,
};

pub(crate) const SWIFT_KEYSTONE: Server = Server {
    name: "swift-keystone",
    about: "OpenStack Swift with Keystone v3, for swift",
    start: start_keystone,
};

const LAUNCHER: &str = include_str!("swift-server.py");
const ACCESS_KEY: &str = "test:tester";
const SECRET_KEY: &str = "testing";
const REGION: &str = "us-east-1";

/// Its three kinds of storage server.
const KINDS: [&str; 3] = ["account", "container", "object"];

fn start_s3api(project: &Project, site: Site) -> Outcome<Running> {
    let cluster = Cluster::start(project, &site, None)?;
    let account = S3Account {
        endpoint: &cluster.endpoint,
        region: REGION,
        access_key: ACCESS_KEY,
        secret_key: SECRET_KEY,
    };
    account.make_bucket(BUCKET)?;
    let storage = json!({ "driver": "s3", "parameters": {
        "bucket": BUCKET, "region": REGION, "regionendpoint": cluster.endpoint, "secure": false,
        "forcepathstyle": true, "accesskey": ACCESS_KEY, "secretkey": SECRET_KEY, "profile": "swift-s3api",
    }, "address": cluster.address() });
    Ok(Running { storage, _processes: cluster.processes, site })
}

/// The driver makes the container.
fn start_tempauth(project: &Project, site: Site) -> Outcome<Running> {
    let cluster = Cluster::start(project, &site, None)?;
    let parameters = json!({
        "authurl": format!("{}/auth/v1.0", cluster.endpoint), "container": BUCKET,
        "username": ACCESS_KEY, "password": SECRET_KEY,
    });
    let storage = json!({ "driver": "swift", "parameters": parameters, "address": cluster.address() });
    Ok(Running { storage, _processes: cluster.processes, site })
}

fn start_keystone(project: &Project, site: Site) -> Outcome<Running> {
    let mut keystone = Keystone::start(project, &site)?;
    let cluster = Cluster::start(project, &site, Some(&keystone))?;
    keystone.add_to_catalogue(&cluster.endpoint)?;
    let parameters = json!({
        "authurl": keystone.url, "container": BUCKET, "username": keystone::USER, "password": keystone::PASSWORD,
        "tenant": keystone::PROJECT, "domain": keystone::DOMAIN, "region": keystone::REGION,
    });
    let storage = json!({ "driver": "swift", "parameters": parameters, "address": cluster.address() });
    let processes = cluster.processes.into_iter().chain([keystone.process]);
    Ok(Running { storage, _processes: processes.collect(), site })
}

/// A cluster that runs.
struct Cluster {
    endpoint: String,
    processes: Vec<Process>,
}

impl Cluster {
    /// Where the proxy listens.
    fn address(&self) -> &str {
        self.endpoint.trim_start_matches("http://")
    }

    fn start(project: &Project, site: &Site, keystone: Option<&Keystone>) -> Outcome<Self> {
        let programs = install::pip(project, "swift", versions::SWIFT)?;
        let place = site.data.display().to_string();
        let user = project::output(project.command("id").arg("-un"))?.trim().to_owned();
        fs::create_dir_all(site.data.join("devices/d1"))?;
        site.write(
            "swift.conf",
            "[swift-hash]\nswift_hash_path_prefix = p\nswift_hash_path_suffix = s\n\
                              [storage-policy:0]\nname = one\ndefault = yes\n",
        )?;
        let launcher = site.write("swift-server.py", LAUNCHER)?;
        let server = |kind: &str| {
            let mut command = process::command(programs.join("python3"));
            command.arg(&launcher).args([&place, kind]);
            Process::start(kind, &site.logs, &mut command)
        };

        let mut storages = Vec::new();
        for kind in KINDS {
            let port = free_port()?;
            ring(&programs, &site.data, kind, port)?;
            site.write(&format!("{kind}.conf"), &storage_configuration(&place, &user, kind, port))?;
            storages.push((server(kind)?, port));
        }
        let (port, cache_port) = (free_port()?, free_port()?);
        let cache = memcached(project, site, &user, cache_port)?;
        site.write("proxy.conf", &proxy::configuration(&place, &user, port, cache_port, keystone))?;
        let mut proxy = server("proxy")?;
        for (storage, port) in &mut storages {
            storage.wait_until(READY, || {
                http::status(&format!("http://127.0.0.1:{port}/healthcheck")).is_some()
            })?;
        }
        let endpoint = format!("http://127.0.0.1:{port}");
        proxy.wait_until(READY, || http::status(&format!("{endpoint}/healthcheck")) == Some(200))?;

        let processes = [proxy, cache].into_iter().chain(storages.into_iter().map(|(storage, _)| storage));
        Ok(Cluster { endpoint, processes: processes.collect() })
    }
}

/// The proxy does not check a signature without a place to keep what it knows of an account.
fn memcached(project: &Project, site: &Site, user: &str, port: u16) -> Outcome<Process> {
    let program = "memcached";
    install::apt(project, versions::MEMCACHED, &[program])?;
    let mut command = process::command(install::find(program).unwrap_or_else(|| program.into()));
    command.args(["-l", "127.0.0.1", "-p", &port.to_string(), "-u", user, "-m", "64"]);
    let mut cache = Process::start(program, &site.logs, &mut command)?;
    cache.wait_until(READY, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
    Ok(cache)
}

/// Where the things of one kind lie: all of them on the one device there is.
fn ring(programs: &Path, directory: &Path, kind: &str, port: u16) -> Outcome {
    let builder = format!("{kind}.builder");
    let build = |arguments: &[&str]| {
        let mut tool = Command::new(programs.join("swift-ring-builder"));
        tool.current_dir(directory).arg(&builder).args(arguments);
        project::output(&mut tool)
    };
    build(&["create", "4", "1", "1"])?;
    build(&["add", &format!("r1z1-127.0.0.1:{port}/d1"), "1"])?;
    build(&["rebalance"]).map(drop)
}

/// A server is patient with the next: on a busy machine what comes late is not to be taken for lost. A late update of a container
/// would never be made up for: nobody does that here.
const PATIENCE: &str = "\
node_timeout = 60
conn_timeout = 20
container_update_timeout = 60";

fn storage_configuration(place: &str, user: &str, kind: &str, port: u16) -> String {
    format!(
        "[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {place}
devices = {place}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
recon_cache_path = {place}
{PATIENCE}
[pipeline:main]
pipeline = healthcheck {kind}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{kind}-server]
use = egg:swift#{kind}
"
    )
}
