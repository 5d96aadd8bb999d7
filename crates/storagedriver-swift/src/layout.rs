//! Where things lie in the container: Distribution's `files` and `segments`, and beside them what this driver needs to
//! know of segments.
//!
//! | name | what |
//! | --- | --- |
//! | `P/files/<path>` | content, or the manifest of a large object |
//! | `P/segments/<set>/<16 digits>` | a segment |
//! | `P/open/<path>/~<set>` | the record of an upload that was begun, until it is published or ended |
//! | `P/claims/<set>` | a claim on a set: who holds it may publish, move or remove its segments |

use ring::rand::{SecureRandom, SystemRandom};
use storagedriver_object::{StoreError, StoreResult};

use crate::uploads::hex;

/// The segments of one large object: what their names begin with, up to the last slash and without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set {
    /// Below `P/segments/`.
    pub(crate) name: String,
    /// The last number that the manifest names; 0 if it is not known.
    pub(crate) last: u32,
    /// How many segments it names; 0 if that is not known.
    pub(crate) count: usize,
}

impl Set {
    /// A set of which only the name is known.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Set { name: name.into(), last: 0, count: 0 }
    }

    /// What an object says of its set: name, last number and count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let name = words.next().filter(|name| !name.is_empty())?.to_owned();
        Some(Set { name, last: words.next()?.parse().ok()?, count: words.next()?.parse().ok()? })
    }
}

/// As [`Set::parse`] reads it.
impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.name, self.last, self.count)
    }
}

/// The names of one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// What the engine's keys begin with: `P/files/`.
    pub(crate) files: String,
    segments: String,
    open: String,
    pub(crate) claims: String,
}

impl Layout {
    pub(crate) fn new(prefix: &str) -> Self {
        let below = |place: &str| format!("{prefix}/{place}/").trim_start_matches('/').to_owned();
        Layout {
            files: below("files"),
            segments: below("segments"),
            open: below("open"),
            claims: below("claims"),
        }
    }

    /// Whether a key is one of the engine's own, which are never large.
    pub(crate) fn is_hidden(&self, key: &str) -> bool {
        key.strip_prefix(&self.files).is_none_or(|rest| rest.starts_with('~'))
    }

    /// What the names of all segments of a set begin with.
    pub(crate) fn segments_of(&self, set: &Set) -> String {
        format!("{}{}/", self.segments, set.name)
    }

    pub(crate) fn segment(&self, set: &Set, number: u32) -> String {
        format!("{}{number:016}", self.segments_of(set))
    }

    /// The number of a segment.
    pub(crate) fn number(&self, set: &Set, key: &str) -> Option<u32> {
        key.strip_prefix(&self.segments_of(set))?.parse().ok()
    }

    pub(crate) fn claim(&self, set: &Set) -> String {
        format!("{}{}", self.claims, set.name)
    }

    /// The record of an upload to `key`. A set that this driver made has one slash in its name.
    pub(crate) fn open(&self, key: &str, set: &Set) -> String {
        let path = key.strip_prefix(&self.files).unwrap_or(key);
        format!("{}{path}/~{}", self.open, set.name.replace('/', ""))
    }

    /// What the names of the records of all uploads begin with whose key begins with `prefix`.
    pub(crate) fn open_within(&self, prefix: &str) -> String {
        format!("{}{}", self.open, prefix.strip_prefix(&self.files).unwrap_or(prefix))
    }

    /// Key and id of the upload that a record is of.
    pub(crate) fn parse_open(&self, name: &str) -> Option<(String, String)> {
        let (path, id) = name.strip_prefix(&self.open)?.rsplit_once("/~")?;
        (!id.contains('/') && set_of(id).is_some()).then(|| (format!("{}{path}", self.files), id.to_owned()))
    }

    /// The set that a dynamic manifest names, if its segments lie where ours do: of others nothing is removed.
    pub(crate) fn parse_manifest(&self, container: &str, manifest: &str) -> Option<Set> {
        let manifest = crate::client::decode(manifest);
        let name = manifest.strip_prefix(container)?.strip_prefix('/')?.strip_prefix(&self.segments)?;
        let name = name.trim_end_matches('/');
        // `abc/…`: less would be the segments of many.
        let (short, long) = name.split_once('/')?;
        (short.len() == 3 && !long.is_empty()).then(|| Set::named(name))
    }
}

/// The set of an upload, by the id that the engine keeps.
pub(crate) fn set_of(id: &str) -> Option<Set> {
    let (short, long) = id.split_at_checked(3)?;
    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && long.len() > 20).then(|| Set::named(format!("{short}/{long}")))
}

/// An id that no other upload has.
pub(crate) fn new_id() -> StoreResult<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        let reason = "the system gives no random numbers";
        StoreError::failed(storagedriver::ErrorKind::Backend, reason)
    })?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_where_distribution_has_them() {
        let layout = Layout::new("/a/");
        let id = "0123456789abcdef0123456789abcdef";
        let set = set_of(id).unwrap();
        assert_eq!(layout.segment(&set, 7), "a//segments/012/3456789abcdef0123456789abcdef/0000000000000007");
        assert_eq!(layout.number(&set, &layout.segment(&set, 7)), Some(7));
        let open = layout.open("a//files/docker/x", &set);
        assert_eq!(open, format!("a//open/docker/x/~{id}"));
        assert_eq!(layout.parse_open(&open), Some(("a//files/docker/x".to_owned(), id.to_owned())));
        assert!(open.starts_with(&layout.open_within("a//files/docker/")));
        assert_eq!(Layout::new("").files, "files/");
    }

    #[test]
    fn only_segments_of_ours_are_a_set() {
        let layout = Layout::new("p");
        assert_eq!(layout.parse_manifest("c", "c/p/segments/2f6/46f63").unwrap().name, "2f6/46f63");
        assert_eq!(layout.parse_manifest("c", "c/p%2Fsegments/2f6/46f63/").unwrap().name, "2f6/46f63");
        for foreign in
            ["d/p/segments/2f6/46f63", "c/p/segments/2f6", "c/p/segments/", "c/other/2f6/46f63", "c/"]
        {
            assert_eq!(layout.parse_manifest("c", foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_the_engine_hides_is_told_from_content() {
        let layout = Layout::new("p");
        assert!(layout.is_hidden("p/files/~uploads/x/~1") && layout.is_hidden("p/claims/abc"));
        assert!(!layout.is_hidden("p/files/docker/x"));
    }
}
