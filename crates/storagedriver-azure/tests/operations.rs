//! Operations on a server in this process: how many requests they make, and what others put into the
//! container.
#![allow(clippy::unwrap_used)] // A failure here fails the test.

use std::time::Duration;

use bytes::Bytes;
use storagedriver::{ErrorKind, Parameters, RedirectRequest, Storage, WalkOptions, WriteMode};
use storagedriver_azure::AzureParameters;
use storagedriver_testservers::{AzureOptions, AzureServer, Draft};
use storagedriver_testsuites::{Costs, costs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn server() -> AzureServer {
    AzureServer::start(AzureOptions { page_size: 100, ..AzureOptions::default() }).unwrap()
}

fn storage_with(server: &AzureServer, more: &[(&str, &str)]) -> Storage {
    let mut parameters =
        Parameters::from_iter([("accountname", server.account()), ("container", "container")]);
    parameters.insert("serviceurl", server.endpoint());
    parameters.extend(more.iter().copied());
    AzureParameters::parse(parameters).unwrap().into_storage().unwrap()
}

fn storage(server: &AzureServer) -> Storage {
    storage_with(server, &[("accountkey", server.key())])
}

/// The storage with a token in place of the key.
fn storage_with_token(server: &AzureServer) -> Storage {
    let authority = server.authority();
    let more = [
        ("credentials.type", "client_secret"),
        ("credentials.clientid", "client"),
        ("credentials.tenantid", "tenant"),
        ("credentials.secret", "secret"),
        ("credentials.authorityhost", authority.as_str()),
    ];
    storage_with(server, &more)
}

/// How many requests there were since the last time.
fn made(server: &AzureServer) -> usize {
    let count = server.requests().count();
    server.requests().clear();
    count
}

async fn write(storage: &Storage, path: &str, content: Vec<u8>) {
    let mut writer = storage.writer(path, WriteMode::Create).await.unwrap();
    writer.write(content).await.unwrap();
    writer.commit().await.unwrap();
}

#[tokio::test]
async fn requests_of_each_operation() {
    let server = server();
    let storage = storage(&server);
    storage.put_content("/first", "content").await.unwrap();
    assert_eq!(made(&server), 2, "the first put of a process asks for the kind of account");
    let found = costs(&storage, || made(&server)).await.unwrap();
    // The service has no list of open uploads.
    let stated = Costs { delete_of_file: 3, ..Costs::OBJECT_ENGINE };
    assert_eq!(found, stated);
}

#[tokio::test]
async fn requests_of_uploads() {
    let server = server();
    let storage = storage_with(&server, &[("accountkey", server.key()), ("chunksize", "100000")]);
    storage.put_content("/first", "x").await.unwrap();
    made(&server);
    write(&storage, "/a", vec![1; 90_000]).await;
    assert_eq!(made(&server), 2, "below one block");
    for blocks in [2, 7] {
        write(&storage, "/a", vec![1; blocks * 100_000]).await;
        // List, session, mark, block list, copy, and the deletes of blocks and session.
        assert_eq!(made(&server), 7 + blocks, "{blocks} blocks");
    }
    let writer = storage.writer("/c", WriteMode::Create).await.unwrap();
    writer.cancel().await.unwrap();
    assert_eq!(made(&server), 1, "cancel of what sent nothing");
    let mut writer = storage.writer("/c", WriteMode::Create).await.unwrap();
    writer.write(vec![1; 150_000]).await.unwrap();
    let before = server.requests().count();
    writer.cancel().await.unwrap();
    assert!(server.requests().count() - before <= 4, "cancel, and a block on its way");
    made(&server);
}

#[tokio::test]
async fn requests_of_listings() {
    let server = server();
    for name in 0..250 {
        server.store().put("container", &format!("d/{}/{name:03}", name % 5), Bytes::from_static(b"x"));
    }
    let storage = storage(&server);
    assert_eq!(storage.list("/d/1").await.unwrap().len(), 50);
    assert_eq!(made(&server), 1, "list");
    let mut walk = storage.walk("/", WalkOptions::default()).await.unwrap();
    let mut seen = 0;
    while let Some(info) = walk.next().await.unwrap() {
        seen += usize::from(info.is_file());
    }
    assert_eq!((seen, made(&server)), (250, 3), "walk of 250, in pages of 100");
    let mut walk = storage.walk("/", WalkOptions::default()).await.unwrap();
    let mut skipped = 0;
    while let Some(info) = walk.next().await.unwrap() {
        if info.is_dir() && info.path().as_str() != "/d" {
            walk.skip_dir();
            skipped += 1;
        }
    }
    let requests = made(&server);
    assert!(skipped == 5 && requests <= 1 + skipped, "{requests}");
    storage.delete("/d").await.unwrap();
    // The pages, the sessions, and one for each blob; the service has no list of uploads.
    assert_eq!(made(&server), 3 + 1 + 250, "delete of 250");
    assert!(server.store().keys("container").is_empty());
}

/// Gets a URL as a client without credentials does.
async fn fetch(url: &str) -> (u16, Vec<u8>) {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&reply).split(' ').nth(1).unwrap().parse().unwrap();
    (status, reply.split_off(end + 4))
}

#[tokio::test]
async fn signed_urls_can_be_read_by_anybody_until_they_expire() {
    let server = server();
    for storage in [storage(&server), storage_with_token(&server)] {
        storage.put_content("/a/b", "content").await.unwrap();
        let url = storage.redirect_url(&RedirectRequest::get(), "/a/b").await.unwrap().unwrap();
        assert_eq!(fetch(url.as_str()).await, (200, b"content".to_vec()), "{url}");
        let other = url.as_str().replace("/a/b?", "/a/c?");
        assert_eq!(fetch(&other).await.0, 403, "the signature is for one blob");
        let short = RedirectRequest::get().with_expiry(Duration::from_secs(1));
        let url = storage.redirect_url(&short, "/a/b").await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(2100)).await;
        assert_eq!(fetch(url.as_str()).await.0, 403, "it has expired");
    }
}

#[tokio::test]
async fn a_workload_identity_gets_its_token_for_the_one_in_its_file() {
    let server = server();
    let file = std::env::temp_dir().join(format!("storagedriver-azure-token-{}", std::process::id()));
    std::fs::write(&file, "federated").unwrap();
    let (authority, path) = (server.authority(), file.to_str().unwrap().to_owned());
    let more = [
        ("credentials.type", "workload_identity"),
        ("credentials.clientid", "client"),
        ("credentials.tenantid", "tenant"),
        ("credentials.authorityhost", authority.as_str()),
        ("credentials.tokenfile", path.as_str()),
    ];
    let put = storage_with(&server, &more).put_content("/a", "x").await;
    std::fs::remove_file(&file).unwrap();
    put.unwrap();
    let error = storage_with(&server, &more).get_content("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("federated token file"), "{error}");
}

/// Of the key of a user's delegation, which takes a request of its own.
#[tokio::test]
async fn a_delegation_is_asked_for_once() {
    let server = server();
    let storage = storage_with_token(&server);
    for _ in 0..5 {
        storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().unwrap();
    }
    let asked = server.requests().matching(|request| request.query.contains("userdelegationkey"));
    assert_eq!(asked.len(), 1);
}

/// An append blob, as Distribution's writer leaves it.
fn put_append_blob(server: &AzureServer, name: &str, content: &'static [u8]) {
    let mut draft = Draft { content: Bytes::from_static(content).into(), ..Draft::default() };
    draft.properties.insert("x-ms-blob-type".to_owned(), "AppendBlob".to_owned());
    server.store().put_draft("container", name, draft);
}

fn is_append_blob(server: &AzureServer, name: &str) -> bool {
    let object = server.store().object("container", name).unwrap();
    object.properties.get("x-ms-blob-type").is_some_and(|kind| kind == "AppendBlob")
}

#[tokio::test]
async fn append_blobs_of_distribution_are_read_moved_continued_and_replaced() {
    let server = server();
    let storage = storage_with(&server, &[("accountkey", server.key()), ("chunksize", "1 KiB")]);
    put_append_blob(&server, "a", b"old");
    assert!(is_append_blob(&server, "a"));
    assert_eq!(storage.get_content("/a").await.unwrap(), "old");
    storage.rename("/a", "/b").await.unwrap();
    assert!(is_append_blob(&server, "b"));

    let mut writer = storage.writer("/b", WriteMode::Append).await.unwrap();
    writer.write(vec![b'+'; 3000]).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content("/b").await.unwrap(), [b"old".to_vec(), vec![b'+'; 3000]].concat());
    assert!(!is_append_blob(&server, "b"));

    put_append_blob(&server, "c", b"old");
    storage.put_content("/c", "new").await.unwrap();
    assert_eq!(storage.get_content("/c").await.unwrap(), "new");

    put_append_blob(&server, "d", b"old");
    storage.rename("/c", "/d").await.unwrap();
    assert_eq!(storage.get_content("/d").await.unwrap(), "new");
}

/// Names that no path has do no harm, and go with their directory.
#[tokio::test]
async fn foreign_names_are_not_shown_and_deleted_with_what_holds_them() {
    let server = server();
    for name in [
        "d/",
        "d//x",
        "d/a b",
        "d/é\u{1}",
        "d/ x ",
        "d/%41",
        "d/..",
        "d/./y",
        "d/../up",
        "d/q?r#s",
        "d/ok",
        "e",
    ] {
        server.store().put("container", name, Bytes::from_static(b"x"));
    }
    let storage = storage(&server);
    let names: Vec<String> =
        storage.list("/d").await.unwrap().iter().map(|info| info.path().to_string()).collect();
    assert_eq!(names, ["/d/ok"]);
    storage.delete("/d").await.unwrap();
    assert_eq!(server.store().keys("container"), ["e"]);
}

#[tokio::test]
async fn the_layouts_do_not_see_each_other() {
    let server = server();
    let old = storage_with(&server, &[("accountkey", server.key()), ("legacyrootprefix", "true")]);
    server.store().put("container", "/docker/registry/v2/x", Bytes::from_static(b"old"));
    server.store().put("container", "docker/registry/v2/y", Bytes::from_static(b"new"));
    let new = storage(&server);
    for (storage, name) in [(old, "/docker/registry/v2/x"), (new, "/docker/registry/v2/y")] {
        let mut walk = storage.walk("/", WalkOptions::default()).await.unwrap();
        let mut files = Vec::new();
        while let Some(info) = walk.next().await.unwrap() {
            if info.is_file() {
                files.push(info.path().to_string());
            }
        }
        assert_eq!(files, [name]);
        storage.get_content(name).await.unwrap();
        write(&storage, "/docker/z", vec![1; 10]).await;
    }
    assert!(server.store().keys("container").contains(&"/docker/z".to_owned()));
}

#[tokio::test]
async fn accounts_with_directories_are_not_written_to() {
    let server = AzureServer::start(AzureOptions { hierarchical: true, ..AzureOptions::default() }).unwrap();
    let error = storage(&server).put_content("/a", "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(server.store().keys("container").is_empty());
}

/// A container that is not there must not pass for an empty registry.
#[tokio::test]
async fn a_missing_container_is_no_missing_path() {
    let server = server();
    let storage = storage_with(&server, &[("accountkey", server.key()), ("rootdirectory", "")]);
    server.store().remove_bucket("container");
    for error in [
        storage.get_content("/a").await.unwrap_err(),
        storage.stat("/a").await.unwrap_err(),
        storage.list("/").await.unwrap_err(),
        storage.put_content("/a", "x").await.unwrap_err(),
    ] {
        assert!(!error.is_not_found() && error.to_string().contains("container does not exist"), "{error}");
    }
}
