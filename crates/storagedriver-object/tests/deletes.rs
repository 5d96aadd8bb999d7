//! What a delete takes with it, what it leaves, and what it asks the store for.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use bytes::Bytes;
use storagedriver::Storage;
use storagedriver_object::testing::{Control, Lie, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions, ObjectStoreBackend, PutOptions};

const PAGES: std::ops::Range<usize> = 1..14;

fn paged(page: usize) -> Description {
    let mut description = Description::FULL;
    description.page = page;
    description.delete_batch = 3;
    description
}

fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    (Storage::new(ObjectDriver::new(backend, ObjectOptions::default())), control)
}

/// What may stand at and around the path `/a`: how many names of each kind.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// Whether there is a file `a`.
    own: bool,
    /// Between `a` and `a/`: `a-…` and `a.…`.
    before: usize,
    below: usize,
    /// After all of `a/`: `a0…`.
    behind: usize,
}

impl Around {
    fn all() -> impl Iterator<Item = Around> {
        let counts = [0, 1, 2, 5, 9];
        [false, true].into_iter().flat_map(move |own| {
            counts.into_iter().flat_map(move |before| {
                counts.into_iter().flat_map(move |below| {
                    [0, 1, 9].into_iter().map(move |behind| Around { own, before, below, behind })
                })
            })
        })
    }

    fn there(self) -> Vec<String> {
        let own = self.own.then(|| "a".to_owned());
        own.into_iter().chain((0..self.below).map(|place| format!("a/{place}"))).collect()
    }

    /// In the order of their bytes.
    fn beside(self) -> Vec<String> {
        let mark = |place: usize| if place.is_multiple_of(2) { '-' } else { '.' };
        let mut keys: Vec<String> =
            (0..self.before).map(|place| format!("a{}{place}", mark(place))).collect();
        keys.sort();
        let behind = (0..self.behind).map(|place| format!("a0{place}"));
        [vec!["A".to_owned()], keys, behind.collect(), vec!["b".to_owned()]].concat()
    }

    async fn store(self, description: Description) -> MemoryStore {
        let store = MemoryStore::new(description);
        let backend = store.client();
        for key in self.there().iter().chain(&self.beside()) {
            backend.put(key, Bytes::from_static(b"x"), &PutOptions::default()).await.unwrap();
        }
        store
    }

    /// Deletes `/a`; how many requests that took.
    async fn delete(self, description: Description, lie: Option<Lie>, step: &str) -> usize {
        let store = self.store(description).await;
        let (storage, control) = open(&store);
        if let Some(lie) = lie {
            control.lie(lie);
        }
        let deleted = storage.delete("/a").await;
        let requests = control.count();
        if self.there().is_empty() {
            assert!(deleted.unwrap_err().is_not_found(), "{step}: {self:?}");
        } else {
            deleted.unwrap();
        }
        assert_eq!(store.keys(), self.beside(), "{step}: {self:?}");
        requests
    }

    /// Names, pages and batches as they are asked for one by one: the file itself, what is below it, the
    /// open uploads, the sessions.
    fn one_by_one(self, description: &Description) -> usize {
        let pages = self.below.div_ceil(description.page).max(1);
        1 + pages + self.there().len().div_ceil(description.delete_batch) + 2
    }
}

#[tokio::test]
async fn siblings_stay_wherever_a_page_ends_and_no_request_is_made_that_the_file_itself_would_take() {
    for page in PAGES {
        for around in Around::all() {
            let most = around.one_by_one(&paged(page));
            let requests = around.delete(paged(page), None, &format!("pages of {page}")).await;
            assert!(requests <= most, "{requests} of {most}, pages of {page}: {around:?}");
            let one_page = around.there().len() + around.before + around.behind <= page;
            assert!(!one_page || requests < most, "{requests} of {most}, pages of {page}: {around:?}");
        }
    }
}

#[tokio::test]
async fn a_start_that_is_ignored_takes_no_sibling() {
    for page in PAGES {
        for around in Around::all() {
            let most = around.one_by_one(&paged(page));
            let step = format!("pages of {page}, the start ignored");
            let requests = around.delete(paged(page), Some(Lie::IgnoredStart), &step).await;
            assert!(requests <= most, "{requests} of {most}, {step}: {around:?}");
        }
    }
}

#[tokio::test]
async fn a_store_without_order_or_with_late_listings_is_asked_for_the_file_itself() {
    for page in [1, 2, 3, 7] {
        let (mut unordered, mut markers, mut late) = (paged(page), paged(page), paged(page));
        (unordered.byte_order, unordered.start_after) = (false, false);
        markers.start_after = false;
        late.consistent_listings = false;
        for (kind, description) in [("no order", unordered), ("markers only", markers), ("late", late)] {
            for around in Around::all() {
                let most = around.one_by_one(&description);
                let step = format!("pages of {page}, {kind}");
                assert_eq!(around.delete(description.clone(), None, &step).await, most, "{step}: {around:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_listing_does_not_show_yet_is_deleted_where_listings_are_late() {
    let mut description = paged(5);
    description.consistent_listings = false;
    let store = MemoryStore::new(description);
    let (storage, control) = open(&store);
    storage.put_content("/a", "x").await.unwrap();
    storage.put_content("/a-b", "x").await.unwrap();
    control.lie(Lie::Late);
    storage.delete("/a").await.unwrap();
    assert_eq!(store.keys(), ["a-b"]);
}
