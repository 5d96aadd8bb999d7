//! What the refusals of the service become: the kind of error, and a message that says what to do.

use std::time::Duration;

use crate::scripted::{KEY, Reply, Server};
use storagedriver::{Error, ErrorKind, ReadOptions};

/// The error of a `get_content` that is refused so.
async fn refused(reply: Reply) -> Error {
    let server = Server::start(move |_| reply.clone()).await;
    server.storage().get_content("/a").await.unwrap_err()
}

#[tokio::test]
async fn each_refusal_has_its_kind_and_says_what_to_do() {
    for (status, code, kind, advice) in [
        (404, "BlobNotFound", ErrorKind::PathNotFound, ""),
        (404, "ContainerNotFound", ErrorKind::Backend, "create it"),
        (409, "ContainerBeingDeleted", ErrorKind::Unavailable, "being deleted"),
        (403, "AuthenticationFailed", ErrorKind::Unauthenticated, "the clock"),
        (401, "InvalidAuthenticationInfo", ErrorKind::Unauthenticated, "the token has expired"),
        (401, "NoAuthenticationInformation", ErrorKind::Unauthenticated, "check the credentials"),
        (403, "AuthorizationFailure", ErrorKind::PermissionDenied, "the firewall"),
        (
            403,
            "AuthorizationPermissionMismatch",
            ErrorKind::PermissionDenied,
            "Storage Blob Data Contributor",
        ),
        (403, "KeyBasedAuthenticationNotPermitted", ErrorKind::PermissionDenied, "no shared keys"),
        (403, "AuthorizationResourceTypeMismatch", ErrorKind::PermissionDenied, "has to cover"),
        (403, "AccountIsDisabled", ErrorKind::PermissionDenied, "disabled"),
        (412, "LeaseIdMissing", ErrorKind::Conflict, "break it"),
        (409, "BlobImmutableDueToPolicy", ErrorKind::PermissionDenied, "legal hold"),
        (409, "SnapshotsPresent", ErrorKind::Conflict, "delete them first"),
        (409, "BlobArchived", ErrorKind::Backend, "rehydrate"),
        (409, "PendingCopyOperation", ErrorKind::Unavailable, "try again"),
        (409, "DirectoryIsNotEmpty", ErrorKind::Unsupported, "hierarchical namespace"),
        (400, "InvalidHeaderValue", ErrorKind::Backend, "InvalidHeaderValue"),
    ] {
        let error = refused(Reply::error(status, code, "What the service says.")).await;
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(advice), "{text}");
        if kind != ErrorKind::PathNotFound && kind != ErrorKind::Unsupported {
            assert!(text.contains("request-77") && text.contains("GetBlob"), "{text}");
        }
        assert!(!text.contains(KEY) && !format!("{error:?}").contains(KEY), "{error:?}");
    }
}

#[tokio::test]
async fn a_head_has_its_code_in_a_header() {
    let server = Server::start(|_| Reply::error(403, "AuthorizationFailure", "")).await;
    let error = server.storage().stat("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("AuthorizationFailure"), "{error}");
}

#[tokio::test]
async fn throttling_tells_how_long_to_wait() {
    let reply = Reply::error(503, "ServerBusy", "The server is busy.").header("retry-after", "3600");
    let error = refused(reply).await;
    let Error::Throttled { retry_after, .. } = &error else { panic!("{error}") };
    assert_eq!(*retry_after, Some(Duration::from_secs(3600)));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_wrong_clock_is_pointed_out() {
    let reply = Reply::error(403, "AuthenticationFailed", "Server failed to authenticate the request.")
        .header("date", "Sat, 21 Nov 2020 06:00:00 GMT");
    let error = refused(reply).await;
    assert!(error.to_string().contains("the clock here and the service's differ by"), "{error}");
}

#[tokio::test]
async fn a_range_past_the_end_is_an_invalid_offset() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "GET" => Reply::error(416, "InvalidRange", "The range specified is invalid."),
        _ => Reply::blob(200).header("content-length", "10"),
    })
    .await;
    let storage = server.storage();
    let error = storage.reader("/a", ReadOptions::from_offset(11)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOffset);
    let content = storage.reader("/a", ReadOptions::from_offset(10)).await.unwrap();
    assert!(content.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_middle_of_a_listing_that_is_no_xml_is_no_success() {
    let server = Server::start(|_| Reply::new(200).body("<EnumerationResults><Blobs>")).await;
    let error = tokio::time::timeout(Duration::from_secs(120), server.storage().list("/"))
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("cannot be understood"), "{error}");
}

#[tokio::test]
async fn accounts_with_directories_are_refused() {
    let information = Server::start(|_| Reply::new(200).header("x-ms-is-hns-enabled", "true")).await;
    let put = information.storage().put_content("/a", "x").await.unwrap_err();
    let listed = Server::start(|_| {
        Reply::new(200).body(
            "<EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>0</Content-Length>\
             <ResourceType>directory</ResourceType></Properties></Blob></Blobs></EnumerationResults>",
        )
    })
    .await;
    let list = listed.storage().list("/").await.unwrap_err();
    let found = Server::start(|_| Reply::blob(200).header("x-ms-resource-type", "directory")).await;
    let stat = found.storage().stat("/a").await.unwrap_err();
    for error in [put, list, stat] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("hierarchical namespace"), "{error}");
    }
    assert_eq!(information.asked().len(), 1, "nothing was written");
}

/// Some signatures and roles are not for what the account is: that is no reason not to write.
#[tokio::test]
async fn whoever_may_not_ask_for_the_kind_of_account_writes_all_the_same() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "GET" => Reply::error(403, "AuthorizationPermissionMismatch", ""),
        _ => Reply::blob(201),
    })
    .await;
    let storage = server.storage();
    storage.put_content("/a", "x").await.unwrap();
    storage.put_content("/b", "x").await.unwrap();
    assert_eq!(server.asked().iter().filter(|asked| asked.method == "GET").count(), 1, "asked once");
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_the_reason() {
    let server = Server::start(|_| Reply::new(200)).await;
    let endpoint = server.endpoint().replace("http:", "https:");
    let storage = server.storage_with(&[("accountkey", KEY), ("serviceurl", endpoint.as_str())]);
    let error = storage.get_content("/a").await.unwrap_err();
    assert!(error.to_string().contains("TLS failed"), "{error}");
}

/// The error of a `get_content` with a token of this server, which takes none.
async fn unauthenticated(server: &Server) -> Error {
    let endpoint = server.endpoint();
    let storage = server.storage_with(&[
        ("credentials.type", "client_secret"),
        ("credentials.clientid", "client"),
        ("credentials.tenantid", "tenant"),
        ("credentials.secret", "geheim"),
        ("credentials.authorityhost", &endpoint),
    ]);
    let error = storage.get_content("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    error
}

#[tokio::test]
async fn a_token_that_is_called_expired_is_fetched_anew() {
    let server = Server::start(|asked| {
        if asked.path().ends_with("/oauth2/v2.0/token") {
            let body = "{\"access_token\":\"token\",\"expires_in\":3600,\"token_type\":\"Bearer\"}";
            return Reply::new(200).header("content-type", "application/json").body(body);
        }
        assert_eq!(asked.header("authorization"), Some("Bearer token"));
        Reply::error(401, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")
    })
    .await;
    unauthenticated(&server).await;
    let asked = server.asked();
    let tokens = asked.iter().filter(|asked| asked.path() == "/tenant/oauth2/v2.0/token").count();
    assert_eq!((tokens, asked.len() - tokens), (2, 2), "one more token, one more attempt");
}

#[tokio::test]
async fn no_token_is_unauthenticated_and_says_where_it_was_asked_for() {
    let server = Server::start(|_| Reply::new(400).body("{\"error\":\"invalid_client\"}")).await;
    let error = unauthenticated(&server).await;
    let text = format!("{error} {error:?}");
    assert!(text.contains("Entra") && !text.contains("geheim"), "{text}");
}
