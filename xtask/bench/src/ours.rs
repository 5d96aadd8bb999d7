//! This project's driver, as a user has it: by its name, through [`Storage`].

use std::time::Instant;

use bytes::Bytes;
use storagedriver::{ErrorKind, ReadOptions, Storage, Value, WalkOptions, WriteMode, factory};
use storagedriver_bench as _;
use storagedriver_filesystem as _;
use storagedriver_inmemory as _;
use storagedriver_ipc as _;
use storagedriver_s3 as _;

use crate::parameters::Parameters;
use crate::subject::{Outcome, Subject, read_all};

pub(crate) struct Ours {
    storage: Storage,
    /// Of walks: as the backend has it, or as Distribution's walk has it where that costs nothing.
    order: WalkOptions,
}

impl Ours {
    pub(crate) async fn open(parameters: &Parameters) -> Outcome<Self> {
        let values = parameters.values.iter().map(|(name, value)| (name.as_str(), native(value)));
        let storage = factory::create(&parameters.driver, values.collect()).await?;
        let order = if parameters.is_local() { WalkOptions::tree() } else { WalkOptions::new() };
        Ok(Ours { storage, order })
    }
}

fn native(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::String(value) => value.as_str().into(),
        other => other.to_string().into(),
    }
}

impl Subject for Ours {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        Ok(self.storage.put_content(path, content).await?)
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.storage.get_content(path).await?.len() as u64)
    }

    async fn stat(&self, path: &str) -> Outcome<bool> {
        match self.storage.stat(path).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::PathNotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome<Instant> {
        let mut writer = self.storage.writer(path, WriteMode::Create).await?;
        for _ in 0..times {
            writer.write(chunk.clone()).await?;
        }
        let handed = Instant::now();
        writer.commit().await?;
        Ok(handed)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut content = self.storage.reader(path, ReadOptions::all()).await?;
        let mut size = 0;
        while let Some(chunk) = content.next().await {
            size += chunk?.len() as u64;
        }
        Ok(size)
    }

    async fn read(&self, path: &str, buffer: &mut [u8]) -> Outcome<u64> {
        read_all(self.storage.reader(path, ReadOptions::all()).await?.into_async_read(), buffer).await
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        Ok(self.storage.rename(from, to).await?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        Ok(self.storage.list(path).await?.len() as u64)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        let mut walk = self.storage.walk(path, self.order.clone()).await?;
        let mut files = 0;
        while let Some(info) = walk.next().await? {
            files += u64::from(info.is_file());
        }
        Ok(files)
    }

    async fn delete(&self, path: &str) -> Outcome {
        Ok(self.storage.delete(path).await?)
    }

    async fn delete_file(&self, path: &str) -> Outcome {
        self.delete(path).await
    }

    async fn registry_upload(&self, from: &str, to: &str, chunk: Bytes) -> Outcome {
        self.storage.writer(from, WriteMode::Create).await?.close().await?;
        for _ in 0..3 {
            let mut writer = self.storage.writer(from, WriteMode::Append).await?;
            writer.write(chunk.clone()).await?;
            writer.close().await?;
        }
        self.storage.writer(from, WriteMode::Append).await?.commit().await?;
        Ok(self.storage.rename(from, to).await?)
    }
}
