//! The drivers in this program: naming a crate links it, and linked it registers itself.

#[cfg(feature = "filesystem")]
use storagedriver_filesystem as _;
#[cfg(feature = "gcs")]
use storagedriver_gcs as _;
#[cfg(feature = "inmemory")]
use storagedriver_inmemory as _;
