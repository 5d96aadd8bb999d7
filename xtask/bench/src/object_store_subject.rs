//! `object_store`'s S3 client, by itself.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::io::AsyncWriteExt;

use crate::parameters::Parameters;
use crate::subject::{Outcome, PART, Subject};

pub(crate) struct ObjectStoreS3 {
    store: Arc<AmazonS3>,
    root: String,
}

impl ObjectStoreS3 {
    pub(crate) fn open(parameters: &Parameters) -> Outcome<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = AmazonS3Builder::new()
            .with_bucket_name(parameters.text("bucket")?)
            .with_endpoint(parameters.text("regionendpoint")?)
            .with_region(parameters.text("region")?)
            .with_access_key_id(parameters.text("accesskey")?)
            .with_secret_access_key(parameters.text("secretkey")?)
            .with_allow_http(true)
            .build()?;
        Ok(ObjectStoreS3 { store: Arc::new(store), root: parameters.text("rootdirectory")?.to_owned() })
    }

    fn key(&self, path: &str) -> Outcome<Path> {
        Ok(Path::parse(format!("{}{path}", self.root))?)
    }
}

#[async_trait]
impl Subject for ObjectStoreS3 {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        self.store.put(&self.key(path)?, content.into()).await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.store.get(&self.key(path)?).await?.bytes().await?.len() as u64)
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome {
        let mut writer = BufWriter::with_capacity(self.store.clone(), self.key(path)?, PART);
        for _ in 0..times {
            writer.put(chunk.clone()).await?;
        }
        Ok(writer.shutdown().await?)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut stream = self.store.get(&self.key(path)?).await?.into_stream();
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        let from = self.key(from)?;
        self.store.copy(&from, &self.key(to)?).await?;
        Ok(self.store.delete(&from).await?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        Ok(self.store.list_with_delimiter(Some(&self.key(path)?)).await?.objects.len() as u64)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        let mut list = self.store.list(Some(&self.key(path)?));
        let mut files = 0;
        while list.try_next().await?.is_some() {
            files += 1;
        }
        Ok(files)
    }

    async fn delete(&self, path: &str) -> Outcome {
        let keys = self.store.list(Some(&self.key(path)?)).map_ok(|object| object.location).boxed();
        self.store.delete_stream(keys).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}
