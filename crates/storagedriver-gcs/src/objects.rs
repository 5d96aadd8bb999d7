//! Single objects, through the JSON API.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{Method, ReplyHead, Request, StatusCode, header};
use storagedriver_object::{Condition, Download, Object, PutOptions, StoreError, StoreResult};

use crate::client::Client;
use crate::json::{self, CONTENT, GO_SESSION, MARK, Resource};

/// How many deletes are on their way at once: the JSON API has no delete of many objects.
const DELETES: usize = 16;

/// What a rewrite has done so far.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rewrite {
    done: bool,
    #[serde(default)]
    rewrite_token: Option<String>,
    #[serde(default)]
    total_bytes_rewritten: Option<String>,
    /// The copy, once it is done.
    #[serde(default)]
    resource: Option<Resource>,
}

impl Client {
    /// What is at a key. An open upload of the Go driver is nothing.
    pub(crate) async fn head(&self, key: &str) -> StoreResult<Object> {
        let fields = format!("{},metadata", json::FIELDS);
        let request =
            Request::new("objects.get", Method::GET, self.place.object(key, &[("fields", &fields)]));
        let found = self
            .exchange(&request, |_, body| {
                let mut resource: Resource = json::parse(&body)?;
                if resource.is_go_session() {
                    return Ok(None);
                }
                key.clone_into(&mut resource.name);
                resource.object().map(Some)
            })
            .await?;
        found.ok_or(StoreError::NotFound)
    }

    pub(crate) async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let start = range.as_ref().map_or(0, |range| range.start);
        let mut query = vec![("alt", "media")];
        if let Some(version) = version {
            query.push(("generation", version.as_str()));
        }
        let request = media(self.place.object(key, &query), range.as_ref())?;
        let read = Arc::new(OnceLock::new());
        let resume = self.resume(key, range, &read)?;
        let opened = self.http.download(self.service.clone(), request, resume).await;
        let (head, stream) = match opened {
            // A generation that is gone and an object that is not there are answered alike.
            Err(StoreError::NotFound) if version.is_some() => {
                self.head(key).await?;
                return Err(StoreError::Precondition);
            }
            opened => opened?,
        };
        if head.header("content-type") == Some(GO_SESSION) {
            return Err(StoreError::NotFound);
        }
        // A start that no file has is no range to some servers, and they send everything.
        if head.status == StatusCode::OK
            && let Ok(size) = head.content_length()
            && start > 0
            && start >= size
        {
            return Err(StoreError::Range(Some(size)));
        }
        let object = told_by(&head, key, start).ok_or_else(|| untold(key))?;
        let _ = read.set(object.version.to_string());
        // What was read from is gone, and the rest of it with it.
        let stream = stream.map_err(|error| match error {
            StoreError::NotFound => StoreError::Precondition,
            error => error,
        });
        Ok(Download { object, stream: stream.boxed() })
    }

    /// Makes the requests for the rest of a download: of the generation that it began with.
    fn resume(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        read: &Arc<OnceLock<String>>,
    ) -> StoreResult<Box<dyn Fn(u64) -> Request + Send + Sync>> {
        let (place, key, read) = (self.place.clone(), key.to_owned(), read.clone());
        let range = range.unwrap_or(0..u64::MAX);
        let plain = media(place.object(&key, &[]), None)?;
        Ok(Box::new(move |delivered| {
            let generation = read.get().map(String::as_str).unwrap_or_default();
            let url = place.object(&key, &[("alt", "media"), ("generation", generation)]);
            let rest = range.start.saturating_add(delivered)..range.end;
            // A range is digits, and always a header.
            media(url, Some(&rest)).unwrap_or_else(|_| plain.clone())
        }))
    }

    /// Replaces an object.
    pub(crate) async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        let condition = options.condition.as_ref().map(generation);
        let mut query = vec![("name", key), ("fields", "generation")];
        if let Some(generation) = condition {
            query.push(("ifGenerationMatch", generation));
        }
        let (kind, content_type, body) = match &options.mark {
            // As it is: nothing is copied.
            None => ("media", CONTENT.to_owned(), content),
            Some(mark) => {
                let boundary = boundary();
                let body = related(&boundary, mark, &content)?;
                ("multipart", format!("multipart/related; boundary={boundary}"), body)
            }
        };
        query.push(("uploadType", kind));
        let request = Request::new("objects.insert", Method::POST, self.place.upload(&query))
            .header(header::CONTENT_TYPE, &content_type)?
            .body(body);
        self.exchange_with_bucket(&request, |_, body| json::parse::<Resource>(&body)?.version()).await
    }

    /// Deletes objects, several at once, and the last one when the others are gone: it may be what names them.
    /// One that is absent is no error.
    pub(crate) async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        let Some((last, first)) = keys.split_last() else { return Ok(()) };
        let _: () = stream::iter(first.to_vec())
            .map(|key| async move { self.delete_one(&key, &[]).await })
            .buffer_unordered(DELETES)
            .try_collect()
            .await?;
        self.delete_one(last, &[]).await
    }

    /// Deletes one object; with `query` only if that holds.
    pub(crate) async fn delete_one(&self, key: &str, query: &[(&str, &str)]) -> StoreResult<()> {
        let request = Request::new("objects.delete", Method::DELETE, self.place.object(key, query));
        match self.exchange(&request, |_, _| Ok(())).await {
            Err(StoreError::NotFound) => Ok(()),
            deleted => deleted,
        }
    }

    /// Copies an object of any size, whatever its storage class: the service says of each call how
    /// far it came, and the next one goes on from there. Returns the version of the copy.
    pub(crate) async fn rewrite(
        &self,
        from: &str,
        to: &str,
        conditions: &[(&str, &str)],
    ) -> StoreResult<Option<Version>> {
        let mut token: Option<String> = None;
        let mut rewritten = None;
        loop {
            let mut query = conditions.to_vec();
            query.push(("fields", "done,rewriteToken,totalBytesRewritten,resource(generation)"));
            if let Some(token) = &token {
                query.push(("rewriteToken", token));
            }
            let url = self.place.rewrite(from, to, &query);
            let request = Request::new("objects.rewrite", Method::POST, url);
            let step: Rewrite = self.exchange(&request, |_, body| json::parse(&body)).await?;
            if step.done {
                return Ok(step.resource.and_then(|copy| copy.version().ok()));
            }
            let advanced = step.total_bytes_rewritten != rewritten || step.rewrite_token != token;
            if step.rewrite_token.is_none() || !advanced {
                let reason = format!("objects.rewrite of {from} to {to} does not come forward; try it again");
                return Err(StoreError::failed(ErrorKind::Unavailable, reason));
            }
            (token, rewritten) = (step.rewrite_token, step.total_bytes_rewritten);
        }
    }
}

/// A condition as a generation: that of no object is 0.
pub(crate) fn generation(condition: &Condition) -> &str {
    match condition {
        Condition::Matches(version) => version.as_str(),
        Condition::Absent => "0",
    }
}

/// The request for content.
fn media(url: Url, range: Option<&Range<u64>>) -> StoreResult<Request> {
    // What is stored, also where it is stored compressed: else its size would be another.
    let request =
        Request::new("objects.get media", Method::GET, url).header(header::ACCEPT_ENCODING, "gzip")?;
    match range {
        None => Ok(request),
        Some(range) if range.end == u64::MAX => {
            request.header(header::RANGE, &format!("bytes={}-", range.start))
        }
        Some(range) => {
            request.header(header::RANGE, &format!("bytes={}-{}", range.start, range.end.saturating_sub(1)))
        }
    }
}

/// The object, as the head of a reply with content tells of it.
fn told_by(head: &ReplyHead, key: &str, start: u64) -> Option<Object> {
    let size = match head.header("content-range") {
        Some(range) => {
            let (within, total) = range.strip_prefix("bytes ")?.split_once('/')?;
            // Other bytes than those asked for must not pass for them.
            (within.split_once('-')?.0.parse() == Ok(start)).then_some(())?;
            total.parse().ok()?
        }
        None if start == 0 => head.content_length().ok()?,
        None => return None,
    };
    let version = head.header("x-goog-generation").filter(|text| json::is_generation(text))?;
    let modified = head.header("last-modified").and_then(|text| httpdate::parse_http_date(text).ok());
    Some(Object {
        key: key.to_owned(),
        size,
        // Never too old: what looks old is reaped.
        modified: modified.unwrap_or_else(SystemTime::now),
        version: Version::new(version),
        mark: None,
    })
}

fn untold(key: &str) -> StoreError {
    let reason = format!(
        "objects.get media of {key}: the reply tells no generation, or other bytes than those asked for; \
         is the endpoint Cloud Storage?"
    );
    StoreError::failed(ErrorKind::Backend, reason)
}

/// 128 random bits, which no content holds.
fn boundary() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

/// The body of an upload with metadata: `multipart/related`, RFC 2387.
fn related(boundary: &str, mark: &str, content: &Bytes) -> StoreResult<Bytes> {
    let metadata = json!({"contentType": CONTENT, "metadata": {MARK: mark}}).to_string();
    let mut body = BytesMut::with_capacity(content.len().saturating_add(512));
    body.put(format!("--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n").as_bytes());
    body.put(metadata.as_bytes());
    body.put(format!("\r\n--{boundary}\r\nContent-Type: {CONTENT}\r\n\r\n").as_bytes());
    body.put(content.as_ref());
    body.put(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok(body.freeze())
}
