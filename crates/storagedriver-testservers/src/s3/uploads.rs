//! Listings of parts, and of open uploads.

use std::collections::BTreeMap;

use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part,
};

use super::conditions::etag;
use super::errors;
use super::multipart::upload;
use super::service::{Service, bucket, signed};
use crate::store::{Name, Query, page};

impl Service {
    pub(super) fn parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let limit = self.limit(input.max_parts);
        let marker = input.part_number_marker.and_then(|marker| u32::try_from(marker).ok()).unwrap_or(0);
        let mut state = self.store.lock();
        let open = upload(&mut state, &input.bucket, &input.key, &input.upload_id)?;
        let mut rest = open.parts.range(marker.saturating_add(1)..);
        let parts: Vec<Part> = rest
            .by_ref()
            .take(limit)
            .map(|(number, part)| Part {
                part_number: i32::try_from(*number).ok(),
                e_tag: Some(etag(&part.etag)),
                size: Some(signed(part.content.size())),
                last_modified: Some(part.modified.into()),
                ..Part::default()
            })
            .collect();
        let truncated = rest.next().is_some();
        let next = parts.last().and_then(|part| part.part_number).filter(|_| truncated);
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: i32::try_from(marker).ok(),
            next_part_number_marker: next,
            max_parts: i32::try_from(limit).ok(),
            is_truncated: Some(truncated),
            parts: Some(parts),
            ..ListPartsOutput::default()
        })
    }

    /// Uploads by key, then by age; the markers of a page are both of its last one.
    pub(super) fn uploads(&self, input: &ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
        if !self.options.lists_uploads {
            return Err(errors::not_implemented("ListMultipartUploads"));
        }
        let mut state = self.store.lock();
        let open = &bucket(&mut state, &input.bucket)?.uploads;
        // The character below all others keeps the order of keys, and no key holds it.
        let ordered: BTreeMap<String, (&String, &crate::store::Upload)> =
            open.iter().map(|(id, upload)| (format!("{}\0{id}", upload.key), (id, upload))).collect();
        let after = input.key_marker.as_ref().filter(|key| !key.is_empty()).map(|key| {
            // Without an upload id all those of the marker's key are passed.
            format!("{key}\0{}", input.upload_id_marker.as_deref().unwrap_or("\u{10FFFF}"))
        });
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|text| !text.is_empty()),
            after,
            limit: self.limit(input.max_uploads),
            ..Query::default()
        };
        let listing = page(&ordered, &query);
        let mut uploads = Vec::new();
        let mut prefixes = Vec::new();
        for name in &listing.names {
            match name {
                Name::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(prefix.clone()) }),
                Name::Key(_, (id, upload)) => uploads.push(MultipartUpload {
                    key: Some(upload.key.clone()),
                    upload_id: Some((*id).clone()),
                    initiated: Some(upload.started.into()),
                    ..MultipartUpload::default()
                }),
            }
        }
        let next = listing.next.as_deref().map(|next| next.split_once('\0').unwrap_or((next, "")));
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket.clone()),
            prefix: Some(query.prefix),
            delimiter: query.delimiter,
            key_marker: input.key_marker.clone(),
            upload_id_marker: input.upload_id_marker.clone(),
            next_key_marker: next.map(|(key, _)| key.to_owned()),
            next_upload_id_marker: next.map(|(_, id)| id.to_owned()).filter(|id| !id.is_empty()),
            max_uploads: i32::try_from(query.limit).ok(),
            is_truncated: Some(listing.next.is_some()),
            uploads: Some(uploads),
            common_prefixes: Some(prefixes),
            ..ListMultipartUploadsOutput::default()
        })
    }
}
