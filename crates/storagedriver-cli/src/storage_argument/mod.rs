//! How a storage is named on a command line.
//!
//! ```text
//! storage = name [ ":" [ pair *( "," pair ) ] ]      a driver and its parameters
//!         | "@" [ "env:" ] file                      the `storage:` section of a configuration file
//! pair    = key "=" [ "env:" | "file:" ] value       the first `=` ends the key
//! key     = part *( "." part )                       part: letters, digits, `_`, `-`
//! value   = text without `,` and `"` | quoted
//! quoted  = `"` text, each `"` in it doubled `"`
//! ```
//!
//! `env:NAME` is what the environment variable holds, `file:PATH` what the file holds, without one
//! line end at its end; both are read when the storage is opened, not before. A literal value that
//! starts with `env:` or `file:` is quoted. A file whose name starts with `env:` is `@./env:…`.
//!
//! ```
//! use storagedriver_cli::storage_argument::StorageArgument;
//!
//! let argument: StorageArgument = r#"s3:bucket=b,secretkey=env:KEY,prefix="a,b""#.parse()?;
//! assert_eq!(argument.driver(), Some("s3"));
//! assert_eq!(argument.to_string(), r#"s3:bucket=b,prefix="a,b",secretkey=env:KEY"#);
//! # Ok::<(), storagedriver_cli::storage_argument::InvalidStorageArgument>(())
//! ```

mod parse;
mod resolve;

use std::collections::BTreeMap;
use std::fmt;

/// The text by which a command line names a storage. `Display` prints what parses back, parameters
/// sorted by key; `Debug` shows no values.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageArgument(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Driver { name: String, parameters: BTreeMap<String, ValueSource> },
    Configuration { file: String, environment: bool },
}

/// Where the value of a parameter comes from.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource {
    /// It stands in the argument.
    Literal(String),
    /// The environment variable of this name holds it.
    Environment(String),
    /// This file holds it.
    File(String),
}

/// Why a text names no storage. The message shows no values, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidStorageArgument {
    reason: String,
}

impl InvalidStorageArgument {
    fn new(reason: impl Into<String>) -> Self {
        InvalidStorageArgument { reason: reason.into() }
    }
}

impl StorageArgument {
    /// A driver without parameters.
    ///
    /// # Errors
    /// A name that is not `[a-z0-9-]+`.
    pub fn of_driver(name: &str) -> Result<Self, InvalidStorageArgument> {
        parse::check_name(name)?;
        Ok(StorageArgument(Form::Driver { name: name.to_owned(), parameters: BTreeMap::new() }))
    }

    /// A configuration file. `environment`: `REGISTRY_STORAGE_*` applies to it even where a
    /// command takes two storages.
    ///
    /// # Errors
    /// An empty file name.
    pub fn of_configuration(file: &str, environment: bool) -> Result<Self, InvalidStorageArgument> {
        if file.is_empty() {
            return Err(InvalidStorageArgument::new("`@` is followed by the name of a configuration file"));
        }
        // What follows `env:` is taken as it stands, so only the other form can be mistaken.
        let file =
            if !environment && file.starts_with("env:") { format!("./{file}") } else { file.to_owned() };
        Ok(StorageArgument(Form::Configuration { file, environment }))
    }

    /// The same driver with one more parameter; `key` has its parts joined by dots.
    ///
    /// # Errors
    /// A key that breaks the grammar, that is there already, or that is both a value and the
    /// beginning of another key; a parameter for a configuration file; an empty variable or file
    /// name.
    pub fn with(mut self, key: &str, source: ValueSource) -> Result<Self, InvalidStorageArgument> {
        let Form::Driver { parameters, .. } = &mut self.0 else {
            return Err(InvalidStorageArgument::new("a configuration file takes no parameters"));
        };
        parse::check_key(key)?;
        parse::check_source(key, &source)?;
        if parameters.contains_key(key) {
            return Err(InvalidStorageArgument::new(format!("`{key}` is given twice")));
        }
        if let Some(other) = parameters.keys().find(|other| is_part_of(other, key) || is_part_of(key, other))
        {
            let reason = format!("`{other}` and `{key}`: one cannot be a value and hold others as well");
            return Err(InvalidStorageArgument::new(reason));
        }
        parameters.insert(key.to_owned(), source);
        Ok(self)
    }

    /// The name of the driver; `None` for a configuration file.
    pub fn driver(&self) -> Option<&str> {
        match &self.0 {
            Form::Driver { name, .. } => Some(name),
            Form::Configuration { .. } => None,
        }
    }

    /// The parameters, sorted by key; none for a configuration file.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &ValueSource)> {
        let parameters = match &self.0 {
            Form::Driver { parameters, .. } => Some(parameters),
            Form::Configuration { .. } => None,
        };
        parameters.into_iter().flatten().map(|(key, source)| (key.as_str(), source))
    }

    /// The configuration file, and whether the environment applies to it in any case; `None` for
    /// a driver.
    pub fn configuration(&self) -> Option<(&str, bool)> {
        match &self.0 {
            Form::Driver { .. } => None,
            Form::Configuration { file, environment } => Some((file, *environment)),
        }
    }
}

/// Whether `key` lies within the map that `outer` would be.
fn is_part_of(key: &str, outer: &str) -> bool {
    key.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

impl fmt::Display for StorageArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Driver { name, parameters } => {
                f.write_str(name)?;
                for (place, (key, source)) in parameters.iter().enumerate() {
                    let separator = if place == 0 { ':' } else { ',' };
                    write!(f, "{separator}{key}={source}")?;
                }
                Ok(())
            }
            Form::Configuration { file, environment } => {
                write!(f, "@{}{file}", if *environment { "env:" } else { "" })
            }
        }
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, text) = match self {
            ValueSource::Literal(text) => ("", text),
            ValueSource::Environment(name) => ("env:", name),
            ValueSource::File(path) => ("file:", path),
        };
        let mistakable = prefix.is_empty() && (text.starts_with("env:") || text.starts_with("file:"));
        if mistakable || text.contains([',', '"']) {
            write!(f, "{prefix}\"{}\"", text.replace('"', "\"\""))
        } else {
            write!(f, "{prefix}{text}")
        }
    }
}

impl fmt::Debug for StorageArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Driver { name, parameters } => {
                f.debug_struct("Driver").field("name", name).field("keys", &parameters.keys()).finish()
            }
            Form::Configuration { file, environment } => {
                f.debug_struct("Configuration").field("file", file).field("environment", environment).finish()
            }
        }
    }
}

impl fmt::Debug for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueSource::Literal(_) => f.write_str("Literal"),
            ValueSource::Environment(name) => f.debug_tuple("Environment").field(name).finish(),
            ValueSource::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}
