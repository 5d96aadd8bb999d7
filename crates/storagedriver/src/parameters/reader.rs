//! Takes the values of a table's parameters out of what was given.

use std::collections::BTreeMap;

use super::convert::FromValue;
use super::nearest::nearest;
use super::{Kind, Parameter, ParameterTable, Presence};
use crate::{Error, Parameters, Result, Value};

/// The values given to a driver, each known to belong to a parameter. For [`parameters!`].
///
/// [`parameters!`]: crate::parameters!
#[doc(hidden)]
#[derive(Debug)]
pub struct Reader {
    table: &'static ParameterTable,
    /// By the table's own name for the parameter: the name as given, and the value.
    given: BTreeMap<&'static str, (String, Value)>,
}

impl Reader {
    /// Sorts what was given by parameter; an unknown or refused name is an error.
    pub fn new(table: &'static ParameterTable, parameters: Parameters) -> Result<Self> {
        let mut reader = Reader { table, given: BTreeMap::new() };
        reader.take_in("", parameters)?;
        Ok(reader)
    }

    fn take_in(&mut self, prefix: &str, parameters: Parameters) -> Result<()> {
        for (key, value) in parameters {
            let name = format!("{prefix}{key}");
            match value {
                Value::Map(inner) if self.table.is_group(&name) => {
                    self.take_in(&format!("{name}."), inner)?
                }
                Value::Null if self.table.is_group(&name) => {}
                value => self.take_one(name, value)?,
            }
        }
        Ok(())
    }

    fn take_one(&mut self, name: String, value: Value) -> Result<()> {
        let table = self.table;
        if let Some(note) = table.refused.iter().find(|note| table.same(note.name, &name)) {
            return Err(self.error(&name, format!("is not supported: {}", note.reason)));
        }
        if let Some(note) = table.ignored.iter().find(|note| table.same(note.name, &name)) {
            tracing::warn!(
                driver = table.driver,
                parameter = name,
                "parameter has no effect: {}",
                note.reason
            );
            return Ok(());
        }
        let Some(parameter) = table.find(&name) else {
            return Err(self.unknown(&name));
        };
        if value.is_null() {
            return Ok(());
        }
        if let Some(note) = parameter.deprecated {
            tracing::warn!(driver = table.driver, parameter = name, "parameter is deprecated: {note}");
        }
        match self.given.get(parameter.name) {
            Some((other, held)) if *held != value => {
                Err(self.error(&name, format!("is given twice, with different values: also as {other:?}")))
            }
            _ => {
                self.given.insert(parameter.name, (name, value));
                Ok(())
            }
        }
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&'static str> = self.table.parameters.iter().map(|parameter| parameter.name).collect();
        let hint = match nearest(name, self.table.names()) {
            Some(near) => format!("is unknown; did you mean {near:?}?"),
            None if known.is_empty() => "is unknown; this driver has no parameters".to_owned(),
            None => format!("is unknown; known are {}", known.join(", ")),
        };
        self.error(name, hint)
    }

    fn error(&self, name: &str, reason: String) -> Error {
        Error::invalid_parameter(self.table.driver, name, reason)
    }

    fn parameter(&self, field: &str) -> Result<&'static Parameter> {
        let found = self.table.parameters.iter().find(|parameter| parameter.field == field);
        found.ok_or_else(|| self.error(field, "is missing in the table of the driver".to_owned()))
    }

    /// The value of a parameter that may be absent.
    pub fn optional<K: FromValue>(&self, field: &str) -> Result<Option<K::Output>> {
        let parameter = self.parameter(field)?;
        if let Some((name, value)) = self.given.get(parameter.name) {
            // An empty string is what Distribution takes for "not given".
            if !(matches!(value, Value::String(text) if text.is_empty()) && empty_is_absent(parameter)) {
                let converted = K::from_value(&parameter.kind, value);
                return converted.map_err(|wrong| self.wrong(parameter, name, value, &wrong));
            }
        }
        match parameter.presence {
            Presence::Default(text) => {
                let value = Value::String(text.to_owned());
                let converted = K::from_value(&parameter.kind, &value);
                converted.map_err(|wrong| self.wrong(parameter, parameter.name, &value, &wrong))
            }
            Presence::RequiredUnless(other) if !self.is_given(other) => Err(self.error(
                parameter.name,
                format!("is required unless {other:?} is given; allowed: {}", parameter.kind),
            )),
            _ => Ok(None),
        }
    }

    /// The value of a parameter that is required or has a default.
    pub fn value<K: FromValue>(&self, field: &str) -> Result<K::Output> {
        let parameter = self.parameter(field)?;
        self.optional::<K>(field)?
            .ok_or_else(|| self.error(parameter.name, format!("is required; allowed: {}", parameter.kind)))
    }

    fn is_given(&self, name: &str) -> bool {
        let empty = |value: &Value| matches!(value, Value::String(text) if text.is_empty());
        self.given.get(name).is_some_and(|(_, value)| !empty(value))
    }

    fn wrong(&self, parameter: &Parameter, name: &str, value: &Value, wrong: &str) -> Error {
        let given = match (parameter.kind, shown(value)) {
            (Kind::Secret, _) | (_, None) => "what was given".to_owned(),
            (_, Some(text)) => text,
        };
        self.error(name, format!("{given} {wrong}; allowed: {}", parameter.kind))
    }
}

/// Whether an empty string means that the parameter was left out.
fn empty_is_absent(parameter: &Parameter) -> bool {
    let text = matches!(parameter.kind, Kind::String | Kind::Secret | Kind::Path | Kind::Choice(_));
    text && !matches!(parameter.presence, Presence::Default(_))
}

/// A value as an error quotes it; nothing for lists and maps, which may hold secrets.
fn shown(value: &Value) -> Option<String> {
    const LONGEST: usize = 80;
    match value {
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::String(text) if text.chars().count() > LONGEST => {
            Some(format!("{:?}…", text.chars().take(LONGEST).collect::<String>()))
        }
        Value::String(text) => Some(format!("{text:?}")),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
