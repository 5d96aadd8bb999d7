//! Pages of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// What to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Only keys that start with this.
    pub(crate) prefix: String,
    /// Keys that have this after the prefix are rolled up to the names up to it.
    pub(crate) delimiter: Option<String>,
    /// Only names greater than this one; those rolled up are compared as such.
    pub(crate) after: Option<String>,
    /// Only keys that are not less than this one.
    pub(crate) from: Option<String>,
    /// The most names of a page.
    pub(crate) limit: usize,
    /// Names come in the order of their reversed letters: one that no client can take for an order.
    pub(crate) unordered: bool,
}

/// A name in a listing.
#[derive(Debug, Clone)]
pub(crate) enum Name<T> {
    /// A key, and what is there.
    Key(String, T),
    /// A rolled up name.
    Prefix(String),
}

impl<T> Name<T> {
    /// The key, or the rolled up name.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(name, _) | Self::Prefix(name) => name,
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub(crate) struct Listing<T> {
    /// Its names, in order.
    pub(crate) names: Vec<Name<T>>,
    /// The last of them, if there are more.
    pub(crate) next: Option<String>,
}

/// One page of `keys`.
pub(crate) fn page<T: Clone>(keys: &BTreeMap<String, T>, query: &Query) -> Listing<T> {
    if query.limit == 0 {
        return Listing { names: Vec::new(), next: None };
    }
    let mut names = if query.unordered { shuffled(keys, query) } else { ordered(keys, query) };
    let next = if names.len() > query.limit {
        names.truncate(query.limit);
        names.last().map(|name| name.text().to_owned())
    } else {
        None
    };
    Listing { names, next }
}

/// The names of a page and one more, in byte order.
fn ordered<T: Clone>(keys: &BTreeMap<String, T>, query: &Query) -> Vec<Name<T>> {
    let mut names = Vec::new();
    let mut start = Bound::Included(query.prefix.clone());
    if let Some(from) = &query.from
        && *from > query.prefix
    {
        start = Bound::Included(from.clone());
    }
    if let Some(after) = &query.after
        && *after >= query.prefix
    {
        let later = match &start {
            Bound::Included(key) | Bound::Excluded(key) => after >= key,
            Bound::Unbounded => true,
        };
        if later {
            start = Bound::Excluded(after.clone());
        }
    }
    while names.len() <= query.limit {
        let Some((key, value)) = keys.range((start, Bound::Unbounded)).next() else { break };
        if !key.starts_with(&query.prefix) {
            break;
        }
        match rolled_up(key, query) {
            Some(name) => {
                if query.after.as_ref().is_none_or(|after| name > *after) {
                    names.push(Name::Prefix(name.clone()));
                }
                // Past everything below it: no key holds this character, the last there is.
                start = Bound::Excluded(name + "\u{10FFFF}");
            }
            None => {
                names.push(Name::Key(key.clone(), value.clone()));
                start = Bound::Excluded(key.clone());
            }
        }
    }
    names
}

/// The same names in an order that is not theirs.
fn shuffled<T: Clone>(keys: &BTreeMap<String, T>, query: &Query) -> Vec<Name<T>> {
    let mut seen = BTreeSet::new();
    let mut names: Vec<Name<T>> = Vec::new();
    for (key, value) in keys.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
        match rolled_up(key, query) {
            Some(name) if seen.insert(name.clone()) => names.push(Name::Prefix(name)),
            Some(_) => {}
            None => names.push(Name::Key(key.clone(), value.clone())),
        }
    }
    names.sort_by_cached_key(|name| reversed(name.text()));
    if let Some(after) = &query.after {
        let after = reversed(after);
        names.retain(|name| reversed(name.text()) > after);
    }
    names.truncate(query.limit.saturating_add(1));
    names
}

fn reversed(name: &str) -> Vec<u8> {
    name.bytes().rev().collect()
}

/// The name that a key is rolled up to, if it is.
fn rolled_up(key: &str, query: &Query) -> Option<String> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let (name, _) = rest.split_once(delimiter)?;
    Some(format!("{}{name}{delimiter}", query.prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(keys: &[&str], query: Query) -> (Vec<String>, Option<String>) {
        let keys = keys.iter().map(|key| ((*key).to_owned(), ())).collect();
        let listing = page(&keys, &query);
        (listing.names.iter().map(|name| name.text().to_owned()).collect(), listing.next)
    }

    #[test]
    fn pages_join_to_the_whole_listing() {
        let keys = ["a", "b/1", "b/2", "b0", "c/x/y", "d"];
        for unordered in [false, true] {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let (names, next) = texts(
                    &keys,
                    Query {
                        delimiter: Some("/".into()),
                        after: after.clone(),
                        limit: 2,
                        unordered,
                        ..Query::default()
                    },
                );
                assert!(names.len() <= 2);
                all.extend(names);
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            let ordered = all.is_sorted();
            all.sort();
            assert_eq!(all, ["a", "b/", "b0", "c/", "d"]);
            assert_eq!(ordered, !unordered);
        }
    }

    #[test]
    fn starts_where_it_is_told() {
        let keys = ["a", "b/1", "b/2", "c"];
        let query = |after: &str| Query { after: Some(after.into()), limit: 9, ..Query::default() };
        assert_eq!(texts(&keys, query("b/1")).0, ["b/2", "c"]);
        let rolled = Query { delimiter: Some("/".into()), ..query("b/1") };
        assert_eq!(texts(&keys, rolled).0, ["c"]);
        let from = Query { from: Some("b/2".into()), limit: 9, ..Query::default() };
        assert_eq!(texts(&keys, from).0, ["b/2", "c"]);
        let below = Query { prefix: "b/".into(), after: Some("a".into()), limit: 1, ..Query::default() };
        assert_eq!(texts(&keys, below), (vec!["b/1".to_owned()], Some("b/1".to_owned())));
    }
}
