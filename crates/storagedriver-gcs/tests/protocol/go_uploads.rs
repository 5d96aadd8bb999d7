//! The objects in which the Go driver keeps its open uploads: at the final path, told from content by their type
//! alone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::parameters;
use storagedriver::{ErrorKind, ReadOptions, Storage, WalkOptions, WriteMode};
use storagedriver_gcs::GcsBackend;
use storagedriver_object::{ObjectDriver, ObjectOptions};
use storagedriver_testservers::{Draft, GcsOptions, GcsServer};

const DATA: &str = "/docker/registry/v2/repositories/r/_uploads/1/data";
const KEY: &str = "some/root/docker/registry/v2/repositories/r/_uploads/1/data";

/// As `writer.Close` of the Go driver leaves it.
fn leave(server: &GcsServer, key: &str) {
    let fields = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let draft = Draft {
        content: bytes::Bytes::from_static(b"the tail").into(),
        metadata: fields(&[
            ("session-uri", "https://storage.googleapis.com/upload?upload_id=1"),
            ("offset", "262144"),
        ]),
        properties: fields(&[("content-type", "application/x-docker-upload-session")]),
        ..Draft::default()
    };
    server.store().put_draft("bucket", key, draft);
}

/// A storage that tells of uploads of any age.
fn open(server: &GcsServer, uploads: &'static str) -> Storage {
    let parameters = parameters(&server.endpoint(), uploads, 5 << 20);
    let mut options = ObjectOptions::default();
    options.root = "some/root".to_owned();
    options.orphan_age = Duration::ZERO;
    Storage::new(ObjectDriver::new(GcsBackend::new(&parameters).unwrap(), options))
}

#[tokio::test]
async fn nobody_sees_them() {
    for uploads in ["xml", "compose"] {
        let server = GcsServer::start(GcsOptions::default()).unwrap();
        let storage = open(&server, uploads);
        leave(&server, KEY);
        let kind = |error: storagedriver::Error| error.kind();
        assert_eq!(kind(storage.stat(DATA).await.unwrap_err()), ErrorKind::PathNotFound);
        // The Go driver gives out the tail here.
        assert_eq!(kind(storage.get_content(DATA).await.unwrap_err()), ErrorKind::PathNotFound);
        let reader = storage.reader(DATA, ReadOptions::from_offset(3)).await;
        assert_eq!(kind(reader.unwrap_err()), ErrorKind::PathNotFound);
        assert_eq!(kind(storage.rename(DATA, "/x").await.unwrap_err()), ErrorKind::PathNotFound);
        let append = storage.writer(DATA, WriteMode::Append).await;
        assert_eq!(append.err().map(kind), Some(ErrorKind::PathNotFound));
        let parent = DATA.strip_suffix("/data").unwrap();
        assert_eq!(kind(storage.list(parent).await.unwrap_err()), ErrorKind::PathNotFound);
        assert_eq!(kind(storage.stat(parent).await.unwrap_err()), ErrorKind::PathNotFound);
        // The service rolls names up whatever their type, so far the listing of a directory above shows more.
        assert!(storage.list("/").await.unwrap()[0].is_dir());
        let mut walk = storage.walk("/", WalkOptions::default()).await.unwrap();
        assert!(walk.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn they_are_listed_as_uploads_and_reaped() {
    for uploads in ["xml", "compose"] {
        let server = GcsServer::start(GcsOptions::default()).unwrap();
        let storage = open(&server, uploads);
        leave(&server, KEY);
        storage.put_content("/docker/other", "content").await.unwrap();
        let found = storage.uploads("/").await.unwrap();
        assert_eq!(found.len(), 1, "{uploads}: {found:?}");
        assert_eq!(found[0].path().as_str(), DATA);
        assert!(found[0].id().contains("go-session:"), "{found:?}");
        storage.abort_upload(&found[0]).await.unwrap();
        assert_eq!(server.store().keys("bucket"), ["some/root/docker/other"]);
        assert!(storage.uploads("/").await.unwrap().is_empty());

        leave(&server, KEY);
        storage.abort_stale("/", Duration::ZERO).await.unwrap();
        assert_eq!(server.store().keys("bucket"), ["some/root/docker/other"]);
    }
}

#[tokio::test]
async fn a_delete_takes_them_along() {
    for uploads in ["xml", "compose"] {
        let server = GcsServer::start(GcsOptions::default()).unwrap();
        let storage = open(&server, uploads);
        leave(&server, KEY);
        leave(&server, "some/root/docker/registry/v2/repositories/r2/_uploads/1/data");
        storage.delete("/docker/registry/v2/repositories/r").await.unwrap();
        let left = server.store().keys("bucket");
        assert_eq!(left, ["some/root/docker/registry/v2/repositories/r2/_uploads/1/data"]);
    }
}

#[tokio::test]
async fn one_that_moved_on_is_left_alone() {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let storage = open(&server, "xml");
    leave(&server, KEY);
    let found = storage.uploads("/").await.unwrap();
    // The Go registry has closed it once more.
    leave(&server, KEY);
    let error = storage.abort_upload(&found[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(server.store().keys("bucket"), [KEY]);
}

#[tokio::test]
async fn content_replaces_them() {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let storage = open(&server, "xml");
    leave(&server, KEY);
    storage.put_content(DATA, "content").await.unwrap();
    assert_eq!(storage.get_content(DATA).await.unwrap(), "content");
    assert!(storage.uploads("/").await.unwrap().is_empty());
    // And the other way round: what the Go driver's writer overwrites is gone at once.
    leave(&server, KEY);
    assert!(storage.get_content(DATA).await.unwrap_err().is_not_found());
}
