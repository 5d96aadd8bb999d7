//! `ListObjects`, both versions, and `ListMultipartUploads`.

use storagedriver::ErrorKind;
use storagedriver_object::http::{Method, Request};
use storagedriver_object::{Cursor, ListRequest, OpenUpload, Page, StoreError, StoreResult};

use crate::backend::S3Backend;
use crate::profile::{ListVersion, Prefixes};
use crate::xml::{Listing, listing, uploads};

/// More than a page of 1,000 names of 1,024 bytes has, each byte of them escaped.
const PAGE: usize = 16 << 20;
/// So many open uploads in a page.
const UPLOADS: &str = "1000";

impl S3Backend {
    pub(crate) async fn list_objects(&self, asked: &ListRequest) -> StoreResult<Page> {
        let prefix = self.listed_prefix(&asked.prefix);
        let limit = asked.limit.to_string();
        let mut query: Vec<(&str, &str)> = Vec::new();
        let v2 = self.profile.list == ListVersion::V2;
        if v2 {
            query.push(("list-type", "2"));
        }
        query.extend([("prefix", prefix), ("max-keys", &limit)]);
        if asked.delimiter {
            query.push(("delimiter", "/"));
        }
        if self.profile.url_encoding {
            query.push(("encoding-type", "url"));
        }
        match (&asked.cursor, v2) {
            (Cursor::Start, _) => {}
            (Cursor::After(key), true) => query.push(("start-after", key)),
            (Cursor::Marker(token), true) => query.push(("continuation-token", token)),
            (Cursor::After(key) | Cursor::Marker(key), false) => query.push(("marker", key)),
        }
        let request = Request::new("ListObjects", Method::GET, self.endpoint.bucket(&query)?);
        let url_encoding = self.profile.url_encoding;
        let read = self.exchange(&request, PAGE, |_, body| listing(&body, url_encoding, prefix)).await?;
        let next = self.next(&read, prefix)?;
        let mut page = Page { objects: read.objects, prefixes: read.prefixes, next };
        if prefix.len() < asked.prefix.len() {
            page.objects.retain(|object| object.key.starts_with(&asked.prefix));
            page.prefixes.retain(|name| name.starts_with(&asked.prefix));
        }
        Ok(page)
    }

    /// What is listed to find what starts with `prefix`.
    fn listed_prefix<'a>(&self, prefix: &'a str) -> &'a str {
        match (self.profile.prefixes, prefix.rfind('/')) {
            (Prefixes::Any, _) => prefix,
            (Prefixes::Slash, None) => "",
            (Prefixes::Slash, Some(slash)) => prefix.get(..=slash).unwrap_or_default(),
        }
    }

    fn next(&self, page: &Listing, prefix: &str) -> StoreResult<Option<String>> {
        if !page.truncated {
            return Ok(None);
        }
        let next = match (self.profile.list, &page.next) {
            (_, Some(next)) => Some(next),
            // Version 1 need not name a marker: it is the last name of the page.
            (ListVersion::V1, None) => page.last.as_ref(),
            (ListVersion::V2, None) => None,
        };
        match next {
            Some(next) => Ok(Some(next.clone())),
            None => {
                let reason = format!("the listing of {prefix:?} goes on, and does not say where");
                Err(StoreError::failed(ErrorKind::Corrupted, reason))
            }
        }
    }

    pub(crate) async fn list_multipart_uploads(&self, asked: &str) -> StoreResult<Vec<OpenUpload>> {
        let prefix = self.listed_prefix(asked);
        let url_encoding = self.profile.url_encoding;
        let mut found = Vec::new();
        let mut after: Option<(String, String)> = None;
        loop {
            let mut query = vec![("uploads", ""), ("prefix", prefix), ("max-uploads", UPLOADS)];
            if url_encoding {
                query.push(("encoding-type", "url"));
            }
            if let Some((key, id)) = &after {
                // One without the other is ignored.
                query.extend([("key-marker", key.as_str()), ("upload-id-marker", id)]);
            }
            let request = Request::new("ListMultipartUploads", Method::GET, self.endpoint.bucket(&query)?);
            let page = self.exchange(&request, PAGE, |_, body| uploads(&body, url_encoding, prefix)).await?;
            found.extend(page.uploads.into_iter().filter(|upload| upload.key.starts_with(asked)));
            if !page.truncated {
                return Ok(found);
            }
            let next = page.next_key.map(|key| (key, page.next_id.unwrap_or_default()));
            if next.is_none() || next == after {
                let reason = format!("the listing of the open uploads of {prefix:?} does not advance");
                return Err(StoreError::failed(ErrorKind::Corrupted, reason));
            }
            after = next;
        }
    }
}
