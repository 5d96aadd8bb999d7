//! Parameters.

use std::collections::HashMap;

use storagedriver::{Parameters, Value};

use crate::proto;

/// Parameters as a message.
pub fn value_map(parameters: Parameters) -> HashMap<String, proto::Value> {
    parameters.into_iter().map(|(name, value)| (name, message(value))).collect()
}

/// The parameters of a message.
pub fn from_value_map(values: HashMap<String, proto::Value>) -> Parameters {
    values.into_iter().map(|(name, value)| (name, from_message(value))).collect()
}

fn message(value: Value) -> proto::Value {
    use proto::value::Kind;
    let kind = match value {
        Value::Null => None,
        Value::Bool(boolean) => Some(Kind::Boolean(boolean)),
        Value::Integer(integer) => Some(Kind::Integer(integer)),
        Value::Float(number) => Some(Kind::Number(number)),
        Value::String(text) => Some(Kind::Text(text)),
        Value::List(values) => {
            Some(Kind::List(proto::ValueList { values: values.into_iter().map(message).collect() }))
        }
        Value::Map(map) => Some(Kind::Map(proto::ValueMap { values: value_map(map) })),
    };
    proto::Value { kind }
}

fn from_message(value: proto::Value) -> Value {
    use proto::value::Kind;
    match value.kind {
        None => Value::Null,
        Some(Kind::Boolean(boolean)) => Value::Bool(boolean),
        Some(Kind::Integer(integer)) => Value::Integer(integer),
        Some(Kind::Number(number)) => Value::Float(number),
        Some(Kind::Text(text)) => Value::String(text),
        Some(Kind::List(list)) => Value::List(list.values.into_iter().map(from_message).collect()),
        Some(Kind::Map(map)) => Value::Map(from_value_map(map.values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_survive_and_no_message_shows_them() {
        let mut inner = Parameters::new();
        inner.insert("password", "secret-one");
        let mut parameters = Parameters::new();
        parameters.insert("null", Value::Null);
        parameters.insert("switch", true);
        parameters.insert("count", 7_i64);
        parameters.insert("ratio", 0.5);
        parameters.insert("secretkey", "secret-two");
        parameters.insert("list", vec!["secret-three", "b"]);
        parameters.insert("map", inner);
        let values = value_map(parameters.clone());
        let request = proto::OpenRequest { driver: "x".into(), parameters: values.clone() };
        let shown = format!("{request:?} {values:?} {request:#?}");
        assert!(!shown.contains("secret-"), "{shown}");
        assert!(from_value_map(values) == parameters);
    }
}
