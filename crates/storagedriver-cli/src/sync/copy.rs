//! The copying of one file's content.

use storagedriver::bytes::{Buf, Bytes};
use storagedriver::{Content, Error, FileWriter, ReadOptions, Result, Storage, WriteMode};

use super::run::{Run, Settled};
use crate::registry::{Algorithm, Digest, Digester, Fault, FaultKind, blob_path};
use crate::transfer::Trouble;

/// Content up to this size is held in memory whole: 256 KiB.
const SMALL: u64 = 256 * 1024;
/// The most bytes that are hashed without letting other jobs run.
const PIECE: usize = 1024 * 1024;
/// The most bytes that a link may have. A digest has 135.
const LINK_LIMIT: u64 = 1024;

/// The size of the file at `path`; `None` if there is none.
pub(super) async fn file_size(storage: &Storage, path: &str) -> Result<Option<u64>> {
    match storage.stat(path).await {
        Ok(info) => Ok(info.size().filter(|_| info.is_file())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes a chunk into a digest, and lets other jobs run between pieces.
pub(crate) async fn hash(digester: &mut Digester, chunk: &Bytes) {
    for piece in chunk.chunks(PIECE) {
        digester.update(piece);
        tokio::task::consume_budget().await;
    }
}

/// The digest in a link's content.
///
/// # Errors
/// [`FaultKind::EmptyLink`] or [`FaultKind::WrongLink`].
pub(crate) fn link_digest(path: &str, content: &[u8]) -> Result<Digest, Fault> {
    if content.is_empty() {
        return Err(Fault::new(FaultKind::EmptyLink, path, "the link has no content"));
    }
    let text = String::from_utf8_lossy(content);
    text.parse().map_err(|reason| {
        let shown: String = text.chars().take(100).collect();
        Fault::new(FaultKind::WrongLink, path, format!("`{}` is no digest: {reason}", shown.escape_debug()))
    })
}

/// Checks that the link at `path` holds the digest that stands in its path.
pub(crate) fn check_link(path: &str, content: &[u8], digest: &Digest) -> Result<(), Fault> {
    let found = link_digest(path, content)?;
    if found == *digest {
        return Ok(());
    }
    Err(Fault::new(FaultKind::WrongLink, path, format!("the link says {found}")))
}

/// The content of a link.
///
/// # Errors
/// [`Trouble::Gone`]; [`FaultKind::WrongLink`] if it has more bytes than any link has.
pub(crate) async fn read_link(storage: &Storage, path: &str) -> Result<Bytes, Trouble> {
    match storage.get_content_limited(path, LINK_LIMIT).await {
        Ok(content) => Ok(content),
        Err(Error::Unsupported { .. }) => {
            let detail = format!("more than {LINK_LIMIT} bytes: no digest");
            Err(Trouble::Fault(Fault::new(FaultKind::WrongLink, path, detail)))
        }
        Err(error) => Err(Trouble::reading(error)),
    }
}

impl Run {
    /// Copies a blob to its final path. It is published only if its bytes have its digest.
    pub(super) async fn copy_blob(&self, digest: &Digest) -> Result<(), Trouble> {
        let path = blob_path(digest);
        let content = self.from.reader(&path, ReadOptions::all()).await.map_err(Trouble::reading)?;
        let mut writer = self.to.writer(&path, WriteMode::Create).await?;
        let found = match self.pump(content, &mut writer, digest.algorithm().digester()).await {
            Ok(found) => found,
            Err(trouble) => {
                self.give_up(writer).await;
                return Err(trouble);
            }
        };
        if found != *digest {
            self.give_up(writer).await;
            let detail = format!("the source's bytes have the digest {found}; not copied");
            return Err(Trouble::Fault(Fault::new(FaultKind::CorruptBlob, path, detail)));
        }
        let size = writer.size();
        writer.commit().await?;
        self.check_copy(&path, found, true).await?;
        self.settled.insert(&path, Settled::There);
        self.copied(&path, size);
        Ok(())
    }

    /// Copies a file that is no part of a registry's layout.
    pub(super) async fn copy_plain(&self, path: &str) -> Result<(), Trouble> {
        let content = self.from.reader(path, ReadOptions::all()).await.map_err(Trouble::reading)?;
        if content.size() <= SMALL {
            let content = content.bytes().await.map_err(Trouble::reading)?;
            self.read(content.len()).await;
            return self.put(path, content).await;
        }
        let mut writer = self.to.writer(path, WriteMode::Create).await?;
        let found = match self.pump(content, &mut writer, Algorithm::Sha256.digester()).await {
            Ok(found) => found,
            Err(trouble) => {
                self.give_up(writer).await;
                return Err(trouble);
            }
        };
        let size = writer.size();
        writer.commit().await?;
        self.check_copy(path, found, false).await?;
        self.copied(path, size);
        Ok(())
    }

    /// Writes content that is in memory.
    pub(super) async fn put(&self, path: &str, content: Bytes) -> Result<(), Trouble> {
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.to.put_content(path, content.clone()).await?;
        if self.options.verify {
            let found = Digest::of(Algorithm::Sha256, &content);
            self.check_copy(path, found, crate::registry::classify(path).digest().is_some()).await?;
        }
        self.copied(path, size);
        Ok(())
    }

    /// Moves content piece by piece, and hashes what passes.
    async fn pump(
        &self,
        mut content: Content,
        writer: &mut FileWriter,
        mut digester: Digester,
    ) -> Result<Digest, Trouble> {
        while let Some(chunk) = content.next().await.transpose().map_err(Trouble::reading)? {
            self.read(chunk.len()).await;
            hash(&mut digester, &chunk).await;
            writer.write(chunk).await?;
        }
        Ok(digester.finish())
    }

    /// Removes the traces of a copy that is not published.
    async fn give_up(&self, writer: FileWriter) {
        let path = writer.path().clone();
        if let Err(error) = writer.cancel().await {
            // The upload is invisible and goes with the stale ones; what counts is why it ended.
            tracing::debug!(%path, %error, "an upload could not be cancelled");
        }
    }

    /// Reads back what was written, if that was asked for. What is not what was written goes away
    /// again where the next run would take it for the same.
    async fn check_copy(&self, path: &str, wanted: Digest, hidden: bool) -> Result<(), Trouble> {
        if !self.options.verify {
            return Ok(());
        }
        let mut content = self.to.reader(path, ReadOptions::all()).await?;
        let mut digester = wanted.algorithm().digester();
        while let Some(chunk) = content.next().await.transpose()? {
            hash(&mut digester, &chunk).await;
        }
        let found = digester.finish();
        if found == wanted {
            return Ok(());
        }
        if hidden {
            self.to.delete(path).await?;
        }
        let detail = format!("reads back with the digest {found} instead of {wanted}");
        Err(Trouble::Fault(Fault::new(FaultKind::ReadBack, path, detail)))
    }

    /// Whether both places hold the same bytes, piece by piece.
    pub(super) async fn same_bytes(&self, path: &str) -> Result<bool, Trouble> {
        let mut from = self.from.reader(path, ReadOptions::all()).await.map_err(Trouble::reading)?;
        let mut to = match self.to.reader(path, ReadOptions::all()).await {
            Ok(to) => to,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if from.size() != to.size() {
            return Ok(false);
        }
        let (mut a, mut b) = (Bytes::new(), Bytes::new());
        loop {
            if a.is_empty() {
                a = from.next().await.transpose().map_err(Trouble::reading)?.unwrap_or_default();
                self.read(a.len()).await;
            }
            if b.is_empty() {
                b = to.next().await.transpose()?.unwrap_or_default();
            }
            let length = a.len().min(b.len());
            if length == 0 {
                return Ok(a.is_empty() && b.is_empty());
            }
            if a.get(..length) != b.get(..length) {
                return Ok(false);
            }
            a.advance(length);
            b.advance(length);
        }
    }
}
