//! Executables to test with. Each is this test program again, started to run one of the tests below, behind
//! a script that also notes the process: so a plain `cargo test` has all it needs, and what runs is what was just built.
#![allow(dead_code, reason = "each test program uses some")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

pub(crate) mod processes;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use storagedriver::{Error, Factory, Parameters, Registration, Result, Storage, StorageDriver};
use storagedriver_filesystem::FilesystemParameters;
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::host::DRIVER;
use storagedriver_testsuites::mutants::MUTANTS;
use tempfile::TempDir;

/// An executable, in a directory of its own.
pub(crate) struct Executable {
    directory: TempDir,
    name: String,
}

impl Executable {
    /// `registry-storage-<name>`, which runs the test of this name in this program.
    pub(crate) fn running(name: &str, test: &str) -> Executable {
        Executable::script(name, &rerun(test))
    }

    /// `registry-storage-<name>`, which runs one of the drivers below.
    pub(crate) fn driver(name: &str) -> Executable {
        Executable::running(name, &format!("drivers::{name}"))
    }

    /// `registry-storage-<name>` with these commands of a shell.
    pub(crate) fn script(name: &str, commands: &str) -> Executable {
        let executable = Executable { directory: tempfile::tempdir().unwrap(), name: name.to_owned() };
        let started = executable.started_file();
        let note = format!("echo \"$$ $STORAGEDRIVER_SOCKET\" >>'{}'", started.display());
        write_script(&executable.path(), &format!("{note}\n{commands}"));
        executable
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(format!("registry-storage-{}", self.name))
    }

    fn started_file(&self) -> PathBuf {
        self.directory.path().join("started")
    }

    /// The processes that were started from it, in their order.
    pub(crate) fn started(&self) -> Vec<Started> {
        let text = fs::read_to_string(self.started_file()).unwrap_or_default();
        let started = text.lines().map(|line| {
            let (process, socket) = line.split_once(' ').unwrap();
            Started { process: process.parse().unwrap(), socket: PathBuf::from(socket) }
        });
        started.collect()
    }
}

/// One process of an executable.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: u32,
    /// The socket that it was told to listen on.
    pub(crate) socket: PathBuf,
}

/// Opens storage through an executable, as a program does.
pub(crate) async fn open(executable: &Executable, parameters: Parameters) -> Result<Storage> {
    open_path(&executable.path(), parameters).await
}

/// As [`open`], by the executable's path.
pub(crate) async fn open_path(executable: &Path, mut parameters: Parameters) -> Result<Storage> {
    parameters.insert("path", executable.display().to_string());
    Factory::new().with(DRIVER).create(DRIVER.name, parameters).await
}

/// Writes a script that can be executed at once.
fn write_script(path: &Path, commands: &str) {
    // Another process writes it: a file that is open for writing anywhere cannot be executed, and this process
    // starts others meanwhile, which have what is open here until they are what they become.
    let mut shell = Command::new("/bin/sh")
        .args(["-c", "cat >\"$1.$$\" && chmod 755 \"$1.$$\" && mv \"$1.$$\" \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{commands}\n").as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{path:?} could not be written");
}

/// The path of an executable that runs one of the drivers below, for a suite with many cases: it stays where
/// it is, in cargo's directory for what tests write.
pub(crate) fn kept(name: &str) -> PathBuf {
    static WRITING: Mutex<()> = Mutex::new(());
    let program = std::env::current_exe().unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program.file_name().unwrap());
    let path = directory.join(format!("registry-storage-{name}"));
    let _one_at_a_time = WRITING.lock().unwrap();
    if !path.exists() {
        fs::create_dir_all(directory).unwrap();
        write_script(&path, &rerun(&format!("drivers::{name}")));
    }
    path
}

/// The command that runs a test of this program.
fn rerun(test: &str) -> String {
    format!("exec '{}' --exact '{test}' --nocapture", std::env::current_exe().unwrap().display())
}

/// The socket that a host told this process to listen on; `None` if none started it.
pub(crate) fn socket() -> Option<PathBuf> {
    std::env::var_os("STORAGEDRIVER_SOCKET").map(PathBuf::from)
}

/// Is the executable of a driver, if a host started this process; else the test that calls it has nothing to do.
pub(crate) fn serve(driver: Registration) {
    if socket().is_some() {
        // The arguments are those of a test program.
        let code =
            storagedriver_ipc::main_with(&[driver], [format!("registry-storage-{}", driver.name).into()]);
        assert_eq!(code, std::process::ExitCode::SUCCESS);
    }
}

#[test]
fn inmemory() {
    serve(storagedriver_inmemory::DRIVER);
}

#[test]
fn filesystem() {
    serve(storagedriver_filesystem::DRIVER);
}

#[test]
fn mutant() {
    serve(MUTANT);
}

#[test]
fn filled() {
    serve(FILLED);
}

storagedriver::parameters! {
    /// Parameters of the driver `mutant`.
    struct MutantParameters for "mutant" {
        /// Which mutant of the suite.
        mutant: String = required,
        /// Over the driver `filesystem` in this directory; without it, over one in memory.
        rootdirectory: Path,
    }
}

/// The wrong drivers of the suite, each over one that is right.
const MUTANT: Registration = Registration::new(
    "mutant",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "A driver that is wrong",
    &MutantParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            let given = MutantParameters::parse(parameters)?;
            let inner: Arc<dyn StorageDriver> = match &given.rootdirectory {
                Some(root) => FilesystemParameters::new(root).into_storage()?.driver().clone(),
                None => Arc::new(InMemory::new()),
            };
            let mutant = MUTANTS.iter().find(|mutant| mutant.name == given.mutant);
            let unknown = || Error::invalid_parameter("mutant", "mutant", "there is no such mutant");
            Ok(Storage::from_arc((mutant.ok_or_else(unknown)?.wrap)(inner)))
        })
    },
);

storagedriver::parameters! {
    /// Parameters of the driver `filled`.
    struct FilledParameters for "filled" {
        /// How many files the directory `/many` has.
        children: Bytes = 0,
        /// How many bytes the file `/large` has.
        large: Bytes = 0,
    }
}

/// A store in memory that holds much from the start.
const FILLED: Registration = Registration::new(
    "filled",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "A store in memory that is not empty",
    &FilledParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            let given = FilledParameters::parse(parameters)?;
            let storage = Storage::new(InMemory::new());
            for number in 0..given.children {
                storage.put_content(&filled_child(number), "child").await?;
            }
            storage.put_content("/large", storagedriver_testsuites::fixture::pattern(1, given.large)).await?;
            Ok(storage)
        })
    },
);

/// The path of a file of the driver `filled`.
pub(crate) fn filled_child(number: u64) -> String {
    // Long enough that all of them do not fit into one message.
    format!("/many/child-with-a-name-as-long-as-that-of-a-digest-often-is-{number:08}")
}
