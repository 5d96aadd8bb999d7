//! Pages of names.

use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use storagedriver::Version;
use storagedriver_object::http::{Method, Refusal, Request};
use storagedriver_object::{Cursor, ListRequest, Object, Page, StoreError, StoreResult};

use crate::client::Client;

/// The most names that are asked for at once; clusters may refuse more than 10,000.
pub(crate) const PAGE: usize = 1000;
/// What the listing calls an empty object, and a manifest whose size it does not tell.
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";
/// How many objects are asked for their size at once.
const LOOKS: usize = 16;

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    subdir: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    hash: String,
    /// The tag that readers of a static large object see.
    #[serde(default)]
    slo_etag: Option<String>,
    #[serde(default)]
    last_modified: String,
}

impl Client {
    /// A page, with the sizes that readers get.
    pub(crate) async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        let mut page = self.names(request).await?;
        let objects = std::mem::take(&mut page.objects);
        let looked: Vec<Option<Object>> = stream::iter(objects)
            .map(|object| async move {
                if object.version.as_str() != EMPTY || self.layout.is_hidden(&object.key) {
                    return Ok(Some(object));
                }
                match self.head(&object.key).await {
                    Ok(object) => Ok(Some(object)),
                    // Deleted since the listing was made.
                    Err(StoreError::NotFound) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffered(LOOKS)
            .try_collect()
            .await?;
        page.objects = looked.into_iter().flatten().collect();
        Ok(page)
    }

    /// A page as the listing tells it; of a container that is not there, an empty one, once it is made.
    pub(crate) async fn names(&self, request: &ListRequest) -> StoreResult<Page> {
        let limit = request.limit.clamp(1, PAGE);
        let text = limit.to_string();
        let mut query = vec![("format", "json"), ("prefix", request.prefix.as_str()), ("limit", &text)];
        if request.delimiter {
            query.push(("delimiter", "/"));
        }
        if let Cursor::After(marker) | Cursor::Marker(marker) = &request.cursor {
            query.push(("marker", marker));
        }
        let request = Request::new("GET container", Method::GET, self.url("", &query).await?);
        match self.exchange(&request, |head, body| read(head.status.as_u16(), &body, limit)).await {
            Err(StoreError::NotFound) => {
                self.make_container().await?;
                Ok(Page::default())
            }
            page => page,
        }
    }
}

fn read(status: u16, body: &Bytes, limit: usize) -> Result<Page, Refusal> {
    // An empty container may be answered with no text at all.
    if status == 204 {
        return Ok(Page::default());
    }
    let entries: Vec<Entry> = serde_json::from_slice(body)
        .map_err(|error| Refusal::unreadable(format!("the listing is not one: {error}")))?;
    let mut page = Page::default();
    let full = entries.len() >= limit;
    for entry in entries {
        page.next = entry.subdir.clone().or_else(|| entry.name.clone());
        match (entry.subdir, entry.name) {
            (Some(prefix), _) => page.prefixes.push(prefix),
            (None, Some(key)) => {
                let tag = entry.slo_etag.unwrap_or(entry.hash);
                page.objects.push(Object {
                    key,
                    size: entry.bytes,
                    modified: time(&entry.last_modified),
                    version: Version::new(tag.trim_matches('"')),
                    mark: None,
                });
            }
            (None, None) => return Err(Refusal::unreadable("an entry of the listing has no name")),
        }
    }
    page.next = page.next.filter(|_| full);
    Ok(page)
}

/// `2026-11-21T12:49:01.297050`, in UTC; Ceph adds a `Z`. Never too old: what looks old is reaped.
fn time(text: &str) -> SystemTime {
    let stamp: Option<jiff::Timestamp> = format!("{}Z", text.trim_end_matches('Z')).parse().ok();
    stamp.map_or_else(SystemTime::now, SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_page_is_read_and_goes_on_after_its_last_name() {
        let body = br#"[{"subdir": "a/"}, {"name": "b", "bytes": 60, "hash": "x", "slo_etag": "\"y\"",
            "last_modified": "1970-01-01T00:00:01.500000"}]"#;
        let page = read(200, &Bytes::from_static(body), 2).unwrap();
        assert_eq!((page.prefixes, page.next.as_deref()), (vec!["a/".to_owned()], Some("b")));
        let object = &page.objects[0];
        assert_eq!((object.size, object.version.as_str()), (60, "y"));
        assert_eq!(object.modified, UNIX_EPOCH + Duration::from_millis(1500));
        assert_eq!(read(200, &Bytes::from_static(body), 3).unwrap().next, None);
        assert_eq!(time("1970-01-01T00:00:01.500Z"), object.modified);
        assert_eq!(read(204, &Bytes::new(), 3).unwrap(), Page::default());
    }
}
