//! `verify`: it finds each fault, and none in a good tree.

mod meanwhile;

use std::sync::{Arc, Mutex};

use storagedriver::{Storage, WalkKey};
use storagedriver_cli::registry::{Algorithm, Digest, Entry, Fault, FaultKind, blob_path, classify};
use storagedriver_cli::transfer::{Event, Monitor};
use storagedriver_cli::verify::{VerifyOptions, VerifySummary, verify};
use storagedriver_inmemory::InMemory;

use crate::trees::{Files, Registry, fill, image_manifest, small_registry};

fn options(change: impl FnOnce(&mut VerifyOptions)) -> VerifyOptions {
    let mut options = VerifyOptions::default();
    change(&mut options);
    options
}

async fn memory_with(files: &Files) -> Storage {
    let storage = Storage::new(InMemory::new());
    fill(&storage, files).await;
    storage
}

async fn check_with(files: &Files, options: &VerifyOptions) -> (VerifySummary, Vec<Fault>) {
    check_storage(&memory_with(files).await, options).await
}

async fn check_storage(storage: &Storage, options: &VerifyOptions) -> (VerifySummary, Vec<Fault>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let monitor = Arc::new(Monitor::new(move |event: &Event| {
        if let Event::Fault(fault) = event {
            sink.lock().unwrap().push(fault.clone());
        }
    }));
    let summary = verify(storage, options, &monitor).await.unwrap();
    let mut faults = std::mem::take(&mut *seen.lock().unwrap());
    faults.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    assert_eq!(summary.faults, faults.len() as u64);
    (summary, faults)
}

async fn check(files: &Files) -> (VerifySummary, Vec<Fault>) {
    check_with(files, &VerifyOptions::default()).await
}

/// The one fault of a tree.
async fn only_fault(files: &Files) -> Fault {
    let (_, faults) = check(files).await;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].clone()
}

fn first(files: &Files, is: impl Fn(&Entry) -> bool) -> (String, Entry) {
    files.keys().map(|path| (path.clone(), classify(path))).find(|(_, entry)| is(entry)).unwrap()
}

/// The layer of 70,000 bytes, and the link to it in one repository.
fn layer(files: &Files) -> (Digest, String) {
    files
        .keys()
        .find_map(|path| match classify(path) {
            Entry::LayerLink { digest, .. } if files[&blob_path(&digest)].len() == 70_000 => {
                Some((digest, path.clone()))
            }
            _ => None,
        })
        .unwrap()
}

#[tokio::test]
async fn nothing_is_wrong_with_a_good_tree() {
    let files = small_registry();
    let (summary, faults) = check(&files).await;
    assert!(faults.is_empty(), "{faults:#?}");
    let blobs: Vec<u64> = files
        .iter()
        .filter(|(path, _)| matches!(classify(path), Entry::Blob { .. }))
        .map(|(_, content)| content.len() as u64)
        .collect();
    assert_eq!(summary.blobs, blobs.len() as u64);
    assert_eq!((summary.hashed, summary.hashed_bytes), (summary.blobs, blobs.iter().sum()));
    assert_eq!(summary.links, files.keys().filter(|path| path.ends_with("/link")).count() as u64);
    assert_eq!(summary.manifests, 13);
    assert_eq!(summary.unreferenced, Some(0));
    let (summary, faults) = check(&Files::new()).await;
    assert_eq!((summary.blobs, summary.unreferenced, faults.len()), (0, Some(0), 0));
}

#[tokio::test]
async fn a_flipped_byte_is_found() {
    let mut files = small_registry();
    let path = blob_path(&layer(&files).0);
    let mut bytes = files[&path].to_vec();
    bytes[69_999] ^= 0x80;
    files.insert(path.clone(), bytes.into());
    let fault = only_fault(&files).await;
    assert_eq!((fault.kind, fault.path), (FaultKind::CorruptBlob, path));
}

#[tokio::test]
async fn a_flipped_byte_of_a_manifest_is_found_once() {
    let mut files = small_registry();
    let (_, entry) = first(&files, |entry| matches!(entry, Entry::RevisionLink { .. }));
    let path = blob_path(&entry.digest().unwrap());
    let mut bytes = files[&path].to_vec();
    bytes[0] ^= 1;
    files.insert(path.clone(), bytes.into());
    let fault = only_fault(&files).await;
    assert_eq!((fault.kind, fault.path), (FaultKind::CorruptBlob, path.clone()));
    // Also when no blob is read for its own sake.
    let (summary, faults) = check_with(&files, &options(|options| options.links_only = true)).await;
    assert_eq!((faults.len(), faults[0].kind, &faults[0].path), (1, FaultKind::CorruptBlob, &path));
    // What the manifest refers to is not known.
    assert_eq!(summary.unreferenced, None);
}

#[tokio::test]
async fn an_empty_link_is_found() {
    for is in [
        |entry: &Entry| matches!(entry, Entry::LayerLink { .. }),
        |entry: &Entry| matches!(entry, Entry::RevisionLink { .. }),
        |entry: &Entry| matches!(entry, Entry::TagIndex { .. }),
        |entry: &Entry| matches!(entry, Entry::TagCurrent { .. }),
    ] {
        let mut files = small_registry();
        let (path, _) = first(&files, is);
        files.insert(path.clone(), "".into());
        let fault = only_fault(&files).await;
        assert_eq!((fault.kind, fault.path), (FaultKind::EmptyLink, path));
    }
}

#[tokio::test]
async fn a_link_that_says_something_else_is_found() {
    let mut files = small_registry();
    let (path, _) = first(&files, |entry| matches!(entry, Entry::LayerLink { .. }));
    for wrong in ["sha256:12", &Digest::of(Algorithm::Sha256, b"other").to_string(), &"x".repeat(9999)] {
        files.insert(path.clone(), wrong.to_owned().into());
        let fault = only_fault(&files).await;
        assert_eq!((fault.kind, &fault.path), (FaultKind::WrongLink, &path));
    }
}

#[tokio::test]
async fn a_link_without_its_blob_is_found() {
    let mut files = small_registry();
    let digest = Digest::of(Algorithm::Sha256, b"nowhere");
    let entry = Entry::LayerLink { repository: "team/app".to_owned(), digest };
    files.insert(entry.path().unwrap(), digest.to_string().into());
    let fault = only_fault(&files).await;
    assert_eq!((fault.kind, fault.path), (FaultKind::MissingBlob, entry.path().unwrap()));
}

#[tokio::test]
async fn a_revision_without_its_blob_is_found() {
    let mut files = Files::new();
    let image = Registry::of(&mut files).image("a", &[]);
    files.remove(&blob_path(&image));
    let fault = only_fault(&files).await;
    assert_eq!(fault.kind, FaultKind::MissingBlob);
    assert!(matches!(classify(&fault.path), Entry::RevisionLink { .. }));
}

#[tokio::test]
async fn a_manifest_with_a_missing_layer_is_found() {
    let mut files = small_registry();
    let (digest, _) = layer(&files);
    files.remove(&blob_path(&digest));
    let (_, faults) = check(&files).await;
    let kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.kind).collect();
    // The repository's link to the layer, and its manifest.
    assert_eq!(kinds, [FaultKind::MissingBlob, FaultKind::MissingReference], "{faults:#?}");
    assert!(faults[1].detail.contains(&digest.to_string()));
}

#[tokio::test]
async fn a_layer_that_the_repository_has_no_link_to_is_found() {
    let mut files = small_registry();
    let (digest, link) = layer(&files);
    files.remove(&link);
    let fault = only_fault(&files).await;
    assert_eq!(fault.kind, FaultKind::UnlinkedReference);
    assert!(fault.detail.contains(&digest.to_string()));
}

#[tokio::test]
async fn a_missing_child_of_an_index_is_found() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let (a, b) = (registry.image("r", &[b"a".to_vec()]), registry.image("r", &[b"b".to_vec()]));
    registry.index("r", &[a, b]);
    drop(registry);
    assert_eq!(check(&files).await.1, []);
    let revision = Entry::RevisionLink { repository: "r".to_owned(), digest: a }.path().unwrap();
    let mut unlinked = files.clone();
    unlinked.remove(&revision);
    assert_eq!(only_fault(&unlinked).await.kind, FaultKind::UnlinkedReference);
    // Registries before 2.1 linked manifests as layers.
    let layer = Entry::LayerLink { repository: "r".to_owned(), digest: a }.path().unwrap();
    unlinked.insert(layer, a.to_string().into());
    assert_eq!(check(&unlinked).await.1, []);
    files.remove(&revision);
    files.remove(&blob_path(&a));
    assert_eq!(only_fault(&files).await.kind, FaultKind::MissingReference);
}

#[tokio::test]
async fn a_tag_without_its_revision_is_found() {
    let mut files = small_registry();
    let (path, _) = first(&files, |entry| matches!(entry, Entry::TagCurrent { tag, .. } if tag == "latest"));
    let digest: Digest = String::from_utf8(files[&path].to_vec()).unwrap().parse().unwrap();
    let Entry::TagCurrent { repository, .. } = classify(&path) else { panic!("not a tag") };
    files.remove(&Entry::RevisionLink { repository, digest }.path().unwrap());
    let fault = only_fault(&files).await;
    assert_eq!((fault.kind, fault.path), (FaultKind::MissingRevision, path));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_found() {
    for content in ["{}".to_owned(), "not JSON".to_owned(), " ".repeat(5 << 20)] {
        let mut files = Files::new();
        Registry::of(&mut files).manifest("a", content);
        let (summary, faults) = check(&files).await;
        assert_eq!(
            faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(),
            [FaultKind::UnreadableManifest]
        );
        assert_eq!(summary.unreferenced, None);
    }
}

#[tokio::test]
async fn foreign_layers_and_subjects_need_not_be_there() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let config = registry.layer("a", "{}");
    let absent = Digest::of(Algorithm::Sha256, b"elsewhere").to_string();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": { "digest": config.to_string() },
        "subject": { "digest": absent },
        "layers": [{
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "digest": absent, "urls": ["https://elsewhere.example/"],
        }],
    });
    registry.manifest("a", manifest.to_string());
    drop(registry);
    assert_eq!(check(&files).await.1, []);
    // Somebody pushed it all the same: the manifest refers to it.
    Registry::of(&mut files).blob("elsewhere");
    let (summary, faults) = check(&files).await;
    assert_eq!((summary.unreferenced, faults.len()), (Some(0), 0));
}

#[tokio::test]
async fn signatures_of_old_manifests_are_followed() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let layer = registry.layer("a", "layer");
    let old = serde_json::json!({ "schemaVersion": 1, "fsLayers": [{ "blobSum": layer.to_string() }] });
    let revision = registry.manifest("a", old.to_string());
    let digest = registry.blob("signature");
    let entry = Entry::SignatureLink { repository: "a".to_owned(), revision, digest };
    registry.entry(&entry, digest.to_string());
    drop(registry);
    let (summary, faults) = check(&files).await;
    assert_eq!((summary.unreferenced, summary.links, faults.len()), (Some(0), 3, 0));
    files.remove(&blob_path(&digest));
    let fault = only_fault(&files).await;
    assert_eq!((fault.kind, fault.path), (FaultKind::MissingBlob, entry.path().unwrap()));
}

#[tokio::test]
async fn unreferenced_blobs_are_counted_and_no_fault() {
    let mut files = small_registry();
    let mut registry = Registry::of(&mut files);
    registry.blob("nothing links to it");
    // An upload that ended without its manifest: linked, but no manifest refers to it.
    registry.layer("team/app", "only linked");
    let referenced = registry.layer("team/app", "referred to, twice");
    registry.manifest("team/app", image_manifest(referenced, &[]));
    registry.manifest("team/app", image_manifest(referenced, &[referenced]));
    drop(registry);
    let (summary, faults) = check(&files).await;
    assert_eq!((summary.unreferenced, faults.len()), (Some(2), 0));
    let (summary, _) = check_with(&files, &options(|options| options.links_only = true)).await;
    assert_eq!((summary.unreferenced, summary.hashed), (Some(2), 0));
}

#[tokio::test]
async fn a_run_is_taken_up_after_a_key() {
    let mut files = small_registry();
    let (blobs, links): (Vec<_>, Vec<_>) = files
        .keys()
        .filter(|path| !matches!(classify(path), Entry::Other | Entry::Upload { .. }))
        .cloned()
        .partition(|path| matches!(classify(path), Entry::Blob { .. }));
    for path in [&blobs[3], &blobs[10], &links[2], &links[20]] {
        files.insert(path.clone(), "wrong".into());
    }
    let after = |path: &str| {
        let key: WalkKey = path.parse().unwrap();
        options(|options| options.start_after = Some(key))
    };
    let (all, faults) = check(&files).await;
    // A link is a fault itself; whatever else comes of the blobs is counted with them.
    assert!(faults.len() >= 4, "{faults:#?}");
    let (rest, _) = check_with(&files, &after(&blobs[3])).await;
    assert_eq!((rest.blobs, rest.links), (all.blobs - 4, all.links));
    assert_eq!(rest.faults, all.faults - 1);
    assert_eq!(rest.unreferenced, None);
    let (rest, _) = check_with(&files, &after(&links[2])).await;
    assert_eq!((rest.blobs, rest.links), (0, all.links - 3));
    let (rest, _) = check_with(&files, &after(links.last().unwrap())).await;
    assert_eq!((rest.blobs, rest.links, rest.faults), (0, 0, 0));
}

#[tokio::test]
async fn a_sample_is_a_part_that_the_seed_chooses() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    for number in 0..400 {
        registry.blob(format!("{number}"));
    }
    drop(registry);
    let hashed = async |sample, seed| {
        let (summary, _) = check_with(
            &files,
            &options(|options| {
                options.sample = sample;
                options.seed = seed;
            }),
        )
        .await;
        assert_eq!(summary.blobs, 400);
        summary.hashed
    };
    assert_eq!((hashed(0.0, 1).await, hashed(1.0, 1).await), (0, 400));
    let (a, b) = (hashed(0.25, 1).await, hashed(0.25, 2).await);
    assert!((50..150).contains(&a) && (50..150).contains(&b), "{a} {b}");
    // Another seed chooses other blobs: a flipped byte is found by one of a few runs.
    let corrupt = files.keys().next().unwrap().clone();
    files.insert(corrupt, "corrupt".into());
    let mut found = 0;
    for seed in 0..40 {
        let half = options(|options| {
            options.sample = 0.5;
            options.seed = seed;
        });
        found += check_with(&files, &half).await.1.len();
    }
    assert!((5..35).contains(&found), "{found} of 40");
    let storage = Storage::new(InMemory::new());
    for bad in [-0.1, 1.1, f64::NAN] {
        let wrong = options(|options| options.sample = bad);
        assert!(verify(&storage, &wrong, &Default::default()).await.is_err());
    }
}
