//! How a Swift server is to behave.

/// How a Swift server is to behave. The default is OpenStack Swift with all that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwiftOptions {
    /// The containers that exist: `container`.
    pub containers: Vec<String>,
    /// The most names in a page of a listing: 10,000. A request for more is refused with 412.
    pub page_size: usize,
    /// Whether it tells at `/info` what it has.
    pub info: bool,
    /// Whether it has static large objects.
    pub static_large_objects: bool,
    /// Whether it has bulk deletes.
    pub bulk_delete: bool,
    /// The most objects that one bulk delete takes: 10,000.
    pub bulk_delete_limit: usize,
    /// The digests that temporary URLs may be signed with, as `/info` tells them; none: `/info` says nothing of them,
    /// and only SHA-1 is taken, as in old clusters.
    pub temp_url_digests: Vec<&'static str>,
    /// Whether the user owns the account. One who does not can use the containers that exist, but can make none, set
    /// no key and see none.
    pub owner: bool,
    /// The regions of the catalogue, the first of which leads to this server; the others lead nowhere.
    pub regions: Vec<&'static str>,
}

impl Default for SwiftOptions {
    fn default() -> Self {
        Self {
            containers: vec!["container".to_owned()],
            page_size: 10_000,
            info: true,
            static_large_objects: true,
            bulk_delete: true,
            bulk_delete_limit: 10_000,
            temp_url_digests: vec!["sha1", "sha256", "sha512"],
            owner: true,
            regions: vec!["RegionOne", "RegionTwo"],
        }
    }
}
