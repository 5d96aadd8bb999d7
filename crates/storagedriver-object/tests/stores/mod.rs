//! Stores for the suite.

use storagedriver::Storage;
use storagedriver_object::testing::MemoryStore;
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// A store whose parts and pages are so small that the suite crosses their ends.
pub(crate) fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.page = 7;
    description.delete_batch = 5;
    description.max_copy = 100_000;
    description
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
    pub(crate) fn new(description: Description, part_size: u64) -> Self {
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
