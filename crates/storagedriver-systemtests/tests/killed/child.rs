//! The process that is killed, and what the parent learns from it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use storagedriver_systemtests::GivenStorage;

use crate::steps::{WORKERS, Worker};

/// Tells the child where to work; without it, it is no child.
const ROOT: &str = "STORAGEDRIVER_TEST_ROOT";

pub(crate) fn root() -> Option<String> {
    std::env::var(ROOT).ok()
}

/// How far a worker came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Acknowledged {
    /// How many steps were acknowledged.
    pub(crate) done: u64,
    /// Whether the next one was begun.
    pub(crate) in_flight: bool,
}

impl Acknowledged {
    /// Whether it was killed in the middle of what its kind is about.
    pub(crate) fn is_amid(self, worker: Worker) -> bool {
        self.in_flight && worker.is_about(self.done)
    }

    /// The numbers of steps that may have taken effect.
    pub(crate) fn possible(self) -> impl Iterator<Item = u64> {
        self.done..=self.done + u64::from(self.in_flight)
    }
}

/// Works until it is killed.
pub(crate) async fn work(given: GivenStorage, root: String) {
    let storage = given.open(&root).await.unwrap();
    let mut all = Vec::new();
    for worker in WORKERS {
        let storage = storage.clone();
        all.push(tokio::spawn(async move {
            for step in 0.. {
                say(&format!("{} {step} begin", worker.name()));
                worker.step(&storage, step).await.unwrap();
                say(&format!("{} {step} done", worker.name()));
            }
        }));
    }
    for worker in all {
        worker.await.unwrap();
    }
}

/// Not by `println`, which libtest may hold back. Fails once the parent is gone, and so ends.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// When a child is killed: in the middle of a step of this kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant {
    pub(crate) worker: Worker,
    /// Of how many such steps, the first being 0.
    pub(crate) step: u64,
    /// How long after that step was begun.
    pub(crate) after: Duration,
}

/// Lets a child work and kills it at that instant; how far each worker came.
pub(crate) fn kill_one(root: &str, instant: Instant) -> Vec<(Worker, Acknowledged)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        said.push(line.unwrap());
        if steps_begun(instant.worker, &said) > instant.step {
            break;
        }
    }
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(instant.after);
    child.kill().unwrap();
    said.extend(reader.join().unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.signal() == Some(9),
        "the child ended by itself: {}{}",
        said.join("\n"),
        String::from_utf8_lossy(&output.stderr)
    );
    WORKERS.iter().map(|&worker| (worker, acknowledged(worker, &said))).collect()
}

/// Worker, number and `begin` or `done`. The first line may stand behind what libtest says; of one
/// that was cut off by the kill a word is missing.
fn words(line: &str) -> Option<(&str, u64, &str)> {
    let words: Vec<&str> = line.split_once('@')?.1.split(' ').collect();
    match words[..] {
        [name, step, word] => Some((name, step.parse().ok()?, word)),
        _ => None,
    }
}

fn steps_begun(worker: Worker, said: &[String]) -> u64 {
    let begun = |line: &&String| {
        words(line).is_some_and(|(name, step, word)| {
            name == worker.name() && word == "begin" && worker.is_about(step)
        })
    };
    said.iter().filter(begun).count() as u64
}

fn acknowledged(worker: Worker, said: &[String]) -> Acknowledged {
    let mut came = Acknowledged::default();
    for (name, step, word) in said.iter().filter_map(|line| words(line)) {
        match word {
            "begin" if name == worker.name() => came.in_flight = true,
            "done" if name == worker.name() => came = Acknowledged { done: step + 1, in_flight: false },
            _ => {}
        }
    }
    came
}
