//! Bytes from a local file or from standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::failure::Failure;

/// The size of a piece, in bytes. At most four are in memory: one being read, two waiting, one
/// being written.
const PIECE: usize = 1024 * 1024;

/// Local bytes, read by a thread of their own: a read of standard input cannot be cancelled, and
/// must not keep the program from ending.
pub(crate) struct LocalInput {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    name: String,
    size: Option<u64>,
}

impl LocalInput {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// `Usage` if the file cannot be opened or is a directory.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        if file.as_os_str() == "-" {
            return Ok(Self::start(io::stdin(), "standard input".to_owned(), None));
        }
        let name = file.display().to_string();
        let refusal = |error: io::Error| Failure::Usage(format!("cannot read {name}: {error}"));
        let opened = File::open(file).map_err(refusal)?;
        let metadata = opened.metadata().map_err(refusal)?;
        if metadata.is_dir() {
            return Err(Failure::Usage(format!("cannot read {name}: it is a directory")));
        }
        // A pipe or a device has no size worth showing.
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self::start(opened, name, size))
    }

    fn start(source: impl Read + Send + 'static, name: String, size: Option<u64>) -> Self {
        let (sender, pieces) = mpsc::channel(2);
        std::thread::spawn(move || read_all(source, &sender));
        LocalInput { pieces, name, size }
    }

    /// How many bytes there are, where that is known beforehand.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.pieces.recv().await {
            None => Ok(None),
            Some(Ok(piece)) => Ok(Some(piece)),
            Some(Err(source)) => Err(Failure::Local { what: format!("reading {}", self.name), source }),
        }
    }
}

fn read_all(mut source: impl Read, sender: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let outcome = (&mut source).take(PIECE as u64).read_to_end(&mut piece);
        let last = piece.is_empty();
        let sent = match outcome {
            Ok(_) if last => return,
            Ok(_) => sender.blocking_send(Ok(Bytes::from(piece))),
            Err(error) => {
                // Nobody listens any more if this fails.
                let _ = sender.blocking_send(Err(error));
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}
