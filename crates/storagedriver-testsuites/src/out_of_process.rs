//! The suite on a driver that is an executable.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use storagedriver::{BoxError, Factory, Guarantee, Parameters, Storage};
use storagedriver_ipc::host::DRIVER;
use tempfile::TempDir;

use crate::{Harness, Scale, Store};

/// How long a driver may take to start: many start at once, and some need an interpreter.
const START_TIMEOUT: &str = "60s";

/// A harness for a driver that is an executable: it starts one process per store, through the host of
/// `storagedriver-ipc`, as a program does. With the feature `ipc`.
///
/// The function makes the parameters of one store from a directory that is the store's own: it is
/// there, empty, has a name that no other had, and is removed when the store is. A driver that
/// keeps files takes it as its root; one that speaks to a server takes its name.
///
/// ```no_run
/// use storagedriver::Parameters;
/// use storagedriver_testsuites::{OutOfProcess, register_state_machine, register_suite};
///
/// fn driver() -> OutOfProcess {
///     OutOfProcess::new("target/registry-storage-swift", |directory| {
///         Parameters::from_iter([("rootdirectory", directory.display().to_string())])
///     })
/// }
///
/// register_suite!(driver());
/// register_state_machine!(driver());
/// # fn main() {}
/// ```
///
/// `register_suite!(executable = …, parameters = …)` is the same for the suite alone.
///
/// The second handle that some cases need is a second process, opened with the same parameters.
#[derive(Clone)]
pub struct OutOfProcess {
    executable: PathBuf,
    driver: String,
    parameters: Arc<dyn Fn(&Path) -> Parameters + Send + Sync>,
    empties: bool,
    scale: Scale,
}

impl OutOfProcess {
    /// Tests this executable. Its file name says how the driver is called:
    /// `registry-storage-swift` is `swift`, and any other name is the driver's.
    pub fn new(
        executable: impl Into<PathBuf>,
        parameters: impl Fn(&Path) -> Parameters + Send + Sync + 'static,
    ) -> Self {
        let executable = executable.into();
        let file = executable.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        OutOfProcess {
            driver: file.strip_prefix("registry-storage-").unwrap_or(&file).to_owned(),
            executable,
            parameters: Arc::new(parameters),
            empties: false,
            // A call that is dropped takes effect until the process reads that it was.
            scale: Scale::default()
                .with_settle(Duration::from_millis(100))
                .with_underway(Duration::from_millis(4)),
        }
    }

    /// The driver's name, where the file's name does not say it.
    #[must_use]
    pub fn with_driver(mut self, name: impl Into<String>) -> Self {
        self.driver = name.into();
        self
    }

    /// How much the suite may ask of the backend; the default is [`Scale::default`] with a `settle`
    /// of 100 ms and an `underway` of 4 ms.
    #[must_use]
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Deletes everything in a store, through the driver, when its case is done: for stores that are
    /// not in the directory.
    #[must_use]
    pub fn with_emptying(mut self) -> Self {
        self.empties = true;
        self
    }

    /// Starts a process for the store in this directory.
    async fn start(&self, directory: &Path) -> Result<Storage, BoxError> {
        let mut external = Parameters::new();
        external.insert("driver", self.driver.as_str());
        external.insert("path", self.executable.display().to_string());
        external.insert("starttimeout", START_TIMEOUT);
        external.insert("parameters", (self.parameters)(directory));
        Ok(Factory::new().with(DRIVER).create(DRIVER.name, external).await?)
    }
}

impl fmt::Debug for OutOfProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutOfProcess")
            .field("executable", &self.executable)
            .field("driver", &self.driver)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Harness for OutOfProcess {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let directory = tempfile::Builder::new().prefix("storagedriver-suite-").tempdir()?;
        let storage = self.start(directory.path()).await?;
        Ok(Box::new(Opened { harness: self.clone(), storage, directory }))
    }

    fn scale(&self) -> Scale {
        self.scale.clone()
    }
}

struct Opened {
    harness: OutOfProcess,
    // Before the directory, so that the process goes first.
    storage: Storage,
    directory: TempDir,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        if !self.storage.guarantees().has(Guarantee::Shared) {
            return Ok(None);
        }
        Ok(Some(self.harness.start(self.directory.path()).await?))
    }

    async fn remove(&self) -> Result<(), BoxError> {
        if !self.harness.empties {
            return Ok(());
        }
        for entry in self.storage.list("/").await? {
            match self.storage.delete(entry.path().as_str()).await {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        // What was never committed is in no list.
        self.storage.abort_stale("/", Duration::ZERO).await?;
        Ok(())
    }
}
