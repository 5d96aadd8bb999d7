//! The suite: in memory whole, on a directory with the state machine. A store of which nothing is known is
//! the same one in memory, with the least profile.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use storagedriver::Storage;
use storagedriver_objectstore::{ObjectStoreDriver, ObjectStoreOptions, Profile};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// Small, so that the suite crosses their ends.
const SEGMENT: u64 = 64 << 10;

#[derive(Clone, Copy)]
enum Kind {
    Memory,
    Unknown,
    Local,
}

struct Stores(Kind);

impl Stores {
    fn profile(&self) -> Profile {
        match self.0 {
            Kind::Memory => Profile::memory(),
            Kind::Unknown => Profile::least(),
            Kind::Local => Profile::local(),
        }
    }
}

#[async_trait]
impl Harness for Stores {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let profile = self.profile();
        let mut directory = None;
        let store: Arc<dyn ObjectStore> = match self.0 {
            Kind::Memory | Kind::Unknown => Arc::new(InMemory::new()),
            Kind::Local => {
                let made = tempfile::tempdir()?;
                let store = LocalFileSystem::new_with_prefix(made.path())?;
                directory = Some(made);
                Arc::new(store.with_automatic_cleanup(true))
            }
        };
        let mut opened = Opened { store, profile, storage: None, _directory: directory };
        opened.storage = Some(opened.open());
        Ok(Box::new(opened))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.children = 300;
        scale.large = 2 << 20;
        scale.rounds = 5;
        scale.boundaries = vec![SEGMENT];
        if matches!(self.0, Kind::Local) {
            // What a dropped future has begun, a thread of the pool ends.
            scale.settle = Duration::from_millis(50);
        }
        scale
    }
}

struct Opened {
    store: Arc<dyn ObjectStore>,
    profile: Profile,
    storage: Option<Storage>,
    _directory: Option<tempfile::TempDir>,
}

impl Opened {
    fn open(&self) -> Storage {
        let mut options = ObjectStoreOptions::new(self.profile.clone());
        options.engine.root = "a/root".to_owned();
        options.engine.part_size = SEGMENT;
        Storage::new(ObjectStoreDriver::new(self.store.clone(), options))
    }
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone().unwrap_or_else(|| self.open())
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        let shared = self.storage().guarantees().has(storagedriver::Guarantee::Shared);
        Ok(shared.then(|| self.open()))
    }
}

mod memory {
    use super::{Kind, Stores};

    storagedriver_testsuites::register_suite!(Stores(Kind::Memory));
    storagedriver_testsuites::register_state_machine!(Stores(Kind::Memory), programs = 60, steps = 40);
    storagedriver_testsuites::register_histories!(Stores(Kind::Memory), histories = 40);
}

mod unknown {
    use super::{Kind, Stores};

    storagedriver_testsuites::register_suite!(Stores(Kind::Unknown));
}

mod local {
    use super::{Kind, Stores};

    storagedriver_testsuites::register_suite!(Stores(Kind::Local));
    storagedriver_testsuites::register_state_machine!(Stores(Kind::Local), programs = 20, steps = 30);
}
