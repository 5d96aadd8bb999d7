//! The operations, as `s3s` hands them on.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::StatusCode;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    ListPartsInput, ListPartsOutput, PutObjectInput, PutObjectOutput, StreamingBlob, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result};

use super::errors;
use super::options::S3Options;
use crate::store::{Bucket, Content, State, Store};

/// The buckets, and the rules.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) options: Arc<S3Options>,
}

impl Service {
    /// Reads a body whole.
    pub(super) async fn read(&self, body: Option<StreamingBlob>) -> S3Result<Content> {
        let mut content = Content::default();
        let Some(mut body) = body else { return Ok(content) };
        while let Some(piece) = body.try_next().await.map_err(broken_body)? {
            content.extend(&Content::from(piece));
        }
        // One piece: parts of an object that live long do not hold on to small buffers.
        let content = if content.pieces().len() > 64 { content.to_bytes().into() } else { content };
        if content.size() > self.options.put_limit {
            return Err(errors::invalid(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
            ));
        }
        Ok(content)
    }

    /// A page's size: what was asked for, but no more than the server gives.
    pub(super) fn limit(&self, asked: Option<i32>) -> usize {
        asked
            .and_then(|count| usize::try_from(count).ok())
            .map_or(self.options.page_size, |count| count.min(self.options.page_size))
    }
}

/// A body that could not be read, or whose signatures or checksums are wrong.
fn broken_body(error: s3s::StdError) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => *error,
        Err(error) => errors::invalid("IncompleteBody", error.to_string()),
    }
}

/// A bucket, which must be there.
pub(super) fn bucket<'a>(state: &'a mut State, name: &str) -> S3Result<&'a mut Bucket> {
    state.buckets.get_mut(name).ok_or_else(errors::no_such_bucket)
}

/// A size as the protocol's integers are.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A body of a reply.
pub(super) fn blob(content: &Content) -> StreamingBlob {
    StreamingBlob::from(s3s::Body::http_body_unsync(crate::listener::streamed(content).map_err_into()))
}

/// A body whose errors are those of `std`.
trait MapErr {
    fn map_err_into(self) -> http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;
}

impl MapErr for crate::listener::Body {
    fn map_err_into(self) -> http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error> {
        http_body_util::BodyExt::boxed_unsync(http_body_util::BodyExt::map_err(self, std::io::Error::other))
    }
}

fn reply<T>(output: S3Result<T>) -> S3Result<S3Response<T>> {
    output.map(S3Response::new)
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        bucket(&mut self.store.lock(), &req.input.bucket)?;
        let region = Some(self.options.region.clone());
        reply(Ok(HeadBucketOutput { bucket_region: region, ..HeadBucketOutput::default() }))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        bucket(&mut self.store.lock(), &req.input.bucket)?;
        // What AWS says of its oldest region: nothing.
        let region = Some(self.options.region.clone()).filter(|region| region != "us-east-1");
        reply(Ok(GetBucketLocationOutput { location_constraint: region.map(Into::into) }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let ranged = req.input.range.is_some();
        let mut response = S3Response::new(self.get(req.input)?);
        if ranged {
            response.status = Some(StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        reply(self.head(&req.input))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        reply(self.put(req.input, &req.headers).await)
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        reply(self.copy(&req.input, &req.headers))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.delete(&req.input)?;
        Ok(S3Response::with_status(DeleteObjectOutput::default(), StatusCode::NO_CONTENT))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        reply(self.delete_batch(&req.input, &req.headers))
    }

    async fn list_objects(
        &self,
        req: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        reply(self.list(&req.input))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        reply(self.list_v2(&req.input))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        reply(self.begin(req.input, &req.headers))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        reply(self.put_part(req.input).await)
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        reply(self.copy_part(&req.input))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        reply(self.complete(req.input))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.abort(&req.input)?;
        Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), StatusCode::NO_CONTENT))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        reply(self.parts(req.input))
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        reply(self.uploads(&req.input))
    }
}
