//! An upload that others cancel, abort, delete or discard while a writer has it open, step by step.

use storagedriver::{ErrorKind, Result, Storage, WriteMode};
use storagedriver_object::Description;
use storagedriver_object::testing::MemoryStore;

use crate::store::{Client, PART, begin, in_turns, kinds, nothing_is_left, open};

#[derive(Debug, Clone, Copy)]
enum Ending {
    Cancel,
    Abort,
    Delete,
    Discard,
}

impl Ending {
    async fn run(self, storage: &Storage) -> Result<()> {
        match self {
            Ending::Cancel => storage.writer("/file", WriteMode::Append).await?.cancel().await,
            Ending::Abort => {
                // What no session names is young, and stays an hour.
                let uploads = storage.uploads("/").await?;
                for upload in uploads.iter().filter(|upload| upload.id().starts_with("session:")) {
                    storage.abort_upload(upload).await?;
                }
                Ok(())
            }
            Ending::Delete => storage.delete("/file").await,
            Ending::Discard => storage.writer("/file", WriteMode::Create).await.map(drop),
        }
    }
}

struct Case {
    kind: &'static str,
    description: Description,
    /// What was closed before; `None`: the writer begins the upload.
    first: Option<usize>,
    more: usize,
    commit: bool,
    ending: Ending,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for (kind, description) in kinds() {
            for (first, more) in [(None, 5000), (Some(100), 50), (Some(100), 5000), (Some(5000), 50)] {
                for commit in [true, false] {
                    for ending in [Ending::Cancel, Ending::Abort, Ending::Delete, Ending::Discard] {
                        let description = description.clone();
                        cases.push(Case { kind, description, first, more, commit, ending });
                    }
                }
            }
        }
        cases
    }

    async fn write(&self, storage: &Storage) -> Result<()> {
        let mode = if self.first.is_some() { WriteMode::Append } else { WriteMode::Create };
        let mut writer = storage.writer("/file", mode).await?;
        for _ in 0..self.more.div_ceil(PART) {
            writer.write(vec![1; PART.min(self.more)]).await?;
        }
        if self.commit { writer.commit().await } else { writer.close().await.map(drop) }
    }

    /// As [`in_turns`].
    async fn run(&self, turns: &[usize]) -> Option<usize> {
        let store = MemoryStore::new(self.description.clone());
        let ((a, of_a), (b, of_b)) = (open(&store), open(&store));
        if let Some(first) = self.first {
            begin(&a, first).await;
        }
        let mut one = Client::new(&of_a, self.write(&a));
        let mut other = Client::new(&of_b, self.ending.run(&b));
        let too_long = in_turns(turns, &mut one, &mut other).await;
        let ended = [one.ended.take().unwrap(), other.ended.take().unwrap()];
        let step = format!(
            "{}, {:?}+{}, commit {}, {:?} in turns {turns:?}: {ended:?}",
            self.kind, self.first, self.more, self.commit, self.ending
        );
        let refusals = [ErrorKind::Conflict, ErrorKind::PathNotFound];
        for end in &ended {
            assert!(end.as_ref().err().is_none_or(|error| refusals.contains(&error.kind())), "{step}");
        }
        self.look(&store, &step, &ended).await;
        too_long
    }

    async fn look(&self, store: &MemoryStore, step: &str, ended: &[Result<()>; 2]) {
        let (storage, _) = open(store);
        let whole =
            [vec![0; self.first.unwrap_or(0)], vec![1; self.more.div_ceil(PART) * PART.min(self.more)]]
                .concat();
        match storage.get_content("/file").await {
            Ok(found) => assert!(self.commit && found == whole, "{step}: {} bytes", found.len()),
            Err(error) => {
                // Committed, and deleted after that.
                let deleted = matches!(self.ending, Ending::Delete);
                assert!(error.is_not_found(), "{step}: {error}");
                assert!(!self.commit || ended[0].is_err() || deleted, "{step}: nothing is there");
            }
        }
        if storage.uploads("/file").await.unwrap().iter().any(|upload| upload.size() > 0) {
            let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
            let size = writer.size() as usize;
            assert!([self.first.unwrap_or(0), whole.len()].contains(&size), "{step}: resumed at {size}");
            let committed = writer.commit().await;
            let fenced = self.description.conditional_put;
            assert!(committed.is_ok() || !fenced, "{step}: resumed at {size}: {committed:?}");
            if committed.is_ok() {
                assert_eq!(
                    storage.get_content("/file").await.unwrap(),
                    *whole.get(..size).unwrap(),
                    "{step}"
                );
            }
        }
        nothing_is_left(store, step).await;
    }
}

#[tokio::test]
async fn an_upload_that_another_ends_is_whole_or_gone() {
    let mut runs = 0;
    for case in Case::all() {
        let mut turns = [0, 0];
        loop {
            runs += 1;
            match case.run(&turns).await {
                None => turns[1] += 1,
                Some(0) => break,
                Some(_) => turns = [turns[0] + 1, 0],
            }
        }
    }
    assert!(runs > 2000, "{runs} orders");
}
