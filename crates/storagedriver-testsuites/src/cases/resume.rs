//! Walks that start at a place.

use storagedriver::{StoragePath, WalkKey, WalkOptions};

use crate::fixture::{Fixture, ORDERS, expected_walk, in_order, put_all, tree, walk_from, walk_keys};
use crate::{Checked, ensure_eq};

pub(super) async fn after_each_entry(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        let entries = walk_from(storage, "/", in_order(order)).await?;
        let keys: Vec<String> = entries.iter().map(|info| info.key().to_string()).collect();
        for (place, info) in entries.iter().enumerate() {
            let rest = walk_keys(storage, "/", in_order(order).after(info.key())).await?;
            ensure_eq!(Some(&rest[..]), keys.get(place + 1..), "the walk after {}, {order:?}", info.key());
        }
    }
    Ok(())
}

pub(super) async fn after_every_place(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    // Files that are there, are not, lie between, before and after all others; as a file, as a
    // directory, and past everything below.
    let mut places: Vec<String> = tree().iter().map(|path| (*path).to_owned()).collect();
    places.extend(
        [
            "/", "/-", "/0", "/a", "/a/", "/a/b", "/a/a", "/a/b/", "/a/b/a", "/a/b/zz", "/a/bc/d", "/a-",
            "/zz", "/b",
        ]
        .iter()
        .map(|path| path.trim_end_matches('/').to_owned()),
    );
    for order in ORDERS {
        for place in &places {
            let path = StoragePath::parse(if place.is_empty() { "/" } else { place })?;
            for key in [WalkKey::file(&path), WalkKey::directory(&path), WalkKey::after_subtree(&path)] {
                let options = in_order(order).after(key.clone());
                let wanted = expected_walk(&tree(), "/", &options)?;
                ensure_eq!(
                    walk_keys(storage, "/", options).await?,
                    wanted,
                    "the walk after {key}, {order:?}"
                );
            }
        }
    }
    Ok(())
}

pub(super) async fn after_places_outside_the_start(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        for start in ["/a", "/a/b", "/b"] {
            for place in
                ["/-", "/a", "/a-b", "/a.b", "/a/0", "/a/b-c/d", "/a/bc/d/e/f", "/a0", "/b", "/b/b", "/zz"]
            {
                let path = StoragePath::parse(place)?;
                for key in [WalkKey::file(&path), WalkKey::directory(&path), WalkKey::after_subtree(&path)] {
                    let options = in_order(order).after(key.clone());
                    let wanted = expected_walk(&tree(), start, &options)?;
                    let found = walk_keys(storage, start, options).await?;
                    ensure_eq!(found, wanted, "the walk of {start} after {key}, {order:?}");
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn after_a_subtree(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &["/d/a/x", "/d/a/y/z", "/d/a-b", "/d/a.b/c", "/d/a0", "/d/b"]).await?;
    let after = WalkKey::after_subtree(&StoragePath::parse("/d/a")?);
    let keys = walk_keys(storage, "/d", WalkOptions::new().after(after.clone())).await?;
    ensure_eq!(keys, ["/d/a0", "/d/b"], "in key order");
    let tree = walk_keys(storage, "/d", WalkOptions::tree().after(after)).await?;
    ensure_eq!(tree, ["/d/a-b", "/d/a.b/", "/d/a.b/c", "/d/a0", "/d/b"], "in tree order");
    Ok(())
}

pub(super) async fn page_by_page_adds_up(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    put_all(storage, &tree()).await?;
    for order in ORDERS {
        let whole = expected_walk(&tree(), "/", &in_order(order))?;
        for page in [1, 2, 3, 5, whole.len(), whole.len() + 1] {
            let mut keys: Vec<String> = Vec::new();
            let mut options = in_order(order);
            loop {
                let mut walk = storage.walk("/", options.clone()).await?;
                let before = keys.len();
                while keys.len() < before + page
                    && let Some(info) = walk.next().await?
                {
                    keys.push(info.key().to_string());
                    options = in_order(order).after(info.key());
                }
                if keys.len() == before {
                    break;
                }
            }
            ensure_eq!(keys, whole, "the pages of {page}, {order:?}");
        }
    }
    Ok(())
}
