//! What a path names.

use super::ACCOUNT;
use crate::uri;

/// A container and a blob, either of which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) container: String,
    pub(super) blob: String,
}

impl Place {
    /// Of a path with or without the account before the container, as emulators and the service have it.
    pub(super) fn of(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let rest = match path.strip_prefix(ACCOUNT) {
            Some("") => "",
            Some(rest) => rest.strip_prefix('/').unwrap_or(path),
            None => path,
        };
        let (container, blob) = rest.split_once('/').unwrap_or((rest, ""));
        Self { container: uri::decode(container), blob: uri::decode(blob) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_account_and_without() {
        for (path, container, blob) in [
            ("/devaccount/c/a/b", "c", "a/b"),
            ("/c/a%2Fb%20c", "c", "a/b c"),
            ("/devaccount/c//docker/x", "c", "/docker/x"),
            ("/devaccount/c", "c", ""),
            ("/devaccount/", "", ""),
            ("/devaccount", "", ""),
            ("/devaccounts/x", "devaccounts", "x"),
        ] {
            assert_eq!(Place::of(path), Place { container: container.into(), blob: blob.into() }, "{path}");
        }
    }
}
