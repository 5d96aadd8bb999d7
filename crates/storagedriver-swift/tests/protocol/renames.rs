//! Renames of large objects that are cut short: two manifests name the same segments then.

use std::time::Duration;

use storagedriver::{ErrorKind, Storage};
use storagedriver_testservers::{SwiftOptions, SwiftServer};
use storagedriver_testsuites::faults::{Fault, FaultProxy, Rule, Schedule, swift};

use crate::server::parameters;
use crate::{MIB, content, impatient, upload};

/// A server, a proxy before it, and a large file `/a`.
async fn begun() -> (SwiftServer, FaultProxy, Storage, Vec<u8>) {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let schedule = Schedule::none().classified_by(swift::operations_in("container"));
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let storage = impatient(&parameters(&format!("http://{}", proxy.address())), 1);
    let content = content(3 * MIB + 5);
    upload(&storage, "/a", &content).await;
    (server, proxy, storage, content)
}

/// Another process: it knows nothing of what the first has done.
fn another(server: &SwiftServer) -> Storage {
    impatient(&parameters(&server.endpoint()), 3)
}

fn left(server: &SwiftServer) -> Vec<String> {
    server.store().keys("container")
}

const REFUSED: Fault = Fault::Refuse { status: 500, retry_after: None };

/// After the copy, before the source is gone.
async fn cut_short() -> (SwiftServer, FaultProxy, Storage, Vec<u8>) {
    let (server, proxy, storage, content) = begun().await;
    proxy.inject(Rule::new(REFUSED).on("delete"));
    storage.rename("/a", "/b").await.unwrap_err();
    assert_eq!(proxy.rules_left(), 0);
    for path in ["/a", "/b"] {
        assert_eq!(storage.get_content(path).await.unwrap(), content, "{path}");
    }
    (server, proxy, storage, content)
}

/// One that takes whatever was left for old.
fn reaper(server: &SwiftServer) -> Storage {
    let parameters = parameters(&server.endpoint());
    let mut options = parameters.options();
    options.orphan_age = Duration::ZERO;
    Storage::new(storagedriver_object::ObjectDriver::new(
        storagedriver_swift::SwiftBackend::with_options(
            &parameters,
            storagedriver_object::http::HttpOptions::default(),
            Duration::ZERO,
        )
        .unwrap(),
        options,
    ))
}

#[tokio::test]
async fn a_delete_of_either_end_leaves_the_other_whole() {
    for (deleted, kept) in [("/a", "/b"), ("/b", "/a")] {
        let (server, _proxy, _, content) = cut_short().await;
        let other = another(&server);
        other.delete(deleted).await.unwrap();
        assert_eq!(other.get_content(kept).await.unwrap(), content);
        // Then the last one goes; what it leaves is told of, and goes with what is stale.
        other.delete(kept).await.unwrap();
        let reaper = reaper(&server);
        reaper.abort_stale("/", Duration::ZERO).await.unwrap();
        assert_eq!(left(&server), [""; 0]);
    }
}

#[tokio::test]
async fn what_replaces_either_end_leaves_the_other_whole() {
    for (replaced, kept) in [("/a", "/b"), ("/b", "/a")] {
        let (server, _proxy, _, content) = cut_short().await;
        let other = another(&server);
        other.put_content(replaced, "new").await.unwrap();
        assert_eq!(other.get_content(kept).await.unwrap(), content);
        assert_eq!(other.get_content(replaced).await.unwrap(), "new");
    }
}

#[tokio::test]
async fn it_can_be_done_again_by_anybody() {
    let (server, _proxy, storage, content) = cut_short().await;
    let other = another(&server);
    other.rename("/a", "/b").await.unwrap();
    assert_eq!(other.get_content("/b").await.unwrap(), content);
    assert!(storage.stat("/a").await.unwrap_err().is_not_found());
    other.delete("/b").await.unwrap();
    assert_eq!(left(&server), [""; 0]);
}

#[tokio::test]
async fn to_another_place_its_content_is_copied() {
    let (server, _proxy, _, content) = cut_short().await;
    let other = another(&server);
    other.rename("/a", "/c").await.unwrap();
    for path in ["/b", "/c"] {
        assert_eq!(other.get_content(path).await.unwrap(), content, "{path}");
    }
    let copy = server.store().object("container", "some/root/files/c").unwrap();
    assert_eq!(copy.content.size(), content.len() as u64, "a copy and no manifest");
}

#[tokio::test]
async fn its_claim_cannot_be_ended_while_two_have_the_content() {
    let (server, _proxy, _, content) = cut_short().await;
    let reaper = reaper(&server);
    let told = reaper.uploads("/").await.unwrap();
    let error = reaper.abort_upload(&told[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.to_string().contains("files/b have one content"), "{error}");
    let reaped = reaper.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!((reaped.aborted.len(), reaped.kept), (0, 1));
    another(&server).delete("/a").await.unwrap();
    let reaped = reaper.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!((reaped.aborted.len(), reaped.kept), (1, 0));
    assert_eq!(reaper.uploads("/").await.unwrap(), []);
    assert_eq!(reaper.get_content("/b").await.unwrap(), content);
}

/// Wherever it is cut short, both or one are there, whole.
#[tokio::test]
async fn each_request_of_a_rename_may_be_the_last() {
    for operation in ["head", "put claim", "copy", "delete", "delete claim"] {
        for fault in [REFUSED, Fault::AppliedThenStatus { status: 500 }] {
            for skipped in 0..3 {
                let (server, proxy, storage, content) = begun().await;
                proxy.inject(Rule::new(fault.clone()).on(operation).skip(skipped));
                let _ = storage.rename("/a", "/b").await;
                proxy.stop_faults();
                let other = another(&server);
                let mut whole = 0;
                for path in ["/a", "/b"] {
                    match other.get_content(path).await {
                        Ok(read) => whole += u32::from(read == content),
                        Err(error) => assert!(error.is_not_found(), "{error}"),
                    }
                }
                assert!(whole > 0, "{operation} {skipped} {fault:?}");
                if other.stat("/a").await.is_ok() {
                    other.rename("/a", "/b").await.unwrap();
                }
                assert_eq!(
                    other.get_content("/b").await.unwrap(),
                    content,
                    "{operation} {skipped} {fault:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_rename_of_a_large_file_copies_no_content() {
    let (server, _proxy, storage, content) = begun().await;
    let before = left(&server).len();
    server.requests().clear();
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(left(&server).len(), before, "no claim is left, and no segment was copied");
    assert_eq!(server.requests().count(), 9);
    assert_eq!(storage.get_content("/b").await.unwrap(), content);
    storage.delete("/b").await.unwrap();
    assert_eq!(left(&server), [""; 0]);
}

#[tokio::test]
async fn what_an_old_claim_told_of_is_not_ended_under_a_new_one() {
    let (server, _proxy, _, _) = cut_short().await;
    let other = another(&server);
    other.delete("/a").await.unwrap();
    other.delete("/b").await.unwrap();
    let reaper = reaper(&server);
    let told = reaper.uploads("/").await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    // Meanwhile it was settled, and somebody else has claimed the set.
    let content = |key: &String| server.store().content("container", key).unwrap();
    let claim = left(&server).into_iter().find(|key| content(key).starts_with(b"{\"token\"")).unwrap();
    let mut body: serde_json::Value = serde_json::from_slice(&content(&claim)).unwrap();
    body["token"] = "another".into();
    server.store().put("container", &claim, body.to_string().into_bytes());
    let before = left(&server);
    reaper.abort_upload(&told[0]).await.unwrap();
    assert_eq!(left(&server), before);
}
