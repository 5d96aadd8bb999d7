//! What each driver sends, to a server that keeps the rules of its vendor.

use storagedriver::{Storage, WriteMode};
use storagedriver_testservers::{PartSizes, Received, S3Options, S3Server};

use crate::operations::everything;
use crate::vendors::{ALL, OBS, OSS, US3, Vendor};

fn start(vendor: &Vendor) -> S3Server {
    S3Server::start((vendor.rules)()).unwrap()
}

/// The last put of an object, with these parameters.
async fn put(vendor: &Vendor, more: &[(&str, &str)]) -> Received {
    let server = start(vendor);
    let storage = vendor.preset(&server, more).into_storage().unwrap();
    storage.put_content("/a", "content").await.unwrap();
    server.requests().all().pop().unwrap()
}

#[tokio::test]
async fn each_driver_keeps_the_rules_of_its_vendor() {
    for vendor in ALL {
        let server = start(&vendor);
        let storage = vendor.small(&server, 10, &[("rootdirectory", "root")]).into_storage().unwrap();
        everything(&storage).await.unwrap_or_else(|error| panic!("{}: {error}", vendor.driver));
        assert!(server.store().keys("bucket").iter().all(|key| key.starts_with("root/")));
        assert!(server.store().uploads("bucket").is_empty(), "{}", vendor.driver);
        let requests = server.requests().all();
        assert!(requests.len() > 60, "{}", requests.len());
        leads_to_the_vendor(&vendor, &requests);
        shows_its_quirks(vendor.driver, &requests);
    }
}

/// The host, the place of the bucket, the signature and its region; no body in chunks.
fn leads_to_the_vendor(vendor: &Vendor, requests: &[Received]) {
    let (host, path) = vendor.object;
    let scope = format!("/{}/s3/aws4_request", (vendor.rules)().region);
    for request in requests {
        assert_eq!(request.header("host"), Some(host), "{request:?}");
        assert!(request.path.starts_with(path.trim_end_matches('/')), "{request:?}");
        assert!(request.header("authorization").unwrap().contains(&scope), "{request:?}");
        assert!(request.header("content-encoding").is_none(), "{request:?}");
        assert_eq!(request.header("x-amz-content-sha256").map(str::len), Some(64), "{request:?}");
    }
}

/// What is sent to one vendor and not to another.
fn shows_its_quirks(name: &str, requests: &[Received]) {
    let sent = |what: &dyn Fn(&Received) -> bool| requests.iter().any(what);
    let has = |parameter: &'static str| sent(&|request| request.parameter(parameter).is_some());
    let header = |header: &'static str| sent(&|request| request.header(header).is_some());
    let one_of = |names: &[&str]| names.contains(&name);
    assert_eq!(has("list-type"), one_of(&["oss", "storj"]), "{name}: version 2 of lists");
    assert_eq!(has("start-after"), one_of(&["oss"]), "{name}: start-after");
    let part_of_a_name = |request: &Received| {
        let prefix = request.parameter("prefix").unwrap_or_default();
        !prefix.is_empty() && !prefix.ends_with('/')
    };
    assert_eq!(sent(&part_of_a_name), name != "storj", "{name}: prefixes");
    assert_eq!(has("delete"), name != "oss", "{name}: batch deletes");
    let uploads = |request: &Received| request.method == "GET" && request.parameter("uploads").is_some();
    assert_eq!(sent(&uploads), !one_of(&["oss", "storj"]), "{name}: lists of uploads");
    assert_eq!(header("x-amz-copy-source-range"), name != "storj", "{name}: part copies");
    assert_eq!(header("x-amz-copy-source-if-match"), name != "storj", "{name}: conditional copies");
    assert_eq!(header("x-amz-acl"), !one_of(&["us3", "storj"]), "{name}: ACLs");
    assert_eq!(header("x-amz-storage-class"), name == "obs", "{name}: classes");
    let md5 = |request: &Received| request.method == "PUT" && request.header("content-md5").is_some();
    assert_eq!(sent(&md5), name == "us3", "{name}: MD5");
    let condition = |request: &Received| {
        let conditions = ["if-match", "if-none-match"];
        request.method != "GET" && conditions.iter().any(|name| request.header(name).is_some())
    };
    assert!(!sent(&condition), "{name}: conditions on writes");
}

#[tokio::test]
async fn what_is_asked_for_is_sent() {
    const ENCRYPTION: &str = "x-amz-server-side-encryption";
    const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
    const CLASS: &str = "x-amz-storage-class";
    const ACL: &str = "x-amz-acl";
    for (vendor, more, header, value) in [
        (OSS, &[][..], ENCRYPTION, None),
        (OSS, &[("encrypt", "true")], ENCRYPTION, Some("AES256")),
        (OSS, &[("encryptionkeyid", "k")], ENCRYPTION, Some("aws:kms")),
        (OSS, &[("encryptionkeyid", "k")], KEY, Some("k")),
        (OSS, &[], ACL, Some("private")),
        (OBS, &[], ENCRYPTION, None),
        (OBS, &[("keyid", "k")], KEY, None),
        (OBS, &[("encrypt", "true")], ENCRYPTION, Some("aws:kms")),
        (OBS, &[("encrypt", "true")], KEY, None),
        (OBS, &[("encrypt", "true"), ("keyid", "k")], KEY, Some("k")),
        (OBS, &[("encrypt", "true"), ("encryptionkeyid", "k")], KEY, Some("k")),
        (OBS, &[], CLASS, Some("STANDARD")),
        (OBS, &[("storageclass", "warm")], CLASS, Some("STANDARD_IA")),
        (OBS, &[("storageclass", "NONE")], CLASS, None),
        (OBS, &[("objectacl", "bucket-owner-full-control")], ACL, Some("bucket-owner-full-control")),
        (US3, &[("VerifyUploadMD5", "false")], "content-md5", None),
        // Of `content`.
        (US3, &[], "content-md5", Some("mgNkuembtIDdJeHwKEyFVQ==")),
    ] {
        let request = put(&vendor, more).await;
        assert_eq!(request.header(header), value, "{} {more:?} {header}", vendor.driver);
    }
}

/// Writes `sizes` one after another, each in a writer that is closed, and commits.
async fn upload(storage: &Storage, path: &str, sizes: &[usize]) {
    for (place, size) in sizes.iter().enumerate() {
        let mode = if place == 0 { WriteMode::Create } else { WriteMode::Append };
        let mut writer = storage.writer(path, mode).await.unwrap();
        writer.write(vec![place as u8; *size]).await.unwrap();
        writer.close().await.unwrap();
    }
    storage.writer(path, WriteMode::Append).await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn the_parts_of_us3_have_eight_mebibytes() {
    const MIB: usize = 1 << 20;
    let part = 8 << 20;
    let rules = S3Options { part_sizes: PartSizes::Exactly(part), min_part: part, ..(US3.rules)() };
    let server = S3Server::start(rules).unwrap();
    let mut preset = US3.preset(&server, &[]);
    preset.parameters.multipartcopythresholdsize = Some(part);
    let storage = preset.into_storage().unwrap();
    // Closed in the middle of parts: what is left over is sent with the next ones.
    upload(&storage, "/a", &[9 * MIB, 1, 10 * MIB]).await;
    let sent = |server: &S3Server, copies: bool| -> Vec<Received> {
        let parts = server.requests().matching(|request| {
            request.parameter("partNumber").is_some()
                && request.header("x-amz-copy-source").is_some() == copies
        });
        server.requests().clear();
        parts
    };
    let mut sizes: Vec<u64> = sent(&server, false).iter().map(|request| request.size).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [3 * MIB as u64 + 1, part, part]);
    storage.rename("/a", "/b").await.unwrap();
    let mut ranges: Vec<String> = sent(&server, true)
        .iter()
        .map(|copy| copy.header("x-amz-copy-source-range").unwrap().to_owned())
        .collect();
    ranges.sort_by_key(String::len);
    assert_eq!(ranges, ["bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-19922944"]);
    // More than one put may have.
    storage.put_content("/c", vec![7; 8 * MIB + 1]).await.unwrap();
    let mut sizes: Vec<u64> = sent(&server, false).iter().map(|request| request.size).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, part]);
    assert_eq!(storage.stat("/b").await.unwrap().size(), Some(19 * MIB as u64 + 1));
}

#[tokio::test]
async fn a_host_of_the_bucket_itself_is_asked_without_the_bucket() {
    for (vendor, more) in [
        (OSS, &[("endpoint", "layers.example.com")]),
        (US3, &[("CustomDomain", "http://layers.example.com")]),
    ] {
        let own_host = Some(("layers.example.com".to_owned(), "bucket".to_owned()));
        let server = S3Server::start(S3Options { own_host, ..(vendor.rules)() }).unwrap();
        let storage = vendor.small(&server, 10, more).into_storage().unwrap();
        everything(&storage).await.unwrap();
        let copies = server.requests().matching(|request| request.header("x-amz-copy-source").is_some());
        assert!(copies.iter().all(|copy| copy.header("x-amz-copy-source").unwrap().starts_with("bucket/")));
        for request in server.requests().all() {
            assert_eq!(request.header("host"), Some("layers.example.com"));
            assert!(!request.path.starts_with("/bucket"), "{request:?}");
        }
        assert_eq!(server.store().keys("bucket"), ["b/put", "b/upload", "d-sibling"]);
    }
}
