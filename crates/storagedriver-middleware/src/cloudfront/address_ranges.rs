//! The networks of Amazon, as it tells them from time to time.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use object_store::client::HttpRequest;
use storagedriver::url::Url;
use storagedriver::{BoxError, ErrorKind, async_trait};
use storagedriver_object::http::{HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service};
use storagedriver_object::{StoreError, StoreResult};
use tokio::task::AbortHandle;

use super::networks::Networks;

/// The longest list that is read, in bytes. Amazon's has some 2 MB.
const LIMIT: usize = 32 << 20;
/// How long the first list is waited for: a server should start without it.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// When a list that could not be had is asked for again, unless lists are asked for more often.
const RETRY: Duration = Duration::from_secs(300);

/// Networks out of a list that is asked for from time to time, in a task of its own that ends when
/// this is dropped. The list has the form of Amazon's `ip-ranges.json`.
#[derive(Debug)]
pub struct AddressRanges {
    known: Arc<Known>,
    updates: AbortHandle,
}

type Known = RwLock<Option<Networks>>;

impl AddressRanges {
    /// Asks for the list at `url` now, and again `every` so often: sooner, after five minutes, where
    /// it could not be had. Of its networks those of `regions` count, or all if none is named.
    /// Returns when the first list is there, could not be had, or did not come within 10 seconds; it
    /// is no error then: no address is in the ranges until it comes. What was known stays until a
    /// newer list is there.
    ///
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub async fn start(url: Url, every: Duration, regions: Vec<String>) -> Result<Self, BoxError> {
        let mut options = HttpOptions::default();
        options.attempts = 3;
        let source = Source { http: HttpClient::new("cloudfront", options)?, url, regions };
        let known = Arc::new(Known::default());
        let (first, arrived) = tokio::sync::oneshot::channel();
        let updates = tokio::spawn(keep_up(source, known.clone(), every, first)).abort_handle();
        let ranges = AddressRanges { known, updates };
        if tokio::time::timeout(FIRST_WAIT, arrived).await.is_err() {
            tracing::warn!(
                "cloudfront: the list of networks did not come in time; it is waited for meanwhile"
            );
        }
        Ok(ranges)
    }

    /// Whether the address is in one of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|networks| networks.contains(address.to_canonical()))
    }
}

impl Drop for AddressRanges {
    fn drop(&mut self) {
        self.updates.abort();
    }
}

/// Asks again and again; tells `first` when it has tried once.
async fn keep_up(
    source: Source,
    known: Arc<Known>,
    every: Duration,
    first: tokio::sync::oneshot::Sender<()>,
) {
    let mut first = Some(first);
    loop {
        let wait = match source.fetch().await {
            Ok(networks) => {
                if networks.is_empty() {
                    tracing::warn!(regions = ?source.regions, "cloudfront: the list has no network of these regions");
                }
                *known.write().unwrap_or_else(PoisonError::into_inner) = Some(networks);
                every
            }
            Err(error) => {
                tracing::warn!(?error, "cloudfront: the list of networks could not be had");
                every.min(RETRY)
            }
        };
        if let Some(first) = first.take() {
            // Nobody waits for it any more if it came late.
            let _ = first.send(());
        }
        tokio::time::sleep(wait).await;
    }
}

/// Where the list is.
#[derive(Debug)]
struct Source {
    http: HttpClient,
    url: Url,
    regions: Vec<String>,
}

impl Source {
    async fn fetch(&self) -> StoreResult<Networks> {
        let request = Request::new("the list of networks", Method::GET, self.url.clone());
        self.http
            .exchange(&Public, &request, LIMIT, |_, body| {
                Networks::read(&body, &self.regions).map_err(Refusal::unreadable)
            })
            .await
    }
}

/// A server that asks for no credentials.
#[derive(Debug)]
struct Public;

#[async_trait]
impl Service for Public {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        refusal.into_failure(ErrorKind::Backend, request.what, "check iprangesurl")
    }
}
