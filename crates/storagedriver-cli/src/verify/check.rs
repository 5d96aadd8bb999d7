//! The checks of one file each.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use storagedriver::{Error, ReadOptions, Result, Storage, StoragePath};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::index::Index;
use super::spool::{Spool, missing};
use super::{VerifyOptions, VerifySummary};
use crate::registry::{Digest, Entry, Fault, FaultKind, MANIFEST_LIMIT, Manifest, blob_path};
use crate::sync::{check_link, hash, link_digest, read_link};
use crate::transfer::{Bandwidth, Known, Ledger, Monitor, Trouble};

/// How many files are remembered to be there: about 6 MB.
const REMEMBERED: usize = 32_768;

/// How often a tag that moves while it is checked is looked at.
const ATTEMPTS: usize = 8;

/// Sorts, on a thread of its own, what manifests refer to, for the count of blobs that none refers to.
struct Sorting {
    sender: mpsc::Sender<Digest>,
    sorting: JoinHandle<std::io::Result<Spool>>,
}

impl Sorting {
    fn begin() -> Self {
        let (sender, mut receiver) = mpsc::channel(1024);
        let sorting = tokio::task::spawn_blocking(move || {
            let mut referenced = Spool::new();
            while let Some(digest) = receiver.blocking_recv() {
                referenced.push(digest)?;
            }
            Ok(referenced)
        });
        Sorting { sender, sorting }
    }
}

/// One run.
pub(super) struct Check {
    pub(super) storage: Storage,
    pub(super) options: VerifyOptions,
    pub(super) ledger: Ledger,
    /// Links that are there: those walked over or looked up last.
    there: Known<()>,
    /// All blobs that were walked over. None: the run is over.
    index: Mutex<Option<Index>>,
    bandwidth: Option<Bandwidth>,
    referenced: Mutex<Option<Sorting>>,
    /// A manifest was not read, so what it refers to is not known.
    unread: AtomicBool,
    pub(super) blobs: AtomicU64,
    pub(super) links: AtomicU64,
    hashed: AtomicU64,
    hashed_bytes: AtomicU64,
    manifests: AtomicU64,
}

fn spill_failed(error: std::io::Error) -> Error {
    Error::io(&StoragePath::root(), "sorting digests in a temporary file", error)
}

impl Check {
    pub(super) fn new(storage: &Storage, options: &VerifyOptions, monitor: &Arc<Monitor>) -> Result<Self> {
        if !(0.0..=1.0).contains(&options.sample) {
            let reason = format!("the part of the blobs to read is between 0 and 1, not {}", options.sample);
            return Err(Error::invalid_configuration(reason));
        }
        Ok(Check {
            storage: storage.clone(),
            options: options.clone(),
            ledger: Ledger::new(monitor.clone()),
            there: Known::new(REMEMBERED),
            index: Mutex::new(Some(Index::new().map_err(spill_failed)?)),
            bandwidth: options.bandwidth.map(Bandwidth::new),
            // What comes before the start would be missing from the count.
            referenced: Mutex::new(options.start_after.is_none().then(Sorting::begin)),
            unread: AtomicBool::new(false),
            blobs: AtomicU64::new(0),
            links: AtomicU64::new(0),
            hashed: AtomicU64::new(0),
            hashed_bytes: AtomicU64::new(0),
            manifests: AtomicU64::new(0),
        })
    }

    /// Something refers to the blob with this digest.
    async fn refers(&self, digest: Digest) {
        let sender = {
            let sorting = self.referenced.lock().unwrap_or_else(PoisonError::into_inner);
            sorting.as_ref().map(|sorting| sorting.sender.clone())
        };
        if let Some(sender) = sender {
            // Fails only when sorting has ended with an error, which the summary returns.
            let _ = sender.send(digest).await;
        }
    }

    /// A blob was walked over. What is on disk is a few kilobytes at a time in the system's cache: not worth a
    /// thread.
    pub(super) fn blob_is_there(&self, digest: &Digest) -> Result<()> {
        self.blobs.fetch_add(1, Ordering::Relaxed);
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.as_mut().map_or(Ok(()), |index| index.push(digest)).map_err(spill_failed)
    }

    /// A link was walked over.
    pub(super) fn link_is_there(&self, path: &str, entry: &Entry) {
        self.links.fetch_add(1, Ordering::Relaxed);
        // What tags and manifests of the same repository refer to, and would be looked up.
        if matches!(entry, Entry::LayerLink { .. } | Entry::RevisionLink { .. }) {
            self.there.insert(path, ());
        }
    }

    pub(super) async fn summary(&self) -> Result<VerifySummary> {
        let sorting = self.referenced.lock().unwrap_or_else(PoisonError::into_inner).take();
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut unreferenced = None;
        if let (Some(Sorting { sender, sorting }), Some(index)) = (sorting, index) {
            drop(sender);
            let broken = |broken| spill_failed(std::io::Error::other(broken));
            let referenced = sorting.await.map_err(broken)?.map_err(spill_failed)?;
            let counting = tokio::task::spawn_blocking(move || missing(index.into_sorted()?, referenced));
            let counted = counting.await.map_err(broken)?.map_err(spill_failed)?;
            unreferenced = (!self.unread.load(Ordering::Relaxed)).then_some(counted);
        }
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(VerifySummary {
            blobs: load(&self.blobs),
            hashed: load(&self.hashed),
            hashed_bytes: load(&self.hashed_bytes),
            links: load(&self.links),
            manifests: load(&self.manifests),
            gone: self.ledger.gone(),
            unreferenced,
            faults: self.ledger.faults(),
        })
    }

    /// Whether the bytes of this blob are to be read.
    pub(super) fn is_chosen(&self, digest: &Digest) -> bool {
        if self.options.links_only {
            return false;
        }
        // A digest is evenly spread; the seed makes another run choose others.
        let first = digest.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        let mixed = (first ^ self.options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 11;
        self.options.sample >= 1.0 || (mixed as f64) < self.options.sample * (1_u64 << 53) as f64
    }

    async fn read(&self, bytes: usize) {
        self.ledger.monitor.read(bytes);
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.take(bytes).await;
        }
    }

    /// Compares a blob's bytes with its digest.
    pub(super) async fn check_blob(&self, digest: &Digest) -> Result<(), Trouble> {
        let path = blob_path(digest);
        let mut content = self.storage.reader(&path, ReadOptions::all()).await.map_err(Trouble::reading)?;
        let mut digester = digest.algorithm().digester();
        let mut size = 0_u64;
        while let Some(chunk) = content.next().await.transpose().map_err(Trouble::reading)? {
            self.read(chunk.len()).await;
            hash(&mut digester, &chunk).await;
            size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        }
        self.hashed.fetch_add(1, Ordering::Relaxed);
        self.hashed_bytes.fetch_add(size, Ordering::Relaxed);
        let found = digester.finish();
        if found == *digest {
            return Ok(());
        }
        let detail = format!("its {size} bytes have the digest {found}");
        Err(Trouble::Fault(Fault::new(FaultKind::CorruptBlob, path, detail)))
    }

    /// Follows a link, or what a tag stands for.
    pub(super) async fn check_link(&self, path: &str, entry: &Entry) -> Result<(), Trouble> {
        if let Entry::TagCurrent { repository, tag } = entry {
            return self.check_tag(path, repository, tag).await;
        }
        let Some(digest) = entry.digest() else { return Ok(()) };
        let content = read_link(&self.storage, path).await?;
        self.read(content.len()).await;
        check_link(path, &content, &digest).map_err(Trouble::Fault)?;
        let mut faults = Vec::new();
        if let Entry::RevisionLink { repository, .. } = entry {
            faults = self.check_manifest(path, repository, &digest).await?;
        } else {
            if matches!(entry, Entry::SignatureLink { .. }) {
                self.refers(digest).await;
            }
            if !self.is_there(&Entry::Blob { digest }).await? {
                faults.push(Fault::new(FaultKind::MissingBlob, path, format!("there is no blob {digest}")));
            }
        }
        // What is missing may have been deleted together with the link, since that was read.
        if !faults.is_empty() && read_link(&self.storage, path).await? != content {
            return Err(Trouble::Gone);
        }
        faults.into_iter().for_each(|fault| self.ledger.fault(fault));
        Ok(())
    }

    /// Looks whether there is a revision of what a tag stands for.
    async fn check_tag(&self, path: &str, repository: &str, tag: &str) -> Result<(), Trouble> {
        let mut content = read_link(&self.storage, path).await?;
        self.read(content.len()).await;
        for _ in 0..ATTEMPTS {
            let digest = link_digest(path, &content).map_err(Trouble::Fault)?;
            let revision = Entry::RevisionLink { repository: repository.to_owned(), digest };
            if self.is_there(&revision).await? {
                return Ok(());
            }
            // The tag may have moved on since it was read.
            let again = read_link(&self.storage, path).await?;
            if again == content {
                let detail = format!("the tag {tag} stands for {digest}, of which there is no revision");
                return Err(Trouble::Fault(Fault::new(FaultKind::MissingRevision, path, detail)));
            }
            content = again;
        }
        Ok(())
    }

    async fn is_there(&self, entry: &Entry) -> Result<bool, Trouble> {
        if let Entry::Blob { digest } = entry {
            let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = &mut *index
                && index.contains(digest).map_err(spill_failed)?
            {
                return Ok(true);
            }
        }
        // It may have come since the walk passed its place, or be before the place where the run started.
        let Some(path) = entry.path() else { return Ok(false) };
        if self.there.get(&path).is_some() {
            return Ok(true);
        }
        match self.storage.stat(&path).await {
            Ok(info) if info.is_file() => {
                self.there.insert(&path, ());
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What is wrong with a manifest that a repository has: `path` is that of the link.
    async fn check_manifest(
        &self,
        path: &str,
        repository: &str,
        digest: &Digest,
    ) -> Result<Vec<Fault>, Trouble> {
        self.refers(*digest).await;
        let manifest = match self.manifest(path, digest).await {
            Ok(manifest) => manifest,
            Err(trouble) => {
                self.unread.store(true, Ordering::Relaxed);
                return match trouble {
                    Trouble::Fault(fault) if fault.path == path => Ok(vec![fault]),
                    // Found, and reported, by the pass over the blobs.
                    Trouble::Fault(_) if self.is_chosen(digest) => Ok(Vec::new()),
                    other => Err(other),
                };
            }
        };
        self.manifests.fetch_add(1, Ordering::Relaxed);
        for digest in manifest.blobs.iter().chain(&manifest.children).chain(&manifest.foreign) {
            self.refers(*digest).await;
        }
        let mut faults = Vec::new();
        let (blobs, children) = (manifest.blobs.iter(), manifest.children.iter());
        for (referred, is_child) in blobs.map(|blob| (blob, false)).chain(children.map(|child| (child, true)))
        {
            let (digest, repository) = (*referred, repository.to_owned());
            let what = if is_child { "manifest" } else { "blob" };
            if !self.is_there(&Entry::Blob { digest }).await? {
                let detail = format!("refers to the {what} {digest}, which is not there");
                faults.push(Fault::new(FaultKind::MissingReference, path, detail));
                continue;
            }
            // Registries before 2.1 linked manifests as layers.
            let layer = Entry::LayerLink { repository: repository.clone(), digest };
            let linked = is_child && self.is_there(&Entry::RevisionLink { repository, digest }).await?;
            if !linked && !self.is_there(&layer).await? {
                let detail = format!("refers to the {what} {digest}, which the repository has no link to");
                faults.push(Fault::new(FaultKind::UnlinkedReference, path, detail));
            }
        }
        Ok(faults)
    }

    /// Reads a manifest. Faults are of the link at `path`, or of the blob if its bytes are wrong.
    async fn manifest(&self, path: &str, digest: &Digest) -> Result<Manifest, Trouble> {
        let fault = |kind, detail: String| Trouble::Fault(Fault::new(kind, path, detail));
        let blob = blob_path(digest);
        let content = match self.storage.get_content_limited(&blob, MANIFEST_LIMIT).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => {
                return Err(fault(FaultKind::MissingBlob, format!("there is no blob {digest}")));
            }
            Err(Error::Unsupported { .. }) => {
                let detail = format!("the manifest {digest} has more than {MANIFEST_LIMIT} bytes");
                return Err(fault(FaultKind::UnreadableManifest, detail));
            }
            Err(error) => return Err(error.into()),
        };
        self.read(content.len()).await;
        let found = Digest::of(digest.algorithm(), &content);
        if found != *digest {
            let detail = format!("its {} bytes have the digest {found}", content.len());
            return Err(Trouble::Fault(Fault::new(FaultKind::CorruptBlob, blob, detail)));
        }
        Manifest::parse(&content).map_err(|reason| {
            fault(FaultKind::UnreadableManifest, format!("the manifest {digest}: {reason}"))
        })
    }
}
