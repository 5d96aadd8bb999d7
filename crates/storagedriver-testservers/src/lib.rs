//! Object store servers for tests, in the process of the test.
//!
//! They speak the protocols of S3, Azure Blob Storage and Google Cloud Storage on a port of the
//! loopback interface, keep everything in memory, refuse what the real services refuse, and record
//! what arrives. Rules in which vendors differ are options. Each server has threads of its own, so
//! that it serves tests with or without an async runtime, and ends when it is dropped.
//!
//! ```
//! use storagedriver_testservers::{S3Options, S3Server};
//!
//! let server = S3Server::start(S3Options { min_part: 1024, part_copy: false, ..S3Options::default() })?;
//! server.store().put("bucket", "foreign//key", "content");
//! // … a driver at `server.endpoint()`, with `server.access_key()` and `server.secret_key()` …
//! assert_eq!(server.store().keys("bucket"), ["foreign//key"]);
//! assert_eq!(server.requests().count(), 0);
//! # Ok::<(), storagedriver_testservers::BoxError>(())
//! ```

mod call;
mod gcs;
mod listener;
mod requests;
mod s3;
mod store;
mod uri;
mod xml;

pub use gcs::{GcsOptions, GcsRefusal, GcsServer};
pub use requests::{Received, Requests};
pub use s3::{
    Addressing, Authentication, ConditionalWrites, ListV2, PartSizes, S3Options, S3Refusal, S3Server,
};
pub use store::{Content, Draft, Fields, Store, StoredObject, StoredPart, Upload};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
