//! OpenDAL's services, with nothing around them.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{AsyncReadExt as _, TryStreamExt};
use opendal::options::DeleteOptions;
use opendal::services::{Fs, Memory, S3};
use opendal::{ErrorKind, Operator};

use crate::parameters::Parameters;
use crate::subject::{Outcome, PART, Subject};

pub(crate) struct OpenDal {
    operator: Operator,
    /// Of an upload on S3; elsewhere what is written goes on as it comes.
    part: Option<usize>,
}

impl OpenDal {
    pub(crate) fn open(parameters: &Parameters) -> Outcome<Self> {
        let (operator, part) = match parameters.driver.as_str() {
            "inmemory" => (Operator::new(Memory::default())?, None),
            "filesystem" => (files(parameters)?, None),
            _ => (bucket(parameters)?, Some(PART)),
        };
        Ok(OpenDal { operator, part })
    }
}

/// Content appears whole, as with ours. It is always synced, and the directories never are.
fn files(parameters: &Parameters) -> Outcome<Operator> {
    let staging = format!("{}/.staging", parameters.text("rootdirectory")?);
    let service = Fs::default().root(parameters.text("rootdirectory")?).atomic_write_dir(&staging);
    Ok(Operator::new(service)?)
}

fn bucket(parameters: &Parameters) -> Outcome<Operator> {
    // The same library for TLS as the others', though nothing here is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    opendal_http_transport_reqwest::install_default();
    let service = S3::default()
        .root(parameters.text("rootdirectory")?)
        .bucket(parameters.text("bucket")?)
        .endpoint(parameters.text("regionendpoint")?)
        .region(parameters.text("region")?)
        .access_key_id(parameters.text("accesskey")?)
        .secret_access_key(parameters.text("secretkey")?)
        .disable_config_load();
    Ok(Operator::new(service)?)
}

impl Subject for OpenDal {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        self.operator.write(path, content).await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.operator.read(path).await?.len() as u64)
    }

    async fn stat(&self, path: &str) -> Outcome<bool> {
        match self.operator.stat(path).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome<Instant> {
        let writer = self.operator.writer_with(path);
        let mut writer = match self.part {
            Some(part) => writer.chunk(part).await?,
            None => writer.await?,
        };
        for _ in 0..times {
            writer.write(chunk.clone()).await?;
        }
        let handed = Instant::now();
        writer.close().await?;
        Ok(handed)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut stream = self.operator.reader(path).await?.into_bytes_stream(..).await?;
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn read(&self, path: &str, buffer: &mut [u8]) -> Outcome<u64> {
        let mut reader = self.operator.reader(path).await?.into_futures_async_read(..).await?;
        let mut size = 0;
        loop {
            match reader.read(buffer).await? {
                0 => return Ok(size),
                count => size += count as u64,
            }
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        if self.operator.info().capability().rename {
            return Ok(self.operator.rename(from, to).await?);
        }
        self.operator.copy(from, to).await?;
        Ok(self.operator.delete(from).await?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        let directory = format!("{path}/");
        let children = self.operator.list(&directory).await?;
        Ok(children.iter().filter(|entry| entry.metadata().is_file()).count() as u64)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        let mut lister = self.operator.lister_with(&format!("{path}/")).recursive(true).await?;
        let mut files = 0;
        while let Some(entry) = lister.try_next().await? {
            files += u64::from(entry.metadata().is_file());
        }
        Ok(files)
    }

    async fn delete(&self, path: &str) -> Outcome {
        let options = DeleteOptions { recursive: true, ..DeleteOptions::default() };
        Ok(self.operator.delete_options(&format!("{path}/"), options).await?)
    }

    async fn delete_file(&self, path: &str) -> Outcome {
        Ok(self.operator.delete(path).await?)
    }
}
