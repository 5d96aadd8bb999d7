//! Keystone, the identity service that clouds have before Swift: version 3, on SQLite.

use super::super::process::{self, Process, free_port};
use super::super::{READY, Site, http, install, versions};
use crate::project::{self, Outcome, Project};

use std::path::PathBuf;
use std::process::Command;

const LAUNCHER: &str = include_str!("keystone-server.py");
/// The administrator that Keystone is set up with.
pub(super) const USER: &str = "admin";
pub(super) const PASSWORD: &str = "adminpw";
pub(super) const PROJECT: &str = "admin";
pub(super) const DOMAIN: &str = "Default";
pub(super) const REGION: &str = "RegionOne";

/// A Keystone that runs.
pub(super) struct Keystone {
    pub(super) process: Process,
    /// Where to authenticate.
    pub(super) url: String,
    python: PathBuf,
    launcher: PathBuf,
}

impl Keystone {
    pub(super) fn start(project: &Project, site: &Site) -> Outcome<Self> {
        let programs = install::pip(project, "keystone", versions::KEYSTONE)?;
        let place = site.data.display().to_string();
        for directory in ["fernet", "credential"] {
            std::fs::create_dir_all(site.data.join(directory))?;
        }
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}/v3");
        let configuration = site.write("keystone.conf", &configuration(&place))?;
        let launcher = site.write("keystone-server.py", LAUNCHER)?;
        let python = programs.join("python3");
        let mut command = process::command(&python);
        command.arg(&launcher).arg("serve").arg(&configuration).arg(port.to_string());
        command.args([USER, PASSWORD, REGION]);
        let mut process = Process::start("keystone", &site.logs, &mut command)?;
        process.wait_until(READY, || http::status(&url) == Some(200))?;
        Ok(Keystone { process, url, python, launcher })
    }

    /// Tells Keystone where Swift is.
    pub(super) fn add_to_catalogue(&mut self, swift: &str) -> Outcome {
        let account = format!("{swift}/v1/AUTH_%(project_id)s");
        let mut tool = Command::new(&self.python);
        tool.arg(&self.launcher).args(["catalogue", &self.url, USER, PASSWORD, REGION, &account]);
        project::output(&mut tool).map(drop)
    }

    /// What Swift's proxy needs to know of it.
    pub(super) fn filters(&self) -> String {
        let url = &self.url;
        format!(
            "[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = {PROJECT}
username = {USER}
password = {PASSWORD}
delay_auth_decision = True
cache = swift.cache
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
"
        )
    }
}

/// Passwords are hashed as little as may be: each token of a test costs one. Without a cache each token costs a third of a second of
/// the processor, and each look at one twice as much.
fn configuration(place: &str) -> String {
    format!(
        "[DEFAULT]
log_file = {place}/keystone.log
[database]
connection = sqlite:///{place}/keystone.db
[token]
provider = fernet
[fernet_tokens]
key_repository = {place}/fernet
[credential]
key_repository = {place}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
"
    )
}
