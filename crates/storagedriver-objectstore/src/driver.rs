//! The driver, as it is made from Rust.

use std::sync::Arc;

use object_store::ObjectStore;
use storagedriver::StorageDriver;
use storagedriver::layer::Layer;
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::{ObjectStoreAdapter, Profile};

/// How a driver uses its store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ObjectStoreOptions {
    /// What the store can do.
    pub profile: Profile,
    /// The root within the store, the sizes of segments, and how much is on its way at once.
    pub engine: ObjectOptions,
}

impl ObjectStoreOptions {
    /// At the root of the store, segments of 10 MiB.
    pub fn new(profile: Profile) -> Self {
        ObjectStoreOptions { profile, engine: ObjectOptions::default() }
    }
}

/// A storage driver on a store of the crate `object_store`.
#[derive(Debug)]
pub struct ObjectStoreDriver(ObjectDriver<ObjectStoreAdapter>);

impl ObjectStoreDriver {
    /// A driver on this store. Makes no request.
    pub fn new(store: Arc<dyn ObjectStore>, options: ObjectStoreOptions) -> Self {
        let backend = ObjectStoreAdapter::new(store, options.profile);
        ObjectStoreDriver(ObjectDriver::new(backend, options.engine))
    }
}

// The engine's driver is one of another crate: this is it by its own name.
impl Layer for ObjectStoreDriver {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }
}
