//! How many requests a registry takes.

use std::ops::{Add, Mul};

/// What a registry holds, in files; and of large blobs, how many parts they have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Blobs smaller than a part, configurations included, manifests not.
    pub(crate) small_blobs: u64,
    /// Blobs of several parts.
    pub(crate) large_blobs: u64,
    /// Parts of all of those.
    pub(crate) parts: u64,
    /// Manifests, each in one repository: as many revisions.
    pub(crate) manifests: u64,
    /// Configurations and layers that the manifests refer to, repetitions included.
    pub(crate) references: u64,
    pub(crate) layer_links: u64,
    pub(crate) tags: u64,
    pub(crate) repositories: u64,
}

impl Shape {
    pub(crate) fn blobs(&self) -> u64 {
        self.small_blobs + self.large_blobs + self.manifests
    }

    pub(crate) fn links(&self) -> u64 {
        // A tag has its current link and an entry of its index.
        self.layer_links + self.manifests + 2 * self.tags
    }

    pub(crate) fn files(&self) -> u64 {
        self.blobs() + self.links()
    }

    /// Directories, with repositories whose names have one part, and one entry in each tag's index.
    pub(crate) fn directories(&self, fans: u64) -> u64 {
        let digests = self.blobs() + self.layer_links + self.manifests + self.tags;
        // `_layers`, `_manifests`, `revisions` and two `sha256`, `tags`, and the repository's own; of each tag its
        // own, `current`, `index` and `sha256`; and `docker`, `registry`, `v2`, `blobs`, `sha256`, `repositories`.
        digests + fans + 7 * self.repositories + 4 * self.tags + 6
    }
}

/// Requests to one storage, by the classes that they are priced in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) list: u64,
    pub(crate) get: u64,
    pub(crate) head: u64,
    pub(crate) put: u64,
    pub(crate) delete: u64,
}

impl Requests {
    pub(crate) fn total(&self) -> u64 {
        self.list + self.get + self.head + self.put + self.delete
    }
}

impl Add for Requests {
    type Output = Requests;

    fn add(self, other: Requests) -> Requests {
        Requests {
            list: self.list + other.list,
            get: self.get + other.get,
            head: self.head + other.head,
            put: self.put + other.put,
            delete: self.delete + other.delete,
        }
    }
}

impl Mul<u64> for Requests {
    type Output = Requests;

    fn mul(self, times: u64) -> Requests {
        Requests {
            list: self.list * times,
            get: self.get * times,
            head: self.head * times,
            put: self.put * times,
            delete: self.delete * times,
        }
    }
}

const NONE: Requests = Requests { list: 0, get: 0, head: 0, put: 0, delete: 0 };
const LIST: Requests = Requests { list: 1, ..NONE };
const GET: Requests = Requests { get: 1, ..NONE };
const HEAD: Requests = Requests { head: 1, ..NONE };
const PUT: Requests = Requests { put: 1, ..NONE };
const DELETE: Requests = Requests { delete: 1, ..NONE };

/// How many keys a page of a listing has.
const PAGE: u64 = 1000;

/// A walk over everything.
pub(crate) fn walk(shape: &Shape) -> Requests {
    LIST * shape.files().div_ceil(PAGE).max(1)
}

/// `sync --dry-run` of what is the same, at each of the two sides: tags are compared by their bytes.
pub(crate) fn compare(shape: &Shape) -> Requests {
    walk(shape) + GET * shape.tags
}

/// `sync` into an empty storage, at the source: each file is read once.
pub(crate) fn copy_from(shape: &Shape) -> Requests {
    walk(shape) + GET * shape.files()
}

/// `sync` into an empty storage, at the destination, if nothing of it were remembered: then each blob is looked up
/// again for each link.
pub(crate) fn copy_to(shape: &Shape) -> Requests {
    // The uploads at the path, and the content.
    let blob = LIST + PUT;
    // Beside that the upload is begun, finished, and kept in a session, which is marked before, and looked at and
    // deleted after.
    let large = LIST + PUT * 4 + HEAD + DELETE;
    // Is the blob there?
    let layer = HEAD + PUT;
    // The manifest is looked up and read; and the link written.
    let revision = HEAD + GET + PUT;
    // The blob and the repository's link to it.
    let reference = HEAD * 2;
    // The revision, for the index and for the tag; and for the tag, the entry of the index.
    let tag = HEAD * 3 + PUT * 2;
    LIST + blob * (shape.small_blobs + shape.manifests)
        + large * shape.large_blobs
        + PUT * shape.parts
        + layer * shape.layer_links
        + revision * shape.manifests
        + reference * shape.references
        + tag * shape.tags
}

/// `verify`.
pub(crate) fn verify(shape: &Shape) -> Requests {
    verify_links(shape) + GET * shape.blobs()
}

/// `verify --links-only`: every link, and the manifest of every revision.
pub(crate) fn verify_links(shape: &Shape) -> Requests {
    let pages = shape.blobs().div_ceil(PAGE) + shape.links().div_ceil(PAGE);
    LIST * pages + GET * (shape.links() + shape.manifests)
}
