//! Listings: versions, markers, pages, and keys that are no paths.

use storagedriver::{Storage, WalkOptions, WriteMode};
use storagedriver_s3::ListVersion;
use storagedriver_testservers::{ListV2, S3Options, S3Server};

use crate::open;
use crate::servers::{MIN_PART, options, small};

async fn walked(storage: &Storage, options: WalkOptions) -> Vec<String> {
    let mut walk = storage.walk("/", options).await.unwrap();
    let mut paths = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        paths.push(info.path().to_string());
    }
    paths
}

#[tokio::test]
async fn each_version_is_asked_in_its_own_words() {
    for (version, first, next) in
        [(ListVersion::V1, "marker", "marker"), (ListVersion::V2, "start-after", "continuation-token")]
    {
        let list_v2 = if version == ListVersion::V1 { ListV2::Refused } else { ListV2::Supported };
        let server = S3Server::start(S3Options { list_v2, ..options() }).unwrap();
        let mut profile = small("aws");
        (profile.list, profile.page) = (version, 2);
        let storage = open(&server.endpoint(), "r", profile);
        for name in ["a", "b", "c", "d", "e", "f"] {
            server.store().put("bucket", &format!("r/{name}"), "x");
        }
        let after = storage.stat("/a").await.unwrap().key();
        server.requests().clear();
        let paths = walked(&storage, WalkOptions::new().after(after)).await;
        assert_eq!(paths, ["/b", "/c", "/d", "/e", "/f"]);
        let requests = server.requests().all();
        let token = requests[0].parameter("list-type");
        assert_eq!(token.as_deref(), (version == ListVersion::V2).then_some("2"));
        assert_eq!(requests[0].parameter(first).as_deref(), Some("r/a"));
        assert_eq!(requests[0].parameter("max-keys").as_deref(), Some("2"));
        assert!(requests[1].parameter(next).is_some(), "{}", requests[1].query);
    }
}

const FOREIGN: [&str; 9] =
    ["r/", "r/d/", "r/d//x", "r/d/~", "r/e\u{1}f", "r/e f+g", "r/<&>\"'", "r/\u{fffd}…", "r/../h"];

#[tokio::test]
async fn keys_that_are_no_paths_fail_nothing_and_do_not_show() {
    for (url_encoding, page) in [(true, 1000), (true, 2), (false, 1000)] {
        let server = S3Server::start(options()).unwrap();
        let mut profile = small("aws");
        (profile.url_encoding, profile.page) = (url_encoding, page);
        let storage = open(&server.endpoint(), "r", profile);
        for key in FOREIGN {
            server.store().put("bucket", key, "foreign");
        }
        for path in ["/a", "/d/b", "/z"] {
            storage.put_content(path, "x").await.unwrap();
        }
        assert_eq!(
            walked(&storage, WalkOptions::new()).await,
            ["/a", "/d", "/d/b", "/z"],
            "{url_encoding} {page}"
        );
        let listed: Vec<_> =
            storage.list("/").await.unwrap().iter().map(|info| info.path().to_string()).collect();
        assert_eq!(listed, ["/a", "/d", "/z"]);
        assert_eq!(storage.list("/d").await.unwrap().len(), 1);
        storage.delete("/d").await.unwrap();
        assert!(!server.store().keys("bucket").iter().any(|key| key.starts_with("r/d/")));
        assert!(server.store().keys("bucket").contains(&"r/e f+g".to_owned()));
    }
}

#[tokio::test]
async fn open_uploads_are_listed_to_the_last_page() {
    let server = S3Server::start(S3Options { page_size: 3, ..options() }).unwrap();
    let storage = open(&server.endpoint(), "r", small("aws"));
    for number in 0..10 {
        let mut writer = storage.writer(&format!("/d/{}", number % 2), WriteMode::Create).await.unwrap();
        writer.write(vec![0; 10 * MIN_PART as usize]).await.unwrap();
        writer.close().await.unwrap();
    }
    assert_eq!(server.store().uploads("bucket").len(), 2, "`Create` ends what was closed before");
    for number in 0..10 {
        let mut writer = storage.writer(&format!("/e/{number}"), WriteMode::Create).await.unwrap();
        writer.write(vec![0; 10 * MIN_PART as usize]).await.unwrap();
        writer.close().await.unwrap();
    }
    assert_eq!(storage.uploads("/").await.unwrap().len(), 12);
    storage.delete("/e").await.unwrap();
    assert_eq!(server.store().uploads("bucket").len(), 2);
    storage.delete("/d").await.unwrap();
    assert_eq!(server.store().uploads("bucket").len(), 0);
    assert_eq!(server.store().keys("bucket"), [""; 0]);
}

#[tokio::test]
async fn a_store_that_lists_only_directories_is_asked_for_those() {
    let server = S3Server::start(options()).unwrap();
    let storage = open(&server.endpoint(), "r", small("storj"));
    let mut writer = storage.writer("/d/a", WriteMode::Create).await.unwrap();
    writer.write("x").await.unwrap();
    writer.close().await.unwrap();
    storage.writer("/d/a", WriteMode::Append).await.unwrap().commit().await.unwrap();
    assert_eq!(storage.get_content("/d/a").await.unwrap(), "x");
    for request in server.requests().matching(|request| request.parameter("list-type").is_some()) {
        let prefix = request.parameter("prefix").unwrap();
        assert!(prefix.is_empty() || prefix.ends_with('/'), "{prefix}");
    }
}
