//! What can be configured, and how the factory makes the driver.

use std::path::PathBuf;
use std::sync::Arc;

use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Registration, Result, Storage};

use crate::Filesystem;

/// The least that `maxthreads` may be; less is raised to it, as Distribution does.
const LEAST_THREADS: u64 = 25;

storagedriver::parameters! {
    /// Parameters of the driver `filesystem`.
    pub struct FilesystemParameters for "filesystem" {
        /// The directory that everything lies below. It is made by the first write, with all above it.
        rootdirectory: Path = "/var/lib/registry",
        /// How many operations run at once, streams and steps of walks included.
        maxthreads: Limit(25) = 100,
        /// Whether what is acknowledged survives a power cut: `full` syncs files and directories
        /// before an operation answers, `none` leaves it to the kernel and survives only a crash of
        /// the process.
        durability: Choice("full", "none") = "full",
    }
}

impl FilesystemParameters {
    /// The defaults, for another directory.
    pub fn new(rootdirectory: impl Into<PathBuf>) -> Self {
        FilesystemParameters { rootdirectory: rootdirectory.into(), maxthreads: 100, durability: "full" }
    }

    /// With `full` or `none` for `durability`.
    #[must_use]
    pub fn with_durability(mut self, durability: &'static str) -> Self {
        self.durability = durability;
        self
    }

    /// The storage, with the limit of operations at once: what the factory makes.
    ///
    /// # Errors
    /// As [`Filesystem::new`].
    pub fn into_storage(self) -> Result<Storage> {
        let driver = Arc::new(Filesystem::new(&self)?);
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxthreads.max(LEAST_THREADS))))
    }
}

/// The registration of the driver `filesystem`.
pub const DRIVER: Registration = Registration::new(
    "filesystem",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a directory of this machine",
    &FilesystemParameters::TABLE,
    |parameters| Box::pin(async move { FilesystemParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);

#[cfg(test)]
mod tests {
    use storagedriver::{ErrorKind, Factory, Parameters};

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let parsed = FilesystemParameters::parse(Parameters::new()).unwrap();
        let made = FilesystemParameters::new("/var/lib/registry");
        assert_eq!(format!("{parsed:?}"), format!("{made:?}"));
    }

    #[tokio::test]
    async fn the_factory_makes_it() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_str().unwrap();
        let given =
            Parameters::from_iter([("rootdirectory", root), ("maxthreads", "3"), ("durability", "none")]);
        let storage = storagedriver::factory::create("filesystem", given).await.unwrap();
        storage.put_content("/a", "x").await.unwrap();
        assert_eq!(storage.name(), "filesystem");
        assert!(directory.path().join("a").exists());
        let given = Parameters::from_iter([("durability", "some")]);
        let error = Factory::new().with(DRIVER).create("filesystem", given).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
}
