//! Objects: read, written, copied, deleted.

use http::{HeaderMap, StatusCode};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, Error, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, Metadata, MetadataDirective, PutObjectInput, PutObjectOutput,
};
use s3s::{S3Error, S3Result};

use super::conditions::{self, etag};
use super::errors;
use super::service::{Service, blob, bucket, signed};
use crate::store::{Draft, Fields, State, StoredObject};

/// Headers of a write that are kept with the object, and told of it where S3 tells them.
const KEPT: [&str; 10] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-acl",
    "x-amz-tagging",
];

/// Those that a copy takes from its source.
const COPIED: [&str; 5] =
    ["content-type", "cache-control", "content-disposition", "content-encoding", "content-language"];

impl Service {
    pub(super) fn get(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let object = object(&mut self.store.lock(), &input.bucket, &input.key)?;
        conditions::check_read(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let size = object.content.size();
        let mut content = object.content.clone();
        let mut content_range = None;
        if let Some(range) = &input.range {
            let range = range.check(size).map_err(|_| {
                let mut error = errors::refuse(
                    "InvalidRange",
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "The requested range is not satisfiable",
                );
                let mut headers = HeaderMap::new();
                if let Ok(value) = format!("bytes */{size}").parse() {
                    headers.insert(http::header::CONTENT_RANGE, value);
                }
                error.set_headers(headers);
                error
            })?;
            content_range = Some(format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
            content = content.slice(range);
        }
        let head = described(&object);
        Ok(GetObjectOutput {
            accept_ranges: head.accept_ranges,
            body: Some(blob(&content)),
            content_length: Some(signed(content.size())),
            content_range,
            content_type: head.content_type,
            e_tag: head.e_tag,
            last_modified: head.last_modified,
            metadata: head.metadata,
            storage_class: head.storage_class,
            server_side_encryption: head.server_side_encryption,
            ssekms_key_id: head.ssekms_key_id,
            ..GetObjectOutput::default()
        })
    }

    pub(super) fn head(&self, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
        let object = object(&mut self.store.lock(), &input.bucket, &input.key)?;
        conditions::check_read(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(described(&object))
    }

    pub(super) async fn put(&self, input: PutObjectInput, headers: &HeaderMap) -> S3Result<PutObjectOutput> {
        let content = self.read(input.body).await?;
        let properties = self.kept(headers)?;
        let etag_of = crate::store::md5_hex(&content);
        let mut state = self.store.lock();
        let current = bucket(&mut state, &input.bucket)?.objects.get(&input.key);
        conditions::check_write(
            self.options.conditional_writes,
            current,
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
        )?;
        let draft = Draft {
            content,
            metadata: fields(input.metadata),
            properties,
            etag: Some(etag_of.clone()),
            ..Draft::default()
        };
        state.put(&input.bucket, &input.key, draft);
        Ok(PutObjectOutput {
            e_tag: Some(etag(&etag_of)),
            server_side_encryption: input.server_side_encryption,
            ssekms_key_id: input.ssekms_key_id,
            ..PutObjectOutput::default()
        })
    }

    pub(super) fn copy(&self, input: &CopyObjectInput, headers: &HeaderMap) -> S3Result<CopyObjectOutput> {
        let mut state = self.store.lock();
        let (from_bucket, from_key) = source(&input.copy_source)?;
        let found = object(&mut state, from_bucket, from_key)?;
        if self.options.conditional_copy {
            let (matches, differs) =
                (input.copy_source_if_match.as_ref(), input.copy_source_if_none_match.as_ref());
            conditions::check_read(&found, matches, differs).map_err(|_| errors::precondition())?;
        }
        if found.content.size() > self.options.copy_limit {
            return Err(errors::invalid(
                "InvalidRequest",
                format!(
                    "The specified copy source is larger than the maximum allowable size for a copy source: {}",
                    self.options.copy_limit
                ),
            ));
        }
        bucket(&mut state, &input.bucket)?;
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let mut properties = self.kept(headers)?;
        if from_bucket == input.bucket && from_key == input.key && !replaces && properties.is_empty() {
            return Err(errors::invalid(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing \
                 the object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let mut metadata = fields(input.metadata.clone());
        if !replaces {
            metadata = found.metadata;
            properties.retain(|name, _| !COPIED.contains(&name.as_str()));
            properties
                .extend(found.properties.into_iter().filter(|(name, _)| COPIED.contains(&name.as_str())));
        }
        let draft = Draft {
            content: found.content,
            metadata,
            properties,
            etag: Some(found.etag),
            ..Draft::default()
        };
        let stored = state.put(&input.bucket, &input.key, draft).ok_or_else(errors::no_such_bucket)?;
        Ok(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(etag(&stored.etag)),
                last_modified: Some(stored.modified.into()),
                ..CopyObjectResult::default()
            }),
            server_side_encryption: input.server_side_encryption.clone(),
            ssekms_key_id: input.ssekms_key_id.clone(),
            ..CopyObjectOutput::default()
        })
    }

    pub(super) fn delete(&self, input: &DeleteObjectInput) -> S3Result<()> {
        let mut state = self.store.lock();
        let objects = &mut bucket(&mut state, &input.bucket)?.objects;
        let rule = self.options.conditional_writes;
        conditions::check_write(rule, objects.get(&input.key), input.if_match.as_ref(), None)?;
        objects.remove(&input.key);
        Ok(())
    }

    pub(super) fn delete_batch(
        &self,
        input: &DeleteObjectsInput,
        headers: &HeaderMap,
    ) -> S3Result<DeleteObjectsOutput> {
        if !self.options.batch_delete {
            return Err(errors::not_implemented("DeleteObjects"));
        }
        if self.options.batch_delete_md5 && !headers.contains_key("content-md5") {
            return Err(errors::invalid(
                "InvalidRequest",
                "Missing required header for this request: Content-MD5",
            ));
        }
        let keys = &input.delete.objects;
        if keys.is_empty() || keys.len() > self.options.delete_limit {
            return Err(malformed());
        }
        let mut state = self.store.lock();
        let objects = &mut bucket(&mut state, &input.bucket)?.objects;
        let mut deleted = Vec::new();
        let mut failed = Vec::new();
        for entry in keys {
            let current = objects.get(&entry.key);
            if entry.e_tag.as_ref().is_some_and(|tag| current.is_some_and(|found| found.etag != tag.value()))
            {
                failed.push(Error {
                    code: Some("PreconditionFailed".to_owned()),
                    key: Some(entry.key.clone()),
                    message: Some("At least one of the pre-conditions you specified did not hold".to_owned()),
                    ..Error::default()
                });
                continue;
            }
            objects.remove(&entry.key);
            if input.delete.quiet != Some(true) {
                deleted.push(DeletedObject { key: Some(entry.key.clone()), ..DeletedObject::default() });
            }
        }
        Ok(DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(failed).filter(|failed| !failed.is_empty()),
            ..DeleteObjectsOutput::default()
        })
    }

    /// The headers of a write that are kept with the object.
    pub(super) fn kept(&self, headers: &HeaderMap) -> S3Result<Fields> {
        let mut kept = Fields::new();
        for name in KEPT {
            let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
            if !self.options.storage_class_and_acl && ["x-amz-storage-class", "x-amz-acl"].contains(&name) {
                return Err(errors::not_implemented(name));
            }
            let (allowed, code) = match name {
                "x-amz-storage-class" => (self.options.storage_classes, "InvalidStorageClass"),
                "x-amz-acl" => (self.options.acls, "InvalidArgument"),
                _ => (None, ""),
            };
            if allowed.is_some_and(|allowed| !allowed.contains(&value)) {
                return Err(errors::invalid(code, format!("{name} cannot be {value}")));
            }
            kept.insert(name.to_owned(), value.to_owned());
        }
        Ok(kept)
    }
}

/// An object, which must be there.
pub(super) fn object(state: &mut State, name: &str, key: &str) -> S3Result<StoredObject> {
    bucket(state, name)?.objects.get(key).cloned().ok_or_else(errors::no_such_key)
}

/// The bucket and key of a copy's source.
pub(super) fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        _ => Err(errors::not_implemented("access points")),
    }
}

pub(super) fn fields(metadata: Option<Metadata>) -> Fields {
    metadata.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

pub(super) fn malformed() -> S3Error {
    errors::invalid(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// What a HEAD tells of an object.
fn described(object: &StoredObject) -> HeadObjectOutput {
    let property = |name: &str| object.properties.get(name).cloned();
    HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(signed(object.content.size())),
        content_type: Some(property("content-type").unwrap_or_else(|| "binary/octet-stream".to_owned())),
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(object.modified.into()),
        metadata: Some(object.metadata.clone().into_iter().collect()),
        // S3 does not name the default one.
        storage_class: property("x-amz-storage-class").filter(|class| class != "STANDARD").map(Into::into),
        server_side_encryption: property("x-amz-server-side-encryption").map(Into::into),
        ssekms_key_id: property("x-amz-server-side-encryption-aws-kms-key-id"),
        ..HeadObjectOutput::default()
    }
}
