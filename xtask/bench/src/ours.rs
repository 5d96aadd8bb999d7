//! This project's driver, as a user has it: by its name, through [`Storage`].

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{ReadOptions, Storage, Value, WalkOptions, WriteMode, factory};
use storagedriver_bench as _;
use storagedriver_ipc as _;
use storagedriver_s3 as _;

use crate::parameters::Parameters;
use crate::subject::{Outcome, Subject};

pub(crate) struct Ours(Storage);

impl Ours {
    pub(crate) async fn open(parameters: &Parameters) -> Outcome<Self> {
        let values = parameters.values.iter().map(|(name, value)| (name.as_str(), native(value)));
        Ok(Ours(factory::create(&parameters.driver, values.collect()).await?))
    }
}

fn native(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::String(value) => value.as_str().into(),
        other => other.to_string().into(),
    }
}

#[async_trait]
impl Subject for Ours {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        Ok(self.0.put_content(path, content).await?)
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.0.get_content(path).await?.len() as u64)
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome {
        let mut writer = self.0.writer(path, WriteMode::Create).await?;
        for _ in 0..times {
            writer.write(chunk.clone()).await?;
        }
        Ok(writer.commit().await?)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut content = self.0.reader(path, ReadOptions::all()).await?;
        let mut size = 0;
        while let Some(chunk) = content.next().await {
            size += chunk?.len() as u64;
        }
        Ok(size)
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        Ok(self.0.rename(from, to).await?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        Ok(self.0.list(path).await?.len() as u64)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        let mut walk = self.0.walk(path, WalkOptions::new()).await?;
        let mut files = 0;
        while let Some(info) = walk.next().await? {
            files += u64::from(info.is_file());
        }
        Ok(files)
    }

    async fn delete(&self, path: &str) -> Outcome {
        Ok(self.0.delete(path).await?)
    }

    async fn registry_upload(&self, from: &str, to: &str, chunk: Bytes) -> Outcome {
        self.0.writer(from, WriteMode::Create).await?.close().await?;
        for _ in 0..3 {
            let mut writer = self.0.writer(from, WriteMode::Append).await?;
            writer.write(chunk.clone()).await?;
            writer.close().await?;
        }
        self.0.writer(from, WriteMode::Append).await?.commit().await?;
        Ok(self.0.rename(from, to).await?)
    }
}
