//! The drivers and the middleware in this program: naming a crate links it, and linked it registers itself.

#[cfg(feature = "azure")]
use storagedriver_azure as _;
#[cfg(feature = "filesystem")]
use storagedriver_filesystem as _;
#[cfg(feature = "gcs")]
use storagedriver_gcs as _;
#[cfg(feature = "inmemory")]
use storagedriver_inmemory as _;
#[cfg(all(feature = "external", unix))]
use storagedriver_ipc as _;
#[cfg(feature = "middleware")]
use storagedriver_middleware as _;
#[cfg(feature = "objectstore")]
use storagedriver_objectstore as _;
#[cfg(feature = "opendal")]
use storagedriver_opendal as _;
#[cfg(feature = "s3")]
use storagedriver_s3 as _;
#[cfg(feature = "swift")]
use storagedriver_swift as _;
