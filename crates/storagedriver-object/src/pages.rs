//! Listings, page by page, of stores that keep to the protocol and of some that do not.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use storagedriver::ErrorKind;

use crate::engine::Engine;
use crate::{Cursor, ListRequest, Object, ObjectStoreBackend, StoreError, StoreResult};

/// A name in a listing: an object, or a prefix that ends in `/`.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) key: String,
    pub(crate) object: Option<Object>,
}

/// The pages of one prefix.
#[derive(Debug)]
pub(crate) struct Pages<B> {
    engine: Arc<Engine<B>>,
    prefix: String,
    delimiter: bool,
    limit: usize,
    /// Where the next page starts; `None` after the last.
    cursor: Option<Cursor>,
    /// Names up to this one are dropped.
    after: Option<String>,
    /// The last name of the page before, where the store keeps an order.
    last: Option<String>,
    /// Whether the store was seen to ignore where it was to start.
    ignores_start: bool,
    /// The first names of the pages so far, hashed, where the store keeps no order.
    firsts: HashSet<u64>,
    /// How many pages in a row had no names.
    empty: u32,
}

/// So many pages may be empty in a row; some stores give such a page for what was deleted.
const MOST_EMPTY: u32 = 10_000;

impl<B: ObjectStoreBackend> Pages<B> {
    pub(crate) fn new(engine: &Arc<Engine<B>>, prefix: String, delimiter: bool) -> Self {
        Pages {
            limit: engine.description().page.max(1),
            engine: engine.clone(),
            prefix,
            delimiter,
            cursor: Some(Cursor::Start),
            after: None,
            last: None,
            ignores_start: false,
            firsts: HashSet::new(),
            empty: 0,
        }
    }

    pub(crate) fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(self.limit);
        self
    }

    /// Goes on after `key`; only in stores that have order and start-after.
    pub(crate) fn seek(&mut self, key: String) {
        if !self.ignores_start && self.cursor.is_some() {
            self.cursor = Some(Cursor::After(key.clone()));
            self.last = None;
        }
        self.after = Some(key);
    }

    /// Whether the last page said that another follows.
    pub(crate) fn has_more(&self) -> bool {
        self.cursor.is_some()
    }

    /// The names of the next page, which may be none; `None` after the last.
    pub(crate) async fn next(&mut self) -> StoreResult<Option<Vec<Name>>> {
        let Some(cursor) = self.cursor.clone() else { return Ok(None) };
        let request = ListRequest {
            prefix: self.prefix.clone(),
            delimiter: self.delimiter,
            cursor: cursor.clone(),
            limit: self.limit,
        };
        let page = self.engine.backend.list(&request).await?;
        let objects =
            page.objects.into_iter().map(|object| Name { key: object.key.clone(), object: Some(object) });
        let prefixes = page.prefixes.into_iter().map(|key| Name { key, object: None });
        let mut names: Vec<Name> = objects.chain(prefixes).collect();
        names.sort_by(|one, other| one.key.cmp(&other.key));
        let next = page.next.map(Cursor::Marker);
        self.check_advance(&cursor, next.as_ref(), &names)?;
        if let (Cursor::After(key), Some(first)) = (&cursor, names.first()) {
            self.ignores_start |= first.key <= *key;
        }
        if let Some(name) = names.last() {
            self.last = Some(name.key.clone());
        }
        self.cursor = next;
        names.retain(|name| name.key.starts_with(&self.prefix));
        if let Some(after) = &self.after {
            names.retain(|name| name.key > *after);
        }
        Ok(Some(names))
    }

    fn check_advance(&mut self, cursor: &Cursor, next: Option<&Cursor>, names: &[Name]) -> StoreResult<()> {
        self.empty = if names.is_empty() { self.empty.saturating_add(1) } else { 0 };
        let repeats = match names.first() {
            None => self.empty > MOST_EMPTY,
            Some(first) if self.engine.description().byte_order => {
                self.last.as_ref().is_some_and(|last| first.key <= *last)
            }
            Some(first) => {
                let mut hasher = DefaultHasher::new();
                first.key.hash(&mut hasher);
                !self.firsts.insert(hasher.finish())
            }
        };
        if next == Some(cursor) || repeats {
            let reason = format!("a page of the listing of {:?} does not advance", self.prefix);
            return Err(StoreError::failed(ErrorKind::Corrupted, reason));
        }
        Ok(())
    }
}
