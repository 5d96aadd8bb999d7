//! The identity API: each version and each way to prove who one is.

use storagedriver::{ErrorKind, Secret, Storage};
use storagedriver_swift::SwiftParameters;
use storagedriver_testservers::{SwiftOptions, SwiftServer};

use crate::impatient;

fn with(server: &SwiftServer, path: &str, change: impl FnOnce(&mut SwiftParameters)) -> Storage {
    let mut parameters = SwiftParameters::new(format!("{}{path}", server.endpoint()), "container");
    parameters.password = Some(Secret::new("testing"));
    parameters.username = Some("tester".to_owned());
    change(&mut parameters);
    impatient(&parameters, 1)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn every_way_to_a_token_is_taken() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let storages = [
        with(&server, "/auth/v1.0", |given| given.username = text("test:tester")),
        with(&server, "/v2.0", |given| given.tenant = text("test")),
        with(&server, "/v2.0/", |given| given.tenantid = text("p1")),
        with(&server, "/v3", |given| given.tenant = text("test")),
        with(&server, "/v3", |given| given.tenantid = text("p1")),
        with(&server, "/v3/", |given| {
            given.domain = text("Default");
            given.tenant = text("test");
            given.tenantdomainid = text("default");
        }),
        with(&server, "/v3", |given| {
            given.domainid = text("default");
            given.trustid = text("t1");
        }),
        with(&server, "/v3", |given| {
            given.username = None;
            given.applicationcredentialid = text("ac1");
            given.applicationcredentialsecret = Some(Secret::new("appsecret"));
        }),
        with(&server, "/v3", |given| {
            given.applicationcredentialname = text("app");
            given.applicationcredentialsecret = Some(Secret::new("appsecret"));
        }),
        with(&server, "/v3", |given| {
            given.tenant = text("test");
            given.endpointtype = "internal";
            given.region = text("RegionOne");
        }),
    ];
    for (number, storage) in storages.iter().enumerate() {
        storage.put_content("/a", "content").await.unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!(storage.get_content("/a").await.unwrap(), "content");
    }
}

#[tokio::test]
async fn another_region_and_another_endpoint_are_other_places() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    for (region, kind, expected) in [
        (Some("RegionTwo"), "public", ErrorKind::Unavailable),
        (None, "admin", ErrorKind::Unavailable),
        (Some("RegionThree"), "public", ErrorKind::Backend),
    ] {
        let storage = with(&server, "/v3", |given| {
            given.tenant = text("test");
            given.region = region.map(str::to_owned);
            given.endpointtype = kind;
        });
        let error = storage.get_content("/a").await.unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
        if expected == ErrorKind::Backend {
            assert!(error.to_string().contains("RegionThree"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_replaced_once() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let mut parameters = crate::server::parameters(&server.endpoint());
    parameters.tenantid = text("p1");
    let storage = impatient(&parameters, 3);
    storage.put_content("/a", "content").await.unwrap();
    assert_eq!(server.tokens_given(), 1);
    server.expire_tokens();
    assert_eq!(storage.get_content("/a").await.unwrap(), "content");
    assert_eq!(server.tokens_given(), 1);
    assert_eq!(storage.get_content("/a").await.unwrap(), "content");
    assert_eq!(server.tokens_given(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_for_many_is_asked_for_once() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let storage = impatient(&crate::server::parameters(&server.endpoint()), 3);
    storage.put_content("/a", "content").await.unwrap();
    for _ in 0..5 {
        server.expire_tokens();
        let readers = (0..20).map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.get_content("/a").await })
        });
        for reader in readers.collect::<Vec<_>>() {
            assert_eq!(reader.await.unwrap().unwrap(), "content");
        }
        assert_eq!(server.tokens_given(), 1);
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    for path in ["/auth/v1.0", "/v2.0", "/v3"] {
        let storage = with(&server, path, |given| {
            given.tenant = text("test");
            given.password = Some(Secret::new("hush-hush"));
        });
        let error = storage.get_content("/a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{path}: {error}");
        assert!(!format!("{error} {error:?}").contains("hush-hush"));
        assert!(error.to_string().contains("tx0"), "names the request: {error}");
    }
}
