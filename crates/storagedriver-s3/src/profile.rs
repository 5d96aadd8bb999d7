//! What differs between the stores that speak the protocol of S3.

use storagedriver_object::Description;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Where the bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addressing {
    /// First in the path: `https://host/bucket/key`.
    Path,
    /// First in the host: `https://bucket.host/key`, unless the bucket cannot stand there.
    VirtualHost,
    /// Nowhere: the host is the bucket's own, `https://host/key`.
    Own,
}

/// Which version of the listing a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListVersion {
    /// `marker` and `NextMarker`. A marker can be any key.
    V1,
    /// `list-type=2`, `start-after` and `continuation-token`.
    V2,
}

/// How several objects are deleted by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchDelete {
    /// Not at all: one request each.
    No,
    /// `DeleteObjects` with `Content-MD5`.
    Md5,
    /// `DeleteObjects` with `x-amz-checksum-sha256`, for stores and hosts that take no MD5.
    Sha256,
}

/// Which sizes the parts of one upload may have, the last excepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartSizes {
    /// Any: they grow, so that 10,000 parts reach 5 TiB.
    Any,
    /// One and the same within an upload.
    Same,
    /// This many bytes and no other, whatever `chunksize` says.
    Exactly(u64),
}

/// Which prefixes a store lists well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prefixes {
    /// Any.
    Any,
    /// Those that are empty or end in `/`; others are listed from the `/` before and sorted out here.
    Slash,
}

/// The quirks of one store. All of them are in [`PROFILES`](crate::PROFILES); the parameter
/// `profile` names one.
///
/// A preset for another store takes the nearest one and states what differs:
///
/// ```
/// use storagedriver_s3::{ListVersion, Profile};
///
/// let mut profile = Profile::GENERIC;
/// profile.name = "example";
/// profile.list = ListVersion::V1;
/// profile.storage_class = false;
/// assert!(!profile.description().conditional_put);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name, as `profile` takes it.
    pub name: &'static str,
    /// Whose store it is.
    pub store: &'static str,
    /// The hosts that it is chosen for: a host is one of these, or ends in one after a dot.
    pub hosts: &'static [&'static str],
    /// Where the bucket stands unless `forcepathstyle` says.
    pub addressing: Addressing,
    /// Which listing is asked for.
    pub list: ListVersion,
    /// Whether a listing can start after any key.
    pub start_after: bool,
    /// Whether listings are in the byte order of keys.
    pub byte_order: bool,
    /// Whether a listing shows at once what was put.
    pub consistent_listings: bool,
    /// Whether listings are asked for with `encoding-type=url`: keys with control characters
    /// cannot be told otherwise.
    pub url_encoding: bool,
    /// Which prefixes can be listed.
    pub prefixes: Prefixes,
    /// How many names a page of a listing has at most.
    pub page: usize,
    /// How several objects are deleted.
    pub batch_delete: BatchDelete,
    /// Whether a part can be a range of another object (`UploadPartCopy`).
    pub copy_part: bool,
    /// Whether an upload can be completed without some of the parts that it was sent. Ceph 16.2 refuses
    /// it with InvalidPart.
    pub stray_parts: bool,
    /// Which sizes parts may have.
    pub parts: PartSizes,
    /// The least size of a part that is not the last, in bytes.
    pub min_part: u64,
    /// The largest part, in bytes.
    pub max_part: u64,
    /// How many parts an upload can have.
    pub max_parts: u32,
    /// The largest object of one put, in bytes.
    pub max_put: u64,
    /// The largest object of one copy, in bytes.
    pub max_copy: u64,
    /// Whether a copy refers to the bytes of its source, so that its size does not matter. Ranges are
    /// copied byte by byte then, and a copy goes in parts only above `max_copy`.
    pub copies_by_reference: bool,
    /// Whether open uploads can be listed.
    pub lists_uploads: bool,
    /// Whether a put honours `If-Match` and `If-None-Match`, also against another put at once.
    pub conditional_put: bool,
    /// Whether the completion of an upload honours them.
    pub conditional_complete: bool,
    /// Whether copies honour `x-amz-copy-source-if-match`.
    pub conditional_copy: bool,
    /// Whether a delete honours `If-Match`.
    pub conditional_delete: bool,
    /// Whether `x-amz-acl` is sent.
    pub acl: bool,
    /// Whether `x-amz-storage-class` is sent.
    pub storage_class: bool,
    /// What `encrypt` without `keyid` asks for: `AES256`, the store's own keys, or `aws:kms`.
    pub encryption: &'static str,
    /// Whether bodies are left out of the signature over https, where TLS protects them anyway.
    /// Over http they are always signed.
    pub unsigned_payload: bool,
    /// The longest key, in bytes.
    pub key_limit: usize,
}

impl Profile {
    /// A store that nothing is known of: it is asked for what Distribution's driver asks for, and
    /// nothing else.
    pub const GENERIC: Profile = Profile {
        name: "generic",
        store: "any other store",
        hosts: &[],
        addressing: Addressing::Path,
        list: ListVersion::V2,
        start_after: true,
        byte_order: true,
        consistent_listings: true,
        url_encoding: false,
        prefixes: Prefixes::Any,
        page: 1000,
        batch_delete: BatchDelete::Md5,
        copy_part: true,
        stray_parts: false,
        parts: PartSizes::Same,
        min_part: 5 * MIB,
        max_part: 5 * GIB,
        max_parts: 10_000,
        max_put: 5 * GIB,
        max_copy: 5 * GIB,
        copies_by_reference: false,
        lists_uploads: true,
        conditional_put: false,
        conditional_complete: false,
        conditional_copy: true,
        conditional_delete: false,
        acl: true,
        storage_class: true,
        encryption: "AES256",
        unsigned_payload: false,
        key_limit: 1024,
    };

    /// Above how many bytes an object is copied in parts, unless `multipartcopythresholdsize` says.
    pub(crate) fn copy_threshold(&self) -> u64 {
        if self.copies_by_reference { self.max_copy } else { 32 * MIB }
    }

    /// A whole copy has no limit but that of objects.
    pub(crate) const UNLIMITED_COPY: u64 = 5 * TIB;

    /// What the engine is to know of the store.
    pub fn description(&self) -> Description {
        let mut description = Description::FULL;
        description.min_part = self.min_part;
        description.max_part = self.max_part;
        description.same_size_parts = self.parts != PartSizes::Any;
        if let PartSizes::Exactly(size) = self.parts {
            description.min_part = size;
            description.max_part = size;
        }
        description.max_parts = self.max_parts;
        description.copy_part = self.copy_part;
        description.stray_parts = self.stray_parts;
        description.lists_uploads = self.lists_uploads;
        description.page = self.page;
        description.delete_batch = if self.batch_delete == BatchDelete::No { 1 } else { 1000 };
        description.max_put = self.max_put;
        description.max_copy = self.max_copy;
        description.conditional_put = self.conditional_put;
        description.conditional_complete = self.conditional_complete;
        description.conditional_copy = self.conditional_copy;
        description.conditional_delete = self.conditional_delete;
        description.start_after = self.start_after;
        description.byte_order = self.byte_order;
        description.consistent_listings = self.consistent_listings;
        description.key_limit = self.key_limit;
        description
    }

    /// Whether this is the store at `host`.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|known| {
            host.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }
}
