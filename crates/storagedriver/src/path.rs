//! Paths, and the keys by which walks are ordered and resumed.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use crate::{Error, Result};

static ROOT: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("/"));

/// A path that keeps the grammar: `/`, or `^(/[A-Za-z0-9._-]+)+$` with no component `.` or `..`.
///
/// Distribution's rule (`storagedriver.PathRegexp`), made stricter: there `/../x` is a valid path
/// and leads out of the root. A path is never normalised: what breaks the grammar is refused.
/// Ordering is by bytes. Cloning is cheap.
///
/// ```
/// use storagedriver::StoragePath;
///
/// let path = StoragePath::parse("/docker/registry/v2")?;
/// assert_eq!(path.name(), "v2");
/// assert_eq!(path.parent().unwrap().as_str(), "/docker/registry");
/// assert!(StoragePath::parse("/docker/../etc").is_err());
/// # Ok::<(), storagedriver::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoragePath(Arc<str>);

/// Whether `name` may be one component of a path.
fn check_component(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("a component is empty; a path has no `//` and no trailing `/`");
    }
    if name == "." || name == ".." {
        return Err("a component is `.` or `..`; paths are never normalised");
    }
    // All of them, also past one that is not: a compiler makes one sweep of it.
    if !name.bytes().fold(true, |allowed, byte| allowed & is_allowed(byte)) {
        return Err("a component has a character other than A-Z a-z 0-9 . _ -");
    }
    Ok(())
}

/// Whether a component may have this byte.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Whether what follows a path's leading `/` is well formed, seen without taking it apart: every call on
/// storage comes by here, and a compiler makes one sweep of each of these lines. It says no to `.a`, too.
fn is_plain(rest: &[u8]) -> bool {
    let [first, next @ ..] = rest else { return false };
    let pairs = || rest.iter().zip(next);
    let allowed = rest.iter().fold(true, |allowed, &byte| allowed & (is_allowed(byte) | (byte == b'/')));
    let odd = pairs().fold(false, |odd, (&one, &next)| odd | ((one == b'/') & matches!(next, b'/' | b'.')));
    allowed && !odd && !matches!(first, b'/' | b'.') && rest.last() != Some(&b'/')
}

/// `above/name`. Walks and lists make millions of these, so that what is put together on the way to the
/// shared text stands on the stack, where it fits.
fn joined(above: &str, name: &str) -> Arc<str> {
    let mut buffer = [0; 256];
    let mut rest = &mut buffer[..];
    let mut put = |text: &str| {
        let (place, after) = std::mem::take(&mut rest).split_at_mut_checked(text.len())?;
        place.copy_from_slice(text.as_bytes());
        rest = after;
        Some(text.len())
    };
    let length = put(above).zip(put("/")).zip(put(name)).map(|((above, slash), name)| above + slash + name);
    let text = length.and_then(|length| std::str::from_utf8(buffer.get(..length)?).ok());
    text.map_or_else(|| Arc::from(format!("{above}/{name}")), Arc::from)
}

impl StoragePath {
    /// The root, `/`: valid only for `stat`, `list`, `walk` and `uploads`.
    pub fn root() -> Self {
        StoragePath(ROOT.clone())
    }

    /// Checks `path` against the grammar. The root is accepted here and refused by the operations
    /// that need a name.
    ///
    /// # Errors
    /// [`Error::InvalidPath`], naming the rule that is broken.
    pub fn parse(path: &str) -> Result<Self> {
        if path == "/" {
            return Ok(Self::root());
        }
        let Some(rest) = path.strip_prefix('/') else {
            return Err(Error::invalid_path(path, "a path starts with `/`"));
        };
        if !is_plain(rest.as_bytes()) {
            for component in rest.split('/') {
                check_component(component).map_err(|reason| Error::invalid_path(path, reason))?;
            }
        }
        Ok(StoragePath(Arc::from(path)))
    }

    /// Whether `name` is one valid component: whether [`child`](Self::child) would take it.
    pub fn is_component(name: &str) -> bool {
        check_component(name).is_ok()
    }

    /// The path of the child `name`.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] if `name` is not one valid component.
    pub fn child(&self, name: &str) -> Result<Self> {
        let above = if self.is_root() { "" } else { &self.0 };
        check_component(name).map_err(|reason| Error::invalid_path(format!("{above}/{name}"), reason))?;
        Ok(StoragePath(joined(above, name)))
    }

    /// The path of a descendant: `relative` is components joined by `/`, without a leading `/`.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] if `relative` breaks the grammar.
    pub fn join(&self, relative: &str) -> Result<Self> {
        if self.is_root() {
            Self::parse(&format!("/{relative}"))
        } else {
            Self::parse(&format!("{}/{relative}", self.0))
        }
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The path as text, always starting with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as text that is shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The path without its leading `/`: empty for the root.
    pub fn relative(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => Some(Self::root()),
            Some((parent, _)) => Some(StoragePath(Arc::from(parent))),
        }
    }

    /// The same path below `directory`: for the root, `directory` itself.
    pub(crate) fn moved_below(&self, directory: &StoragePath) -> Self {
        match (self.is_root(), directory.is_root()) {
            (true, _) => directory.clone(),
            (_, true) => self.clone(),
            // Both keep the grammar, so the whole does.
            _ => StoragePath(Arc::from(format!("{directory}{self}"))),
        }
    }

    /// The path as seen from `directory`: the root for `directory` itself; `None` if this lies elsewhere.
    pub(crate) fn seen_from(&self, directory: &StoragePath) -> Option<Self> {
        if directory.is_root() {
            return Some(self.clone());
        }
        match self.0.strip_prefix(directory.as_str())? {
            "" => Some(Self::root()),
            rest => rest.starts_with('/').then(|| StoragePath(Arc::from(rest))),
        }
    }

    /// The components, first to last; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// Whether this path lies below `ancestor`, by components: `/ab` does not lie below `/a`.
    pub fn is_below(&self, ancestor: &StoragePath) -> bool {
        if ancestor.is_root() {
            return !self.is_root();
        }
        self.0.strip_prefix(ancestor.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether this path is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &StoragePath) -> bool {
        self == ancestor || self.is_below(ancestor)
    }
}

impl fmt::Display for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for StoragePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for StoragePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoragePath {
    type Err = Error;

    fn from_str(path: &str) -> Result<Self> {
        Self::parse(path)
    }
}

impl TryFrom<&str> for StoragePath {
    type Error = Error;

    fn try_from(path: &str) -> Result<Self> {
        Self::parse(path)
    }
}

/// How long a path may be, in bytes; the grammar is ASCII, so bytes are characters.
///
/// One limit for all operations: that of the longest name a driver derives from a path. The
/// handle refuses longer paths before any I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathLimits {
    /// The longest path, its leading `/` included.
    pub path: usize,
    /// The longest component.
    pub component: usize,
}

impl PathLimits {
    /// A limit for the path and one for each component.
    pub const fn new(path: usize, component: usize) -> Self {
        PathLimits { path, component }
    }

    /// Checks `path` against the limits.
    ///
    /// # Errors
    /// [`Error::InvalidPath`], saying the limit.
    pub fn check(&self, path: &StoragePath) -> Result<()> {
        let length = path.as_str().len();
        if length > self.path {
            let reason = format!("{length} bytes long; this driver's limit is {} bytes", self.path);
            return Err(Error::invalid_path(path, reason));
        }
        if length > self.component
            && let Some(long) = path.components().map(str::len).find(|&length| length > self.component)
        {
            let reason =
                format!("a component is {long} bytes long; this driver's limit is {} bytes", self.component);
            return Err(Error::invalid_path(path, reason));
        }
        Ok(())
    }
}

impl Default for PathLimits {
    /// 4,096 bytes for a path and 255 for a component: what Linux file systems allow.
    fn default() -> Self {
        PathLimits::new(4096, 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        for good in ["/", "/a", "/a/b", "/A-Z.z_9", "/...", "/.a", "/a..", "/-", "/_", "/a/.../b"] {
            assert_eq!(StoragePath::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "abc",
            "//bcd",
            "/abc_123/",
            "/a//b",
            "/.",
            "/..",
            "/../x",
            "/a/./b",
            "/a/..",
            "/a b",
            "/ä",
            "/a\0",
            "/~",
            "/a\n",
            "//",
        ] {
            let error = StoragePath::parse(bad).unwrap_err();
            assert!(matches!(error, Error::InvalidPath { .. }), "{bad:?}");
            assert_eq!(error.path(), Some(bad));
        }
    }

    #[test]
    fn what_is_plain_is_well_formed() {
        // Every text of up to five of these characters.
        let letters = [b'/', b'.', b'a', b'~', b'-'];
        for number in 0..6_usize.pow(5) {
            let digits = (0..5).map(|place| number / 6_usize.pow(place) % 6);
            let rest: Vec<u8> =
                digits.take_while(|&digit| digit > 0).map(|digit| letters[digit - 1]).collect();
            let text = std::str::from_utf8(&rest).unwrap();
            let good = text.split('/').all(|component| check_component(component).is_ok());
            assert!(good || !is_plain(&rest), "{text:?}");
            let dotted = text.starts_with('.') || text.contains("/.");
            assert!(!good || dotted || is_plain(&rest), "{text:?}");
        }
    }

    #[test]
    fn relations_are_by_component() {
        let path = |text: &str| StoragePath::parse(text).unwrap();
        assert!(path("/a/b").is_below(&path("/a")));
        assert!(!path("/ab").is_below(&path("/a")));
        assert!(!path("/a").is_below(&path("/a")));
        assert!(path("/a").is_within(&path("/a")));
        assert!(path("/a").is_below(&StoragePath::root()));
        assert!(!StoragePath::root().is_below(&StoragePath::root()));
        assert_eq!(path("/a").parent(), Some(StoragePath::root()));
        assert_eq!(StoragePath::root().parent(), None);
        assert_eq!(StoragePath::root().name(), "");
        assert_eq!(StoragePath::root().child("x").unwrap(), path("/x"));
        assert_eq!(path("/a").join("b/c").unwrap(), path("/a/b/c"));
        assert!(path("/a").child("b/c").is_err());
        assert!(path("/a").join("../c").is_err());
        assert_eq!(path("/a/b").components().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_child_of_any_length_is_the_path_and_the_name() {
        for above in [0, 1, 100, 252, 253, 254, 255, 256, 300] {
            for name in ["x", "name", &"n".repeat(255)] {
                let directory = StoragePath::parse(&format!("/{}", "d".repeat(above))).unwrap();
                let expected = format!("{}/{name}", directory.as_str().trim_end_matches('/'));
                assert_eq!(directory.child(name).unwrap().as_str(), expected);
            }
        }
        let error = StoragePath::parse("/a").unwrap().child("..").unwrap_err();
        assert_eq!(error.path(), Some("/a/.."));
    }

    #[test]
    fn a_limit_is_said() {
        let limits = PathLimits::new(8, 4);
        let path = |text: &str| StoragePath::parse(text).unwrap();
        assert!(limits.check(&path("/abc/def")).is_ok());
        assert!(limits.check(&path("/abcd")).is_ok());
        let long = limits.check(&path("/abc/defg")).unwrap_err().to_string();
        assert!(long.contains("limit is 8 bytes"), "{long}");
        let component = limits.check(&path("/abcde")).unwrap_err().to_string();
        assert!(component.contains("limit is 4 bytes"), "{component}");
    }
}
