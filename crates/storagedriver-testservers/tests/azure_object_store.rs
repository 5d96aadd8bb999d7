//! The Azure server, as an independent client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use object_store::azure::{AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, StaticCredentialProvider,
    UpdateVersion,
};
use storagedriver_testservers::{AzureOptions, AzureServer};

mod provider;

fn builder(server: &AzureServer) -> MicrosoftAzureBuilder {
    provider::install();
    MicrosoftAzureBuilder::new()
        .with_account(server.account())
        .with_access_key(server.key())
        .with_container_name("container")
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
}

fn client(server: &AzureServer) -> MicrosoftAzure {
    builder(server).build().unwrap()
}

#[tokio::test]
async fn puts_gets_ranges_lists_copies_deletes() {
    let server = AzureServer::start(AzureOptions { page_size: 2, ..AzureOptions::default() }).unwrap();
    let store = client(&server);
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
    assert_eq!(server.store().content("container", "d").unwrap(), "b");
    let doomed = futures_util::stream::iter(["a/1", "d"].map(|name| Ok(Path::from(name)))).boxed();
    let deleted: Vec<_> = store.delete_stream(doomed).try_collect().await.unwrap();
    assert_eq!(deleted.len(), 2);
    assert_eq!(server.store().keys("container"), ["a b/ü+~", "a/2", "b", "c"]);
    assert!(matches!(store.get(&Path::from("d")).await.unwrap_err(), Error::NotFound { .. }));
}

#[tokio::test]
async fn conditions_hold() {
    let server = AzureServer::start(AzureOptions::default()).unwrap();
    let store = client(&server);
    let path = Path::from("x");
    let put = |mode: PutMode| store.put_opts(&path, PutPayload::from_static(b"1"), PutOptions::from(mode));
    let first = put(PutMode::Create).await.unwrap();
    assert!(matches!(put(PutMode::Create).await.unwrap_err(), Error::AlreadyExists { .. }));
    let update = PutMode::Update(UpdateVersion::from(first));
    put(update.clone()).await.unwrap();
    assert!(matches!(put(update).await.unwrap_err(), Error::Precondition { .. }));
}

#[tokio::test]
async fn blocks_join() {
    let server = AzureServer::start(AzureOptions::default()).unwrap();
    let store = client(&server);
    let path = Path::from("dir/large");
    let id = store.create_multipart(&path).await.unwrap();
    let mut parts = Vec::new();
    for (index, text) in ["abc", "def", "g"].into_iter().enumerate() {
        parts.push(store.put_part(&path, &id, index, PutPayload::from(text)).await.unwrap());
    }
    assert_eq!(server.store().uncommitted_blocks("container", "dir/large").len(), 3);
    store.complete_multipart(&path, &id, parts).await.unwrap();
    assert_eq!(server.store().content("container", "dir/large").unwrap(), "abcdefg");
    assert!(server.store().uncommitted_blocks("container", "dir/large").is_empty());
}

#[tokio::test]
async fn keys_and_tokens_are_verified() {
    let server = AzureServer::start(AzureOptions::default()).unwrap();
    let path = Path::from("x");
    let token = |token: &str| {
        let credential = AzureCredential::BearerToken(token.to_owned());
        builder(&server)
            .with_credentials(Arc::new(StaticCredentialProvider::new(credential)))
            .build()
            .unwrap()
    };
    token("token").put(&path, PutPayload::from_static(b"1")).await.unwrap();
    let error = token("wrong").head(&path).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error}");
    let wrong = builder(&server).with_access_key("d3Jvbmc=").build().unwrap();
    let error = wrong.get(&path).await.unwrap_err().to_string();
    assert!(error.contains("AuthenticationFailed"), "{error}");
}

#[tokio::test]
async fn signed_urls_are_verified() {
    let server = AzureServer::start(AzureOptions::default()).unwrap();
    // `object_store` signs the path as it is encoded, the service the name: only plain names fit both.
    server.store().put("container", "a/b", "content");
    // The signature of the account's key, and that of a user's delegation.
    let credential = AzureCredential::BearerToken("token".to_owned());
    let user = builder(&server).with_credentials(Arc::new(StaticCredentialProvider::new(credential)));
    for store in [client(&server), user.build().unwrap()] {
        let url = store
            .signed_url(reqwest::Method::GET, &Path::from("a/b"), Duration::from_secs(60))
            .await
            .unwrap();
        let reply = reqwest::get(url.clone()).await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.text().await.unwrap(), "content");
        let put = reqwest::Client::new()
            .put(url.clone())
            .header("x-ms-blob-type", "BlockBlob")
            .send()
            .await
            .unwrap();
        assert_eq!(put.headers()["x-ms-error-code"], "AuthorizationPermissionMismatch");
        let mut other = url;
        other.set_path(&other.path().replace("a/b", "a/other"));
        assert_eq!(reqwest::get(other).await.unwrap().headers()["x-ms-error-code"], "AuthenticationFailed");
    }
}
