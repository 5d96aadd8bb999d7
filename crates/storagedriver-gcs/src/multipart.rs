//! Multipart uploads: the [XML API], as the JSON API has none with parts in parallel.
//!
//! No request of such an upload may have a condition: the service answers 400. Parts cannot be copied from
//! objects either.
//!
//! [XML API]: https://cloud.google.com/storage/docs/multipart-uploads

use std::fmt::Write as _;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use storagedriver::Version;
use storagedriver_object::http::{HeaderName, Method, Refusal, ReplyHead, Request, header};
use storagedriver_object::{OpenUpload, Part, StoreResult};

use crate::client::Client;
use crate::json::{self, CONTENT};
use crate::refusal;

/// [`MARK`](crate::json::MARK) as the XML API has it.
const MARK_HEADER: HeaderName = HeaderName::from_static("x-goog-meta-storagedriver-mark");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Initiated {
    upload_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    upload: Vec<Upload>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: Option<String>,
    #[serde(default)]
    next_upload_id_marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
    initiated: String,
}

impl Client {
    pub(crate) async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        let url = self.place.xml_object(key, &[("uploads", "")]);
        let request = Request::new("InitiateMultipartUpload", Method::POST, url)
            .header(header::CONTENT_TYPE, CONTENT)?
            .header(MARK_HEADER, mark)?;
        self.exchange_with_bucket(&request, |head, body| Ok(parse::<Initiated>(head, &body)?.upload_id)).await
    }

    pub(crate) async fn put_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: Bytes,
    ) -> StoreResult<String> {
        let number = number.to_string();
        let url = self.place.xml_object(key, &[("partNumber", &number), ("uploadId", id)]);
        let request =
            Request::new("UploadPart", Method::PUT, url).header(header::CONTENT_TYPE, CONTENT)?.body(content);
        let sent = self.exchange(&request, |head, _| {
            let tag = head.header("etag").map(str::to_owned);
            tag.ok_or_else(|| Refusal::unreadable("the reply has no ETag"))
        });
        no_upload(sent.await)
    }

    pub(crate) async fn complete(&self, key: &str, id: &str, parts: &[Part]) -> StoreResult<Version> {
        let url = self.place.xml_object(key, &[("uploadId", id)]);
        let request = Request::new("CompleteMultipartUpload", Method::POST, url)
            .header(header::CONTENT_TYPE, "application/xml")?
            .body(completion(parts));
        let completed = self.exchange(&request, |head, body| match refusal::xml_refusal(head, &body) {
            Some(refusal) => Err(refusal),
            None => Ok(head.header("x-goog-generation").map(str::to_owned)),
        });
        match no_upload(completed.await)?.filter(|generation| json::is_generation(generation)) {
            Some(generation) => Ok(Version::new(&generation)),
            None => Ok(self.head(key).await?.version),
        }
    }

    pub(crate) async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        let url = self.place.xml_object(key, &[("uploadId", id)]);
        let request = Request::new("AbortMultipartUpload", Method::DELETE, url);
        use storagedriver_object::StoreError::{NoSuchUpload, NotFound};
        match self.exchange(&request, |_, _| Ok(())).await {
            Err(NotFound | NoSuchUpload) => Ok(()),
            aborted => aborted,
        }
    }

    /// The open multipart uploads whose key starts with `prefix`.
    pub(crate) async fn multipart_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        let mut found = Vec::new();
        let mut markers: Option<(String, String)> = None;
        loop {
            let mut query = vec![("uploads", ""), ("prefix", prefix), ("max-uploads", "1000")];
            if let Some((key, id)) = &markers {
                query.push(("key-marker", key));
                query.push(("upload-id-marker", id));
            }
            let request = Request::new("ListMultipartUploads", Method::GET, self.place.xml_bucket(&query));
            let listed: Uploads =
                self.exchange_with_bucket(&request, |head, body| parse(head, &body)).await?;
            for upload in listed.upload {
                if let Some(started) = json::time(&upload.initiated)
                    && upload.key.starts_with(prefix)
                {
                    found.push(OpenUpload { key: upload.key, id: upload.upload_id, started });
                }
            }
            let next = listed.next_key_marker.zip(listed.next_upload_id_marker);
            if !listed.is_truncated || next.is_none() || next == markers {
                return Ok(found);
            }
            markers = next;
        }
    }
}

/// In these requests all that can be missing is the upload, also where the service does not say so.
fn no_upload<T>(result: StoreResult<T>) -> StoreResult<T> {
    use storagedriver_object::StoreError::{NoSuchUpload, NotFound};
    result.map_err(|error| if matches!(error, NotFound) { NoSuchUpload } else { error })
}

fn parse<T: DeserializeOwned>(head: &ReplyHead, body: &[u8]) -> Result<T, Refusal> {
    if let Some(refusal) = refusal::xml_refusal(head, body) {
        return Err(refusal);
    }
    let text = std::str::from_utf8(body).map_err(|_| Refusal::unreadable("the reply is no text"))?;
    quick_xml::de::from_str(text)
        .map_err(|error| Refusal::unreadable(format!("the reply is not the XML expected: {error}")))
}

fn completion(parts: &[Part]) -> String {
    let mut body = String::from("<CompleteMultipartUpload>");
    for part in parts {
        let tag = quick_xml::escape::escape(&part.tag);
        let _ = write!(body, "<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", part.number);
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

#[cfg(test)]
mod tests {
    use storagedriver_object::http::{HeaderMap, StatusCode};

    use super::*;

    fn head() -> ReplyHead {
        ReplyHead { status: StatusCode::OK, headers: HeaderMap::new() }
    }

    #[test]
    fn tags_are_escaped() {
        let parts = [Part { number: 3, tag: "\"a&b\"".into(), size: 1 }];
        assert_eq!(
            completion(&parts),
            "<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>&quot;a&amp;b&quot;</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn uploads_are_read() {
        let body = b"<?xml version='1.0' encoding='UTF-8'?>\
            <ListMultipartUploadsResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Bucket>b</Bucket>\
            <IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker>\
            <Upload><Key>a/b</Key><UploadId>id1</UploadId><StorageClass>STANDARD</StorageClass>\
            <Initiated>2021-11-10T20:48:33.000Z</Initiated></Upload>\
            <Upload><Key>a/c</Key><UploadId>id2</UploadId><Initiated>2021-11-10T20:48:33Z</Initiated></Upload>\
            </ListMultipartUploadsResult>";
        let listed: Uploads = parse(&head(), body).unwrap();
        let keys: Vec<_> = listed.upload.iter().map(|upload| upload.key.as_str()).collect();
        assert_eq!((keys, listed.is_truncated), (vec!["a/b", "a/c"], true));
        assert!(json::time(&listed.upload[0].initiated).is_some());
        let listed: Uploads = parse(&head(), b"<ListMultipartUploadsResult/>").unwrap();
        assert!(listed.upload.is_empty() && !listed.is_truncated);
    }

    #[test]
    fn an_error_in_a_reply_of_success_is_one() {
        let body = b"<Error><Code>InternalError</Code><Message>again</Message></Error>";
        let refusal = parse::<Initiated>(&head(), body).map(|initiated| initiated.upload_id).unwrap_err();
        assert_eq!(refusal.code.as_deref(), Some("InternalError"));
        assert!(refusal.is_transient());
    }
}
