//! `put`: local bytes to a path.

use serde::Serialize;
use storagedriver::{FileWriter, Result, Storage, WriteMode};

use super::Session;
use crate::arguments::Put;
use crate::failure::{Answer, Failure};
use crate::local_input::LocalInput;
use crate::open;
use crate::progress::Meter;

#[derive(Serialize)]
struct Written<'a> {
    path: &'a str,
    size: u64,
}

pub(crate) async fn run(arguments: Put, session: &mut Session) -> Result<Answer, Failure> {
    let mut interrupt = session.interrupt.clone();
    let mut input = LocalInput::open(&arguments.file)?;
    let opening = async {
        let storage = open::only(&arguments.storage).await?;
        let writer = storage.writer(&arguments.path, WriteMode::Create).await?;
        Ok((storage, writer))
    };
    let (storage, mut writer) = interrupt.or(opening).await?;
    let meter = Meter::bytes(&session.global, input.size());
    let copied = interrupt.or(copy(&mut input, &mut writer, &meter)).await;
    drop(meter);
    if let Err(failure) = copied {
        not_cancelled(writer.cancel().await);
        return Err(failure);
    }
    let size = writer.size();
    // From here on a signal no longer stops it: the answer must be known.
    if let Err(error) = writer.commit().await {
        not_cancelled(take_back(&storage, &arguments.path).await);
        return Err(error.into());
    }
    if session.output.json() {
        session.output.object(&Written { path: &arguments.path, size })?;
    }
    Ok(Answer::Yes)
}

/// A failed commit leaves the upload for whoever wants to resume it; nobody does here. Were the
/// outcome unknown and the content published after all, this cancels an append that changed nothing.
async fn take_back(storage: &Storage, path: &str) -> Result<()> {
    match storage.writer(path, WriteMode::Append).await {
        Ok(writer) => writer.cancel().await,
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// What stopped the upload is the news; traces that are left go with `uploads --abort-older-than`.
fn not_cancelled(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!("the upload could not be cancelled: {error}");
    }
}

async fn copy(input: &mut LocalInput, writer: &mut FileWriter, meter: &Meter) -> Result<(), Failure> {
    while let Some(piece) = input.next().await? {
        let length = piece.len() as u64;
        writer.write(piece).await?;
        meter.add(length);
    }
    Ok(())
}
