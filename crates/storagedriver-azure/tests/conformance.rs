//! The whole suite and a short state machine against a server that is given by
//! `STORAGEDRIVER_CONFORMANCE_STORAGE`. `cargo xtask conformance azure` starts one and runs this.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod stores;

use std::time::Duration;

use serde_json::Value as Json;
use storagedriver::{Parameters, RedirectRequest, Value};
use storagedriver_testsuites::{Harness as _, Scale, register_state_machine, register_suite};
use stores::Container;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

/// Another implementation of the rules of signatures takes ours.
#[tokio::test]
async fn signed_urls_are_taken() {
    let store = container().open().await.unwrap();
    let storage = store.storage();
    storage.put_content("/a/b.c", "content").await.unwrap();
    let url = storage.redirect_url(&RedirectRequest::get(), "/a/b.c").await.unwrap().unwrap();
    assert_eq!(url.scheme(), "http", "the test speaks no TLS");
    let host = format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap());
    let get = async |target: &str| {
        let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    };
    let reply = get(&format!("{}?{}", url.path(), url.query().unwrap())).await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("\r\n\r\ncontent"), "{reply}");
    let reply = get(url.path()).await;
    assert!(!reply.starts_with("HTTP/1.1 2"), "without a signature: {reply}");
    store.remove().await.unwrap();
}

register_suite!(container());
register_state_machine!(container(), programs = 20, steps = 30);
