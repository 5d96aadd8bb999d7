//! What is sent: how many requests, and which.

use std::collections::BTreeMap;

use crate::server::parameters;
use storagedriver::{Storage, WriteMode};
use storagedriver_gcs::GcsParameters;
use storagedriver_testservers::{GcsOptions, GcsServer};
use storagedriver_testsuites::{Costs, costs};

const MIB: usize = 1 << 20;

/// A server, and a storage on it that has its token already.
struct Wire {
    server: GcsServer,
    storage: Storage,
}

impl Wire {
    async fn new(uploads: &'static str, options: GcsOptions) -> Self {
        Self::with(uploads, options, |_| {}).await
    }

    async fn with(
        uploads: &'static str,
        options: GcsOptions,
        change: impl FnOnce(&mut GcsParameters) + Send,
    ) -> Self {
        let server = GcsServer::start(options).unwrap();
        let mut parameters = parameters(&server.endpoint(), uploads, 5 << 20);
        change(&mut parameters);
        let storage = parameters.into_storage().unwrap();
        assert_eq!(server.requests().count(), 0, "making a driver makes no request");
        storage.stat("/").await.unwrap();
        server.requests().clear();
        Wire { server, storage }
    }

    /// How many requests there were since the last time.
    fn count(&self) -> usize {
        let count = self.server.requests().count();
        self.server.requests().clear();
        count
    }

    /// How often each method was asked for since the last time.
    fn methods(&self) -> BTreeMap<String, usize> {
        let mut methods = BTreeMap::new();
        for request in self.server.requests().all() {
            *methods.entry(request.method.to_string()).or_default() += 1;
        }
        self.server.requests().clear();
        methods
    }

    async fn upload(&self, path: &str, bytes: usize) {
        let mut writer = self.storage.writer(path, WriteMode::Create).await.unwrap();
        for _ in 0..bytes / MIB {
            writer.write(vec![7; MIB]).await.unwrap();
        }
        writer.write(vec![8; bytes % MIB]).await.unwrap();
        writer.commit().await.unwrap();
    }
}

#[tokio::test]
async fn operations_cost_what_the_page_says() {
    // A delete asks for names, sessions and the Go driver's uploads; and for multipart uploads, where there are any.
    for (uploads, delete_of_file) in [("xml", 5), ("compose", 4)] {
        let wire = Wire::new(uploads, GcsOptions::default()).await;
        let found = costs(&wire.storage, || wire.count()).await.unwrap();
        let stated = Costs { delete_of_file, ..Costs::OBJECT_ENGINE };
        assert_eq!(found, stated, "{uploads}");
    }
}

#[tokio::test]
async fn listings_cost_one_request_a_page() {
    let wire = Wire::new("xml", GcsOptions { page_size: 10, ..GcsOptions::default() }).await;
    for number in 0..95 {
        wire.server.store().put("bucket", &format!("some/root/d/{number:02}"), "x");
    }
    assert_eq!(wire.storage.list("/d").await.unwrap().len(), 95);
    assert_eq!(wire.count(), 10, "list");
    let mut walk = wire.storage.walk("/", storagedriver::WalkOptions::default()).await.unwrap();
    while let Some(info) = walk.next().await.unwrap() {
        assert!(info.path().as_str().starts_with("/d"));
    }
    assert_eq!(wire.count(), 10, "walk");
    wire.storage.delete("/d").await.unwrap();
    let methods = wire.methods();
    assert_eq!(methods.get("DELETE"), Some(&95), "one by one");
    // Ten pages, the sessions, the Go driver's uploads, the multipart uploads.
    assert_eq!(methods.get("GET"), Some(&13));
}

#[tokio::test]
async fn a_small_upload_is_one_put() {
    for uploads in ["xml", "compose"] {
        let wire = Wire::new(uploads, GcsOptions::default()).await;
        wire.upload("/a", 5 * MIB - 1).await;
        assert_eq!(wire.count(), 2, "{uploads}");
    }
}

#[tokio::test]
async fn a_large_upload_costs_one_request_a_part_and_a_few() {
    let wire = Wire::new("xml", GcsOptions::default()).await;
    wire.upload("/a", 22 * MIB).await;
    let requests = wire.server.requests().all();
    let parts = requests.iter().filter(|request| request.parameter("partNumber").is_some());
    assert_eq!(parts.count(), 5);
    assert_eq!(wire.count(), 5 + 6);
    let object = wire.server.store().object("bucket", "some/root/a").unwrap();
    assert!(object.metadata.contains_key("storagedriver-mark"), "{:?}", object.metadata);
    assert_eq!(object.properties.get("content-type").map(String::as_str), Some("application/octet-stream"));

    let wire = Wire::new("compose", GcsOptions::default()).await;
    wire.upload("/a", 22 * MIB).await;
    // Each segment is sent and deleted.
    assert_eq!(wire.count(), 2 * 5 + 6);
    let object = wire.server.store().object("bucket", "some/root/a").unwrap();
    assert!(object.metadata.contains_key("storagedriver-mark"), "{:?}", object.metadata);
    assert_eq!(object.properties.get("content-type").map(String::as_str), Some("application/octet-stream"));
    assert_eq!(wire.server.store().keys("bucket"), ["some/root/a"], "no segment is left");
}

#[tokio::test]
async fn more_segments_than_the_service_composes_at_once_make_a_tree() {
    let wire = Wire::with("compose", GcsOptions::default(), |given| given.chunksize = 256 << 10).await;
    wire.upload("/a", 10 * MIB).await;
    let requests = wire.server.requests().all();
    let composed = requests.iter().filter(|request| request.path.ends_with("/compose")).count();
    // 40 segments: one of 32, one of 8, and those two.
    assert_eq!(composed, 3);
    assert_eq!(wire.server.store().keys("bucket"), ["some/root/a"], "nothing in between is left");
    let content = wire.storage.get_content("/a").await.unwrap();
    assert_eq!(content, vec![7; 10 * MIB]);
}

#[tokio::test]
async fn a_copy_goes_on_until_the_service_says_that_it_is_done() {
    let wire = Wire::new("xml", GcsOptions { rewrite_limit: Some(1 << 20), ..GcsOptions::default() }).await;
    wire.storage.put_content("/a", vec![3; 9 * MIB + 1]).await.unwrap();
    let generation = wire.server.store().object("bucket", "some/root/a").unwrap().generation.to_string();
    wire.server.requests().clear();
    wire.storage.rename("/a", "/b").await.unwrap();
    let rewrites = wire.server.requests().matching(|request| request.path.contains("/rewriteTo/"));
    assert_eq!(rewrites.len(), 10);
    for rewrite in &rewrites {
        assert_eq!(rewrite.parameter("ifSourceGenerationMatch").as_deref(), Some(generation.as_str()));
    }
    assert!(rewrites[1..].iter().all(|rewrite| rewrite.parameter("rewriteToken").is_some()));
    let deleted = wire.server.requests().matching(|request| request.method == "DELETE");
    assert_eq!(deleted[0].parameter("ifGenerationMatch").as_deref(), Some(generation.as_str()));
    assert_eq!(wire.storage.get_content("/b").await.unwrap(), vec![3; 9 * MIB + 1]);
}

#[tokio::test]
async fn a_session_is_written_over_the_generation_that_was_read() {
    let wire = Wire::new("xml", GcsOptions::default()).await;
    let mut writer = wire.storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write("one").await.unwrap();
    writer.close().await.unwrap();
    let session = wire.server.store().keys("bucket").remove(0);
    let generation = wire.server.store().object("bucket", &session).unwrap().generation.to_string();
    wire.storage.writer("/a", WriteMode::Append).await.unwrap().close().await.unwrap();
    let puts = wire.server.requests().matching(|request| request.path.starts_with("/upload/"));
    let conditions: Vec<_> = puts.iter().map(|put| put.parameter("ifGenerationMatch")).collect();
    assert_eq!(conditions, [Some("0".to_owned()), Some(generation)]);
}

#[tokio::test]
async fn every_request_is_authorised_and_tells_who_pays() {
    let wire = Wire::with("xml", GcsOptions::default(), |given| {
        given.userproject = Some("payer".into());
        given.useragent = Some("registry/1".into());
    })
    .await;
    wire.upload("/a", 6 * MIB).await;
    wire.storage.get_content("/a").await.unwrap();
    let requests = wire.server.requests().all();
    assert!(requests.len() > 6);
    for request in requests {
        assert_eq!(request.header("authorization"), Some("Bearer token"), "{request:?}");
        assert_eq!(request.header("x-goog-user-project"), Some("payer"), "{request:?}");
        assert_eq!(request.header("user-agent"), Some("registry/1"), "{request:?}");
    }
}

#[tokio::test]
async fn an_emulator_is_told_generations_in_place_of_conditions() {
    let wire = Wire::with("compose", GcsOptions::default(), |given| given.emulator = true).await;
    wire.storage.put_content("/a", "x").await.unwrap();
    let generation = wire.server.store().object("bucket", "some/root/a").unwrap().generation.to_string();
    wire.storage.rename("/a", "/b").await.unwrap();
    let requests = wire.server.requests();
    let rewrite = requests.matching(|request| request.path.contains("/rewriteTo/")).remove(0);
    assert_eq!(rewrite.parameter("sourceGeneration").as_deref(), Some(generation.as_str()));
    let delete = requests.matching(|request| request.method == "DELETE").remove(0);
    assert_eq!(delete.parameter("generation").as_deref(), Some(generation.as_str()));
}

/// A crash between the deletes of an upload's objects leaves what names them.
#[tokio::test]
async fn the_session_goes_last() {
    let wire = Wire::with("compose", GcsOptions::default(), |given| given.chunksize = 256 << 10).await;
    wire.upload("/a", 4 * MIB).await;
    let deleted = wire.server.requests().matching(|request| request.method == "DELETE");
    assert_eq!(deleted.len(), 17);
    let is_segment = |path: &str| path.rsplit("~").next().is_some_and(|name| name.contains("%2F"));
    assert!(deleted[..16].iter().all(|request| is_segment(&request.path)));
    assert!(!is_segment(&deleted[16].path), "{:?}", deleted[16]);
}

/// A hole of `object_store`: one such key fails the whole page.
#[tokio::test]
async fn keys_that_are_no_paths_are_passed_over() {
    let wire = Wire::new("xml", GcsOptions { page_size: 2, ..GcsOptions::default() }).await;
    for key in ["a//b", "d/", "d/x/", "d//", "d/ä", "d/file", "d/z"] {
        wire.server.store().put("bucket", &format!("some/root/{key}"), "x");
    }
    let listed = wire.storage.list("/d").await.unwrap();
    let paths: Vec<_> =
        listed.iter().filter(|info| info.is_file()).map(|info| info.path().as_str()).collect();
    assert_eq!(paths, ["/d/file", "/d/z"]);
    let mut walk = wire.storage.walk("/", storagedriver::WalkOptions::default()).await.unwrap();
    let mut files = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        files.extend(info.is_file().then(|| info.path().as_str().to_owned()));
    }
    assert_eq!(files, ["/d/file", "/d/z"]);
}
