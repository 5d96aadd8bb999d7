//! What each operation may answer, and what follows from it.

use storagedriver::{ErrorKind, Guarantee, ReadOptions, WalkOptions};

use super::expect::{Entry, Expectation, UploadRange};
use super::program::{Operation, Step};
use super::reference::{Fate, Reader, Reference, Upload, Writer, is_within};

/// The answers that are allowed, each with the state that follows.
pub(super) type Next = Vec<(Expectation, Reference)>;

impl Reference {
    /// Every answer to `step` that the contract allows, each with the state that follows from it.
    /// None: the step is about a writer or reader that is not open, and does nothing.
    pub fn step(&self, step: &Step) -> Vec<(Expectation, Reference)> {
        use Operation as O;
        match &step.operation {
            O::Put(path, content) => self.put(path, content.bytes()),
            O::Get(path) => self.unchanged(self.read(path, &ReadOptions::all())),
            O::Read(path, offset, length) => {
                let mut options = ReadOptions::from_offset(*offset);
                options.length = *length;
                self.unchanged(self.read(path, &options))
            }
            O::OpenReader(slot, path) => {
                let mut next = self.clone();
                next.readers.remove(slot);
                let Some(content) = self.content(path) else {
                    return vec![(Expectation::Fails(ErrorKind::PathNotFound), next)];
                };
                let reader = Reader { path: path.clone(), contents: vec![content.clone()] };
                next.readers.insert(*slot, reader);
                vec![(Expectation::Done, next)]
            }
            O::FinishReader(slot) => {
                let mut next = self.clone();
                let Some(reader) = next.readers.remove(slot) else { return Vec::new() };
                // Nothing overtook it: there is no reason to fail.
                let expected = match reader.contents.as_slice() {
                    [only] if self.content(&reader.path) == Some(only) => Expectation::Content(only.clone()),
                    _ => Expectation::OneContent(reader.contents),
                };
                vec![(expected, next)]
            }
            O::OpenWriter(slot, path, mode) => self.open_writer(*slot, path, *mode),
            O::Write(slot, content) => self.write(*slot, &content.bytes()),
            O::Close(slot) => self.close(*slot),
            O::Commit(slot) => self.commit(*slot),
            O::Cancel(slot) => self.cancel(*slot),
            O::Drop(slot) => self.drop_writer(*slot),
            O::Stat(path) => self.unchanged(self.stat(path)),
            O::List(path) => {
                let children = self.children(path).map(Expectation::List);
                self.unchanged(children.unwrap_or(Expectation::Fails(ErrorKind::PathNotFound)))
            }
            O::Walk(path, order, after, skips) => {
                let mut options = WalkOptions::new();
                (options.order, options.start_after) = (*order, after.clone());
                self.unchanged(if self.is_directory(path) {
                    Expectation::Walk(self.walk(path, &options, skips))
                } else {
                    Expectation::Fails(ErrorKind::PathNotFound)
                })
            }
            O::Rename(from, to) => self.rename(from, to),
            O::Delete(path) => self.delete(path),
            O::Uploads(below) => self.unchanged(self.list_uploads(below)),
            O::AbortStale(below) => self.abort_stale(below),
        }
    }

    fn unchanged(&self, expectation: Expectation) -> Next {
        vec![(expectation, self.clone())]
    }

    fn read(&self, path: &str, options: &ReadOptions) -> Expectation {
        let Some(content) = self.content(path) else {
            return Expectation::Fails(ErrorKind::PathNotFound);
        };
        match options.range(content.len() as u64) {
            None => Expectation::Fails(ErrorKind::InvalidOffset),
            Some(range) => {
                let (start, end) = (range.start as usize, range.end as usize);
                Expectation::Content(content.slice(start..end))
            }
        }
    }

    fn stat(&self, path: &str) -> Expectation {
        let file = self.content(path).map(|content| content.len() as u64);
        let directory = self.is_directory(path);
        if file.is_none() && !directory {
            return Expectation::Fails(ErrorKind::PathNotFound);
        }
        Expectation::Stat(Entry { path: path.to_owned(), file, directory })
    }

    fn put(&self, path: &str, content: storagedriver::bytes::Bytes) -> Next {
        let mut next = self.clone();
        next.publish(path, content);
        let mut all = self.refusal(path);
        all.extend(next.uploads_touched(&[path]).into_iter().map(|next| (Expectation::Done, next)));
        all
    }

    /// A driver with real directories refuses what collides, and nothing changes.
    pub(super) fn refusal(&self, path: &str) -> Next {
        if self.collides(path) { self.unchanged(Expectation::Fails(ErrorKind::Conflict)) } else { Vec::new() }
    }

    /// Where uploads are not independent of content, replacing it may discard those at its path,
    /// also those that are open.
    pub(super) fn uploads_touched(mut self, paths: &[&str]) -> Vec<Reference> {
        if !self.lacks(Guarantee::IndependentUploads) {
            return vec![self];
        }
        for writer in self.writers.values_mut().filter(|writer| paths.contains(&writer.path.as_str())) {
            writer.fate = writer.fate.max(Fate::Doubtful);
        }
        let mut without = self.clone();
        for begun in self.uploads_where(|upload| paths.contains(&upload.path.as_str())) {
            without.remove_upload(begun);
        }
        vec![self, without]
    }

    fn uploads_where(&self, of: impl Fn(&Upload) -> bool) -> Vec<u64> {
        self.uploads.iter().filter(|upload| of(upload)).map(|upload| upload.begun).collect()
    }

    fn rename(&self, from: &str, to: &str) -> Next {
        let Some(file) = self.files.get(from) else {
            return self.unchanged(Expectation::Fails(ErrorKind::PathNotFound));
        };
        if from == to {
            return self.unchanged(Expectation::Done);
        }
        let mut next = self.clone();
        next.files.remove(from);
        next.publish(to, file.content.clone());
        let mut all = self.refusal(to);
        all.extend(next.uploads_touched(&[from, to]).into_iter().map(|next| (Expectation::Done, next)));
        all
    }

    fn delete(&self, path: &str) -> Next {
        let mut next = self.clone();
        next.files.retain(|file, _| !is_within(file, path));
        for begun in self.uploads_where(|upload| is_within(&upload.path, path)) {
            next.remove_upload(begun);
        }
        next.traces.retain(|(trace, _)| !is_within(trace, path));
        let certain = next.files.len() < self.files.len() || next.uploads.len() < self.uploads.len();
        let unfinished = self.writers.values().any(|writer| is_within(&writer.path, path));
        let possible = certain || unfinished || next.traces.len() < self.traces.len();
        for writer in next.writers.values_mut().filter(|writer| is_within(&writer.path, path)) {
            writer.fate = writer.fate.max(Fate::Doubtful);
        }
        let mut all = Vec::new();
        if !certain {
            all.extend(self.unchanged(Expectation::Fails(ErrorKind::PathNotFound)));
        }
        if possible {
            all.push((Expectation::Done, next));
        }
        all
    }

    /// How an upload may be listed: a live writer that resumed it may have made more of it durable.
    fn range_of(&self, upload: &Upload) -> UploadRange {
        let least = upload.content.len() as u64;
        let live = self.sharing(upload.begun).filter(|writer| writer.fate != Fate::Lost);
        let most = live.map(|writer| writer.accepted.len() as u64).max().unwrap_or(least);
        UploadRange { path: upload.path.clone(), least, most: most.max(least) }
    }

    fn traces_within(&self, below: &str) -> Vec<UploadRange> {
        let traces = self.traces.iter().filter(|(path, _)| is_within(path, below));
        traces.map(|(path, most)| UploadRange { path: path.clone(), least: 0, most: *most }).collect()
    }

    /// What open writers may be listed as, beside the uploads that they resumed.
    fn open_within(&self, below: &str) -> Vec<UploadRange> {
        let writers = self.writers.values().filter(|writer| is_within(&writer.path, below));
        let range = |writer: &Writer| UploadRange {
            path: writer.path.clone(),
            least: 0,
            most: writer.accepted.len() as u64,
        };
        writers.map(range).collect()
    }

    fn list_uploads(&self, below: &str) -> Expectation {
        let must = self.uploads.iter().filter(|upload| is_within(&upload.path, below));
        let may = [self.traces_within(below), self.open_within(below)].concat();
        Expectation::Uploads(must.map(|upload| self.range_of(upload)).collect(), may)
    }

    /// Of whatever age. What is open in a live writer may be aborted by a driver that cannot see it;
    /// the writer is in doubt then.
    fn abort_stale(&self, below: &str) -> Next {
        let (mut certain, mut possible) = (Vec::new(), Vec::new());
        let mut careful = self.clone();
        for upload in self.uploads.iter().filter(|upload| is_within(&upload.path, below)) {
            if self.sharing(upload.begun).next().is_none() {
                certain.push(self.range_of(upload));
                careful.remove_upload(upload.begun);
            } else {
                possible.push((upload.begun, self.range_of(upload)));
            }
        }
        let traces = self.traces_within(below);
        careful.traces.retain(|(path, _)| !is_within(path, below));

        let open = self.open_within(below);
        let mut all = vec![(Expectation::Uploads(certain.clone(), traces.clone()), careful.clone())];
        if !open.is_empty() {
            let mut careless = careful;
            for writer in careless.writers.values_mut().filter(|writer| is_within(&writer.path, below)) {
                writer.fate = writer.fate.max(Fate::Doubtful);
            }
            // Any of those that are open, each with a state of its own.
            for taken in subsets(&possible) {
                let (mut state, mut aborted) = (careless.clone(), certain.clone());
                for (begun, range) in taken {
                    state.remove_upload(begun);
                    aborted.push(range);
                }
                all.push((Expectation::Uploads(aborted, [traces.clone(), open.clone()].concat()), state));
            }
        }
        all
    }
}

/// Every choice among a few things.
fn subsets<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    for one in of {
        let with: Vec<Vec<T>> =
            all.iter().map(|chosen| [chosen.as_slice(), std::slice::from_ref(one)].concat()).collect();
        all.extend(with);
    }
    all
}
