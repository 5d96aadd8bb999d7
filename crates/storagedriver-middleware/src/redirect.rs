//! `redirect`: clients fetch content from another server.

use std::sync::Arc;

use storagedriver::url::Url;
use storagedriver::{
    Error, Layer, MiddlewareRegistration, RedirectRequest, Result, StorageDriver, StoragePath, async_trait,
};

use crate::{BaseUrl, reads};

/// Sends clients that read to the same path on another server, which has to know what they may see:
/// the URL carries no signature.
///
/// What else a client asks for goes to the wrapped driver.
#[derive(Debug)]
pub struct Redirect {
    inner: Arc<dyn StorageDriver>,
    base: BaseUrl,
}

impl Redirect {
    /// The driver `inner`, read through the server at `base`. Its path is the storage path, without
    /// the driver's `rootdirectory`.
    pub fn new(inner: Arc<dyn StorageDriver>, base: BaseUrl) -> Self {
        Redirect { inner, base }
    }
}

#[async_trait]
impl Layer for Redirect {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        if !reads(request) {
            return self.inner.redirect_url(request, path).await;
        }
        Ok(Some(self.base.join(path.as_str())))
    }
}

storagedriver::parameters! {
    /// Options of the middleware `redirect`.
    pub struct RedirectParameters for "redirect" {
        /// The server, with the path that stands before every storage path: `https://mirror.example.com/layers`.
        baseurl: String = required,
    }
}

impl RedirectParameters {
    /// The layer that these options describe.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter) if `baseurl` cannot be used; see
    /// [`BaseUrl::parse`].
    pub fn into_layer(self, inner: Arc<dyn StorageDriver>) -> Result<Redirect> {
        let base = BaseUrl::parse(&self.baseurl)
            .map_err(|reason| Error::invalid_parameter("redirect", "baseurl", reason.to_string()))?;
        Ok(Redirect::new(inner, base))
    }
}

/// The middleware `redirect`.
pub const REDIRECT: MiddlewareRegistration = MiddlewareRegistration::new(
    "redirect",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "sends clients to another server",
    &RedirectParameters::TABLE,
    |storage, options| {
        Box::pin(async move {
            let layer = RedirectParameters::parse(options)?.into_layer(storage.driver().clone())?;
            Ok(storage.layer(|_| layer))
        })
    },
);

storagedriver::register!(REDIRECT);
