//! The rules of the S3 server, spoken by hand and unsigned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use storagedriver_testservers::{
    Addressing, Authentication, ConditionalWrites, ListV2, PartSizes, S3Options, S3Server,
};

mod provider;

struct Wire {
    server: S3Server,
    client: Client,
}

fn anonymous() -> S3Options {
    S3Options { authentication: Authentication::Anonymous, min_part: 0, ..S3Options::default() }
}

impl Wire {
    fn new(options: S3Options) -> Self {
        provider::install();
        Self { server: S3Server::start(options).unwrap(), client: Client::new() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/bucket{path}", self.server.endpoint()))
    }

    /// Status and body of a request.
    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut request = self.request(method, path).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    async fn begin(&self, key: &str) -> String {
        let (status, text) = self.send(Method::POST, &format!("/{key}?uploads"), &[], "").await;
        assert_eq!(status, 200, "{text}");
        values(&text, "UploadId").remove(0)
    }

    /// Sends parts and completes an upload of them.
    async fn upload(&self, key: &str, parts: &[&str]) -> (u16, String) {
        let id = self.begin(key).await;
        let mut list = String::new();
        for (index, part) in parts.iter().enumerate() {
            let number = index + 1;
            let path = format!("/{key}?partNumber={number}&uploadId={id}");
            let reply = self.request(Method::PUT, &path).body((*part).to_owned()).send().await.unwrap();
            let tag = reply.headers()["etag"].to_str().unwrap().to_owned();
            list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>");
        }
        let body = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        self.send(Method::POST, &format!("/{key}?uploadId={id}"), &[], &body).await
    }
}

/// The texts of all elements of this name.
fn values(text: &str, name: &str) -> Vec<String> {
    let open = format!("<{name}>");
    text.split(&open).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

fn is(answer: &(u16, String), status: u16, code: &str) -> bool {
    answer.0 == status && values(&answer.1, "Code") == [code] && values(&answer.1, "RequestId").len() == 1
}

async fn is_header(reply: Response, name: &str, value: &str) {
    assert_eq!(reply.headers()[name], value);
}

#[tokio::test]
async fn listings_of_both_versions() {
    let wire = Wire::new(S3Options { page_size: 2, ..anonymous() });
    for key in ["a&b", "d/1", "d/2", "e f"] {
        wire.server.store().put("bucket", key, "x");
    }
    let get = |query: &'static str| wire.send(Method::GET, query, &[], "");
    let (_, first) = get("?delimiter=/").await;
    assert_eq!(
        (values(&first, "Key"), values(&first, "NextMarker")),
        (vec!["a&amp;b".into()], vec!["d/".into()])
    );
    let (_, second) = get("?delimiter=/&marker=d/").await;
    assert_eq!(
        (values(&second, "Key"), values(&second, "IsTruncated")),
        (vec!["e f".into()], vec!["false".into()])
    );
    // Without a delimiter the last key is the marker.
    assert!(values(&get("?").await.1, "NextMarker").is_empty());
    let (_, encoded) = get("?list-type=2&encoding-type=url&start-after=d/1").await;
    assert_eq!(values(&encoded, "Key"), ["d/2", "e%20f"]);
    let (_, few) = get("?list-type=2&max-keys=1").await;
    assert_eq!(values(&few, "NextContinuationToken").len(), 1);
    assert!(is(&get("?list-type=2&continuation-token=!").await, 400, "InvalidArgument"));
}

#[tokio::test]
async fn listings_of_stores_that_lack_something() {
    let keys = ["b1", "a2", "c0"];
    let fill = |wire: &Wire| keys.iter().for_each(|key| wire.server.store().put("bucket", key, "x"));
    let wire = Wire::new(S3Options { ordered: false, ..anonymous() });
    fill(&wire);
    assert_eq!(values(&wire.send(Method::GET, "?list-type=2", &[], "").await.1, "Key"), ["c0", "b1", "a2"]);

    let wire = Wire::new(S3Options { start_after: false, ..anonymous() });
    fill(&wire);
    let (_, all) = wire.send(Method::GET, "?list-type=2&start-after=b1", &[], "").await;
    assert_eq!(values(&all, "Key"), ["a2", "b1", "c0"]);

    let wire = Wire::new(S3Options { list_v2: ListV2::Refused, ..anonymous() });
    assert!(is(&wire.send(Method::GET, "?list-type=2", &[], "").await, 501, "NotImplemented"));
    assert_eq!(wire.send(Method::GET, "", &[], "").await.0, 200);

    let wire = Wire::new(S3Options { list_v2: ListV2::Ignored, page_size: 2, ..anonymous() });
    fill(&wire);
    let (_, page) = wire.send(Method::GET, "?list-type=2&start-after=a2", &[], "").await;
    assert_eq!(
        (values(&page, "Key"), values(&page, "IsTruncated")),
        (vec!["a2".into(), "b1".into()], vec!["true".into()])
    );
    assert!(values(&page, "NextContinuationToken").is_empty());
}

#[tokio::test]
async fn batches_of_deletes() {
    const TWO: &str =
        "<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
    let wire = Wire::new(S3Options { delete_limit: 2, ..anonymous() });
    wire.server.store().put("bucket", "a", "x");
    assert_eq!(wire.send(Method::POST, "?delete", &[], TWO).await.0, 200);
    assert!(wire.server.store().keys("bucket").is_empty());
    let three = TWO.replace("</Delete>", "<Object><Key>c</Key></Object></Delete>");
    assert!(is(&wire.send(Method::POST, "?delete", &[], &three).await, 400, "MalformedXML"));

    let wire = Wire::new(S3Options { batch_delete: false, ..anonymous() });
    assert!(is(&wire.send(Method::POST, "?delete", &[], TWO).await, 501, "NotImplemented"));
    let wire = Wire::new(S3Options { batch_delete_md5: true, ..anonymous() });
    assert!(is(&wire.send(Method::POST, "?delete", &[], TWO).await, 400, "InvalidRequest"));
    let sum = [("content-md5", "zt5ZfXr3ZIeTZ8HGpJ1qRg==")];
    assert!(is(&wire.send(Method::POST, "?delete", &sum, TWO).await, 400, "BadDigest"));
    let right = [("content-md5", "+eqeRor0T9igEFCV7Q/+YQ==")];
    assert_eq!(wire.send(Method::POST, "?delete", &right, TWO).await.0, 200);
}

#[tokio::test]
async fn part_sizes() {
    let wire = Wire::new(anonymous());
    assert_eq!(wire.upload("k", &["abc", "d", "efg"]).await.0, 200);
    let wire = Wire::new(S3Options { min_part: 3, ..anonymous() });
    assert!(is(&wire.upload("k", &["abc", "d", "efg"]).await, 400, "EntityTooSmall"));
    assert_eq!(wire.upload("k", &["abc", "defg", "h"]).await.0, 200);
    assert_eq!(wire.server.store().content("bucket", "k").unwrap(), "abcdefgh");
    assert_eq!(wire.server.store().uploads("bucket").len(), 1);
    let wire = Wire::new(S3Options { part_sizes: PartSizes::Equal, ..anonymous() });
    assert!(is(&wire.upload("k", &["abc", "defg", "h"]).await, 400, "InvalidPart"));
    assert!(is(&wire.upload("k", &["abc", "defg"]).await, 400, "InvalidPart"));
    assert_eq!(wire.upload("k", &["abc", "def", "h"]).await.0, 200);
    let wire = Wire::new(S3Options { part_sizes: PartSizes::Exactly(2), ..anonymous() });
    assert!(is(&wire.upload("k", &["abc", "def", "h"]).await, 400, "InvalidPart"));
    assert_eq!(wire.upload("k", &["ab", "cd", "e"]).await.0, 200);
}

#[tokio::test]
async fn parts_that_a_completion_leaves_out() {
    for (stray_parts, status) in [(true, 200), (false, 400)] {
        let wire = Wire::new(S3Options { stray_parts, ..anonymous() });
        let id = wire.begin("k").await;
        let mut tags = Vec::new();
        for number in [1, 2] {
            let path = format!("/k?partNumber={number}&uploadId={id}");
            let reply = wire.request(Method::PUT, &path).body("abc").send().await.unwrap();
            tags.push(reply.headers()["etag"].to_str().unwrap().to_owned());
        }
        let first = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", tags[0]);
        let body = format!("<CompleteMultipartUpload>{first}</CompleteMultipartUpload>");
        let answer = wire.send(Method::POST, &format!("/k?uploadId={id}"), &[], &body).await;
        assert_eq!(answer.0, status);
        assert!(stray_parts || is(&answer, 400, "InvalidPart"));
    }
}

#[tokio::test]
async fn uploads_and_parts_are_listed_in_pages() {
    let wire = Wire::new(S3Options { page_size: 2, ..anonymous() });
    let mut ids = Vec::new();
    for key in ["b", "a", "b", "dir/c"] {
        ids.push(wire.begin(key).await);
    }
    let (_, first) = wire.send(Method::GET, "?uploads", &[], "").await;
    assert_eq!(values(&first, "UploadId"), [ids[1].clone(), ids[0].clone()]);
    let next = format!("?uploads&key-marker=b&upload-id-marker={}", values(&first, "NextUploadIdMarker")[0]);
    let (_, second) = wire.send(Method::GET, &next, &[], "").await;
    assert_eq!(values(&second, "UploadId"), [ids[2].clone(), ids[3].clone()]);
    assert_eq!(values(&second, "IsTruncated"), ["false"]);
    let (_, below) = wire.send(Method::GET, "?uploads&prefix=dir/", &[], "").await;
    assert_eq!(values(&below, "Key"), ["dir/c"]);

    for number in [1, 5, 9] {
        wire.send(Method::PUT, &format!("/a?partNumber={number}&uploadId={}", ids[1]), &[], "x").await;
    }
    let (_, parts) = wire.send(Method::GET, &format!("/a?uploadId={}", ids[1]), &[], "").await;
    assert_eq!(
        (values(&parts, "PartNumber"), values(&parts, "NextPartNumberMarker")),
        (vec!["1".into(), "5".into()], vec!["5".into()])
    );
    let (_, rest) =
        wire.send(Method::GET, &format!("/a?uploadId={}&part-number-marker=5", ids[1]), &[], "").await;
    assert_eq!(
        (values(&rest, "PartNumber"), values(&rest, "IsTruncated")),
        (vec!["9".into()], vec!["false".into()])
    );

    assert_eq!(wire.send(Method::DELETE, &format!("/a?uploadId={}", ids[1]), &[], "").await.0, 204);
    assert!(is(
        &wire.send(Method::GET, &format!("/a?uploadId={}", ids[1]), &[], "").await,
        404,
        "NoSuchUpload"
    ));
    let wire = Wire::new(S3Options { lists_uploads: false, ..anonymous() });
    assert!(is(&wire.send(Method::GET, "?uploads", &[], "").await, 501, "NotImplemented"));
}

#[tokio::test]
async fn copies_keep_metadata_and_have_a_limit() {
    let wire = Wire::new(S3Options { copy_limit: 5, ..anonymous() });
    let written =
        [("x-amz-meta-mark", "n.1"), ("content-type", "text/x"), ("x-amz-storage-class", "STANDARD_IA")];
    assert_eq!(wire.send(Method::PUT, "/from", &written, "12345").await.0, 200);
    let source = ("x-amz-copy-source", "/bucket/from");
    assert_eq!(wire.send(Method::PUT, "/to", &[source], "").await.0, 200);
    let to = wire.server.store().object("bucket", "to").unwrap();
    assert_eq!((to.metadata["mark"].as_str(), to.properties["content-type"].as_str()), ("n.1", "text/x"));
    // The class is the request's.
    assert!(!to.properties.contains_key("x-amz-storage-class"));
    let replace = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-other", "1")];
    wire.send(Method::PUT, "/to", &replace, "").await;
    let to = wire.server.store().object("bucket", "to").unwrap();
    assert_eq!(to.metadata.keys().collect::<Vec<_>>(), ["other"]);

    let stale = [source, ("x-amz-copy-source-if-match", "\"no\"")];
    assert!(is(&wire.send(Method::PUT, "/to", &stale, "").await, 412, "PreconditionFailed"));
    assert!(is(&wire.send(Method::PUT, "/from", &[source], "").await, 400, "InvalidRequest"));
    wire.server.store().put("bucket", "large", "123456");
    let large = ("x-amz-copy-source", "bucket/large");
    assert!(is(&wire.send(Method::PUT, "/to", &[large], "").await, 400, "InvalidRequest"));

    let id = wire.begin("to").await;
    let part = format!("/to?partNumber=1&uploadId={id}");
    assert!(is(&wire.send(Method::PUT, &part, &[large], "").await, 400, "InvalidRequest"));
    let range = |text: &'static str| [large, ("x-amz-copy-source-range", text)];
    assert_eq!(wire.send(Method::PUT, &part, &range("bytes=2-5"), "").await.0, 200);
    assert_eq!(wire.server.store().uploads("bucket")[0].1.parts[&1].content.to_bytes(), "3456");
    assert!(is(&wire.send(Method::PUT, &part, &range("bytes=2-6"), "").await, 400, "InvalidArgument"));
    let stale = [large, ("x-amz-copy-source-if-match", "\"no\"")];
    assert!(is(&wire.send(Method::PUT, &part, &stale, "").await, 412, "PreconditionFailed"));
    let wire = Wire::new(S3Options { part_copy: false, ..anonymous() });
    assert!(is(&wire.send(Method::PUT, &part, &[large], "").await, 501, "NotImplemented"));
}

#[tokio::test]
async fn conditional_writes() {
    let absent = [("if-none-match", "*")];
    let stale = [("if-match", "\"no\"")];
    let wire = Wire::new(anonymous());
    assert_eq!(wire.send(Method::PUT, "/k", &absent, "1").await.0, 200);
    assert!(is(&wire.send(Method::PUT, "/k", &absent, "2").await, 412, "PreconditionFailed"));
    assert!(is(&wire.send(Method::PUT, "/k", &stale, "2").await, 412, "PreconditionFailed"));
    assert!(is(&wire.send(Method::PUT, "/none", &stale, "2").await, 404, "NoSuchKey"));
    assert!(is(&wire.send(Method::DELETE, "/k", &stale, "").await, 412, "PreconditionFailed"));
    let id = wire.begin("k").await;
    let part =
        wire.request(Method::PUT, &format!("/k?partNumber=1&uploadId={id}")).body("3").send().await.unwrap();
    let tag = part.headers()["etag"].to_str().unwrap();
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = format!("/k?uploadId={id}");
    assert!(is(&wire.send(Method::POST, &complete, &absent, &list).await, 412, "PreconditionFailed"));
    assert_eq!(wire.send(Method::POST, &complete, &[], &list).await.0, 200);
    assert_eq!(wire.server.store().content("bucket", "k").unwrap(), "3");

    for (rule, expected) in [(ConditionalWrites::Ignored, 200), (ConditionalWrites::Refused, 501)] {
        let wire = Wire::new(S3Options { conditional_writes: rule, ..anonymous() });
        wire.server.store().put("bucket", "k", "1");
        assert_eq!(wire.send(Method::PUT, "/k", &absent, "2").await.0, expected);
        assert_eq!(wire.server.store().content("bucket", "k").unwrap() == "2", expected == 200);
    }
}

#[tokio::test]
async fn reads_with_ranges_and_conditions() {
    let wire = Wire::new(anonymous());
    wire.server.store().put("bucket", "k", "0123456789");
    let etag = format!("\"{}\"", wire.server.store().object("bucket", "k").unwrap().etag);
    let reply = wire.request(Method::GET, "/k").header("range", "bytes=8-20").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::PARTIAL_CONTENT);
    is_header(reply, "content-range", "bytes 8-9/10").await;
    let beyond = wire.request(Method::GET, "/k").header("range", "bytes=10-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    is_header(beyond, "content-range", "bytes */10").await;
    let same = wire.request(Method::GET, "/k").header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((same.status(), same.text().await.unwrap().as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert!(is(
        &wire.send(Method::GET, "/k", &[("if-match", "\"no\"")], "").await,
        412,
        "PreconditionFailed"
    ));
    assert!(is(&wire.send(Method::GET, "/absent", &[], "").await, 404, "NoSuchKey"));
    let head = wire.request(Method::HEAD, "/absent").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
    assert!(!head.headers()["x-amz-request-id"].is_empty());
}

#[tokio::test]
async fn addresses() {
    provider::install();
    for (addressing, path, virtual_host) in [
        (Addressing::Both, 200, 200),
        (Addressing::PathOnly, 200, 400),
        (Addressing::VirtualHostOnly, 403, 200),
    ] {
        let server = S3Server::start(S3Options { addressing, ..anonymous() }).unwrap();
        server.store().put("bucket", "a/k", "x");
        let host = server.virtual_host_endpoint().replace("localhost", "bucket.localhost");
        // Resolved by the client, or by the server as its proxy.
        let address = server.endpoint().trim_start_matches("http://").parse().unwrap();
        let resolving = Client::builder().resolve("bucket.localhost", address).build().unwrap();
        let proxied =
            Client::builder().proxy(reqwest::Proxy::http(server.endpoint()).unwrap()).build().unwrap();
        for client in [resolving, proxied] {
            assert_eq!(client.get(format!("{host}/a/k")).send().await.unwrap().status(), virtual_host);
        }
        let plain = Client::new().get(format!("{}/bucket/a/k", server.endpoint())).send().await.unwrap();
        assert_eq!(plain.status(), path, "{addressing:?}");
    }
}

#[tokio::test]
async fn domains_that_are_asked_for_through_a_proxy() {
    provider::install();
    let options = S3Options {
        addressing: Addressing::VirtualHostOnly,
        domain: Some("s3.example.com".to_owned()),
        own_host: Some(("layers.example.net".to_owned(), "bucket".to_owned())),
        ..anonymous()
    };
    let server = S3Server::start(options).unwrap();
    server.store().put("bucket", "a/k", "x");
    let proxy = reqwest::Proxy::http(server.endpoint()).unwrap();
    let client = Client::builder().proxy(proxy).build().unwrap();
    for (url, status) in [
        ("http://bucket.s3.example.com/a/k", 200),
        ("http://layers.example.net/a/k", 200),
        ("http://s3.example.com/bucket/a/k", 403),
        ("http://other.s3.example.com/a/k", 404),
    ] {
        assert_eq!(client.get(url).send().await.unwrap().status(), status, "{url}");
    }
}

#[tokio::test]
async fn rules_of_vendors() {
    let wire = Wire::new(S3Options {
        aws_chunked: false,
        slash_prefixes: true,
        storage_classes: Some(&["STANDARD"]),
        acls: Some(&["private"]),
        ..anonymous()
    });
    for (headers, code) in [
        (&[("content-encoding", "aws-chunked")][..], "InvalidArgument"),
        (&[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")], "InvalidArgument"),
        (&[("x-amz-storage-class", "GLACIER")], "InvalidStorageClass"),
        (&[("x-amz-acl", "public-read")], "InvalidArgument"),
    ] {
        assert!(is(&wire.send(Method::PUT, "/d/k", headers, "x").await, 400, code), "{headers:?}");
    }
    let allowed = [("x-amz-storage-class", "STANDARD"), ("x-amz-acl", "private")];
    assert_eq!(wire.send(Method::PUT, "/d/k", &allowed, "x").await.0, 200);
    for (query, status) in
        [("?prefix=d/", 200), ("?prefix=", 200), ("?list-type=2&prefix=d", 501), ("?prefix=d/k", 501)]
    {
        assert_eq!(wire.send(Method::GET, query, &[], "").await.0, status, "{query}");
    }
}

#[tokio::test]
async fn tokens_in_place_of_signatures() {
    let wire =
        Wire::new(S3Options { authentication: Authentication::Bearer("t".into()), ..S3Options::default() });
    assert_eq!(wire.send(Method::PUT, "/k", &[("authorization", "Bearer t")], "1").await.0, 200);
    let wrong = [("authorization", "Bearer other")];
    assert!(is(&wire.send(Method::PUT, "/k", &wrong, "1").await, 401, "AuthenticationRequired"));
}

#[tokio::test]
async fn what_arrived_is_recorded() {
    let wire = Wire::new(anonymous());
    let headers = [("x-amz-server-side-encryption", "AES256"), ("x-amz-acl", "private")];
    wire.send(Method::PUT, "/dir/a%20b", &headers, "12345").await;
    let put = wire.server.requests().last(&Method::PUT, "/dir/a b").unwrap();
    assert_eq!(
        (put.header("x-amz-acl"), put.size, put.path.as_str()),
        (Some("private"), 5, "/bucket/dir/a%20b")
    );
    is_header(
        wire.request(Method::HEAD, "/dir/a b").send().await.unwrap(),
        "x-amz-server-side-encryption",
        "AES256",
    )
    .await;
    wire.send(Method::GET, "?prefix=a%2Fb", &[], "").await;
    let list = wire.server.requests().last(&Method::GET, "/bucket").unwrap();
    assert_eq!(list.parameter("prefix").as_deref(), Some("a/b"));
    assert!(!format!("{put:?}").contains("private"));
    wire.server.requests().clear();
    assert_eq!(wire.server.requests().count(), 0);

    let wire = Wire::new(S3Options { storage_class_and_acl: false, ..anonymous() });
    assert!(is(&wire.send(Method::PUT, "/k", &headers, "").await, 501, "NotImplemented"));
}
