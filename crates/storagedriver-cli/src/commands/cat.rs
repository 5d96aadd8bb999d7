//! `cat`: a file's content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use storagedriver::ReadOptions;

use super::Session;
use crate::arguments::Cat;
use crate::failure::{Answer, Failure};
use crate::open;

/// A piece of content in JSON, which holds no bytes of its own.
#[derive(Serialize)]
struct Piece<'a> {
    path: &'a str,
    /// Where the piece stands in the file, in bytes.
    offset: u64,
    /// The size of the whole file, in bytes.
    size: u64,
    base64: String,
}

/// The most bytes in one piece, so that a line stays readable by what reads lines.
const PIECE: usize = 192 * 1024;

pub(crate) async fn run(arguments: Cat, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let mut options = ReadOptions::from_offset(arguments.offset);
    options.length = arguments.length;
    let mut content = storage.reader(&arguments.path, options).await?;
    let size = content.size();
    let mut offset = arguments.offset;
    while let Some(chunk) = content.next().await.transpose()? {
        if !session.output.json() {
            session.output.bytes(&chunk)?;
            continue;
        }
        for piece in chunk.chunks(PIECE) {
            let base64 = STANDARD.encode(piece);
            session.output.object(&Piece { path: &arguments.path, offset, size, base64 })?;
            offset = offset.saturating_add(piece.len() as u64);
        }
    }
    if session.output.json() && offset == arguments.offset {
        // Empty content is an answer too.
        session.output.object(&Piece { path: &arguments.path, offset, size, base64: String::new() })?;
    }
    Ok(Answer::Yes)
}
