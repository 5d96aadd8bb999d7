//! What `examine` finds out about stores that are as they are said to be, and about others.
#![allow(clippy::unwrap_used)]

use storagedriver::{Outcome, Storage};
use storagedriver_object::testing::MemoryStore;
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};

/// Small parts and pages.
fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.page = 7;
    description
}

async fn findings(description: Description) -> Vec<(String, Outcome, bool)> {
    let store = MemoryStore::new(description);
    let storage = Storage::new(ObjectDriver::new(store.client(), ObjectOptions::default()));
    storage.put_content("/kept", "x").await.unwrap();
    let found = storage.examine("/scratch/place").await.unwrap();
    assert_eq!(store.keys(), ["kept"]);
    assert_eq!(store.open_uploads(), 0);
    found.into_iter().map(|finding| (finding.what, finding.outcome, finding.is_surprise)).collect()
}

fn outcome(found: &[(String, Outcome, bool)], what: &str) -> (Outcome, bool) {
    found.iter().find(|finding| finding.0 == what).map(|finding| (finding.1, finding.2)).unwrap()
}

#[tokio::test]
async fn a_store_that_is_as_stated_has_no_surprise() {
    let found = findings(small()).await;
    assert_eq!(found.len(), 11);
    for (what, outcome, is_surprise) in found {
        assert_eq!((outcome, is_surprise), (Outcome::Yes, false), "{what}");
    }
}

#[tokio::test]
async fn a_store_that_has_more_than_is_stated_is_told_of_and_nothing_is_wrong() {
    let mut description = small();
    description.conditional_put = false;
    description.copy_part = false;
    let store = MemoryStore::new(description);
    let storage = Storage::new(ObjectDriver::new(store.client(), ObjectOptions::default()));
    let found = storage.examine("/scratch").await.unwrap();
    for (what, detail) in [
        ("conditional puts", "the driver does not use it"),
        ("copies of ranges to parts", "the driver does not use it"),
        ("conditional deletes", ""),
    ] {
        let finding = found.iter().find(|finding| finding.what == what).unwrap();
        assert_eq!((finding.outcome, finding.is_surprise), (Outcome::Yes, false), "{what}");
        assert_eq!(finding.detail, detail, "{what}");
    }
}

#[tokio::test]
async fn what_a_store_lacks_is_found() {
    let mut description = small();
    description.same_size_parts = true;
    description.byte_order = false;
    let found = findings(description).await;
    assert_eq!(outcome(&found, "parts of different sizes"), (Outcome::No, false));
    assert_eq!(outcome(&found, "listings in byte order"), (Outcome::No, false));
}
