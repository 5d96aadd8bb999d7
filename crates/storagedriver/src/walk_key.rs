//! The orders of a walk, and the place of an entry in them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::{Error, Result, StoragePath};

/// The order in which a walk yields entries. Each is the same on every driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WalkOrder {
    /// By bytes of the keys, a directory's key ending in `/`: `/a-b`, `/a/`, `/a/x`, `/a0`. What
    /// flat stores list, hence the cheapest on them.
    #[default]
    Key,
    /// The children of each directory by name, depth first: `/a/`, `/a/x`, `/a-b`, `/a0`. What
    /// Distribution's fallback does, and what paging of tags and catalogue needs; one `list` per
    /// directory.
    Tree,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    File,
    Directory,
    SubtreeEnd,
}

/// A place in a walk: of a file, of a directory, or just after everything below a path.
///
/// As text it is the path, with `/` behind it for a directory and `/~` for the end of a subtree
/// (`~` sorts after every character that a path can have).
///
/// ```
/// use storagedriver::{StoragePath, WalkKey, WalkOrder};
///
/// let path = StoragePath::parse("/team/app")?;
/// assert_eq!(WalkKey::directory(&path).to_string(), "/team/app/");
/// assert_eq!(WalkKey::after_subtree(&path).to_string(), "/team/app/~");
/// let web = WalkKey::file(&StoragePath::parse("/team/app-web")?);
/// assert!(WalkKey::directory(&path).cmp_in(&web, WalkOrder::Key).is_gt());
/// assert!(WalkKey::directory(&path).cmp_in(&web, WalkOrder::Tree).is_lt());
/// # Ok::<(), storagedriver::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WalkKey {
    path: StoragePath,
    place: Place,
}

impl WalkKey {
    /// The place of the file `path`.
    pub fn file(path: &StoragePath) -> Self {
        WalkKey { path: path.clone(), place: Place::File }
    }

    /// The place of the directory `path`: before everything below it.
    pub fn directory(path: &StoragePath) -> Self {
        WalkKey { path: path.clone(), place: Place::Directory }
    }

    /// Just after everything below `path`.
    pub fn after_subtree(path: &StoragePath) -> Self {
        WalkKey { path: path.clone(), place: Place::SubtreeEnd }
    }

    /// The path that the place belongs to.
    pub fn path(&self) -> &StoragePath {
        &self.path
    }

    /// The same place below `directory`. Places keep their order so.
    pub(crate) fn moved_below(&self, directory: &StoragePath) -> Self {
        WalkKey { path: self.path.moved_below(directory), place: self.place }
    }

    fn suffix(&self) -> &'static str {
        match (self.place, self.path.is_root()) {
            (Place::File, _) | (Place::Directory, true) => "",
            (Place::Directory, false) => "/",
            (Place::SubtreeEnd, true) => "~",
            (Place::SubtreeEnd, false) => "/~",
        }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.path.as_str().bytes().chain(self.suffix().bytes())
    }

    /// Compares two places in one of the orders.
    pub fn cmp_in(&self, other: &WalkKey, order: WalkOrder) -> Ordering {
        match order {
            WalkOrder::Key => {
                // As far as both paths go, which is nearly always enough, without the suffixes.
                let (one, next) = (self.path.as_str().as_bytes(), other.path.as_str().as_bytes());
                let common = one.len().min(next.len());
                let ordering = one.get(..common).cmp(&next.get(..common));
                ordering.then_with(|| self.bytes().skip(common).cmp(other.bytes().skip(common)))
            }
            WalkOrder::Tree => {
                // The separator before every other character makes it component by component.
                let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
                self.bytes().map(rank).cmp(other.bytes().map(rank))
            }
        }
    }
}

impl fmt::Display for WalkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, self.suffix())
    }
}

impl FromStr for WalkKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let path = |above: &str| match above {
            "" => Ok(StoragePath::root()),
            "/" => Err(Error::invalid_path(text, "a component is empty")),
            _ => StoragePath::parse(above),
        };
        if let Some(above) = text.strip_suffix("/~") {
            Ok(WalkKey { path: path(above)?, place: Place::SubtreeEnd })
        } else if let Some(above) = text.strip_suffix('/') {
            Ok(WalkKey { path: path(above)?, place: Place::Directory })
        } else {
            Ok(WalkKey { path: StoragePath::parse(text)?, place: Place::File })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> WalkKey {
        text.parse().unwrap()
    }

    fn sorted(order: WalkOrder, keys: &[&str]) {
        for pair in keys.windows(2) {
            let (a, b) = (key(pair[0]), key(pair[1]));
            assert_eq!(a.cmp_in(&b, order), Ordering::Less, "{a} {b} {order:?}");
            assert_eq!(b.cmp_in(&a, order), Ordering::Greater, "{a} {b} {order:?}");
        }
    }

    #[test]
    fn the_two_orders() {
        sorted(
            WalkOrder::Key,
            &["/", "/a", "/a-b", "/a-b/", "/a.b", "/a/", "/a/-", "/a/x", "/a/x/", "/a/~", "/a0", "/~"],
        );
        sorted(
            WalkOrder::Tree,
            &[
                "/", "/a", "/a/", "/a/-", "/a/x", "/a/x/", "/a/x/~", "/a/~", "/a-b", "/a-b/", "/a.b", "/a0",
                "/~",
            ],
        );
    }

    #[test]
    fn text_and_back() {
        for text in ["/", "/~", "/a", "/a/", "/a/~", "/a/b"] {
            assert_eq!(key(text).to_string(), text);
        }
        for bad in ["", "a", "//", "//~", "/~/", "/a//", "/a~"] {
            assert!(bad.parse::<WalkKey>().is_err(), "{bad:?}");
        }
    }
}
