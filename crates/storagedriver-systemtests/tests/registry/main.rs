//! A registry's life on a bucket: Distribution's registry writes through its own S3 driver, our
//! program reads what it wrote, copies it to a directory of files and from there to another
//! place of the bucket, and a second registry serves that copy, byte for byte.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod images;
mod migration;
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use images::{Layout, layer};
use peers::{Registry, argument, ours};
use serde_json::Value;
use storagedriver_systemtests::{GivenStorage, Server};

/// What is pushed, by its name.
fn images(place: &std::path::Path) -> BTreeMap<&'static str, Layout> {
    // The first two share a layer, the third has one that takes several parts, one is empty.
    let [base, small, large, other] =
        [(1, 70_000), (2, 300), (3, 12 << 20), (4, 6 << 20)].map(|(seed, size)| layer(seed, size));
    let image = |name: &str, layers: &[Vec<u8>]| Layout::image(&place.join(name), layers);
    let arm = [base.clone(), large.clone()];
    BTreeMap::from([
        ("team/app:1", image("1", &[base.clone(), small])),
        ("team/app:2", image("2", &[base.clone(), Vec::new()])),
        ("team/app:gone", image("gone", &[base.clone(), layer(5, 1_000)])),
        ("other:large", image("large", &[large])),
        ("other:multi", Layout::index(&place.join("multi"), [("amd64", &[other]), ("arm64", &arm)])),
    ])
}

/// Files by path and size.
type Files = BTreeSet<(String, u64)>;

/// Every file below a storage; those of uploads in progress apart.
fn files(given: &GivenStorage, storage: &str) -> (Files, Files) {
    let walked = ours(given, &["walk", storage]);
    let is_file = |entry: &&Value| entry["kind"] == "file";
    let file = |entry: &Value| (entry["path"].as_str().unwrap().to_owned(), entry["size"].as_u64().unwrap());
    walked.iter().filter(is_file).map(file).partition(|(path, _)| !path.contains("/_uploads/"))
}

/// The last line of what `sync` and `verify` print.
fn summary(lines: &[Value]) -> &Value {
    lines.iter().find(|line| line["event"] == "summary").unwrap()
}

/// The registry serves every image whole, and not the one that was deleted.
fn assert_serves(registry: &Registry, images: &BTreeMap<&str, Layout>, digests: &BTreeMap<&str, Vec<u8>>) {
    for (name, layout) in images.iter().filter(|(name, _)| **name != "team/app:gone") {
        let (repository, _) = name.split_once(':').unwrap();
        assert_eq!(registry.client(&["digest", &registry.name(name)]), digests[name], "{name}");
        for (digest, content) in &layout.blobs {
            let image = registry.name(&format!("{repository}@{digest}"));
            let is_manifest = serde_json::from_slice::<Value>(content)
                .is_ok_and(|json| json.get("schemaVersion").is_some());
            let served = registry.client(&[if is_manifest { "manifest" } else { "blob" }, &image]);
            assert!(served == *content, "{name}: {digest} has {} bytes", served.len());
        }
        registry.client(&["validate", "--fast", "--remote", &registry.name(name)]);
    }
    let tags = String::from_utf8(registry.client(&["ls", &registry.name("team/app")])).unwrap();
    assert_eq!(tags.lines().collect::<BTreeSet<_>>(), BTreeSet::from(["1", "2"]));
    let gone = registry.client_output(&["digest", &registry.name("team/app:gone")]);
    assert!(!gone.status.success(), "the deleted tag is served");
}

/// Begins an upload and leaves it, as a client does that goes away; its path in the storage.
async fn abandon_upload(registry: &Registry) -> String {
    let client = reqwest::Client::new();
    let uploads = format!("http://{}/v2/team/app/blobs/uploads/", registry.address);
    let reply = client.post(uploads).send().await.unwrap();
    assert_eq!(reply.status(), 202);
    let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    let location = header("location");
    let part = layer(9, 6 << 20);
    let patch = client.patch(&location).header("content-type", "application/octet-stream");
    assert_eq!(patch.body(part).send().await.unwrap().status(), 202);
    format!("/docker/registry/v2/repositories/team/app/_uploads/{}/data", header("docker-upload-uuid"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_and_we_on_one_bucket() {
    let given = GivenStorage::from_environment().unwrap();
    let server = Server::new(&given).unwrap();
    let place = tempfile::tempdir().unwrap();
    let [root, copied_root] = ["registry", "copied"].map(|name| format!("{name}-{}", std::process::id()));
    let [bucket, copied] = [&root, &copied_root].map(|root| argument(&given, root));
    let directory = format!("filesystem:rootdirectory={}", place.path().join("tree").display());

    // It writes.
    let registry = Registry::start(&given, &root, place.path());
    let images = images(place.path());
    for (name, layout) in &images {
        let mut push = vec!["push", layout.path()];
        push.extend((*name == "other:multi").then_some("--index"));
        let name = registry.name(name);
        push.push(&name);
        registry.client(&push);
    }
    registry.client(&["delete", &registry.name("team/app:gone")]);
    let digest = |name: &&'static str| (*name, registry.client(&["digest", &registry.name(name)]));
    let digests: BTreeMap<&str, Vec<u8>> =
        images.keys().filter(|name| **name != "team/app:gone").map(digest).collect();
    assert_serves(&registry, &images, &digests);
    let abandoned = abandon_upload(&registry).await;

    // We read.
    let (tree, in_progress) = files(&given, &bucket);
    let keys = server.keys(&format!("{root}/")).await.unwrap();
    let paths = |files: &Files| -> BTreeSet<String> {
        files.iter().map(|(path, _)| format!("{root}{path}")).collect()
    };
    let walked: BTreeSet<String> = paths(&tree).union(&paths(&in_progress)).cloned().collect();
    assert_eq!(walked, keys.into_iter().collect(), "the walk and the server's own listing");
    let listed = ours(&given, &["ls", &bucket, "/docker/registry/v2/repositories"]);
    let names: Vec<&str> = listed.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["other", "team"].map(|name| format!("/docker/registry/v2/repositories/{name}")));
    // A registry's upload could still be in use until it is an hour old.
    assert_eq!(ours(&given, &["uploads", &bucket]), [Value::Null; 0]);
    let reaper = given.open_without_writers(&root).unwrap();
    let uploads = reaper.uploads("/").await.unwrap();
    assert_eq!(uploads.iter().map(|upload| upload.path().as_str()).collect::<Vec<_>>(), [&abandoned]);
    let verified = ours(&given, &["verify", &bucket]);
    assert_eq!(summary(&verified)["faults"], 0, "{verified:?}");
    let blobs = tree.iter().filter(|(path, _)| path.starts_with("/docker/registry/v2/blobs/")).count();
    assert_eq!(summary(&verified)["blobs"], blobs, "{verified:?}");

    // We copy: to files, and from there to another place of the bucket.
    for (from, to) in [(&bucket, &directory), (&directory, &copied)] {
        let synced = ours(&given, &["sync", from, to, "--verify"]);
        assert_eq!(summary(&synced)["faults"], 0, "{synced:?}");
        assert_eq!(summary(&synced)["copied"], tree.len(), "{synced:?}");
        let (copy, uploads) = files(&given, to);
        assert_eq!(copy, tree, "{to}");
        assert_eq!(uploads, BTreeSet::new(), "{to}");
        let again = ours(&given, &["verify", to]);
        assert_eq!(summary(&again), summary(&verified), "{to}");
        let difference = ours(&given, &["sync", from, to, "--dry-run"]);
        assert_eq!(summary(&difference)["copied"], 0, "{difference:?}");
    }
    assert_eq!(server.open_uploads(&format!("{copied_root}/")).await.unwrap(), [], "left by sync");

    // What the registry's client left is cleared away, and nothing else.
    reaper.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!(server.open_uploads(&format!("{root}/")).await.unwrap(), [], "after abort_stale");
    assert_eq!(files(&given, &bucket), (tree, in_progress));
    assert_serves(&registry, &images, &digests);

    // Another registry serves the copy, and goes on with it.
    let second = Registry::start(&given, &copied_root, place.path());
    assert_serves(&second, &images, &digests);
    let more = Layout::image(&place.path().join("more"), &[layer(1, 70_000), layer(6, 7 << 20)]);
    second.client(&["push", more.path(), &second.name("team/app:more")]);
    let verified = ours(&given, &["verify", &copied]);
    assert_eq!(summary(&verified)["faults"], 0, "{verified:?}");
    let path = "/docker/registry/v2/repositories/team/app/_manifests/tags/more/current/link";
    assert_eq!(ours(&given, &["stat", &copied, path])[0]["kind"], "file");
}
