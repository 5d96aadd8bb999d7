//! Temporary URLs: the server verifies them; keys that are there are respected.

use storagedriver::url::Url;
use storagedriver::{RedirectRequest, Secret};
use storagedriver_object::StoreResult;
use storagedriver_object::http::{HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service};
use storagedriver_swift::SwiftParameters;
use storagedriver_testservers::{SwiftOptions, SwiftServer};

use crate::impatient;
use crate::server::parameters;

/// Somebody who has nothing but the URL.
#[derive(Debug)]
struct Anybody;

#[storagedriver::async_trait]
impl Service for Anybody {
    async fn authorize(&self, _: &mut object_store::client::HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }
}

async fn fetch(url: &Url, method: Method) -> StoreResult<u64> {
    let client = HttpClient::new("test", HttpOptions::default()).unwrap();
    let request = Request::new("fetch", method, url.clone());
    client.exchange(&Anybody, &request, 1 << 20, |head, _| head.content_length()).await
}

async fn url(server: &SwiftServer, change: impl FnOnce(&mut SwiftParameters), method: &str) -> Option<Url> {
    let mut parameters = parameters(&server.endpoint());
    change(&mut parameters);
    let storage = impatient(&parameters, 1);
    storage.put_content("/a-b", "content").await.unwrap();
    storage.redirect_url(&RedirectRequest::new(method), "/a-b").await.unwrap()
}

async fn leads_there(url: &Url) {
    assert_eq!(fetch(url, Method::GET).await.unwrap(), 7);
    assert_eq!(fetch(url, Method::HEAD).await.unwrap(), 7);
    let mut other = url.clone();
    other.set_path(&format!("{}x", url.path()));
    assert!(fetch(&other, Method::GET).await.is_err());
}

#[tokio::test]
async fn sha256_where_the_cluster_takes_it_else_sha1() {
    for (digests, length) in [(vec!["sha1", "sha256"], 64), (vec!["sha1"], 40), (vec![], 40)] {
        let options = SwiftOptions { temp_url_digests: digests, ..SwiftOptions::default() };
        let server = SwiftServer::start(options).unwrap();
        for method in ["GET", "HEAD"] {
            let url = url(&server, |_| {}, method).await.unwrap();
            let signature =
                url.query_pairs().find(|(name, _)| name == "temp_url_sig").unwrap().1.into_owned();
            assert_eq!(signature.len(), length);
            leads_there(&url).await;
        }
        assert!(url(&server, |_| {}, "PUT").await.is_none());
    }
}

#[tokio::test]
async fn keys_that_are_there_are_used_and_never_replaced() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let made = |server: &SwiftServer| server.container_keys("container");
    // None: one is made, and the next process takes it.
    leads_there(&url(&server, |_| {}, "GET").await.unwrap()).await;
    let first = made(&server);
    assert!(first[0].as_ref().is_some_and(|key| key.len() == 64));
    leads_there(&url(&server, |_| {}, "GET").await.unwrap()).await;
    assert_eq!(made(&server), first);
    // The account's.
    server.set_keys(Some("container"), [None, None]);
    server.set_keys(None, [None, Some("of the account")]);
    leads_there(&url(&server, |_| {}, "GET").await.unwrap()).await;
    assert_eq!(made(&server), [None, None]);
    // One that is configured takes the place that is free.
    server.set_keys(Some("container"), [Some("theirs"), None]);
    let configured = |given: &mut SwiftParameters| given.secretkey = Some(Secret::new("ours"));
    leads_there(&url(&server, configured, "GET").await.unwrap()).await;
    assert_eq!(made(&server), [Some("theirs".to_owned()), Some("ours".to_owned())]);
    leads_there(&url(&server, configured, "GET").await.unwrap()).await;
    // And if none is, there are no redirects.
    server.set_keys(Some("container"), [Some("theirs"), Some("theirs, too")]);
    assert!(url(&server, configured, "GET").await.is_none());
    assert_eq!(made(&server), [Some("theirs".to_owned()), Some("theirs, too".to_owned())]);
}

/// A user who has rights on the container alone, with a key that its owner has set.
#[tokio::test]
async fn rights_on_the_container_are_enough() {
    let server = SwiftServer::start(SwiftOptions { owner: false, ..SwiftOptions::default() }).unwrap();
    server.set_keys(Some("container"), [Some("given"), None]);
    let configured = |given: &mut SwiftParameters| given.secretkey = Some(Secret::new("given"));
    leads_there(&url(&server, configured, "GET").await.unwrap()).await;
    assert!(url(&server, |_| {}, "GET").await.is_none(), "no key is to be had");
    let storage = impatient(&parameters(&server.endpoint()), 1);
    crate::upload(&storage, "/large", &crate::content(3 << 20)).await;
    storage.rename("/large", "/moved").await.unwrap();
    storage.delete("/moved").await.unwrap();
    storage.delete("/a-b").await.unwrap();
    assert!(server.store().keys("container").is_empty());
}

#[tokio::test]
async fn a_cluster_that_does_not_tell_is_believed_to_have_what_the_parameters_say() {
    let server = SwiftServer::start(SwiftOptions { info: false, ..SwiftOptions::default() }).unwrap();
    assert!(url(&server, |_| {}, "GET").await.is_none());
    let change = |given: &mut SwiftParameters| {
        given.tempurlmethods = Some(vec!["get".to_owned()]);
        given.tempurlcontainerkey = true;
    };
    leads_there(&url(&server, change, "GET").await.unwrap()).await;
    let hp = |given: &mut SwiftParameters| {
        given.tempurlmethods = Some(vec!["GET".to_owned()]);
        given.tenantid = Some("p1".to_owned());
        given.accesskey = Some("access".to_owned());
    };
    let signed = url(&server, hp, "GET").await.unwrap();
    assert!(signed.query().unwrap().starts_with("temp_url_sig=p1:access:"), "{signed}");
    leads_there(&signed).await;
}
