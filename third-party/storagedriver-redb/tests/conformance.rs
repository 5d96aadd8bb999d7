//! The contract, case by case.

use storagedriver::{Parameters, Storage, factory};
use storagedriver_redb as _;
use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
use tempfile::TempDir;

struct Redb;

#[async_trait]
impl Harness for Redb {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("registry.redb").display().to_string();
        let storage = factory::create("redb", Parameters::from_iter([("file", file)])).await?;
        Ok(Box::new(Opened { storage, _directory: directory }))
    }
}

/// One database. `another` stays as it is: no second process can open the file.
struct Opened {
    storage: Storage,
    _directory: TempDir,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }
}

storagedriver_testsuites::register_suite!(Redb);
storagedriver_testsuites::register_state_machine!(Redb);
storagedriver_testsuites::register_histories!(Redb);
