//! Segments that are not what was sent when they are to be published.

use storagedriver::{ErrorKind, WriteMode};
use storagedriver_testservers::{SwiftOptions, SwiftServer};

use crate::server::parameters;
use crate::{MIB, content, impatient};

/// Where the cluster compares them, and where it cannot.
#[tokio::test]
async fn none_is_published_that_somebody_has_changed_or_removed() {
    for static_large_objects in [true, false] {
        for removed in [true, false] {
            let server =
                SwiftServer::start(SwiftOptions { static_large_objects, ..SwiftOptions::default() }).unwrap();
            let storage = impatient(&parameters(&server.endpoint()), 1);
            storage.put_content("/file", "old").await.unwrap();
            let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
            for piece in content(2 * MIB + 5).chunks(MIB) {
                writer.write(piece.to_vec()).await.unwrap();
            }
            writer.close().await.unwrap();
            let keys = server.store().keys("container");
            let segment = keys.iter().find(|key| key.contains("/segments/")).unwrap();
            if removed {
                server.store().remove("container", segment);
            } else {
                server.store().put("container", segment, vec![7; MIB]);
            }
            let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
            let error = writer.commit().await.unwrap_err();
            let case = format!("static: {static_large_objects}, removed: {removed}: {error}");
            assert_eq!(error.kind(), ErrorKind::Conflict, "{case}");
            assert_eq!(storage.get_content("/file").await.unwrap(), "old", "{case}");
            storage.delete("/file").await.unwrap();
            assert!(server.store().keys("container").is_empty(), "{case}");
        }
    }
}
