//! Stores for the suites: each a root directory of its own in one container.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use storagedriver::{Parameters, Storage};
use storagedriver_azure::AzureParameters;
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// A container, by the parameters of the driver; each opened store is a new root directory in it.
pub(crate) struct Container {
    pub(crate) parameters: Parameters,
    pub(crate) scale: Scale,
}

#[async_trait]
impl Harness for Container {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let own = format!("case-{}-{time}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut parameters = self.parameters.clone();
        let below = parameters.remove("rootdirectory");
        let root = match below {
            Some(storagedriver::Value::String(root)) => format!("{root}/{own}"),
            _ => own,
        };
        parameters.insert("rootdirectory", root);
        let storage = AzureParameters::parse(parameters.clone())?.into_storage()?;
        Ok(Box::new(Opened { storage, parameters }))
    }

    fn scale(&self) -> Scale {
        self.scale.clone()
    }
}

struct Opened {
    storage: Storage,
    parameters: Parameters,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(AzureParameters::parse(self.parameters.clone())?.into_storage()?))
    }

    async fn remove(&self) -> Result<(), BoxError> {
        for upload in self.storage.uploads("/").await? {
            self.storage.abort_upload(&upload).await?;
        }
        for child in self.storage.list("/").await? {
            self.storage.delete(child.path().as_str()).await?;
        }
        Ok(())
    }
}
