//! The storage to work on, as the drivers' own parameters name it.

use std::path::Path;

use serde_json::{Map, Value};

use crate::subject::Outcome;

/// A driver's name and parameters.
pub(crate) struct Parameters {
    pub(crate) driver: String,
    pub(crate) values: Map<String, Value>,
}

impl Parameters {
    /// Reads `STORAGEDRIVER_BENCH_STORAGE`: `{"driver": …, "parameters": {…}}`.
    pub(crate) fn from_environment() -> Outcome<Self> {
        let text = std::env::var("STORAGEDRIVER_BENCH_STORAGE")
            .map_err(|error| format!("STORAGEDRIVER_BENCH_STORAGE: {error}"))?;
        let value: Value = serde_json::from_str(&text)?;
        let driver = value.get("driver").and_then(Value::as_str).ok_or("the storage names no driver")?;
        let values =
            value.get("parameters").and_then(Value::as_object).ok_or("the storage has no parameters")?;
        Ok(Parameters { driver: driver.to_owned(), values: values.clone() })
    }

    /// A parameter that has to be there.
    pub(crate) fn text(&self, name: &str) -> Outcome<&str> {
        let value = self.values.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("the storage has no `{name}`").into())
    }

    /// The directory of a storage in one.
    pub(crate) fn root(&self) -> Outcome<&Path> {
        self.text("rootdirectory").map(Path::new)
    }

    /// Whether what is acknowledged survives a power cut, which is the default.
    pub(crate) fn is_durable(&self) -> bool {
        self.values.get("durability").and_then(Value::as_str) != Some("none")
    }

    /// Whether it is in memory or in a directory.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.driver.as_str(), "inmemory" | "filesystem")
    }
}
