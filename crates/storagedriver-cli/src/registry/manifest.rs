//! What a manifest refers to.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Digest;

/// The most bytes that a manifest may have: what registries accept, 4 MiB.
pub const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// What kind of manifest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestKind {
    /// An image or an artefact: a configuration and layers.
    Image,
    /// A list of manifests.
    Index,
    /// Docker's first schema: layers only.
    Schema1,
}

/// What a manifest refers to.
///
/// The `subject` of a manifest is left out: it need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// Its kind.
    pub kind: ManifestKind,
    /// Configuration, layers, and what an index lists that is no manifest.
    pub blobs: Vec<Digest>,
    /// The manifests that an index lists.
    pub children: Vec<Digest>,
    /// Layers that clients fetch from elsewhere: the storage need not have them.
    pub foreign: Vec<Digest>,
}

/// Why some bytes are no manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableManifest {
    /// No JSON, or not of a manifest's form.
    #[error("not a manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A digest in it is none.
    #[error("refers to `{text}`, which is no digest: {reason}")]
    Digest {
        /// What it refers to.
        text: String,
        /// Why that is no digest.
        reason: super::InvalidDigest,
    },
    /// Neither configuration, layers, manifests nor Docker's first schema.
    #[error("not a manifest: neither config, layers nor manifests in it")]
    Unknown,
    /// More bytes than [`MANIFEST_LIMIT`].
    #[error("{size} bytes, more than the {MANIFEST_LIMIT} that a registry accepts as a manifest")]
    TooLarge {
        /// How many.
        size: u64,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    schema_version: u64,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    /// Of the artefact manifest that drafts of OCI 1.1 had.
    blobs: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    fs_layers: Option<Vec<FsLayer>>,
}

/// A layer of Docker's first schema.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FsLayer {
    blob_sum: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    urls: Option<Vec<IgnoredAny>>,
}

impl Descriptor {
    fn digest(&self) -> Result<Digest, UnreadableManifest> {
        self.digest.parse().map_err(|reason| UnreadableManifest::Digest { text: self.digest.clone(), reason })
    }

    /// As registries decide it: only a layer that may not be distributed and says where it is.
    fn is_foreign(&self) -> bool {
        let media_type = self.media_type.as_deref().unwrap_or_default();
        let restricted = media_type.contains(".nondistributable.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.");
        restricted && self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }

    /// Whether an index lists it as a manifest. Build caches list plain layers there.
    fn is_manifest(&self) -> bool {
        const MANIFESTS: &[&str] = &[
            "",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.artifact.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
        ];
        MANIFESTS.contains(&self.media_type.as_deref().unwrap_or_default())
    }
}

impl Manifest {
    /// Reads a manifest of any kind that registries store.
    ///
    /// # Errors
    /// [`UnreadableManifest`].
    pub fn parse(content: &[u8]) -> Result<Self, UnreadableManifest> {
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > MANIFEST_LIMIT {
            return Err(UnreadableManifest::TooLarge { size });
        }
        let document: Document = serde_json::from_slice(content)?;
        let kind = match &document {
            Document { manifests: Some(_), .. } => ManifestKind::Index,
            Document { schema_version: 1, fs_layers: Some(_), .. } => ManifestKind::Schema1,
            Document { config: None, layers: None, blobs: None, .. } => {
                return Err(UnreadableManifest::Unknown);
            }
            _ => ManifestKind::Image,
        };
        let mut manifest = Manifest { kind, blobs: Vec::new(), children: Vec::new(), foreign: Vec::new() };
        let layers = document.layers.into_iter().chain(document.blobs).flatten();
        for descriptor in document.config.into_iter().chain(layers) {
            let place = if descriptor.is_foreign() { &mut manifest.foreign } else { &mut manifest.blobs };
            place.push(descriptor.digest()?);
        }
        for layer in document.fs_layers.into_iter().flatten() {
            // The oldest ones name layers by digests that nothing computes any more.
            manifest.blobs.extend(layer.blob_sum.parse::<Digest>());
        }
        for descriptor in document.manifests.into_iter().flatten() {
            let place = if descriptor.is_manifest() { &mut manifest.children } else { &mut manifest.blobs };
            place.push(descriptor.digest()?);
        }
        // Images repeat layers, empty ones most of all.
        for place in [&mut manifest.blobs, &mut manifest.children] {
            place.sort_unstable();
            place.dedup();
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::*;

    fn digest(seed: &str) -> Digest {
        Digest::of(Algorithm::Sha256, seed.as_bytes())
    }

    fn descriptor(media_type: &str, seed: &str) -> serde_json::Value {
        serde_json::json!({ "mediaType": media_type, "digest": digest(seed).to_string(), "size": 1 })
    }

    fn parse(document: &serde_json::Value) -> Manifest {
        Manifest::parse(document.to_string().as_bytes()).unwrap()
    }

    fn sorted(seeds: &[&str]) -> Vec<Digest> {
        let mut digests: Vec<Digest> = seeds.iter().map(|seed| digest(seed)).collect();
        digests.sort();
        digests
    }

    #[test]
    fn an_image_refers_to_its_config_and_layers_once_each() {
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = parse(&serde_json::json!({
            "schemaVersion": 2,
            "config": descriptor("application/vnd.oci.image.config.v1+json", "config"),
            "layers": [descriptor(layer, "a"), descriptor(layer, "b"), descriptor(layer, "a")],
            "manifests": null,
            "mediaType": null,
            "subject": descriptor("application/vnd.oci.image.manifest.v1+json", "subject"),
        }));
        assert_eq!(manifest.kind, ManifestKind::Image);
        assert_eq!(manifest.blobs, sorted(&["config", "a", "b"]));
        assert!(manifest.children.is_empty() && manifest.foreign.is_empty());
    }

    #[test]
    fn a_foreign_layer_needs_both_its_type_and_urls() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        let restricted = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
        let with_urls = |media_type: &str, seed: &str| {
            let mut layer = descriptor(media_type, seed);
            layer["urls"] = serde_json::json!(["https://elsewhere.example/layer"]);
            layer
        };
        let manifest = parse(&serde_json::json!({
            "schemaVersion": 2,
            "config": descriptor("c", "config"),
            "layers": [
                with_urls(foreign, "a"), with_urls(restricted, "b"),
                descriptor(foreign, "no urls"), with_urls("application/x", "no type"),
            ],
        }));
        assert_eq!(manifest.foreign, [digest("a"), digest("b")]);
        assert_eq!(manifest.blobs, sorted(&["config", "no urls", "no type"]));
    }

    #[test]
    fn an_index_lists_manifests_and_may_list_layers() {
        let manifest = parse(&serde_json::json!({
            "schemaVersion": 2,
            "manifests": [
                descriptor("application/vnd.oci.image.manifest.v1+json", "m"),
                descriptor("application/vnd.docker.distribution.manifest.list.v2+json", "l"),
                descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", "layer"),
            ],
        }));
        assert_eq!(manifest.kind, ManifestKind::Index);
        assert_eq!(manifest.children, sorted(&["m", "l"]));
        assert_eq!(manifest.blobs, [digest("layer")]);
    }

    #[test]
    fn the_first_schema_has_layers() {
        let layer = digest("layer").to_string();
        let manifest = parse(&serde_json::json!({
            "schemaVersion": 1, "name": "a", "tag": "b",
            "fsLayers": [{ "blobSum": layer }, { "blobSum": "tarsum.v1+sha256:00" }, { "blobSum": layer }],
        }));
        assert_eq!(manifest.kind, ManifestKind::Schema1);
        assert_eq!(manifest.blobs, [digest("layer")]);
    }

    #[test]
    fn what_is_no_manifest() {
        for bad in ["", "{", "[]", "{}", "{\"schemaVersion\":2}", "null", "\"x\""] {
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let wrong = Manifest::parse(br#"{"layers":[{"digest":"sha256:12"}]}"#).unwrap_err();
        assert!(matches!(wrong, UnreadableManifest::Digest { .. }), "{wrong}");
        let large = vec![b' '; usize::try_from(MANIFEST_LIMIT).unwrap() + 1];
        assert!(matches!(Manifest::parse(&large), Err(UnreadableManifest::TooLarge { .. })));
    }
}
