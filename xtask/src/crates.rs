//! The crates of the workspace as cargo tells of them, and which of them are drivers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::project::{Outcome, Project, entries, output, read};

/// What lies in `crates/` and is no driver. Everything else there is one, so that a new crate cannot be forgotten.
const NO_DRIVERS: [&str; 7] = [
    "storagedriver",
    "storagedriver-cli",
    "storagedriver-middleware",
    "storagedriver-object",
    "storagedriver-systemtests",
    "storagedriver-testservers",
    "storagedriver-testsuites",
];

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    directory: PathBuf,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests ask"))]
    published: bool,
    /// The features, each with what it turns on.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests ask"))]
    features: BTreeMap<String, Vec<String>>,
}

impl Crate {
    /// Whether it registers something by which a program finds it.
    pub(crate) fn registers(&self) -> Outcome<bool> {
        let mut places = vec![self.directory.join("src")];
        while let Some(place) = places.pop() {
            for path in entries(&place)? {
                if path.is_dir() {
                    places.push(path);
                } else if read(&path)?.lines().any(|line| line.starts_with("storagedriver::register!(")) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The crates of the workspace, by name.
pub(crate) fn all(project: &Project) -> Outcome<Vec<Crate>> {
    let mut metadata = project.cargo();
    metadata.args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?)?;
    let packages =
        metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata tells no packages")?;
    let mut crates = packages.iter().map(described).collect::<Outcome<Vec<_>>>()?;
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(crates)
}

fn described(package: &Value) -> Outcome<Crate> {
    let told = |key: &str| package.get(key).ok_or_else(|| format!("cargo metadata tells no {key}"));
    let text = |key: &str| told(key)?.as_str().ok_or_else(|| format!("{key} is no text"));
    let manifest = PathBuf::from(text("manifest_path")?);
    Ok(Crate {
        name: text("name")?.to_owned(),
        directory: manifest.parent().ok_or("a manifest lies in a directory")?.to_owned(),
        // An empty list of registries: `publish = false`.
        published: told("publish")?.as_array().is_none_or(|registries| !registries.is_empty()),
        features: serde_json::from_value(told("features")?.clone())?,
    })
}

/// The crates that are drivers, by name.
pub(crate) fn drivers(project: &Project) -> Outcome<Vec<Crate>> {
    let mut drivers = all(project)?;
    let place = project.root.join("crates");
    drivers.retain(|found| found.directory.starts_with(&place) && !NO_DRIVERS.contains(&&*found.name));
    Ok(drivers)
}

#[cfg(test)]
mod tests;
