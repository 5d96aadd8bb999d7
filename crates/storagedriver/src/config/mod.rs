//! The configuration file of CNCF Distribution: its `storage:` section and `middleware.storage`
//! list, with the overrides from the environment. Needs the feature `config`.
//!
//! ```
//! use storagedriver::Configuration;
//!
//! # fn main() -> storagedriver::Result<()> {
//! let file = "
//! version: 0.1
//! storage:
//!   filesystem:
//!     rootdirectory: /var/lib/registry
//!   delete:
//!     enabled: yes
//! http:
//!   addr: :5000
//! ";
//! let environment = [("REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS".to_owned(), "50".to_owned())];
//! let configuration = Configuration::from_yaml_with_env(file, environment.into_iter())?;
//! assert_eq!(configuration.driver, "filesystem");
//! assert_eq!(configuration.parameters.get("maxthreads"), Some(&50.into()));
//! assert!(configuration.sections.delete.enabled);
//! # Ok(())
//! # }
//! ```

mod environment;
mod scalar;
mod sections;
mod yaml;

pub use sections::{
    Cache, Delete, Maintenance, ReadOnlyMode, Redirect, SECTIONS, Sections, Tag, UploadPurging,
};

use crate::{Error, Factory, Parameters, Result, Storage, Value};

/// What a configuration file says of storage.
///
/// Debug output shows the names of parameters, never their values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Configuration {
    /// The name of the one driver.
    pub driver: String,
    /// Its parameters, not yet checked.
    pub parameters: Parameters,
    /// The other keys of `storage:`.
    pub sections: Sections,
    /// The entries of `middleware.storage`, in order: each wraps the one before.
    pub middleware: Vec<Middleware>,
}

/// An entry of `middleware.storage`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Middleware {
    /// Which middleware.
    pub name: String,
    /// Whether the entry is passed over. Distribution reads this and applies the entry all the same.
    pub disabled: bool,
    /// Its options, not yet checked.
    pub options: Parameters,
}

/// The environment of this process, for [`Configuration::from_yaml_with_env`]. Variables that are
/// not UTF-8 are left out.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl Configuration {
    /// Reads a configuration file. Sections that do not concern storage are passed over.
    ///
    /// # Errors
    /// [`InvalidConfiguration`](Error::InvalidConfiguration), saying what is wrong and where.
    pub fn from_yaml(text: &str) -> Result<Self> {
        Self::from_yaml_with_env(text, std::iter::empty())
    }

    /// Reads a configuration file and applies the variables `REGISTRY_STORAGE…` and
    /// `REGISTRY_MIDDLEWARE_STORAGE…` of the environment ([`environment`]), in the order of their
    /// names.
    ///
    /// # Errors
    /// [`InvalidConfiguration`](Error::InvalidConfiguration), saying what is wrong and where.
    pub fn from_yaml_with_env(text: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self> {
        Self::read(text, env, &Factory::linked())
    }

    /// As [`from_yaml_with_env`](Self::from_yaml_with_env), with the drivers that `factory` knows:
    /// their parameters' names decide what a variable such as
    /// `REGISTRY_STORAGE_AZURE_MAX_RETRIES` sets.
    ///
    /// # Errors
    /// As [`from_yaml_with_env`](Self::from_yaml_with_env).
    pub fn read(text: &str, env: impl Iterator<Item = (String, String)>, factory: &Factory) -> Result<Self> {
        let file = yaml::parse(text)
            .map_err(|wrong| Error::invalid_configuration(format!("the file is not valid YAML: {wrong}")))?;
        let mut root = Parameters::new();
        match file {
            Value::Map(mut file) => {
                root.insert("storage", file.remove("storage").unwrap_or(Value::Null));
                root.insert("middleware", file.remove("middleware").unwrap_or(Value::Null));
            }
            Value::Null => {}
            other => {
                let reason = format!("the file holds {}, not a map with the key \"storage\"", other.kind());
                return Err(Error::invalid_configuration(reason));
            }
        }
        let mut root = Value::Map(root);
        environment::apply(&mut root, env, factory)?;
        let Value::Map(mut root) = root else {
            return Err(Error::invalid_configuration("the environment replaces the whole file"));
        };
        let storage = storage_section(root.remove("storage"))?;
        let (driver, parameters) = driver(&storage)?;
        let sections = Sections::read(&storage)?;
        let middleware = middleware(root.remove("middleware"))?;
        Ok(Configuration { driver, parameters, sections, middleware })
    }

    /// Makes the storage: the driver, and around it the middleware that is not disabled, of the
    /// crates linked into this program.
    ///
    /// # Errors
    /// As [`create_with`](Self::create_with).
    pub async fn create(&self) -> Result<Storage> {
        self.create_with(&Factory::linked()).await
    }

    /// Makes the storage of the drivers and middleware that `factory` knows.
    ///
    /// # Errors
    /// As [`Factory::create`], and [`InvalidConfiguration`](Error::InvalidConfiguration) if a
    /// middleware is not registered: nothing is made then.
    pub async fn create_with(&self, factory: &Factory) -> Result<Storage> {
        let mut wrappers = Vec::new();
        for entry in self.middleware.iter().filter(|entry| !entry.disabled) {
            let found = factory.find_middleware(&entry.name)?.ok_or_else(|| {
                let registered = match factory.middleware_names() {
                    names if names.is_empty() => "none".to_owned(),
                    names => names.join(", "),
                };
                Error::invalid_configuration(format!(
                    "storage middleware {:?} is not supported by this program; registered: {registered}. \
                     Link the crate that holds it, or set \"disabled: true\" in its entry",
                    entry.name
                ))
            })?;
            wrappers.push((found, entry.options.clone()));
        }
        let mut storage = factory.create(&self.driver, self.parameters.clone()).await?;
        for (middleware, options) in wrappers {
            storage = (middleware.wrap)(storage, options).await?;
        }
        Ok(storage)
    }
}

/// `storage:` as a map; a bare name is a driver without parameters.
fn storage_section(value: Option<Value>) -> Result<Parameters> {
    match value {
        Some(Value::Map(map)) => Ok(map),
        Some(Value::String(name)) if !name.is_empty() => Ok(Parameters::from_iter([(name, Value::Null)])),
        None | Some(Value::Null | Value::String(_)) => Err(none_given()),
        Some(other) => Err(Error::invalid_configuration(format!(
            "storage has to be a driver's name or a map, it is {}",
            other.kind()
        ))),
    }
}

fn none_given() -> Error {
    Error::invalid_configuration(
        "no storage driver is given: name one under \"storage:\", or set REGISTRY_STORAGE to its name",
    )
}

/// The one key of `storage:` that is a driver's name, and what it holds.
fn driver(storage: &Parameters) -> Result<(String, Parameters)> {
    let mut drivers = storage.iter().filter(|(name, _)| !SECTIONS.contains(name));
    let (name, value) = drivers.next().ok_or_else(none_given)?;
    if drivers.next().is_some() {
        let names: Vec<&str> = storage.names().filter(|name| !SECTIONS.contains(name)).collect();
        return Err(Error::invalid_configuration(format!(
            "storage names more than one driver: {}; keep one. Where a second comes from the environment, \
             REGISTRY_STORAGE=<name> replaces what the file says",
            names.join(", ")
        )));
    }
    match value {
        Value::Null => Ok((name.to_owned(), Parameters::new())),
        Value::Map(parameters) => Ok((name.to_owned(), parameters.clone())),
        other => Err(Error::invalid_configuration(format!(
            "storage.{name} has to be a map of parameters, it is {}",
            other.kind()
        ))),
    }
}

/// The list `middleware.storage`.
fn middleware(value: Option<Value>) -> Result<Vec<Middleware>> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Map(mut map)) => map.remove("storage"),
        Some(other) => {
            return Err(Error::invalid_configuration(format!(
                "middleware has to be a map, it is {}",
                other.kind()
            )));
        }
    };
    match list {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(entries)) => {
            entries.into_iter().enumerate().map(|(i, entry)| one(i, entry)).collect()
        }
        Some(other) => Err(Error::invalid_configuration(format!(
            "middleware.storage has to be a list, it is {}",
            other.kind()
        ))),
    }
}

fn one(index: usize, entry: Value) -> Result<Middleware> {
    let wrong = |what: &str| Error::invalid_configuration(format!("middleware.storage[{index}] {what}"));
    let Value::Map(mut entry) = entry else { return Err(wrong("has to be a map")) };
    let name = match entry.remove("name") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ => return Err(wrong("has to have a name")),
    };
    let disabled = match entry.remove("disabled") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(disabled)) => disabled,
        Some(_) => return Err(wrong("has \"disabled\", which has to be true or false")),
    };
    let options = match entry.remove("options") {
        None | Some(Value::Null) => Parameters::new(),
        Some(Value::Map(options)) => options,
        Some(_) => return Err(wrong("has \"options\", which has to be a map")),
    };
    match entry.names().next() {
        Some(key) => Err(wrong(&format!("has the unknown key {key:?}; known are name, disabled, options"))),
        None => Ok(Middleware { name, disabled, options }),
    }
}
