//! The JSON API of the GCS server, spoken by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use storagedriver_testservers::{GcsOptions, GcsRefusal, GcsServer};

mod provider;

struct Wire {
    server: GcsServer,
    client: Client,
}

impl Wire {
    fn new(options: GcsOptions) -> Self {
        provider::install();
        Self { server: GcsServer::start(options).unwrap(), client: Client::new() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.server.endpoint())).bearer_auth("token")
    }

    async fn json(&self, method: Method, path: &str, body: &'static str) -> (StatusCode, Value) {
        let reply = self.request(method, path).body(body).send().await.unwrap();
        let status = reply.status();
        let bytes = reply.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn put(&self, key: &str, content: &'static str) -> u64 {
        let path = format!("/upload/storage/v1/b/bucket/o?uploadType=media&name={key}");
        let (status, resource) = self.json(Method::POST, &path, content).await;
        assert_eq!(status, StatusCode::OK);
        resource["generation"].as_str().unwrap().parse().unwrap()
    }
}

const OBJECTS: &str = "/storage/v1/b/bucket/o";

#[tokio::test]
async fn media_ranges_and_generations() {
    let wire = Wire::new(GcsOptions::default());
    let old = wire.put("a%2Fb", "one").await;
    let new = wire.put("a%2Fb", "second").await;
    assert!(new > old);
    let media = format!("{OBJECTS}/a%2Fb?alt=media");
    let reply = wire.request(Method::GET, &media).header("range", "bytes=1-3").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(reply.headers()["content-range"], "bytes 1-3/6");
    assert_eq!(reply.headers()["x-goog-generation"], new.to_string().as_str());
    assert_eq!(reply.text().await.unwrap(), "eco");
    let beyond = wire.request(Method::GET, &media).header("range", "bytes=6-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let (status, _) = wire.json(Method::GET, &format!("{media}&generation={old}"), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, error) =
        wire.json(Method::GET, &format!("{OBJECTS}/a%2Fb?ifGenerationMatch={old}"), "").await;
    assert_eq!(
        (status, &error["error"]["errors"][0]["reason"]),
        (StatusCode::PRECONDITION_FAILED, &json!("conditionNotMet"))
    );
    let (_, resource) = wire.json(Method::GET, &format!("{OBJECTS}/a%2Fb?fields=size,name"), "").await;
    assert_eq!(resource, json!({"name": "a/b", "size": "6"}));
    let (status, error) = wire.json(Method::GET, &format!("{OBJECTS}/absent"), "").await;
    assert_eq!(
        (status, &error["error"]["message"]),
        (StatusCode::NOT_FOUND, &json!("No such object: bucket/absent"))
    );
}

#[tokio::test]
async fn conditional_insert_and_delete() {
    let wire = Wire::new(GcsOptions::default());
    let generation = wire.put("x", "1").await;
    let absent = "/upload/storage/v1/b/bucket/o?uploadType=media&name=x&ifGenerationMatch=0";
    assert_eq!(wire.json(Method::POST, absent, "2").await.0, StatusCode::PRECONDITION_FAILED);
    let stale = format!("{OBJECTS}/x?ifGenerationMatch=1");
    assert_eq!(wire.json(Method::DELETE, &stale, "").await.0, StatusCode::PRECONDITION_FAILED);
    let right = format!("{OBJECTS}/x?ifGenerationMatch={generation}");
    assert_eq!(wire.json(Method::DELETE, &right, "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(wire.json(Method::DELETE, &right, "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn multipart_related_keeps_metadata_and_bytes() {
    let wire = Wire::new(GcsOptions::default());
    let content = "\r\n--other\r\n\r\nline\r\n";
    let body = format!(
        "--b1\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"k\",\"metadata\":{{\"mark\":\"n.1\"}}}}\r\n\
         --b1\r\nContent-Type: text/plain\r\n\r\n{content}\r\n--b1--\r\n"
    );
    let reply = wire
        .request(Method::POST, "/upload/storage/v1/b/bucket/o?uploadType=multipart")
        .header("content-type", "multipart/related; boundary=b1")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let stored = wire.server.store().object("bucket", "k").unwrap();
    assert_eq!(stored.content.to_bytes(), content);
    assert_eq!(stored.metadata["mark"], "n.1");
    let (_, patched) =
        wire.json(Method::PATCH, &format!("{OBJECTS}/k"), r#"{"metadata":{"mark":null,"x":"1"}}"#).await;
    assert_eq!((&patched["metadata"], &patched["metageneration"]), (&json!({"x": "1"}), &json!("2")));
    assert_eq!(patched["contentType"], "text/plain");
}

#[tokio::test]
async fn a_resumable_upload_goes_on_where_it_was() {
    let wire = Wire::new(GcsOptions { chunk_multiple: 4, ..GcsOptions::default() });
    let begin = "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=r";
    let reply = wire.request(Method::POST, begin).send().await.unwrap();
    let location = reply.headers()["location"].to_str().unwrap().to_owned();
    let chunk = |range: &'static str, body: &'static str| {
        wire.client.put(&location).header("content-range", range).body(body).send()
    };
    let taken = chunk("bytes 0-3/*", "abcd").await.unwrap();
    assert_eq!(
        (taken.status(), &taken.headers()["range"]),
        (StatusCode::PERMANENT_REDIRECT, &"bytes=0-3".parse().unwrap())
    );
    let asked = chunk("bytes */*", "").await.unwrap();
    assert_eq!(asked.headers()["range"], "bytes=0-3");
    assert_eq!(chunk("bytes 4-5/*", "ef").await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert!(wire.server.store().object("bucket", "r").is_none());
    let wire_done = chunk("bytes 4-5/6", "ef").await;
    assert_eq!(wire_done.unwrap().status(), StatusCode::OK);
    assert_eq!(wire.server.store().content("bucket", "r").unwrap(), "abcdef");
}

#[tokio::test]
async fn rewrites_want_to_be_called_again() {
    let wire = Wire::new(GcsOptions { rewrite_limit: Some(4), ..GcsOptions::default() });
    let generation = wire.put("from", "0123456789").await;
    let path = format!("{OBJECTS}/from/rewriteTo/b/bucket/o/to?ifSourceGenerationMatch={generation}");
    let mut token = String::new();
    let mut steps = Vec::new();
    loop {
        let (status, step) = wire.json(Method::POST, &format!("{path}{token}"), "").await;
        assert_eq!(status, StatusCode::OK);
        steps.push(step["totalBytesRewritten"].as_str().unwrap().to_owned());
        match step["rewriteToken"].as_str() {
            Some(next) => token = format!("&rewriteToken={next}"),
            None => break,
        }
        assert!(wire.server.store().object("bucket", "to").is_none());
    }
    assert_eq!(steps, ["4", "8", "10"]);
    assert_eq!(wire.server.store().content("bucket", "to").unwrap(), "0123456789");
    wire.put("from", "other").await;
    assert_eq!(wire.json(Method::POST, &path, "").await.0, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn compose_joins() {
    let wire = Wire::new(GcsOptions { compose_limit: 2, ..GcsOptions::default() });
    wire.put("1", "ab").await;
    wire.put("2", "cd").await;
    let path = format!("{OBJECTS}/dir%2Fall/compose");
    let two = r#"{"sourceObjects":[{"name":"1"},{"name":"2"}],"destination":{"metadata":{"mark":"m"}}}"#;
    assert_eq!(wire.json(Method::POST, &path, two).await.0, StatusCode::OK);
    let stored = wire.server.store().object("bucket", "dir/all").unwrap();
    assert_eq!((stored.content.to_bytes(), stored.metadata["mark"].as_str()), ("abcd".into(), "m"));
    let three = r#"{"sourceObjects":[{"name":"1"},{"name":"2"},{"name":"1"}]}"#;
    assert_eq!(wire.json(Method::POST, &path, three).await.0, StatusCode::BAD_REQUEST);
    let absent = r#"{"sourceObjects":[{"name":"9"}]}"#;
    assert_eq!(wire.json(Method::POST, &path, absent).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_in_pages() {
    let wire = Wire::new(GcsOptions { page_size: 2, ..GcsOptions::default() });
    for key in ["a", "d/1", "d/2", "e", "f"] {
        wire.server.store().put("bucket", key, "x");
    }
    let (_, first) = wire
        .json(Method::GET, &format!("{OBJECTS}?delimiter=/&fields=items(name),prefixes,nextPageToken"), "")
        .await;
    assert_eq!((&first["items"], &first["prefixes"]), (&json!([{"name": "a"}]), &json!(["d/"])));
    let next = first["nextPageToken"].as_str().unwrap();
    let (_, second) = wire
        .json(
            Method::GET,
            &format!("{OBJECTS}?delimiter=/&pageToken={next}&fields=items/name,prefixes,nextPageToken"),
            "",
        )
        .await;
    assert_eq!(second, json!({"items": [{"name": "e"}, {"name": "f"}]}));
    let (_, offset) =
        wire.json(Method::GET, &format!("{OBJECTS}?startOffset=d/2&fields=items/name"), "").await;
    assert_eq!(offset, json!({"items": [{"name": "d/2"}, {"name": "e"}]}));
    let (status, _) = wire.json(Method::GET, "/storage/v1/b/other/o", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn refusals_are_in_the_words_of_gcs() {
    let wire = Wire::new(GcsOptions::default());
    for (refusal, status, reason) in [
        (GcsRefusal::InvalidCredentials, 401, "authError"),
        (GcsRefusal::Forbidden, 403, "forbidden"),
        (GcsRefusal::RateLimited, 429, "rateLimitExceeded"),
        (GcsRefusal::Unavailable, 503, "backendError"),
    ] {
        wire.server.refuse(Some(refusal));
        let (got, error) = wire.json(Method::GET, &format!("{OBJECTS}/x"), "").await;
        assert_eq!((got.as_u16(), &error["error"]["errors"][0]["reason"]), (status, &json!(reason)));
    }
}

/// The texts of all elements of this name.
fn values(text: &str, name: &str) -> Vec<String> {
    let open = format!("<{name}>");
    text.split(&open).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn multipart_uploads_are_listed_and_take_no_condition() {
    let wire = Wire::new(GcsOptions { page_size: 2, ..GcsOptions::default() });
    let send =
        |method: Method, path: String| wire.request(method, &path).header("content-length", "0").send();
    let mut ids = Vec::new();
    for key in ["b", "a", "b"] {
        let text = send(Method::POST, format!("/bucket/{key}?uploads")).await.unwrap().text().await.unwrap();
        ids.push(values(&text, "UploadId").remove(0));
    }
    let refused = wire
        .request(Method::POST, "/bucket/k?uploads")
        .header("x-goog-if-generation-match", "0")
        .header("content-length", "0")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(values(&refused.text().await.unwrap(), "Code"), ["InvalidArgument"]);

    let first = send(Method::GET, "/bucket?uploads".to_owned()).await.unwrap().text().await.unwrap();
    assert_eq!(values(&first, "UploadId"), [ids[1].clone(), ids[0].clone()]);
    let marker = format!(
        "/bucket?uploads&key-marker={}&upload-id-marker={}",
        values(&first, "NextKeyMarker")[0],
        values(&first, "NextUploadIdMarker")[0]
    );
    let second = send(Method::GET, marker).await.unwrap().text().await.unwrap();
    assert_eq!(
        (values(&second, "UploadId"), values(&second, "IsTruncated")),
        (vec![ids[2].clone()], vec!["false".into()])
    );

    for number in [1, 3, 7] {
        let path = format!("/bucket/a?partNumber={number}&uploadId={}", ids[1]);
        wire.request(Method::PUT, &path).body("x").send().await.unwrap();
    }
    let parts =
        send(Method::GET, format!("/bucket/a?uploadId={}", ids[1])).await.unwrap().text().await.unwrap();
    assert_eq!(
        (values(&parts, "PartNumber"), values(&parts, "NextPartNumberMarker")),
        (vec!["1".into(), "3".into()], vec!["3".into()])
    );
    let rest = format!("/bucket/a?uploadId={}&part-number-marker=3", ids[1]);
    let rest = send(Method::GET, rest).await.unwrap().text().await.unwrap();
    assert_eq!(values(&rest, "PartNumber"), ["7"]);

    let list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"no\"</ETag></Part></CompleteMultipartUpload>";
    let path = format!("/bucket/a?uploadId={}", ids[1]);
    let refused = wire.request(Method::POST, &path).body(list).send().await.unwrap();
    assert_eq!(values(&refused.text().await.unwrap(), "Code"), ["InvalidPart"]);
    assert_eq!(send(Method::DELETE, path.clone()).await.unwrap().status(), StatusCode::NO_CONTENT);
    let gone = send(Method::DELETE, path).await.unwrap();
    assert_eq!(values(&gone.text().await.unwrap(), "Code"), ["NoSuchUpload"]);
}

#[tokio::test]
async fn tokens_and_signatures_are_given() {
    let wire = Wire::new(GcsOptions::default());
    let token = wire.client.post(format!("{}/token", wire.server.endpoint())).send().await.unwrap();
    let token: Value = serde_json::from_slice(&token.bytes().await.unwrap()).unwrap();
    assert_eq!(token["access_token"], "token");
    let path = "/v1/projects/-/serviceAccounts/driver@project:signBlob";
    let (status, signed) = wire.json(Method::POST, path, r#"{"payload":"eA=="}"#).await;
    assert_eq!((status, signed["signedBlob"].is_string()), (StatusCode::OK, true));
}
