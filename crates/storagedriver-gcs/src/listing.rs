//! Pages of keys, and the open uploads of the Go driver among them.

use serde::Deserialize;
use storagedriver_object::http::{Method, Refusal, Request};
use storagedriver_object::{Cursor, ListRequest, Object, OpenUpload, Page, StoreResult};

use crate::client::Client;
use crate::json::{self, FIELDS, Resource};

/// The most names that the service gives at once.
pub(crate) const PAGE: usize = 1000;
/// Begins the id of an open upload of the Go driver; its generation follows.
pub(crate) const GO_SESSION_ID: &str = "go-session:";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    items: Vec<Resource>,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// A page, with the Go driver's uploads apart.
#[derive(Debug)]
struct Sorted {
    page: Page,
    go_sessions: Vec<Object>,
}

impl Client {
    pub(crate) async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        Ok(self.page(request).await?.page)
    }

    async fn page(&self, request: &ListRequest) -> StoreResult<Sorted> {
        let limit = request.limit.clamp(1, PAGE).to_string();
        let fields = format!("nextPageToken,prefixes,items({FIELDS})");
        let mut query =
            vec![("prefix", request.prefix.as_str()), ("maxResults", &limit), ("fields", &fields)];
        if request.delimiter {
            query.push(("delimiter", "/"));
        }
        let (start, token) = match &request.cursor {
            Cursor::Start => ("", ""),
            Cursor::After(key) => (key.as_str(), ""),
            Cursor::Marker(marker) => marker.split_once('\n').unwrap_or(("", marker)),
        };
        if !start.is_empty() {
            query.push(("startOffset", start));
        }
        if !token.is_empty() {
            query.push(("pageToken", token));
        }
        let url = self.place.objects(&query);
        let request = Request::new("objects.list", Method::GET, url);
        self.exchange_with_bucket(&request, |_, body| sort(json::parse(&body)?, start)).await
    }

    /// The open uploads of the Go driver whose key starts with `prefix`.
    pub(crate) async fn go_sessions(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        let mut request =
            ListRequest { prefix: prefix.to_owned(), delimiter: false, cursor: Cursor::Start, limit: PAGE };
        let mut found = Vec::new();
        loop {
            let Sorted { page, go_sessions } = self.page(&request).await?;
            found.extend(go_sessions.into_iter().map(|object| OpenUpload {
                id: format!("{GO_SESSION_ID}{}", object.version),
                key: object.key,
                started: object.modified,
            }));
            match page.next.map(Cursor::Marker) {
                None => return Ok(found),
                // What does not advance would go on for ever; what was found is true.
                Some(next) if next == request.cursor => return Ok(found),
                Some(next) => request.cursor = next,
            }
        }
    }
}

/// Takes a page apart. `startOffset` is inclusive, and the engine's cursor is not.
fn sort(listed: Listed, start: &str) -> Result<Sorted, Refusal> {
    let mut sorted = Sorted { page: Page::default(), go_sessions: Vec::new() };
    for item in listed.items {
        let is_go_session = item.is_go_session();
        let object = item.object()?;
        if !start.is_empty() && object.key.as_str() <= start {
            continue;
        }
        if is_go_session {
            sorted.go_sessions.push(object);
        } else {
            sorted.page.objects.push(object);
        }
    }
    sorted.page.prefixes = listed.prefixes;
    sorted.page.prefixes.retain(|prefix| start.is_empty() || prefix.as_str() > start);
    // A token is text without line ends; the pages after the first have the same start.
    sorted.page.next =
        listed.next_page_token.filter(|token| !token.is_empty()).map(|token| format!("{start}\n{token}"));
    Ok(sorted)
}

/// Whether an upload of this id is one of the Go driver; then its generation.
pub(crate) fn go_generation(id: &str) -> Option<&str> {
    id.strip_prefix(GO_SESSION_ID)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn page(start: &str) -> Sorted {
        let item = |name: &str, kind: &str| {
            serde_json::json!({"name": name, "size": "1", "generation": "5", "contentType": kind,
                "updated": "2024-01-01T00:00:00Z"})
        };
        let body = serde_json::json!({
            "nextPageToken": "token",
            "prefixes": ["a/", "c/"],
            "items": [item("b", json::CONTENT), item("b1", json::GO_SESSION), item("d", json::CONTENT)],
        });
        sort(json::parse(&Bytes::from(body.to_string())).unwrap(), start).unwrap()
    }

    fn keys(objects: &[Object]) -> Vec<&str> {
        objects.iter().map(|object| object.key.as_str()).collect()
    }

    #[test]
    fn uploads_of_the_go_driver_are_no_content() {
        let sorted = page("");
        assert_eq!(keys(&sorted.page.objects), ["b", "d"]);
        assert_eq!(keys(&sorted.go_sessions), ["b1"]);
        assert_eq!(sorted.page.next.as_deref(), Some("\ntoken"));
    }

    #[test]
    fn the_start_is_left_out() {
        let sorted = page("b");
        assert_eq!(keys(&sorted.page.objects), ["d"]);
        assert_eq!(sorted.page.prefixes, ["c/"]);
        assert_eq!(sorted.page.next.as_deref(), Some("b\ntoken"));
    }

    #[test]
    fn an_empty_page_is_one() {
        let sorted = sort(json::parse(&Bytes::from_static(b"{}")).unwrap(), "").unwrap();
        assert_eq!(sorted.page, Page::default());
    }
}
