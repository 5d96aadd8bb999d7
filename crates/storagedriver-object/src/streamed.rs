//! For backends whose client lists as a stream and has no composition: pages out of the stream, and
//! segments as one content.

use std::pin::pin;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use storagedriver::ErrorKind;

use crate::{Cursor, ListRequest, Object, ObjectStoreBackend, Page, StoreError, StoreResult};

/// A name in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// An object.
    Object(Object),
    /// What keys were rolled up to: a prefix that ends in `/`.
    Prefix(String),
}

impl Listed {
    /// The key, or the prefix.
    pub fn key(&self) -> &str {
        match self {
            Listed::Object(object) => &object.key,
            Listed::Prefix(prefix) => prefix,
        }
    }
}

impl ListRequest {
    /// The part of the prefix that ends in a slash, for clients that list directories: all that is
    /// asked for lies below it. Empty, if that is everything.
    pub fn directory(&self) -> &str {
        self.prefix.rfind('/').and_then(|slash| self.prefix.get(..=slash)).unwrap_or_default()
    }

    /// The key after which an ordered listing starts.
    pub fn start_after(&self) -> Option<&str> {
        match &self.cursor {
            Cursor::Start => None,
            Cursor::After(key) | Cursor::Marker(key) => Some(key),
        }
    }
}

impl Page {
    /// One page of names that come as a stream: those that begin with the prefix, and no more than are
    /// asked for; the rest of the stream is dropped.
    ///
    /// `ordered`: the names are in byte order, and the stream may begin at the cursor. Else it is the
    /// whole listing each time, and the cursor is a number of names to leave out.
    ///
    /// # Errors
    /// That of the stream; `Corrupted` if the marker is not one that this gave.
    pub async fn of_stream(
        names: impl Stream<Item = StoreResult<Listed>> + Send,
        request: &ListRequest,
        ordered: bool,
    ) -> StoreResult<Page> {
        let after = request.start_after().filter(|_| ordered);
        let skipped = match &request.cursor {
            Cursor::Marker(marker) if !ordered => marker.parse().map_err(|_| {
                StoreError::failed(ErrorKind::Corrupted, "the marker is not one of this listing")
            })?,
            _ => 0_usize,
        };
        let wanted = |name: &Listed| {
            name.key().starts_with(&request.prefix) && after.is_none_or(|after| name.key() > after)
        };
        let names = names.try_filter(|name| std::future::ready(wanted(name))).skip(skipped);
        let mut names = pin!(names);
        let mut page = Page::default();
        let (mut taken, mut last) = (0, String::new());
        while let Some(name) = names.try_next().await? {
            if taken == request.limit.max(1) {
                let marker = if ordered { last } else { skipped.saturating_add(taken).to_string() };
                page.next = Some(marker);
                break;
            }
            taken = taken.saturating_add(1);
            name.key().clone_into(&mut last);
            match name {
                Listed::Object(object) => page.objects.push(object),
                Listed::Prefix(prefix) => page.prefixes.push(prefix),
            }
        }
        Ok(page)
    }
}

/// The contents of objects, one behind the other: for a backend that concatenates segments through this
/// process. [`NotFound`](StoreError::NotFound) if one is gone.
pub fn joined<'a, B: ObjectStoreBackend>(
    backend: &'a B,
    segments: &'a [String],
) -> BoxStream<'a, StoreResult<Bytes>> {
    let opened = stream::iter(segments).then(move |segment| backend.get(segment, None, None));
    opened.map_ok(|download| download.stream).try_flatten().boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<StoreResult<Listed>> {
        names.iter().map(|name| Ok(Listed::Prefix((*name).to_owned()))).collect()
    }

    async fn pages(all: &[&str], limit: usize, ordered: bool) -> Vec<Vec<String>> {
        let mut request =
            ListRequest { prefix: "a/".to_owned(), delimiter: true, cursor: Cursor::Start, limit };
        let mut pages = Vec::new();
        loop {
            let page = Page::of_stream(stream::iter(names(all)), &request, ordered).await.unwrap();
            pages.push(page.prefixes);
            match page.next {
                Some(next) => request.cursor = Cursor::Marker(next),
                None => return pages,
            }
        }
    }

    #[tokio::test]
    async fn pages_hold_what_is_asked_for_and_add_up() {
        let ordered = ["a", "a/1/", "a/2/", "a/3/", "b/"];
        assert_eq!(pages(&ordered, 2, true).await, [vec!["a/1/", "a/2/"], vec!["a/3/"]]);
        assert_eq!(pages(&ordered, 3, true).await, [vec!["a/1/", "a/2/", "a/3/"]]);
        let shuffled = ["a/3/", "b/", "a/1/", "a", "a/2/"];
        assert_eq!(pages(&shuffled, 2, false).await, [vec!["a/3/", "a/1/"], vec!["a/2/"]]);
    }

    #[test]
    fn the_directory_of_a_prefix_ends_in_a_slash() {
        for (prefix, directory) in [("", ""), ("a", ""), ("a/", "a/"), ("a/~u/b/~", "a/~u/b/")] {
            let request =
                ListRequest { prefix: prefix.to_owned(), delimiter: false, cursor: Cursor::Start, limit: 1 };
            assert_eq!(request.directory(), directory);
        }
    }
}
