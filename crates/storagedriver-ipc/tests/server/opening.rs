//! Negotiation, and the opening of the driver.

use std::collections::HashMap;

use storagedriver::{Error, Storage};
use storagedriver_inmemory::{DRIVER, InMemory};
use storagedriver_ipc::proto::{
    HealthRequest, NegotiateRequest, OpenReply, OpenRequest, StatRequest, Value, value::Kind,
};
use storagedriver_ipc::{Server, VERSION};
use tonic::Code;

use crate::probe::probe;
use crate::raw::{self, Served};

fn request(min_version: u32, max_version: u32) -> NegotiateRequest {
    NegotiateRequest { min_version, max_version, program: "test 1".into(), capabilities: vec!["new".into()] }
}

fn open(driver: &str) -> OpenRequest {
    OpenRequest { driver: driver.into(), parameters: HashMap::new() }
}

fn with_parameter(mut request: OpenRequest) -> OpenRequest {
    let text = Value { kind: Some(Kind::Text("hunter2".into())) };
    request.parameters.insert("colour".into(), text);
    request
}

#[tokio::test]
async fn the_highest_version_that_both_have_is_spoken() {
    let served = Served::start(Server::new(DRIVER));
    let mut client = served.client().await;
    for (min, max, version) in [(1, 1, VERSION), (0, 9, VERSION), (2, 9, 0), (0, 0, 0)] {
        let reply = client.negotiate(request(min, max)).await.unwrap().into_inner();
        assert_eq!((reply.version, reply.min_version, reply.max_version), (version, VERSION, VERSION));
        assert_eq!(reply.driver, "inmemory");
        assert!(reply.program.starts_with("storagedriver-inmemory "), "{}", reply.program);
        assert_eq!(reply.capabilities, ["examine", "redirect"]);
    }
}

#[tokio::test]
async fn nothing_is_done_before_the_opening() {
    let served = Served::start(Server::new(DRIVER));
    let mut client = served.client().await;
    let status = client.stat(StatRequest { path: "/".into() }).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("`Open` comes first"), "{status}");
    assert_eq!(client.health(HealthRequest {}).await.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_driver_is_opened_once_and_a_failed_opening_is_none() {
    let served = Served::start(Server::new(DRIVER));
    let mut client = served.client().await;
    let error = raw::error(client.open(with_parameter(open("inmemory"))).await);
    assert!(matches!(&error, Error::InvalidParameter { parameter, .. } if parameter == "colour"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    client.health(HealthRequest {}).await.unwrap_err();

    let first = client.open(open("inmemory")).await.unwrap().into_inner();
    client.health(HealthRequest {}).await.unwrap();
    // Another connection may say which driver it means, and nothing else.
    let mut other = served.client().await;
    assert_eq!(other.open(open("inmemory")).await.unwrap().into_inner(), first);
    let error = raw::error(other.open(with_parameter(open("inmemory"))).await);
    assert!(error.to_string().contains("open already"), "{error}");
}

#[tokio::test]
async fn of_several_drivers_the_host_says_which_and_an_only_one_may_be_called_anything() {
    let mut second = DRIVER;
    second.name = "second";
    let served = Served::start(Server::any_of(&[DRIVER, second]));
    let mut client = served.client().await;
    let error = raw::error(client.open(open("third")).await);
    assert!(error.to_string().contains("inmemory, second"), "{error}");
    client.open(open("second")).await.unwrap();

    let served = Served::start(Server::new(DRIVER));
    served.client().await.open(open("anything")).await.unwrap();
}

#[tokio::test]
async fn a_driver_that_is_open_tells_what_it_is() {
    let (_served, mut client) = raw::open(Storage::new(InMemory::new())).await;
    let negotiated = client.negotiate(request(1, 1)).await.unwrap().into_inner();
    assert_eq!(negotiated.driver, "inmemory");
    let storage = Storage::new(InMemory::new());
    let lacking: Vec<String> = storage.guarantees().lacking().map(|lacking| lacking.to_string()).collect();
    assert!(!lacking.is_empty());
    let limits = storage.limits();
    let expected = OpenReply {
        lacking,
        path_limit: limits.path as u32,
        component_limit: limits.component as u32,
        key_prefix: None,
    };
    assert_eq!(client.open(open("")).await.unwrap().into_inner(), expected);

    let (_served, mut client) = raw::open(probe().storage).await;
    let reply = client.open(open("")).await.unwrap().into_inner();
    assert_eq!(reply.key_prefix.as_deref(), Some("prefix/"));
}
