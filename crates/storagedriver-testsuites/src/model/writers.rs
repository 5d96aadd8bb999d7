//! Writers in the model.

use storagedriver::bytes::{Bytes, BytesMut};
use storagedriver::{ErrorKind, Guarantee, WriteMode};

use super::expect::Expectation;
use super::program::Slot;
use super::reference::{Fate, Reference, Upload, Writer};
use super::transition::Next;

const CONFLICT: Expectation = Expectation::Fails(ErrorKind::Conflict);

impl Reference {
    pub(super) fn open_writer(&self, slot: Slot, path: &str, mode: WriteMode) -> Next {
        // What stands in the slot is dropped first.
        let mut now = self.clone();
        now.forget_writer(slot);
        let mut all = Vec::new();
        if now.collides(path) {
            all.push((CONFLICT, now.clone()));
        }
        match mode {
            WriteMode::Append => all.extend(now.append(slot, path)),
            _ => all.extend(now.create(slot, path)),
        }
        all
    }

    fn create(mut self, slot: Slot, path: &str) -> Next {
        let at_path: Vec<u64> =
            self.uploads.iter().filter(|upload| upload.path == path).map(|upload| upload.begun).collect();
        let (live, idle): (Vec<u64>, Vec<u64>) =
            at_path.into_iter().partition(|&begun| self.sharing(begun).next().is_some());
        idle.into_iter().for_each(|begun| self.remove_upload(begun));
        // One that was closed before and is open again: discarded, or not closed at the moment.
        let mut discarded = self.clone();
        live.iter().for_each(|&begun| discarded.remove_upload(begun));
        let states = if live.is_empty() { vec![self] } else { vec![self, discarded] };
        states
            .into_iter()
            .map(|mut state| {
                let begun = state.tick();
                let writer = Writer {
                    path: path.to_owned(),
                    accepted: Bytes::new(),
                    begun,
                    resumed: false,
                    base: None,
                    continues: false,
                    fate: Fate::Free,
                };
                state.writers.insert(slot, writer);
                (Expectation::Size(0), state)
            })
            .collect()
    }

    fn append(mut self, slot: Slot, path: &str) -> Next {
        let uploads: Vec<&Upload> = self.uploads.iter().filter(|upload| upload.path == path).collect();
        // The newest is the one closed last or, on a store that cannot tell, the one begun last.
        let closed_last = uploads.iter().max_by_key(|upload| upload.closed);
        let begun_last = uploads.iter().max_by_key(|upload| upload.begun);
        let mut candidates: Vec<Upload> =
            [closed_last, begun_last].into_iter().flatten().map(|upload| (*upload).clone()).collect();
        candidates.dedup();
        if !candidates.is_empty() {
            return candidates
                .into_iter()
                .map(|upload| {
                    let mut next = self.clone();
                    let size = upload.content.len() as u64;
                    let writer = Writer {
                        path: upload.path,
                        accepted: upload.content,
                        begun: upload.begun,
                        resumed: true,
                        base: None,
                        continues: upload.continues,
                        fate: Fate::Free,
                    };
                    next.writers.insert(slot, writer);
                    (Expectation::Size(size), next)
                })
                .collect();
        }
        let Some(file) = self.files.get(path).cloned() else {
            return vec![(Expectation::Fails(ErrorKind::PathNotFound), self)];
        };
        let begun = self.tick();
        let size = file.content.len() as u64;
        let writer = Writer {
            path: path.to_owned(),
            accepted: file.content.clone(),
            begun,
            resumed: false,
            base: Some((file.version, file.content)),
            continues: false,
            fate: Fate::Free,
        };
        self.writers.insert(slot, writer);
        vec![(Expectation::Size(size), self)]
    }

    pub(super) fn write(&self, slot: Slot, chunk: &Bytes) -> Next {
        let Some(writer) = self.writers.get(&slot) else { return Vec::new() };
        let mut next = self.clone();
        let mut accepted = BytesMut::from(writer.accepted.as_ref());
        accepted.extend_from_slice(chunk);
        let size = accepted.len() as u64;
        if let Some(writer) = next.writers.get_mut(&slot) {
            writer.accepted = accepted.freeze();
        }
        let mut all = vec![(Expectation::Size(size), next)];
        if writer.fate != Fate::Free && !chunk.is_empty() {
            all.push((CONFLICT, self.clone()));
        }
        all
    }

    /// The state without the writer, and the writer.
    fn ending(&self, slot: Slot) -> Option<(Reference, Writer)> {
        let mut next = self.clone();
        let writer = next.writers.remove(&slot)?;
        Some((next, writer))
    }

    /// Keeps what a writer accepted as a closed upload; others that had resumed it have lost.
    fn keep(&mut self, writer: &Writer) {
        self.uploads.retain(|upload| upload.begun != writer.begun);
        let closed = self.tick();
        self.uploads.push(Upload {
            begun: writer.begun,
            closed,
            path: writer.path.clone(),
            content: writer.accepted.clone(),
            continues: writer.continues || writer.base.is_some(),
        });
        self.befall(writer.begun, Fate::Lost);
    }

    /// An ending that is refused because of another: that one's work stays.
    fn refused(mut self, writer: &Writer) -> (Expectation, Reference) {
        self.leave_trace(writer);
        (CONFLICT, self)
    }

    /// Whether a writer that lost its upload must be told.
    fn must_lose(&self, writer: &Writer) -> bool {
        writer.fate == Fate::Lost && !self.lacks(Guarantee::FencedUploads)
    }

    pub(super) fn close(&self, slot: Slot) -> Next {
        let Some((next, writer)) = self.ending(slot) else { return Vec::new() };
        let mut all = Vec::new();
        if writer.fate != Fate::Free {
            all.push(next.clone().refused(&writer));
        }
        if !self.must_lose(&writer) {
            let mut kept = next;
            kept.keep(&writer);
            all.push((Expectation::Size(writer.accepted.len() as u64), kept));
        }
        all
    }

    pub(super) fn commit(&self, slot: Slot) -> Next {
        let Some((next, writer)) = self.ending(slot) else { return Vec::new() };
        if self.must_lose(&writer) {
            return vec![next.refused(&writer)];
        }
        let mut may_fail = self.collides(&writer.path) || writer.fate != Fate::Free || writer.continues;
        let mut may_succeed = true;
        if let Some((version, bytes)) = &writer.base {
            let held = self.files.get(&writer.path);
            if held.is_none_or(|file| file.version != *version) {
                may_fail = true;
                // A store may give equal bytes an equal version.
                may_succeed = held.is_some_and(|file| file.content == *bytes);
            }
        }
        let mut all = Vec::new();
        if may_fail {
            all.push(next.clone().refused(&writer));
            let mut kept = next.clone();
            kept.keep(&writer);
            all.push((CONFLICT, kept));
        }
        if may_succeed {
            let mut published = next;
            published.publish(&writer.path, writer.accepted.clone());
            published.uploads.retain(|upload| upload.begun != writer.begun);
            published.befall(writer.begun, Fate::Lost);
            let states = published.uploads_touched(&[&writer.path]);
            all.extend(states.into_iter().map(|state| (Expectation::Done, state)));
        }
        all
    }

    pub(super) fn cancel(&self, slot: Slot) -> Next {
        let Some((next, writer)) = self.ending(slot) else { return Vec::new() };
        let mut removed = next.clone();
        removed.remove_upload(writer.begun);
        if writer.fate == Fate::Free {
            return vec![(Expectation::Done, removed)];
        }
        // Of an upload that others have ended or closed since: theirs may stay, and it may be told.
        vec![(Expectation::Done, next.clone()), (Expectation::Done, removed), (CONFLICT, next)]
    }

    pub(super) fn drop_writer(&self, slot: Slot) -> Next {
        let mut next = self.clone();
        if !next.forget_writer(slot) {
            return Vec::new();
        }
        vec![(Expectation::Anything, next)]
    }

    /// A dropped writer publishes nothing; the upload stays as it was last closed.
    fn forget_writer(&mut self, slot: Slot) -> bool {
        let Some(writer) = self.writers.remove(&slot) else { return false };
        self.leave_trace(&writer);
        true
    }
}
