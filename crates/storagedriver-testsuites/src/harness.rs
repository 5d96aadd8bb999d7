//! What a driver gives to the suite.

use std::time::Duration;

use async_trait::async_trait;
use storagedriver::{BoxError, Storage};

/// How the suite gets at a driver: implement it once per backend, and give it to
/// [`register_suite!`](crate::register_suite).
///
/// ```
/// use storagedriver::Storage;
/// use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # use storagedriver_inmemory::InMemory;
///
/// struct InMemoryHarness;
///
/// #[async_trait]
/// impl Harness for InMemoryHarness {
///     async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
///         Ok(Box::new(InMemoryStore(Storage::new(InMemory::new()))))
///     }
/// }
///
/// struct InMemoryStore(Storage);
///
/// #[async_trait]
/// impl Store for InMemoryStore {
///     fn storage(&self) -> Storage {
///         self.0.clone()
///     }
/// }
/// # storagedriver_testsuites::run_case("content::replaces_longer_content", InMemoryHarness).unwrap();
/// ```
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Opens one fresh, empty store that no other call has been given or will be given: a new
    /// directory, a new bucket, a new `rootdirectory` inside a bucket. Called once per case, from
    /// several threads at once.
    async fn open(&self) -> Result<Box<dyn Store>, BoxError>;

    /// How much the suite may ask of this backend.
    fn scale(&self) -> Scale {
        Scale::default()
    }
}

/// One store, opened for one case.
#[async_trait]
pub trait Store: Send + Sync {
    /// The handle that the case uses.
    fn storage(&self) -> Storage;

    /// A second handle on the same store, as another process would have it: made anew from the
    /// same parameters, sharing nothing in memory with the first. `None` only where the driver
    /// lacks [`Guarantee::Shared`](storagedriver::Guarantee::Shared).
    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(None)
    }

    /// Waits until the backend has done what it was asked for by futures that were dropped, and says whether it could tell;
    /// if not, [`Scale::settle`] is waited. For a backend that is another process.
    async fn settled(&self) -> bool {
        false
    }

    /// Removes what the store leaves behind. Called after the case, whether it passed or not,
    /// unless it hung. Dropping may do the same.
    async fn remove(&self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// How much the suite may ask of a backend. The default suits what runs on one machine; a harness
/// for a store across a network makes it smaller.
///
/// ```
/// use storagedriver_testsuites::Scale;
///
/// let scale = Scale::default().with_part_size(5 << 20).with_page_size(1000);
/// assert!(scale.sizes().contains(&((5 << 20) - 1)));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scale {
    /// How many children the largest directory gets. A backend that lists in pages should let it
    /// be more than one page.
    pub children: usize,
    /// How many operations run at once in the cases about concurrency.
    pub concurrency: usize,
    /// How often a race is run again to give it a chance to be lost.
    pub rounds: usize,
    /// How often a future of each kind is dropped, each time one poll later.
    pub polls: usize,
    /// The size of the largest content, in bytes.
    pub large: u64,
    /// The sizes in bytes around which contents and writes are tried one byte smaller, equal and
    /// one byte larger: the backend's part size, its buffer, its block.
    pub boundaries: Vec<u64>,
    /// How many names the backend lists per request, if it lists in pages.
    pub page_size: Option<usize>,
    /// How long a request whose future was dropped may still take effect. Zero for what runs in
    /// this process: there a job past its point of publishing holds its path until it is done.
    pub settle: Duration,
    /// How long at most a future that is dropped half-done waits before, without being polled: zero where it does
    /// nothing then, some milliseconds where another process goes on with it.
    pub underway: Duration,
    /// How long one case may take before it counts as hung.
    pub timeout: Duration,
}

impl Default for Scale {
    fn default() -> Self {
        Scale {
            children: 1_100,
            concurrency: 32,
            rounds: 20,
            polls: 12,
            large: 8 << 20,
            boundaries: vec![4 << 10, 64 << 10, 256 << 10, 1 << 20],
            page_size: None,
            settle: Duration::ZERO,
            underway: Duration::ZERO,
            timeout: Duration::from_secs(60),
        }
    }
}

impl Scale {
    /// For a store across a network, or any other where a request costs milliseconds.
    pub fn network() -> Self {
        Scale {
            children: 120,
            rounds: 2,
            boundaries: vec![64 << 10],
            settle: Duration::from_secs(1),
            timeout: Duration::from_secs(300),
            ..Scale::default()
        }
    }

    /// As little as still asks for each sentence of the contract: for a second server of one driver.
    #[must_use]
    pub fn short(mut self) -> Self {
        self.children = self.children.min(30);
        self.concurrency = self.concurrency.min(8);
        self.rounds = 1;
        self.polls = self.polls.min(4);
        self.boundaries = self.boundaries.into_iter().max().into_iter().collect();
        self
    }

    /// Adds the size of the backend's parts, and lets the largest content be more than two of them.
    #[must_use]
    pub fn with_part_size(mut self, bytes: u64) -> Self {
        self.boundaries.push(bytes);
        self.large = self.large.max(bytes.saturating_mul(2).saturating_add(1));
        self
    }

    /// Says how many names the backend lists per request, and lets the largest directory be more
    /// than two of them.
    #[must_use]
    pub fn with_page_size(mut self, names: usize) -> Self {
        self.page_size = Some(names);
        self.children = self.children.max(names.saturating_mul(2).saturating_add(3));
        self
    }

    /// How long a request whose future was dropped may still take effect.
    #[must_use]
    pub fn with_settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How long at most what a future asked for goes on before it is dropped half-done.
    #[must_use]
    pub fn with_underway(mut self, underway: Duration) -> Self {
        self.underway = underway;
        self
    }

    /// How long one case may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The sizes of content to try: none, one, and around each boundary; ascending, each once.
    pub fn sizes(&self) -> Vec<u64> {
        let around = self.boundaries.iter().flat_map(|&bytes| [bytes.saturating_sub(1), bytes, bytes + 1]);
        let mut sizes: Vec<u64> = [0, 1, 2].into_iter().chain(around).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}
