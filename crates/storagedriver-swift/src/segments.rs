//! The segments of a set: which there are, whether they are what was sent, and their removal.

use std::collections::{BTreeMap, BTreeSet};

use storagedriver::ErrorKind;
use storagedriver_object::{Cursor, ListRequest, Object, Part, StoreError, StoreResult};

use crate::client::Client;
use crate::layout::Set;
use crate::listing::PAGE;

/// So many numbers after each that is listed are removed, too, where nothing tells how many there are: a listing may be late
/// by as many as are sent at once.
const UNLISTED: u32 = 4;

impl Client {
    /// What the container's listing shows of a set.
    pub(crate) async fn listed_segments(&self, set: &Set) -> StoreResult<Vec<Object>> {
        let mut request = ListRequest {
            prefix: self.layout.segments_of(set),
            delimiter: false,
            cursor: Cursor::Start,
            limit: PAGE,
        };
        let mut found = Vec::new();
        loop {
            let page = self.names(&request).await?;
            found.extend(page.objects);
            match page.next {
                Some(next) if Cursor::Marker(next.clone()) != request.cursor => {
                    request.cursor = Cursor::Marker(next)
                }
                _ => return Ok(found),
            }
        }
    }

    /// Makes sure that the segments are what was sent. The listing tells of all by one request; what it does not show, or
    /// shows as it was, is looked at.
    ///
    /// # Errors
    /// `NoSuchUpload` if one is gone: whoever removed it has ended the upload. `Conflict` if one is something else.
    pub(crate) async fn compare_segments(
        &self,
        set: &Set,
        parts: &[Part],
        listed: &[Object],
    ) -> StoreResult<()> {
        let is_sent =
            |object: &Object, part: &Part| object.version.as_str() == part.tag && object.size == part.size;
        let listed: BTreeMap<&str, &Object> =
            listed.iter().map(|object| (object.key.as_str(), object)).collect();
        for part in parts {
            let name = self.layout.segment(set, part.number);
            if listed.get(name.as_str()).is_some_and(|object| is_sent(object, part)) {
                continue;
            }
            let Some(found) = self.find(&name).await? else { return Err(StoreError::NoSuchUpload) };
            if !is_sent(&found.object, part) {
                let reason = format!("the segment {name} is not what was sent: somebody has written over it");
                return Err(StoreError::failed(ErrorKind::Conflict, reason));
            }
        }
        Ok(())
    }

    /// Removes all segments of a set: those that are listed, and those that a listing may not show yet.
    pub(crate) async fn remove_segments(&self, set: &Set) -> StoreResult<()> {
        let listed = self.listed_segments(set).await?;
        let mut keys: BTreeSet<String> = listed.into_iter().map(|object| object.key).collect();
        // Ceph's listings are never late.
        if !self.cluster().await?.is_ceph {
            let listed: Vec<u32> = keys.iter().filter_map(|key| self.layout.number(set, key)).collect();
            keys.extend(unlisted(set, &listed).into_iter().map(|number| self.layout.segment(set, number)));
        }
        let keys: Vec<String> = keys.into_iter().collect();
        self.remove_all(&keys).await
    }
}

/// The numbers that a late listing may not show. A delete of what is not there costs the cluster as much as another: no more
/// of them than needed.
fn unlisted(set: &Set, listed: &[u32]) -> BTreeSet<u32> {
    if set.count > 0 && listed.len() >= set.count {
        return BTreeSet::new();
    }
    let mut numbers: BTreeSet<u32> = if set.count > 0 {
        (1..=set.last).collect()
    } else {
        let ends = listed.iter().copied().chain([0]);
        ends.flat_map(|number| number..=number.saturating_add(UNLISTED)).collect()
    };
    for number in listed {
        numbers.remove(number);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_late_listing_hides_is_removed_too() {
        let numbers = |last, count, listed: &[u32]| -> Vec<u32> {
            unlisted(&Set { last, count, ..Set::named("abc/d") }, listed).into_iter().collect()
        };
        assert_eq!(numbers(66, 3, &[1, 65, 66]), [0; 0]);
        assert_eq!(numbers(4, 4, &[1, 3]), [2, 4]);
        assert_eq!(numbers(4, 4, &[]), [1, 2, 3, 4]);
        assert_eq!(numbers(0, 0, &[1, 65]), [0, 2, 3, 4, 5, 66, 67, 68, 69]);
        assert_eq!(numbers(0, 0, &[]), [0, 1, 2, 3, 4]);
    }
}
