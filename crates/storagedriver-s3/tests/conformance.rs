//! The suite and a short state machine on a real server. `cargo xtask conformance` starts one, and
//! says in `STORAGEDRIVER_CONFORMANCE_STORAGE` where it is.
#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use storagedriver::{Parameters, Storage, Value};
use storagedriver_s3::S3Parameters;
use storagedriver_testsuites::{
    BoxError, Harness, Scale, Store, async_trait, register_state_machine, register_suite,
};

const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

fn server() -> Server {
    let Ok(given) = std::env::var(STORAGE) else {
        panic!("{STORAGE} is not set: run `cargo xtask conformance s3`, which starts a server and sets it");
    };
    let json: serde_json::Value = serde_json::from_str(&given).expect("JSON");
    assert_eq!(json.get("driver").and_then(serde_json::Value::as_str), Some("s3"), "{STORAGE}");
    let parameters = json.get("parameters").and_then(serde_json::Value::as_object).expect("parameters");
    let parameters = parameters.iter().map(|(name, given)| {
        let value = match given {
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Bool(switch) => Value::from(*switch),
            serde_json::Value::Number(number) => Value::from(number.as_i64().expect("an integer")),
            _ => panic!("{STORAGE}: {name} is neither text nor number nor switch"),
        };
        (name.clone(), value)
    });
    Server { parameters: parameters.collect() }
}

/// Opens a root of its own for each case.
struct Server {
    parameters: Parameters,
}

static ROOTS: AtomicU64 = AtomicU64::new(0);

#[async_trait]
impl Harness for Server {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let number = ROOTS.fetch_add(1, Ordering::Relaxed);
        let root = format!("/conformance/{}-{number}", std::process::id());
        let mut parameters = self.parameters.clone();
        parameters.insert("rootdirectory", root);
        let storage = S3Parameters::parse(parameters.clone())?.into_storage()?;
        Ok(Box::new(Opened { parameters, storage }))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::network().with_part_size(5 << 20);
        scale.settle = Duration::from_millis(500);
        scale
    }
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
        Ok(Some(S3Parameters::parse(self.parameters.clone())?.into_storage()?))
    }

    async fn remove(&self) -> Result<(), BoxError> {
        for entry in self.storage.list("/").await? {
            match self.storage.delete(entry.path().as_str()).await {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

register_suite!(server());
register_state_machine!(server(), programs = 20, steps = 30);
