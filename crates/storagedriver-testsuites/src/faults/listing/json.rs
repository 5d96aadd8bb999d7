//! Pages of [`objects.list`](https://cloud.google.com/storage/docs/json_api/v1/objects/list).

use serde_json::{Map, Value};

use super::Truncated;
use crate::faults::Mark;

const TOKEN: &str = "nextPageToken";
const ITEMS: &str = "items";
const PREFIXES: &str = "prefixes";

/// As [`super::truncate`]. A page has no word for its end but the token, so there is no
/// [`Mark::TruncatedWithoutToken`].
pub(super) fn truncate(listing: &str, keep: usize, mark: Mark, token: &str) -> Option<Truncated> {
    let mut frame = frame(listing)?;
    let mut entries = take_entries(&mut frame);
    if entries.len() <= keep || mark == Mark::TruncatedWithoutToken {
        return None;
    }
    let rest = entries.split_off(keep);
    let rest = (mark == Mark::Truncated).then(|| put_together(frame.clone(), rest));
    frame.remove(TOKEN);
    if rest.is_some() {
        frame.insert(TOKEN.to_owned(), token.into());
    }
    Some(Truncated { page: put_together(frame, entries), rest })
}

/// As [`super::repeat`].
pub(super) fn repeat(listing: &str, from: &str) -> Option<String> {
    let mut frame = frame(listing)?;
    frame.insert(TOKEN.to_owned(), from.into());
    Some(Value::Object(frame).to_string())
}

/// The page, unless it is an error. One without entries may have no member at all.
fn frame(listing: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(listing) {
        Ok(Value::Object(frame)) if !frame.contains_key("error") => Some(frame),
        _ => None,
    }
}

/// An object or a prefix: its name, and what the page has of it.
struct Entry {
    name: String,
    kind: &'static str,
    value: Value,
}

/// The entries, in the order of their names.
fn take_entries(frame: &mut Map<String, Value>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for kind in [ITEMS, PREFIXES] {
        let Some(Value::Array(values)) = frame.remove(kind) else { continue };
        entries.extend(values.into_iter().map(|value| {
            let name = value.get("name").unwrap_or(&value).as_str().unwrap_or_default().to_owned();
            Entry { name, kind, value }
        }));
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

fn put_together(mut frame: Map<String, Value>, entries: Vec<Entry>) -> String {
    for Entry { kind, value, .. } in entries {
        if let Value::Array(values) = frame.entry(kind).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(value);
        }
    }
    Value::Object(frame).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"kind":"storage#objects","nextPageToken":"next","prefixes":["b/"],
        "items":[{"name":"a","size":"1"},{"name":"c\"d","size":"2"}]}"#;

    fn names(page: &str) -> Vec<String> {
        take_entries(&mut frame(page).unwrap()).into_iter().map(|entry| entry.name).collect()
    }

    fn token(page: &str) -> Option<String> {
        Some(frame(page).unwrap().get(TOKEN)?.as_str().unwrap().to_owned())
    }

    #[test]
    fn the_rest_goes_on_where_the_page_ends_and_leads_where_the_whole_did() {
        let Truncated { page, rest } = truncate(PAGE, 2, Mark::Truncated, "mine").unwrap();
        let rest = rest.unwrap();
        assert_eq!(names(&page), ["a", "b/"], "prefixes and objects are cut in one order");
        assert_eq!(names(&rest), ["c\"d"]);
        assert_eq!((token(&page).as_deref(), token(&rest).as_deref()), (Some("mine"), Some("next")));
        assert!(page.contains(r#""size":"1""#), "what is told of an object stays: {page}");
    }

    #[test]
    fn a_lie_names_no_token() {
        let Truncated { page, rest } = truncate(PAGE, 1, Mark::Complete, "mine").unwrap();
        assert_eq!((names(&page), token(&page), rest), (vec!["a".to_owned()], None, None));
    }

    #[test]
    fn what_is_short_enough_or_no_listing_stays() {
        assert_eq!(truncate(PAGE, 3, Mark::Truncated, "mine"), None);
        assert_eq!(truncate(PAGE, 0, Mark::TruncatedWithoutToken, "mine"), None);
        for other in [r#"{"error":{"code":404}}"#, "[]", "x"] {
            assert_eq!((truncate(other, 0, Mark::Truncated, "mine"), repeat(other, "x")), (None, None));
        }
    }

    #[test]
    fn a_page_names_itself_as_the_next() {
        assert_eq!(token(&repeat(PAGE, "a\"b").unwrap()).as_deref(), Some("a\"b"));
        assert_eq!(repeat("{}", "from").as_deref(), Some(r#"{"nextPageToken":"from"}"#));
    }
}
