//! Uploads: begun, filled with segments, published by a manifest, or ended.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::SystemTime;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{HeaderName, Method, Request, header};
use storagedriver_object::{
    Cursor, ListRequest, Object, OpenUpload, Part, PutOptions, StoreError, StoreResult,
};

use crate::claims::{Held, Purpose};
use crate::client::{Client, encode};
use crate::layout::{Set, new_id, set_of};
use crate::listing::PAGE;
use crate::objects::{CONTENT, MANIFEST, MARK, SET, SIZE, md5_hex};
use crate::publish::Refers;

/// Begins the id of what a claim tells of; its token follows, a colon, and the name of its set.
const CLAIM: &str = "claim:";
/// How many claims are read at once.
const READS: usize = 8;

/// What is kept of an upload that is open.
#[derive(Serialize, Deserialize)]
struct Open {
    /// The mark that its object will have.
    mark: String,
}

impl Client {
    /// Begins an upload: from here on the list of uploads shows it.
    pub(crate) async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        let id = new_id()?;
        let set = set_of(&id).ok_or_else(|| unknown(&id))?;
        let body = json!(Open { mark: mark.to_owned() }).to_string();
        let request =
            self.put_request("PUT open upload", &self.layout.open(key, &set), &[], body.into()).await?;
        self.send_put(&request).await?;
        Ok(id)
    }

    /// Sends a segment. If the upload is over by then, nobody would ever remove it.
    pub(crate) async fn put_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: Bytes,
    ) -> StoreResult<String> {
        let set = set_of(id).ok_or_else(|| unknown(id))?;
        let segment = self.layout.segment(&set, number);
        let sum = md5_hex(&content);
        let request = self.put_request("PUT segment", &segment, &[], content).await?;
        self.send_put(&request).await?;
        if self.find(&self.layout.open(key, &set)).await?.is_none() {
            self.delete_one(&segment).await?;
            return Err(StoreError::NoSuchUpload);
        }
        Ok(sum)
    }

    /// Publishes the segments under one manifest.
    pub(crate) async fn complete(&self, key: &str, id: &str, parts: &[Part]) -> StoreResult<Version> {
        // No manifest can name a segment without bytes.
        let parts: Vec<Part> = parts.iter().filter(|part| part.size > 0).cloned().collect();
        let last = parts.last().map_or(0, |part| part.number);
        let set = Set { last, count: parts.len(), ..set_of(id).ok_or_else(|| unknown(id))? };
        let purpose = Purpose::Publish(key.to_owned());
        match self.claim(&set, &purpose).await? {
            Held::Mine => {}
            // An attempt that was cut short, or another's that goes on.
            Held::Other(other) if other == purpose => {
                if self.refers(key, &set).await? {
                    self.close(key, &set).await?;
                    return Err(StoreError::NoSuchUpload);
                }
            }
            Held::Other(_) => return Err(StoreError::NoSuchUpload),
        }
        let Some((_, open)) = self.read(&self.layout.open(key, &set)).await? else {
            self.release(&set).await?;
            return Err(StoreError::NoSuchUpload);
        };
        let open: Open = serde_json::from_slice(&open).map_err(|error| {
            let reason = format!("the record of the upload {id} is not what was written; delete it");
            StoreError::failed(ErrorKind::Corrupted, reason).with_source(error)
        })?;
        if parts.is_empty() {
            let options = PutOptions { condition: None, mark: Some(open.mark) };
            let version = self.put(key, Bytes::new(), &options).await?;
            let _ = self.discard(key, &set).await;
            return Ok(version);
        }
        let version = match self.put_manifest(key, &set, &parts, &open.mark).await {
            Ok(version) => version,
            Err(error) => {
                match self.refers(key, &set).await {
                    // It was done, and the answer lost.
                    Ok(true) => total_etag(&parts),
                    Ok(false) => {
                        self.release(&set).await?;
                        return Err(error);
                    }
                    Err(_) => return Err(error),
                }
            }
        };
        // What is left over tells of nothing that is not there.
        let _ = self.close(key, &set).await;
        Ok(version)
    }

    async fn put_manifest(&self, key: &str, set: &Set, parts: &[Part], mark: &str) -> StoreResult<Version> {
        let kept = set.to_string();
        let expected = total_etag(parts);
        if !self.cluster().await?.has_static {
            let size: u64 = parts.iter().map(|part| part.size).sum();
            let listed = self.listed_segments(set).await?;
            self.compare_segments(set, parts, &listed).await?;
            self.remove_strays(set, parts, listed).await?;
            let names = self.layout.segments_of(set);
            let manifest = encode(&format!("{}/{}", self.container(), names.trim_end_matches('/')), true);
            let request = Request::new("PUT dynamic manifest", Method::PUT, self.url(key, &[]).await?)
                .header(header::CONTENT_TYPE, CONTENT)?;
            let request = with(
                request,
                &[(MANIFEST, &manifest), (MARK, mark), (SET, &kept), (SIZE, &size.to_string())],
            )?;
            self.publish(key, &request, Refers::Set(set), true).await?;
            return Ok(expected);
        }
        if self.cluster().await?.is_ceph {
            // It takes any tags, and makes that of the manifest of those that it is given.
            self.compare_segments(set, parts, &self.listed_segments(set).await?).await?;
        }
        let segments: Vec<Value> = parts
            .iter()
            .map(|part| {
                let path = format!("/{}/{}", self.container(), self.layout.segment(set, part.number));
                json!({"path": path, "etag": part.tag, "size_bytes": part.size})
            })
            .collect();
        let body = Value::from(segments).to_string();
        let query = [("multipart-manifest", "put")];
        let request = self.put_request("PUT static manifest", key, &query, body.into()).await?;
        let request = with(request, &[(MARK, mark), (SET, &kept)])?;
        match self.publish(key, &request, Refers::Set(set), true).await {
            Ok(version) if version == expected => Ok(version),
            Ok(version) => {
                let reason = format!(
                    "PUT static manifest of {key}: the store made an object with the tag {version}, and {expected} is that \
                     of the segments; does a middleware change them?"
                );
                Err(StoreError::failed(ErrorKind::Corrupted, reason))
            }
            // A segment: whoever removed it has ended the upload.
            Err(StoreError::NotFound) => Err(StoreError::NoSuchUpload),
            // Swift says so of a segment that is gone, or is not the one that is named.
            Err(StoreError::Failed(failure)) if failure.kind() == ErrorKind::Backend => {
                self.compare_segments(set, parts, &[]).await?;
                Err(StoreError::Failed(failure))
            }
            Err(error) => Err(error),
        }
    }

    /// A dynamic manifest stands for all that is there: segments that no part names go first.
    async fn remove_strays(&self, set: &Set, parts: &[Part], listed: Vec<Object>) -> StoreResult<()> {
        let mut strays: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        let named = |key: &String| {
            let number = self.layout.number(set, key);
            parts.iter().any(|part| Some(part.number) == number)
        };
        strays.retain(|key| !named(key));
        self.remove_all(&strays).await
    }

    /// Removes the record of an upload that is over, and the claim on it.
    async fn close(&self, key: &str, set: &Set) -> StoreResult<()> {
        self.delete_one(&self.layout.open(key, set)).await?;
        self.release(set).await
    }

    /// Ends an upload, or what a claim tells of; one that is published or gone is left alone.
    pub(crate) async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        if let Some((token, name)) = id.strip_prefix(CLAIM).and_then(|told| told.split_once(':')) {
            let set = Set::named(name);
            return match self.claimed(&set).await? {
                Some(claim) if claim.token == token => {
                    if self.settle(key, &set, &claim.purpose).await? {
                        Ok(())
                    } else {
                        Err(shared(&claim.purpose))
                    }
                }
                // That claim was settled, and this one is somebody's who is at work: to release it would let a
                // third remove what he is about to name.
                Some(_) | None => Ok(()),
            };
        }
        let set = set_of(id).ok_or_else(|| unknown(id))?;
        let open = self.layout.open(key, &set);
        if self.find(&open).await?.is_none() {
            return Ok(());
        }
        let purpose = Purpose::Abort(key.to_owned());
        match self.claim(&set, &purpose).await? {
            Held::Other(other) if other != purpose => {
                return self.settle(key, &set, &other).await.map(drop);
            }
            Held::Mine | Held::Other(_) => {}
        }
        if self.find(&open).await?.is_none() {
            // It was published before the claim was had.
            return self.release(&set).await;
        }
        self.discard(key, &set).await
    }

    /// Removes record, segments and claim, in this order: whoever sends a segment after the record is gone removes it.
    async fn discard(&self, key: &str, set: &Set) -> StoreResult<()> {
        self.delete_one(&self.layout.open(key, set)).await?;
        self.remove_segments(set).await?;
        self.release(set).await
    }

    /// Ends what was left behind by whoever held the claim; `false` if that has to stay.
    async fn settle(&self, key: &str, set: &Set, purpose: &Purpose) -> StoreResult<bool> {
        let ends: Vec<&String> = match purpose {
            Purpose::Publish(key) | Purpose::Abort(key) | Purpose::Delete(key) => vec![key],
            Purpose::Move(from, to) => vec![from, to],
        };
        let mut referring = 0;
        for end in &ends {
            referring += u32::from(self.refers(end, set).await?);
        }
        match referring {
            0 => self.discard(ends.first().map_or(key, |end| end.as_str()), set).await?,
            // One object has them: they are what others are.
            1 => self.close(ends.first().map_or(key, |end| end.as_str()), set).await?,
            // Two have them, after a rename that was cut short: the claim keeps either from removing them.
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Uploads that are open, and, for the whole container, what old claims tell of.
    pub(crate) async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        let mut found = Vec::new();
        for (name, started) in self.all_names(self.layout.open_within(prefix)).await? {
            if let Some((key, id)) = self.layout.parse_open(&name) {
                found.push(OpenUpload { key, id, started });
            }
        }
        if prefix != self.layout.files {
            return Ok(found);
        }
        let mut claims = self.all_names(self.layout.claims.clone()).await?;
        let now = SystemTime::now();
        claims.retain(|(_, time)| now.duration_since(*time).unwrap_or_default() >= self.claim_age);
        let claims: Vec<Option<OpenUpload>> = stream::iter(claims)
            .map(|(name, started)| async move { self.told_by_claim(&name, started).await })
            .buffered(READS)
            .try_collect()
            .await?;
        let known: Vec<String> = found.iter().map(|open| open.id.clone()).collect();
        // That of an upload that is open goes with it.
        found.extend(claims.into_iter().flatten().filter(|open| {
            let name = open.id.rsplit_once(':').map_or("", |(_, name)| name);
            !known.contains(&name.replace('/', ""))
        }));
        Ok(found)
    }

    async fn told_by_claim(&self, name: &str, started: SystemTime) -> StoreResult<Option<OpenUpload>> {
        let Some(set) = name.strip_prefix(&self.layout.claims) else { return Ok(None) };
        let set = Set::named(set);
        let Some(claim) = self.claimed(&set).await? else { return Ok(None) };
        let (Purpose::Publish(key) | Purpose::Abort(key) | Purpose::Delete(key) | Purpose::Move(key, _)) =
            claim.purpose;
        Ok(Some(OpenUpload { key, id: format!("{CLAIM}{}:{}", claim.token, set.name), started }))
    }

    async fn all_names(&self, prefix: String) -> StoreResult<Vec<(String, SystemTime)>> {
        let mut request = ListRequest { prefix, delimiter: false, cursor: Cursor::Start, limit: PAGE };
        let mut found = Vec::new();
        loop {
            let page = self.names(&request).await?;
            found.extend(page.objects.into_iter().map(|object| (object.key, object.modified)));
            match page.next {
                Some(next) if Cursor::Marker(next.clone()) != request.cursor => {
                    request.cursor = Cursor::Marker(next)
                }
                _ => return Ok(found),
            }
        }
    }
}

/// What whoever wants to end a claim is told while two objects have its segments.
fn shared(purpose: &Purpose) -> StoreError {
    let (from, to) = match purpose {
        Purpose::Move(from, to) => (from.as_str(), to.as_str()),
        Purpose::Publish(key) | Purpose::Abort(key) | Purpose::Delete(key) => (key.as_str(), key.as_str()),
    };
    let reason = format!(
        "{from} and {to} have one content since a rename was cut short; rename again or delete one of them, then this can be ended"
    );
    StoreError::failed(ErrorKind::Conflict, reason)
}

fn with(mut request: Request, headers: &[(HeaderName, &str)]) -> StoreResult<Request> {
    for (name, value) in headers {
        request = request.header(name.clone(), value)?;
    }
    Ok(request)
}

/// The tag that both kinds of manifest have: the MD5 of the tags of the segments.
fn total_etag(parts: &[Part]) -> Version {
    let mut sum = Md5::new();
    for part in parts {
        sum.update(part.tag.as_bytes());
    }
    Version::new(hex(&sum.finalize()))
}

fn unknown(id: &str) -> StoreError {
    StoreError::failed(ErrorKind::Backend, format!("{id} is not the id of an upload of this driver"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
