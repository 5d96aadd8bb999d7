//! OpenDAL's S3 service, with nothing around it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use opendal::Operator;
use opendal::options::DeleteOptions;
use opendal::services::S3;

use crate::parameters::Parameters;
use crate::subject::{Outcome, PART, Subject};

pub(crate) struct OpenDal(Operator);

impl OpenDal {
    pub(crate) fn open(parameters: &Parameters) -> Outcome<Self> {
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
        Ok(OpenDal(Operator::new(service)?))
    }
}

#[async_trait]
impl Subject for OpenDal {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        self.0.write(path, content).await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        Ok(self.0.read(path).await?.len() as u64)
    }

    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome {
        let mut writer = self.0.writer_with(path).chunk(PART).await?;
        for _ in 0..times {
            writer.write(chunk.clone()).await?;
        }
        writer.close().await?;
        Ok(())
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let mut stream = self.0.reader(path).await?.into_bytes_stream(..).await?;
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        self.0.copy(from, to).await?;
        Ok(self.0.delete(from).await?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        let directory = format!("{path}/");
        let children = self.0.list(&directory).await?;
        Ok(children.iter().filter(|entry| entry.metadata().is_file()).count() as u64)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        let mut lister = self.0.lister_with(&format!("{path}/")).recursive(true).await?;
        let mut files = 0;
        while let Some(entry) = lister.try_next().await? {
            files += u64::from(entry.metadata().is_file());
        }
        Ok(files)
    }

    async fn delete(&self, path: &str) -> Outcome {
        let options = DeleteOptions { recursive: true, ..DeleteOptions::default() };
        Ok(self.0.delete_options(&format!("{path}/"), options).await?)
    }
}
