//! Whether two storages are one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Where a storage is: a driver's name and its parameters as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    driver: String,
    parameters: BTreeMap<String, String>,
}

impl Location {
    /// The storage that `driver` makes of `parameters`.
    pub fn new<K, V>(driver: impl Into<String>, parameters: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let parameters = parameters.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Location { driver: driver.into(), parameters }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.parameters.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The directory that everything lies below, cut into components.
    fn root(&self) -> Vec<String> {
        if self.driver == "filesystem" {
            let root = self.get("rootdirectory").unwrap_or("/var/lib/registry");
            let names = canonical(Path::new(root));
            return names.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        }
        let root = ["rootdirectory", "rootpath", "prefix"].iter().find_map(|key| self.get(key));
        let parts = root.unwrap_or_default().split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }
}

impl fmt::Debug for Location {
    /// Without the values: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.parameters.keys().collect();
        f.debug_struct("Location").field("driver", &self.driver).field("parameters", &keys).finish()
    }
}

/// How two storages overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// They are one.
    Equal,
    /// The first lies above the second.
    Above,
    /// The first lies below the second.
    Below,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overlap::Equal => "equal to",
            Overlap::Above => "above",
            Overlap::Below => "below",
        })
    }
}

/// The parameters that say which backend and which part of it: two storages of one driver that
/// agree on all of them are told apart only by their root directory. Credentials and tuning are
/// not among them.
const PLACE: &[&str] = &[
    "accountname",
    "authurl",
    "bucket",
    "container",
    "endpoint",
    "host",
    "namenode",
    "realm",
    "region",
    "regionendpoint",
    "scheme",
    "server",
    "service",
    "tenant",
    "tenantid",
    "url",
];

/// Whether `from` is equal to, above or below `to`: then neither can be copied to the other.
///
/// Every `inmemory` storage is another one. Directories of `filesystem` are compared as the file
/// system names them, symbolic links followed. One backend under two names is not noticed.
pub fn overlap(from: &Location, to: &Location) -> Option<Overlap> {
    if from.driver != to.driver || from.driver == "inmemory" {
        return None;
    }
    if from.driver != "filesystem" && PLACE.iter().any(|key| from.get(key) != to.get(key)) {
        return None;
    }
    let said = PLACE.iter().any(|key| from.get(key).is_some());
    if from.driver != "filesystem" && !said && from.parameters != to.parameters {
        // A driver whose parameters are not known here.
        return None;
    }
    let (from, to) = (from.root(), to.root());
    match (to.starts_with(&from), from.starts_with(&to)) {
        (true, true) => Some(Overlap::Equal),
        (true, false) => Some(Overlap::Above),
        (false, true) => Some(Overlap::Below),
        (false, false) => None,
    }
}

/// The name that the file system has for `path`; what does not exist yet keeps its own.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let Ok(found) = above.canonicalize() {
            let mut name = found;
            for part in path.strip_prefix(above).unwrap_or(Path::new("")).components() {
                match part {
                    Component::ParentDir => {
                        name.pop();
                    }
                    Component::CurDir => {}
                    _ => name.push(part),
                }
            }
            return name;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filesystem(root: &Path) -> Location {
        Location::new("filesystem", [("rootdirectory", root.to_str().unwrap())])
    }

    #[test]
    fn directories_are_compared_as_the_file_system_names_them() {
        let top = tempfile::tempdir().unwrap();
        let (a, ab) = (top.path().join("a"), top.path().join("ab"));
        std::fs::create_dir_all(a.join("b")).unwrap();
        let place = |from: &Path, to: &Path| overlap(&filesystem(from), &filesystem(to));
        assert_eq!(place(&a, &a), Some(Overlap::Equal));
        assert_eq!(place(&a, &a.join("b")), Some(Overlap::Above));
        assert_eq!(place(&a.join("new/er"), &a), Some(Overlap::Below));
        assert_eq!(place(&a, &ab), None);
        assert_eq!(place(&a, &a.join("b/..")), Some(Overlap::Equal));
        assert_eq!(place(&a, &top.path().join("new/../a")), Some(Overlap::Equal));
        assert_eq!(place(&ab, &a.join("../ab/x")), Some(Overlap::Above));
        #[cfg(unix)]
        {
            let link = top.path().join("link");
            std::os::unix::fs::symlink(&a, &link).unwrap();
            assert_eq!(place(&link, &a), Some(Overlap::Equal));
            assert_eq!(place(&link.join("b/c"), &a.join("b")), Some(Overlap::Below));
        }
        let default = Location::new("filesystem", Vec::<(String, String)>::new());
        assert_eq!(overlap(&default, &filesystem(Path::new("/var/lib/registry/x"))), Some(Overlap::Above));
    }

    #[test]
    fn buckets_are_told_apart_by_place_and_root() {
        let s3 = |bucket: &str, root: &str, key: &str| {
            Location::new("s3", [("bucket", bucket), ("rootdirectory", root), ("accesskey", key)])
        };
        assert_eq!(overlap(&s3("a", "", "k"), &s3("a", "/", "l")), Some(Overlap::Equal));
        assert_eq!(overlap(&s3("a", "x", "k"), &s3("a", "/x/y", "k")), Some(Overlap::Above));
        assert_eq!(overlap(&s3("a", "xy", "k"), &s3("a", "x", "k")), None);
        assert_eq!(overlap(&s3("a", "", "k"), &s3("b", "", "k")), None);
        let gcs = Location::new("gcs", [("bucket", "a")]);
        assert_eq!(overlap(&s3("a", "", "k"), &gcs), None);
    }

    #[test]
    fn unknown_drivers_overlap_when_they_agree_on_everything() {
        let other = |key: &str| Location::new("other", [("file", key)]);
        assert_eq!(overlap(&other("a"), &other("a")), Some(Overlap::Equal));
        assert_eq!(overlap(&other("a"), &other("b")), None);
        let memory = Location::new("inmemory", Vec::<(String, String)>::new());
        assert_eq!(overlap(&memory, &memory.clone()), None);
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", Location::new("s3", [("secretkey", "hidden")]));
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
