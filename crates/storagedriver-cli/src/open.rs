//! From a storage argument to an open storage.

use std::fs;

#[cfg(feature = "conformance")]
use storagedriver::Registration;
use storagedriver::config::environment;
use storagedriver::{Configuration, Factory, Parameters, Result, Storage, Value};
use storagedriver_cli::storage_argument::StorageArgument;
use storagedriver_cli::sync::Location;

use crate::arguments::StorageText;
use crate::failure::Failure;
use crate::linked::NotBuilt;

/// What a storage argument says, not opened yet.
#[derive(Clone)]
pub(crate) enum Resolved {
    /// A driver and its parameters.
    Driver { name: String, parameters: Parameters },
    /// A configuration file.
    Configuration(Box<Configuration>),
}

/// Distribution's middleware. It changes nothing but the URLs that clients are sent to, so a command
/// that tells none works on the same storage without it, without its key files and its servers.
const ABOUT_URLS_ONLY: [&str; 4] = ["alicdn", "cloudfront", "redirect", "rewrite"];

impl Resolved {
    /// Where the storage is, to tell whether two are one.
    pub(crate) fn location(&self) -> Location {
        let (name, parameters) = match self {
            Resolved::Driver { name, parameters } => (name, parameters),
            Resolved::Configuration(configuration) => (&configuration.driver, &configuration.parameters),
        };
        let mut pairs = Vec::new();
        flatten("", parameters, &mut pairs);
        Location::new(name.as_str(), pairs)
    }

    /// The driver's name.
    #[cfg(feature = "conformance")]
    pub(crate) fn driver(&self) -> &str {
        match self {
            Resolved::Driver { name, .. } => name,
            Resolved::Configuration(configuration) => &configuration.driver,
        }
    }

    /// The driver in this program; `None` if it is a program of its own: named as such, or not linked.
    #[cfg(feature = "conformance")]
    pub(crate) fn linked(&self) -> Option<Registration> {
        let named = Factory::linked().find(self.driver()).ok().flatten();
        named.filter(|driver| driver.name != "external")
    }

    /// Why the storage should not be written to, if its configuration says so.
    #[cfg(feature = "conformance")]
    pub(crate) fn forbids_writing(&self) -> Option<&'static str> {
        match self {
            Resolved::Configuration(configuration) if configuration.sections.maintenance.readonly.enabled => {
                Some("its configuration has `maintenance.readonly`")
            }
            _ => None,
        }
    }

    /// A parameter that is a number of bytes.
    #[cfg(feature = "conformance")]
    pub(crate) fn bytes(&self, parameter: &str) -> Option<u64> {
        let parameters = match self {
            Resolved::Driver { parameters, .. } => parameters,
            Resolved::Configuration(configuration) => &configuration.parameters,
        };
        match parameters.get(parameter)? {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => crate::format::parse_size(text).ok(),
            _ => None,
        }
    }

    /// Opens the storage for a command that tells no URL. Middleware that changes nothing else is left
    /// out.
    pub(crate) async fn open(mut self) -> Result<Storage> {
        if let Resolved::Configuration(configuration) = &mut self {
            for entry in &mut configuration.middleware {
                entry.disabled |= ABOUT_URLS_ONLY.contains(&entry.name.as_str());
            }
        }
        self.open_whole().await
    }

    /// Opens the storage with all that its configuration names.
    async fn open_whole(self) -> Result<Storage> {
        let factory = Factory::linked();
        match self {
            Resolved::Driver { name, parameters } => factory.create(&name, parameters).await,
            Resolved::Configuration(configuration) => configuration.create_with(&factory).await,
        }
    }
}

fn flatten(prefix: &str, parameters: &Parameters, pairs: &mut Vec<(String, String)>) {
    for (name, value) in parameters.iter() {
        let key = format!("{prefix}{name}");
        match value {
            Value::Map(map) => flatten(&format!("{key}."), map, pairs),
            Value::String(text) => pairs.push((key, text.clone())),
            Value::Bool(switch) => pairs.push((key, switch.to_string())),
            Value::Integer(number) => pairs.push((key, number.to_string())),
            Value::Float(number) => pairs.push((key, number.to_string())),
            // Neither says where a storage is.
            Value::Null | Value::List(_) => {}
        }
    }
}

/// `alone`: the command has no other storage.
fn resolve(text: &StorageText, alone: bool) -> Result<Resolved, Failure> {
    let argument: StorageArgument = text.0.parse()?;
    if let Some((file, with_environment)) = argument.configuration() {
        return configuration(file, alone || with_environment);
    }
    let name = argument.driver().unwrap_or_default().to_owned();
    let registration = Factory::linked().find(&name)?;
    let parameters = argument.resolve(registration.map(|registration| registration.table))?;
    Ok(Resolved::Driver { name, parameters })
}

fn configuration(file: &str, with_environment: bool) -> Result<Resolved, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read the configuration {file}: {error}")))?;
    let configuration = if with_environment {
        Configuration::from_yaml_with_env(&text, environment())?
    } else {
        Configuration::from_yaml(&text)?
    };
    Ok(Resolved::Configuration(Box::new(configuration)))
}

/// Resolves the only storage of a command that opens it several times.
#[cfg(feature = "conformance")]
pub(crate) fn resolve_only(text: &StorageText) -> Result<Resolved, Failure> {
    resolve(text, true)
}

/// Opens the only storage of a command that tells no URL.
pub(crate) async fn only(text: &StorageText) -> Result<Storage, Failure> {
    Ok(resolve(text, true)?.open().await?)
}

/// Opens the only storage of a command that tells the URLs clients are sent to, or tries whether it can.
/// Without its middleware the configuration would tell others, so what is not linked is a failure.
pub(crate) async fn with_all_middleware(text: &StorageText) -> Result<Storage, Failure> {
    let resolved = resolve(text, true)?;
    if let Resolved::Configuration(configuration) = &resolved
        && let Some(missing) = NotBuilt::middleware(configuration)
    {
        return Err(missing.into());
    }
    Ok(resolved.open_whole().await?)
}

/// Resolves the two storages of a command, so that they can be compared before either is opened.
pub(crate) fn resolve_pair(from: &StorageText, to: &StorageText) -> Result<(Resolved, Resolved), Failure> {
    Ok((resolve(from, false)?, resolve(to, false)?))
}
