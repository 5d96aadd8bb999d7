//! `put`: local bytes to a path.

use serde::Serialize;
use storagedriver::{FileWriter, WriteMode};

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
        Ok(storage.writer(&arguments.path, WriteMode::Create).await?)
    };
    let mut writer = interrupt.or(opening).await?;
    let meter = Meter::bytes(&session.global, input.size());
    let copied = interrupt.or(copy(&mut input, &mut writer, &meter)).await;
    drop(meter);
    if let Err(failure) = copied {
        // What stopped the copy is the news; traces that a failing cancel leaves go with
        // `uploads --abort-older-than`.
        if let Err(error) = writer.cancel().await {
            tracing::warn!("the upload could not be cancelled: {error}");
        }
        return Err(failure);
    }
    let size = writer.size();
    // From here on a signal no longer stops it: the answer must be known.
    writer.commit().await?;
    if session.output.json() {
        session.output.object(&Written { path: &arguments.path, size })?;
    }
    Ok(Answer::Yes)
}

async fn copy(input: &mut LocalInput, writer: &mut FileWriter, meter: &Meter) -> Result<(), Failure> {
    while let Some(piece) = input.next().await? {
        let length = piece.len() as u64;
        writer.write(piece).await?;
        meter.add(length);
    }
    Ok(())
}
