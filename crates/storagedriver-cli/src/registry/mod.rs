//! How a registry lays out its storage: what a path stands for, digests, manifests, and what can be
//! wrong with them.
//!
//! ```
//! use storagedriver_cli::registry::{Entry, classify};
//!
//! let path = "/docker/registry/v2/repositories/team/app/_manifests/tags/1.0/current/link";
//! let entry = classify(path);
//! assert_eq!(entry, Entry::TagCurrent { repository: "team/app".into(), tag: "1.0".into() });
//! assert_eq!(entry.path().as_deref(), Some(path));
//! ```

mod digest;
mod fault;
mod layout;
mod manifest;

pub use digest::{Algorithm, Digest, Digester, InvalidDigest};
pub use fault::{Fault, FaultKind};
pub use layout::{BLOBS, Entry, REPOSITORIES, ROOT, blob_path, check_repository, classify, repository_path};
pub use manifest::{MANIFEST_LIMIT, Manifest, ManifestKind, UnreadableManifest};
