//! From a storage argument to an open storage.

use storagedriver::{Factory, Parameters, Result, Storage, Value};
use storagedriver_cli::storage_argument::StorageArgument;
use storagedriver_cli::sync::Location;

use crate::arguments::StorageText;
use crate::failure::Failure;

/// A driver's name and its parameters, not opened yet.
pub(crate) struct Resolved {
    driver: String,
    parameters: Parameters,
}

impl Resolved {
    /// Where the storage is, to tell whether two are one.
    pub(crate) fn location(&self) -> Location {
        let mut pairs = Vec::new();
        flatten("", &self.parameters, &mut pairs);
        Location::new(&*self.driver, pairs)
    }

    /// Opens the storage.
    pub(crate) async fn open(self) -> Result<Storage> {
        Factory::linked().create(&self.driver, self.parameters).await
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

fn resolve(text: &StorageText, alone: bool) -> Result<Resolved, Failure> {
    let argument: StorageArgument = text.0.parse()?;
    if let Some((file, environment)) = argument.configuration() {
        let _ = (file, environment, alone);
    }
    let driver = argument.driver().unwrap_or_default().to_owned();
    // A name that two crates registered is refused when it is created.
    let registration = Factory::linked().find(&driver)?;
    let parameters = argument.resolve(registration.map(|registration| registration.table))?;
    Ok(Resolved { driver, parameters })
}

/// Opens the only storage of a command.
pub(crate) async fn only(text: &StorageText) -> Result<Storage, Failure> {
    Ok(resolve(text, true)?.open().await?)
}

/// Resolves the two storages of a command, so that they can be compared before either is opened.
pub(crate) fn resolve_pair(from: &StorageText, to: &StorageText) -> Result<(Resolved, Resolved), Failure> {
    Ok((resolve(from, false)?, resolve(to, false)?))
}
