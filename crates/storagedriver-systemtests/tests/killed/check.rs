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

/// Some sittings of an upload, from the first on.
fn sittings(cycle: u64, count: u64) -> Bytes {
    (0..count).flat_map(|at| sitting(cycle * SITTINGS + at)).collect::<Vec<u8>>().into()
}

/// The committed content and the upload are those of one state between two steps, and the upload goes
/// on from there: what was not acknowledged is sent again, as a registry's client does, and then all
/// of it is read back.
///
/// It is not committed as it stands. Ceph completes a multipart upload only with all the parts that
/// it was ever sent, those that the killed client sent past its last close too; sent again they
/// are replaced.
async fn check_upload(storage: &Storage, came: Acknowledged) -> Checked {
    let committed = |steps: u64| (steps / SITTINGS).checked_sub(1).map(|cycle| sittings(cycle, SITTINGS));
    let uploaded =
        |steps: u64| (!steps.is_multiple_of(SITTINGS)).then(|| sittings(steps / SITTINGS, steps % SITTINGS));
    let content = read(storage, UPLOADED).await;
    let listed = storage.uploads(UPLOADED).await.map_err(|error| error.to_string())?;
    let sizes: Vec<u64> = listed.iter().map(storagedriver::UploadInfo::size).collect();
    // Where there is no upload that was closed, it continues the content.
    let writer = match storage.writer(UPLOADED, WriteMode::Append).await {
        Ok(writer) => Some(writer),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(format!("the upload cannot be resumed: {error}")),
    };
    let resumed = writer.as_ref().map(storagedriver::FileWriter::size);
    let right = |&steps: &u64| {
        let length = |bytes: Bytes| bytes.len() as u64;
        let upload = uploaded(steps).map(length);
        content == committed(steps)
            && upload.is_none_or(|upload| sizes.contains(&upload))
            && resumed == upload.or_else(|| committed(steps).map(length))
    };
    let Some(steps) = came.possible().find(right) else {
        let content = size(&content);
        return Err(format!(
            "content of {content}, uploads of {sizes:?}, resumed at {resumed:?}: of no state between two steps"
        ));
    };
    let Some(mut writer) = writer else { return Ok(()) };
    let mut whole = committed(steps);
    if !steps.is_multiple_of(SITTINGS) {
        for again in steps..steps.next_multiple_of(SITTINGS) {
            writer.write(sitting(again)).await.map_err(|error| error.to_string())?;
        }
        whole = Some(sittings(steps / SITTINGS, SITTINGS));
    }
    writer.commit().await.map_err(|error| format!("the upload cannot be committed: {error}"))?;
    let found = read(storage, UPLOADED).await;
    expect(found == whole, &format!("{} after the upload went on", size(&found)))
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
