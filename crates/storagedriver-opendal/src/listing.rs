//! Listings.

use futures_util::{StreamExt, TryStreamExt, stream};
use opendal::options::ListOptions;
use opendal::{Entry, Lister};
use storagedriver_object::{ListRequest, Listed, Object, Page, StoreError, StoreResult};

use crate::backend::{OpenDalBackend, object};
use crate::failure::failure;

/// How many entries are looked at at once, where a listing tells neither size nor time.
const LOOKS: usize = 16;

/// A page of a listing. OpenDAL pages below; what a page does not take of it is not asked for.
pub(crate) async fn page(backend: &OpenDalBackend, request: &ListRequest) -> StoreResult<Page> {
    if backend.review.private {
        return private_page(backend, request).await;
    }
    let ordered = backend.review.description.byte_order;
    let Some(lister) = open(backend, request).await? else { return Ok(Page::default()) };
    let entries = lister.map_err(|error| failure("list", error));
    let names = entries.map_ok(|entry| named(backend, request, entry)).try_buffered(LOOKS);
    let names = names.try_filter_map(|name| std::future::ready(Ok(name))).boxed();
    if ordered && request.delimiter {
        // What is rolled up comes before the rest of its page.
        let mut names: Vec<Listed> = names.try_collect().await?;
        names.sort_by(|one, other| one.key().cmp(other.key()));
        return Page::of_stream(stream::iter(names.into_iter().map(Ok)), request, true).await;
    }
    Page::of_stream(names, request, ordered).await
}

/// `None` if there is no such directory.
async fn open(backend: &OpenDalBackend, request: &ListRequest) -> StoreResult<Option<Lister>> {
    let directory = Some(request.directory()).filter(|directory| !directory.is_empty()).unwrap_or("/");
    let start_after = request.start_after().filter(|_| backend.review.description.byte_order);
    let options = ListOptions {
        recursive: !request.delimiter,
        start_after: start_after.filter(|_| backend.capability.list_with_start_after).map(str::to_owned),
        ..ListOptions::default()
    };
    match backend.operator.lister_options(directory, options).await.map_err(|error| failure("list", error)) {
        Ok(lister) => Ok(Some(lister)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entry as the engine wants it; `None` for the directory that is listed, for directories where all
/// below them is listed too, and for what is gone again.
async fn named(backend: &OpenDalBackend, request: &ListRequest, entry: Entry) -> StoreResult<Option<Listed>> {
    let (key, found) = entry.into_parts();
    if key.ends_with('/') {
        let is_child = request.delimiter && key != request.directory() && key != "/";
        return Ok(is_child.then_some(Listed::Prefix(key)));
    }
    if found.last_modified().is_some() {
        return Ok(Some(Listed::Object(object(&key, &found))));
    }
    match backend.stat(&key).await {
        Ok(found) => Ok(Some(Listed::Object(object(&key, &found)))),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn private_page(backend: &OpenDalBackend, request: &ListRequest) -> StoreResult<Page> {
    let ledger = backend.ledger.open().await;
    let Some(lister) = open(backend, request).await? else { return Ok(Page::default()) };
    let entries: Vec<Entry> = lister.try_collect().await.map_err(|error| failure("list", error))?;
    let mut names = Vec::new();
    for entry in entries {
        match named(backend, request, entry).await? {
            Some(Listed::Object(found)) => {
                let entry = ledger.entry(&found.key);
                let object =
                    Object { modified: entry.modified, version: entry.version, mark: entry.mark, ..found };
                names.push(Listed::Object(object));
            }
            name => names.extend(name),
        }
    }
    names.sort_by(|one, other| one.key().cmp(other.key()));
    Page::of_stream(stream::iter(names.into_iter().map(Ok)), request, true).await
}
