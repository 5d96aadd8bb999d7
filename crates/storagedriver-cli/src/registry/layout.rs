//! What a path in a registry's storage stands for.

use super::{Algorithm, Digest};

/// The directory that a registry keeps everything below.
pub const ROOT: &str = "/docker/registry/v2";
/// The directory of the blobs.
pub const BLOBS: &str = "/docker/registry/v2/blobs";
/// The directory of the repositories.
pub const REPOSITORIES: &str = "/docker/registry/v2/repositories";

/// What a file in a registry's storage is.
///
/// Digests of algorithms other than [`Algorithm::ALL`], such as the `tarsum.v1+sha256` of 2014, are
/// not known here: their files are [`Entry::Other`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entry {
    /// Content, stored under its digest.
    Blob {
        /// Of the content.
        digest: Digest,
    },
    /// Says that a repository has a layer or a configuration.
    LayerLink {
        /// Its name.
        repository: String,
        /// Of the layer; also the link's content.
        digest: Digest,
    },
    /// Says that a repository has a manifest.
    RevisionLink {
        /// Its name.
        repository: String,
        /// Of the manifest; also the link's content.
        digest: Digest,
    },
    /// Names the signature of an old (schema 1) manifest.
    SignatureLink {
        /// Its name.
        repository: String,
        /// Of the manifest.
        revision: Digest,
        /// Of the signature; also the link's content.
        digest: Digest,
    },
    /// Says that a tag stands, or once stood, for a manifest.
    TagIndex {
        /// Its name.
        repository: String,
        /// The tag.
        tag: String,
        /// Of the manifest; also the link's content.
        digest: Digest,
    },
    /// What a tag stands for: the digest is its content.
    TagCurrent {
        /// Its name.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// Belongs to an upload in progress.
    Upload {
        /// Its name.
        repository: String,
        /// What comes behind `_uploads/`: the upload's identifier, `/` and the file. Empty for
        /// the directory of the uploads.
        rest: String,
    },
    /// Anything else.
    Other,
}

/// The path of a blob.
pub fn blob_path(digest: &Digest) -> String {
    let hex = digest.hex();
    let fan = hex.get(..2).unwrap_or_default();
    format!("{BLOBS}/{}/{fan}/{hex}/data", digest.algorithm().as_str())
}

/// The directory of a repository.
pub fn repository_path(repository: &str) -> String {
    format!("{REPOSITORIES}/{repository}")
}

/// Checks that `name` can be that of a repository.
///
/// # Errors
/// Says why not.
pub fn check_repository(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of a repository is empty".to_owned());
    }
    storagedriver::StoragePath::parse(&format!("/{name}")).map_err(|_| {
        format!("`{name}` is no name of a repository: `/` between parts, no `/` at either end")
    })?;
    match name.split('/').find(|part| part.starts_with('_')) {
        Some(part) => Err(format!("`{name}` is no name of a repository: a part begins with `_`: `{part}`")),
        None => Ok(()),
    }
}

fn link(directory: &str, digest: &Digest) -> String {
    format!("{directory}/{}/{}/link", digest.algorithm().as_str(), digest.hex())
}

impl Entry {
    /// Where it is stored; `None` for [`Entry::Other`].
    pub fn path(&self) -> Option<String> {
        Some(match self {
            Entry::Blob { digest } => blob_path(digest),
            Entry::LayerLink { repository, digest } => {
                link(&format!("{REPOSITORIES}/{repository}/_layers"), digest)
            }
            Entry::RevisionLink { repository, digest } => {
                link(&format!("{REPOSITORIES}/{repository}/_manifests/revisions"), digest)
            }
            Entry::SignatureLink { repository, revision, digest } => {
                let (algorithm, hex) = (revision.algorithm().as_str(), revision.hex());
                let revisions = format!("{REPOSITORIES}/{repository}/_manifests/revisions");
                link(&format!("{revisions}/{algorithm}/{hex}/signatures"), digest)
            }
            Entry::TagIndex { repository, tag, digest } => {
                link(&format!("{REPOSITORIES}/{repository}/_manifests/tags/{tag}/index"), digest)
            }
            Entry::TagCurrent { repository, tag } => {
                format!("{REPOSITORIES}/{repository}/_manifests/tags/{tag}/current/link")
            }
            Entry::Upload { repository, rest } if rest.is_empty() => {
                format!("{REPOSITORIES}/{repository}/_uploads")
            }
            Entry::Upload { repository, rest } => format!("{REPOSITORIES}/{repository}/_uploads/{rest}"),
            Entry::Other => return None,
        })
    }

    /// The digest that stands in the path.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Entry::Blob { digest }
            | Entry::LayerLink { digest, .. }
            | Entry::RevisionLink { digest, .. }
            | Entry::SignatureLink { digest, .. }
            | Entry::TagIndex { digest, .. } => Some(*digest),
            Entry::TagCurrent { .. } | Entry::Upload { .. } | Entry::Other => None,
        }
    }

    /// Whether it is a link whose digest stands in its path.
    pub fn is_digest_link(&self) -> bool {
        !matches!(self, Entry::Blob { .. }) && self.digest().is_some()
    }
}

/// What the file at `path` is. What lies at or below a directory `_uploads` is
/// [`Entry::Upload`], directories included.
pub fn classify(path: &str) -> Entry {
    let found = match path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => match rest.split_once('/') {
            Some(("blobs", rest)) => blob(rest),
            Some(("repositories", rest)) => in_repository(rest),
            _ => None,
        },
        None => None,
    };
    found.unwrap_or(Entry::Other)
}

fn digest(algorithm: &str, hex: &str) -> Option<Digest> {
    Digest::from_hex(Algorithm::named(algorithm)?, hex).ok()
}

fn blob(rest: &str) -> Option<Entry> {
    let parts: Vec<&str> = rest.split('/').collect();
    match *parts.as_slice() {
        [algorithm, fan, hex, "data"] if hex.get(..2) == Some(fan) => {
            Some(Entry::Blob { digest: digest(algorithm, hex)? })
        }
        _ => None,
    }
}

fn in_repository(rest: &str) -> Option<Entry> {
    // No part of a repository's name begins with `_`, so the first that does ends the name.
    let at = rest.find("/_")?;
    let (name, below) = (rest.get(..at)?, rest.get(at + 1..)?);
    if name.is_empty() || name.starts_with('_') {
        return None;
    }
    let repository = name.to_owned();
    let parts: Vec<&str> = below.split('/').collect();
    match *parts.as_slice() {
        ["_uploads", ref rest @ ..] => Some(Entry::Upload { repository, rest: rest.join("/") }),
        ["_layers", algorithm, hex, "link"] => {
            Some(Entry::LayerLink { repository, digest: digest(algorithm, hex)? })
        }
        ["_manifests", "revisions", algorithm, hex, "link"] => {
            Some(Entry::RevisionLink { repository, digest: digest(algorithm, hex)? })
        }
        ["_manifests", "revisions", of, revision, "signatures", algorithm, hex, "link"] => {
            let revision = digest(of, revision)?;
            Some(Entry::SignatureLink { repository, revision, digest: digest(algorithm, hex)? })
        }
        ["_manifests", "tags", tag, "index", algorithm, hex, "link"] => {
            Some(Entry::TagIndex { repository, tag: tag.to_owned(), digest: digest(algorithm, hex)? })
        }
        ["_manifests", "tags", tag, "current", "link"] => {
            Some(Entry::TagCurrent { repository, tag: tag.to_owned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_digest() -> impl Strategy<Value = Digest> {
        let algorithm = prop::sample::select(Algorithm::ALL);
        (algorithm, any::<u64>()).prop_map(|(algorithm, seed)| Digest::of(algorithm, &seed.to_le_bytes()))
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let name = "[a-z0-9]{1,3}([._-][a-z0-9]{1,3})?(/[a-z0-9]{1,3}(-[a-z0-9]{1,3})?){0,3}";
        let tag = "[A-Za-z0-9_][A-Za-z0-9._-]{0,6}";
        let rest = "([a-f0-9-]{4,8}(/(data|startedat|hashstates/sha256/[0-9]{1,4}))?)?";
        (0..7, name, tag, rest, any_digest(), any_digest()).prop_map(
            |(kind, repository, tag, rest, digest, revision)| match kind {
                0 => Entry::Blob { digest },
                1 => Entry::LayerLink { repository, digest },
                2 => Entry::RevisionLink { repository, digest },
                3 => Entry::SignatureLink { repository, revision, digest },
                4 => Entry::TagIndex { repository, tag, digest },
                5 => Entry::TagCurrent { repository, tag },
                _ => Entry::Upload { repository, rest },
            },
        )
    }

    proptest! {
        #[test]
        fn a_path_is_printed_and_parsed(entry in any_entry()) {
            let path = entry.path().unwrap();
            prop_assert!(storagedriver::StoragePath::parse(&path).is_ok());
            prop_assert_eq!(classify(&path), entry);
        }

        #[test]
        fn one_more_component_is_another_thing(entry in any_entry()) {
            let longer = format!("{}/x", entry.path().unwrap());
            prop_assert_ne!(classify(&longer), entry);
        }
    }

    #[test]
    fn what_only_looks_like_the_layout() {
        let hex = Digest::of(Algorithm::Sha256, b"").hex();
        for path in [
            "/docker/registry/v2".to_owned(),
            "/docker/registry/v2x/blobs/a".to_owned(),
            format!("/docker/registry/v2/blobs/sha256/00/{hex}/data"),
            format!("/docker/registry/v2/blobs/sha256/e3/{hex}/link"),
            format!("/docker/registry/v2/blobs/md5/e3/{hex}/data"),
            format!("/docker/registry/v2/blobs/tarsum/v1/sha256/e3/{hex}/data"),
            format!("/docker/registry/v2/repositories/_layers/sha256/{hex}/link"),
            format!("/docker/registry/v2/repositories/a/_layers/sha256/{hex}0/link"),
            format!("/docker/registry/v2/repositories/a/_other/sha256/{hex}/link"),
            "/docker/registry/v2/repositories/a/_manifests/tags/t/current".to_owned(),
        ] {
            assert_eq!(classify(&path), Entry::Other, "{path}");
        }
    }

    #[test]
    fn names_of_repositories() {
        for good in ["a", "team/app", "team/app.d/nested-x"] {
            assert_eq!(check_repository(good), Ok(()));
        }
        for bad in ["", "/a", "a/", "a//b", "a/_layers", "_a", "a/../b", "a b"] {
            assert!(check_repository(bad).is_err(), "{bad}");
        }
    }
}
