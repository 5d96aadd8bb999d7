//! How an Azure server is to behave.

/// How a copy ends that is not done at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CopyOutcome {
    /// The blob is whole.
    #[default]
    Success,
    /// The blob stays, empty, and says that the copy failed.
    Failed,
    /// The same, as if somebody had aborted it.
    Aborted,
    /// The copy is pending until a client aborts it.
    Never,
}

/// What becomes of a copy. The default: it is done at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyRule {
    /// How many times its destination is looked at (Get Blob Properties, Get Blob) and found
    /// pending, before it ends.
    pub pending_looks: u32,
    /// How it ends. One that does not succeed is always pending at first.
    pub outcome: CopyOutcome,
}

/// How an Azure server is to behave. The default is the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureOptions {
    /// The containers that exist: `container`.
    pub containers: Vec<String>,
    /// A token that is taken as well as signatures, `Authorization: Bearer token`.
    pub token: String,
    /// What becomes of copies; see also [`AzureServer::set_copies`](super::AzureServer::set_copies).
    pub copies: CopyRule,
    /// The most names in a page of a listing: 5000.
    pub page_size: usize,
    /// The most blocks of a blob: 50,000.
    pub max_blocks: usize,
    /// The largest block of an Append Block, in bytes: 100 MiB.
    pub max_append: u64,
    /// Whether Put Block From URL exists; else 501 `NotImplemented`, as from Azurite.
    pub block_from_url: bool,
    /// Whether batches of deletes exist; else 501 `NotImplemented`.
    pub batch: bool,
    /// The newest version of the interface that the server knows, by date: `2026-02-06`, in which
    /// listings can start at a name. A request of a newer one is refused.
    pub newest_version: String,
    /// Whether the account says that it has a hierarchical namespace. It behaves as if it had none.
    pub hierarchical: bool,
}

impl Default for AzureOptions {
    fn default() -> Self {
        Self {
            containers: vec!["container".to_owned()],
            token: "token".to_owned(),
            copies: CopyRule::default(),
            page_size: 5000,
            max_blocks: 50_000,
            max_append: 100 << 20,
            block_from_url: true,
            batch: true,
            newest_version: "2026-02-06".to_owned(),
            hierarchical: false,
        }
    }
}
