//! OpenStack Swift on one machine: one copy of everything, each server one process. It speaks S3 by
//! its middleware `s3api`.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::bucket::S3Account;
use super::http;
use super::process::{self, Process, free_port};
use super::{BUCKET, READY, Running, Server, Site, install, versions};
use crate::project::{self, Outcome, Project};

pub(crate) const SWIFT_S3API: Server =
    Server { name: "swift-s3api", about: "OpenStack Swift's S3 interface, for s3", start };

const LAUNCHER: &str = include_str!("swift-server.py");
const ACCESS_KEY: &str = "test:tester";
const SECRET_KEY: &str = "testing";
const REGION: &str = "us-east-1";

/// Its three kinds of storage server.
const KINDS: [&str; 3] = ["account", "container", "object"];

/// Steps of the proxy that have no settings.
const PLAIN: [&str; 8] =
    ["catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "dlo", "symlink"];

fn start(project: &Project, site: Site) -> Outcome<Running> {
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
    let cache = memcached(project, &site, &user, cache_port)?;
    site.write("proxy.conf", &proxy_configuration(&place, &user, port, cache_port))?;
    let mut proxy = server("proxy")?;
    for (storage, port) in &mut storages {
        storage
            .wait_until(READY, || http::status(&format!("http://127.0.0.1:{port}/healthcheck")).is_some())?;
    }
    let endpoint = format!("http://127.0.0.1:{port}");
    proxy.wait_until(READY, || http::status(&format!("{endpoint}/healthcheck")) == Some(200))?;

    let account =
        S3Account { endpoint: &endpoint, region: REGION, access_key: ACCESS_KEY, secret_key: SECRET_KEY };
    account.make_bucket(BUCKET)?;
    let storage = json!({ "driver": "s3", "parameters": {
        "bucket": BUCKET, "region": REGION, "regionendpoint": endpoint, "secure": false,
        "forcepathstyle": true, "accesskey": ACCESS_KEY, "secretkey": SECRET_KEY, "profile": "swift-s3api",
    }});
    let processes = [proxy, cache].into_iter().chain(storages.into_iter().map(|(storage, _)| storage));
    Ok(Running { storage, _processes: processes.collect(), site })
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
[pipeline:main]
pipeline = healthcheck {kind}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{kind}-server]
use = egg:swift#{kind}
"
    )
}

fn proxy_configuration(place: &str, user: &str, port: u16, cache_port: u16) -> String {
    let mut text = format!(
        "[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {place}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo \
         versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {SECRET_KEY} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache_port}
[filter:slo]
use = egg:swift#slo
min_segment_size = 1
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"
    );
    for step in PLAIN {
        text += &format!("[filter:{step}]\nuse = egg:swift#{step}\n");
    }
    text
}
