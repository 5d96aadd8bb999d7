//! Images that a client can push: OCI layouts on disk, made here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A directory in the layout of OCI.
pub(crate) struct Layout {
    directory: PathBuf,
    /// The manifests, indexes, configurations and layers, by their digests.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
}

impl Layout {
    fn new(directory: &Path) -> Self {
        std::fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Layout { directory: directory.to_owned(), blobs: BTreeMap::new() }
    }

    /// An image of these layers.
    pub(crate) fn image(directory: &Path, layers: &[Vec<u8>]) -> Self {
        let mut layout = Layout::new(directory);
        let manifest = layout.add_image("amd64", layers);
        layout.finish(&[manifest])
    }

    /// An index of two platforms: what is pushed is the index too.
    pub(crate) fn index(directory: &Path, of: [(&str, &[Vec<u8>]); 2]) -> Self {
        let mut layout = Layout::new(directory);
        let manifests = of.map(|(platform, layers)| layout.add_image(platform, layers));
        layout.finish(&manifests)
    }

    pub(crate) fn path(&self) -> &str {
        self.directory.to_str().unwrap()
    }

    fn add(&mut self, kind: &str, content: Vec<u8>) -> Value {
        let hex: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(self.directory.join("blobs/sha256").join(&hex), &content).unwrap();
        let digest = format!("sha256:{hex}");
        let descriptor = json!({ "mediaType": kind, "digest": digest, "size": content.len() });
        self.blobs.insert(digest, content);
        descriptor
    }

    fn add_image(&mut self, platform: &str, layers: &[Vec<u8>]) -> Value {
        let layers: Vec<Value> = layers.iter().map(|layer| self.add(LAYER, layer.clone())).collect();
        let unpacked: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let configuration = json!({
            "architecture": platform, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": unpacked },
        });
        let configuration = self.add(CONFIG, configuration.to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": layers,
        });
        let mut descriptor = self.add(MANIFEST, manifest.to_string().into_bytes());
        descriptor["platform"] = json!({ "architecture": platform, "os": "linux" });
        descriptor
    }

    fn finish(self, manifests: &[Value]) -> Self {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        std::fs::write(self.directory.join("index.json"), index.to_string()).unwrap();
        self
    }
}

/// Bytes that follow from a number.
pub(crate) fn layer(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
