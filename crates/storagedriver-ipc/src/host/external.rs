//! A driver in a process of its own, as a driver.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Finding, Guarantees, PathLimits, ReadOptions,
    RedirectRequest, Result, StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode, async_trait,
};
use tonic::{Response, Status, Streaming};
use url::Url;

use super::launch::Launch;
use super::link::Link;
use super::queue::pieces;
use super::read::Pieces;
use super::supervisor::Supervisor;
use super::walk::{ExternalWalk, complete};
use super::write::ExternalWriter;
use crate::convert::{duration_message, file_info, finding, upload_info, upload_info_message};
use crate::proto;

/// A driver in a process of its own. The process ends when this is dropped, and all that it opened.
#[derive(Debug)]
pub(super) struct External {
    supervisor: Arc<Supervisor>,
}

impl External {
    /// Starts the driver.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub(super) async fn start(launch: Launch) -> Result<Self> {
        Ok(External { supervisor: Arc::new(Supervisor::start(launch).await?) })
    }

    async fn link(&self, path: &StoragePath) -> Result<Arc<Link>> {
        self.supervisor.link(path).await
    }
}

/// A call without streams.
macro_rules! call {
    ($external:expr, $path:expr, $method:ident, $message:expr) => {{
        let link = $external.link($path).await?;
        let limit = $external.supervisor.call_timeout();
        link.call($path, limit, $message, |mut client, request| async move { client.$method(request).await })
            .await?
    }};
}

/// All entries of a call that answers in batches.
async fn batches<T, E>(
    link: &Link,
    path: &StoragePath,
    reply: Result<Response<Streaming<T>>, Status>,
    mut take: impl FnMut(T, &mut Vec<E>) -> Result<()>,
) -> Result<Vec<E>> {
    let mut replies = link.reply(path, reply).await?;
    let mut entries = Vec::new();
    loop {
        match replies.message().await {
            Ok(Some(reply)) => take(reply, &mut entries)?,
            Ok(None) => return Ok(entries),
            Err(status) => return Err(link.error(path, &status).await),
        }
    }
}

#[async_trait]
impl StorageDriver for External {
    fn name(&self) -> &str {
        &self.supervisor.opened().driver
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        let link = self.link(path).await?;
        let request = proto::GetContentRequest { path: path.as_str().to_owned() };
        let reply = link.client().get_content(request).await;
        let (_, pieces) = Pieces::open(link, path, reply).await?;
        pieces.collect().await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        let link = self.link(path).await?;
        let mut path_once = path.as_str().to_owned();
        let requests = pieces(content).map(move |(data, last)| proto::PutContentRequest {
            path: std::mem::take(&mut path_once),
            data,
            last,
        });
        let reply = link.client().put_content(stream::iter(requests)).await;
        link.reply(path, reply).await?;
        Ok(())
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let link = self.link(path).await?;
        let request = proto::ReadRequest {
            path: path.as_str().to_owned(),
            offset: options.offset,
            length: options.length,
            version: options.version.as_ref().map(|version| version.as_str().to_owned()),
        };
        let reply = link.client().read(request).await;
        let (head, pieces) = Pieces::open(link, path, reply).await?;
        pieces.content(head, options)
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let link = self.link(path).await?;
        Ok(Box::new(ExternalWriter::open(link, path, mode).await?))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let request = proto::StatRequest { path: path.as_str().to_owned() };
        let reply: proto::StatReply = call!(self, path, stat, request);
        let info = file_info(reply.info.unwrap_or_default())?;
        complete(&info)?;
        Ok(info)
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let link = self.link(path).await?;
        let request = proto::ListRequest { path: path.as_str().to_owned() };
        let reply = link.client().list(request).await;
        let take = |reply: proto::ListReply, entries: &mut Vec<_>| {
            for entry in reply.entries {
                entries.push(file_info(entry)?);
            }
            Ok(())
        };
        batches(&link, path, reply, take).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let request = proto::RenameRequest { from: from.as_str().to_owned(), to: to.as_str().to_owned() };
        let proto::RenameReply {} = call!(self, from, rename, request);
        Ok(())
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let request = proto::DeleteRequest { path: path.as_str().to_owned() };
        let proto::DeleteReply {} = call!(self, path, delete, request);
        Ok(())
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let link = self.link(below).await?;
        let request = proto::UploadsRequest { below: below.as_str().to_owned() };
        let reply = link.client().uploads(request).await;
        let take = |reply: proto::UploadsReply, uploads: &mut Vec<_>| {
            for upload in reply.uploads {
                uploads.push(upload_info(upload)?);
            }
            Ok(())
        };
        batches(&link, below, reply, take).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let request = proto::AbortUploadRequest { upload: Some(upload_info_message(upload)) };
        let proto::AbortUploadReply {} = call!(self, upload.path(), abort_upload, request);
        Ok(())
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let link = self.link(path).await?;
        Ok(Some(Box::new(ExternalWalk::start(link, path, options).await?)))
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        if !self.supervisor.opened().redirects {
            return Ok(None);
        }
        let headers = request.headers.iter();
        let request = proto::RedirectUrlRequest {
            path: path.as_str().to_owned(),
            method: request.method.clone(),
            headers: headers
                .map(|(name, value)| proto::Header { name: name.clone(), value: value.clone() })
                .collect(),
            client_address: request.client_address.map(|address| address.to_string()).unwrap_or_default(),
            expiry: Some(duration_message(request.expiry)),
        };
        let reply: proto::RedirectUrlReply = call!(self, path, redirect_url, request);
        // The URL is not told: it may be signed.
        let parse = |url: String| {
            Url::parse(&url).map_err(|error| {
                Error::backend(path, "the driver sent a URL that is none").with_source(error)
            })
        };
        reply.url.map(parse).transpose()
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        let prefix = self.supervisor.opened().key_prefix.as_ref()?;
        Some(format!("{prefix}{}", path.relative()))
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        if !self.supervisor.opened().examines {
            return Ok(Vec::new());
        }
        let request = proto::ExamineRequest { scratch: scratch.as_str().to_owned() };
        let reply: proto::ExamineReply = call!(self, scratch, examine, request);
        Ok(reply.findings.into_iter().map(finding).collect())
    }

    fn guarantees(&self) -> Guarantees {
        self.supervisor.opened().guarantees
    }

    fn limits(&self) -> PathLimits {
        self.supervisor.opened().limits
    }
}
