//! Multipart uploads, and copies.

use std::ops::Range;

use bytes::Bytes;
use md5::{Digest, Md5};
use storagedriver::Version;
use storagedriver_object::http::{HeaderName, Method, Refusal, Request, header};
use storagedriver_object::{Condition, Object, Part, StoreError, StoreResult};

use crate::backend::{S3Backend, SMALL};
use crate::content::{MARK_HEADER, conditional, range_text};
use crate::digests::{hex, unhex};
use crate::endpoint::copy_source;
use crate::xml::{begun, completed, completion, etag, written_part};

const SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const SOURCE_RANGE: HeaderName = HeaderName::from_static("x-amz-copy-source-range");
const SOURCE_IF_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-match");

impl S3Backend {
    pub(crate) async fn copy_object(
        &self,
        from: &str,
        to: &str,
        version: Option<&Version>,
    ) -> StoreResult<Option<Version>> {
        // The mark is metadata, and goes along by itself; all else is said anew.
        let request = self.new_object("CopyObject", Method::PUT, to, &[])?;
        let request = self.copying(request, from, version)?;
        let copied = self.exchange(&request, SMALL, |_, body| written_part(&body, "CopyObjectResult")).await;
        copied.map(|tag| Some(Version::new(tag)))
    }

    fn copying(&self, request: Request, from: &str, version: Option<&Version>) -> StoreResult<Request> {
        let request = request.header(SOURCE, &copy_source(self.bucket(), from))?;
        match version {
            Some(version) => request.header(SOURCE_IF_MATCH, version.as_str()),
            None => Ok(request),
        }
    }

    pub(crate) async fn create_multipart_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        let request = self
            .new_object("CreateMultipartUpload", Method::POST, key, &[("uploads", "")])?
            .header(MARK_HEADER, mark)?;
        self.exchange(&request, SMALL, |_, body| begun(&body)).await
    }

    pub(crate) async fn upload_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: Bytes,
    ) -> StoreResult<String> {
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", id)];
        let request = self.object("UploadPart", Method::PUT, key, &query)?;
        let request = self.with_body(request, content).await?;
        self.exchange(&request, SMALL, |head, _| {
            let tag = head.header(header::ETAG).map(|text| etag(text).to_string());
            tag.ok_or_else(|| Refusal::unreadable("the reply has no ETag"))
        })
        .await
    }

    pub(crate) async fn upload_part_copy(
        &self,
        (key, id, number): (&str, &str, u32),
        source: &Object,
        range: Range<u64>,
    ) -> StoreResult<String> {
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", id)];
        let request = self.object("UploadPartCopy", Method::PUT, key, &query)?;
        let version = self.profile.conditional_copy.then_some(&source.version);
        let request =
            self.copying(request, &source.key, version)?.header(SOURCE_RANGE, &range_text(&range))?;
        let tag = self.exchange(&request, SMALL, |_, body| written_part(&body, "CopyPartResult")).await?;
        // Parts of two versions must not become one object: if it is there after the copy, and was before,
        // it is what was copied.
        if version.is_none() && self.head_object(&source.key).await?.version != source.version {
            return Err(StoreError::Precondition);
        }
        Ok(tag)
    }

    pub(crate) async fn complete_multipart_upload(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        let request = self
            .object("CompleteMultipartUpload", Method::POST, key, &[("uploadId", id)])?
            .header(header::CONTENT_TYPE, "application/xml")?;
        let request = conditional(request, condition)?;
        let request = self.with_body(request, completion(parts).into()).await?;
        self.exchange(&request, SMALL, |_, body| completed(&body, composed(parts))).await
    }

    pub(crate) async fn abort_multipart_upload(&self, key: &str, id: &str) -> StoreResult<()> {
        let request = self.object("AbortMultipartUpload", Method::DELETE, key, &[("uploadId", id)])?;
        match self.exchange(&request, SMALL, |_, _| Ok(())).await {
            Ok(()) | Err(StoreError::NoSuchUpload) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The ETag of an object of these parts, where theirs are MD5 sums: the sum of the sums, and how many
/// there are.
fn composed(parts: &[Part]) -> Option<Version> {
    let mut sums = Md5::new();
    for part in parts {
        let sum = unhex(part.tag.trim_matches('"')).filter(|sum| sum.len() == 16)?;
        sums.update(sum);
    }
    Some(etag(&format!("{}-{}", hex(&sums.finalize()), parts.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(tags: [&str; 3]) -> Vec<Part> {
        (1..).zip(tags).map(|(number, tag)| Part { number, tag: tag.to_owned(), size: 1 }).collect()
    }

    #[test]
    fn an_etag_that_ceph_leaves_out_is_composed() {
        let sent = "\"d54b78b8a473642ff05d037276172924\"";
        let parts = parts([sent, sent, "\"9d2924a25dbeb76936ff6c7eff32763d\""]);
        // What Ceph said when it was asked a second time.
        let reply = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
        let version = completed(reply.as_bytes(), composed(&parts)).unwrap();
        assert_eq!(version.as_str(), "\"a88cc70f8ea31185ac346ba5a9451111-3\"");
    }

    #[test]
    fn tags_that_are_no_sums_compose_nothing() {
        assert_eq!(composed(&parts(["\"a\"", "\"b\"", "\"c\""])), None);
    }
}
