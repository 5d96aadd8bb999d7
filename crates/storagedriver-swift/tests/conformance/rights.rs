//! A user with rights on the container alone.

use storagedriver::{ErrorKind, RedirectRequest, Secret, Storage, WriteMode};
use storagedriver_testsuites::{Checked, Outcome};

use crate::admin::Admin;
use crate::given::{Kind, as_user, kind, open, parameters};
use crate::own_case;

/// As the server is configured.
const USER: (&str, &str) = ("test:writer", "writing");
const KEY: &str = "a key that the owner has set";

async fn paths(storage: &Storage) -> Vec<String> {
    let mut walk = storage.walk("/", storagedriver::WalkOptions::new()).await.unwrap();
    let mut found = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        found.push(info.path().to_string());
    }
    found
}

#[test]
fn of_the_container() -> Checked {
    own_case("rights on the container are enough", async {
        let mut given = parameters();
        if kind(&given) != Kind::TempAuth {
            return Outcome::Skip("a user who owns nothing is tried with TempAuth".to_owned());
        }
        let admin = Admin::new(&given).await;
        let owned = given.container.clone();
        given.container = format!("rights-{}", std::process::id());
        let rights = [
            ("x-container-read", USER.0),
            ("x-container-write", USER.0),
            ("x-container-meta-temp-url-key", KEY),
        ];
        admin.put_container(&given.container, &rights).await;
        let mut user = as_user(&given, USER.0, USER.1);
        user.secretkey = Some(Secret::new(KEY));
        let storage = open(&user, 2);

        storage.stat("/").await.unwrap();
        storage.put_content("/a/plain", "content").await.unwrap();
        storage.put_content("/a/plain", "other content").await.unwrap();
        let mut writer = storage.writer("/a/large", WriteMode::Create).await.unwrap();
        writer.write(vec![7; 2 << 20]).await.unwrap();
        writer.close().await.unwrap();
        assert_eq!(storage.uploads("/").await.unwrap().len(), 1);
        let mut writer = storage.writer("/a/large", WriteMode::Append).await.unwrap();
        writer.write(vec![8; 1 << 20]).await.unwrap();
        writer.commit().await.unwrap();
        storage.rename("/a/large", "/b/large").await.unwrap();
        storage.rename("/a/plain", "/b/plain").await.unwrap();
        assert_eq!(paths(&storage).await, ["/b", "/b/large", "/b/plain"]);
        assert_eq!(storage.stat("/b/large").await.unwrap().size(), Some(3 << 20));
        let url = storage.redirect_url(&RedirectRequest::get(), "/b/plain").await.unwrap().unwrap();
        assert_eq!(admin.fetch(url).await, "other content");
        for number in 0..5 {
            storage.put_content(&format!("/b/{number}"), "content").await.unwrap();
        }
        storage.delete("/b").await.unwrap();
        storage.abort_stale("/", std::time::Duration::ZERO).await.unwrap();
        assert!(paths(&storage).await.is_empty());

        // Without the key there are no redirects; nothing else is lost by that.
        user.secretkey = None;
        let storage = open(&user, 2);
        storage.put_content("/a", "content").await.unwrap();
        assert!(storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().is_none());

        // Where there are no rights, and where there is nothing.
        for container in [owned, format!("absent-{}", std::process::id())] {
            user.container = container;
            let error = open(&user, 1).put_content("/a", "content").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(error.to_string().contains(&user.container), "{error}");
        }
        Outcome::Pass
    })
}
