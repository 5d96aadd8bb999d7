//! The whole of an executable, as a process: this test program run again, as a driver.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure fails the test")]
#![cfg(unix)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use storagedriver::{Layer, Registration, Result, Storage, StorageDriver, StoragePath, async_trait};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::proto::storage_driver_client::StorageDriverClient;
use storagedriver_ipc::proto::{DeleteRequest, NegotiateRequest, OpenRequest, StatRequest};
use tonic::transport::{Channel, Endpoint};

storagedriver::parameters! {
    /// Parameters of the driver `example`.
    pub struct ExampleParameters for "example" {
        /// What nobody may see.
        password: Secret,
    }
}

/// In memory, with a `delete` that never ends and holds up the thread that it is on.
#[derive(Debug)]
struct Example(InMemory);

#[async_trait]
impl Layer for Example {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }

    async fn delete(&self, _: &StoragePath) -> Result<()> {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}

const DRIVER: Registration = Registration::new(
    "example",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "an example",
    &ExampleParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            ExampleParameters::parse(parameters)?;
            Ok(Storage::new(Example(InMemory::new())))
        })
    },
);

/// The arguments of the executable, one a line; there are none in a run of the tests.
const ARGUMENTS: &str = "STORAGEDRIVER_TEST_ARGUMENTS";

#[test]
fn the_executable_itself() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let words = std::iter::once("registry-storage-example").chain(arguments.lines());
    let code = storagedriver_ipc::main_with(&[DRIVER], words.map(Into::into));
    let code = (0..=3).find(|number| ExitCode::from(*number) == code);
    std::process::exit(code.expect("a code that no failure has").into());
}

/// A process, killed when it is dropped.
struct Process {
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_executable_itself", "--nocapture"]);
        command.env(ARGUMENTS, arguments.join("\n")).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Process { child: command.spawn().unwrap() }
    }

    /// The path that it prints when it serves.
    fn socket(&mut self) -> PathBuf {
        let output = BufReader::new(self.child.stdout.as_mut().unwrap());
        // Around it is what a test program prints.
        output.lines().map(Result::unwrap).find(|line| line.starts_with('/')).expect("no socket").into()
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// The exit code, and what it wrote to both outputs.
    fn end(mut self) -> (i32, String) {
        let patience = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < patience, "the process does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut text = String::new();
        self.child.stdout.as_mut().unwrap().read_to_string(&mut text).unwrap();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut text).unwrap();
        (status.code().expect("it ended by a signal"), text)
    }
}

async fn connect(socket: &Path) -> StorageDriverClient<Channel> {
    let patience = Instant::now() + Duration::from_secs(60);
    let endpoint = Endpoint::try_from(format!("unix:{}", socket.display())).unwrap();
    loop {
        match endpoint.connect().await {
            Ok(channel) => return StorageDriverClient::new(channel),
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn by_hand_it_opens_the_driver_and_ends_by_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    for (signal, given) in [("INT", Some(directory.path().join("storage.sock"))), ("TERM", None)] {
        let given_text = given.as_ref().map(|path| path.display().to_string());
        let mut arguments = vec![r#"{"password": "hunter2"}"#];
        arguments.extend(given_text.iter().flat_map(|path| ["--socket", path.as_str()]));
        let environment = [("XDG_RUNTIME_DIR", directory.path().to_str().unwrap())];
        let mut process = Process::start(&arguments, &environment);
        let socket = process.socket();
        if let Some(given) = given {
            assert_eq!(socket, given);
        } else {
            let parent = socket.parent().unwrap();
            assert_eq!(parent.parent(), Some(directory.path()));
            assert_eq!(fs::metadata(parent).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        let mut client = connect(&socket).await;
        client.stat(StatRequest { path: "/".into() }).await.unwrap();
        let empty = OpenRequest { driver: "example".into(), parameters: HashMap::new() };
        client.open(empty).await.unwrap();
        process.signal(signal);
        let (code, text) = process.end();
        assert_eq!(code, 0, "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "something is left");
    }
}

#[test]
fn what_is_wrong_is_said_and_no_value_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let taken = directory.path().join("taken");
    fs::write(&taken, "content").unwrap();
    let taken = taken.to_str().unwrap();
    let nowhere = directory.path().join("absent/socket");
    let nowhere = nowhere.to_str().unwrap();
    for (arguments, environment, code, part) in [
        (&[r#"{"password": "hunter2""#][..], &[][..], 2, "no JSON: line 1, column 22"),
        (&["--passwrod=hunter2"], &[], 2, "--passwrod"),
        (&[r#"{"passwrod": "hunter2"}"#], &[], 1, "did you mean \"password\"?"),
        (&["{}", "--socket", taken], &[], 1, "no socket"),
        (&["{}", "--socket", nowhere], &[], 1, nowhere),
        (&[r#"{"password": "hunter2"}"#], &[("STORAGEDRIVER_SOCKET", nowhere)], 2, "without arguments"),
        (&[], &[("STORAGEDRIVER_SOCKET", nowhere)], 1, nowhere),
        (&[], &[("STORAGEDRIVER_SOCKET", nowhere), ("STORAGEDRIVER_LIFELINE", "x")], 2, "not `stdin`"),
    ] {
        let (found, text) = Process::start(arguments, environment).end();
        assert!(found == code && text.contains(part), "{found}, not {code}, not {part}: {text}");
        assert!(text.contains("registry-storage-example: ") && !text.contains("hunter2"), "{text}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "something is left");
    for (option, part) in [("--help", "password"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let (code, text) = Process::start(&[option], &[]).end();
        assert!(code == 0 && text.contains(part) && text.contains("example"), "{text}");
    }
}

/// What a host does; the process is open then.
async fn hosted(directory: &Path) -> (Process, StorageDriverClient<Channel>) {
    let socket = directory.join("socket");
    let environment =
        [("STORAGEDRIVER_SOCKET", socket.to_str().unwrap()), ("STORAGEDRIVER_LIFELINE", "stdin")];
    let process = Process::start(&[], &environment);
    let mut client = connect(&socket).await;
    let request = NegotiateRequest { min_version: 1, max_version: 1, ..Default::default() };
    assert_eq!(client.negotiate(request).await.unwrap().into_inner().driver, "example");
    let request = OpenRequest { driver: "example".into(), parameters: HashMap::new() };
    client.open(request).await.unwrap();
    (process, client)
}

#[tokio::test]
async fn it_ends_with_its_host() {
    let directory = tempfile::tempdir().unwrap();
    let (mut process, mut client) = hosted(directory.path()).await;
    client.stat(StatRequest { path: "/".into() }).await.unwrap();
    drop(process.child.stdin.take());
    assert_eq!(process.end().0, 0);
}

#[tokio::test]
async fn it_ends_with_its_host_also_when_the_driver_holds_up_every_thread() {
    let directory = tempfile::tempdir().unwrap();
    let (mut process, client) = hosted(directory.path()).await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.delete(DeleteRequest { path: "/a".into() }).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(process.child.stdin.take());
    assert_eq!(process.end().0, 0);
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
}
