//! Single faults, each where it hurts most.

use storagedriver::{ErrorKind, Storage, WriteMode};
use storagedriver_swift::SwiftParameters;
use storagedriver_testsuites::faults::{Fault, FaultProxy, Rule, Schedule, swift};
use storagedriver_testsuites::{Checked, Outcome};

use crate::admin::Admin;
use crate::given::{Kind, kind, open, proxied};
use crate::own_case;

const MIB: usize = 1 << 20;

fn content(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|number| ((number + seed) / 7 % 251) as u8).collect()
}

/// A storage behind a proxy; it has its token, and knows what the cluster has.
async fn behind_a_proxy() -> (FaultProxy, SwiftParameters, Storage) {
    let (proxy, parameters) = proxied(Schedule::none()).await;
    let storage = open(&parameters, 4);
    storage.put_content("/first", "content").await.unwrap();
    storage.stat("/").await.unwrap();
    (proxy, parameters, storage)
}

async fn upload(storage: &Storage, path: &str, content: &[u8]) -> storagedriver::Result<()> {
    let mut writer = storage.writer(path, WriteMode::Create).await?;
    for piece in content.chunks(MIB) {
        writer.write(piece.to_vec()).await?;
    }
    writer.commit().await
}

/// The answer to each kind of request is lost once, when it was done.
#[test]
fn lost_answers() -> Checked {
    own_case("lost answers lose and double nothing", async {
        let (proxy, _, storage) = behind_a_proxy().await;
        let large = content(1, 2 * MIB + 5);
        for operation in [
            swift::PUT_SEGMENT,
            swift::PUT_CLAIM,
            swift::PUT_MANIFEST,
            swift::PUT,
            swift::DELETE_CLAIM,
            swift::DELETE,
        ] {
            for fault in [Fault::AppliedThenReset, Fault::AppliedThenStatus { status: 500 }] {
                proxy.inject(Rule::new(fault).on(operation));
                upload(&storage, "/large", &large).await.unwrap();
                assert_eq!(proxy.rules_left(), 0, "{operation}");
                assert!(storage.get_content("/large").await.unwrap() == large, "{operation}");
            }
        }
        for operation in [swift::COPY, swift::PUT_CLAIM, swift::DELETE, swift::DELETE_CLAIM] {
            proxy.inject(Rule::new(Fault::AppliedThenReset).on(operation));
            storage.rename("/large", "/moved").await.unwrap();
            assert_eq!(proxy.rules_left(), 0, "{operation}");
            assert!(storage.get_content("/moved").await.unwrap() == large, "{operation}");
            assert!(!storage.exists("/large").await.unwrap(), "{operation}");
            storage.rename("/moved", "/large").await.unwrap();
        }
        for number in 0..5 {
            storage.put_content(&format!("/d/{number}"), "content").await.unwrap();
        }
        proxy.inject(Rule::new(Fault::AppliedThenReset).on(swift::BULK_DELETE));
        storage.delete("/d").await.unwrap();
        assert_eq!(proxy.rules_left(), 0);
        assert!(!storage.exists("/d").await.unwrap());
        Outcome::Pass
    })
}

/// Connections are reset in the middle of a body, in both directions.
#[test]
fn cut_bodies() -> Checked {
    own_case("bodies that are cut are sent and read whole", async {
        let (proxy, parameters, storage) = behind_a_proxy().await;
        let large = content(2, 2 * MIB + 5);
        for skipped in 0..3 {
            proxy.inject(
                Rule::new(Fault::ResetRequest { after: 100_000 }).on(swift::PUT_SEGMENT).skip(skipped),
            );
        }
        proxy.inject(Rule::new(Fault::ResetRequest { after: 10 }).on(swift::PUT_MANIFEST));
        upload(&storage, "/large", &large).await.unwrap();
        storage.put_content("/plain", large[..MIB].to_vec()).await.unwrap();
        // What is plain goes on where it was cut. On Ceph a large object cannot, and says so.
        for (path, size) in [("/plain", MIB), ("/large", large.len())] {
            proxy.inject(Rule::new(Fault::ResetResponse { after: 300_000 }).on(swift::GET));
            let read = storage.get_content(path).await;
            if path == "/large" && kind(&parameters) == Kind::Ceph {
                assert_eq!(read.unwrap_err().kind(), ErrorKind::Conflict);
            } else {
                assert!(read.unwrap() == large[..size], "{path}");
            }
        }
        // Half a listing is none.
        proxy.inject(Rule::new(Fault::ResetResponse { after: 50 }).on(swift::LIST));
        let listed = storage.list("/").await.unwrap();
        let names: Vec<&str> = listed.iter().map(|info| info.path().as_str()).collect();
        assert_eq!(names, ["/first", "/large", "/plain"]);
        assert_eq!(proxy.rules_left(), 0);
        Outcome::Pass
    })
}

/// In the middle of an upload the token is refused, at each kind of request; a new one is asked for.
#[test]
fn expired_tokens() -> Checked {
    own_case("a token that expires in the middle of an upload is renewed", async {
        let (proxy, parameters, storage) = behind_a_proxy().await;
        let large = content(3, 2 * MIB + 5);
        let before = proxy.counts().of(swift::AUTHENTICATE);
        let operations =
            [swift::PUT_SEGMENT, swift::PUT_MANIFEST, swift::PUT_CLAIM, swift::DELETE, swift::GET];
        for operation in operations {
            let expired = Fault::Refuse { status: 401, retry_after: None };
            proxy.inject(Rule::new(expired).on(operation));
            upload(&storage, "/large", &large).await.unwrap();
            assert!(storage.get_content("/large").await.unwrap() == large, "{operation}");
            assert_eq!(proxy.rules_left(), 0, "{operation}");
        }
        let asked = proxy.counts().of(swift::AUTHENTICATE) - before;
        // Keystone is not behind the proxy; and one more may have expired by itself.
        let least = if kind(&parameters) == Kind::Keystone { 0 } else { operations.len() as u64 };
        assert!(asked >= least, "{asked} tokens");
        Outcome::Pass
    })
}

/// Each way that Swift asks to be left alone.
#[test]
fn throttles() -> Checked {
    own_case("throttles are waited for", async {
        let (proxy, _, storage) = behind_a_proxy().await;
        let large = content(4, 2 * MIB + 5);
        for (status, retry_after) in [(503, Some(0)), (429, Some(0)), (498, None)] {
            for operation in [swift::PUT_SEGMENT, swift::PUT_MANIFEST, swift::GET, swift::LIST] {
                proxy.inject(Rule::new(Fault::Refuse { status, retry_after }).on(operation).times(2));
            }
            upload(&storage, "/large", &large).await.unwrap();
            assert!(storage.get_content("/large").await.unwrap() == large, "{status}");
            assert_eq!(storage.list("/").await.unwrap().len(), 2, "{status}");
            assert_eq!(proxy.rules_left(), 0, "{status}");
            // And those that do not end are told.
            proxy.inject(Rule::new(Fault::Refuse { status, retry_after }).on(swift::GET).times(100));
            let error = storage.get_content("/large").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
            proxy.stop_faults();
        }
        Outcome::Pass
    })
}

/// Somebody writes over a segment before it is published.
#[test]
fn changed_segments() -> Checked {
    own_case("a segment that is not what was sent is never published", async {
        let (_proxy, parameters, storage) = behind_a_proxy().await;
        let admin = Admin::new(&crate::given::parameters()).await;
        let (old, new) = (content(5, 100), content(6, 2 * MIB + 5));
        storage.put_content("/file", old.clone()).await.unwrap();
        let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
        for piece in new.chunks(MIB) {
            writer.write(piece.to_vec()).await.unwrap();
        }
        writer.close().await.unwrap();
        let segments = admin.names(&format!("{}/segments/", parameters.prefix)).await;
        assert_eq!(segments.len(), 2, "{segments:?}");
        admin.put(&segments[0], content(7, MIB)).await;
        let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
        let error = writer.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(storage.get_content("/file").await.unwrap() == old);
        storage.delete("/file").await.unwrap();
        assert!(admin.names(&format!("{}/segments/", parameters.prefix)).await.is_empty());
        Outcome::Pass
    })
}
