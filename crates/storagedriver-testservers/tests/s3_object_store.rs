//! The S3 server, as an independent client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use storagedriver_testservers::{Authentication, ListV2, S3Options, S3Refusal, S3Server};

mod provider;

fn client(server: &S3Server) -> AmazonS3 {
    builder(server).build().unwrap()
}

fn builder(server: &S3Server) -> AmazonS3Builder {
    provider::install();
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_bucket_name("bucket")
        .with_region("us-east-1")
        .with_access_key_id(server.access_key())
        .with_secret_access_key(server.secret_key())
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_allow_http(true)
        .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
}

#[tokio::test]
async fn puts_gets_ranges_lists_copies_deletes() {
    let server = S3Server::start(S3Options { page_size: 2, ..S3Options::default() }).unwrap();
    let store = client(&server);
    for name in ["a/1", "a/2", "a b/ü+~", "b", "c"] {
        store.put(&Path::parse(name).unwrap(), PutPayload::from(name.to_owned())).await.unwrap();
    }
    let odd = Path::parse("a b/ü+~").unwrap();
    assert_eq!(store.get(&odd).await.unwrap().bytes().await.unwrap(), "a b/ü+~");
    assert_eq!(store.get_range(&Path::from("a/1"), 1..3).await.unwrap(), "/1");
    let head = store.head(&Path::from("b")).await.unwrap();
    assert_eq!(head.size, 1);

    let all: Vec<_> = store.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    assert_eq!(all, ["a b/ü+~", "a/1", "a/2", "b", "c"]);
    let after: Vec<_> = store
        .list_with_offset(None, &Path::from("a/1"))
        .map_ok(|meta| meta.location.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(after, ["a/2", "b", "c"]);
    let rolled = store.list_with_delimiter(None).await.unwrap();
    let prefixes: Vec<_> = rolled.common_prefixes.iter().map(ToString::to_string).collect();
    assert_eq!(prefixes, ["a", "a b"]);
    assert_eq!(rolled.objects.len(), 2);

    store.copy(&Path::from("b"), &Path::from("d")).await.unwrap();
    assert_eq!(server.store().content("bucket", "d").unwrap(), "b");
    let doomed = futures_util::stream::iter(["a/1", "d", "absent"].map(|name| Ok(Path::from(name)))).boxed();
    let deleted: Vec<_> = store.delete_stream(doomed).try_collect().await.unwrap();
    assert_eq!(deleted.len(), 3);
    assert_eq!(server.store().keys("bucket"), ["a b/ü+~", "a/2", "b", "c"]);
    let gone = store.get(&Path::from("d")).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn conditions_hold() {
    let server = S3Server::start(S3Options::default()).unwrap();
    let store = client(&server);
    let path = Path::from("x");
    let put = |mode: PutMode| store.put_opts(&path, PutPayload::from_static(b"1"), PutOptions::from(mode));
    let first = put(PutMode::Create).await.unwrap();
    assert!(matches!(put(PutMode::Create).await.unwrap_err(), Error::AlreadyExists { .. }));
    let update = |e_tag: Option<String>| PutMode::Update(UpdateVersion { e_tag, version: None });
    put(update(first.e_tag.clone())).await.unwrap();
    assert!(matches!(put(update(Some("\"no\"".into()))).await.unwrap_err(), Error::Precondition { .. }));
    let get = |options: GetOptions| store.get_opts(&path, options);
    let stale =
        get(GetOptions { if_match: Some("\"no\"".into()), ..GetOptions::default() }).await.unwrap_err();
    assert!(matches!(stale, Error::Precondition { .. }), "{stale}");
    let same = get(GetOptions { if_none_match: first.e_tag, ..GetOptions::default() }).await.unwrap_err();
    assert!(matches!(same, Error::NotModified { .. }), "{same}");
}

#[tokio::test]
async fn multipart_uploads_join_and_leave_nothing() {
    let server = S3Server::start(S3Options { min_part: 3, ..S3Options::default() }).unwrap();
    let store = client(&server);
    let path = Path::from("dir/large");
    let id = store.create_multipart(&path).await.unwrap();
    let mut parts: Vec<PartId> = Vec::new();
    for (index, text) in ["abc", "def", "g"].into_iter().enumerate() {
        parts.push(store.put_part(&path, &id, index, PutPayload::from(text)).await.unwrap());
    }
    assert_eq!(server.store().uploads("bucket").len(), 1);
    let small = store.put_part(&path, &id, 0, PutPayload::from_static(b"ab")).await.unwrap();
    let refused =
        store.complete_multipart(&path, &id, vec![small, parts[1].clone()]).await.unwrap_err().to_string();
    assert!(refused.contains("EntityTooSmall"), "{refused}");
    parts[0] = store.put_part(&path, &id, 0, PutPayload::from_static(b"abc")).await.unwrap();
    let result = store.complete_multipart(&path, &id, parts).await.unwrap();
    assert!(result.e_tag.unwrap().ends_with("-3\""));
    assert_eq!(server.store().content("bucket", "dir/large").unwrap(), "abcdefg");
    let id = store.create_multipart(&path).await.unwrap();
    store.abort_multipart(&path, &id).await.unwrap();
    assert!(server.store().uploads("bucket").is_empty());
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let server = S3Server::start(S3Options::default()).unwrap();
    let path = Path::from("x");
    for (builder, code) in [
        (builder(&server).with_secret_access_key("wrong"), "SignatureDoesNotMatch"),
        (builder(&server).with_access_key_id("nobody"), "InvalidAccessKeyId"),
        (builder(&server).with_region("eu-west-1"), "expecting &apos;us-east-1&apos;"),
        (builder(&server).with_skip_signature(true), "AccessDenied"),
        (builder(&server).with_bucket_name("other"), "NoSuchBucket"),
    ] {
        let error = builder.build().unwrap().put(&path, PutPayload::new()).await.unwrap_err().to_string();
        assert!(error.contains(code) && error.contains("<RequestId>"), "{code}: {error}");
    }
    let server = S3Server::start(S3Options {
        authentication: Authentication::SessionToken("t".into()),
        ..S3Options::default()
    })
    .unwrap();
    builder(&server).with_token("t").build().unwrap().put(&path, PutPayload::new()).await.unwrap();
    let error = client(&server).put(&path, PutPayload::new()).await.unwrap_err().to_string();
    assert!(error.contains("InvalidToken"), "{error}");
}

#[tokio::test]
async fn refusals_are_in_the_words_of_s3() {
    let server = S3Server::start(S3Options { list_v2: ListV2::Refused, ..S3Options::default() }).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(client(&server));
    let path = Path::from("x");
    for (refusal, code) in [
        (S3Refusal::ClockSkew, "RequestTimeTooSkewed"),
        (S3Refusal::ExpiredToken, "ExpiredToken"),
        (S3Refusal::AccessDenied, "AccessDenied"),
        (S3Refusal::SlowDown, "SlowDown"),
        (S3Refusal::Full, "InsufficientStorage"),
    ] {
        server.refuse(Some(refusal));
        let error = store.put(&path, PutPayload::new()).await.unwrap_err().to_string();
        assert!(error.contains(code) && error.contains("<RequestId>"), "{code}: {error}");
    }
    server.refuse(None);
    store.put(&path, PutPayload::new()).await.unwrap();
    let error = store.list(None).try_collect::<Vec<_>>().await.unwrap_err().to_string();
    assert!(error.contains("NotImplemented"), "{error}");
}

#[tokio::test]
async fn the_filesystem_of_s3s_is_served_too() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("bucket")).unwrap();
    let server = S3Server::start_filesystem(directory.path(), S3Options::default()).unwrap();
    let store = client(&server);
    store.put(&Path::from("a/b"), PutPayload::from_static(b"x")).await.unwrap();
    assert_eq!(store.get(&Path::from("a/b")).await.unwrap().bytes().await.unwrap(), "x");
    assert_eq!(server.requests().count(), 2);
}

#[tokio::test]
async fn signed_urls_are_verified() {
    let server = S3Server::start(S3Options::default()).unwrap();
    server.store().put("bucket", "a b", "content");
    let store = client(&server);
    let path = Path::parse("a b").unwrap();
    let url =
        store.signed_url(reqwest::Method::GET, &path, std::time::Duration::from_secs(60)).await.unwrap();
    assert_eq!(reqwest::get(url.clone()).await.unwrap().text().await.unwrap(), "content");
    let mut other = url;
    other.set_path("/bucket/other");
    let refused = reqwest::get(other).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("<Code>SignatureDoesNotMatch</Code>"));
}
