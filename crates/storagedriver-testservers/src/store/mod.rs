//! The buckets that the servers keep in memory, the same for all three protocols.

mod content;
mod listing;
mod object;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use md5::{Digest, Md5};

pub use content::Content;
pub(crate) use listing::{Listing, Name, Query, page};
pub use object::{Draft, Fields, StoredObject, StoredPart, Upload};

/// A bucket, or a container.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, StoredObject>,
    /// Open multipart uploads, by id; ids ascend with time.
    pub(crate) uploads: BTreeMap<String, Upload>,
    /// Azure: blocks that were not committed, by the name of the blob and their own.
    pub(crate) blocks: BTreeMap<String, BTreeMap<String, StoredPart>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// The last number that was given out.
    number: u64,
}

impl State {
    /// A number that was never given out before.
    pub(crate) fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Replaces an object; `None` if there is no such bucket.
    pub(crate) fn put(&mut self, bucket: &str, key: &str, draft: Draft) -> Option<StoredObject> {
        // As large as generations of GCS are, for clients that take them for 32 bits.
        let generation = 1_700_000_000_000_000 + self.number();
        let etag = draft.etag.unwrap_or_else(|| md5_hex(&draft.content));
        let object = StoredObject {
            content: draft.content,
            metadata: draft.metadata,
            properties: draft.properties,
            blocks: draft.blocks,
            etag,
            generation,
            metageneration: 1,
            modified: SystemTime::now(),
        };
        self.buckets.get_mut(bucket)?.objects.insert(key.to_owned(), object.clone());
        Some(object)
    }
}

/// The buckets of a server: for a test that looks behind its back. Clones show the same buckets.
#[derive(Debug, Clone, Default)]
pub struct Store {
    state: Arc<Mutex<State>>,
}

impl Store {
    pub(crate) fn new<'a>(buckets: impl IntoIterator<Item = &'a str>) -> Self {
        let store = Self::default();
        for bucket in buckets {
            store.create_bucket(bucket);
        }
        store
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a bucket, unless it is there.
    pub fn create_bucket(&self, bucket: &str) {
        self.lock().buckets.entry(bucket.to_owned()).or_default();
    }

    /// Removes a bucket and all that is in it.
    pub fn remove_bucket(&self, bucket: &str) {
        self.lock().buckets.remove(bucket);
    }

    /// The keys of a bucket, in byte order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock()
            .buckets
            .get(bucket)
            .map(|found| found.objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// An object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<StoredObject> {
        self.lock().buckets.get(bucket)?.objects.get(key).cloned()
    }

    /// The bytes of an object.
    pub fn content(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.object(bucket, key).map(|object| object.content.to_bytes())
    }

    /// Puts an object there, as another client of the bucket would; makes the bucket if need be.
    /// The key may be one that no driver would write.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        self.put_draft(bucket, key, Draft { content: content.into().into(), ..Draft::default() });
    }

    /// Puts an object with metadata and properties there.
    pub fn put_draft(&self, bucket: &str, key: &str, draft: Draft) {
        self.create_bucket(bucket);
        self.lock().put(bucket, key, draft);
    }

    /// Removes an object; says whether it was there.
    pub fn remove(&self, bucket: &str, key: &str) -> bool {
        let mut state = self.lock();
        state.buckets.get_mut(bucket).is_some_and(|found| found.objects.remove(key).is_some())
    }

    /// The open multipart uploads of a bucket: id and upload, oldest first.
    pub fn uploads(&self, bucket: &str) -> Vec<(String, Upload)> {
        let state = self.lock();
        let Some(found) = state.buckets.get(bucket) else { return Vec::new() };
        found.uploads.iter().map(|(id, upload)| (id.clone(), upload.clone())).collect()
    }

    /// The uncommitted blocks at the name of a blob: their names and sizes.
    pub fn uncommitted_blocks(&self, container: &str, blob: &str) -> Vec<(String, u64)> {
        let state = self.lock();
        let Some(blocks) = state.buckets.get(container).and_then(|found| found.blocks.get(blob)) else {
            return Vec::new();
        };
        blocks.iter().map(|(id, block)| (id.clone(), block.content.size())).collect()
    }
}

/// The MD5 of a content, in lower case hexadecimal.
pub(crate) fn md5_hex(content: &Content) -> String {
    hex(&md5(content))
}

/// The MD5 of a content.
pub(crate) fn md5(content: &Content) -> [u8; 16] {
    let mut hash = Md5::new();
    for piece in content.pieces() {
        hash.update(piece);
    }
    hash.finalize().into()
}

/// Lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

/// The bytes that hexadecimal digits stand for.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    digits.chunks(2).map(|pair| Some((pair.first()? << 4) | pair.last()?)).collect()
}
