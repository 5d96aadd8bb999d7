//! Links, written only when what they refer to is at the destination whole.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use storagedriver::bytes::Bytes;

use super::copy::{check_link, file_size, link_digest, read_link};
use super::run::{Run, Settled};
use crate::registry::{Digest, Entry, Fault, FaultKind, MANIFEST_LIMIT, Manifest, blob_path};
use crate::transfer::Trouble;

/// How deep indexes may be nested.
const DEPTH: usize = 16;
/// How often a tag that moves while it is copied is looked at.
const ATTEMPTS: usize = 8;

/// A link that is not written; `withheld` gives it its path.
fn lacking(reason: impl Into<String>) -> Trouble {
    Trouble::Fault(Fault::new(FaultKind::Withheld, "", reason))
}

impl Run {
    /// Writes a link whose digest stands in its path; the destination had none when it was listed.
    pub(super) async fn copy_link(&self, entry: &Entry) -> Result<(), Trouble> {
        let Some(path) = entry.path() else { return Ok(()) };
        let written = match entry {
            Entry::RevisionLink { repository, digest } => self.revision(repository, digest, true, 0).await,
            Entry::TagIndex { repository, digest, .. } => match self.member(repository, digest, 0).await {
                Ok(()) => self.link(entry, true).await,
                Err(trouble) => Err(trouble),
            },
            Entry::LayerLink { digest, .. } | Entry::SignatureLink { digest, .. } => {
                match self.blob(digest).await {
                    Ok(()) => self.link(entry, true).await,
                    Err(trouble) => Err(trouble),
                }
            }
            Entry::Blob { .. } | Entry::TagCurrent { .. } | Entry::Upload { .. } | Entry::Other => Ok(true),
        };
        match written {
            Ok(true) => Ok(()),
            Ok(false) => Err(Trouble::Gone),
            Err(trouble) => self.withheld(&path, trouble).await,
        }
    }

    /// Copies what a tag stands for now.
    pub(super) async fn copy_tag(&self, repository: &str, tag: &str, listed: bool) -> Result<(), Trouble> {
        let entry = Entry::TagCurrent { repository: repository.to_owned(), tag: tag.to_owned() };
        let Some(path) = entry.path() else { return Ok(()) };
        let mut content = read_link(&self.from, &path).await?;
        self.read(content.len()).await;
        if listed && read_link(&self.to, &path).await.is_ok_and(|old| old == content) {
            self.same();
            return Ok(());
        }
        if self.options.dry_run {
            self.copied(&path, u64::try_from(content.len()).unwrap_or(u64::MAX));
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let digest = link_digest(&path, &content).map_err(Trouble::Fault)?;
            let trouble = match self.revision(repository, &digest, false, 0).await {
                Ok(true) => {
                    let (repository, tag) = (repository.to_owned(), tag.to_owned());
                    // A broken entry of the index is reported where it is walked over.
                    match self.link(&Entry::TagIndex { repository, tag, digest }, false).await {
                        Err(Trouble::Backend(error)) => return Err(error.into()),
                        _ => return self.put(&path, content).await,
                    }
                }
                Ok(false) => lacking(format!("the source's repository has no revision {digest}")),
                Err(trouble) => trouble,
            };
            // The tag may have moved on, and what it stood for may be gone with reason.
            let again = read_link(&self.from, &path).await?;
            if again == content {
                return self.withheld(&path, trouble).await;
            }
            content = again;
        }
        Err(Trouble::Fault(Fault::new(FaultKind::Withheld, path, "the tag moved again and again")))
    }

    /// Says why a link is not written: because it is gone from the source too, or because the
    /// source has it and not what it refers to.
    pub(super) async fn withheld(&self, path: &str, trouble: Trouble) -> Result<(), Trouble> {
        let Trouble::Fault(fault) = trouble else { return Err(trouble) };
        if file_size(&self.from, path).await?.is_none() {
            return Err(Trouble::Gone);
        }
        if fault.path == path {
            return Err(Trouble::Fault(fault));
        }
        // What is wrong with another file is reported there.
        let detail = if fault.path.is_empty() { fault.detail } else { fault.to_string() };
        Err(Trouble::Fault(Fault::new(FaultKind::Withheld, path, detail)))
    }

    /// Sees to it that a blob is at the destination.
    pub(super) async fn blob(&self, digest: &Digest) -> Result<(), Trouble> {
        let path = blob_path(digest);
        let _turn = self.turns.take(&path).await;
        match self.settled.get(&path) {
            Some(Settled::There) => return Ok(()),
            Some(Settled::Never(reason)) => return Err(lacking(&*reason)),
            None => {}
        }
        if let Some(size) = file_size(&self.to, &path).await? {
            // Where all blobs are walked over, that pass has compared their sizes.
            if !self.is_partial() || file_size(&self.from, &path).await?.is_none_or(|wanted| wanted == size) {
                self.settled.insert(&path, Settled::There);
                return Ok(());
            }
        }
        if self.options.dry_run {
            if let Some(size) = file_size(&self.from, &path).await? {
                self.copied(&path, size);
            }
            self.settled.insert(&path, Settled::There);
            return Ok(());
        }
        let reason = match self.copy_blob(digest).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Gone) => format!("the source has no blob {digest}"),
            Err(Trouble::Fault(fault)) => {
                self.ledger.fault(fault);
                format!("the blob {digest} could not be copied whole")
            }
            Err(Trouble::Backend(error)) => return Err(error.into()),
        };
        self.settled.insert(&path, Settled::Never(reason.as_str().into()));
        Err(lacking(reason))
    }

    /// What stands in a link of the source, which has to be its digest; `None` if the source does not have it.
    async fn source_link(&self, path: &str, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        let content = match read_link(&self.from, path).await {
            Err(Trouble::Gone) => return Ok(None),
            read => read?,
        };
        self.read(content.len()).await;
        check_link(path, &content, digest).map_err(Trouble::Fault)?;
        Ok(Some(content))
    }

    /// Writes a link if the destination does not have it; what it refers to must be there. `false`:
    /// the source does not have it. `absent`: the destination is known not to have it.
    async fn link(&self, entry: &Entry, absent: bool) -> Result<bool, Trouble> {
        let (Some(path), Some(digest)) = (entry.path(), entry.digest()) else { return Ok(false) };
        let _turn = self.turns.take(&path).await;
        if self.settled.get(&path).is_some() {
            return Ok(true);
        }
        if absent || file_size(&self.to, &path).await?.is_none() {
            let Some(content) = self.source_link(&path, &digest).await? else { return Ok(false) };
            self.put(&path, content).await?;
        }
        self.settled.insert(&path, Settled::There);
        Ok(true)
    }

    /// Writes the link to a manifest, after all that the manifest refers to. `false`: the source
    /// does not have it. `absent`: the destination is known not to have it.
    fn revision<'a>(
        &'a self,
        repository: &'a str,
        digest: &'a Digest,
        absent: bool,
        depth: usize,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        let entry = Entry::RevisionLink { repository: repository.to_owned(), digest: *digest };
        async move {
            let Some(path) = entry.path() else { return Ok(false) };
            let _turn = self.turns.take(&path).await;
            if self.settled.get(&path).is_some() {
                return Ok(true);
            }
            if absent || file_size(&self.to, &path).await?.is_none() {
                let Some(content) = self.source_link(&path, digest).await? else { return Ok(false) };
                self.manifest(repository, digest, depth).await?;
                self.put(&path, content).await?;
            }
            self.settled.insert(&path, Settled::There);
            Ok(true)
        }
        .boxed()
    }

    /// Sees to it that a manifest is at the destination with all that it refers to, and that the
    /// repository has the links to it that the source has.
    fn member<'a>(
        &'a self,
        repository: &'a str,
        digest: &'a Digest,
        depth: usize,
    ) -> BoxFuture<'a, Result<(), Trouble>> {
        async move {
            if self.revision(repository, digest, false, depth).await? {
                return Ok(());
            }
            // Registries before 2.1 linked manifests as layers.
            self.manifest(repository, digest, depth).await?;
            self.layer(repository, digest).await
        }
        .boxed()
    }

    /// The link to a layer, if the source has it. A broken one is reported where it is walked over.
    async fn layer(&self, repository: &str, digest: &Digest) -> Result<(), Trouble> {
        let entry = Entry::LayerLink { repository: repository.to_owned(), digest: *digest };
        match self.link(&entry, false).await {
            Err(Trouble::Backend(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Copies a manifest's blob, after all that the manifest refers to, with the links of the
    /// repository to that.
    async fn manifest(&self, repository: &str, digest: &Digest, depth: usize) -> Result<(), Trouble> {
        if depth > DEPTH {
            return Err(lacking(format!("manifests are nested more than {DEPTH} deep")));
        }
        let (content, there) = self.read_manifest(digest).await?;
        let manifest = Manifest::parse(&content)
            .map_err(|reason| lacking(format!("the manifest {digest} cannot be read: {reason}")))?;
        for child in &manifest.children {
            self.member(repository, child, depth + 1).await?;
        }
        for blob in &manifest.blobs {
            self.blob(blob).await?;
            self.layer(repository, blob).await?;
        }
        if there {
            return Ok(());
        }
        let path = blob_path(digest);
        let _turn = self.turns.take(&path).await;
        if !matches!(self.settled.get(&path), Some(Settled::There)) {
            self.put(&path, content).await?;
            self.settled.insert(&path, Settled::There);
        }
        Ok(())
    }

    /// A manifest's content, and whether it is at the destination. Read there if it is: it was
    /// hashed on its way, and reading it at the source once more may cost more.
    async fn read_manifest(&self, digest: &Digest) -> Result<(Bytes, bool), Trouble> {
        let path = blob_path(digest);
        let (storage, there) = match file_size(&self.to, &path).await? {
            Some(_) => (&self.to, true),
            None => (&self.from, false),
        };
        let content = match storage.get_content_limited(&path, MANIFEST_LIMIT).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => {
                return Err(lacking(format!("the source has no blob {digest}")));
            }
            Err(storagedriver::Error::Unsupported { .. }) => {
                return Err(lacking(format!("the manifest {digest} has more than {MANIFEST_LIMIT} bytes")));
            }
            Err(error) => return Err(error.into()),
        };
        if !there {
            self.read(content.len()).await;
        }
        if Digest::of(digest.algorithm(), &content) != *digest {
            return Err(lacking(format!("the bytes of the manifest {digest} do not have that digest")));
        }
        Ok((content, there))
    }
}
