//! What can be wrong with a registry's storage.

use std::fmt;

/// What kind of fault it is: one word for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// A blob's bytes do not have the digest that it is stored under.
    CorruptBlob,
    /// A link has no content.
    EmptyLink,
    /// A link's content is no digest, or not the one in its path.
    WrongLink,
    /// A link names a blob that is not there.
    MissingBlob,
    /// A manifest cannot be read: malformed, or larger than any registry accepts.
    UnreadableManifest,
    /// A manifest refers to a blob or a manifest that is not there.
    MissingReference,
    /// A manifest refers to a blob or a manifest that its repository has no link to.
    UnlinkedReference,
    /// A tag names a manifest that its repository has no revision of.
    MissingRevision,
    /// `sync` did not write a link, because what it refers to cannot be copied whole.
    Withheld,
    /// What `sync` wrote reads back as something else.
    ReadBack,
    /// `sync` was asked for a repository that the source does not have.
    MissingRepository,
    /// `sync` did not delete a file, because others lie below it; or a shard deleted nothing more, because a tag
    /// is not yet what it is at the source.
    NotDeleted,
    /// The backend failed.
    Backend,
}

impl FaultKind {
    /// The word: `corrupt-blob`.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::CorruptBlob => "corrupt-blob",
            FaultKind::EmptyLink => "empty-link",
            FaultKind::WrongLink => "wrong-link",
            FaultKind::MissingBlob => "missing-blob",
            FaultKind::UnreadableManifest => "unreadable-manifest",
            FaultKind::MissingReference => "missing-reference",
            FaultKind::UnlinkedReference => "unlinked-reference",
            FaultKind::MissingRevision => "missing-revision",
            FaultKind::Withheld => "withheld",
            FaultKind::ReadBack => "read-back",
            FaultKind::MissingRepository => "missing-repository",
            FaultKind::NotDeleted => "not-deleted",
            FaultKind::Backend => "backend",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// The file that it was found at.
    pub path: String,
    /// What exactly, in words.
    pub detail: String,
}

impl Fault {
    /// A fault.
    pub fn new(kind: FaultKind, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Fault { kind, path: path.into(), detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path, self.kind, self.detail)
    }
}
