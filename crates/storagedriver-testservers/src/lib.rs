//! Object store servers for tests, in the process of the test.
//!
//! They speak the protocols of S3, Azure Blob Storage, Google Cloud Storage and OpenStack Swift on a port of the
//! loopback interface, keep everything in memory, refuse what the real services refuse, and record
//! what arrives. Rules in which vendors differ are options. Each server has threads of its own, so
//! that it serves tests with or without an async runtime, and ends when it is dropped.
//!
//! [`S3Server`]: `s3s` parses the requests and verifies their signatures. Bucket `bucket`, key `access`, secret
//! `secret`, region `us-east-1`.
//!
//! ```
//! use storagedriver_testservers::{S3Options, S3Refusal, S3Server};
//!
//! let server = S3Server::start(S3Options { min_part: 1024, part_copy: false, ..S3Options::default() })?;
//! server.store().put("bucket", "foreign//key", "content");
//! // … a driver at `server.endpoint()`, with `server.access_key()` and `server.secret_key()` …
//! server.refuse(Some(S3Refusal::SlowDown));
//! // … which now gets 503 …
//! assert_eq!(server.store().keys("bucket"), ["foreign//key"]);
//! assert!(server.store().uploads("bucket").is_empty());
//! assert!(server.requests().matching(|request| request.header("x-amz-acl").is_some()).is_empty());
//! # Ok::<(), storagedriver_testservers::BoxError>(())
//! ```
//!
//! [`GcsServer`]: the JSON API, and the XML API with its multipart uploads and signed URLs. Bucket `bucket`, token
//! `token`.
//!
//! ```
//! use storagedriver_testservers::{GcsOptions, GcsServer};
//!
//! let server = GcsServer::start(GcsOptions { rewrite_limit: Some(1024), ..GcsOptions::default() })?;
//! // … a driver at `server.endpoint()`; a token service is at `{endpoint}/token` …
//! assert!(server.store().object("bucket", "key").is_none());
//! # Ok::<(), storagedriver_testservers::BoxError>(())
//! ```
//!
//! [`AzureServer`]: shared keys and shared access signatures are verified, and the token `token` is taken. Account
//! `devaccount`, container `container`.
//!
//! ```
//! use storagedriver_testservers::{AzureOptions, AzureServer, CopyOutcome, CopyRule};
//!
//! let server = AzureServer::start(AzureOptions::default())?;
//! server.set_copies(CopyRule { pending_looks: 2, outcome: CopyOutcome::Failed });
//! // … a driver at `server.endpoint()`, with `server.account()` and `server.key()` …
//! assert!(server.store().uncommitted_blocks("container", "blob").is_empty());
//! # Ok::<(), storagedriver_testservers::BoxError>(())
//! ```
//!
//! [`SwiftServer`]: the object storage API of OpenStack with large objects, bulk deletes and temporary URLs, and the
//! identity APIs v1, v2 and v3. Container `container`, user `tester`, password `testing`.
//!
//! ```
//! use storagedriver_testservers::{SwiftOptions, SwiftServer};
//!
//! let server = SwiftServer::start(SwiftOptions { static_large_objects: false, ..SwiftOptions::default() })?;
//! server.freeze_listings(true);
//! // … a driver that authenticates at `{endpoint}/auth/v1.0`, and sees no object listed that it puts …
//! assert_eq!(server.tokens_given(), 0);
//! # Ok::<(), storagedriver_testservers::BoxError>(())
//! ```
//!
//! A reply that is cut off, late, repeated or a 500 after the deed is not the business of these servers: put the
//! `FaultProxy` of `storagedriver-testsuites` before them.

mod azure;
mod call;
mod gcs;
mod listener;
mod requests;
mod s3;
mod scripted;
mod store;
mod swift;
mod uri;
mod xml;

pub use azure::{AzureOptions, AzureRefusal, AzureServer, CopyOutcome, CopyRule};
pub use gcs::{GcsOptions, GcsRefusal, GcsServer};
pub use requests::{Received, Requests};
pub use s3::{
    Addressing, Authentication, ConditionalWrites, ListV2, PartSizes, S3Options, S3Refusal, S3Server,
};
pub use scripted::{Asked, Scripted, ScriptedReply, json_reply};
pub use store::{Content, Draft, Fields, Store, StoredObject, StoredPart, Upload};
pub use swift::{SwiftOptions, SwiftRefusal, SwiftServer};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
