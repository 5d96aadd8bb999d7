//! `url`.
#![cfg(feature = "s3")]

use serde_json::Value;

use crate::run::{Ended, Store, end, objects, program, run};

/// Runs `url` on an S3 storage that no request reaches: a URL is made without asking the backend.
fn s3(arguments: &[&str]) -> Ended {
    let storage = "s3:bucket=b,region=us-east-1,accesskey=env:TEST_ACCESS,secretkey=env:TEST_SECRET";
    let mut command = program(["url", storage]);
    command.args(arguments).env("TEST_ACCESS", "access").env("TEST_SECRET", "very-secret");
    end(&mut command, b"")
}

#[test]
fn a_url_is_printed_alone() {
    let url = s3(&["/a/b"]).ok();
    assert!(url.starts_with("https://") && url.ends_with('\n') && url.lines().count() == 1, "{url}");
    assert!(url.contains("/b/a/b?") && url.contains("X-Amz-Expires=1200&"), "{url}");
    assert!(!url.contains("very-secret"));
    assert!(s3(&["/a/b", "--expiry", "1h"]).ok().contains("X-Amz-Expires=3600&"));
    let [object] = &objects(&s3(&["/a/b", "--method", "head", "--json"]).ok())[..] else {
        panic!("one object")
    };
    assert_eq!((&object["path"], &object["method"]), (&"/a/b".into(), &"HEAD".into()));
    assert!(object["url"].as_str().unwrap().starts_with("https://"));
}

#[test]
fn where_there_is_no_url_the_answer_is_no() {
    let store = Store::with(&["/a"]);
    let message = store.run("url", &["/a"]).failed(1);
    assert!(message.starts_with("storagedriver: filesystem has no URL for GET /a: "), "{message}");
    let json: Value = objects(&store.run("url", &["/a", "--json"]).failed(1)).remove(0);
    assert_eq!(json["error"]["kind"], "no_url");
    assert!(s3(&["/a", "--method", "PUT"]).failed(1).contains("PUT /a"));
    store.run("url", &["a"]).failed(2);
    store.run("url", &["/a", "--expiry", "long"]).failed(2);
}

#[test]
fn middleware_that_is_not_linked_is_missed_only_where_urls_are_told() {
    let store = Store::with(&["/a"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nmiddleware:\n  storage:\n    - name: cloudfront\n",
        store.root().display()
    );
    std::fs::write(file.path(), text).unwrap();
    let argument = format!("@{}", file.path().display());
    assert_eq!(run(&["ls", &argument]).ok(), "/a\n");
    assert!(run(&["url", &argument, "/a"]).failed(2).contains("cloudfront"));
}
