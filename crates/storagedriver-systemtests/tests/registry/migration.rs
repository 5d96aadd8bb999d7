//! What `docs/migration.md` tells: a registry moves from files to the bucket while it serves, and back.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use storagedriver_systemtests::GivenStorage;

use super::images::{Layout, layer};
use super::peers::{Registry, Writes, argument, on_bucket, ours};
use super::summary;

/// How many images are pushed one after another while the first copy runs.
const PUSHES: u64 = 8;

/// What the registry answers for each image, by its name.
type Digests = BTreeMap<String, Vec<u8>>;

fn push(registry: &Registry, place: &Path, name: &str, seed: u64) {
    let image =
        Layout::image(&place.join(name.replace(['/', ':'], "-")), &[layer(seed, 300_000), layer(1, 50_000)]);
    registry.client(&["push", image.path(), &registry.name(name)]);
}

fn digests(registry: &Registry, names: &[String]) -> Digests {
    names.iter().map(|name| (name.clone(), registry.client(&["digest", &registry.name(name)]))).collect()
}

/// The registry serves these images, whole.
fn assert_serves(registry: &Registry, digests: &Digests) {
    for (name, digest) in digests {
        assert_eq!(registry.client(&["digest", &registry.name(name)]), *digest, "{name}");
        registry.client(&["validate", "--fast", "--remote", &registry.name(name)]);
    }
}

/// With the writing stopped: the rest is copied with the deletions, nothing is left to copy, and the
/// copy is whole.
fn finish(given: &GivenStorage, from: &str, to: &str) {
    let last = ours(given, &["sync", from, to, "--delete"]);
    assert_eq!(summary(&last)["faults"], 0, "{last:?}");
    // Ends with 0 only if no copy and no deletion would be needed.
    let dry = ours(given, &["sync", from, to, "--delete", "--dry-run"]);
    assert_eq!(summary(&dry)["copied"], 0, "{dry:?}");
    let (old, new) = (ours(given, &["verify", from]), ours(given, &["verify", to]));
    assert_eq!(summary(&new)["faults"], 0, "{new:?}");
    assert_eq!(summary(&new), summary(&old));
}

#[test]
fn a_registry_moves_to_the_bucket_while_it_serves_and_back() {
    let given = GivenStorage::from_environment().unwrap();
    let place = tempfile::tempdir().unwrap();
    let (place, root) = (place.path(), format!("moved-{}", std::process::id()));
    let tree = place.join("tree");
    let on_files = format!("  filesystem:\n    rootdirectory: {}\n", tree.display());
    let (files, bucket) = (format!("filesystem:rootdirectory={}", tree.display()), argument(&given, &root));

    // Copied while it serves and is pushed to.
    let registry = Registry::serve(&on_files, Writes::Allowed, place);
    let name = |number: u64| format!("shop/job:{number}");
    push(&registry, place, &name(0), 100);
    std::thread::scope(|scope| {
        let pushes = scope
            .spawn(|| (1..=PUSHES).for_each(|number| push(&registry, place, &name(number), 100 + number)));
        let mut runs = 0;
        while !pushes.is_finished() || runs == 0 {
            let copied = ours(&given, &["sync", &files, &bucket]);
            assert_eq!(summary(&copied)["faults"], 0, "{copied:?}");
            // What is there is whole at every instant.
            let verified = ours(&given, &["verify", &bucket]);
            assert_eq!(summary(&verified)["faults"], 0, "{verified:?}");
            runs += 1;
        }
        pushes.join().unwrap();
    });
    // After the last run before the cut-over: a tag moves, another goes.
    push(&registry, place, &name(1), 200);
    let gone = registry.client(&["digest", "--full-ref", &registry.name(&name(2))]);
    registry.client(&["delete", String::from_utf8(gone).unwrap().trim()]);

    // The cut-over.
    drop(registry);
    let registry = Registry::serve(&on_files, Writes::Refused, place);
    let late = Layout::image(&place.join("late"), &[layer(300, 1_000)]);
    let refused = registry.client_output(&["push", late.path(), &registry.name("shop/late:1")]);
    assert!(!refused.status.success(), "a registry that is read-only took a push");
    let names: Vec<String> = (0..=PUSHES).filter(|number| *number != 2).map(name).collect();
    let digests = digests(&registry, &names);
    finish(&given, &files, &bucket);
    drop(registry);

    // On the bucket.
    let registry = Registry::serve(&on_bucket(&given, &root), Writes::Allowed, place);
    assert_serves(&registry, &digests);
    let gone = registry.client_output(&["digest", &registry.name(&name(2))]);
    assert!(!gone.status.success(), "what was deleted before the cut-over is served");
    registry.client(&["push", late.path(), &registry.name("shop/late:1")]);
    let late = registry.client(&["digest", &registry.name("shop/late:1")]);

    // And back.
    let copied = ours(&given, &["sync", &bucket, &files]);
    assert!(summary(&copied)["copied"].as_u64() > Some(0), "{copied:?}");
    drop(registry);
    let registry = Registry::serve(&on_bucket(&given, &root), Writes::Refused, place);
    finish(&given, &bucket, &files);
    drop(registry);
    let registry = Registry::serve(&on_files, Writes::Allowed, place);
    assert_serves(&registry, &digests);
    assert_serves(&registry, &Digests::from([("shop/late:1".to_owned(), late)]));
    push(&registry, place, "shop/again:1", 400);
    let verified: Vec<Value> = ours(&given, &["verify", &files]);
    assert_eq!(summary(&verified)["faults"], 0, "{verified:?}");
}
