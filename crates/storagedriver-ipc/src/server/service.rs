//! The calls of the protocol, each on the handle of the driver.

use storagedriver::{Operation, ReadOptions, RedirectRequest, StoragePath, Version};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::call::{Call, Replies, broken};
use super::content::{Frames, put, whole};
use super::entries::batches;
use super::opening::Opening;
use super::{walk, write};
use crate::convert;
use crate::proto::storage_driver_server::StorageDriver;
use crate::proto::{
    AbortUploadReply, AbortUploadRequest, ContentReply, DeleteReply, DeleteRequest, ExamineReply,
    ExamineRequest, GetContentRequest, HealthReply, HealthRequest, ListReply, ListRequest, NegotiateReply,
    NegotiateRequest, OpenReply, OpenRequest, PutContentReply, PutContentRequest, ReadRequest,
    RedirectUrlReply, RedirectUrlRequest, RenameReply, RenameRequest, StatReply, StatRequest, UploadsReply,
    UploadsRequest, WalkReply, WalkRequest, WriteReply, WriteRequest,
};

type Answer<T> = Result<Response<T>, Status>;

/// The service of one process.
pub(super) struct Service {
    pub(super) opening: Opening,
}

impl Service {
    fn call(&self, operation: Operation) -> Result<Call, Status> {
        Ok(Call::new(self.opening.storage()?, operation))
    }
}

fn answer<T>(message: T) -> Answer<T> {
    Ok(Response::new(message))
}

#[async_trait]
impl StorageDriver for Service {
    async fn negotiate(&self, request: Request<NegotiateRequest>) -> Answer<NegotiateReply> {
        answer(self.opening.negotiate(request.get_ref()))
    }

    async fn open(&self, request: Request<OpenRequest>) -> Answer<OpenReply> {
        answer(self.opening.open(request.into_inner()).await?)
    }

    async fn health(&self, _: Request<HealthRequest>) -> Answer<HealthReply> {
        let call = self.call(Operation::Stat)?;
        call.run(call.storage.stat("/")).await?;
        answer(HealthReply {})
    }

    type GetContentStream = Replies<ContentReply>;

    async fn get_content(&self, request: Request<GetContentRequest>) -> Answer<Self::GetContentStream> {
        let call = self.call(Operation::GetContent)?;
        let content = call.run(call.storage.get_content(&request.get_ref().path)).await?;
        answer(Box::pin(whole(content)))
    }

    async fn put_content(&self, request: Request<Streaming<PutContentRequest>>) -> Answer<PutContentReply> {
        let call = self.call(Operation::PutContent)?;
        let (path, content) = put(request.into_inner()).await?;
        call.run(call.storage.put_content(&path, content)).await?;
        answer(PutContentReply {})
    }

    type ReadStream = Replies<ContentReply>;

    async fn read(&self, request: Request<ReadRequest>) -> Answer<Self::ReadStream> {
        let call = self.call(Operation::Reader)?;
        let request = request.into_inner();
        let mut options = ReadOptions::from_offset(request.offset);
        options.length = request.length;
        options.version = request.version.map(Version::new);
        let content = call.run(call.storage.reader(&request.path, options)).await?;
        answer(call.guard(Frames::new(call.clone(), content)))
    }

    type WriteStream = Replies<WriteReply>;

    async fn write(&self, request: Request<Streaming<WriteRequest>>) -> Answer<Self::WriteStream> {
        let call = self.call(Operation::Writer)?;
        answer(Box::pin(write::write(call, request.into_inner()).await?))
    }

    async fn stat(&self, request: Request<StatRequest>) -> Answer<StatReply> {
        let call = self.call(Operation::Stat)?;
        let info = call.run(call.storage.stat(&request.get_ref().path)).await?;
        answer(StatReply { info: Some(convert::file_info_message(&info)) })
    }

    type ListStream = Replies<ListReply>;

    async fn list(&self, request: Request<ListRequest>) -> Answer<Self::ListStream> {
        let call = self.call(Operation::List)?;
        let entries = call.run(call.storage.list(&request.get_ref().path)).await?;
        answer(Box::pin(batches(entries, convert::file_info_message, |entries| ListReply { entries })))
    }

    type WalkStream = Replies<WalkReply>;

    async fn walk(&self, request: Request<Streaming<WalkRequest>>) -> Answer<Self::WalkStream> {
        let call = self.call(Operation::Walk)?;
        let entries = walk::walk(call.clone(), request.into_inner()).await?;
        answer(call.guard(entries))
    }

    async fn rename(&self, request: Request<RenameRequest>) -> Answer<RenameReply> {
        let call = self.call(Operation::Rename)?;
        let RenameRequest { from, to } = request.get_ref();
        call.run(call.storage.rename(from, to)).await?;
        answer(RenameReply {})
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Answer<DeleteReply> {
        let call = self.call(Operation::Delete)?;
        call.run(call.storage.delete(&request.get_ref().path)).await?;
        answer(DeleteReply {})
    }

    type UploadsStream = Replies<UploadsReply>;

    async fn uploads(&self, request: Request<UploadsRequest>) -> Answer<Self::UploadsStream> {
        let call = self.call(Operation::Uploads)?;
        let uploads = call.run(call.storage.uploads(&request.get_ref().below)).await?;
        answer(Box::pin(batches(uploads, convert::upload_info_message, |uploads| UploadsReply { uploads })))
    }

    async fn abort_upload(&self, request: Request<AbortUploadRequest>) -> Answer<AbortUploadReply> {
        let call = self.call(Operation::AbortUpload)?;
        let upload = request.into_inner().upload.ok_or_else(|| broken("no upload to abort"))?;
        // The handle takes what is a path already, so that it does not check it.
        let path = StoragePath::parse(&upload.path);
        let checked = path.and_then(|path| call.storage.limits().check(&path));
        checked.map_err(|error| call.status(&error))?;
        let upload = convert::upload_info(upload).map_err(|_| broken("an upload without its time"))?;
        call.run(call.storage.abort_upload(&upload)).await?;
        answer(AbortUploadReply {})
    }

    async fn redirect_url(&self, request: Request<RedirectUrlRequest>) -> Answer<RedirectUrlReply> {
        let call = self.call(Operation::RedirectUrl)?;
        let RedirectUrlRequest { path, method, headers, client_address, expiry } = request.into_inner();
        let mut asked = RedirectRequest::new(method);
        for header in headers {
            asked = asked.with_header(&header.name, header.value);
        }
        if !client_address.is_empty() {
            let address = client_address.parse();
            asked = asked.with_client_address(address.map_err(|_| broken("an address that is none"))?);
        }
        if let Some(expiry) = &expiry {
            asked = asked.with_expiry(convert::duration(expiry));
        }
        let url = call.run(call.storage.redirect_url(&asked, &path)).await?;
        answer(RedirectUrlReply { url: url.map(String::from) })
    }

    async fn examine(&self, request: Request<ExamineRequest>) -> Answer<ExamineReply> {
        let call = self.call(Operation::Examine)?;
        let findings = call.run(call.storage.examine(&request.get_ref().scratch)).await?;
        answer(ExamineReply { findings: findings.into_iter().map(convert::finding_message).collect() })
    }
}
