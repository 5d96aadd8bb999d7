//! What has to be there after the kill.

use bytes::Bytes;
use storagedriver::{Storage, WriteMode};

use crate::child::Acknowledged;
use crate::steps::{
    DELETED_UPLOAD, LEAVES, MOVED, PLACES, SITTINGS, TREE, UPLOADED, Worker, deleted_upload, file, leaf,
    leaf_content, place, sitting,
};

/// What is wrong.
type Checked = Result<(), String>;

/// Whether what is there is what the steps leave.
pub(crate) async fn check(worker: Worker, storage: &Storage, came: Acknowledged) -> Checked {
    match worker {
        Worker::Upload => check_upload(storage, came).await,
        Worker::Rename => check_rename(storage, came).await,
        Worker::Delete => check_delete(storage, came).await,
    }
}

async fn read(storage: &Storage, path: &str) -> Option<Bytes> {
    match storage.get_content(path).await {
        Ok(content) => Some(content),
        Err(error) if error.is_not_found() => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn expect(holds: bool, wrong: &str) -> Checked {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}

/// Content in few words, for messages.
fn size(content: &Option<Bytes>) -> String {
    content.as_ref().map_or("nothing".to_owned(), |content| format!("{} bytes", content.len()))
}

/// The committed content and the upload are those of one state between two steps.
async fn check_upload(storage: &Storage, came: Acknowledged) -> Checked {
    let sittings = |cycle: u64, count: u64| -> Bytes {
        (0..count).flat_map(|at| sitting(cycle * SITTINGS + at)).collect::<Vec<u8>>().into()
    };
    let committed = |steps: u64| (steps / SITTINGS).checked_sub(1).map(|cycle| sittings(cycle, SITTINGS));
    let uploaded =
        |steps: u64| (!steps.is_multiple_of(SITTINGS)).then(|| sittings(steps / SITTINGS, steps % SITTINGS));
    let content = read(storage, UPLOADED).await;
    let listed = storage.uploads(UPLOADED).await.map_err(|error| error.to_string())?;
    // Where there is no upload that was closed, it continues the content.
    let continued = match storage.writer(UPLOADED, WriteMode::Append).await {
        Ok(writer) => {
            writer.commit().await.map_err(|error| format!("the upload cannot be committed: {error}"))?;
            read(storage, UPLOADED).await
        }
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(format!("the upload cannot be resumed: {error}")),
    };
    let right = |steps: u64| {
        let upload = uploaded(steps);
        let is_listed = |upload: &Bytes| listed.iter().any(|info| info.size() == upload.len() as u64);
        content == committed(steps)
            && upload.as_ref().is_none_or(is_listed)
            && continued == upload.or_else(|| committed(steps))
    };
    let sizes: Vec<u64> = listed.iter().map(storagedriver::UploadInfo::size).collect();
    let found = format!(
        "content of {}, continued to {}, uploads of {sizes:?} are of no state between two steps",
        size(&content),
        size(&continued)
    );
    expect(came.possible().any(right), &found)
}

/// A rename in flight may have left both, never neither.
async fn check_rename(storage: &Storage, came: Acknowledged) -> Checked {
    let source = read(storage, MOVED).await;
    let mut targets = Vec::new();
    for number in 0..PLACES {
        targets.push(read(storage, &place(number)).await);
    }
    let waiting = |steps: u64| (!steps.is_multiple_of(2)).then(|| file(steps - 1));
    let moved = |steps: u64| -> Vec<Option<Bytes>> {
        let last = |target| (0..steps / 2).rev().find(|number| number % PLACES == target);
        (0..PLACES).map(|target| last(target).map(|number| file(number * 2))).collect()
    };
    let right = |steps: u64| source == waiting(steps) && targets == moved(steps);
    let both =
        came.is_amid(Worker::Rename) && source == waiting(came.done) && targets == moved(came.done + 1);
    let sizes: Vec<String> = targets.iter().map(size).collect();
    let found = format!("{} at the source and {sizes:?} at the targets", size(&source));
    expect(both || came.possible().any(right), &found)
}

/// A delete in flight may have left any of the files, each whole.
async fn check_delete(storage: &Storage, came: Acknowledged) -> Checked {
    let deleting = came.is_amid(Worker::Delete);
    for number in 0..LEAVES {
        let found = read(storage, &leaf(number)).await;
        let whole = |steps: u64| Some(leaf_content(steps - steps % TREE + number));
        let right = |steps: u64| found == if steps % TREE > number { whole(steps) } else { None };
        let right = came.possible().any(right) || deleting && (found.is_none() || found == whole(came.done));
        expect(right, &format!("leaf {number} has {}: it is neither whole nor gone", size(&found)))?;
    }
    let listed = storage.uploads(DELETED_UPLOAD).await.map_err(|error| error.to_string())?;
    let closed = listed.iter().any(|upload| upload.size() == deleted_upload().len() as u64);
    // Its closing may be in flight, or its deletion.
    let right = |steps: u64| closed == (steps % TREE == TREE - 1);
    expect(came.possible().any(right), "an upload is there though it was deleted, or gone though it was not")
}
