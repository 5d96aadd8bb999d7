//! Stores for the suite.

use storagedriver::Storage;
use storagedriver_object::testing::MemoryStore;
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// A store whose parts, pages and copies are so small that the suite crosses their ends.
pub(crate) fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.page = 7;
    description.delete_batch = 5;
    description.max_copy = 30_000;
    description
}

/// Everything, in the sizes of S3.
pub(crate) fn full() -> Stores {
    Stores::new(Description::FULL, 10 << 20)
}

pub(crate) fn small_parts() -> Stores {
    Stores::new(small(), 1024)
}

/// No condition is ever looked at.
pub(crate) fn unconditional() -> Stores {
    let mut description = small();
    description.conditional_put = false;
    description.conditional_complete = false;
    description.conditional_copy = false;
    description.conditional_delete = false;
    Stores::new(description, 4096)
}

/// As Ceph: an upload is completed with all the parts that it was sent, and no write has a condition.
pub(crate) fn all_parts_named() -> Stores {
    let mut description = small();
    description.stray_parts = false;
    description.conditional_put = false;
    description.conditional_complete = false;
    description.conditional_delete = false;
    Stores::new(description, 4096)
}

/// As R2 and US3: parts of one size, and here no copies of parts and no list of uploads.
pub(crate) fn same_size_parts() -> Stores {
    let mut description = small();
    description.same_size_parts = true;
    description.copy_part = false;
    description.lists_uploads = false;
    Stores::new(description, 5000)
}

/// No multipart uploads.
pub(crate) fn segments() -> Stores {
    let mut description = small();
    description.multipart = false;
    description.copy_part = false;
    description.lists_uploads = false;
    Stores::new(description, 3000)
}

/// As a file system: no marks, no versions and no conditions, but renames; and listings in no order.
pub(crate) fn moved() -> Stores {
    let mut description = small();
    description.multipart = false;
    description.copy_part = false;
    description.lists_uploads = false;
    description.conditional_put = false;
    description.conditional_complete = false;
    description.conditional_copy = false;
    description.conditional_delete = false;
    description.byte_order = false;
    description.start_after = false;
    description.marks = false;
    description.versions = false;
    description.rename = true;
    Stores::new(description, 64 << 10)
}

/// Listings in no order that is known.
pub(crate) fn unordered() -> Stores {
    let mut description = small();
    description.byte_order = false;
    description.start_after = false;
    Stores::new(description, 64 << 10)
}

/// Listings that start at markers only.
pub(crate) fn markers_only() -> Stores {
    let mut description = small();
    description.start_after = false;
    Stores::new(description, 64 << 10)
}

pub(crate) fn open(store: &MemoryStore, part_size: u64) -> Storage {
    let mut options = ObjectOptions::default();
    options.root = "/some/root".to_owned();
    options.part_size = part_size;
    Storage::new(ObjectDriver::new(store.client(), options))
}

/// Opens a store of its own for each case.
pub(crate) struct Stores {
    description: Description,
    part_size: u64,
}

impl Stores {
    fn new(description: Description, part_size: u64) -> Self {
        Stores { description, part_size }
    }
}

#[async_trait]
impl Harness for Stores {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let store = MemoryStore::new(self.description.clone());
        let storage = open(&store, self.part_size);
        Ok(Box::new(Opened { store, storage, part_size: self.part_size }))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.children = 300;
        scale.large = 2 << 20;
        scale.boundaries.retain(|bytes| *bytes <= 64 << 10);
        scale.boundaries.push(self.part_size);
        if self.description.page < 100 { scale.with_page_size(self.description.page) } else { scale }
    }
}

struct Opened {
    store: MemoryStore,
    storage: Storage,
    part_size: u64,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(open(&self.store, self.part_size)))
    }
}
