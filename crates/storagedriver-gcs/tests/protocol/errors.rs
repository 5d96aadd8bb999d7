//! What the service refuses: the right kind of error, what to do about it, and the name of the request.

use std::time::Duration;

use crate::impatient;
use crate::server::parameters;
use serde_json::json as value;
use storagedriver::{Error, ErrorKind, Storage, WriteMode};
use storagedriver_gcs::GcsParameters;
use storagedriver_testservers::{GcsOptions, GcsRefusal, GcsServer};
use storagedriver_testservers::{Scripted, json_reply as json};

fn start() -> (GcsServer, Storage) {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let storage = impatient(&parameters(&server.endpoint(), "xml", 5 << 20), 2).unwrap();
    (server, storage)
}

/// What each operation says.
async fn refused(storage: &Storage) -> Vec<Error> {
    let upload = async {
        let mut writer = storage.writer("/a", WriteMode::Create).await?;
        writer.write(vec![1; 6 << 20]).await?;
        writer.commit().await
    };
    vec![
        storage.get_content("/a").await.map(drop).unwrap_err(),
        storage.put_content("/a", "x").await.unwrap_err(),
        storage.stat("/").await.map(drop).unwrap_err(),
        storage.stat("/a").await.map(drop).unwrap_err(),
        storage.list("/a").await.map(drop).unwrap_err(),
        storage.rename("/a", "/b").await.unwrap_err(),
        storage.delete("/a").await.unwrap_err(),
        upload.await.unwrap_err(),
        storage.uploads("/").await.map(drop).unwrap_err(),
    ]
}

#[tokio::test]
async fn each_refusal_has_its_kind_its_advice_and_the_request_id() {
    for (refusal, kind, advice) in [
        (GcsRefusal::InvalidCredentials, ErrorKind::Unauthenticated, "keyfile"),
        (GcsRefusal::Forbidden, ErrorKind::PermissionDenied, "roles/storage.objectUser"),
        (GcsRefusal::Unavailable, ErrorKind::Throttled, "503"),
        (GcsRefusal::InternalError, ErrorKind::Unavailable, "500"),
    ] {
        let (server, storage) = start();
        server.refuse(Some(refusal));
        for error in refused(&storage).await {
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            // Of a reply with content the service tells the reason in the status alone.
            assert!(text.contains(advice), "{refusal:?}: {text}");
            assert!(text.contains("request id ABPtcPq"), "{refusal:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_missing_bucket_is_not_taken_for_an_empty_one() {
    let (server, storage) = start();
    server.store().remove_bucket("bucket");
    for error in refused(&storage).await {
        assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
        assert!(error.to_string().contains("there is no bucket \"bucket\""), "{error}");
    }
}

#[tokio::test]
async fn throttling_tells_how_long_to_wait() {
    let (server, storage) = start();
    server.refuse(Some(GcsRefusal::RateLimited));
    let error = storage.get_content("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
    assert!(error.is_retryable());
    let Error::Throttled { retry_after, .. } = error else { panic!("{error}") };
    assert_eq!(retry_after, Some(Duration::from_secs(1)));
    let error = storage.put_content("/a", "x").await.unwrap_err();
    assert!(error.to_string().contains("maxconcurrency"), "{error}");
}

fn scripted(status: u16, reason: &'static str, message: &'static str) -> (Scripted, Storage) {
    let server = Scripted::start(move |_| {
        json(status, value!({"error": {"code": status, "message": message, "errors": [{"reason": reason}]}}))
    })
    .unwrap();
    let mut parameters = GcsParameters::new("bucket");
    parameters.anonymous = true;
    parameters.endpoint = server.url("");
    let storage = impatient(&parameters, 3).unwrap();
    (server, storage)
}

#[tokio::test]
async fn a_rate_that_is_refused_as_forbidden_is_waited_for() {
    let (server, storage) = scripted(403, "rateLimitExceeded", "slow down");
    assert_eq!(storage.put_content("/a", "x").await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(server.asked().len(), 3);
    let (server, storage) = scripted(403, "forbidden", "no");
    assert_eq!(storage.put_content("/a", "x").await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_reply_that_is_no_json_is_no_answer() {
    let server = Scripted::start(|_| (200, Vec::new(), "<html>captive portal</html>".to_owned())).unwrap();
    let mut parameters = GcsParameters::new("bucket");
    parameters.anonymous = true;
    parameters.endpoint = server.url("");
    let storage = impatient(&parameters, 2).unwrap();
    for error in [storage.stat("/a").await.unwrap_err(), storage.put_content("/a", "x").await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
        assert!(error.to_string().contains("not the JSON"), "{error}");
    }
    let error = storage.get_content("/a").await.unwrap_err();
    assert!(error.to_string().contains("is the endpoint Cloud Storage?"), "{error}");
}

/// A hole of `object_store`: it takes one answer for the whole copy.
#[tokio::test]
async fn a_copy_that_does_not_come_forward_is_no_copy() {
    let server = Scripted::start(|asked| {
        if asked.target.contains("/rewriteTo/") {
            return json(200, value!({"done": false, "rewriteToken": "t", "totalBytesRewritten": "0"}));
        }
        json(200, value!({"name": "a", "size": "1", "generation": "7", "updated": "2024-01-01T00:00:00Z"}))
    })
    .unwrap();
    let mut parameters = GcsParameters::new("bucket");
    parameters.anonymous = true;
    parameters.endpoint = server.url("");
    let storage = impatient(&parameters, 2).unwrap();
    let error = storage.rename("/a", "/b").await.unwrap_err();
    assert!(error.to_string().contains("does not come forward"), "{error}");
    assert!(server.asked().iter().all(|asked| asked.method != "DELETE"), "the source is still there");
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_told() {
    let mut parameters = GcsParameters::new("bucket");
    parameters.anonymous = true;
    parameters.endpoint = "http://127.0.0.1:9".to_owned();
    let error = impatient(&parameters, 2).unwrap().stat("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("check the endpoint"), "{error}");
}
