//! How the client behaves.

use std::fmt;
use std::time::Duration;

use storagedriver::BoxError;
use storagedriver::url::Url;

use super::tls;

/// When a silent connection is first asked whether it is alive.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How patient the client is. There is no limit on the whole of a request: only silence ends one.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// How long a connection may take to stand, TLS included.
    pub connect_timeout: Duration,
    /// How long no byte may move in either direction before the request counts as dead. The time
    /// that the store takes to answer counts, too.
    pub stall_timeout: Duration,
    /// How often a request is sent, the first time included; at least once.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with each further one. The wait is
    /// drawn at random below that, so that clients do not come back all at once.
    pub first_wait: Duration,
    /// The longest wait between two attempts. A store that asks for a longer one by `Retry-After`
    /// gets no further attempt: the error tells how long it wants to be left alone.
    pub max_wait: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Whether any certificate is taken for the store's: for tests alone.
    pub skip_verify: bool,
    /// The proxy that every request goes through, in place of those that the environment names.
    pub proxy: Option<Url>,
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("attempts", &self.attempts)
            .field("first_wait", &self.first_wait)
            .field("max_wait", &self.max_wait)
            .field("user_agent", &self.user_agent)
            .field("skip_verify", &self.skip_verify)
            // Its URL may hold a password.
            .field("proxy", &self.proxy.as_ref().and_then(Url::host_str))
            .finish()
    }
}

impl Default for HttpOptions {
    /// 10 s to connect, 60 s of silence, 8 attempts with waits from 100 ms to 20 s, the proxies of the environment.
    fn default() -> Self {
        HttpOptions {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            attempts: 8,
            first_wait: Duration::from_millis(100),
            max_wait: Duration::from_secs(20),
            user_agent: concat!("storagedriver/", env!("CARGO_PKG_VERSION")).to_owned(),
            skip_verify: false,
            proxy: None,
        }
    }
}

impl HttpOptions {
    /// A client with these settings and the TLS of all drivers, for libraries that make their requests
    /// themselves. A reply may stall so long as the settings say; nothing is tried again.
    ///
    /// # Errors
    /// TLS cannot be set up, the proxy is none, or the user agent has characters that no header can have.
    pub fn client(&self) -> Result<reqwest::Client, BoxError> {
        Ok(self.builder()?.read_timeout(self.stall_timeout).build()?)
    }

    pub(super) fn builder(&self) -> Result<reqwest::ClientBuilder, BoxError> {
        let builder = match &self.proxy {
            Some(proxy) => reqwest::Client::builder().proxy(reqwest::Proxy::all(proxy.clone())?),
            None => reqwest::Client::builder(),
        };
        Ok(builder
            .tls_backend_preconfigured(tls::configuration(self.skip_verify)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .tcp_keepalive(KEEPALIVE)
            .user_agent(&self.user_agent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_proxy_does_not_show() {
        let proxy = Url::parse("http://user:hidden@proxy.example.com:3128").ok();
        let shown = format!("{:?}", HttpOptions { proxy, ..HttpOptions::default() });
        assert!(shown.contains("proxy.example.com") && !shown.contains("hidden"), "{shown}");
    }
}
