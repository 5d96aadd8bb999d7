//! The suite on the services that need no server: `memory` with state machine and histories, and `fs`.

use std::time::Duration;

use storagedriver::{Factory, Guarantee, Parameters, Storage};
use storagedriver_opendal::DRIVER;
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

#[derive(Clone, Copy)]
enum Service {
    Memory,
    Files,
}

#[async_trait]
impl Harness for Service {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        // Small segments, so that the suite crosses their ends.
        let mut parameters = Parameters::from_iter([("chunksize", "64 KiB")]);
        let mut directory = None;
        match self {
            Service::Memory => parameters.insert("service", "memory"),
            Service::Files => {
                let made = tempfile::tempdir()?;
                parameters.insert("root", made.path().display().to_string());
                directory = Some(made);
                parameters.insert("service", "fs")
            }
        };
        let storage = storage(&parameters).await?;
        Ok(Box::new(Opened { parameters, storage, _directory: directory }))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.children = 200;
        scale.large = 1 << 20;
        scale.rounds = 3;
        scale.boundaries = vec![64 << 10];
        if matches!(self, Service::Files) {
            // What a dropped future has begun, a thread of the pool ends.
            scale.settle = Duration::from_millis(50);
        }
        scale
    }
}

async fn storage(parameters: &Parameters) -> Result<Storage, BoxError> {
    Ok(Factory::new().with(DRIVER).create("opendal", parameters.clone()).await?)
}

struct Opened {
    parameters: Parameters,
    storage: Storage,
    _directory: Option<tempfile::TempDir>,
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
        Ok(Some(storage(&self.parameters).await?))
    }
}

mod memory {
    use super::Service;

    storagedriver_testsuites::register_suite!(Service::Memory);
    storagedriver_testsuites::register_state_machine!(Service::Memory, programs = 40, steps = 40);
    storagedriver_testsuites::register_histories!(Service::Memory, histories = 20);
}

mod fs {
    use super::Service;

    storagedriver_testsuites::register_suite!(Service::Files);
    storagedriver_testsuites::register_state_machine!(Service::Files, programs = 10, steps = 30);
}
