//! Overrides by environment variables: `REGISTRY_STORAGE_<DRIVER>_<PARAMETER>`.
//!
//! Distribution's rules, with their defects mended: a nested map can be overridden key by key, a
//! name that holds `_` can be set (the longest known name wins), an override replaces the key that
//! the file has in another case, and text is taken as it stands.

use super::yaml;
use super::{SECTIONS, scalar};
use crate::parameters::Kind;
use crate::{Error, Factory, ParameterTable, Parameters, Result, Value};

const PREFIX: &str = "REGISTRY_";

/// Applies the variables that concern storage, in the order of their names, so that
/// `REGISTRY_STORAGE` comes before `REGISTRY_STORAGE_S3_BUCKET`.
pub(super) fn apply(
    root: &mut Value,
    variables: impl Iterator<Item = (String, String)>,
    factory: &Factory,
) -> Result<()> {
    let mut concerned: Vec<(String, String)> = variables
        .filter(|(name, _)| {
            name.strip_prefix(PREFIX).is_some_and(|rest| {
                let first = rest.split('_').next();
                first == Some("STORAGE") || first == Some("MIDDLEWARE")
            })
        })
        .collect();
    concerned.sort();
    for (name, payload) in &concerned {
        let path: Vec<&str> = name.strip_prefix(PREFIX).unwrap_or_default().split('_').collect();
        let variable = Variable { name, payload, factory };
        if path.iter().any(|part| part.is_empty()) {
            return Err(variable.error("its name has an empty part"));
        }
        variable.set(root, &Place::Root, &path)?;
    }
    Ok(())
}

struct Variable<'a> {
    name: &'a str,
    payload: &'a str,
    factory: &'a Factory,
}

/// Where in the configuration a variable leads, as far as that is known.
enum Place {
    Root,
    Storage,
    /// Below a driver or middleware whose parameters are known; the names here begin with the text.
    Table(&'static ParameterTable, String),
    Middleware,
    MiddlewareList,
    MiddlewareEntry,
    /// A parameter that is text: its value is taken as it stands.
    Text,
    List,
    /// A map parameter: any name, and what is left of the variable's name is one.
    FreeMap,
    /// Nothing is known: each part of the variable's name leads one map deeper.
    Unknown,
}

impl Variable<'_> {
    /// The value is not shown: it may be a secret.
    fn error(&self, wrong: &str) -> Error {
        Error::invalid_configuration(format!("environment variable {}: {wrong}", self.name))
    }

    fn set(&self, value: &mut Value, place: &Place, path: &[&str]) -> Result<()> {
        let Some((first, rest)) = path.split_first() else {
            *value = self.parsed(place)?;
            return Ok(());
        };
        if value.is_null() {
            *value = match place {
                Place::MiddlewareList | Place::List => Value::List(Vec::new()),
                _ => Value::Map(Parameters::new()),
            };
        }
        if let (Place::Storage, Value::String(driver)) = (place, &*value) {
            *value = Value::Map(Parameters::from_iter([(driver.clone(), Value::Null)]));
        }
        match value {
            Value::Map(map) => self.set_in_map(map, place, path),
            Value::List(items) => {
                let child = if matches!(place, Place::MiddlewareList) {
                    Place::MiddlewareEntry
                } else {
                    Place::Unknown
                };
                let item = self.item(items, first)?;
                self.set(item, &child, rest)
            }
            other => Err(self.error(&format!("it leads into {}, not a map", other.kind()))),
        }
    }

    /// The item of this index; the one after the last is added.
    fn item<'v>(&self, items: &'v mut Vec<Value>, index: &str) -> Result<&'v mut Value> {
        let length = items.len();
        let index: usize = index
            .parse()
            .map_err(|_| self.error(&format!("{index:?} is not an index into the list it leads into")))?;
        if index == length {
            items.push(Value::Null);
        }
        items
            .get_mut(index)
            .ok_or_else(|| self.error(&format!("index {index} is past the end of a list of {length}")))
    }

    fn set_in_map(&self, map: &mut Parameters, place: &Place, path: &[&str]) -> Result<()> {
        let (key, used) = self.key(map, place, path);
        let rest = path.get(used..).unwrap_or_default();
        if rest.is_empty()
            && let Place::Table(table, prefix) = place
        {
            remove_other_names(map, table, prefix, &key);
        }
        let child = self.below(place, &key, map);
        let mut value = map.remove(&key).unwrap_or(Value::Null);
        self.set(&mut value, &child, rest)?;
        map.insert(key, value);
        Ok(())
    }

    /// The key that the first parts of the path name, and how many parts those are: the longest
    /// that the map has or the place knows, else what Distribution would take.
    fn key(&self, map: &Parameters, place: &Place, path: &[&str]) -> (String, usize) {
        let known = self.known(place);
        for used in (1..=path.len()).rev() {
            let joined = path.get(..used).unwrap_or_default().join("_");
            let matches = |name: &&str| match place {
                // A driver's name may hold a hyphen, a variable's may not.
                Place::Storage => name.replace('-', "_").eq_ignore_ascii_case(&joined),
                _ => name.eq_ignore_ascii_case(&joined),
            };
            let held = map.names().find(matches);
            if let Some(name) = held.or_else(|| known.iter().copied().find(matches)) {
                return (name.to_owned(), used);
            }
        }
        let used = match place {
            Place::Table(..) | Place::FreeMap => path.len(),
            _ => 1,
        };
        (path.get(..used).unwrap_or_default().join("_").to_lowercase(), used)
    }

    fn known(&self, place: &Place) -> Vec<&'static str> {
        match place {
            Place::Root => vec!["storage", "middleware"],
            Place::Storage => {
                let drivers = self.factory.registered();
                SECTIONS.into_iter().chain(drivers.iter().map(|driver| driver.name)).collect()
            }
            Place::Table(table, prefix) => {
                let below = table.names().filter_map(|name| {
                    let head = name.get(..prefix.len())?;
                    head.eq_ignore_ascii_case(prefix).then(|| name.get(prefix.len()..)).flatten()
                });
                below.filter_map(|name| name.split('.').next()).collect()
            }
            Place::Middleware => vec!["storage"],
            Place::MiddlewareEntry => vec!["name", "disabled", "options"],
            Place::MiddlewareList | Place::Text | Place::List | Place::FreeMap | Place::Unknown => Vec::new(),
        }
    }

    fn below(&self, place: &Place, key: &str, map: &Parameters) -> Place {
        match place {
            Place::Root if key == "storage" => Place::Storage,
            Place::Root if key == "middleware" => Place::Middleware,
            Place::Storage => match self.factory.find(key) {
                Ok(Some(driver)) => Place::Table(driver.table, String::new()),
                _ => Place::Unknown,
            },
            Place::Table(table, prefix) => {
                let name = format!("{prefix}{key}");
                if table.is_group(&name) {
                    return Place::Table(table, format!("{name}."));
                }
                match table.find(&name).map(|parameter| parameter.kind) {
                    Some(Kind::String | Kind::Secret | Kind::Path) => Place::Text,
                    Some(Kind::List) => Place::List,
                    Some(Kind::Map) => Place::FreeMap,
                    _ => Place::Unknown,
                }
            }
            Place::Middleware if key == "storage" => Place::MiddlewareList,
            Place::MiddlewareEntry if key == "options" => match map.get("name") {
                Some(Value::String(name)) => match self.factory.find_middleware(name) {
                    Ok(Some(middleware)) => Place::Table(middleware.table, String::new()),
                    _ => Place::Unknown,
                },
                _ => Place::Unknown,
            },
            _ => Place::Unknown,
        }
    }

    /// The variable's value, as YAML. Text is taken as it stands unless it is quoted: to YAML the
    /// secret `0123` is 83, and `a #b` ends before the `#`.
    fn parsed(&self, place: &Place) -> Result<Value> {
        let text = self.payload.trim();
        if matches!(place, Place::Text) {
            return Ok(match (scalar::plain(text), yaml::quoted(text)) {
                (Value::Null, _) => Value::Null,
                (_, Some(inner)) => Value::String(inner.into_owned()),
                _ => Value::String(text.to_owned()),
            });
        }
        yaml::parse(text).map_err(|_| self.error("its value is not valid YAML; put text in quotes"))
    }
}

/// Takes out what the file says of the same parameter under another name or in another case.
fn remove_other_names(map: &mut Parameters, table: &ParameterTable, prefix: &str, key: &str) {
    let Some(parameter) = table.find(&format!("{prefix}{key}")) else { return };
    let same = |name: &&str| {
        *name != key
            && table.find(&format!("{prefix}{name}")).is_some_and(|other| other.name == parameter.name)
    };
    let others: Vec<String> = map.names().filter(same).map(str::to_owned).collect();
    for other in others {
        map.remove(&other);
    }
}
