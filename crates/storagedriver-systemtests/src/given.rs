//! The storage that the tests are given.

use std::time::Duration;

use serde_json::Value;
use storagedriver::{Parameters, Storage};
use storagedriver_object::{ObjectDriver, ObjectOptions};
// Linked, it registers itself too.
use storagedriver_s3::{S3Options, S3Parameters};

use crate::Outcome;

/// The variable that holds the storage: `{"driver": NAME, "parameters": {…}}`.
pub const STORAGE_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

/// A storage by its name in the factory, with its parameters.
#[derive(Clone)]
pub struct GivenStorage {
    driver: String,
    parameters: serde_json::Map<String, Value>,
}

impl GivenStorage {
    /// The storage of [`STORAGE_VARIABLE`].
    ///
    /// # Errors
    /// The variable is not set, or holds no storage.
    pub fn from_environment() -> Outcome<Self> {
        let text = std::env::var(STORAGE_VARIABLE)
            .map_err(|_| format!("{STORAGE_VARIABLE} is not set: run `cargo xtask conformance s3`"))?;
        let mut given: Value = serde_json::from_str(&text)?;
        let driver = given.get("driver").and_then(Value::as_str).ok_or("no driver is given")?.to_owned();
        match given.get_mut("parameters").map(Value::take) {
            Some(Value::Object(parameters)) => Ok(GivenStorage { driver, parameters }),
            _ => Err("no parameters are given".into()),
        }
    }

    /// The same with another value of a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// A parameter that is text.
    ///
    /// # Errors
    /// There is no such parameter.
    pub fn parameter(&self, name: &str) -> Outcome<&str> {
        let value = self.parameters.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("the storage has no parameter {name}").into())
    }

    /// The name and value of every parameter that is not a map, values as text.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, String)> {
        self.parameters.iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.as_str(), text.clone())),
            Value::Bool(_) | Value::Number(_) => Some((name.as_str(), value.to_string())),
            _ => None,
        })
    }

    /// The storage below a directory of the bucket, made by the factory: nothing is shared with any
    /// other.
    ///
    /// # Errors
    /// What the factory reports.
    pub async fn open(&self, root: &str) -> Outcome<Storage> {
        Ok(storagedriver::factory::create(&self.driver, self.below(root)).await?)
    }

    /// The same for the one who clears up after all writers have ended: multipart uploads that no
    /// session names are told of at once, and not only after an hour, when the writer that could
    /// still be about to name them has surely gone.
    ///
    /// # Errors
    /// What the driver's constructor reports.
    pub fn open_without_writers(&self, root: &str) -> Outcome<Storage> {
        let backend = S3Parameters::parse(self.below(root))?.into_backend(S3Options::new("s3"))?;
        let mut options = ObjectOptions::default();
        root.clone_into(&mut options.root);
        options.orphan_age = Duration::ZERO;
        Ok(Storage::new(ObjectDriver::new(backend, options)))
    }

    fn below(&self, root: &str) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, value) in self.parameters() {
            parameters.insert(name, value);
        }
        parameters.insert("rootdirectory", root);
        parameters
    }
}
