//! Pages of names.

use bytes::Bytes;
use storagedriver_object::http::{Method, Refusal};
use storagedriver_object::{Cursor, ListRequest, Page, StoreError, StoreResult};

use crate::blob::listed;
use crate::client::Client;
use crate::service::{VERSION, VERSION_HEADER};
use crate::xml::{self, Listing};

/// More than 5000 names of the longest kind take.
const LIMIT: usize = 64 << 20;
/// The first version of the interface in which a listing can start at a name.
const START_FROM_VERSION: &str = "2026-02-06";

pub(crate) async fn page(client: &Client, request: &ListRequest) -> StoreResult<Page> {
    let Cursor::After(after) = &request.cursor else {
        return send(client, request, None).await;
    };
    match send(client, request, Some(after)).await {
        // A service too old to know the version: the engine notices that the page starts at the
        // beginning, and goes on by markers.
        Err(StoreError::Failed(_)) => send(client, request, None).await,
        page => page,
    }
}

async fn send(client: &Client, request: &ListRequest, from: Option<&str>) -> StoreResult<Page> {
    let (location, limit) = (&client.location, request.limit.clamp(1, 5000).to_string());
    let (prefix, from) = (location.name(&request.prefix), from.map(|key| location.name(key)));
    let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", limit.as_str())];
    if !prefix.is_empty() {
        query.push(("prefix", &prefix));
    }
    if request.delimiter {
        query.push(("delimiter", "/"));
    }
    if let Cursor::Marker(marker) = &request.cursor {
        query.push(("marker", marker));
    }
    if let Some(from) = &from {
        query.push(("startFrom", from));
    }
    query.push(("include", "copy"));
    let url = location.container_url(&query)?;
    let version = if from.is_some() { START_FROM_VERSION } else { VERSION };
    let sent =
        client.request("ListBlobs", Method::GET, url, Bytes::new())?.header(VERSION_HEADER, version)?;
    let read = |_: &_, body: Bytes| {
        xml::listing(&body).map_err(|reason| Refusal::unreadable(format!("a listing with {reason}")))
    };
    let listing: Listing = client.send(&sent, LIMIT, read).await?;
    let mut page = Page { next: listing.next, ..Page::default() };
    for entry in listing.entries {
        let Some(key) = location.key(entry.name.clone()) else { continue };
        if entry.is_prefix {
            page.prefixes.push(key);
        } else if from.as_ref() != Some(&entry.name) {
            // What it starts from is listed, too.
            page.objects.extend(listed(key, entry)?);
        }
    }
    Ok(page)
}
