//! Executables that live as long as a test, and the processes that were started from them.

use std::fs;
use std::path::{Path, PathBuf};

use storagedriver::{Factory, Parameters, Result, Storage};
use storagedriver_ipc::host::DRIVER;
use tempfile::TempDir;

use crate::drivers::{rerun, write_script};

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

    /// `registry-storage-<name>`, which runs one of `drivers`.
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
