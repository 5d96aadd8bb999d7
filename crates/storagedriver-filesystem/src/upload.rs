//! An upload: where its bytes are, and its three endings. All of it blocks.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use storagedriver::{Error, Result, StoragePath, WriteMode};

use crate::early::Early;
use crate::faults::{Need, fault};
use crate::jobs::{Hold, Ticket};
use crate::names::{Name, State};
use crate::publish::Source;
use crate::root::{ATTEMPTS, Root};
use crate::staging::{Staged, place};
use crate::sys::{Errno, Io};
use crate::version::FileVersion;

/// The closed upload that is resumed: its directory and its name. Both the right to go on and the
/// proof that nobody else did: whoever renames it first has the upload.
#[derive(Debug)]
struct Claim {
    directory: OwnedFd,
    place: String,
    name: Name,
}

/// Bytes that the upload begins with and that never change: those of a closed upload that another
/// writer has locked, or of committed content. They are copied when there is something to add.
#[derive(Debug)]
struct Prefix {
    file: OwnedFd,
    length: u64,
}

/// A file that is written.
#[derive(Debug)]
struct Own {
    staged: Staged,
    name: Name,
}

#[derive(Debug)]
enum Bytes {
    /// Nothing was written.
    None,
    /// Nothing was written yet after these.
    Prefix(Prefix),
    /// The file that is resumed, locked, and whether it was cut to its closed length.
    InPlace { file: OwnedFd, cut: bool },
    /// A file of its own, never closed.
    Own(Own),
}

/// An upload in progress.
#[derive(Debug)]
pub(crate) struct Upload {
    root: Arc<Root>,
    path: StoragePath,
    claim: Option<Claim>,
    base: Option<FileVersion>,
    bytes: Bytes,
    /// How many bytes it had when it was opened.
    opened_at: u64,
    early: Early,
}

impl Upload {
    /// Opens an upload.
    pub(crate) fn open(
        root: &Arc<Root>,
        ticket: &Ticket,
        path: &StoragePath,
        mode: WriteMode,
    ) -> Result<Self> {
        let mut upload = Upload {
            root: root.clone(),
            path: path.clone(),
            claim: None,
            base: None,
            bytes: Bytes::None,
            opened_at: 0,
            early: Early::default(),
        };
        match mode {
            WriteMode::Append => upload.resume()?,
            _ => upload.start(ticket)?,
        }
        Ok(upload)
    }

    /// How many bytes it had when it was opened.
    pub(crate) fn opened_at(&self) -> u64 {
        self.opened_at
    }

    fn fault(&self, tried: &str, errno: Errno) -> Error {
        // ENOENT here is no missing content: what is staged, or a directory, is gone.
        match errno {
            Errno::NOENT => self.gone(),
            _ => fault(&self.path, Need::Write, tried, errno),
        }
    }

    fn gone(&self) -> Error {
        Error::conflict(&self.path, "the upload was ended, discarded or deleted by somebody else")
    }

    /// Discards the uploads that were closed before.
    fn start(&self, ticket: &Ticket) -> Result<()> {
        let failed = |errno| self.fault("discard the uploads closed before", errno);
        let Some(root) = self.root.open(&self.path)? else {
            return Ok(());
        };
        let Some((directory, closed)) = self.root.closed(&root, &self.path).map_err(failed)? else {
            return Ok(());
        };
        if closed.is_empty() {
            return Ok(());
        }
        let _section = ticket.section(vec![Hold::Path(self.path.clone())])?;
        for name in closed {
            self.root.discard(&root, &self.path, &directory, name).map_err(failed)?;
        }
        drop(directory);
        self.root.sync_removal(&root, &place(&self.path)).map_err(failed)
    }

    /// Finds what there is to go on with.
    fn resume(&mut self) -> Result<()> {
        let failed = |errno| fault(&self.path, Need::Read, "open the upload", errno);
        let root = self.root.existing(&self.path)?;
        for _ in 0..ATTEMPTS {
            let Some((directory, closed)) = self.root.closed(&root, &self.path).map_err(failed)? else {
                break;
            };
            let Some(&name) = closed.last() else {
                break;
            };
            // Gone: its writer closed or committed it just now. Then the next one is looked for.
            let found = self.root.open_staged(&directory, &name.to_string()).map_err(failed)?;
            let Some((file, meta, locked)) = found else {
                continue;
            };
            let length = name.length().unwrap_or_default();
            if meta.size < length {
                let reason = format!("an upload closed at {length} bytes has only {}", meta.size);
                return Err(Error::corrupted(&self.path, reason));
            }
            if locked {
                self.root.discard_older(&directory, name).map_err(failed)?;
                self.bytes = Bytes::InPlace { file, cut: false };
            } else {
                self.bytes = Bytes::Prefix(Prefix { file, length });
            }
            self.base = name.base;
            self.opened_at = length;
            self.claim = Some(Claim { directory, place: place(&self.path), name });
            return Ok(());
        }
        let (file, meta) = self.root.open_content(&self.path)?;
        self.base = Some(FileVersion::of(&meta));
        self.opened_at = meta.size;
        self.bytes = Bytes::Prefix(Prefix { file, length: meta.size });
        Ok(())
    }

    /// The file that is written: made, or cut to its closed length, when it is needed first.
    fn file(&mut self) -> Io<&OwnedFd> {
        let sys = &self.root.sys;
        match &mut self.bytes {
            Bytes::InPlace { file, cut: cut @ false } => {
                sys.truncate(&*file, self.opened_at)?;
                *cut = true;
            }
            Bytes::None | Bytes::Prefix(_) => {
                let own = self.begin_own()?;
                if let Bytes::Prefix(prefix) = &self.bytes
                    && let Err(error) = sys.copy(&prefix.file, &own.staged.file, prefix.length)
                {
                    if let Ok(Some(root)) = self.root.get() {
                        let _ = self.root.unstage(&root, own.staged);
                    }
                    return Err(error);
                }
                self.bytes = Bytes::Own(own);
            }
            Bytes::InPlace { .. } | Bytes::Own(_) => {}
        }
        match &self.bytes {
            Bytes::InPlace { file, .. } | Bytes::Own(Own { staged: Staged { file, .. }, .. }) => Ok(file),
            Bytes::None | Bytes::Prefix(_) => Err(Errno::BADF),
        }
    }

    fn begin_own(&self) -> Io<Own> {
        let root = self.root.get()?.ok_or(Errno::STALE)?;
        let name = Name::begin(State::Open, self.base);
        let name = self.claim.as_ref().map_or(name, |claim| Name { upload: claim.name.upload, ..name });
        let staged = self.root.stage(&root, place(&self.path), || name.to_string())?;
        Ok(Own { staged, name })
    }

    /// Writes what was accepted from `offset` on.
    pub(crate) fn write(&mut self, offset: u64, pieces: &[&[u8]]) -> Result<()> {
        self.root.writable(&self.path)?;
        let written = self.try_write(offset, pieces);
        written.map_err(|errno| self.fault("write to the upload", errno))
    }

    fn try_write(&mut self, mut offset: u64, pieces: &[&[u8]]) -> Io<()> {
        let root = self.root.clone();
        let (file, began) = (self.file()?, offset);
        for piece in pieces {
            root.sys.write_at(file, piece, offset)?;
            offset = offset.checked_add(u64::try_from(piece.len()).unwrap_or(u64::MAX)).ok_or(Errno::FBIG)?;
        }
        if let Bytes::Own(own) = &self.bytes
            && root.durable.is_wanted()
        {
            let again = || root.sys.open_to_hurry(&own.staged.directory, &own.staged.name);
            self.early.wrote(offset.saturating_sub(began), again);
        }
        Ok(())
    }

    /// Makes the file hold exactly what was accepted, durably.
    fn seal(&mut self, size: u64, publish: bool) -> Result<()> {
        self.root.writable(&self.path)?;
        let sealed = self.try_seal(size, publish);
        sealed.map_err(|errno| self.fault("make the upload durable", errno))
    }

    fn try_seal(&mut self, size: u64, publish: bool) -> Io<()> {
        let root = self.root.clone();
        let file = self.file()?;
        // A write that failed or was given up may have left something past the end.
        if root.sys.meta(file)?.size != size {
            root.sys.truncate(file, size)?;
        }
        if publish { root.finish(file) } else { root.durable.sync_file(&root.sys, file) }
    }

    /// Keeps the upload at `size` bytes for a later writer.
    pub(crate) fn close(&mut self, ticket: &Ticket, size: u64) -> Result<()> {
        if let (Some(claim), Bytes::InPlace { cut: false, .. } | Bytes::Prefix(_)) =
            (&self.claim, &self.bytes)
        {
            // Nothing was written, and the file stays as it is. The name is a new one: whoever else
            // resumed the upload has lost it.
            let _section = ticket.section(vec![Hold::Path(self.path.clone())])?;
            let closed = claim.name.closed(size);
            let renamed = self.root.sys.rename(
                &claim.directory,
                &claim.name.to_string(),
                &claim.directory,
                &closed.to_string(),
            );
            renamed.map_err(|errno| self.fault("close the upload", errno))?;
            let root = self.root.existing(&self.path)?;
            let synced = self.root.sync_names(&root, &claim.place, &claim.directory);
            synced.map_err(|errno| self.fault("make the upload durable", errno))?;
            self.let_go();
            return Ok(());
        }
        self.seal(size, false)?;
        let _section = ticket.section(vec![Hold::Path(self.path.clone())])?;
        self.keep(size)?;
        let directory = match (&self.bytes, &self.claim) {
            (Bytes::Own(own), _) => &own.staged.directory,
            (_, Some(claim)) => &claim.directory,
            _ => return Err(self.gone()),
        };
        let root = self.root.existing(&self.path)?;
        let synced = self.root.sync_names(&root, &place(&self.path), directory);
        synced.map_err(|errno| self.fault("make the upload durable", errno))?;
        self.let_go();
        Ok(())
    }

    /// Gives the file its name as a closed upload, if nobody else has gone on with the upload.
    fn keep(&self, size: u64) -> Result<Name> {
        let kept = self.try_keep(size);
        kept.map_err(|errno| self.fault("close the upload", errno))
    }

    fn try_keep(&self, size: u64) -> Io<Name> {
        let rename = |directory: &OwnedFd, from: Name, to: Name| {
            self.root.sys.rename(directory, &from.to_string(), directory, &to.to_string())
        };
        match (&self.bytes, &self.claim) {
            (Bytes::InPlace { .. }, Some(claim)) => {
                let closed = claim.name.closed(size);
                rename(&claim.directory, claim.name, closed)?;
                Ok(closed)
            }
            (Bytes::Own(own), None) => {
                let closed = own.name.closed(size);
                rename(&own.staged.directory, own.name, closed)?;
                Ok(closed)
            }
            (Bytes::Own(own), Some(claim)) => {
                // First the old state gets a new name: only one writer can do that. It stays
                // resumable until the new state stands beside it, which is the longer one.
                let closed = claim.name.closed(size);
                let old = closed.with_state(claim.name.state);
                rename(&claim.directory, claim.name, old)?;
                rename(&claim.directory, own.name, closed)?;
                if old == closed {
                    return Ok(closed);
                }
                match self.root.sys.unlink(&claim.directory, old.to_string().as_str()) {
                    Ok(()) => Ok(closed),
                    Err(Errno::NOENT) => {
                        // Somebody resumed the old state in between and was quicker.
                        let _ = rename(&claim.directory, closed, own.name);
                        Err(Errno::NOENT)
                    }
                    Err(error) => Err(error),
                }
            }
            _ => Err(Errno::BADF),
        }
    }

    /// Forgets the file: it has its name, and dropping this must not remove it.
    fn let_go(&mut self) {
        self.bytes = Bytes::None;
        self.claim = None;
    }

    /// Whether nothing but what is still in memory belongs to the upload.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(self.bytes, Bytes::None) && self.claim.is_none()
    }

    /// Publishes `size` bytes as the content of the path.
    pub(crate) fn commit(&mut self, ticket: &Ticket, size: u64) -> Result<()> {
        self.seal(size, true)?;
        let section = ticket.section(vec![Hold::Path(self.path.clone())])?;
        match self.try_commit(size) {
            Ok(()) => Ok(()),
            Err(error) => {
                drop(section);
                // Left resumable, if that can be done; the error that counts is the first.
                let _ = self.close(ticket, size);
                Err(error)
            }
        }
    }

    fn try_commit(&mut self, size: u64) -> Result<()> {
        let root = self.root.existing(&self.path)?;
        let failed = |errno| self.fault("commit the upload", errno);
        if let Some(base) = self.base {
            let found = self.root.find(&root, self.path.relative()).map_err(failed)?;
            if found.map(|meta| FileVersion::of(&meta)) != Some(base) {
                return Err(Error::conflict(
                    &self.path,
                    "the content that the append started from was replaced",
                ));
            }
        }
        let forked = matches!((&self.bytes, &self.claim), (Bytes::Own(_), Some(_)));
        let name = match (&self.bytes, &self.claim) {
            _ if forked => self.keep(size)?,
            (Bytes::Own(own), _) => own.name,
            (_, Some(claim)) => claim.name,
            _ => return Err(self.gone()),
        };
        let (file, directory) = match (&self.bytes, &self.claim) {
            (Bytes::Own(own), _) => (&own.staged.file, &own.staged.directory),
            (Bytes::InPlace { file, .. }, Some(claim)) => (file, &claim.directory),
            _ => return Err(self.gone()),
        };
        let text = name.to_string();
        let source = Source { directory, name: &text, file, staged: Some(&text) };
        if !self.root.publish(&root, &source, &self.path)? {
            return Err(self.gone());
        }
        // Only a state that could be resumed must not come back after a power cut.
        let place = place(&self.path);
        if name.length().is_some() {
            self.root.sync_removal(&root, &place).map_err(failed)?;
        } else {
            self.root.prune_staging(&root, &place);
        }
        self.let_go();
        Ok(())
    }

    /// Removes every trace of the upload.
    pub(crate) fn cancel(&mut self, ticket: &Ticket) -> Result<()> {
        let _section = ticket.section(vec![Hold::Path(self.path.clone())])?;
        let Some(root) = self.root.open(&self.path)? else {
            return Ok(());
        };
        if let Bytes::Own(own) = std::mem::replace(&mut self.bytes, Bytes::None) {
            self.root.unstage(&root, own.staged).map_err(|errno| self.fault("cancel the upload", errno))?;
        }
        let failed = |errno| self.fault("cancel the upload", errno);
        if let Some(claim) = &self.claim {
            self.root.discard(&root, &self.path, &claim.directory, claim.name).map_err(failed)?;
            self.root.sync_removal(&root, &claim.place).map_err(failed)?;
        }
        self.bytes = Bytes::None;
        self.claim = None;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // A file of its own that was never closed is of no use to anybody. The name goes at once; the
        // blocks go when the file is closed, and that is left to the pool.
        let Bytes::Own(Own { staged, .. }) = std::mem::replace(&mut self.bytes, Bytes::None) else {
            return;
        };
        let _ = self.root.sys.unlink(&staged.directory, staged.name.as_str());
        if let Ok(Some(root)) = self.root.get() {
            self.root.prune_staging(&root, &staged.place);
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn_blocking(move || drop(staged)));
        }
    }
}
