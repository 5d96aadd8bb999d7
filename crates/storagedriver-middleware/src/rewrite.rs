//! `rewrite`: the URL that the driver gives, changed.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use storagedriver::url::Url;
use storagedriver::{
    Error, Layer, MiddlewareRegistration, RedirectRequest, Result, StorageDriver, StoragePath, async_trait,
};

use crate::InvalidUrl;

/// What is changed in a URL. Nothing, until it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlChange {
    scheme: Option<&'static str>,
    host: Option<(String, Option<u16>)>,
    /// The components to take away, as plain text.
    prefix: Vec<String>,
}

impl UrlChange {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts this scheme in the place of the URL's.
    ///
    /// # Errors
    /// It is neither `http` nor `https`, in any case.
    pub fn with_scheme(mut self, scheme: &str) -> Result<Self, InvalidUrl> {
        let known = ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
        self.scheme = Some(known.ok_or_else(|| {
            InvalidUrl(
                "is a scheme that clients of a registry do not follow; allowed are http and https".into(),
            )
        })?);
        Ok(self)
    }

    /// Puts this host, `cdn.example.com` or `cdn.example.com:8443`, in the place of the URL's host
    /// and port. Without a port it is the scheme's.
    ///
    /// # Errors
    /// It is no host, or more than a host and a port.
    pub fn with_host(mut self, host: &str) -> Result<Self, InvalidUrl> {
        let stray =
            |c: char| matches!(c, '/' | '\\' | '?' | '#' | '@') || c.is_whitespace() || c.is_control();
        if host.contains(stray) {
            let reason =
                "is more than a host; allowed is one such as cdn.example.com or cdn.example.com:8443";
            return Err(InvalidUrl(reason.to_owned()));
        }
        let parse = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}"))
                .map_err(|error| InvalidUrl(format!("is no host: {error}")))
        };
        // Each leaves out the port that is its own.
        let (plain, tls) = (parse("http")?, parse("https")?);
        let name = plain.host_str().unwrap_or_default().to_owned();
        self.host = Some((name, plain.port().or(tls.port())));
        Ok(self)
    }

    /// Takes these components away where the URL's path begins with them: `/bucket` makes `/a/b` of
    /// `/bucket/a/b`, and leaves `/bucket-2/a` as it is.
    #[must_use]
    pub fn with_trimmed_prefix(mut self, prefix: &str) -> Self {
        let components = prefix.trim_matches('/').split('/');
        self.prefix = components.filter(|component| !component.is_empty()).map(str::to_owned).collect();
        self
    }

    /// The changed URL; query and user are those of `url`, byte for byte.
    ///
    /// # Errors
    /// The URL has no place for a host, as `data:` has none, or is of another kind than `http`.
    pub fn apply(&self, mut url: Url) -> Result<Url, InvalidUrl> {
        let unfit =
            |()| InvalidUrl(format!("is of the scheme {:?}, which cannot be rewritten", url.scheme()));
        if url.cannot_be_a_base() || !url.has_host() {
            return Err(unfit(()));
        }
        let error = unfit(());
        if let Some(scheme) = self.scheme {
            url.set_scheme(scheme).map_err(|()| error.clone())?;
        }
        if let Some((host, port)) = &self.host {
            url.set_host(Some(host)).map_err(|_| error.clone())?;
            url.set_port(*port).map_err(|()| error)?;
        }
        if let Some(path) = self.trimmed(url.path()) {
            url.set_path(&path);
        }
        Ok(url)
    }

    /// The path without the prefix, still percent-encoded as it was; `None` if it does not begin
    /// with it.
    fn trimmed(&self, path: &str) -> Option<String> {
        let mut rest = path.strip_prefix('/')?.split('/');
        for component in &self.prefix {
            let found = rest.next()?;
            percent_decode_str(found).eq(component.bytes()).then_some(())?;
        }
        Some(rest.fold(String::new(), |path, component| path + "/" + component))
    }
}

/// Changes scheme, host or path of the URLs that the wrapped driver gives. Where it gives none, there
/// is none.
#[derive(Debug)]
pub struct Rewrite {
    inner: Arc<dyn StorageDriver>,
    change: UrlChange,
}

impl Rewrite {
    /// The driver `inner`, with its URLs changed.
    pub fn new(inner: Arc<dyn StorageDriver>, change: UrlChange) -> Self {
        Rewrite { inner, change }
    }
}

#[async_trait]
impl Layer for Rewrite {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let Some(url) = self.inner.redirect_url(request, path).await? else { return Ok(None) };
        let changed = self.change.apply(url);
        let changed =
            changed.map_err(|reason| Error::backend(path, format!("rewrite: the driver's URL {reason}")))?;
        Ok(Some(changed))
    }
}

storagedriver::parameters! {
    /// Options of the middleware `rewrite`.
    pub struct RewriteParameters for "rewrite" {
        /// The scheme to put in the place of the URL's.
        scheme: Choice("http", "https"),
        /// The host, with its port if it is not the scheme's, to put in the place of the URL's host and port:
        /// `cdn.example.com:8443`.
        host: String,
        /// What to take away where the URL's path begins with it, in whole components: `/bucket`.
        trimpathprefix: String,
    }
}

impl RewriteParameters {
    /// The layer that these options describe.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter) if `host` is not one.
    pub fn into_layer(self, inner: Arc<dyn StorageDriver>) -> Result<Rewrite> {
        let wrong = |parameter: &'static str| {
            move |reason: InvalidUrl| Error::invalid_parameter("rewrite", parameter, reason.to_string())
        };
        let mut change = UrlChange::new();
        if let Some(scheme) = self.scheme {
            change = change.with_scheme(scheme).map_err(wrong("scheme"))?;
        }
        if let Some(host) = &self.host {
            change = change.with_host(host).map_err(wrong("host"))?;
        }
        if let Some(prefix) = &self.trimpathprefix {
            change = change.with_trimmed_prefix(prefix);
        }
        if change == UrlChange::new() {
            tracing::warn!("the middleware rewrite has no options and changes nothing");
        }
        Ok(Rewrite::new(inner, change))
    }
}

/// The middleware `rewrite`.
pub const REWRITE: MiddlewareRegistration = MiddlewareRegistration::new(
    "rewrite",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "changes the URLs that the driver gives to clients",
    &RewriteParameters::TABLE,
    |storage, options| {
        Box::pin(async move {
            let layer = RewriteParameters::parse(options)?.into_layer(storage.driver().clone())?;
            Ok(storage.layer(|_| layer))
        })
    },
);

storagedriver::register!(REWRITE);
