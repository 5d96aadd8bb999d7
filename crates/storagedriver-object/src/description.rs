//! What a store has, and what it lacks.

use storagedriver::Guarantees;

/// What a flat store can do, and how much of it at once. A constant of a backend, or of one of its
/// profiles: it never changes while a driver lives.
///
/// Start from [`Description::FULL`] and state what differs:
///
/// ```
/// use storagedriver_object::Description;
///
/// let mut description = Description::FULL;
/// description.same_size_parts = true;
/// description.conditional_put = false;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// Whether the store has multipart uploads. Without them an upload is kept as segment objects
    /// that [`concatenate`](crate::ObjectStoreBackend::concatenate) joins.
    pub multipart: bool,
    /// The least size of a part that is not the last, in bytes.
    pub min_part: u64,
    /// The largest part, in bytes.
    pub max_part: u64,
    /// How many parts an upload can have; their numbers run from 1 to this.
    pub max_parts: u32,
    /// Whether all parts but the last must have one size.
    pub same_size_parts: bool,
    /// Whether an upload can be completed without some of the parts that it was sent. Where it cannot,
    /// what a killed writer sent past its last close has to be replaced by what is sent again: each
    /// writer numbers its parts on from the last one that was closed.
    pub stray_parts: bool,
    /// Whether a part can be a range of another object.
    pub copy_part: bool,
    /// Whether the store lists its open multipart uploads.
    pub lists_uploads: bool,
    /// The most names in one page of a listing.
    pub page: usize,
    /// The most keys in one request that deletes.
    pub delete_batch: usize,
    /// The largest object of a single put, in bytes.
    pub max_put: u64,
    /// The largest object of a single copy, in bytes; above it copies go part by part.
    pub max_copy: u64,
    /// Whether a put can demand the version that it replaces, or that there is none.
    pub conditional_put: bool,
    /// Whether completing an upload, or concatenating, can demand the same.
    pub conditional_complete: bool,
    /// Whether a copy can demand the version of its source.
    pub conditional_copy: bool,
    /// Whether a delete can demand the version that it removes.
    pub conditional_delete: bool,
    /// Whether a listing can start after any key; else only at the marker of an earlier page.
    pub start_after: bool,
    /// Whether listings are in byte order of the keys.
    pub byte_order: bool,
    /// Whether a listing shows at once what was put. Where it does not, a delete asks for the file
    /// itself too, as it may not be listed yet.
    pub consistent_listings: bool,
    /// The longest key, in bytes.
    pub key_limit: usize,
    /// The longest name between two slashes of a key, in bytes.
    pub name_limit: usize,
    /// Whether an object keeps the mark that it is put with. Where it does not, an upload that has a
    /// session is put together below that and then moved to its path, so that what is there no more
    /// was published. Without `rename` either, nothing tells.
    pub marks: bool,
    /// Whether two states of a key never have one version, however shortly they follow each other.
    /// Where they may (a time and a size), the driver tells no versions, and sessions are known by
    /// what stands in them.
    pub versions: bool,
    /// Whether the store moves an object in one step, over what is there.
    pub rename: bool,
    /// Whether the store carries out what it was asked for also when the future that asked is dropped, as
    /// calls in threads are: a cancelled upload waits for those of its segments that are on their way, else
    /// they would come after it was cleared away.
    pub detached: bool,
    /// What the store keeps apart from what the fields above tell.
    pub guarantees: Guarantees,
}

impl Description {
    /// What Amazon S3 has: everything, in its sizes.
    pub const FULL: Description = Description {
        multipart: true,
        min_part: 5 << 20,
        max_part: 5 << 30,
        max_parts: 10_000,
        same_size_parts: false,
        stray_parts: true,
        copy_part: true,
        lists_uploads: true,
        page: 1000,
        delete_batch: 1000,
        max_put: 5 << 30,
        max_copy: 5 << 30,
        conditional_put: true,
        conditional_complete: true,
        conditional_copy: true,
        conditional_delete: true,
        start_after: true,
        byte_order: true,
        consistent_listings: true,
        key_limit: 1024,
        name_limit: 1024,
        marks: true,
        versions: true,
        rename: false,
        detached: false,
        guarantees: Guarantees::FULL,
    };
}
