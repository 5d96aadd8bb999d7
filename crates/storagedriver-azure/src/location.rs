//! Where the blobs are: account, container, and how keys become URLs.

use std::fmt::Write as _;

use storagedriver::ErrorKind;
use storagedriver::url::Url;
use storagedriver_object::{StoreError, StoreResult};

/// One container of one account.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    account: String,
    container: String,
    /// The blob service of the account, without a trailing slash.
    endpoint: String,
    /// What stands before every key in a blob's name: nothing, or the slash of Distribution 2.
    lead: &'static str,
    /// The root directory as keys have it: empty, or ending in `/`.
    root: String,
}

impl Location {
    pub(crate) fn new(account: &str, container: &str, endpoint: &str, root: &str, slash: bool) -> Self {
        let root = format!("{}/", root.trim_end_matches('/'));
        Location {
            account: account.to_owned(),
            container: container.to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            lead: if slash { "/" } else { "" },
            root: root.trim_start_matches('/').to_owned(),
        }
    }

    /// The bytes of a name that are not the key's.
    pub(crate) fn lead_length(&self) -> usize {
        self.lead.len()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.endpoint.starts_with("https:")
    }

    /// The name of the blob of this key.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.lead)
    }

    /// The key of a blob of this name; `None` if it is of the other layout.
    pub(crate) fn key(&self, name: String) -> Option<String> {
        if self.lead.is_empty() { Some(name) } else { name.strip_prefix(self.lead).map(str::to_owned) }
    }

    /// The key at which the blocks of an upload to `key` are gathered. It lies below the session of
    /// the upload, so that whatever removes everything of a path finds it, and no path names it.
    pub(crate) fn staged(&self, key: &str, mark: &str, own: &str) -> String {
        let relative = key.strip_prefix(&self.root).unwrap_or(key);
        format!("{}~uploads/{relative}/~{mark}/{own}", self.root)
    }

    /// What a signature calls the blob.
    pub(crate) fn canonical(&self, key: &str) -> String {
        format!("/blob/{}/{}/{}", self.account, self.container, self.name(key))
    }

    pub(crate) fn blob(&self, key: &str) -> StoreResult<Url> {
        let name = encode_name(&self.name(key));
        let url = parse(&format!("{}/{}/{name}", self.endpoint, self.container))?;
        // A name such as `..` would lead elsewhere: to another blob, or to the container.
        if key.is_empty() || !url.path().ends_with(&format!("/{}/{name}", self.container)) {
            let reason = format!("the name {key:?} cannot be sent in a URL; nothing was done to it");
            return Err(StoreError::failed(ErrorKind::Unsupported, reason));
        }
        Ok(url)
    }

    pub(crate) fn container_url(&self, query: &[(&str, &str)]) -> StoreResult<Url> {
        Ok(with_query(parse(&format!("{}/{}", self.endpoint, self.container))?, query))
    }

    pub(crate) fn service_url(&self, query: &[(&str, &str)]) -> StoreResult<Url> {
        Ok(with_query(parse(&format!("{}/", self.endpoint))?, query))
    }
}

fn parse(text: &str) -> StoreResult<Url> {
    Url::parse(text).map_err(|error| {
        let reason = format!("{text:?} is not a URL; check serviceurl and realm");
        StoreError::failed(ErrorKind::Backend, reason).with_source(error)
    })
}

/// The URL with this query, encoded so that every server reads it alike: a space is `%20`.
pub(crate) fn with_query(mut url: Url, query: &[(&str, &str)]) -> Url {
    let pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", encode(value, false))).collect();
    url.set_query(Some(&pairs.join("&")));
    url
}

/// A name as the path of a URL. Where a component would be taken for a step up or none, the slashes
/// are encoded too: the service reads both alike, and nothing between takes such a component out.
fn encode_name(name: &str) -> String {
    let steps = name.contains('/') && name.split('/').any(|component| matches!(component, "." | ".."));
    encode(name, !steps)
}

fn encode(text: &str, keep_slash: bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (byte == b'/' && keep_slash)
        {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(root: &str, slash: bool) -> Location {
        Location::new("account", "container", "https://account.blob.core.windows.net/", root, slash)
    }

    #[test]
    fn keys_become_urls() {
        let base = "https://account.blob.core.windows.net/container";
        for (key, path) in [
            ("docker/registry/v2/x", "/docker/registry/v2/x"),
            ("~uploads/a/~1", "/~uploads/a/~1"),
            ("a//b", "/a//b"),
            ("dir/", "/dir/"),
            ("a b?c#d%2Fé+\u{1}", "/a%20b%3Fc%23d%252F%C3%A9%2B%01"),
            ("a/../b", "/a%2F..%2Fb"),
            ("./a", "/.%2Fa"),
            ("a/...", "/a/..."),
        ] {
            assert_eq!(location("", false).blob(key).unwrap().as_str(), format!("{base}{path}"), "{key}");
        }
        assert_eq!(location("", true).blob("docker/x").unwrap().as_str(), format!("{base}//docker/x"));
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_refused() {
        for key in ["", ".", ".."] {
            assert!(location("", false).blob(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn staged_blocks_lie_below_the_session() {
        let staged = |root: &str, key: &str| location(root, false).staged(key, "n", "1");
        assert_eq!(staged("", "a/b"), "~uploads/a/b/~n/1");
        assert_eq!(staged("/r/", "r/a/b"), "r/~uploads/a/b/~n/1");
        assert_eq!(staged("/", "a"), "~uploads/a/~n/1");
    }

    #[test]
    fn the_old_layout_has_a_slash_before_each_name() {
        let old = location("", true);
        assert_eq!(old.key("/docker/x".to_owned()).as_deref(), Some("docker/x"));
        assert_eq!(old.key("docker/x".to_owned()), None);
        assert_eq!(old.canonical("docker/x"), "/blob/account/container//docker/x");
    }

    #[test]
    fn queries_are_encoded_whole() {
        let url = location("", false).container_url(&[("comp", "list"), ("prefix", "a b/+&é")]).unwrap();
        assert_eq!(url.query(), Some("comp=list&prefix=a%20b%2F%2B%26%C3%A9"));
    }
}
