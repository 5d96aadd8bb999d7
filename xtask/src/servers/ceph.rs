//! Ceph: a monitor, one object store in memory, and the gateway that speaks S3.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::bucket::S3Account;
use super::http;
use super::process::{self, Process, free_port};
use super::{BUCKET, READY, Running, Server, Site, install, versions};
use crate::project::{self, Outcome, Project};

pub(crate) const CEPH: Server = Server { name: "ceph", about: "Ceph's object gateway, for s3", start };

/// The configuration's name in the server's directory.
pub(crate) const CONFIGURATION: &str = "ceph.conf";

/// The gateway's own name for questions to it, in the server's directory.
pub(crate) const ADMIN_SOCKET: &str = "rgw.asok";

const ACCESS_KEY: &str = "AKTEST";
const SECRET_KEY: &str = "SKTEST";
const REGION: &str = "us-east-1";

/// The number of the only object store.
const OSD: &str = "0";

/// Storage classes that the gateway is given beside its own.
const CLASSES: [&str; 2] = ["REDUCED_REDUNDANCY", "STANDARD_IA"];

const PROGRAMS: &[&str] =
    &["ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"];

/// Whether everything that it takes is here.
pub(crate) fn is_installed() -> bool {
    PROGRAMS.iter().all(|program| install::find(program).is_some())
}

pub(crate) const CEPH_SWIFT: Server = Server {
    name: "ceph-swift",
    about: "Ceph's object gateway by Swift's protocol, for swift",
    start: start_swift,
};

/// Its user for Swift's protocol.
const SWIFT_USER: &str = "test:swift";
const SWIFT_KEY: &str = "SWTEST";

/// The driver makes the container.
fn start_swift(project: &Project, site: Site) -> Outcome<Running> {
    let (ceph, processes, endpoint) = start_cluster(project, &site)?;
    ceph.administer(&["subuser", "create", "--uid", "test", "--subuser", SWIFT_USER, "--access", "full"])?;
    let key = ["key", "create", "--subuser", SWIFT_USER, "--key-type", "swift", "--secret-key", SWIFT_KEY];
    ceph.administer(&key)?;
    let parameters = json!({
        "authurl": format!("{endpoint}/auth/v1.0"), "container": BUCKET,
        "username": SWIFT_USER, "password": SWIFT_KEY,
    });
    let address = endpoint.trim_start_matches("http://");
    let storage = json!({ "driver": "swift", "parameters": parameters, "address": address });
    Ok(Running { storage, _processes: processes, site })
}

/// Gateway, store and monitor, and where the gateway is.
fn start_cluster(project: &Project, site: &Site) -> Outcome<(Ceph, Vec<Process>, String)> {
    install::apt(project, versions::CEPH, PROGRAMS)?;
    let ceph = Ceph::new(site)?;
    let monitor = ceph.start_monitor(site)?;
    let store = ceph.start_store(site)?;
    let (gateway, endpoint) = ceph.start_gateway(site)?;
    // The gateway first: without its store it would wait for it.
    Ok((ceph, vec![gateway, store, monitor], endpoint))
}

fn start(project: &Project, site: Site) -> Outcome<Running> {
    let (_, processes, endpoint) = start_cluster(project, &site)?;
    let account =
        S3Account { endpoint: &endpoint, region: REGION, access_key: ACCESS_KEY, secret_key: SECRET_KEY };
    account.make_bucket(BUCKET)?;
    let storage = json!({ "driver": "s3", "parameters": {
        "bucket": BUCKET, "region": REGION, "regionendpoint": endpoint, "secure": false,
        "forcepathstyle": true, "accesskey": ACCESS_KEY, "secretkey": SECRET_KEY, "profile": "ceph",
    }, "address": endpoint.trim_start_matches("http://") });
    Ok(Running { storage, _processes: processes, site })
}

/// A cluster that is being set up.
struct Ceph {
    configuration: String,
    keyring: String,
    cluster: String,
    monitor: String,
    gateway_port: u16,
}

impl Ceph {
    /// Writes the configuration and the keys.
    fn new(site: &Site) -> Outcome<Self> {
        let cluster = identifier()?;
        let (monitor_port, gateway_port) = (free_port()?, free_port()?);
        let keyring = path(&site.data.join("keyring"));
        let text = configuration(&path(&site.data), &cluster, monitor_port, gateway_port);
        let configuration = path(&site.write(CONFIGURATION, &text)?);
        for directory in ["mon", "osd", "rgw"] {
            std::fs::create_dir_all(site.data.join(directory))?;
        }
        let monitor = format!("[v1:127.0.0.1:{monitor_port}]");
        let ceph = Ceph { configuration, keyring, cluster, monitor, gateway_port };
        let key = |name: &str, more: &[&str]| {
            let mut tool = Command::new("ceph-authtool");
            tool.arg(&ceph.keyring).args(["--gen-key", "--name", name]).args(more);
            project::output(&mut tool)
        };
        key("mon.", &["--create-keyring", "--cap", "mon", "allow *"])?;
        for name in ["client.admin", "client.rgw", "osd.0"] {
            let may = ["mon", "osd", "mgr"].map(|service| ["--cap", service, "allow *"]);
            key(name, may.as_flattened())?;
        }
        Ok(ceph)
    }

    /// A program of Ceph's that ends by itself.
    fn tool(&self, program: &str) -> Command {
        let mut tool = Command::new(program);
        tool.args(["--conf", &self.configuration]);
        tool
    }

    /// A server that stays in the foreground, so that it ends with us.
    fn daemon(&self, program: &str) -> Outcome<Command> {
        let program = install::find(program).ok_or_else(|| format!("there is no `{program}`"))?;
        let mut daemon = process::command(program);
        daemon.args(["--foreground", "--conf", &self.configuration]);
        Ok(daemon)
    }

    fn start_monitor(&self, site: &Site) -> Outcome<Process> {
        let map = path(&site.data.join("monmap"));
        let mut tool = Command::new("monmaptool");
        tool.args(["--create", "--clobber", "--fsid", &self.cluster, "--addv", "a", &self.monitor, &map]);
        project::output(&mut tool)?;
        let mut make = self.tool("ceph-mon");
        make.args(["--mkfs", "--id", "a", "--monmap", &map, "--keyring", &self.keyring]);
        project::output(&mut make)?;
        let mut monitor = Process::start("mon", &site.logs, self.daemon("ceph-mon")?.args(["--id", "a"]))?;
        monitor.wait_until(READY, || {
            let mut ask = self.tool("ceph");
            project::output(ask.args(["--connect-timeout", "5", "mon", "stat"])).is_ok()
        })?;
        Ok(monitor)
    }

    fn start_store(&self, site: &Site) -> Outcome<Process> {
        let identity = identifier()?;
        let mut ask = self.tool("ceph");
        project::output(ask.args(["osd", "new", &identity, OSD]))?;
        let mut make = self.tool("ceph-osd");
        project::output(make.args(["--mkfs", "--id", OSD, "--osd-uuid", &identity]))?;
        let mut store = Process::start("osd", &site.logs, self.daemon("ceph-osd")?.args(["--id", OSD]))?;
        store.wait_until(READY, || {
            let mut ask = self.tool("ceph");
            project::output(ask.args(["osd", "stat"])).is_ok_and(|stat| stat.contains("1 up"))
        })?;
        Ok(store)
    }

    fn start_gateway(&self, site: &Site) -> Outcome<(Process, String)> {
        self.administer(&[
            "user",
            "create",
            "--uid",
            "test",
            "--display-name",
            "test",
            "--access-key",
            ACCESS_KEY,
            "--secret-key",
            SECRET_KEY,
        ])?;
        for class in CLASSES {
            let placement =
                ["placement", "add", "--placement-id", "default-placement", "--storage-class", class];
            let group = [&["zonegroup"], &placement[..], &["--rgw-zonegroup", "default"]].concat();
            self.administer(&group)?;
            let pool = format!("default.rgw.{class}.data");
            let zone = [&["zone"], &placement[..], &["--rgw-zone", "default", "--data-pool", &pool]].concat();
            self.administer(&zone)?;
        }
        let mut daemon = self.daemon("radosgw")?;
        daemon.args(["--name", "client.rgw", "--admin-socket", &path(&site.data.join(ADMIN_SOCKET))]);
        let mut gateway = Process::start("rgw", &site.logs, &mut daemon)?;
        let endpoint = format!("http://127.0.0.1:{}", self.gateway_port);
        gateway.wait_until(READY, || http::status(&endpoint) == Some(200))?;
        Ok((gateway, endpoint))
    }

    fn administer(&self, arguments: &[&str]) -> Outcome {
        let mut tool = self.tool("radosgw-admin");
        project::output(tool.args(["--name", "client.rgw"]).args(arguments)).map(drop)
    }
}

/// One copy of everything, kept in memory; no waiting for a quorum of one. What is deleted is freed
/// at once and not after hours: the memory would not last, and a full store blocks every request.
fn configuration(data: &str, cluster: &str, monitor: u16, gateway: u16) -> String {
    format!(
        "[global]
fsid = {cluster}
mon host = v1:127.0.0.1:{monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
keyring = {data}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 10000
paxos propose interval = 0.01
paxos min wait = 0.01
log file =
log to stderr = true
err to stderr = true
run dir = {data}
pid file =
admin socket =
crash dir = {data}
[mon.a]
mon data = {data}/mon
mon data avail crit = -1
[osd.{OSD}]
osd data = {data}/osd
osd objectstore = memstore
memstore device bytes = 6442450944
[client.rgw]
rgw data = {data}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw thread pool size = 64
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw gc processor max time = 2
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"
    )
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A random UUID, from the kernel.
fn identifier() -> Outcome<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned())
}
