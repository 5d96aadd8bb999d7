//! The suite and a short state machine, on a server that `cargo xtask conformance` has started.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storagedriver::{Factory, Parameters, Storage};
use storagedriver_hdfs::DRIVER;
use storagedriver_testsuites::{
    BoxError, Harness, Scale, Store, async_trait, register_state_machine, register_suite,
};

/// Says where the server is: a storage as JSON, `{"driver": "hdfs", "parameters": {…}}`.
const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

struct Server;

#[async_trait]
impl Harness for Server {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let given = std::env::var(STORAGE)
            .map_err(|_| format!("{STORAGE} is not set: run this by `cargo xtask conformance hdfs`"))?;
        let given: serde_json::Value = serde_json::from_str(&given)?;
        let mut parameters = Parameters::new();
        for (name, value) in given["parameters"].as_object().ok_or("there are no parameters")? {
            parameters.insert(name, value.as_str().ok_or("a parameter is no text")?);
        }
        // A place of its own for each case.
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        parameters.insert("rootdirectory", format!("/suite/{since:x}-{number}"));
        // Content of the suite has several blocks then.
        parameters.insert("blocksize", "1 MiB");
        Ok(Box::new(Opened { storage: storage(&parameters).await?, parameters }))
    }

    fn scale(&self) -> Scale {
        // A request whose future was dropped may be with the server, and is done there.
        let mut scale = Scale::network().with_part_size(1 << 20);
        scale.boundaries.push(256 << 10);
        scale.settle = Duration::from_millis(500);
        scale
    }
}

async fn storage(parameters: &Parameters) -> Result<Storage, BoxError> {
    Ok(Factory::new().with(DRIVER).create("hdfs", parameters.clone()).await?)
}

struct Opened {
    parameters: Parameters,
    storage: Storage,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(storage(&self.parameters).await?))
    }
}

register_suite!(Server);
register_state_machine!(Server, programs = 20, steps = 40);
