//! The URL that paths are put behind.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use storagedriver::url::Url;

/// Everything but what a URL may hold unencoded anywhere (RFC 3986, unreserved characters).
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text cannot be used as a URL, or as a part of one. Does not quote the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidUrl(pub(crate) String);

/// Where another server keeps the same content: `http` or `https`, a host, and the path that stands
/// before every path of the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads `https://mirror.example.com/layers`; a slash at the end makes no difference.
    ///
    /// # Errors
    /// It is no URL, its scheme is neither `http` nor `https`, or it has a user, a query or a
    /// fragment: clients would be told the first, and the others cannot stand before a path.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let invalid = |reason: &str| Err(InvalidUrl(reason.to_owned()));
        if !text.contains("://") {
            return invalid("has no scheme; allowed is a URL such as https://mirror.example.com/layers");
        }
        let url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(error) => return Err(InvalidUrl(format!("is no URL: {error}"))),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return invalid(
                "has a scheme that clients of a registry do not follow; allowed are http and https",
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("holds a user or a password, which every client would be told; leave it out");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return invalid("has a query or a fragment, which cannot stand before a path; leave it out");
        }
        Ok(BaseUrl(url))
    }

    /// The URL of `path`, which may begin with a slash; what a URL cannot hold is percent-encoded.
    pub fn join(&self, path: &str) -> Url {
        let mut whole = self.0.path().trim_end_matches('/').to_owned();
        for component in path.strip_prefix('/').unwrap_or(path).split('/') {
            whole.push('/');
            whole.extend(utf8_percent_encode(component, ENCODED));
        }
        let mut url = self.0.clone();
        url.set_path(&whole);
        url
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_behind_the_base() {
        let join = |base: &str, path: &str| BaseUrl::parse(base).unwrap().join(path).to_string();
        assert_eq!(join("https://h", "/a/b"), "https://h/a/b");
        assert_eq!(join("https://h/", "a/b"), "https://h/a/b");
        assert_eq!(join("http://h:81/c/d", "/a"), "http://h:81/c/d/a");
        assert_eq!(join("http://h:81/c/d/", "/a"), "http://h:81/c/d/a");
        assert_eq!(join("https://h/x%20y", "/a b/+?#%ä"), "https://h/x%20y/a%20b/%2B%3F%23%25%C3%A4");
        assert_eq!(join("https://[::1]:9000", "/a//b/"), "https://[::1]:9000/a//b/");
    }

    #[test]
    fn what_cannot_stand_before_a_path_is_refused_and_not_quoted() {
        for (text, says) in [
            ("", "scheme"),
            ("h.example/secret", "scheme"),
            ("https://", "no URL"),
            ("ftp://h/secret", "http and https"),
            ("s3://secret/b", "http and https"),
            ("https://user:secret@h/", "password"),
            ("https://secret@h/", "password"),
            ("https://h/?key=secret", "query"),
            ("https://h/?", "query"),
            ("https://h/#secret", "fragment"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
