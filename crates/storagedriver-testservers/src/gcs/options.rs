//! How a GCS server is to behave.

/// How a GCS server is to behave. The default is the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsOptions {
    /// The buckets that exist: `bucket`.
    pub buckets: Vec<String>,
    /// The token that requests carry, `Authorization: Bearer token`; `None`: requests may be anonymous.
    pub token: Option<String>,
    /// RSA keys (DER, PKCS#1, as `ring` gives them) that signed URLs are verified with; none: a
    /// signed URL is taken as long as it has not expired.
    pub signing_keys: Vec<Vec<u8>>,
    /// The most names in a page of a listing: 1000.
    pub page_size: usize,
    /// How many bytes one call of `rewrite` copies before it asks to be called again; `None`: all.
    /// The service copies at least 1 MiB a call, this server as few as it is told.
    pub rewrite_limit: Option<u64>,
    /// The most sources of a `compose`: 32.
    pub compose_limit: usize,
    /// The least size of a part that is not the last, in bytes: 5 MiB, and 0 for none.
    pub min_part: u64,
    /// Chunks of a resumable upload but the last are a multiple of this: 256 KiB.
    pub chunk_multiple: u64,
}

impl Default for GcsOptions {
    fn default() -> Self {
        Self {
            buckets: vec!["bucket".to_owned()],
            token: Some("token".to_owned()),
            signing_keys: Vec::new(),
            page_size: 1000,
            rewrite_limit: None,
            compose_limit: 32,
            min_part: 5 << 20,
            chunk_multiple: 256 << 10,
        }
    }
}
