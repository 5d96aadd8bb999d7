//! Copies that are not done when they are answered.

use std::sync::atomic::{AtomicU32, Ordering};

use storagedriver::{ErrorKind, WriteMode};

use crate::scripted::{Asked, KEY, Reply, Server};

/// How the copies of a server go: the status of the reply and of each look after it; the last one
/// stays.
async fn copies(story: &'static [&'static str]) -> Server {
    let looks = AtomicU32::new(0);
    Server::start(move |asked| {
        let status = |n: u32| story[usize::try_from(n).unwrap().min(story.len() - 1)];
        let copied = |reply: Reply, status| {
            reply
                .header("x-ms-copy-id", "copy-1")
                .header("x-ms-copy-status", status)
                .header("content-length", "3")
        };
        match (asked.method.as_str(), asked.path()) {
            ("PUT", "/registry/to") if asked.has("comp=copy") => {
                assert_eq!(asked.header("x-ms-copy-action"), Some("abort"));
                Reply::new(204)
            }
            ("PUT", "/registry/to") => {
                assert_eq!(asked.header("x-ms-source-if-match"), Some("\"0x1\""));
                Reply::blob(202).header("x-ms-copy-id", "copy-1").header("x-ms-copy-status", status(0))
            }
            ("HEAD", "/registry/from") => Reply::blob(200).header("content-length", "3"),
            ("HEAD", "/registry/to") => {
                copied(Reply::blob(200), status(looks.fetch_add(1, Ordering::Relaxed) + 1))
            }
            ("DELETE", _) => Reply::new(202),
            _ => Reply::error(404, "BlobNotFound", ""),
        }
    })
    .await
}

fn deleted(server: &Server) -> Vec<String> {
    let asked = server.asked();
    asked.iter().filter(|asked| asked.method == "DELETE").map(|asked| asked.path().to_owned()).collect()
}

#[tokio::test]
async fn a_copy_is_waited_for_before_the_source_goes() {
    let server = copies(&["pending", "pending", "pending", "success"]).await;
    server.storage().rename("/from", "/to").await.unwrap();
    assert_eq!(deleted(&server), ["/registry/from"]);
    let asked: Vec<Asked> = server.asked();
    let looks = asked.iter().filter(|asked| asked.method == "HEAD" && asked.path() == "/registry/to").count();
    assert!(looks >= 3, "{looks}");
}

#[tokio::test]
async fn a_copy_that_ends_badly_keeps_the_source_and_leaves_nothing() {
    for end in [&["pending", "pending", "failed"], &["pending", "pending", "aborted"]] {
        let server = copies(end).await;
        let error = server.storage().rename("/from", "/to").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("the source is still there"), "{error}");
        assert_eq!(deleted(&server), ["/registry/to"]);
    }
}

/// Distribution with `max_retries: -1` gives up at once, and says that it is done.
#[tokio::test]
async fn a_copy_without_a_limit_of_looks_is_waited_for() {
    let server = copies(&["pending"; 12]).await;
    let storage = server.storage_with(&[("accountkey", KEY), ("max_retries", "-1"), ("stalltimeout", "1s")]);
    let waited = std::time::Duration::from_millis(1500);
    let rename = tokio::time::timeout(waited, storage.rename("/from", "/to")).await;
    assert!(rename.is_err(), "it still waits: {rename:?}");
    assert!(deleted(&server).is_empty());
}

#[tokio::test]
async fn a_copy_that_stands_still_is_ended_and_given_up() {
    let server = copies(&["pending"]).await;
    let storage = server.storage_with(&[("accountkey", KEY), ("max_retries", "3"), ("stalltimeout", "1s")]);
    let error = storage.rename("/from", "/to").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("stood still"), "{error}");
    assert!(server.asked().iter().any(|asked| asked.has("comp=copy") && asked.has("copyid=copy-1")));
    assert!(deleted(&server).is_empty(), "what is not known to be ended is left");
}

#[tokio::test]
async fn what_replaced_the_copy_meanwhile_is_not_taken_for_it() {
    let server = Server::start(|asked| match (asked.method.as_str(), asked.path()) {
        ("PUT", _) => Reply::blob(202).header("x-ms-copy-id", "copy-1").header("x-ms-copy-status", "pending"),
        ("HEAD", "/registry/to") => Reply::blob(200)
            .header("x-ms-copy-id", "another")
            .header("x-ms-copy-status", "success")
            .header("content-length", "3"),
        ("HEAD", _) => Reply::blob(200).header("content-length", "3"),
        _ => Reply::error(404, "BlobNotFound", ""),
    })
    .await;
    let error = server.storage().rename("/from", "/to").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(deleted(&server).is_empty());
}

/// What a copy has not filled yet, or failed to, is nobody's content.
#[tokio::test]
async fn an_unfinished_copy_is_not_read() {
    let pending = Server::start(|_| {
        Reply::blob(200).header("x-ms-copy-id", "1").header("x-ms-copy-status", "pending").body("ab")
    })
    .await;
    let storage = pending.storage();
    assert_eq!(storage.get_content("/a").await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(storage.stat("/a").await.unwrap_err().kind(), ErrorKind::Unavailable);
    let failed =
        Server::start(|_| Reply::blob(200).header("x-ms-copy-id", "1").header("x-ms-copy-status", "failed"))
            .await;
    assert_eq!(failed.storage().get_content("/a").await.unwrap_err().kind(), ErrorKind::PathNotFound);
    let listed = Server::start(|_| {
        let entry = |name: &str, size: u32, status: &str| {
            format!(
                "<Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length><Etag>1</Etag>\
                 <CopyStatus>{status}</CopyStatus></Properties></Blob>"
            )
        };
        let entries = [entry("a", 3, "success"), entry("b", 3, "pending"), entry("c", 0, "failed")].concat();
        Reply::new(200).body(&format!("<EnumerationResults><Blobs>{entries}</Blobs></EnumerationResults>"))
    })
    .await;
    let names: Vec<String> =
        listed.storage().list("/").await.unwrap().iter().map(|info| info.path().to_string()).collect();
    assert_eq!(names, ["/a"]);
}

/// An upload whose blocks another writer threw away meanwhile has ended; one whose destination
/// changed has not.
#[tokio::test]
async fn a_refused_copy_of_blocks_tells_which_side_changed() {
    for (staged, said) in [("\"0x2\"", "ended elsewhere"), ("\"0x1\"", "was replaced")] {
        let server = Server::start(move |asked| match (asked.method.as_str(), asked.path()) {
            ("GET", _) => Reply::new(200).body("<EnumerationResults><Blobs/></EnumerationResults>"),
            ("PUT", "/registry/a") => Reply::error(412, "SourceConditionNotMet", ""),
            ("HEAD", "/registry/a") => Reply::error(404, "BlobNotFound", ""),
            ("HEAD", _) => Reply::new(200).header("etag", staged).header("content-length", "70000"),
            ("PUT", _) => Reply::blob(201),
            _ => Reply::new(202),
        })
        .await;
        let storage = server.storage_with(&[("accountkey", KEY), ("chunksize", "64 KiB")]);
        let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
        writer.write(vec![1_u8; 70_000]).await.unwrap();
        let error = writer.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(said), "{error}");
    }
}
