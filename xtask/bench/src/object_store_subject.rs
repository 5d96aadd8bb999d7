//! The stores of `object_store`, by themselves.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use tokio::io::AsyncWriteExt;
use tokio_util::io::StreamReader;

use crate::parameters::Parameters;
use crate::subject::{Outcome, PART, Subject, read_all};

pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// What keys begin with.
    root: String,
}

impl Objects {
    pub(crate) fn open(parameters: &Parameters) -> Outcome<Self> {
        let (store, root): (Arc<dyn ObjectStore>, &str) = match parameters.driver.as_str() {
            "inmemory" => (Arc::new(InMemory::new()), ""),
            "filesystem" => {
                let store = LocalFileSystem::new_with_prefix(parameters.root()?)?;
                (Arc::new(store.with_fsync(parameters.is_durable())), "")
            }
            _ => (bucket(parameters)?, parameters.text("rootdirectory")?),
        };
        Ok(Objects { store, root: root.to_owned() })
    }

    fn key(&self, path: &str) -> Outcome<Path> {
        if self.root.is_empty() {
            return Ok(Path::parse(path)?);
        }
        Ok(Path::parse(format!("{}{path}", self.root))?)
    }
}

fn bucket(parameters: &Parameters) -> Outcome<Arc<dyn ObjectStore>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = AmazonS3Builder::new()
        .with_bucket_name(parameters.text("bucket")?)
        .with_endpoint(parameters.text("regionendpoint")?)
        .with_region(parameters.text("region")?)
        .with_access_key_id(parameters.text("accesskey")?)
        .with_secret_access_key(parameters.text("secretkey")?)
        .with_allow_http(true)
        .build()?;
    Ok(Arc::new(store))
}

impl Subject for Objects {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        self.store.put(&self.key(path)?, content.into()).await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.store.get(&self.key(path)?).await?.bytes().await?.len() as u64)
    }

    async fn stat(&self, path: &str) -> Outcome<bool> {
        match self.store.head(&self.key(path)?).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome<Instant> {
        let mut writer = BufWriter::with_capacity(self.store.clone(), self.key(path)?, PART);
        for _ in 0..times {
            writer.put(chunk.clone()).await?;
        }
        let handed = Instant::now();
        writer.shutdown().await?;
        Ok(handed)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut stream = self.store.get(&self.key(path)?).await?.into_stream();
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn read(&self, path: &str, buffer: &mut [u8]) -> Outcome<u64> {
        let stream = self.store.get(&self.key(path)?).await?.into_stream();
        read_all(StreamReader::new(stream.map_err(std::io::Error::other)), buffer).await
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        Ok(self.store.rename(&self.key(from)?, &self.key(to)?).await?)
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

    async fn delete_file(&self, path: &str) -> Outcome {
        Ok(self.store.delete(&self.key(path)?).await?)
    }
}
