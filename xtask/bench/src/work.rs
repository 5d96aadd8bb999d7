//! The pieces of work, the same for every subject. A subject is a type here, and not a trait object: what the bench itself
//! spends on an operation has to be little beside a read of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::step::{Kind, Step};
use crate::subject::{Outcome, Subject};

/// The largest piece of a content that is not streamed, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a step took.
pub(crate) struct Took {
    nanoseconds: u128,
    operations: u64,
    laps: Map<String, Value>,
}

impl Took {
    /// As the program says it.
    pub(crate) fn json(&self) -> Value {
        json!({ "nanoseconds": self.nanoseconds as u64, "operations": self.operations, "laps": self.laps })
    }
}

/// A step with what its operations need, made before the clock starts.
pub(crate) struct Work {
    step: Step,
    content: Bytes,
    ring: Vec<String>,
    next: AtomicU64,
    is_over: AtomicBool,
}

impl Work {
    pub(crate) fn prepare(step: Step) -> Outcome<Arc<Self>> {
        let piece = if step.piece > 0 { step.piece } else { step.size.min(LARGEST) };
        let content = content(piece)?;
        let ring = (0..step.ring).map(|index| blob(&step.from, index)).collect();
        Ok(Arc::new(Work { step, content, ring, next: AtomicU64::new(0), is_over: AtomicBool::new(false) }))
    }

    /// Does it all.
    ///
    /// # Errors
    /// An operation failed, or found something else than it had to.
    pub(crate) async fn run<S: Subject>(self: Arc<Self>, subject: Arc<S>) -> Outcome<Took> {
        if self.step.kind == Kind::Stream {
            let work = self.clone();
            return tokio::spawn(async move { work.stream(subject.as_ref()).await }).await?;
        }
        let started = Instant::now();
        if self.step.milliseconds > 0 {
            let work = self.clone();
            // Reading a clock for each operation would cost what the fastest of them do.
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(work.step.milliseconds));
                work.is_over.store(true, Ordering::Relaxed);
            });
        }
        let workers: Vec<_> = (0..self.step.workers)
            .map(|_| {
                let (work, subject) = (self.clone(), subject.clone());
                tokio::spawn(async move { work.worker(subject.as_ref()).await })
            })
            .collect();
        let mut operations = 0;
        for worker in workers {
            operations += worker.await??;
        }
        Ok(Took { nanoseconds: started.elapsed().as_nanos(), operations, laps: Map::new() })
    }

    /// Takes the next index as long as there is one; how many it took.
    async fn worker<S: Subject>(&self, subject: &S) -> Outcome<u64> {
        let mut operations = 0;
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let is_over = match self.step.milliseconds {
                0 => index >= self.step.count,
                // Whatever takes longer than the time is done once.
                _ => index > 0 && self.is_over.load(Ordering::Relaxed),
            };
            if is_over {
                return Ok(operations);
            }
            self.one(subject, index).await?;
            operations += 1;
        }
    }

    async fn one<S: Subject>(&self, subject: &S, index: u64) -> Outcome {
        let Step { size, from, to, .. } = &self.step;
        match self.step.kind {
            Kind::Put => match self.ringed(index) {
                Some(path) => subject.put(path, self.content.clone()).await,
                None => subject.put(&blob(from, index), self.content.clone()).await,
            },
            Kind::PutFlat => subject.put(&format!("{from}/f{index:06}"), self.content.clone()).await,
            Kind::Get => match self.ringed(index) {
                Some(path) => expect(*size, subject.get(path).await?),
                None => expect(*size, subject.get(&blob(from, index)).await?),
            },
            Kind::Stat => match self.ringed(index) {
                Some(path) => expect(1, subject.stat(path).await?.into()),
                None => expect(1, subject.stat(&blob(from, index)).await?.into()),
            },
            Kind::StatMissing => expect(0, subject.stat(from).await?.into()),
            Kind::Upload => {
                subject.upload(from, self.content.clone(), self.pieces()).await?;
                Ok(())
            }
            Kind::Download => expect(*size, subject.download(from).await?),
            Kind::Rename => subject.rename(from, to).await,
            Kind::Move if index.is_multiple_of(2) => subject.rename(from, to).await,
            Kind::Move => subject.rename(to, from).await,
            Kind::List => expect(*size, subject.list(from).await?),
            Kind::Walk => expect(*size, subject.walk(from).await?),
            Kind::Delete => subject.delete(from).await,
            Kind::RegistryUpload => {
                let (from, to) = (format!("{from}/{index}/data"), blob(to, index));
                subject.registry_upload(&from, &to, self.content.clone()).await
            }
            Kind::Stream => Err("a stream has laps".into()),
        }
    }

    fn ringed(&self, index: u64) -> Option<&str> {
        let length = self.ring.len() as u64;
        let position = index.checked_rem(length)?;
        self.ring.get(usize::try_from(position).ok()?).map(String::as_str)
    }

    fn pieces(&self) -> u64 {
        self.step.size / (self.content.len() as u64).max(1)
    }

    /// Writes, commits, reads into a buffer as large as a piece, and reads what comes as it comes.
    async fn stream<S: Subject>(&self, subject: &S) -> Outcome<Took> {
        let Step { size, from, .. } = &self.step;
        let mut buffer = vec![0; self.content.len()];
        let mut laps = [Duration::ZERO; 4];
        let began = Instant::now();
        for _ in 0..self.step.count {
            let started = Instant::now();
            let handed = subject.upload(from, self.content.clone(), self.pieces()).await?;
            let committed = Instant::now();
            expect(*size, subject.read(from, &mut buffer).await?)?;
            let read = Instant::now();
            expect(*size, subject.download(from).await?)?;
            let copied = Instant::now();
            subject.delete_file(from).await?;
            let took = [handed - started, committed - started, read - committed, copied - read];
            laps.iter_mut().zip(took).for_each(|(lap, took)| *lap += took);
        }
        let laps = ["write", "write-commit", "read", "copy"].into_iter().zip(laps);
        let laps = laps.map(|(name, lap)| (name.to_owned(), json!(lap.as_nanos() as u64))).collect();
        Ok(Took { nanoseconds: began.elapsed().as_nanos(), operations: self.step.count, laps })
    }
}

/// Where the blob of a number lies, in the layout of a registry. Spread as digests are.
fn blob(below: &str, index: u64) -> String {
    let half = format!("{:016x}", index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (shard, _) = half.split_at(2);
    format!("{below}/{shard}/{half}{half}{half}{half}/data")
}

fn content(size: u64) -> Outcome<Bytes> {
    let size = usize::try_from(size)?;
    Ok((0..=250_u8).cycle().take(size).collect::<Vec<u8>>().into())
}

fn expect(expected: u64, found: u64) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{found} in place of {expected}").into()) }
}
