//! How paths become keys: the layout of Distribution's s3 driver, and the sessions beside it.

use storagedriver::{PathLimits, StoragePath};

/// Longest name that is put behind a path in the key of a session: `/~`, the nonce, and the name of a
/// segment.
const SESSION_SUFFIX: usize = 96;
const UPLOADS: &str = "~uploads/";

/// The keys below one root.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Empty, or ends in `/`; never starts with one.
    prefix: String,
}

impl Keys {
    pub(crate) fn new(root: &str) -> Self {
        let slashed = format!("{}/", root.trim_end_matches('/'));
        Keys { prefix: slashed.trim_start_matches('/').to_owned() }
    }

    pub(crate) fn limits(&self, key_limit: usize, name_limit: usize) -> PathLimits {
        // A path is one byte longer than its part of the key: the leading slash.
        let taken = self.prefix.len() + UPLOADS.len() + SESSION_SUFFIX;
        let limit = key_limit.saturating_sub(taken).saturating_add(1);
        PathLimits::new(limit, name_limit.min(limit))
    }

    pub(crate) fn file(&self, path: &StoragePath) -> String {
        format!("{}{}", self.prefix, path.relative())
    }

    /// The prefix of everything below `path`.
    pub(crate) fn below(&self, path: &StoragePath) -> String {
        if path.is_root() { self.prefix.clone() } else { format!("{}/", self.file(path)) }
    }

    pub(crate) fn path(&self, key: &str) -> Option<StoragePath> {
        let relative = key.strip_prefix(&self.prefix).filter(|rest| !rest.is_empty())?;
        StoragePath::parse(&format!("/{relative}")).ok()
    }

    /// The key of a place in a walk, by its text.
    pub(crate) fn place(&self, text: &str) -> String {
        format!("{}{}", self.prefix, text.trim_start_matches('/'))
    }

    /// Past everything that a path can name.
    pub(crate) fn past_files(&self) -> String {
        format!("{}~", self.prefix)
    }

    /// The prefix of the sessions of one path.
    pub(crate) fn sessions(&self, path: &StoragePath) -> String {
        format!("{}{UPLOADS}{}/~", self.prefix, path.relative())
    }

    pub(crate) fn session(&self, path: &StoragePath, nonce: &str) -> String {
        format!("{}{nonce}", self.sessions(path))
    }

    /// The prefix of the segments of a session. Not below the session itself: stores with real
    /// directories have no name that is both.
    pub(crate) fn segments(&self, path: &StoragePath, nonce: &str) -> String {
        format!("{}~/", self.session(path, nonce))
    }

    /// Where an upload is put together before it is moved to its path; `mark` ends in the name of its
    /// writer.
    pub(crate) fn staged(&self, path: &StoragePath, nonce: &str, mark: &str) -> String {
        let writer = mark.rsplit('.').next().unwrap_or_default();
        format!("{}{writer}", self.segments(path, nonce))
    }

    /// The prefix of the sessions at and below a path.
    pub(crate) fn sessions_within(&self, path: &StoragePath) -> String {
        let slash = if path.is_root() { "" } else { "/" };
        format!("{}{UPLOADS}{}{slash}", self.prefix, path.relative())
    }

    /// Path and nonce of a session's key; `None` for a segment and for what is foreign.
    pub(crate) fn parse_session(&self, key: &str) -> Option<(StoragePath, String)> {
        let (path, nonce) = key.strip_prefix(&self.prefix)?.strip_prefix(UPLOADS)?.rsplit_once("/~")?;
        if nonce.is_empty() || nonce.contains(['/', '~']) {
            return None;
        }
        Some((StoragePath::parse(&format!("/{path}")).ok()?, nonce.to_owned()))
    }

    /// Path and nonce of the session that a segment belongs to.
    pub(crate) fn parse_segment(&self, key: &str) -> Option<(StoragePath, String)> {
        self.parse_session(key.rsplit_once("~/")?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_distribution() {
        let path = StoragePath::parse("/docker/x").unwrap();
        for (root, key) in [
            ("", "docker/x"),
            ("/", "docker/x"),
            ("//", "docker/x"),
            ("/a", "a/docker/x"),
            ("a//b/", "a//b/docker/x"),
        ] {
            let keys = Keys::new(root);
            assert_eq!(keys.file(&path), key);
            assert_eq!(keys.path(key), Some(path.clone()));
        }
    }

    #[test]
    fn sessions_are_told_from_segments() {
        let keys = Keys::new("r");
        let path = StoragePath::parse("/a/b").unwrap();
        let key = keys.session(&path, "12");
        assert_eq!(key, "r/~uploads/a/b/~12");
        assert_eq!(keys.parse_session(&key), Some((path, "12".to_owned())));
        assert_eq!(keys.parse_segment("r/~uploads/a/b/~12~/w-1"), keys.parse_session(&key));
        assert_eq!(keys.parse_segment(&key), None);
        for foreign in [
            "r/~uploads/a/b/~12~/w-1",
            "r/~uploads/a/b/~12~",
            "r/~uploads/a/b/~12/w-1",
            "r/~uploads/a//~1",
            "~uploads/a/~1",
            "r/~uploads/a/~",
        ] {
            assert_eq!(keys.parse_session(foreign), None, "{foreign}");
        }
    }
}
