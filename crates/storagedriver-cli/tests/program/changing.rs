//! `put`, `mv`, `rm`, `uploads`.

use storagedriver::{Storage, WriteMode};

use crate::run::{Store, end, objects};

#[test]
fn put_takes_a_file_or_standard_input() {
    let store = Store::new();
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let local = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(local.path(), &content).unwrap();
    assert_eq!(store.text("put", &["/docker/file", local.path().to_str().unwrap()]), "");
    assert_eq!(end(&mut store.command("put", &["/docker/stdin"]), &content).ok(), "");
    assert_eq!(end(&mut store.command("put", &["/docker/dash", "-"]), &content).ok(), "");
    for path in ["/docker/file", "/docker/stdin", "/docker/dash"] {
        assert!(store.run("cat", &[path]).stdout == content, "{path}");
    }
    assert_eq!(store.files().len(), 3, "nothing else is left");

    let written = end(&mut store.command("put", &["/docker/stdin", "--json"]), b"").ok();
    assert_eq!(written, "{\"path\":\"/docker/stdin\",\"size\":0}\n");
    assert_eq!(store.text("cat", &["/docker/stdin"]), "", "replaced, and by nothing");
}

#[test]
fn a_put_that_fails_leaves_nothing() {
    let store = Store::with(&["/file"]);
    store.run("put", &["/new", "/no/such/file"]).failed(2);
    store.run("put", &["/new", store.root().to_str().unwrap()]).failed(2);
    end(&mut store.command("put", &["/file/below"]), b"content").failed(3);
    assert_eq!(store.text("walk", &[]), "/file\n");
    assert_eq!(store.files().len(), 1);
}

#[test]
fn mv_replaces() {
    let store = Store::with(&["/a/one", "/b"]);
    assert_eq!(store.text("mv", &["/a/one", "/b"]), "");
    assert_eq!(store.text("walk", &[]), "/b\n");
    assert_eq!(store.text("cat", &["/b"]), "/a/one");
    assert_eq!(store.json("mv", &["/b", "/c"])[0]["to"], "/c");
    store.run("mv", &["/b", "/d"]).failed(1);
}

#[test]
fn rm_spares_directories_unless_told() {
    let store = Store::with(&["/a/x", "/a/y", "/ab", "/c"]);
    let refusal = store.run("rm", &["/a"]).failed(2);
    assert!(refusal.contains("--recursive"), "{refusal}");
    assert_eq!(store.text("walk", &["/a"]), "/a/x\n/a/y\n");
    store.text("rm", &["/a", "-r"]);
    assert_eq!(store.text("walk", &[]), "/ab\n/c\n");
    let deleted = store.json("rm", &["/ab", "/c"]);
    assert_eq!(deleted[1]["path"], "/c");
    store.run("rm", &["/c"]).failed(1);
    store.run("rm", &["/", "-r"]).failed(2);
}

fn upload(store: &Store, path: &str, content: &'static [u8]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let storage: Storage = crate::changing::filesystem(store).await;
        let mut writer = storage.writer(path, WriteMode::Create).await.unwrap();
        writer.write(content).await.unwrap();
        writer.close().await.unwrap();
    });
}

async fn filesystem(store: &Store) -> Storage {
    let parameters =
        storagedriver::Parameters::from_iter([("rootdirectory", store.root().to_str().unwrap())]);
    storagedriver::Factory::new()
        .with(storagedriver_filesystem::DRIVER)
        .create("filesystem", parameters)
        .await
        .unwrap()
}

#[test]
fn uploads_are_listed_and_aborted_by_age() {
    let store = Store::with(&["/a/committed"]);
    upload(&store, "/a/one", b"12345");
    upload(&store, "/b/two", b"");
    let listed = store.json("uploads", &[]);
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["path"], &listed[0]["size"]), (&"/a/one".into(), &5.into()));
    assert_eq!(listed[0]["aborted"], false);
    assert!(store.text("uploads", &["/b", "-h"]).trim_start().starts_with("0 B"));

    assert_eq!(store.text("uploads", &["--abort-older-than", "7d"]), "", "both are young");
    assert_eq!(store.json("uploads", &[]).len(), 2);
    let aborted = end(store.command("uploads", &["/a", "--abort-older-than", "0s"]).arg("--json"), b"").ok();
    let aborted = objects(&aborted);
    assert_eq!(aborted.len(), 1);
    assert_eq!((&aborted[0]["path"], &aborted[0]["aborted"]), (&"/a/one".into(), &true.into()));
    assert_eq!(store.json("uploads", &[])[0]["path"], "/b/two");
    assert_eq!(store.text("cat", &["/a/committed"]), "/a/committed");
}

#[test]
fn rm_of_an_upload_takes_no_others_along() {
    let store = Store::new();
    upload(&store, "/a", b"1");
    upload(&store, "/b/c", b"1");
    store.text("rm", &["/a"]);
    let refusal = store.run("rm", &["/b"]).failed(2);
    assert!(refusal.contains("--recursive"), "{refusal}");
    assert_eq!(store.json("uploads", &[]).len(), 1);
    store.text("rm", &["/b", "--recursive"]);
    assert_eq!(store.json("uploads", &[]).len(), 0);
}
