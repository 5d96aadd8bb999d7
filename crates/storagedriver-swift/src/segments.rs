//! The segments of a set: which there are, and their removal.

use std::collections::BTreeSet;

use storagedriver_object::{Cursor, ListRequest, StoreResult};

use crate::client::Client;
use crate::layout::Set;
use crate::listing::PAGE;

/// So many numbers past the last that is listed are removed, too: a listing may be late by as many as are sent at once.
const UNLISTED: u32 = 8;

impl Client {
    /// What the container's listing shows of a set.
    pub(crate) async fn listed_segments(&self, set: &Set) -> StoreResult<Vec<String>> {
        let mut request = ListRequest {
            prefix: self.layout.segments_of(set),
            delimiter: false,
            cursor: Cursor::Start,
            limit: PAGE,
        };
        let mut found = Vec::new();
        loop {
            let page = self.names(&request).await?;
            found.extend(page.objects.into_iter().map(|object| object.key));
            match page.next {
                Some(next) if Cursor::Marker(next.clone()) != request.cursor => {
                    request.cursor = Cursor::Marker(next)
                }
                _ => return Ok(found),
            }
        }
    }

    /// Removes all segments of a set: those that are listed, and those that a listing may not show yet.
    pub(crate) async fn remove_segments(&self, set: &Set) -> StoreResult<()> {
        let mut keys: BTreeSet<String> = self.listed_segments(set).await?.into_iter().collect();
        // Ceph's listings are never late.
        if !self.cluster().await?.is_ceph {
            let listed = keys.iter().filter_map(|key| self.layout.number(set, key)).max();
            let last = listed.unwrap_or(0).max(set.last).saturating_add(UNLISTED);
            keys.extend((0..=last).map(|number| self.layout.segment(set, number)));
        }
        let keys: Vec<String> = keys.into_iter().collect();
        self.remove_all(&keys).await
    }
}
