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

/// A configuration of the driver that `driver` says, with this middleware, as an argument.
fn configured(driver: &str, middleware: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!("version: 0.1\nstorage:\n  {driver}\nmiddleware:\n  storage:\n{middleware}");
    std::fs::write(file.path(), text).unwrap();
    let argument = format!("@{}", file.path().display());
    (file, argument)
}

#[test]
fn middleware_that_cannot_be_had_is_missed_only_where_urls_are_told() {
    let store = Store::with(&["/a"]);
    let driver = format!("filesystem: {{rootdirectory: {}}}", store.root().display());
    let cloudfront = "    - name: cloudfront\n      options: {baseurl: d.cloudfront.net, keypairid: k, privatekey: /no/such/key}\n";
    // One is not linked, the other lacks its key.
    for (middleware, says) in
        [("    - name: alicdn\n", "alicdn"), (cloudfront, "/no/such/key cannot be read")]
    {
        let (_file, argument) = configured(&driver, middleware);
        assert_eq!(run(&["ls", &argument]).ok(), "/a\n");
        for command in [&["url", &argument, "/a"][..], &["check", &argument]] {
            let message = run(command).failed(2);
            assert!(message.contains(says), "{message}");
        }
    }
}

#[cfg(feature = "middleware")]
#[test]
fn urls_are_told_as_the_middleware_makes_them() {
    let s3 =
        "s3: {bucket: bucket, region: us-east-1, accesskey: a, secretkey: very-secret, rootdirectory: /root}";
    let rewrite = "    - name: rewrite\n      options: {scheme: http, host: 'cdn.example.com:81', trimpathprefix: /root}\n";
    let (_file, argument) = configured(s3, rewrite);
    let url = run(&["url", &argument, "/a"]).ok();
    assert!(url.starts_with("http://cdn.example.com:81/a?") && url.contains("X-Amz-Signature="), "{url}");
    assert!(!url.contains("very-secret"), "{url}");
    run(&["url", &argument, "/a", "--method", "PUT"]).failed(1);

    let store = Store::with(&["/a"]);
    let driver = format!("filesystem: {{rootdirectory: {}}}", store.root().display());
    let redirect = "    - name: redirect\n      options: {baseurl: 'https://mirror.example.com/b'}\n";
    let (_file, argument) = configured(&driver, redirect);
    assert_eq!(run(&["url", &argument, "/a"]).ok(), "https://mirror.example.com/b/a\n");
    let (_file, argument) =
        configured(&driver, &redirect.replace("options", "disabled: true\n      options"));
    run(&["url", &argument, "/a"]).failed(1);
}
