//! Drivers to run as executables. Each is this test program again, started by a script to run one of the tests below: so a
//! plain `cargo test` has all it needs, and what runs is what was just built.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use storagedriver::{Error, Registration, Storage, StorageDriver};
use storagedriver_filesystem::FilesystemParameters;
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::mutants::MUTANTS;

/// Writes a script that can be executed at once.
pub(crate) fn write_script(path: &Path, commands: &str) {
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

/// The command that runs a test of this program.
pub(crate) fn rerun(test: &str) -> String {
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
