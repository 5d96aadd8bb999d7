//! What refusals become.

use storagedriver::ErrorKind;
use storagedriver_testservers::{SwiftOptions, SwiftRefusal, SwiftServer};

use crate::impatient;
use crate::server::parameters;

#[tokio::test]
async fn each_refusal_has_its_kind_its_advice_and_the_request_id() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let storage = impatient(&parameters(&server.endpoint()), 1);
    storage.put_content("/a", "content").await.unwrap();
    for (refusal, kind, advice) in [
        (SwiftRefusal::Forbidden, ErrorKind::PermissionDenied, "rights on the container"),
        (SwiftRefusal::RateLimited, ErrorKind::Throttled, "Slow down"),
        (SwiftRefusal::Unavailable, ErrorKind::Throttled, "unavailable"),
        (SwiftRefusal::Full, ErrorKind::OutOfSpace, "space"),
        (SwiftRefusal::Quota, ErrorKind::OutOfSpace, "quota"),
    ] {
        server.refuse(Some(refusal));
        let error = storage.get_content("/a").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(advice) && error.to_string().contains("tx0"), "{error}");
    }
    server.refuse(Some(SwiftRefusal::NotFound));
    assert!(storage.get_content("/a").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_container_that_is_missing_is_made_if_the_user_may() {
    for owner in [true, false] {
        let options = SwiftOptions { containers: Vec::new(), owner, ..SwiftOptions::default() };
        let server = SwiftServer::start(options).unwrap();
        let storage = impatient(&parameters(&server.endpoint()), 1);
        let put = storage.put_content("/a", "content").await;
        if owner {
            put.unwrap();
            assert_eq!(storage.get_content("/a").await.unwrap(), "content");
        } else {
            let error = put.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(error.to_string().contains("container"), "{error}");
        }
    }
}
