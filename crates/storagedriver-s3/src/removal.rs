//! `DeleteObject` and `DeleteObjects`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};
use storagedriver::Version;
use storagedriver_object::http::{HeaderName, Method, Request, header};
use storagedriver_object::{StoreError, StoreResult};

use crate::backend::{S3Backend, SMALL};
use crate::profile::BatchDelete;
use crate::xml::{can_be_named, deleted, deletion};

/// A reply names 1,000 keys, each with an error.
const REPLY: usize = 8 << 20;
/// So many single deletes at once.
const PARALLEL: usize = 16;

impl S3Backend {
    pub(crate) async fn delete_objects(&self, keys: &[String]) -> StoreResult<()> {
        // XML cannot name every key.
        let (named, single): (Vec<&str>, Vec<&str>) =
            keys.iter().map(String::as_str).partition(|key| keys.len() > 1 && can_be_named(key));
        if !named.is_empty() {
            self.delete_batch(&named).await?;
        }
        let mut deletes = Vec::new();
        for key in single {
            deletes.push(self.delete_object(key, None));
        }
        stream::iter(deletes).buffer_unordered(PARALLEL).try_collect().await
    }

    pub(crate) async fn delete_object(&self, key: &str, version: Option<&Version>) -> StoreResult<()> {
        let mut request = self.object("DeleteObject", Method::DELETE, key, &[])?;
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, version.as_str())?;
        }
        match self.exchange(&request, SMALL, |_, _| Ok(())).await {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn delete_batch(&self, keys: &[&str]) -> StoreResult<()> {
        let body = deletion(keys.iter().copied());
        let mut request =
            Request::new("DeleteObjects", Method::POST, self.endpoint.bucket(&[("delete", "")])?)
                .header(header::CONTENT_TYPE, "application/xml")?;
        request = match self.profile.batch_delete {
            BatchDelete::Sha256 => {
                let sum = STANDARD.encode(digest(&SHA256, body.as_bytes()));
                request.header(HeaderName::from_static("x-amz-checksum-sha256"), &sum)?
            }
            _ => {
                let sum = STANDARD.encode(Md5::digest(body.as_bytes()));
                request.header(HeaderName::from_static("content-md5"), &sum)?
            }
        };
        let request = self.with_body(request, body.into()).await?;
        self.exchange(&request, REPLY, |_, reply| deleted(&reply)?.check(keys.len())).await
    }
}
