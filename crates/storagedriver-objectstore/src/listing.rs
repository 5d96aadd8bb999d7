//! Listings.

use std::time::SystemTime;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use storagedriver::Version;
use storagedriver_object::{ListRequest, Listed, Object, Page, StoreResult};

use crate::backend::path;
use crate::failure::failure;

/// An object as the store tells of it.
pub(crate) fn object(meta: ObjectMeta, mark: Option<String>) -> Object {
    let modified: SystemTime = meta.last_modified.into();
    Object { key: meta.location.to_string(), size: meta.size, modified, version: version(&meta), mark }
}

/// What names this state of an object: the ETag, else the store's version, else time and size.
fn version(meta: &ObjectMeta) -> Version {
    let told = meta.e_tag.clone().or_else(|| meta.version.clone());
    let made_up = || format!("~{:x}-{:x}", meta.last_modified.timestamp_micros(), meta.size);
    Version::new(told.unwrap_or_else(made_up))
}

/// Whether the store knows nothing of this version: no ETag begins like it.
pub(crate) fn is_made_up(version: &Version) -> bool {
    version.as_str().starts_with('~')
}

/// A page of a listing. The client pages below; what a page does not take of it is not asked for.
pub(crate) async fn page(store: &dyn ObjectStore, request: &ListRequest, ordered: bool) -> StoreResult<Page> {
    let directory = request.directory().trim_end_matches('/');
    let below = if directory.is_empty() { None } else { Some(path(directory)?) };
    if request.delimiter {
        return Page::of_stream(stream::iter(children(store, below.as_ref()).await?), request, ordered).await;
    }
    let objects: BoxStream<'static, _> = match request.start_after().filter(|_| ordered) {
        // A place in a listing need not be a path: what has none is left out from the front.
        Some(after) => match Path::parse(after) {
            Ok(after) => store.list_with_offset(below.as_ref(), &after),
            Err(_) => store.list(below.as_ref()),
        },
        None => store.list(below.as_ref()),
    };
    let names = objects.map_ok(|meta| Listed::Object(object(meta, None)));
    Page::of_stream(names.map_err(|error| failure("list", error)).boxed(), request, ordered).await
}

async fn children(store: &dyn ObjectStore, below: Option<&Path>) -> StoreResult<Vec<StoreResult<Listed>>> {
    let found = store.list_with_delimiter(below).await.map_err(|error| failure("list", error))?;
    let objects = found.objects.into_iter().map(|meta| Listed::Object(object(meta, None)));
    let prefixes = found.common_prefixes.into_iter().map(|prefix| Listed::Prefix(format!("{prefix}/")));
    let mut names: Vec<Listed> = objects.chain(prefixes).collect();
    names.sort_by(|one, other| one.key().cmp(other.key()));
    Ok(names.into_iter().map(Ok).collect())
}
