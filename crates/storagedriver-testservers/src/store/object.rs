//! What a bucket keeps: objects, and uploads that have not been published.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::Content;

/// Names and values: metadata of the user, or properties that the protocol knows.
pub type Fields = BTreeMap<String, String>;

/// An object as it is to be stored; the store adds what names its state.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Its bytes.
    pub content: Content,
    /// Metadata of the user, names in lower case and without the prefix of the protocol.
    pub metadata: Fields,
    /// What else the request said of it, by the name of the header: `content-type`,
    /// `x-amz-storage-class`, `x-ms-blob-type`…
    pub properties: Fields,
    /// Azure: the blocks that the content was committed of, by their names.
    pub blocks: Vec<(String, Content)>,
    /// The entity tag, without quotes; left out, the MD5 of the content.
    pub etag: Option<String>,
}

/// An object.
#[derive(Debug, Clone)]
pub struct StoredObject {
    /// Its bytes.
    pub content: Content,
    /// Metadata of the user, names in lower case and without the prefix of the protocol.
    pub metadata: Fields,
    /// What else the request said of it, by the name of the header.
    pub properties: Fields,
    /// Azure: the blocks that the content was committed of, by their names.
    pub blocks: Vec<(String, Content)>,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// A number that no other state of any object has: the generation in GCS.
    pub generation: u64,
    /// How often its metadata was written since the content was, from 1.
    pub metageneration: u64,
    /// When it was written.
    pub modified: SystemTime,
}

/// A part of an upload, or a block.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// Its bytes.
    pub content: Content,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it arrived.
    pub modified: SystemTime,
}

/// A multipart upload that is open.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The key that it publishes.
    pub key: String,
    /// What the object will have besides its content.
    pub draft: Draft,
    /// When it was begun.
    pub started: SystemTime,
    /// Its parts, by number.
    pub parts: BTreeMap<u32, StoredPart>,
}
