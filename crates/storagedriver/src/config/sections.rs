//! The sections of `storage:` that are not a driver's. They configure the registry; a program that
//! serves one reads them here, with Distribution's defaults.

use crate::{Error, ParameterTable, Parameters, Result, Value};

/// The keys of `storage:` that are not a driver's name.
pub const SECTIONS: [&str; 5] = ["maintenance", "cache", "delete", "redirect", "tag"];

crate::parameters! {
    /// `storage.delete`
    pub struct Delete for "delete" {
        /// Whether clients may delete blobs and manifests.
        enabled: Bool = false,
    }
}

crate::parameters! {
    /// `storage.redirect`
    pub struct Redirect for "redirect" {
        /// Whether content is served by the registry even where the store could serve it. Must be
        /// given if the section is.
        disable: Bool = false,
    }
}

crate::parameters! {
    /// `storage.cache`
    pub struct Cache for "cache" {
        /// Where blob descriptors are cached: `inmemory`, `redis`, or nowhere if absent.
        blobdescriptor: String { aliases: ["layerinfo"] },
        /// How many descriptors an in-memory cache holds; 0: no bound.
        blobdescriptorsize: Integer(0 ..) = 10000,
    }
}

crate::parameters! {
    /// `storage.tag`
    pub struct Tag for "tag" {
        /// How many tag lookups run at once; 0: as many as there are processors.
        concurrencylimit: Integer(0 ..) = 0,
    }
}

crate::parameters! {
    /// `storage.maintenance.uploadpurging`
    pub struct UploadPurging for "maintenance.uploadpurging" {
        /// Whether stale uploads are removed.
        enabled: Bool = true,
        /// How old an upload is when it counts as stale.
        age: Duration = "168h",
        /// How often it is looked for them.
        interval: Duration = "24h",
        /// Whether they are only logged.
        dryrun: Bool = false,
    }
}

crate::parameters! {
    /// `storage.maintenance.readonly`
    pub struct ReadOnlyMode for "maintenance.readonly" {
        /// Whether writes are refused.
        enabled: Bool = false,
    }
}

/// `storage.maintenance`
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Maintenance {
    /// How stale uploads are removed.
    pub uploadpurging: UploadPurging,
    /// Whether writes are refused.
    pub readonly: ReadOnlyMode,
}

/// Everything under `storage:` but the driver.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sections {
    /// Removal of stale uploads, and read-only mode.
    pub maintenance: Maintenance,
    /// The cache of blob descriptors.
    pub cache: Cache,
    /// Whether deletion is allowed.
    pub delete: Delete,
    /// Whether clients are sent to the store.
    pub redirect: Redirect,
    /// Bounds on tag lookups.
    pub tag: Tag,
}

/// A section of `storage:` as a map; absent and null are both empty.
fn section(storage: &Parameters, name: &str) -> Result<Parameters> {
    map(storage.get(name), &format!("storage.{name}"))
}

fn map(value: Option<&Value>, place: &str) -> Result<Parameters> {
    match value {
        None | Some(Value::Null) => Ok(Parameters::new()),
        Some(Value::Map(map)) => Ok(map.clone()),
        Some(other) => {
            Err(Error::invalid_configuration(format!("{place} has to be a map, it is {}", other.kind())))
        }
    }
}

/// Reads a section. A key that no registry of today knows is warned about, not refused: it
/// configures the registry, not the storage.
fn read<T>(
    table: &ParameterTable,
    given: Parameters,
    parse: impl FnOnce(Parameters) -> Result<T>,
) -> Result<T> {
    let mut known = Parameters::new();
    for (name, value) in given {
        if table.find(&name).is_some() {
            known.insert(name, value);
        } else {
            tracing::warn!(section = table.driver, key = name, "unknown key in the storage configuration");
        }
    }
    parse(known).map_err(|error| match error {
        Error::InvalidParameter { driver, parameter, reason } => {
            Error::invalid_configuration(format!("storage.{driver}.{parameter}: {reason}"))
        }
        other => other,
    })
}

impl Sections {
    pub(super) fn read(storage: &Parameters) -> Result<Self> {
        if storage.contains("redirect") {
            require(&section(storage, "redirect")?, "storage.redirect", &["disable"], "remove the section")?;
        }
        Ok(Sections {
            maintenance: Maintenance::read(&section(storage, "maintenance")?)?,
            cache: read(&Cache::TABLE, section(storage, "cache")?, Cache::parse)?,
            delete: read(&Delete::TABLE, section(storage, "delete")?, Delete::parse)?,
            redirect: read(&Redirect::TABLE, section(storage, "redirect")?, Redirect::parse)?,
            tag: read(&Tag::TABLE, section(storage, "tag")?, Tag::parse)?,
        })
    }
}

impl Maintenance {
    fn read(given: &Parameters) -> Result<Self> {
        for name in given.names().filter(|name| !["uploadpurging", "readonly"].contains(name)) {
            tracing::warn!(section = "maintenance", key = name, "unknown key in the storage configuration");
        }
        let purging = map(given.get("uploadpurging"), "storage.maintenance.uploadpurging")?;
        let uploadpurging = read(&UploadPurging::TABLE, purging.clone(), UploadPurging::parse)?;
        if given.contains("uploadpurging") && uploadpurging.enabled {
            let place = "storage.maintenance.uploadpurging";
            require(
                &purging,
                place,
                &["age", "interval", "dryrun"],
                "set enabled to false, or remove the section",
            )?;
        }
        let readonly = map(given.get("readonly"), "storage.maintenance.readonly")?;
        Ok(Maintenance {
            uploadpurging,
            readonly: read(&ReadOnlyMode::TABLE, readonly, ReadOnlyMode::parse)?,
        })
    }
}

/// Distribution panics where a section is given without these keys.
fn require(given: &Parameters, place: &str, keys: &[&str], otherwise: &str) -> Result<()> {
    let absent = |key: &&&str| given.get(key).is_none_or(Value::is_null);
    match keys.iter().find(absent) {
        None => Ok(()),
        Some(key) => Err(Error::invalid_configuration(format!(
            "{place} is given without {key:?}, which it needs (as in Distribution): add it, or {otherwise}"
        ))),
    }
}
