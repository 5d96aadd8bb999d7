//! The whole suite and a short state machine against a server that is given by
//! `STORAGEDRIVER_CONFORMANCE_STORAGE`. `cargo xtask conformance azure` starts one and runs this.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod stores;

use std::time::Duration;

use serde_json::Value as Json;
use storagedriver::{Parameters, Value};
use storagedriver_testsuites::{Scale, register_state_machine, register_suite};
use stores::Container;

const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

fn container() -> Container {
    let given = std::env::var(STORAGE).unwrap_or_else(|_| {
        panic!("{STORAGE} is not set: run `cargo xtask conformance azure`, which starts a server")
    });
    let json: Json = serde_json::from_str(&given).unwrap();
    assert_eq!(json["driver"], "azure");
    let Value::Map(parameters) = value(&json["parameters"]) else {
        panic!("{STORAGE}: parameters are no map")
    };
    let mut scale = Scale::network();
    scale.settle = Duration::from_millis(300);
    scale.timeout = Duration::from_secs(240);
    Container { parameters, scale }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Integer)
        }
        Json::String(text) => Value::String(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(members) => Value::Map(
            members.iter().map(|(name, member)| (name.clone(), value(member))).collect::<Parameters>(),
        ),
    }
}

register_suite!(container());
register_state_machine!(container(), programs = 20, steps = 30);
