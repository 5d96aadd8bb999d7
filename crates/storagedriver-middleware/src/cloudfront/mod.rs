//! `cloudfront`: clients fetch content from Amazon CloudFront, by URLs that are signed here.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use storagedriver::Storage;
//! use storagedriver_middleware::cloudfront::{CloudFront, Signer};
//! use storagedriver_middleware::BaseUrl;
//!
//! fn signed(storage: &Storage, pem: &str) -> Result<Storage, Box<dyn std::error::Error>> {
//!     let signer = Signer::from_pem("K2JCJMDEHXQW5F", pem)?;
//!     let base = BaseUrl::parse("https://d111111abcdef8.cloudfront.net")?;
//!     Ok(storage.layer(|driver| {
//!         CloudFront::new(driver, base, signer).with_duration(Duration::from_secs(300))
//!     }))
//! }
//! ```

mod address_ranges;
mod client_address;
mod networks;
mod parameters;
mod signer;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storagedriver::url::Url;
use storagedriver::{Error, Layer, RedirectRequest, Result, StorageDriver, StoragePath, async_trait};

pub use address_ranges::AddressRanges;
pub use parameters::{CLOUDFRONT, CloudFrontParameters};
pub use signer::{InvalidKey, Signer, SigningFailed};

use crate::{BaseUrl, reads};

/// Sends clients that read to a CloudFront distribution whose origin is the driver's store.
///
/// The path of the URL is the driver's [`backend_key`](StorageDriver::backend_key), `rootdirectory`
/// included. A driver without keys has no store that CloudFront could reach: its own answer is given
/// then, as it is for other requests than reads.
#[derive(Debug)]
pub struct CloudFront {
    inner: Arc<dyn StorageDriver>,
    base: BaseUrl,
    signer: Signer,
    duration: Option<Duration>,
    direct: Option<AddressRanges>,
}

impl CloudFront {
    /// The driver `inner`, read through the distribution at `base`. URLs are valid for as long as
    /// the caller asks for.
    pub fn new(inner: Arc<dyn StorageDriver>, base: BaseUrl, signer: Signer) -> Self {
        let has_keys = StoragePath::parse("/a").is_ok_and(|path| inner.backend_key(&path).is_some());
        if !has_keys {
            tracing::warn!(
                driver = inner.name(),
                "the middleware cloudfront has no effect: the driver has no store that CloudFront can reach"
            );
        }
        CloudFront { inner, base, signer, duration: None, direct: None }
    }

    /// With URLs that are valid for `duration`, whatever the caller asks for. Fractions of a second
    /// are dropped.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// With clients at these addresses sent where the driver sends them: those inside Amazon's
    /// network reach the store itself faster and at no cost.
    #[must_use]
    pub fn with_direct(mut self, ranges: AddressRanges) -> Self {
        self.direct = Some(ranges);
        self
    }

    /// Whether the client is to go to the store itself.
    fn is_direct(&self, request: &RedirectRequest) -> bool {
        let Some(ranges) = &self.direct else { return false };
        let client = client_address::of(request);
        let direct = client.is_some_and(|address| ranges.contains(address));
        tracing::debug!(?client, direct, "cloudfront: a client's address was looked up");
        direct
    }
}

#[async_trait]
impl Layer for CloudFront {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let Some(key) = self.inner.backend_key(path) else {
            return self.inner.redirect_url(request, path).await;
        };
        if !reads(request) || self.is_direct(request) {
            return self.inner.redirect_url(request, path).await;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let expires = now.saturating_add(self.duration.unwrap_or(request.expiry)).as_secs();
        let signed = self.signer.sign(self.base.join(&key), expires);
        signed
            .map(Some)
            .map_err(|error| Error::backend(path, "cloudfront: no URL was made").with_source(error))
    }
}
