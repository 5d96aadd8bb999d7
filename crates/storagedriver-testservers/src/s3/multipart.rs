//! Multipart uploads.

use std::ops::Range;
use std::time::SystemTime;

use http::HeaderMap;
use s3s::S3Result;
use s3s::dto::{
    AbortMultipartUploadInput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};

use super::conditions::{self, etag};
use super::errors;
use super::objects::{fields, malformed, object, source};
use super::options::PartSizes;
use super::service::{Service, bucket};
use crate::store::{Content, Draft, State, StoredPart, Upload, md5_hex, unhex};

impl Service {
    pub(super) fn begin(
        &self,
        input: CreateMultipartUploadInput,
        headers: &HeaderMap,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let properties = self.kept(headers)?;
        let mut state = self.store.lock();
        let id = format!("upload-{:012}", state.number());
        let draft = Draft { metadata: fields(input.metadata), properties, ..Draft::default() };
        let upload = Upload {
            key: input.key.clone(),
            draft,
            started: SystemTime::now(),
            parts: std::collections::BTreeMap::new(),
        };
        bucket(&mut state, &input.bucket)?.uploads.insert(id.clone(), upload);
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            server_side_encryption: input.server_side_encryption,
            ssekms_key_id: input.ssekms_key_id,
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(super) async fn put_part(&self, input: UploadPartInput) -> S3Result<UploadPartOutput> {
        let content = self.read(input.body).await?;
        let number = part_number(input.part_number)?;
        let part = StoredPart { etag: md5_hex(&content), content, modified: SystemTime::now() };
        let tag = etag(&part.etag);
        let mut state = self.store.lock();
        upload(&mut state, &input.bucket, &input.key, &input.upload_id)?.parts.insert(number, part);
        Ok(UploadPartOutput { e_tag: Some(tag), ..UploadPartOutput::default() })
    }

    pub(super) fn copy_part(&self, input: &UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
        if !self.options.part_copy {
            return Err(errors::not_implemented("UploadPartCopy"));
        }
        let number = part_number(input.part_number)?;
        let mut state = self.store.lock();
        upload(&mut state, &input.bucket, &input.key, &input.upload_id)?;
        let (from_bucket, from_key) = source(&input.copy_source)?;
        let found = object(&mut state, from_bucket, from_key)?;
        if self.options.conditional_copy {
            let (matches, differs) =
                (input.copy_source_if_match.as_ref(), input.copy_source_if_none_match.as_ref());
            conditions::check_read(&found, matches, differs).map_err(|_| errors::precondition())?;
        }
        let size = found.content.size();
        let range = match &input.copy_source_range {
            Some(range) => copy_range(range, size)?,
            None => 0..size,
        };
        if range.end - range.start > self.options.copy_limit {
            return Err(errors::invalid(
                "InvalidRequest",
                format!(
                    "The specified copy source is larger than the maximum allowable size for a copy source: {}",
                    self.options.copy_limit
                ),
            ));
        }
        let content = found.content.slice(range);
        let part = StoredPart { etag: md5_hex(&content), content, modified: SystemTime::now() };
        let result = CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(part.modified.into()),
            ..CopyPartResult::default()
        };
        upload(&mut state, &input.bucket, &input.key, &input.upload_id)?.parts.insert(number, part);
        Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
    }

    pub(super) fn complete(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let mut state = self.store.lock();
        let chosen = input.multipart_upload.and_then(|list| list.parts).unwrap_or_default();
        let open = upload(&mut state, &input.bucket, &input.key, &input.upload_id)?.clone();
        let (content, tag) = self.joined(&open, &chosen)?;
        let found = bucket(&mut state, &input.bucket)?;
        conditions::check_write(
            self.options.conditional_writes,
            found.objects.get(&input.key),
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
        )?;
        found.uploads.remove(&input.upload_id);
        let draft = Draft { content, etag: Some(tag.clone()), ..open.draft };
        state.put(&input.bucket, &input.key, draft);
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("http://s3.amazonaws.com/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag(&tag)),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    /// The content of the chosen parts, and its entity tag: the MD5 of their MD5s, and their number.
    fn joined(&self, open: &Upload, chosen: &[CompletedPart]) -> S3Result<(Content, String)> {
        if chosen.is_empty() {
            return Err(malformed());
        }
        let mut content = Content::default();
        let mut hashes = Vec::new();
        let mut sizes = Vec::new();
        let mut last = 0;
        for entry in chosen {
            let number =
                entry.part_number.and_then(|number| u32::try_from(number).ok()).ok_or_else(malformed)?;
            if number <= last {
                return Err(errors::invalid(
                    "InvalidPartOrder",
                    "The list of parts was not in ascending order. Parts must be ordered by part number.",
                ));
            }
            last = number;
            let named = entry.e_tag.as_ref().map(ETag::value);
            let part = open.parts.get(&number).filter(|part| named == Some(&part.etag)).ok_or_else(|| {
                errors::invalid(
                    "InvalidPart",
                    "One or more of the specified parts could not be found. The part may not have been uploaded, \
                     or the specified entity tag may not match the part's entity tag.",
                )
            })?;
            sizes.push(part.content.size());
            hashes.extend(unhex(&part.etag).unwrap_or_default());
            content.extend(&part.content);
        }
        self.check_sizes(&sizes)?;
        if !self.options.stray_parts && chosen.len() < open.parts.len() {
            return Err(errors::invalid("InvalidPart", "Not all parts of the upload are named."));
        }
        let hash = md5_hex(&Content::from(bytes::Bytes::from(hashes)));
        Ok((content, format!("{hash}-{}", chosen.len())))
    }

    fn check_sizes(&self, sizes: &[u64]) -> S3Result<()> {
        let Some((last, others)) = sizes.split_last() else { return Ok(()) };
        if others.iter().any(|size| *size < self.options.min_part) {
            return Err(errors::invalid(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            ));
        }
        let whole = match self.options.part_sizes {
            PartSizes::Any => return Ok(()),
            PartSizes::Equal => others.first().copied(),
            PartSizes::Exactly(size) => Some(size),
        };
        if whole.is_some_and(|whole| others.iter().any(|size| *size != whole) || *last > whole) {
            return Err(errors::invalid("InvalidPart", "All non-trailing parts must have the same length."));
        }
        Ok(())
    }

    pub(super) fn abort(&self, input: &AbortMultipartUploadInput) -> S3Result<()> {
        let mut state = self.store.lock();
        upload(&mut state, &input.bucket, &input.key, &input.upload_id)?;
        bucket(&mut state, &input.bucket)?.uploads.remove(&input.upload_id);
        Ok(())
    }
}

/// An open upload of this key.
pub(super) fn upload<'a>(state: &'a mut State, name: &str, key: &str, id: &str) -> S3Result<&'a mut Upload> {
    bucket(state, name)?
        .uploads
        .get_mut(id)
        .filter(|upload| upload.key == key)
        .ok_or_else(errors::no_such_upload)
}

fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number).ok().filter(|number| (1..=10_000).contains(number)).ok_or_else(|| {
        errors::invalid("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    })
}

/// `bytes=first-last`, both within the source.
fn copy_range(text: &str, size: u64) -> S3Result<Range<u64>> {
    let parsed =
        text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).and_then(|(first, last)| {
            Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?.checked_add(1)?))
        });
    match parsed {
        Some((start, end)) if start < end && end <= size => Ok(start..end),
        Some(_) => Err(errors::invalid(
            "InvalidArgument",
            format!("Range specified is not valid for source object of size: {size}"),
        )),
        None => Err(errors::invalid(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
             the zero-based offsets of the first and last bytes to copy",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_within_the_source() {
        assert_eq!(copy_range("bytes=0-4", 5).unwrap(), 0..5);
        for bad in ["bytes=0-5", "bytes=3-2", "bytes=3-", "0-4", "bytes=-4"] {
            assert!(copy_range(bad, 5).is_err(), "{bad}");
        }
    }
}
