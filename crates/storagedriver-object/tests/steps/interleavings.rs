//! Two processes on one upload, step by step.

use storagedriver::{ErrorKind, Result, Storage, WriteMode};
use storagedriver_object::Description;
use storagedriver_object::testing::MemoryStore;

use crate::store::{Client, begin, in_turns, kinds, nothing_is_left, open};

/// Resumes, writes `more` bytes of `byte` and one, and commits or closes.
async fn go_on(storage: &Storage, byte: u8, more: usize, commit: bool) -> Result<()> {
    let mut writer = storage.writer("/file", WriteMode::Append).await?;
    writer.write(vec![byte; more]).await?;
    writer.write(vec![byte]).await?;
    if commit { writer.commit().await } else { writer.close().await.map(drop) }
}

fn whole(first: usize, byte: u8, more: usize) -> Vec<u8> {
    [vec![0; first], vec![byte; more + 1]].concat()
}

/// One case of two that resume one upload.
struct Case {
    kind: &'static str,
    description: Description,
    first: usize,
    more: usize,
    /// Whether each of them commits; else it closes.
    commits: [bool; 2],
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for (kind, description) in kinds() {
            for (first, more) in [(100, 50), (100, 5000), (5000, 50), (5000, 5000)] {
                for commits in [[true, true], [true, false], [false, true], [false, false]] {
                    cases.push(Case { kind, description: description.clone(), first, more, commits });
                }
            }
        }
        cases
    }

    /// As [`in_turns`].
    async fn run(&self, turns: &[usize]) -> Option<usize> {
        let store = MemoryStore::new(self.description.clone());
        let ((a, of_a), (b, of_b)) = (open(&store), open(&store));
        begin(&a, self.first).await;
        let mut one = Client::new(&of_a, go_on(&a, 1, self.more, self.commits[0]));
        let mut other = Client::new(&of_b, go_on(&b, 2, self.more, self.commits[1]));
        let too_long = in_turns(turns, &mut one, &mut other).await;
        let ended = [one.ended.take().unwrap(), other.ended.take().unwrap()];
        let step = format!(
            "{}, {}+{}, {:?} in turns {turns:?}: {ended:?}",
            self.kind, self.first, self.more, self.commits
        );
        let fenced = self.description.conditional_put;
        if fenced {
            let kinds = [ErrorKind::Conflict, ErrorKind::PathNotFound];
            let refused = |end: &Result<()>| end.as_ref().is_err_and(|error| !kinds.contains(&error.kind()));
            assert!(!ended.iter().any(refused), "{step}");
            assert!(ended.iter().any(Result::is_ok), "{step}: neither");
        }
        self.settle(&store, &step, ended.iter().all(Result::is_ok)).await;
        too_long
    }

    /// Commits what is closed, and looks at the content: nobody's bytes are mixed with another's.
    async fn settle(&self, store: &MemoryStore, step: &str, both: bool) {
        let (storage, _) = open(store);
        let fenced = self.description.conditional_put;
        for upload in storage.uploads("/").await.unwrap() {
            let writer = storage.writer("/file", WriteMode::Append).await;
            assert!(writer.is_ok(), "{step}: {upload:?}: {writer:?}");
            let committed = writer.unwrap().commit().await;
            assert!(committed.is_ok() || !fenced, "{step}: {upload:?}: {committed:?}");
        }
        nothing_is_left(store, step).await;
        let Ok(found) = storage.get_content("/file").await else {
            assert!(!fenced, "{step}: nothing was published");
            return;
        };
        let (a, b) = (whole(self.first, 1, self.more), whole(self.first, 2, self.more));
        // One after the other: the second resumed what the first had closed, or went on from its content.
        let after = |one: &[u8], byte: u8| [one, &vec![byte; self.more + 1]].concat();
        let together = [after(&a, 2), after(&b, 1)].contains(&found.to_vec());
        assert!(together || a == found || b == found, "{step}: {} bytes", found.len());
        // A known limit: a commit that has begun is not stopped by a close.
        let overtaken = self.commits[0] != self.commits[1];
        assert!(!both || together || overtaken || !fenced, "{step}: both succeeded, and one is lost");
    }
}

#[tokio::test]
async fn of_two_that_resume_one_upload_one_ends_it() {
    // Every order in which each is interrupted at most once; with more time, twice.
    let most = if std::env::var_os("STORAGEDRIVER_EXHAUSTIVE").is_some() { 4 } else { 2 };
    let mut runs = 0;
    for case in Case::all() {
        let mut turns = vec![0; most];
        loop {
            runs += 1;
            let next = match case.run(&turns).await {
                None => most - 1,
                Some(0) => break,
                Some(place) => {
                    turns[place..].fill(0);
                    place - 1
                }
            };
            turns[next] += 1;
        }
    }
    assert!(runs > 2000, "{runs} orders");
}

#[tokio::test]
async fn another_upload_between_publication_and_the_end_of_a_session_is_kept() {
    for (kind, description) in kinds() {
        for (first, more) in [(100, 50), (5000, 5000)] {
            // From where the first has found its upload.
            for requests in 2..16 {
                let store = MemoryStore::new(description.clone());
                let ((a, of_a), (b, of_b)) = (open(&store), open(&store));
                begin(&a, first).await;
                let create = async {
                    let mut writer = b.writer("/file", WriteMode::Create).await?;
                    writer.write(vec![9; 3000]).await?;
                    writer.write("x").await?;
                    writer.close().await.map(drop)
                };
                let mut one = Client::new(&of_a, go_on(&a, 1, more, true));
                let mut other = Client::new(&of_b, create);
                in_turns(&[requests], &mut one, &mut other).await;
                let step = format!("{kind}, {first}+{more}, after {requests}: {:?}", one.ended);
                other.ended.take().unwrap().unwrap();
                drop((one, other));
                let writer = b.writer("/file", WriteMode::Append).await.unwrap();
                assert_eq!(writer.size(), 3001, "{step}");
                writer.commit().await.unwrap();
                assert_eq!(b.get_content("/file").await.unwrap().len(), 3001, "{step}");
                nothing_is_left(&store, &step).await;
            }
        }
    }
}
