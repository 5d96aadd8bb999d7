//! The driver, as it is made from Rust.

use opendal::Operator;
use storagedriver::layer::Layer;
use storagedriver::{Result, StorageDriver};
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::{OpenDalBackend, Review};

/// How a driver uses its service.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenDalOptions {
    /// What the service can do; `None`: what its capabilities and the reviewed list tell.
    pub review: Option<Review>,
    /// The root within that of the operator, the sizes of segments, and how much is on its way at once.
    pub engine: ObjectOptions,
}

/// A storage driver on a service of OpenDAL.
#[derive(Debug)]
pub struct OpenDal(ObjectDriver<OpenDalBackend>);

impl OpenDal {
    /// A driver on this operator, with what is known of its service. Makes no request. The layers of the
    /// operator stay; over a network it should have one that retries.
    ///
    /// # Errors
    /// `InvalidParameter` if the service cannot read, write, delete, stat and list.
    pub fn new(operator: Operator) -> Result<Self> {
        Self::with_options(operator, OpenDalOptions::default())
    }

    /// The same, with other settings.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(operator: Operator, options: OpenDalOptions) -> Result<Self> {
        let backend = OpenDalBackend::new(operator, options.review)?;
        Ok(OpenDal(ObjectDriver::new(backend, options.engine)))
    }
}

// The engine's driver is one of another crate: this is it by its own name.
impl Layer for OpenDal {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }
}
