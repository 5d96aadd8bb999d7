//! From a value as given to the value of a parameter's kind.

use std::path::PathBuf;
use std::time::Duration;

use super::{Kind, Secret, duration, size};
use crate::{Parameters, Value};

/// Makes a value of a kind's type. `Ok(None)`: what was given counts as nothing. The error says
/// what is wrong with the value ("is not a size"), never the value.
pub(crate) type Converted<T> = Result<Option<T>, String>;

/// The type that a kind gives. Implemented by the markers in [`kinds`].
#[doc(hidden)]
pub trait FromValue {
    type Output;

    fn from_value(kind: &Kind, value: &Value) -> Result<Option<Self::Output>, String>;
}

/// One marker type for each kind, under the kind's name.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod kinds {
    macro_rules! markers {
        ($($name:ident)*) => { $(#[derive(Debug)] pub enum $name {})* };
    }
    markers!(String Bool Integer Bytes Duration Choice List Map Secret Path Limit);
}

fn wrong_kind<T>(value: &Value) -> Converted<T> {
    Err(format!("is {}", value.kind()))
}

/// The text of a scalar. As Distribution, an integer or a boolean counts as its text. A float does
/// not: `1e7` would become `1e+07` or `10000000`, neither of which was written.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Bool(switch) => Ok(switch.to_string()),
        Value::Float(_) => Err(format!("is {}: put it in quotes", value.kind())),
        other => Err(format!("is {}", other.kind())),
    }
}

impl FromValue for kinds::String {
    type Output = String;

    fn from_value(_: &Kind, value: &Value) -> Converted<String> {
        Ok(Some(text(value)?))
    }
}

impl FromValue for kinds::Secret {
    type Output = Secret;

    fn from_value(_: &Kind, value: &Value) -> Converted<Secret> {
        Ok(Some(Secret::new(text(value)?)).filter(|secret| !secret.reveal().is_empty()))
    }
}

impl FromValue for kinds::Path {
    type Output = PathBuf;

    fn from_value(_: &Kind, value: &Value) -> Converted<PathBuf> {
        match text(value)? {
            text if text.is_empty() => Err("is empty".to_owned()),
            text if text.contains('\0') => Err("holds a NUL character".to_owned()),
            text => Ok(Some(PathBuf::from(text))),
        }
    }
}

impl FromValue for kinds::Bool {
    type Output = bool;

    fn from_value(_: &Kind, value: &Value) -> Converted<bool> {
        match value {
            Value::Bool(switch) => Ok(Some(*switch)),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Ok(Some(true)),
                "false" | "f" | "no" | "n" | "off" | "0" => Ok(Some(false)),
                _ => Err("is not a boolean".to_owned()),
            },
            other => wrong_kind(other),
        }
    }
}

/// Decimal, with a sign; `0x`, `0o` and `0b` as Go reads them. A leading zero is octal to some
/// readers and decimal to others, so it is refused.
fn integer(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("has a leading zero, which could mean octal".to_owned());
    }
    let magnitude = i128::from(unsigned(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| "is too large".to_owned())
}

/// As Go's `strconv.ParseUint(text, 0, 64)`, without underscores.
fn unsigned(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = if let Some(digits) = lower.strip_prefix("0x") {
        (digits, 16)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (digits, 8)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (digits, 2)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (lower.trim_start_matches('0'), 8)
    } else {
        (lower.as_str(), 10)
    };
    if digits.is_empty() && lower.len() > 1 && lower.bytes().all(|b| b == b'0') {
        return Ok(0);
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("is not a whole number".to_owned());
    }
    u64::from_str_radix(digits, radix).map_err(|_| "is too large".to_owned())
}

/// A float that is a whole number counts as one: `1e7` in YAML. 2^53 bounds what a float can count.
fn whole(number: f64) -> Result<i64, String> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= LIMIT {
        Ok(number as i64)
    } else {
        Err("is not a whole number".to_owned())
    }
}

impl FromValue for kinds::Integer {
    type Output = i64;

    fn from_value(kind: &Kind, value: &Value) -> Converted<i64> {
        let number = match value {
            Value::Integer(number) => *number,
            Value::Float(number) => whole(*number)?,
            Value::String(text) => integer(text)?,
            other => return wrong_kind(other),
        };
        match kind {
            Kind::Integer { min, max } if number < *min || number > *max => Err("is out of range".to_owned()),
            _ => Ok(Some(number)),
        }
    }
}

impl FromValue for kinds::Bytes {
    type Output = u64;

    fn from_value(kind: &Kind, value: &Value) -> Converted<u64> {
        let number = match value {
            Value::Integer(number) => u64::try_from(*number).map_err(|_| "is negative".to_owned())?,
            Value::Float(number) => u64::try_from(whole(*number)?).map_err(|_| "is negative".to_owned())?,
            Value::String(text) => size::parse(text)?,
            other => return wrong_kind(other),
        };
        match kind {
            Kind::Bytes { min, max } if number < *min || number > *max => {
                Err(format!("is out of range ({number} bytes)"))
            }
            _ => Ok(Some(number)),
        }
    }
}

impl FromValue for kinds::Duration {
    type Output = Duration;

    fn from_value(kind: &Kind, value: &Value) -> Converted<Duration> {
        let span = match value {
            Value::Integer(0) => Duration::ZERO,
            Value::Integer(_) | Value::Float(_) => return Err("has no unit".to_owned()),
            Value::String(text) => duration::parse(text)?,
            other => return wrong_kind(other),
        };
        match kind {
            Kind::Duration { min, max } if span < *min || span > *max => Err("is out of range".to_owned()),
            _ => Ok(Some(span)),
        }
    }
}

impl FromValue for kinds::Choice {
    type Output = &'static str;

    fn from_value(kind: &Kind, value: &Value) -> Converted<&'static str> {
        let Kind::Choice(choices) = kind else { return Ok(None) };
        let find = |word: &str| choices.iter().copied().find(|choice| choice.eq_ignore_ascii_case(word));
        let found = match value {
            // YAML 1.1 makes a boolean of the word `off`.
            Value::Bool(true) => ["true", "yes", "on"].into_iter().find_map(find),
            Value::Bool(false) => ["false", "no", "off"].into_iter().find_map(find),
            other => find(text(other)?.trim()),
        };
        found.map(Some).ok_or_else(|| "is not one of the choices".to_owned())
    }
}

impl FromValue for kinds::List {
    type Output = Vec<String>;

    fn from_value(_: &Kind, value: &Value) -> Converted<Vec<String>> {
        match value {
            Value::List(items) => items
                .iter()
                .map(|item| text(item).map_err(|wrong| format!("has an item that {wrong}")))
                .collect::<Result<_, _>>()
                .map(Some),
            Value::Map(_) => wrong_kind(value),
            scalar => Ok(Some(
                text(scalar)?
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )),
        }
    }
}

impl FromValue for kinds::Map {
    type Output = Parameters;

    fn from_value(_: &Kind, value: &Value) -> Converted<Parameters> {
        match value {
            Value::Map(map) => Ok(Some(map.clone())),
            other => wrong_kind(other),
        }
    }
}

impl FromValue for kinds::Limit {
    type Output = u64;

    fn from_value(kind: &Kind, value: &Value) -> Converted<u64> {
        let number = match value {
            Value::Integer(number) => u64::try_from(*number).unwrap_or(0),
            Value::String(text) => unsigned(text.trim())?,
            other => return wrong_kind(other),
        };
        match kind {
            Kind::Limit { min } => Ok(Some(number.max(*min))),
            _ => Ok(Some(number)),
        }
    }
}
