//! The tree of a registry by formula: of any size, and nothing of it is kept.
//!
//! Each repository has 100 files: 38 blobs of its own with a link to each, and four images that it shares with other
//! repositories, each with a link to its three blobs, a revision and a tag. There are 1,000 such images. Their
//! manifests are real ones, for a check reads them; all other blobs have digests that are spread evenly and bytes
//! that nobody hashes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use storagedriver_cli::registry::{Algorithm, BLOBS, Digest, Entry, REPOSITORIES, blob_path};

/// How many images there are for the repositories to share.
const IMAGES: u64 = 1000;
/// How many of them a repository has.
const IMAGES_EACH: u64 = 4;
/// How many blobs an image has beside its manifest.
const PARTS: u64 = 3;
/// How many blobs a repository has that no other has.
const OWN: u64 = 38;
/// How many files belong to no repository in particular: the blobs of the images.
const SHARED: u64 = IMAGES * (1 + PARTS);
/// How many files each repository adds: its blobs and their links, and of each image its blobs' links, the link to
/// its revision, and the two files of its tag.
const EACH: u64 = 2 * OWN + IMAGES_EACH * (PARTS + 3);

/// A file: where it is and how large.
pub(crate) type File = (String, u64);

/// A registry with so many repositories.
#[derive(Debug)]
pub(crate) struct Registry {
    repositories: u64,
    /// The images' numbers and manifests, by digest: a thousand, however large the registry.
    manifests: BTreeMap<Digest, (u64, String)>,
    /// The digests in order.
    order: Vec<Digest>,
}

/// A repository's name and number.
fn name(repository: u64) -> String {
    format!("org-{:06}/app-{:02}", repository / 100, repository % 100)
}

fn number(name: &str) -> Option<u64> {
    let (org, app) = name.strip_prefix("org-")?.split_once("/app-")?;
    let repository = org.parse::<u64>().ok()? * 100 + app.parse::<u64>().ok()?;
    (self::name(repository) == name).then_some(repository)
}

/// `debug` builds spend much time on the digits of [`Digest::hex`].
fn hex(digest: &Digest) -> String {
    let words = digest.as_bytes().as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word));
    words.fold(String::with_capacity(64), |mut text, word| {
        use std::fmt::Write;
        write!(text, "{word:016x}").unwrap();
        text
    })
}

impl Registry {
    /// A registry of so many files, rounded up to whole repositories.
    pub(crate) fn new(files: u64) -> Self {
        let repositories = files.saturating_sub(SHARED).div_ceil(EACH);
        let mut registry = Registry { repositories, manifests: BTreeMap::new(), order: Vec::new() };
        for image in 0..IMAGES {
            let text = registry.manifest(image);
            registry.manifests.insert(Digest::of(Algorithm::Sha256, text.as_bytes()), (image, text));
        }
        registry.order = registry.manifests.keys().copied().collect();
        registry
    }

    pub(crate) fn files(&self) -> u64 {
        SHARED + self.repositories * EACH
    }

    /// How many tags there are, and as many revisions.
    pub(crate) fn tags(&self) -> u64 {
        self.repositories * IMAGES_EACH
    }

    pub(crate) fn blobs(&self) -> u64 {
        self.formula_blobs() + IMAGES
    }

    /// What manifests refer to, themselves included; all else is unreferenced.
    pub(crate) fn referenced(&self) -> u64 {
        let used = (self.repositories * IMAGES_EACH).min(IMAGES);
        used * (1 + PARTS)
    }

    fn formula_blobs(&self) -> u64 {
        IMAGES * PARTS + self.repositories * OWN
    }

    /// The digest of a blob: in the order of their numbers, spread over all there are.
    fn digest(&self, blob: u64) -> Digest {
        let step = u64::MAX / self.formula_blobs();
        let mut bytes = [0; 32];
        let mut word = blob * step + blob.wrapping_mul(0x9E37_79B9_7F4A_7C15) % step;
        for place in bytes.as_chunks_mut::<8>().0 {
            *place = word.to_be_bytes();
            word = word.wrapping_mul(0xD134_2543_DE82_EF95).rotate_left(29);
        }
        Digest::from_bytes(Algorithm::Sha256, &bytes).unwrap()
    }

    /// The number of the blob with this digest.
    fn blob(&self, digest: &Digest) -> Option<u64> {
        let first = u64::from_be_bytes(*digest.as_bytes().first_chunk()?);
        let blob = first / (u64::MAX / self.formula_blobs());
        (blob < self.formula_blobs() && self.digest(blob) == *digest).then_some(blob)
    }

    fn blob_size(blob: u64) -> u64 {
        1000 + blob % 5000
    }

    fn manifest(&self, image: u64) -> String {
        let part = |part: u64| {
            let blob = image * PARTS + part;
            serde_json::json!({ "digest": self.digest(blob).to_string(), "size": Self::blob_size(blob) })
        };
        let layers: Vec<_> = (1..PARTS).map(part).collect();
        serde_json::json!({ "schemaVersion": 2, "config": part(0), "layers": layers, "image": image })
            .to_string()
    }

    /// Which manifests a repository has: so many in a row of them all, in their order.
    fn images(&self, repository: u64) -> &[Digest] {
        let first = (repository % (IMAGES / IMAGES_EACH) * IMAGES_EACH) as usize;
        &self.order[first..first + IMAGES_EACH as usize]
    }

    /// The blobs that a repository has links to, in order. Those of images have the lowest numbers.
    fn layers(&self, repository: u64) -> Vec<u64> {
        let parts = |manifest: &Digest| {
            let (image, _) = self.manifests[manifest];
            image * PARTS..(image + 1) * PARTS
        };
        let mut layers: Vec<u64> = self.images(repository).iter().flat_map(parts).collect();
        layers.sort_unstable();
        layers.extend((0..OWN).map(|own| IMAGES * PARTS + own * self.repositories + repository));
        layers
    }

    /// The content of the file at a path; of blobs that nobody hashes only as many bytes.
    pub(crate) fn content(&self, entry: &Entry) -> Option<String> {
        let repository = |name: &str| number(name).filter(|&number| number < self.repositories);
        match entry {
            Entry::Blob { digest } => match self.manifests.get(digest) {
                Some((_, manifest)) => Some(manifest.clone()),
                None => Some("\0".repeat(Self::blob_size(self.blob(digest)?) as usize)),
            },
            Entry::LayerLink { repository: name, digest } => {
                let (repository, blob) = (repository(name)?, self.blob(digest)?);
                let owned =
                    blob >= IMAGES * PARTS && (blob - IMAGES * PARTS) % self.repositories == repository;
                (owned || self.layers(repository).contains(&blob)).then(|| digest.to_string())
            }
            Entry::RevisionLink { repository: name, digest } => {
                self.images(repository(name)?).contains(digest).then(|| digest.to_string())
            }
            Entry::TagIndex { repository: name, tag, digest } => {
                (*self.tagged(repository(name)?, tag)? == *digest).then(|| digest.to_string())
            }
            Entry::TagCurrent { repository: name, tag } => {
                self.tagged(repository(name)?, tag).map(Digest::to_string)
            }
            _ => None,
        }
    }

    fn tagged(&self, repository: u64, tag: &str) -> Option<&Digest> {
        self.images(repository).get(tag.strip_prefix('v')?.parse::<usize>().ok()?)
    }

    fn links_of(&self, repository: u64) -> Vec<File> {
        let root = format!("{REPOSITORIES}/{}", name(repository));
        let mut files: Vec<String> = Vec::with_capacity(EACH as usize);
        for layer in self.layers(repository) {
            files.push(format!("{root}/_layers/sha256/{}/link", hex(&self.digest(layer))));
        }
        let images: Vec<String> = self.images(repository).iter().map(hex).collect();
        for image in &images {
            files.push(format!("{root}/_manifests/revisions/sha256/{image}/link"));
        }
        for (tag, image) in images.iter().enumerate() {
            files.push(format!("{root}/_manifests/tags/v{tag}/current/link"));
            files.push(format!("{root}/_manifests/tags/v{tag}/index/sha256/{image}/link"));
        }
        // A link holds `sha256:` and 64 digits.
        files.into_iter().map(|path| (path, 71)).collect()
    }

    fn middle(&self) -> u64 {
        IMAGES * PARTS + self.repositories * OWN / 2
    }

    /// A blob of one repository, in the middle of all.
    pub(crate) fn some_blob(&self) -> Entry {
        Entry::Blob { digest: self.digest(self.middle()) }
    }

    /// The link to it.
    pub(crate) fn its_link(&self) -> Entry {
        let blob = self.middle();
        let repository = name((blob - IMAGES * PARTS) % self.repositories);
        Entry::LayerLink { repository, digest: self.digest(blob) }
    }
}

/// The files of a registry in the order of their paths.
pub(crate) struct Files {
    registry: Arc<Registry>,
    /// The next of those that are left.
    blobs: Range<u64>,
    manifests: Range<usize>,
    repositories: Range<u64>,
    /// Of the repository that was begun.
    links: std::vec::IntoIter<File>,
}

impl Files {
    pub(crate) fn new(registry: &Arc<Registry>, blobs: bool, links: bool) -> Self {
        let (no_blobs, no_repositories) = (u64::from(!blobs) * u64::MAX, u64::from(!links) * u64::MAX);
        Files {
            blobs: no_blobs..registry.formula_blobs(),
            manifests: if blobs { 0..registry.order.len() } else { 0..0 },
            repositories: no_repositories..registry.repositories,
            links: Vec::new().into_iter(),
            registry: registry.clone(),
        }
    }
}

impl Iterator for Files {
    type Item = File;

    fn next(&mut self) -> Option<File> {
        let registry = &self.registry;
        let manifest = registry.order.get(self.manifests.start).filter(|_| !self.manifests.is_empty());
        let blob = self.blobs.clone().next().map(|blob| registry.digest(blob));
        let (digest, size) = match (manifest, blob) {
            (Some(manifest), blob) if blob.is_none_or(|blob| *manifest < blob) => {
                self.manifests.next();
                (*manifest, registry.manifests[manifest].1.len() as u64)
            }
            (_, Some(blob)) => (blob, Registry::blob_size(self.blobs.next()?)),
            _ => loop {
                if let Some(link) = self.links.next() {
                    return Some(link);
                }
                self.links = registry.links_of(self.repositories.next()?).into_iter();
            },
        };
        let hex = hex(&digest);
        Some((format!("{BLOBS}/sha256/{}/{hex}/data", &hex[..2]), size))
    }
}

#[test]
fn the_formula_is_a_registry() {
    let registry = Arc::new(Registry::new(6000));
    assert_eq!(registry.files(), 6000);
    let files: Vec<File> = Files::new(&registry, true, true).collect();
    assert_eq!(files.len() as u64, registry.files());
    assert!(files.is_sorted_by(|(a, _), (b, _)| a < b));
    for (path, size) in &files {
        let entry = storagedriver_cli::registry::classify(path);
        let content = registry.content(&entry).unwrap_or_else(|| panic!("{path} has no content"));
        assert_eq!(content.len() as u64, *size, "{path}");
    }
    let Entry::Blob { digest } = registry.some_blob() else { panic!("no blob") };
    assert!(files.iter().any(|(path, _)| *path == blob_path(&digest)));
    assert!(files.iter().any(|(path, _)| *path == registry.its_link().path().unwrap()));
}
