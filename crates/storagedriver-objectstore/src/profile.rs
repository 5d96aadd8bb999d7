//! What a store can do, which `object_store` itself does not tell.

use storagedriver::{Guarantee, Guarantees};
use storagedriver_object::Description;

/// The longest name that local file systems take, in bytes.
const LOCAL_NAME: usize = 255;

/// The most names that one listing is held to: clients give whole directories.
const PAGE: usize = 1_000_000;

/// What a store can do. The trait `ObjectStore` has no question for it, so whoever makes the driver
/// says it.
///
/// ```
/// use storagedriver_objectstore::Profile;
///
/// // A store that is known to refuse a put whose condition does not hold, and to keep attributes.
/// let mut profile = Profile::least();
/// profile.description.conditional_put = true;
/// profile.description.marks = true;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// What the engine goes by. `marks` means attributes with metadata; `versions`, that ETags name
    /// states of an object; `conditional_put`, `PutMode::Create` and `PutMode::Update`. `multipart` stays
    /// off: what `object_store` has of it cannot be resumed.
    pub description: Description,
    /// Whether the store has directories of its own, where no name is a file and a directory.
    pub directories: bool,
    /// The size in bytes of the parts in which segments are joined; S3 and Google want 5 MiB at least.
    pub joined_part: usize,
}

impl Profile {
    /// What every store can do, and nothing else. Of the contract it leaves out atomic renames, uploads
    /// that are independent of content, fenced uploads and consistent reads.
    pub fn least() -> Self {
        let mut description = Description::FULL;
        description.multipart = false;
        description.min_part = 1;
        description.copy_part = false;
        description.lists_uploads = false;
        description.page = PAGE;
        description.delete_batch = 1000;
        description.conditional_put = false;
        description.conditional_complete = false;
        description.conditional_copy = false;
        description.conditional_delete = false;
        description.start_after = false;
        description.byte_order = false;
        description.marks = false;
        description.versions = false;
        description.guarantees = Guarantees::FULL.without(Guarantee::ConsistentReads);
        Profile { description, directories: false, joined_part: 10 << 20 }
    }

    /// `object_store::memory::InMemory`.
    pub fn memory() -> Self {
        let mut profile = Self::least();
        let description = &mut profile.description;
        description.max_put = u64::MAX;
        description.max_copy = u64::MAX;
        description.conditional_put = true;
        description.start_after = true;
        description.byte_order = true;
        description.marks = true;
        description.versions = true;
        let volatile = Guarantees::FULL.without(Guarantee::Durable);
        description.guarantees = volatile.without(Guarantee::Shared);
        profile
    }

    /// `object_store::local::LocalFileSystem`, made `with_automatic_cleanup(true)`; without it
    /// directories stay that are empty. `with_fsync(true)` is what survives a crash of the machine.
    pub fn local() -> Self {
        let mut profile = Self::least();
        profile.description.max_put = u64::MAX;
        profile.description.rename = true;
        profile.description.detached = true;
        profile.description.name_limit = LOCAL_NAME;
        // A reader has the file open.
        profile.description.guarantees = Guarantees::FULL;
        profile.directories = true;
        profile
    }
}
