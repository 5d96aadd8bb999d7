//! Distribution's registry with its own S3 driver, a client of registries, and our program.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use storagedriver_systemtests::GivenStorage;

/// How long a registry may take to answer its first request.
const READY: Duration = Duration::from_secs(60);

fn program(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask conformance s3`"))
}

/// Whether a registry takes pushes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Allowed,
    /// As an operator makes it for the time of a cut-over.
    Refused,
}

/// A directory of the bucket in a registry's configuration, below `storage:`.
pub(crate) fn on_bucket(given: &GivenStorage, root: &str) -> String {
    let mut text = "  s3:\n".to_owned();
    // Ours beyond those of Distribution's driver.
    for (name, value) in given.parameters().filter(|(name, _)| *name != "profile") {
        text += &format!("    {name}: {value:?}\n");
    }
    text + &format!("    rootdirectory: /{root}\n    chunksize: 5242880\n")
}

/// A running registry; killed when it is dropped, and by the kernel when this process is.
pub(crate) struct Registry {
    child: Child,
    /// `127.0.0.1:PORT`, which image names begin with.
    pub(crate) address: String,
}

impl Registry {
    /// Starts a registry on a directory of the bucket; it keeps its configuration and its log in
    /// `place`.
    pub(crate) fn start(given: &GivenStorage, root: &str, place: &Path) -> Self {
        Registry::serve(&on_bucket(given, root), Writes::Allowed, place)
    }

    /// Starts a registry on a storage: the lines of its configuration below `storage:`.
    pub(crate) fn serve(storage: &str, writes: Writes, place: &Path) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut text = format!("version: 0.1\nlog:\n  level: warn\nstorage:\n{storage}");
        text += "  delete:\n    enabled: true\n  redirect:\n    disable: true\n";
        if writes == Writes::Refused {
            text += "  maintenance:\n    readonly:\n      enabled: true\n";
        }
        text += &format!("http:\n  addr: {address}\n");
        let root = format!("registry-{port}");
        let configuration = place.join(format!("{root}.yml"));
        std::fs::write(&configuration, text).unwrap();
        let log = std::fs::File::create(place.join(format!("{root}.log"))).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", &program("STORAGEDRIVER_TEST_REGISTRY"), "serve"])
            .arg(configuration)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut registry = Registry { child, address };
        let started = Instant::now();
        while std::net::TcpStream::connect(&registry.address).is_err() {
            let log = || std::fs::read_to_string(place.join(format!("{root}.log"))).unwrap();
            assert!(registry.child.try_wait().unwrap().is_none(), "the registry has ended:\n{}", log());
            assert!(started.elapsed() < READY, "the registry does not answer:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// The name of an image here.
    pub(crate) fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Runs the client with a command that has to succeed; what it printed.
    pub(crate) fn client(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.client_output(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {error}");
        output.stdout
    }

    /// Runs the client; how it ended.
    pub(crate) fn client_output(&self, arguments: &[&str]) -> Output {
        let mut client = Command::new(program("STORAGEDRIVER_TEST_CLIENT"));
        client.arg("--insecure").args(arguments).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name of a storage for our program, below a directory of the bucket.
pub(crate) fn argument(given: &GivenStorage, root: &str) -> String {
    let secret = |name: &str| ["accesskey", "secretkey"].contains(&name);
    let mut argument = format!("s3:rootdirectory={root}");
    for (name, value) in given.parameters() {
        let value = if secret(name) { format!("env:STORAGEDRIVER_TEST_{name}") } else { value };
        argument += &format!(",{name}={value}");
    }
    argument
}

/// Runs our program with `--json` and a command that has to end with 0; the objects that it printed.
pub(crate) fn ours(given: &GivenStorage, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(program("STORAGEDRIVER_TEST_PROGRAM"));
    for name in ["accesskey", "secretkey"] {
        command.env(format!("STORAGEDRIVER_TEST_{name}"), given.parameter(name).unwrap());
    }
    let output = command.args(arguments).arg("--json").stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}\n{text}{error}", output.status);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
