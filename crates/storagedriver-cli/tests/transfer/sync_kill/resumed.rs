//! Killed at random, a copy ends identical, and little is read twice.

use std::collections::BTreeSet;
use std::path::Path;

use storagedriver_cli::registry::{Entry, classify};
use storagedriver_cli::verify::{VerifyOptions, verify};

use super::child::{Copying, recorded};
use super::{TRANSFERS, broken_tags, finish, open, paths, read};
use crate::trees::{Numbers, Registry, write_below};

const KILLS: usize = 20;

struct Tree {
    bytes: u64,
    files: u64,
    largest: u64,
}

/// A registry of about `size` bytes, in blobs of mixed sizes.
fn generate(root: &Path, size: u64) -> Tree {
    let mut tree = Tree { bytes: 0, files: 0, largest: 0 };
    let mut numbers = Numbers::new(7);
    let largest = size / 40;
    // Filled from one block of noise: making all of it anew would take longer than copying it.
    let noise = numbers.bytes(1 << 20);
    let written = std::cell::Cell::new(0);
    let mut registry = Registry::new(|path, content| {
        tree.bytes += content.len() as u64;
        tree.files += 1;
        tree.largest = tree.largest.max(content.len() as u64);
        written.set(tree.bytes);
        write_below(root, path, &content);
    });
    let mut repository = 0;
    while written.get() < size {
        repository += 1;
        let name = format!("team/app-{repository}");
        let mut images = Vec::new();
        for _ in 0..2 {
            let layers: Vec<Vec<u8>> = (0..4)
                .map(|_| {
                    // Most are small, a few make up most of the bytes.
                    let scale = [1000, 20_000, largest / 16, largest][numbers.below(4) as usize];
                    let mut layer = numbers.bytes(16);
                    while (layer.len() as u64) < scale / 2 + numbers.below(scale / 2 + 1) {
                        let rest = (scale as usize).saturating_sub(layer.len()).min(noise.len());
                        layer.extend_from_slice(&noise[..rest]);
                    }
                    layer
                })
                .collect();
            images.push(registry.image(&name, &layers));
        }
        let index = registry.index(&name, &images);
        registry.tag(&name, "1.0", images[0]);
        registry.tag(&name, "latest", index);
    }
    drop(registry);
    tree
}

#[tokio::test]
async fn a_copy_killed_twenty_times_ends_identical() {
    let full = std::env::var("STORAGEDRIVER_FULL").is_ok_and(|value| value == "1");
    let size = if full { 1 << 30 } else { 64 << 20 };
    let directory = tempfile::tempdir().unwrap();
    let (from, to, record) =
        (directory.path().join("from"), directory.path().join("to"), directory.path().join("read"));
    let tree = generate(&from, size);
    let all = paths(&open(&from)).await;
    let blobs = all.iter().filter(|path| matches!(classify(path), Entry::Blob { .. })).count() as u64;
    let links = tree.files - blobs;
    let mut numbers = Numbers::new(u64::from(std::process::id()));
    // Where to kill while blobs are copied: a copy cannot have ended before all bytes were read.
    let cuts: BTreeSet<u64> = (0..KILLS - 5).map(|_| numbers.below(tree.bytes / 100 * 95)).collect();
    let mut kills = 0;
    for cut in cuts {
        let mut copying = Copying::start(&from, &to, &record, false);
        let (_, bytes) = recorded(&record);
        copying.until_read(1, cut.saturating_sub(bytes)).await;
        copying.kill();
        kills += 1;
        assert_eq!(broken_tags(&to).await, Vec::<String>::new());
    }
    // Then while links are written: in each of these runs fewer are read than there are left.
    while kills < KILLS {
        let mut copying = Copying::start(&from, &to, &record, false);
        let chunks = 1 + numbers.below(links / (KILLS as u64 + 1 - kills as u64) / 2);
        copying.until_read(chunks, 0).await;
        copying.kill();
        kills += 1;
        assert_eq!(broken_tags(&to).await, Vec::<String>::new());
    }
    assert_eq!(kills, KILLS);
    Copying::start(&from, &to, &record, false).end();

    assert_eq!(paths(&open(&to)).await, all);
    for path in &all {
        assert!(read(&from, path) == read(&to, path), "{path} differs");
    }
    let read = recorded(&record).1;
    let bound = tree.bytes + (KILLS * TRANSFERS) as u64 * tree.largest;
    assert!(read <= bound, "{read} bytes read of a tree of {}, more than {bound}", tree.bytes);
    println!(
        "{} files, {} bytes, largest {}; {kills} kills, {read} bytes read, bound {bound}",
        tree.files, tree.bytes, tree.largest
    );
    let found = verify(&open(&to), &VerifyOptions::default(), &Default::default()).await.unwrap();
    assert_eq!((found.faults, found.hashed, found.unreferenced), (0, blobs, Some(0)));
    finish(&from, &to).await;
}
