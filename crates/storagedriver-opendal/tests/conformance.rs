//! The suite and a short state machine, on a server that `cargo xtask conformance opendal` has started: Ceph by the service
//! `s3`, Azurite by `azblob`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storagedriver::{Factory, Parameters, Storage};
use storagedriver_opendal::DRIVER;
use storagedriver_testsuites::{
    BoxError, Harness, Scale, Store, async_trait, register_state_machine, register_suite,
};

/// Says where the server is: a storage as JSON, `{"driver": "s3", "parameters": {…}}`, for the driver of that store.
const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

struct Server;

/// OpenDAL's names for what our driver of that store takes.
fn parameters(given: &serde_json::Value) -> Result<Parameters, BoxError> {
    let (service, names): (&str, &[(&str, &str)]) = match given["driver"].as_str() {
        Some("s3") => (
            "s3",
            &[
                ("bucket", "bucket"),
                ("region", "region"),
                ("regionendpoint", "endpoint"),
                ("accesskey", "access_key_id"),
                ("secretkey", "secret_access_key"),
            ],
        ),
        Some("azure") => (
            "azblob",
            &[
                ("container", "container"),
                ("serviceurl", "endpoint"),
                ("accountname", "account_name"),
                ("accountkey", "account_key"),
            ],
        ),
        other => return Err(format!("there is no service for {other:?}").into()),
    };
    let mut parameters = Parameters::from_iter([("service", service), ("chunksize", "1 MiB")]);
    for (ours, theirs) in names {
        let value = given["parameters"][*ours].as_str().ok_or_else(|| format!("{ours} is not given"))?;
        parameters.insert(*theirs, value);
    }
    Ok(parameters)
}

#[async_trait]
impl Harness for Server {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let given = std::env::var(STORAGE)
            .map_err(|_| format!("{STORAGE} is not set: run this by `cargo xtask conformance opendal`"))?;
        let mut parameters = parameters(&serde_json::from_str(&given)?)?;
        // A place of its own for each case.
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        parameters.insert("root", format!("/suite/{since:x}-{number}"));
        Ok(Box::new(Opened { storage: storage(&parameters).await?, parameters }))
    }

    fn scale(&self) -> Scale {
        // A request whose future was dropped may be with the server, and is done there.
        let mut scale = Scale::network().with_part_size(1 << 20);
        scale.settle = Duration::from_millis(500);
        scale
    }
}

async fn storage(parameters: &Parameters) -> Result<Storage, BoxError> {
    Ok(Factory::new().with(DRIVER).create("opendal", parameters.clone()).await?)
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
register_state_machine!(Server);
