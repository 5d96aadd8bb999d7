//! Parameters as a JSON map, as Distribution once passed them.

use serde_json::Value as Json;
use storagedriver::{Parameters, Value};

/// The parameters of a JSON map.
///
/// # Errors
/// Where the text is wrong, without showing it.
pub(super) fn parse(text: &str) -> Result<Parameters, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("the parameters are no JSON: line {line}, column {column} is wrong; see --help")
    })?;
    let Json::Object(map) = json else {
        return Err("the parameters are JSON, but no map; see --help".to_owned());
    };
    map.into_iter().map(|(name, json)| value(json).map(|value| (name, value))).collect()
}

fn value(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Bool(boolean),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None if number.is_u64() => return Err("a number of the parameters is too large".to_owned()),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text),
        Json::Array(values) => Value::List(values.into_iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let map = map.into_iter().map(|(name, json)| value(json).map(|value| (name, value)));
            Value::Map(map.collect::<Result<_, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kinds() {
        let text = r#"{"a": null, "b": true, "c": -7, "d": 0.5, "e": "x", "f": ["y", 1], "g": {"h": "z"}}"#;
        let parameters = parse(text).unwrap();
        let mut expected = Parameters::new();
        expected.insert("a", Value::Null);
        expected.insert("b", true);
        expected.insert("c", -7_i64);
        expected.insert("d", 0.5);
        expected.insert("e", "x");
        expected.insert("f", Value::List(vec!["y".into(), 1_i64.into()]));
        expected.insert("g", Parameters::from_iter([("h", "z")]));
        assert!(parameters == expected);
        assert!(parse(r#"{"a": 18446744073709551615}"#).unwrap_err().contains("too large"));
    }
}
