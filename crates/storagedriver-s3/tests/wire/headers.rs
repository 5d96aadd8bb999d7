//! Which headers go with which request.

use std::collections::BTreeSet;

use storagedriver::{Parameters, Storage, WriteMode};
use storagedriver_object::{ObjectStoreBackend, PutOptions};
use storagedriver_s3::{BatchDelete, S3Options as Options, S3Parameters};
use storagedriver_testservers::{Received, S3Options, S3Server};

use crate::open;
use crate::servers::{MIN_PART, options, parameters, small};

const ATTRIBUTES: [&str; 5] = [
    "content-type",
    "x-amz-acl",
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
];

fn given(server: &S3Server, more: &[(&str, &str)]) -> S3Parameters {
    let endpoint = server.endpoint();
    let mut given = Parameters::from_iter([
        ("bucket", "bucket"),
        ("regionendpoint", endpoint.as_str()),
        ("accesskey", "access"),
        ("secretkey", "secret"),
        ("profile", "aws"),
    ]);
    for (name, value) in more {
        given.insert(*name, *value);
    }
    S3Parameters::parse(given).unwrap()
}

/// Puts, uploads in parts, copies whole and in parts, reads, lists and deletes.
async fn everything(storage: &Storage) {
    storage.put_content("/put", "content").await.unwrap();
    let mut writer = storage.writer("/upload", WriteMode::Create).await.unwrap();
    writer.write(vec![1; 20 * MIN_PART as usize]).await.unwrap();
    writer.commit().await.unwrap();
    storage.rename("/put", "/copied").await.unwrap();
    storage.rename("/upload", "/copied-in-parts").await.unwrap();
    storage.get_content("/copied").await.unwrap();
    storage.list("/").await.unwrap();
    storage.delete("/copied").await.unwrap();
}

fn operation(request: &Received) -> &'static str {
    let copies = request.header("x-amz-copy-source").is_some();
    let has = |name| request.parameter(name).is_some();
    match (request.method.as_str(), copies) {
        ("PUT", true) if has("partNumber") => "UploadPartCopy",
        ("PUT", true) => "CopyObject",
        ("PUT", false) if has("partNumber") => "UploadPart",
        ("PUT", false) => "PutObject",
        ("POST", _) if has("uploads") => "CreateMultipartUpload",
        ("POST", _) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", _) => "DeleteObjects",
        ("GET", _) => "Get",
        ("HEAD", _) => "Head",
        _ => "Delete",
    }
}

#[tokio::test]
async fn what_makes_an_object_says_what_it_is_to_have() {
    let server = S3Server::start(options()).unwrap();
    let mut chosen = given(
        &server,
        &[
            ("objectacl", "bucket-owner-full-control"),
            ("storageclass", "standard_ia"),
            ("encrypt", "true"),
            ("keyid", "key-1"),
        ],
    );
    chosen.chunksize = 4 * MIN_PART;
    chosen.multipartcopythresholdsize = Some(8 * MIN_PART);
    chosen.multipartcopychunksize = 8 * MIN_PART;
    let storage = chosen.into_storage_with(Options::new("s3").with_profile(small("aws"))).unwrap();
    everything(&storage).await;
    let mut seen = BTreeSet::new();
    for request in server.requests().all() {
        let operation = operation(&request);
        seen.insert(operation);
        let sent = ATTRIBUTES.map(|name| request.header(name));
        let makes = matches!(operation, "PutObject" | "CreateMultipartUpload" | "CopyObject");
        if makes {
            let wanted = [
                Some("application/octet-stream"),
                Some("bucket-owner-full-control"),
                Some("STANDARD_IA"),
                Some("aws:kms"),
                Some("key-1"),
            ];
            assert_eq!(sent, wanted, "{operation}");
        } else {
            assert_eq!(sent[1..], [None; 4], "{operation}");
        }
    }
    for wanted in ["PutObject", "CreateMultipartUpload", "CopyObject", "UploadPart", "UploadPartCopy", "Get"]
    {
        assert!(seen.contains(wanted), "{wanted} was not sent: {seen:?}");
    }
}

#[tokio::test]
async fn what_was_not_chosen_is_not_sent() {
    for (more, wanted) in [
        (&[][..], [Some("private"), Some("STANDARD"), None, None]),
        (&[("storageclass", "NONE")], [Some("private"), None, None, None]),
        (&[("encrypt", "true")], [Some("private"), Some("STANDARD"), Some("AES256"), None]),
        // Distribution sends the key alone, which S3 refuses.
        (&[("keyid", "key-1")], [Some("private"), Some("STANDARD"), None, None]),
        (&[("profile", "gcs-interop")], [None; 4]),
    ] {
        let server = S3Server::start(options()).unwrap();
        let storage = given(&server, more).into_storage().unwrap();
        storage.put_content("/put", "content").await.unwrap();
        let request = server.requests().all().pop().unwrap();
        let sent: Vec<_> = ATTRIBUTES[1..].iter().map(|name| request.header(name)).collect();
        assert_eq!(sent, wanted, "{more:?}");
    }
}

#[tokio::test]
async fn a_copy_names_its_source_and_the_version_that_it_copies() {
    let server = S3Server::start(options()).unwrap();
    let storage = open(&server.endpoint(), "/odd root/+%…", small("aws"));
    storage.put_content("/a", vec![1; 100]).await.unwrap();
    storage.put_content("/b", vec![1; 100_001]).await.unwrap();
    storage.rename("/a", "/c").await.unwrap();
    storage.rename("/b", "/d").await.unwrap();
    let copies = server.requests().matching(|request| request.header("x-amz-copy-source").is_some());
    assert_eq!(copies.len(), 1 + 13);
    for copy in &copies {
        let source = copy.header("x-amz-copy-source").unwrap();
        assert!(source.starts_with("bucket/odd%20root/%2B%25%E2%80%A6/"), "{source}");
        assert!(copy.header("x-amz-copy-source-if-match").unwrap().starts_with('"'));
    }
    let mut ranges: Vec<_> =
        copies.iter().filter_map(|copy| copy.header("x-amz-copy-source-range").map(str::to_owned)).collect();
    ranges.sort_by_key(|range| range.len());
    assert_eq!(ranges.first().map(String::as_str), Some("bytes=0-8191"));
    assert!(ranges.contains(&"bytes=98304-100000".to_owned()), "{ranges:?}");
    let keys = server.store().keys("bucket");
    assert_eq!(keys, ["odd root/+%…/c", "odd root/+%…/d"]);
    assert_eq!(storage.list("/").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_batch_carries_the_digest_that_the_store_wants() {
    for (digest, header) in
        [(BatchDelete::Md5, "content-md5"), (BatchDelete::Sha256, "x-amz-checksum-sha256")]
    {
        let server =
            S3Server::start(S3Options { batch_delete_md5: digest == BatchDelete::Md5, ..options() }).unwrap();
        let mut profile = small("aws");
        profile.batch_delete = digest;
        let storage = open(&server.endpoint(), "", profile);
        // The last two can stand in no XML, and in no batch.
        for key in ["d/a", "d/<&>\r\n", "d/", "d/…", "d/\u{1}", "d/\u{ffff}"] {
            server.store().put("bucket", key, "x");
        }
        storage.delete("/d").await.unwrap();
        assert_eq!(server.store().keys("bucket"), [""; 0]);
        let batches = server.requests().matching(|request| operation(request) == "DeleteObjects");
        assert_eq!(batches.len(), 1);
        assert!(batches[0].header(header).is_some());
    }
}

#[tokio::test]
async fn no_request_for_an_object_goes_to_the_bucket() {
    let server = S3Server::start(options()).unwrap();
    let backend = parameters(&server.endpoint(), "").into_backend(Options::new("s3")).unwrap();
    let put = PutOptions::default();
    for key in ["", "..", "a/../.."] {
        let keys = [key.to_owned()];
        assert!(backend.delete(&keys).await.is_err(), "{key:?}");
        assert!(backend.put(key, "x".into(), &put).await.is_err(), "{key:?}");
        assert!(backend.head(key).await.is_err() && backend.get(key, None, None).await.is_err(), "{key:?}");
        assert!(backend.copy("a", key, None).await.is_err(), "{key:?}");
        assert!(backend.begin_upload(key, "m").await.is_err(), "{key:?}");
        assert!(backend.abort(key, "id").await.is_err(), "{key:?}");
    }
    assert_eq!(server.requests().count(), 0);
}

#[tokio::test]
async fn a_read_asks_for_its_range_and_version() {
    let server = S3Server::start(options()).unwrap();
    let storage = open(&server.endpoint(), "", small("aws"));
    storage.put_content("/a", "0123456789").await.unwrap();
    let version = storage.stat("/a").await.unwrap().version().unwrap().clone();
    let options = storagedriver::ReadOptions::from_offset(2).with_length(3).with_version(version.clone());
    let content = storage.reader("/a", options).await.unwrap();
    assert_eq!(content.size(), 10);
    assert_eq!(content.bytes().await.unwrap(), "234");
    let request = server.requests().all().pop().unwrap();
    assert_eq!(request.header("range"), Some("bytes=2-4"));
    assert_eq!(request.header("if-match"), Some(version.as_str()));
}
