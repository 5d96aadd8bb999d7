//! Trees of registries, made in code, and what tests look at in them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use storagedriver::bytes::Bytes;
use storagedriver::{Storage, WalkOptions};
use storagedriver_cli::registry::{Algorithm, Digest, Entry, Manifest, blob_path, classify};

/// A tree: what is at each path.
pub(crate) type Files = BTreeMap<String, Bytes>;

/// Numbers that look random and are the same in every run.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Numbers(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

type Put<'a> = dyn FnMut(&str, Bytes) + 'a;

/// Writes what a registry would write, file by file, in the order in which it does.
pub(crate) struct Registry<'a> {
    put: Box<Put<'a>>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(put: impl FnMut(&str, Bytes) + 'a) -> Self {
        Registry { put: Box::new(put) }
    }

    /// Into a map.
    pub(crate) fn of(files: &'a mut Files) -> Self {
        Registry::new(|path, content| {
            files.insert(path.to_owned(), content);
        })
    }

    pub(crate) fn entry(&mut self, entry: &Entry, content: impl Into<Bytes>) {
        (self.put)(&entry.path().unwrap(), content.into());
    }

    fn link(&mut self, entry: &Entry) {
        self.entry(entry, entry.digest().unwrap().to_string());
    }

    /// A blob that no repository has.
    pub(crate) fn blob(&mut self, content: impl Into<Bytes>) -> Digest {
        let content = content.into();
        let digest = Digest::of(Algorithm::Sha256, &content);
        self.entry(&Entry::Blob { digest }, content);
        digest
    }

    pub(crate) fn layer(&mut self, repository: &str, content: impl Into<Bytes>) -> Digest {
        let digest = self.blob(content);
        self.link(&Entry::LayerLink { repository: repository.to_owned(), digest });
        digest
    }

    /// A manifest of any content.
    pub(crate) fn manifest(&mut self, repository: &str, content: impl Into<Bytes>) -> Digest {
        let digest = self.blob(content);
        self.link(&Entry::RevisionLink { repository: repository.to_owned(), digest });
        digest
    }

    pub(crate) fn tag(&mut self, repository: &str, tag: &str, digest: Digest) {
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        self.link(&Entry::TagIndex { repository: repository.clone(), tag: tag.clone(), digest });
        self.entry(&Entry::TagCurrent { repository, tag }, digest.to_string());
    }

    /// An image, its manifest without a tag.
    pub(crate) fn image(&mut self, repository: &str, layers: &[Vec<u8>]) -> Digest {
        let layers: Vec<Digest> = layers.iter().map(|layer| self.layer(repository, layer.clone())).collect();
        let config = self.layer(repository, format!("{{\"rootfs\":{layers:?}}}"));
        self.manifest(repository, image_manifest(config, &layers))
    }

    pub(crate) fn index(&mut self, repository: &str, children: &[Digest]) -> Digest {
        self.manifest(repository, index_manifest(children))
    }
}

fn descriptor(kind: &str, digest: &Digest) -> serde_json::Value {
    json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "size": 1, "digest": digest.to_string() })
}

pub(crate) fn image_manifest(config: Digest, layers: &[Digest]) -> String {
    let layers: Vec<_> = layers.iter().map(|layer| descriptor("layer.v1.tar+gzip", layer)).collect();
    json!({ "schemaVersion": 2, "config": descriptor("config.v1+json", &config), "layers": layers })
        .to_string()
}

pub(crate) fn index_manifest(children: &[Digest]) -> String {
    let children: Vec<_> = children.iter().map(|child| descriptor("manifest.v1+json", child)).collect();
    json!({ "schemaVersion": 2, "manifests": children }).to_string()
}

/// A small registry with one of everything: names that are prefixes of one another, an index, an
/// empty layer, an old entry in a tag's index, uploads in progress, files outside the layout.
pub(crate) fn small_registry() -> Files {
    let mut files = Files::new();
    let mut numbers = Numbers::new(1);
    let mut layer = move |length: usize| numbers.bytes(length);
    let shared = layer(3000);
    let mut registry = Registry::of(&mut files);
    for repository in ["library/base", "team/app", "team/app-web", "team/app.d/nested-x", "team/app/nested"] {
        let old = registry.image(repository, &[shared.clone(), layer(500), Vec::new()]);
        let new = registry.image(repository, &[shared.clone(), layer(70_000)]);
        for tag in ["1.0", "1.0.1", "1.0-alpine"] {
            registry.tag(repository, tag, old);
        }
        registry.tag(repository, "latest", old);
        registry.tag(repository, "latest", new);
    }
    let children = [registry.image("team/app", &[layer(10)]), registry.image("team/app", &[layer(11)])];
    let index = registry.index("team/app", &children);
    registry.tag("team/app", "multi", index);
    drop(registry);
    let upload = "/docker/registry/v2/repositories/team/app/_uploads/0f1e-2d";
    for (name, content) in
        [("startedat", "2026-01-01T00:00:00Z"), ("hashstates/sha256/0", "state"), ("data", "part")]
    {
        files.insert(format!("{upload}/{name}"), Bytes::from_static(content.as_bytes()));
    }
    for (path, content) in [
        ("/scheduler-state.json", "{}"),
        ("/docker/registry/v2/repositories/team/app/_manifests/note", "kept"),
        ("/docker/registry/v2/other", "kept too"),
        ("/docker/registry/v2/blobs-old/x", "and this"),
    ] {
        files.insert(path.to_owned(), Bytes::from_static(content.as_bytes()));
    }
    files.insert("/docker/large".to_owned(), Numbers::new(2).bytes(600_000).into());
    files
}

/// Of [`small_registry`], a layer of 70,000 bytes that one image has.
pub(crate) fn single_layer(files: &Files) -> Digest {
    let digest = files.iter().find_map(|(path, content)| match classify(path) {
        Entry::Blob { digest } if content.len() == 70_000 => Some(digest),
        _ => None,
    });
    digest.unwrap()
}

/// Puts a tree into a storage.
pub(crate) async fn fill(storage: &Storage, files: &Files) {
    for (path, content) in files {
        storage.put_content(path, content.clone()).await.unwrap();
    }
}

/// All files of a storage.
pub(crate) async fn snapshot(storage: &Storage) -> Files {
    let mut files = Files::new();
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    while let Some(info) = walk.next().await.unwrap() {
        if info.is_file() {
            let path = info.path().as_str();
            files.insert(path.to_owned(), storage.get_content(path).await.unwrap());
        }
    }
    files
}

/// The tree without uploads in progress.
pub(crate) fn without_uploads(mut files: Files) -> Files {
    files.retain(|path, _| !matches!(classify(path), Entry::Upload { .. }));
    files
}

/// Compares two trees; says which files differ, not what is in them.
pub(crate) fn assert_same(found: &Files, wanted: &Files) {
    let differs = |path: &&String| found.get(*path) != wanted.get(*path);
    let different: Vec<&String> = wanted.keys().chain(found.keys()).filter(differs).take(10).collect();
    assert!(different.is_empty(), "these differ, are missing or too many: {different:#?}");
}

/// Writes a tree below a directory, as the filesystem driver keeps it.
pub(crate) fn write_below(root: &Path, path: &str, content: &[u8]) {
    let place = root.join(path.strip_prefix('/').unwrap());
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(place, content).unwrap();
}

/// Follows every tag of a tree down to its layers; gives back what does not resolve, in words.
/// `read` gives the content of a file.
pub(crate) fn broken_tags(paths: &[String], read: &dyn Fn(&str) -> Option<Bytes>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut whole = BTreeMap::new();
    for path in paths {
        if let Entry::TagCurrent { repository, tag } = classify(path) {
            let text = read(path).map(|content| String::from_utf8_lossy(&content).into_owned());
            let Some(Ok(digest)) = text.map(|text| text.parse::<Digest>()) else {
                broken.push(format!("{repository}:{tag} holds no digest"));
                continue;
            };
            if let Err(reason) = resolve(&repository, digest, read, &mut whole) {
                broken.push(format!("{repository}:{tag} does not resolve: {reason}"));
            }
        }
    }
    broken
}

fn resolve(
    repository: &str,
    digest: Digest,
    read: &dyn Fn(&str) -> Option<Bytes>,
    whole: &mut BTreeMap<Digest, bool>,
) -> Result<(), String> {
    let mut is_whole = |digest: Digest| {
        *whole.entry(digest).or_insert_with(|| {
            let content = read(&blob_path(&digest));
            content.is_some_and(|content| Digest::of(digest.algorithm(), &content) == digest)
        })
    };
    if !is_whole(digest) {
        return Err(format!("the manifest {digest} is not whole"));
    }
    let revision = Entry::RevisionLink { repository: repository.to_owned(), digest };
    if read(&revision.path().unwrap()).is_none_or(|link| link != digest.to_string()) {
        return Err(format!("no revision {digest}"));
    }
    let manifest = Manifest::parse(&read(&blob_path(&digest)).unwrap()).unwrap();
    for blob in manifest.blobs {
        if !is_whole(blob) {
            return Err(format!("the layer {blob} is not whole"));
        }
        let link = Entry::LayerLink { repository: repository.to_owned(), digest: blob };
        if read(&link.path().unwrap()).is_none_or(|link| link != blob.to_string()) {
            return Err(format!("no link to the layer {blob}"));
        }
    }
    for child in manifest.children {
        resolve(repository, child, read, whole)?;
    }
    Ok(())
}

/// [`broken_tags`] of a tree in memory.
pub(crate) fn broken_tags_of(files: &Files) -> Vec<String> {
    broken_tags(&files.keys().cloned().collect::<Vec<_>>(), &|path| files.get(path).cloned())
}
