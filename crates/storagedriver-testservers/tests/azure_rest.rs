//! What no other client asks of the Azure server, spoken by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use base64::Engine as _;
use reqwest::{Client, Method, RequestBuilder, Response};
use storagedriver_testservers::{AzureOptions, AzureRefusal, AzureServer, CopyOutcome, CopyRule};

mod provider;

struct Wire {
    server: AzureServer,
    client: Client,
}

impl Wire {
    fn new(options: AzureOptions) -> Self {
        provider::install();
        Self { server: AzureServer::start(options).unwrap(), client: Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/container/{path}", self.server.endpoint())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth("token").header("x-ms-version", "2026-02-06")
    }

    async fn put(&self, path: &str, headers: &[(&'static str, String)], body: &'static str) -> Response {
        let mut request = self.request(Method::PUT, path).header("content-length", body.len()).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.unwrap()
    }

    async fn put_blob(&self, path: &str, body: &'static str) -> String {
        let reply = self.put(path, &[("x-ms-blob-type", "BlockBlob".to_owned())], body).await;
        assert_eq!(reply.status(), 201);
        reply.headers()["etag"].to_str().unwrap().to_owned()
    }

    async fn copy(&self, from: &str, to: &str, headers: &[(&'static str, String)]) -> Response {
        let mut all = vec![("x-ms-copy-source", self.url(from))];
        all.extend_from_slice(headers);
        self.put(to, &all, "").await
    }

    async fn head(&self, path: &str) -> Response {
        self.request(Method::HEAD, path).send().await.unwrap()
    }
}

fn code(reply: &Response) -> &str {
    reply.headers().get("x-ms-error-code").map_or("", |code| code.to_str().unwrap())
}

#[tokio::test]
async fn copies_are_pending_as_often_as_they_are_told() {
    let wire = Wire::new(AzureOptions::default());
    let etag = wire.put_blob("from", "content").await;
    let stale = wire.copy("from", "to", &[("x-ms-source-if-match", "\"0x0\"".to_owned())]).await;
    assert_eq!((stale.status().as_u16(), code(&stale)), (412, "SourceConditionNotMet"));
    let absent = wire.copy("nothing", "to", &[]).await;
    assert_eq!((absent.status().as_u16(), code(&absent)), (404, "CannotVerifyCopySource"));

    wire.server.set_copies(CopyRule { pending_looks: 2, outcome: CopyOutcome::Success });
    let begun = wire.copy("from", "to", &[("x-ms-source-if-match", etag)]).await;
    assert_eq!(
        (begun.status().as_u16(), begun.headers()["x-ms-copy-status"].to_str().unwrap()),
        (202, "pending")
    );
    let busy = wire.put("to", &[("x-ms-blob-type", "BlockBlob".to_owned())], "x").await;
    assert_eq!((busy.status().as_u16(), code(&busy)), (409, "PendingCopyOperation"));
    for (status, length) in [("pending", "0"), ("pending", "0"), ("success", "7")] {
        let head = wire.head("to").await;
        assert_eq!(head.headers()["x-ms-copy-status"], status);
        assert_eq!(head.headers()["content-length"], length);
    }
    assert_eq!(wire.server.store().content("container", "to").unwrap(), "content");
}

#[tokio::test]
async fn copies_fail_and_can_be_aborted() {
    let wire = Wire::new(AzureOptions::default());
    wire.put_blob("from", "content").await;
    wire.server.set_copies(CopyRule { pending_looks: 0, outcome: CopyOutcome::Failed });
    assert_eq!(wire.copy("from", "to", &[]).await.headers()["x-ms-copy-status"], "pending");
    let head = wire.head("to").await;
    assert_eq!(
        (&head.headers()["x-ms-copy-status"], &head.headers()["content-length"]),
        (&"failed".parse().unwrap(), &"0".parse().unwrap())
    );

    wire.server.set_copies(CopyRule { pending_looks: 0, outcome: CopyOutcome::Never });
    let begun = wire.copy("from", "to", &[]).await;
    let id = begun.headers()["x-ms-copy-id"].to_str().unwrap();
    for _ in 0..3 {
        assert_eq!(wire.head("to").await.headers()["x-ms-copy-status"], "pending");
    }
    let abort = [("x-ms-copy-action", "abort".to_owned())];
    let wrong = wire.put("to?comp=copy&copyid=other", &abort, "").await;
    assert_eq!(code(&wrong), "CopyIdMismatch");
    assert_eq!(wire.put(&format!("to?comp=copy&copyid={id}"), &abort, "").await.status(), 204);
    assert_eq!(wire.head("to").await.headers()["x-ms-copy-status"], "aborted");
    assert_eq!(wire.server.pending_copies(), 0);
}

#[tokio::test]
async fn blocks_belong_to_the_name() {
    let wire = Wire::new(AzureOptions::default());
    assert_eq!(wire.put("b?comp=block&blockid=MDE=", &[], "one").await.status(), 201);
    let odd = wire.put("b?comp=block&blockid=MDAwMQ==", &[], "x").await;
    assert_eq!(code(&odd), "InvalidBlobOrBlock");
    assert_eq!(wire.head("b").await.status(), 404);
    let list =
        wire.request(Method::GET, "b?comp=blocklist&blocklisttype=all").send().await.unwrap().text().await;
    assert!(list.unwrap().contains("<UncommittedBlocks><Block><Name>MDE=</Name><Size>3</Size></Block>"));
    // Neither seen in a listing, nor deleted.
    let listing = |include: &str| {
        wire.request(Method::GET, &format!("?restype=container&comp=list&include={include}")).send()
    };
    assert!(!listing("metadata").await.unwrap().text().await.unwrap().contains("<Name>b</Name>"));
    assert!(listing("uncommittedblobs").await.unwrap().text().await.unwrap().contains("<Name>b</Name>"));
    assert_eq!(wire.request(Method::DELETE, "b").send().await.unwrap().status(), 404);

    wire.put_blob("b", "other").await;
    let gone = wire.put("b?comp=blocklist", &[], "<BlockList><Latest>MDE=</Latest></BlockList>").await;
    assert_eq!((gone.status().as_u16(), code(&gone)), (400, "InvalidBlockList"));
    assert_eq!(wire.put("b?comp=block&blockid=MDE=", &[], "one").await.status(), 201);
    let committed = wire.put("b?comp=blocklist", &[], "<BlockList><Latest>MDE=</Latest></BlockList>").await;
    assert_eq!(committed.status(), 201);
    assert_eq!(wire.put("b?comp=block&blockid=MDI=", &[], "two").await.status(), 201);
    let both = "<BlockList><Committed>MDE=</Committed><Uncommitted>MDI=</Uncommitted></BlockList>";
    assert_eq!(wire.put("b?comp=blocklist", &[], both).await.status(), 201);
    assert_eq!(wire.server.store().content("container", "b").unwrap(), "onetwo");
}

#[tokio::test]
async fn blocks_come_from_urls_that_can_be_read() {
    let wire = Wire::new(AzureOptions::default());
    wire.put_blob("from", "0123456789").await;
    let source = || ("x-ms-copy-source", wire.url("from"));
    let bare = wire.put("to?comp=block&blockid=MDE=", &[source()], "").await;
    assert_eq!((bare.status().as_u16(), code(&bare)), (401, "CannotVerifyCopySource"));
    let range = ("x-ms-source-range", "bytes=2-4".to_owned());
    let token = ("x-ms-copy-source-authorization", "Bearer token".to_owned());
    assert_eq!(wire.put("to?comp=block&blockid=MDE=", &[source(), range, token], "").await.status(), 201);
    assert_eq!(wire.server.store().uncommitted_blocks("container", "to"), [("MDE=".to_owned(), 3)]);
    let without = Wire::new(AzureOptions { block_from_url: false, ..AzureOptions::default() });
    let refused =
        without.put("to?comp=block&blockid=MDE=", &[("x-ms-copy-source", without.url("x"))], "").await;
    assert_eq!(refused.status(), 501);
}

#[tokio::test]
async fn append_blobs_keep_their_type() {
    let wire = Wire::new(AzureOptions::default());
    let kind = |kind: &str| [("x-ms-blob-type", kind.to_owned())];
    assert_eq!(wire.put("a", &kind("AppendBlob"), "").await.status(), 201);
    assert_eq!(wire.put("a?comp=appendblock", &[], "one").await.headers()["x-ms-blob-append-offset"], "0");
    let stale =
        wire.put("a?comp=appendblock", &[("x-ms-blob-condition-appendpos", "0".to_owned())], "x").await;
    assert_eq!((stale.status().as_u16(), code(&stale)), (412, "AppendPositionConditionNotMet"));
    assert_eq!(wire.put("a?comp=appendblock", &[], "two").await.headers()["x-ms-blob-append-offset"], "3");
    assert_eq!(wire.head("a").await.headers()["x-ms-blob-type"], "AppendBlob");
    for reply in
        [wire.put("a", &kind("BlockBlob"), "x").await, wire.put("a?comp=block&blockid=MDE=", &[], "x").await]
    {
        assert_eq!((reply.status().as_u16(), code(&reply)), (409, "InvalidBlobType"));
    }
    wire.copy("a", "copy", &[]).await;
    assert_eq!(wire.head("copy").await.headers()["x-ms-blob-type"], "AppendBlob");
    assert_eq!(wire.server.store().content("container", "copy").unwrap(), "onetwo");
}

#[tokio::test]
async fn listings_start_at_a_name_if_the_version_knows_it() {
    let wire = Wire::new(AzureOptions { page_size: 2, ..AzureOptions::default() });
    for key in ["a", "d/1", "d/2", "e"] {
        wire.server.store().put("container", key, "x");
    }
    let list = |query: &str, version: &'static str| {
        let url = format!("{}/container?restype=container&comp=list&{query}", wire.server.endpoint());
        wire.client.get(url).bearer_auth("token").header("x-ms-version", version).send()
    };
    let names = |text: String| -> Vec<String> {
        text.split("<Name>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    };
    let text = list("delimiter=/", "2023-11-03").await.unwrap().text().await.unwrap();
    assert_eq!(names(text.clone()), ["a", "d/"]);
    let marker = text.split("<NextMarker>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let text =
        list(&format!("delimiter=/&marker={marker}"), "2023-11-03").await.unwrap().text().await.unwrap();
    assert_eq!(names(text.clone()), ["e"]);
    assert!(text.contains("<NextMarker></NextMarker>"));
    let old = list("startFrom=d/2", "2023-11-03").await.unwrap().text().await.unwrap();
    assert_eq!(names(old), ["a", "d/1"]);
    let new = list("startFrom=d/2", "2026-02-06").await.unwrap().text().await.unwrap();
    assert_eq!(names(new), ["d/2", "e"]);
    assert_eq!(list("", "2099-01-01").await.unwrap().status(), 400);
}

#[tokio::test]
async fn refusals_are_in_the_words_of_azure() {
    let wire = Wire::new(AzureOptions::default());
    for (refusal, status, expected) in [
        (AzureRefusal::WrongKey, 403, "AuthenticationFailed"),
        (AzureRefusal::ClockSkew, 403, "AuthenticationFailed"),
        (AzureRefusal::ExpiredToken, 401, "InvalidAuthenticationInfo"),
        (AzureRefusal::NoContainer, 404, "ContainerNotFound"),
        (AzureRefusal::ServerBusy, 503, "ServerBusy"),
    ] {
        wire.server.refuse(Some(refusal));
        let reply = wire.request(Method::GET, "x").send().await.unwrap();
        assert_eq!((reply.status().as_u16(), code(&reply)), (status, expected));
        let id = reply.headers()["x-ms-request-id"].to_str().unwrap().to_owned();
        let text = reply.text().await.unwrap();
        assert!(text.contains(&format!("<Code>{expected}</Code>")) && text.contains(&id), "{text}");
    }
}

/// A signature of the account for `permissions`, until `expiry`.
fn account_signature(server: &AzureServer, permissions: &str, protocol: &str, expiry: &str) -> String {
    let version = "2023-11-03";
    let text =
        format!("{}\n{permissions}\nb\nsco\n\n{expiry}\n\n{protocol}\n{version}\n\n", server.account());
    let key = base64::engine::general_purpose::STANDARD.decode(server.key()).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let signature = base64::engine::general_purpose::STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sv", version), ("ss", "b"), ("srt", "sco"), ("sp", permissions), ("se", expiry)])
        .extend_pairs([("spr", protocol), ("sig", &signature)])
        .finish()
}

#[tokio::test]
async fn signatures_of_the_account_say_what_and_until_when() {
    let wire = Wire::new(AzureOptions::default());
    wire.server.store().put("container", "b", "x");
    for (permissions, protocol, expiry, status, expected) in [
        ("r", "https,http", "2099-01-01T00:00:00Z", 200, ""),
        ("w", "https,http", "2099-01-01T00:00:00Z", 403, "AuthorizationPermissionMismatch"),
        ("r", "https", "2099-01-01T00:00:00Z", 403, "AuthorizationProtocolMismatch"),
        ("r", "https,http", "2020-01-01T00:00:00Z", 403, "AuthenticationFailed"),
    ] {
        let query = account_signature(&wire.server, permissions, protocol, expiry);
        let reply = wire.client.get(format!("{}?{query}", wire.url("b"))).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), code(&reply)), (status, expected));
        let forged = query.replace("2099", "2098").replace("2020", "2098");
        let reply = wire.client.get(format!("{}?{forged}", wire.url("b"))).send().await.unwrap();
        assert_eq!(code(&reply), "AuthenticationFailed");
    }
}

#[tokio::test]
async fn digests_dates_and_metadata() {
    let wire = Wire::new(AzureOptions { hierarchical: true, ..AzureOptions::default() });
    let kind = ("x-ms-blob-type", "BlockBlob".to_owned());
    let wrong =
        wire.put("b", &[kind.clone(), ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==".to_owned())], "x").await;
    assert_eq!((wrong.status().as_u16(), code(&wrong)), (400, "Md5Mismatch"));
    assert_eq!(wire.put("b", &[kind, ("x-ms-meta-mark", "1".to_owned())], "x").await.status(), 201);
    let before = wire.head("b").await;
    assert_eq!(before.headers()["x-ms-meta-mark"], "1");
    assert_eq!(wire.put("b?comp=metadata", &[("x-ms-meta-other", "2".to_owned())], "").await.status(), 200);
    let after = wire.head("b").await;
    assert_eq!(
        (after.headers().get("x-ms-meta-mark"), &after.headers()["x-ms-meta-other"]),
        (None, &"2".parse().unwrap())
    );
    assert_ne!(before.headers()["etag"], after.headers()["etag"]);

    let account = wire.request(Method::GET, "?restype=account&comp=properties").send().await.unwrap();
    assert_eq!(account.headers()["x-ms-is-hns-enabled"], "true");
    let old = wire
        .client
        .get(wire.url("b"))
        .header("x-ms-date", "Wed, 01 Jan 2020 00:00:00 GMT")
        .header("authorization", format!("SharedKey {}:AAAA", wire.server.account()))
        .send()
        .await
        .unwrap();
    assert_eq!(code(&old), "AuthenticationFailed");
    assert!(old.text().await.unwrap().contains("Request date header too old"));
    let bare = wire.client.get(wire.url("b")).send().await.unwrap();
    assert_eq!((bare.status().as_u16(), code(&bare)), (401, "NoAuthenticationInformation"));
}
