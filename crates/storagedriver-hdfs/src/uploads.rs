//! The uploads that nobody ended: finding them, and removing what is left of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdfs_native::HdfsError;
use hdfs_native::client::FileStatus;
use storagedriver::{Error, Result, StoragePath, UploadInfo};

use crate::cluster::Hadoop;
use crate::names::{Name, Segment, State, parse_passing};
use crate::upload::chain;
use crate::version::{modified, size};

/// What is staged for one path.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) states: Vec<State>,
    /// With their lengths.
    pub(crate) segments: Vec<(Segment, u64)>,
    /// When each upload made its last segment.
    active: BTreeMap<u64, SystemTime>,
}

impl Found {
    fn add(&mut self, name: Name, status: &FileStatus) {
        match name {
            Name::State(state) => self.states.push(state),
            Name::Segment(segment) => {
                self.segments.push((segment, size(status)));
                let active = self.active.entry(segment.upload).or_insert(UNIX_EPOCH);
                *active = (*active).max(modified(status));
            }
            Name::Passing => {}
        }
    }

    fn has_state(&self, upload: u64) -> bool {
        self.states.iter().any(|state| state.upload == upload)
    }
}

fn last_name(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

impl Hadoop {
    async fn found(&self, path: &StoragePath) -> Result<Found, HdfsError> {
        let mut found = Found::default();
        for status in self.entries(&self.staging(path), false).await?.unwrap_or_default() {
            if let Some(name) = Name::parse(last_name(&status.path)) {
                found.add(name, &status);
            }
        }
        found.states.sort_by_key(|state| (state.sequence, state.upload));
        Ok(found)
    }

    /// The segments of a closed upload in order; `None` if it has ended, and what was left of it is removed.
    async fn chain_of(
        self: &Arc<Self>,
        path: &StoragePath,
        state: &State,
        found: &Found,
    ) -> Result<Option<Vec<(Segment, u64)>>> {
        if let Some(chain) = chain(state, found, path)? {
            return Ok(Some(chain));
        }
        // Its last segment has become the content of the path, or was deleted: somebody was killed
        // between that and removing the rest, or is just doing it. A listing of several pages can miss
        // a segment, hence another look.
        let failed = || Hadoop::read_fault(path, "look for the last part of an upload");
        let again = self.found(path).await.map_err(failed())?;
        if !again.states.contains(state) {
            return Ok(None);
        }
        if let Some(chain) = chain(state, &again, path)? {
            return Ok(Some(chain));
        }
        Remains::new(self, path, state.upload).remove().await;
        Ok(None)
    }

    /// The upload at a path that was closed last.
    pub(crate) async fn newest_closed(
        self: &Arc<Self>,
        path: &StoragePath,
    ) -> Result<Option<(State, Vec<(Segment, u64)>)>> {
        let found = self.found(path).await.map_err(Hadoop::read_fault(path, "look for uploads"))?;
        for state in found.states.iter().rev() {
            if let Some(chain) = self.chain_of(path, state, &found).await? {
                return Ok(Some((*state, chain)));
            }
        }
        Ok(None)
    }

    /// Removes the uploads at a path that were closed.
    pub(crate) async fn discard_closed(self: &Arc<Self>, path: &StoragePath) -> Result<()> {
        let failed = || Hadoop::write_fault(path, "discard the uploads closed before");
        let found = self.found(path).await.map_err(failed())?;
        for state in &found.states {
            let remains = Remains::new(self, path, state.upload);
            self.remove(&format!("{}/{state}", self.staging(path))).await.map_err(failed())?;
            remains.remove().await;
        }
        Ok(())
    }

    async fn remove_segments(&self, path: &StoragePath, found: &Found, upload: u64) -> Result<(), HdfsError> {
        for (segment, _) in found.segments.iter().filter(|(segment, _)| segment.upload == upload) {
            self.remove(&format!("{}/{segment}", self.staging(path))).await?;
        }
        Ok(())
    }

    /// Removes what is left of an upload, if it has ended. What cannot be removed now is found by the next who
    /// looks for uploads.
    async fn remove_remains(&self, path: &StoragePath, upload: u64) {
        let removed = async {
            let found = self.found(path).await?;
            let of_upload = || found.states.iter().filter(|state| state.upload == upload);
            if !of_upload().all(|state| matches!(chain(state, &found, path), Ok(None))) {
                return Ok(());
            }
            // The segments first: a state without them has ended.
            self.remove_segments(path, &found, upload).await?;
            for state in of_upload() {
                self.remove(&format!("{}/{state}", self.staging(path))).await?;
            }
            Ok::<(), HdfsError>(())
        };
        if let Err(error) = removed.await {
            tracing::debug!(%path, %error, "parts of an upload that has ended are left");
        }
        self.prune_staging(path).await;
    }

    /// The uploads at and below a path.
    pub(crate) async fn uploads(self: &Arc<Self>, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let failed = || Hadoop::read_fault(below, "look for uploads");
        let mut by_path: BTreeMap<StoragePath, Found> = BTreeMap::new();
        let mut infos = Vec::new();
        let top = self.staging(&StoragePath::root());
        let place = self.staging(below);
        let mut entries = self.entries(&place, true).await.map_err(failed())?.unwrap_or_default();
        if !below.is_root() {
            entries.extend(self.entries(&top, false).await.map_err(failed())?.unwrap_or_default());
        }
        for status in &entries {
            let Some((above, name)) = status.path.strip_prefix(&top).and_then(|rest| rest.rsplit_once('/'))
            else {
                continue;
            };
            if let Some(path) = parse_passing(name) {
                if above.is_empty() && path.is_within(below) {
                    infos.push(UploadInfo::new(path, 0, modified(status), name));
                }
                continue;
            }
            let (Some(parsed), Ok(path)) = (Name::parse(name), StoragePath::parse(above)) else {
                continue;
            };
            if parsed == Name::Passing {
                infos.push(UploadInfo::new(path.clone(), 0, modified(status), name));
            }
            if path.is_within(below) {
                by_path.entry(path).or_default().add(parsed, status);
            }
        }
        for (path, found) in &by_path {
            self.uploads_of(path, found, &mut infos).await?;
        }
        infos.sort_by(|a, b| (a.path(), a.id()).cmp(&(b.path(), b.id())));
        Ok(infos)
    }

    async fn uploads_of(
        self: &Arc<Self>,
        path: &StoragePath,
        found: &Found,
        infos: &mut Vec<UploadInfo>,
    ) -> Result<()> {
        for state in &found.states {
            let whole = match self.chain_of(path, state, found).await {
                Ok(chain) => chain.is_some(),
                // It can be aborted, if nothing else.
                Err(Error::Corrupted { .. }) => true,
                Err(error) => return Err(error),
            };
            if whole {
                let closed =
                    UNIX_EPOCH.checked_add(Duration::from_nanos(state.sequence)).unwrap_or(UNIX_EPOCH);
                let active = found.active.get(&state.upload).copied().unwrap_or(UNIX_EPOCH);
                infos.push(UploadInfo::new(
                    path.clone(),
                    state.length,
                    closed.max(active),
                    state.to_string(),
                ));
            }
        }
        let mut told = Vec::new();
        for (segment, _) in &found.segments {
            // Never closed: its writer is at work, or was killed.
            if found.has_state(segment.upload) || told.contains(&segment.upload) {
                continue;
            }
            told.push(segment.upload);
            let active = found.active.get(&segment.upload).copied().unwrap_or(UNIX_EPOCH);
            infos.push(UploadInfo::new(path.clone(), 0, active, segment.to_string()));
        }
        Ok(())
    }

    /// Removes every trace of an upload.
    pub(crate) async fn abort(self: &Arc<Self>, upload: &UploadInfo) -> Result<()> {
        let path = upload.path();
        let failed = || Hadoop::write_fault(path, "abort the upload");
        let moved_on = || Error::conflict(path, "the upload has moved on since it was listed");
        let id = upload.id();
        if parse_passing(id).is_some_and(|listed| listed == *path) {
            let place = format!("{}/{id}", self.staging(&StoragePath::root()));
            self.remove(&place).await.map_err(failed())?;
            self.prune(path).await;
            return Ok(());
        }
        let place = format!("{}/{id}", self.staging(path));
        match Name::parse(id) {
            Some(Name::Passing) => {
                self.remove(&place).await.map_err(failed())?;
            }
            Some(name @ (Name::State(_) | Name::Segment(_))) => {
                let of = name.upload().unwrap_or_default();
                let is_state = matches!(name, Name::State(_));
                let remains = Remains::new(self, path, of);
                let removed = is_state && self.remove(&place).await.map_err(failed())?;
                let found = self.found(path).await.map_err(failed())?;
                if !removed && found.has_state(of) {
                    remains.keep();
                    return Err(moved_on());
                }
                if removed || !is_state {
                    self.remove_segments(path, &found, of).await.map_err(failed())?;
                }
                remains.keep();
            }
            None => return Err(Error::conflict(path, "the upload is not of this driver")),
        }
        self.prune_staging(path).await;
        self.prune(path).await;
        Ok(())
    }
}

/// What there may be of an upload whose end is under way: it is removed when this is dropped, if the upload
/// has ended then.
pub(crate) struct Remains {
    hadoop: Arc<Hadoop>,
    path: StoragePath,
    upload: Option<u64>,
}

impl Remains {
    pub(crate) fn new(hadoop: &Arc<Hadoop>, path: &StoragePath, upload: u64) -> Self {
        Remains { hadoop: hadoop.clone(), path: path.clone(), upload: Some(upload) }
    }

    /// It has not ended, or nothing is left.
    pub(crate) fn keep(mut self) {
        self.upload = None;
    }

    /// Removes it now.
    pub(crate) async fn remove(mut self) {
        if let Some(upload) = self.upload {
            self.hadoop.remove_remains(&self.path, upload).await;
        }
        self.upload = None;
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        let (Some(upload), Ok(runtime)) = (self.upload, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (hadoop, path) = (self.hadoop.clone(), self.path.clone());
        drop(runtime.spawn(async move { hadoop.remove_remains(&path, upload).await }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPLOAD: u64 = 7;

    fn found(segments: &[(u64, u64, u64)]) -> Found {
        let segments = segments.iter().map(|&(writer, before, length)| {
            (Segment { upload: UPLOAD, writer, before, taken: false }, length)
        });
        Found { segments: segments.collect(), ..Found::default() }
    }

    fn state(length: u64, last: u64) -> State {
        State { upload: UPLOAD, sequence: 1, length, last, whole: 0, base: None }
    }

    #[test]
    fn a_chain_is_in_order_and_leaves_strays_out() {
        let path = StoragePath::parse("/a").unwrap();
        // The third writer lost against the second.
        let found = found(&[(2, 1, 20), (1, 0, 10), (3, 1, 99)]);
        let order: Vec<u64> =
            chain(&state(30, 2), &found, &path).unwrap().unwrap().iter().map(|(s, _)| s.writer).collect();
        assert_eq!(order, [1, 2]);
        assert_eq!(chain(&state(0, 0), &found, &path).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn a_state_without_its_last_segment_has_ended() {
        let path = StoragePath::parse("/a").unwrap();
        assert_eq!(chain(&state(30, 2), &found(&[(1, 0, 10)]), &path).unwrap(), None);
    }

    #[test]
    fn a_commit_has_ended_an_upload_once_its_segment_is_gone() {
        let path = StoragePath::parse("/a").unwrap();
        let state = State { whole: 5, ..state(10, 1) };
        assert_eq!(chain(&state, &found(&[(1, 0, 10)]), &path).unwrap(), None);
        let kept = chain(&state, &found(&[(1, 0, 10), (5, 0, 99)]), &path).unwrap().unwrap();
        assert_eq!(kept.iter().map(|(segment, _)| segment.writer).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_contradicts_itself_is_corrupted() {
        let path = StoragePath::parse("/a").unwrap();
        for segments in [&[(2, 1, 20)][..], &[(2, 1, 20), (1, 0, 11)], &[(2, 1, 20), (1, 2, 10)]] {
            let error = chain(&state(30, 2), &found(segments), &path).unwrap_err();
            assert!(matches!(error, Error::Corrupted { .. }), "{segments:?}");
        }
    }
}
