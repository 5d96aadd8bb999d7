//! A container that Distribution's driver has written.

use bytes::Bytes;
use storagedriver::{Storage, WriteMode};
use storagedriver_testservers::{Draft, SwiftOptions, SwiftServer};

use crate::server::parameters;

const BLOB: &str = "/docker/registry/v2/blobs/sha256/ab/abcd/data";
const KEY: &str = "some/root/files/docker/registry/v2/blobs/sha256/ab/abcd/data";
/// As Distribution names it: the path in hexadecimal, 32 random bytes, and the SHA-1 of nothing.
const SET: &str = "some/root/segments/2f6/46f636b6572da39a3ee5e6b4b0d3255bfef95601890afd80709";

fn draft(content: &'static [u8], manifest: Option<&str>) -> Draft {
    let mut draft = Draft { content: Bytes::from_static(content).into(), ..Draft::default() };
    draft.properties.insert("content-type".to_owned(), "application/octet-stream".to_owned());
    if let Some(manifest) = manifest {
        draft.properties.insert("x-object-manifest".to_owned(), manifest.to_owned());
    }
    draft
}

/// A dynamic large object with the segments 1 to 3, as `writer.Close` of the Go driver leaves it.
fn written() -> (SwiftServer, Storage) {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    for (number, content) in [(1, &b"one "[..]), (2, b"two "), (3, b"three")] {
        server.store().put_draft("container", &format!("{SET}/{number:016}"), draft(content, None));
    }
    server.store().put_draft("container", KEY, draft(b"", Some(&format!("container/{SET}"))));
    server.store().put_draft("container", "some/root/files/docker/small", draft(b"small", None));
    // Of a DLO whose upload had no bytes.
    let empty = "container/some/root/segments/2f6/00000000000000000000";
    server.store().put_draft("container", "some/root/files/docker/empty", draft(b"", Some(empty)));
    let storage = parameters(&server.endpoint()).into_storage().unwrap();
    (server, storage)
}

fn segments(server: &SwiftServer) -> usize {
    server.store().keys("container").iter().filter(|key| key.contains("/segments/")).count()
}

#[tokio::test]
async fn it_is_read_as_it_stands() {
    let (_server, storage) = written();
    assert_eq!(storage.get_content(BLOB).await.unwrap(), "one two three");
    assert_eq!(storage.get_content("/docker/small").await.unwrap(), "small");
    let range = storagedriver::ReadOptions::from_offset(4);
    assert_eq!(storage.reader(BLOB, range).await.unwrap().bytes().await.unwrap(), "two three");
    assert_eq!(storage.stat(BLOB).await.unwrap().size(), Some(13));
    // There a file of no bytes fails after 15 seconds.
    assert_eq!(storage.stat("/docker/empty").await.unwrap().size(), Some(0));
    // The container's listing says 0 bytes of a manifest.
    let parent = BLOB.strip_suffix("/data").unwrap();
    let listed = storage.list(parent).await.unwrap();
    assert_eq!((listed.len(), listed[0].size()), (1, Some(13)));
    let version = storage.stat(BLOB).await.unwrap();
    assert_eq!(listed[0].version(), version.version());
}

#[tokio::test]
async fn a_rename_copies_the_manifest_and_a_delete_takes_the_segments() {
    let (server, storage) = written();
    storage.rename(BLOB, "/moved").await.unwrap();
    assert!(storage.stat(BLOB).await.unwrap_err().is_not_found());
    assert_eq!(segments(&server), 3);
    let manifest = server.store().object("container", "some/root/files/moved").unwrap();
    assert_eq!(manifest.properties["x-object-manifest"], format!("container/{SET}"));
    assert_eq!(storage.get_content("/moved").await.unwrap(), "one two three");
    // Deleted with its directory, or by itself: there the latter leaves the segments.
    storage.delete("/moved").await.unwrap();
    assert_eq!(segments(&server), 0);
    let keys = server.store().keys("container");
    assert_eq!(keys, ["some/root/files/docker/empty", "some/root/files/docker/small"]);
}

#[tokio::test]
async fn what_replaces_it_takes_its_segments_away() {
    for by_rename in [false, true] {
        let (server, storage) = written();
        if by_rename {
            storage.rename("/docker/small", BLOB).await.unwrap();
        } else {
            storage.put_content(BLOB, "small").await.unwrap();
        }
        assert_eq!(storage.get_content(BLOB).await.unwrap(), "small");
        assert_eq!(segments(&server), 0);
        assert!(!server.store().keys("container").iter().any(|key| key.contains("/claims/")));
    }
}

#[tokio::test]
async fn an_append_goes_on_from_it() {
    let (server, storage) = written();
    let mut writer = storage.writer(BLOB, WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), 13);
    writer.write(" and four").await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content(BLOB).await.unwrap(), "one two three and four");
    assert_eq!(segments(&server), 0);
}

/// Segments elsewhere are somebody's: only the manifest goes.
#[tokio::test]
async fn segments_of_others_stay() {
    for manifest in ["other/segments/abc/0123", "container/some/root/segments", "container/backup/2f6/1"] {
        let (server, storage) = written();
        server.store().put("container", "backup/2f6/1/1", "theirs");
        server.store().put("other", "segments/abc/0123/1", "theirs");
        server.store().put_draft("container", "some/root/files/theirs", draft(b"", Some(manifest)));
        storage.rename("/theirs", "/renamed").await.unwrap();
        storage.delete("/renamed").await.unwrap();
        assert!(server.store().object("container", "backup/2f6/1/1").is_some(), "{manifest}");
        assert!(server.store().object("other", "segments/abc/0123/1").is_some(), "{manifest}");
        assert_eq!(segments(&server), 3, "{manifest}");
    }
}
