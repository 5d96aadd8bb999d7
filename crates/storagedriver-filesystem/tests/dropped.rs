//! Futures dropped at random polls leave an allowed state, and one that does not change any more.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use storagedriver::{FileWriter, Result, Storage, WriteMode};
use storagedriver_filesystem::FilesystemParameters;

/// When a future is dropped: after so many polls, with so many microseconds between them.
type Patience = Option<(u8, u16)>;

/// Polls as long as patience lasts; `None` if the future was dropped.
fn attempt<T>(
    runtime: &tokio::runtime::Runtime,
    patience: Patience,
    future: impl Future<Output = T>,
) -> Option<T> {
    let Some((polls, pause)) = patience else {
        return Some(runtime.block_on(future));
    };
    let _entered = runtime.enter();
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return Some(outcome);
        }
        std::thread::sleep(Duration::from_micros(pause.into()));
    }
    None
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Close,
    Commit,
    Cancel,
    Drop,
}

#[derive(Debug, Clone)]
enum Operation {
    Put(usize),
    Upload { append: bool, chunks: Vec<(usize, Patience)>, ending: Ending },
    Rename,
    Delete,
}

fn patience() -> impl Strategy<Value = Patience> {
    prop_oneof![1 => Just(None), 4 => (1..6u8, 0..300u16).prop_map(Some)]
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0..2000usize, (1usize << 20) - 10..(1 << 20) + 10, Just(2_500_000)]
}

fn operation() -> impl Strategy<Value = Operation> {
    let ending = prop_oneof![
        3 => Just(Ending::Close), 3 => Just(Ending::Commit), 1 => Just(Ending::Cancel), 1 => Just(Ending::Drop)
    ];
    let chunks = proptest::collection::vec((size(), patience()), 0..4);
    prop_oneof![
        2 => size().prop_map(Operation::Put),
        5 => (any::<bool>(), chunks, ending)
            .prop_map(|(append, chunks, ending)| Operation::Upload { append, chunks, ending }),
        1 => Just(Operation::Rename),
        1 => Just(Operation::Delete),
    ]
}

/// What `/d/p` holds: its content, and the closed upload that would be resumed. And what `/e/q` holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct State {
    content: Option<Vec<u8>>,
    upload: Option<Vec<u8>>,
    other: Option<Vec<u8>>,
}

struct Run {
    runtime: tokio::runtime::Runtime,
    storage: Storage,
    state: State,
    fill: u8,
}

impl Run {
    fn bytes(&mut self, size: usize) -> Vec<u8> {
        self.fill = self.fill.wrapping_add(1);
        vec![self.fill; size]
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        match self.runtime.block_on(self.storage.get_content(path)) {
            Ok(content) => Some(content.to_vec()),
            Err(error) => {
                assert!(error.is_not_found(), "{error}");
                None
            }
        }
    }

    /// The size of the one closed upload there may be.
    fn resumable(&self) -> Option<u64> {
        let uploads = self.runtime.block_on(self.storage.uploads("/d/p")).unwrap();
        let closed: Vec<u64> = uploads
            .iter()
            .filter(|upload| !upload.id().contains("open"))
            .map(|upload| upload.size())
            .collect();
        assert!(closed.len() <= 1, "{closed:?}");
        closed.first().copied()
    }

    /// Takes the state that is there, which has to be one of these, now and later.
    fn settle(&mut self, allowed: &[State]) {
        let found = |run: &Run| (run.read("/d/p"), run.resumable(), run.read("/e/q"));
        let first = found(self);
        let length = |content: &Option<Vec<u8>>| content.as_ref().map(|content| content.len() as u64);
        let is = |state: &&State| {
            (&state.content, length(&state.upload), &state.other) == (&first.0, first.1, &first.2)
        };
        let Some(state) = allowed.iter().find(is) else {
            let sizes = |state: &State| (length(&state.content), length(&state.upload), length(&state.other));
            let allowed: Vec<_> = allowed.iter().map(sizes).collect();
            panic!("{:?} is none of {allowed:?}", (length(&first.0), first.1, length(&first.2)));
        };
        self.state = state.clone();
        std::thread::sleep(Duration::from_millis(3));
        assert!(found(self) == first, "the state changed after the future was dropped");
    }

    fn run(&mut self, operation: Operation, patience: Patience) {
        let before = self.state.clone();
        let storage = self.storage.clone();
        match operation {
            Operation::Put(size) => {
                let content = self.bytes(size);
                let put = storage.put_content("/d/p", content.clone());
                let outcome = attempt(&self.runtime, patience, put);
                self.done(outcome, State { content: Some(content), ..before });
            }
            Operation::Rename => {
                let outcome = attempt(&self.runtime, patience, storage.rename("/d/p", "/e/q"));
                let after = match &before.content {
                    Some(content) => State { content: None, other: Some(content.clone()), ..before.clone() },
                    None => before,
                };
                self.done(outcome, after);
            }
            Operation::Delete => {
                let outcome = attempt(&self.runtime, patience, storage.delete("/d"));
                let after = State { content: None, upload: None, other: before.other.clone() };
                if outcome.is_some() {
                    return self.done(outcome, after);
                }
                // Half-way the content is gone and the upload is not.
                let half = State { content: None, ..before.clone() };
                self.settle(&[before, half, after]);
            }
            Operation::Upload { append, chunks, ending } => self.upload(append, chunks, ending, patience),
        }
    }

    fn done(&mut self, outcome: Option<Result<()>>, after: State) {
        match outcome {
            Some(Ok(())) => self.settle(&[after]),
            Some(Err(error)) => {
                assert!(error.is_not_found(), "{error}");
                let before = self.state.clone();
                self.settle(&[before]);
            }
            None => self.settle(&[self.state.clone(), after]),
        }
    }

    fn upload(&mut self, append: bool, chunks: Vec<(usize, Patience)>, ending: Ending, patience: Patience) {
        let mode = if append { WriteMode::Append } else { WriteMode::Create };
        let storage = self.storage.clone();
        let discarded = State { upload: None, ..self.state.clone() };
        let opened = attempt(&self.runtime, patience, storage.writer("/d/p", mode));
        let mut writer = match opened {
            Some(Ok(writer)) => writer,
            Some(Err(error)) => {
                assert!(error.is_not_found() && append, "{error}");
                return assert!(self.state.content.is_none() && self.state.upload.is_none());
            }
            None if append => {
                let before = self.state.clone();
                return self.settle(&[before]);
            }
            None => return self.settle(&[self.state.clone(), discarded]),
        };
        let mut content = Vec::new();
        if append {
            content = self.state.upload.clone().or(self.state.content.clone()).unwrap();
        } else {
            self.settle(&[discarded]);
        }
        for (size, patience) in chunks {
            self.write(&mut writer, &mut content, size, patience);
        }
        let before = self.state.clone();
        let outcome = match ending {
            Ending::Close => attempt(&self.runtime, patience, writer.close()).map(|closed| closed.map(drop)),
            Ending::Commit => attempt(&self.runtime, patience, writer.commit()),
            Ending::Cancel => attempt(&self.runtime, patience, writer.cancel()),
            Ending::Drop => {
                drop(writer);
                return self.settle(&[before]);
            }
        };
        let after = match ending {
            Ending::Close => State { upload: Some(content), ..before.clone() },
            Ending::Commit => State { content: Some(content), upload: None, ..before.clone() },
            Ending::Cancel | Ending::Drop => {
                State { upload: if append { None } else { before.upload.clone() }, ..before.clone() }
            }
        };
        // A commit whose content to start from was renamed away fails, and is kept for another writer.
        let kept = State { upload: after.content.clone(), ..self.state.clone() };
        match outcome {
            Some(Err(error)) => {
                assert!(matches!(error, storagedriver::Error::Conflict { .. }), "{error}");
                self.settle(&[kept]);
            }
            None if append && matches!(ending, Ending::Commit) => self.settle(&[before, after, kept]),
            outcome => self.done(outcome, after),
        }
    }

    /// A dropped write took the whole chunk or none.
    fn write(&mut self, writer: &mut FileWriter, content: &mut Vec<u8>, size: usize, patience: Patience) {
        let chunk = self.bytes(size);
        let before = writer.size();
        let outcome = attempt(&self.runtime, patience, writer.write(chunk.clone()));
        if writer.size() != before {
            assert_eq!(writer.size(), before + size as u64);
            content.extend_from_slice(&chunk);
        }
        if let Some(outcome) = outcome {
            outcome.unwrap();
        }
        assert_eq!(writer.size(), content.len() as u64);
    }
}

/// How many programs: enough for CI, or what `PROPTEST_CASES` says.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_whose_futures_are_dropped(program in proptest::collection::vec((operation(), patience()), 1..14)) {
        let directory = tempfile::tempdir().unwrap();
        let storage = FilesystemParameters::new(directory.path()).with_durability("none").into_storage().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut run = Run { runtime, storage, state: State::default(), fill: 0 };
        for (operation, patience) in program {
            run.run(operation, patience);
        }
        // Nothing was left behind by what was dropped, its own staged files apart.
        let storage = run.storage.clone();
        run.runtime.block_on(storage.abort_stale("/", Duration::ZERO)).unwrap();
        // A job that was given up and has not noticed yet removes its own; on a busy machine that takes a while.
        let staged = directory.path().join("~staging");
        let left = || staged.exists() && std::fs::read_dir(&staged).unwrap().next().is_some();
        for _ in 0..1000 {
            if !left() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        prop_assert!(!left());
    }
}
