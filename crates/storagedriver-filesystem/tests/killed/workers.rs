//! What the child does, and what of it has to be there after it was killed.

use bytes::Bytes;
use storagedriver::{Result, Storage, WriteMode};

/// How far a worker came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// How many steps were acknowledged.
    pub(crate) done: u64,
    /// Whether the next one was begun.
    pub(crate) in_flight: bool,
}

impl Progress {
    /// How far a worker came, by the lines that the child said.
    pub(crate) fn of(worker: Worker, said: &[String]) -> Progress {
        let mut progress = Progress { done: 0, in_flight: false };
        for line in said {
            // The first line may stand behind what libtest says.
            let Some((_, line)) = line.split_once('@') else { continue };
            let mut words = line.split(' ');
            if words.next() != Some(worker.name()) {
                continue;
            }
            let step: u64 = words.next().unwrap().parse().unwrap();
            match words.next() {
                Some("begin") => progress.in_flight = true,
                Some("done") => progress = Progress { done: step + 1, in_flight: false },
                // Killed in the middle of a line: as if it were not there.
                _ => {}
            }
        }
        progress
    }

    /// The numbers of steps that may have taken effect.
    fn possible(self) -> impl Iterator<Item = u64> {
        self.done..=self.done + u64::from(self.in_flight)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worker {
    Put,
    Upload,
    Rename,
    Delete,
}

pub(crate) const WORKERS: [Worker; 4] = [Worker::Put, Worker::Upload, Worker::Rename, Worker::Delete];

/// Content that follows from a number: of any size from nothing to three megabytes, so that every
/// way through the writer is taken, and different for each number.
fn content(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut content = Vec::with_capacity(size + 8);
    while content.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(size);
    content.into()
}

fn size(seed: u64) -> usize {
    match seed % 7 {
        0 => 0,
        1 | 2 => 200,
        3 | 4 => 70_000,
        5 => 1_300_000,
        _ => 3_000_000,
    }
}

fn file(step: u64) -> Bytes {
    content(step, size(step * 5) / 4)
}

/// The part that a writer writes in one of the three steps of an upload.
fn part(step: u64) -> Bytes {
    content(step + 1_000_000, size(step))
}

fn parts(cycle: u64, count: u64) -> Vec<u8> {
    (0..count).flat_map(|at| part(cycle * 3 + at).to_vec()).collect()
}

async fn read(storage: &Storage, path: &str) -> Option<Bytes> {
    match storage.get_content(path).await {
        Ok(content) => Some(content),
        Err(error) if error.is_not_found() => None,
        Err(error) => panic!("{error}"),
    }
}

fn expect(holds: bool, wrong: &str) -> std::result::Result<(), String> {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}

const LEAVES: u64 = 4;

impl Worker {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Worker::Put => "put",
            Worker::Upload => "upload",
            Worker::Rename => "rename",
            Worker::Delete => "delete",
        }
    }

    pub(crate) async fn step(self, storage: &Storage, run: &str, step: u64) -> Result<()> {
        let at = |name: &str| format!("/{run}/{}/{name}", self.name());
        match self {
            Worker::Put => storage.put_content(&at("x/file"), file(step)).await,
            Worker::Upload => {
                let mode = if step.is_multiple_of(3) { WriteMode::Create } else { WriteMode::Append };
                let mut writer = storage.writer(&at("y/data"), mode).await?;
                let part = part(step);
                // In two pieces, the first of which may be gathered.
                let (first, second) = (part.slice(..part.len() / 3), part.slice(part.len() / 3..));
                writer.write(first).await?;
                writer.write(second).await?;
                if step % 3 == 2 { writer.commit().await } else { writer.close().await.map(drop) }
            }
            Worker::Rename if step.is_multiple_of(2) => {
                storage.put_content(&at("from/a/file"), file(step)).await
            }
            Worker::Rename => {
                storage.rename(&at("from/a/file"), &at(&format!("to/{}/file", step / 2 % 3))).await
            }
            Worker::Delete => match step % (LEAVES + 2) {
                LEAVES => {
                    let mut writer = storage.writer(&at("t/2/leaf"), WriteMode::Create).await?;
                    writer.write("upload").await?;
                    writer.close().await.map(drop)
                }
                leaf if leaf < LEAVES => {
                    storage.put_content(&at(&format!("t/{leaf}/leaf")), file(step)).await
                }
                _ => storage.delete(&at("t")).await,
            },
        }
    }

    /// Whether what is there is what the steps leave; the error says what is wrong.
    pub(crate) async fn check(
        self,
        storage: &Storage,
        run: &str,
        progress: Progress,
    ) -> std::result::Result<(), String> {
        let at = |name: &str| format!("/{run}/{}/{name}", self.name());
        match self {
            Worker::Put => {
                let found = read(storage, &at("x/file")).await;
                let right = |steps: u64| found == steps.checked_sub(1).map(file);
                expect(progress.possible().any(right), "the content is none that was put")
            }
            Worker::Upload => check_upload(storage, &at("y/data"), progress).await,
            Worker::Rename => check_rename(storage, at, progress).await,
            Worker::Delete => check_delete(storage, at, progress).await,
        }
    }
}

/// The committed content and the upload are those of one state between two steps; a step in flight
/// may also have discarded the upload before (as `Create` does), or be complete and not committed.
async fn check_upload(storage: &Storage, path: &str, progress: Progress) -> std::result::Result<(), String> {
    let content = read(storage, path).await;
    // Those that were never closed cannot be resumed.
    let resumable: Vec<u64> = storage
        .uploads(path)
        .await
        .map_err(|error| error.to_string())?
        .iter()
        .filter(|upload| !upload.id().ends_with("open"))
        .map(storagedriver::UploadInfo::size)
        .collect();
    let committed = |steps: u64| (steps / 3).checked_sub(1).map(|cycle| parts(cycle, 3));
    let uploaded = |steps: u64| (!steps.is_multiple_of(3)).then(|| parts(steps / 3, steps % 3));
    let mut found = None;
    if !resumable.is_empty() {
        let writer = storage.writer(path, WriteMode::Append).await.map_err(|error| error.to_string())?;
        expect(resumable == [writer.size()], "there are several uploads, or another size is resumed")?;
        writer.commit().await.map_err(|error| error.to_string())?;
        found = read(storage, path).await;
    }
    let right = |steps: u64| {
        content.as_deref() == committed(steps).as_deref() && found.as_deref() == uploaded(steps).as_deref()
    };
    expect(
        progress.possible().any(right),
        &format!("content and upload are of no state; resumable {resumable:?}"),
    )
}

async fn check_rename(
    storage: &Storage,
    at: impl Fn(&str) -> String,
    progress: Progress,
) -> std::result::Result<(), String> {
    let source = read(storage, &at("from/a/file")).await;
    let mut targets = Vec::new();
    for target in 0..3 {
        targets.push(read(storage, &at(&format!("to/{target}/file"))).await);
    }
    let right = |steps: u64| {
        let waiting = (!steps.is_multiple_of(2)).then(|| file(steps - 1));
        let moved = steps / 2;
        let expected =
            (0..3).map(|target| (0..moved).rev().find(|nth| nth % 3 == target).map(|nth| file(nth * 2)));
        source == waiting && targets.iter().cloned().eq(expected)
    };
    expect(progress.possible().any(right), "source and targets are of no state between two moves")
}

async fn check_delete(
    storage: &Storage,
    at: impl Fn(&str) -> String,
    progress: Progress,
) -> std::result::Result<(), String> {
    let cycle = LEAVES + 2;
    let deleting = progress.in_flight && progress.done % cycle == cycle - 1;
    for leaf in 0..LEAVES {
        let found = read(storage, &at(&format!("t/{leaf}/leaf"))).await;
        let right = |steps: u64| {
            let put = steps % cycle > leaf;
            found == put.then(|| file(steps - steps % cycle + leaf))
        };
        // Half-way through a delete each file is there or not, and whole if it is.
        let whole = found == Some(file(progress.done - progress.done % cycle + leaf));
        let right = progress.possible().any(right) || deleting && (found.is_none() || whole);
        expect(right, &format!("leaf {leaf} is neither there whole nor gone"))?;
    }
    let uploads = storage.uploads(&at("t/2/leaf")).await.map_err(|error| error.to_string())?;
    let closed = uploads.iter().filter(|upload| upload.size() == 6).count();
    let right = |steps: u64| closed == usize::from(steps % cycle == cycle - 1);
    expect(
        progress.possible().any(right),
        "the upload is there though it was deleted, or gone though it was not",
    )
}
