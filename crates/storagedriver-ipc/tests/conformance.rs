//! The suite and a short state machine on an executable of somebody else's. `cargo xtask conformance` builds one, and
//! says in `STORAGEDRIVER_CONFORMANCE_STORAGE` which:
//!
//! ```json
//! {"driver": "example", "parameters": {"path": "kits/python/example/registry-storage-example"}, "fresh": "rootdirectory"}
//! ```
//!
//! `path` is the executable; the other parameters are the driver's. `fresh` names the one that is a new, empty directory
//! for each case; without it there is none, and each process is a store of its own.
#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

use std::path::Path;
use std::time::Duration;

use storagedriver::{Parameters, Value};
use storagedriver_testsuites::{
    OutOfProcess, Scale, register_histories, register_state_machine, register_suite,
};

const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

fn driver() -> OutOfProcess {
    let Ok(given) = std::env::var(STORAGE) else {
        panic!("{STORAGE} is not set: run `cargo xtask conformance`, which builds an executable and sets it");
    };
    let json: serde_json::Value = serde_json::from_str(&given).expect("JSON");
    let name = json.get("driver").and_then(serde_json::Value::as_str).expect("a driver");
    let parameters = json.get("parameters").and_then(serde_json::Value::as_object).expect("parameters");
    let parameters = parameters.iter().map(|(name, given)| {
        let value = match given {
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Bool(switch) => Value::from(*switch),
            serde_json::Value::Number(number) => Value::from(number.as_i64().expect("an integer")),
            _ => panic!("{STORAGE}: {name} is neither text nor number nor switch"),
        };
        (name.clone(), value)
    });
    let mut parameters: Parameters = parameters.collect();
    let Some(Value::String(executable)) = parameters.remove("path") else {
        panic!("{STORAGE}: the parameter `path` says where the executable is");
    };
    let fresh = json.get("fresh").and_then(serde_json::Value::as_str).map(str::to_owned);
    let of_a_store = move |directory: &Path| {
        let mut parameters = parameters.clone();
        if let Some(fresh) = &fresh {
            parameters.insert(fresh.as_str(), directory.display().to_string());
        }
        parameters
    };
    let mut scale = Scale::default().with_timeout(Duration::from_secs(300));
    scale.settle = Duration::from_millis(300);
    // What an interpreter needs for one call, it needs for each.
    scale.rounds = 5;
    scale.concurrency = 16;
    OutOfProcess::new(executable, of_a_store).with_driver(name).with_scale(scale)
}

register_suite!(driver());
register_state_machine!(driver(), programs = 20, steps = 30);
register_histories!(driver(), histories = 10);
