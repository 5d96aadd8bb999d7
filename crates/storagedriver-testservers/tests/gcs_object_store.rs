//! The XML API of the GCS server, as an independent client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, StaticCredentialProvider,
    UpdateVersion,
};
use storagedriver_testservers::{GcsOptions, GcsServer};

mod provider;

fn client(server: &GcsServer, token: &str) -> GoogleCloudStorage {
    provider::install();
    let credential = GcpCredential { bearer: token.to_owned() };
    GoogleCloudStorageBuilder::new()
        .with_base_url(&server.endpoint())
        .with_bucket_name("bucket")
        .with_credentials(Arc::new(StaticCredentialProvider::new(credential)))
        .with_client_options(object_store::ClientOptions::new().with_allow_http(true))
        .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
        .build()
        .unwrap()
}

#[tokio::test]
async fn puts_gets_lists_copies_deletes() {
    let server = GcsServer::start(GcsOptions { page_size: 2, ..GcsOptions::default() }).unwrap();
    let store = client(&server, "token");
    for name in ["a/1", "a/2", "a b/ü+~", "b", "c"] {
        store.put(&Path::parse(name).unwrap(), PutPayload::from(name.to_owned())).await.unwrap();
    }
    let odd = Path::parse("a b/ü+~").unwrap();
    assert_eq!(store.get(&odd).await.unwrap().bytes().await.unwrap(), "a b/ü+~");
    assert_eq!(store.get_range(&Path::from("a/1"), 1..3).await.unwrap(), "/1");
    assert_eq!(store.head(&Path::from("b")).await.unwrap().size, 1);
    let all: Vec<_> = store.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    assert_eq!(all, ["a b/ü+~", "a/1", "a/2", "b", "c"]);
    let rolled = store.list_with_delimiter(None).await.unwrap();
    assert_eq!((rolled.common_prefixes.len(), rolled.objects.len()), (2, 2));
    store.copy(&Path::from("b"), &Path::from("d")).await.unwrap();
    assert_eq!(server.store().content("bucket", "d").unwrap(), "b");
    store.delete(&Path::from("d")).await.unwrap();
    assert!(matches!(store.get(&Path::from("d")).await.unwrap_err(), Error::NotFound { .. }));
}

#[tokio::test]
async fn generations_are_conditions() {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let store = client(&server, "token");
    let path = Path::from("x");
    let put = |mode: PutMode| store.put_opts(&path, PutPayload::from_static(b"1"), PutOptions::from(mode));
    let first = put(PutMode::Create).await.unwrap();
    assert!(matches!(put(PutMode::Create).await.unwrap_err(), Error::AlreadyExists { .. }));
    let update = |result: &object_store::PutResult| PutMode::Update(UpdateVersion::from(result.clone()));
    put(update(&first)).await.unwrap();
    assert!(matches!(put(update(&first)).await.unwrap_err(), Error::Precondition { .. }));
}

#[tokio::test]
async fn multipart_uploads_join_and_leave_nothing() {
    let server = GcsServer::start(GcsOptions { min_part: 3, ..GcsOptions::default() }).unwrap();
    let store = client(&server, "token");
    let path = Path::from("dir/large");
    let id = store.create_multipart(&path).await.unwrap();
    let mut parts = Vec::new();
    for (index, text) in ["abc", "def", "g"].into_iter().enumerate() {
        parts.push(store.put_part(&path, &id, index, PutPayload::from(text)).await.unwrap());
    }
    assert_eq!(server.store().uploads("bucket").len(), 1);
    store.complete_multipart(&path, &id, parts).await.unwrap();
    assert_eq!(server.store().content("bucket", "dir/large").unwrap(), "abcdefg");
    let id = store.create_multipart(&path).await.unwrap();
    store.abort_multipart(&path, &id).await.unwrap();
    assert!(server.store().uploads("bucket").is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let error = client(&server, "wrong").head(&Path::from("x")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error}");
}
