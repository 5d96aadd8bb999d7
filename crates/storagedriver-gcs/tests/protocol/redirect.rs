//! Signed URLs, verified by the server.

use std::time::Duration;

use base64::Engine as _;
use object_store::client::HttpRequest;
use ring::signature::RsaKeyPair;
use storagedriver::url::Url;
use storagedriver::{RedirectRequest, Storage, async_trait};
use storagedriver_gcs::GcsParameters;
use storagedriver_object::http::{HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service};
use storagedriver_object::{StoreError, StoreResult};
use storagedriver_testservers::{GcsOptions, GcsServer};

const PEM: &str = include_str!("../../testdata/key.pem");

/// The public half of the key, as the server wants it.
fn public() -> Vec<u8> {
    let text: String = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    RsaKeyPair::from_pkcs8(&der).unwrap().public().as_ref().to_vec()
}

struct Signed {
    server: GcsServer,
    storage: Storage,
    _directory: tempfile::TempDir,
}

fn start(signing_key: Vec<u8>, root: &str) -> Signed {
    // The token is one that the account signed itself; only URLs are verified here.
    let options = GcsOptions { token: None, signing_keys: vec![signing_key], ..GcsOptions::default() };
    let server = GcsServer::start(options).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.json");
    let key = serde_json::json!({"type": "service_account", "client_email": "robot@project.iam.gserviceaccount.com",
        "private_key_id": "1", "private_key": PEM});
    std::fs::write(&file, key.to_string()).unwrap();
    let mut parameters = GcsParameters::new("bucket");
    parameters.keyfile = Some(file);
    parameters.endpoint = server.endpoint();
    parameters.rootdirectory = root.to_owned();
    let storage = parameters.into_storage().unwrap();
    Signed { server, storage, _directory: directory }
}

/// A client that has nothing but the URL.
#[derive(Debug)]
struct Stranger;

#[async_trait]
impl Service for Stranger {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }
}

async fn fetch(method: Method, url: Url) -> StoreResult<(u64, bytes::Bytes)> {
    let client = HttpClient::new("test", HttpOptions::default()).unwrap();
    let request = Request::new("the signed URL", method, url);
    client.exchange(&Stranger, &request, 1 << 20, |head, body| Ok((head.content_length()?, body))).await
}

#[tokio::test]
async fn a_signed_url_gives_the_content_and_costs_no_request() {
    // A root that has to be encoded: in the URL, and the same way in what is signed.
    let Signed { server, storage, _directory } = start(public(), "/a b/ü+%/");
    storage.put_content("/blobs/x", "content").await.unwrap();
    server.requests().clear();
    let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/x").await.unwrap().unwrap();
    assert_eq!(server.requests().count(), 0);
    assert!(url.path().ends_with("/bucket/a%20b/%C3%BC%2B%25/blobs/x"), "{url}");
    assert!(url.query().unwrap().contains("X-Goog-Expires=1200&"), "twenty minutes: {url}");
    assert_eq!(fetch(Method::GET, url.clone()).await.unwrap().1, "content");
    // What is signed for one method is not for another.
    assert!(matches!(fetch(Method::HEAD, url).await, Err(StoreError::Failed(_))));
    let url = storage.redirect_url(&RedirectRequest::new("HEAD"), "/blobs/x").await.unwrap().unwrap();
    assert_eq!(fetch(Method::HEAD, url).await.unwrap().0, 7);
}

#[tokio::test]
async fn a_changed_url_is_refused() {
    let Signed { server: _server, storage, _directory } = start(public(), "");
    storage.put_content("/a", "content").await.unwrap();
    storage.put_content("/b", "other").await.unwrap();
    let url = storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().unwrap();
    let changed = url.as_str().replace("/bucket/a?", "/bucket/b?");
    assert!(fetch(Method::GET, Url::parse(&changed).unwrap()).await.is_err());
}

#[tokio::test]
async fn other_methods_and_expiries() {
    let Signed { server: _server, storage, _directory } = start(public(), "");
    assert_eq!(storage.redirect_url(&RedirectRequest::new("PUT"), "/a").await.unwrap(), None);
    let year = RedirectRequest::get().with_expiry(Duration::from_secs(365 * 24 * 3600));
    let url = storage.redirect_url(&year, "/a").await.unwrap().unwrap();
    assert!(url.query().unwrap().contains("X-Goog-Expires=604800&"), "the most that there is: {url}");
}

#[tokio::test]
async fn anonymous_storage_has_none() {
    let mut parameters = GcsParameters::new("bucket");
    parameters.anonymous = true;
    let storage = parameters.into_storage().unwrap();
    assert_eq!(storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap(), None);
}
