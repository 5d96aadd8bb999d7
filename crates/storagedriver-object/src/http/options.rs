//! How the client behaves.

use std::time::Duration;

use storagedriver::BoxError;

use super::tls;

/// When a silent connection is first asked whether it is alive.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How patient the client is. There is no limit on the whole of a request: only silence ends one.
#[derive(Debug, Clone)]
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
}

impl Default for HttpOptions {
    /// 10 s to connect, 60 s of silence, 8 attempts with waits from 100 ms to 20 s.
    fn default() -> Self {
        HttpOptions {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            attempts: 8,
            first_wait: Duration::from_millis(100),
            max_wait: Duration::from_secs(20),
            user_agent: concat!("storagedriver/", env!("CARGO_PKG_VERSION")).to_owned(),
            skip_verify: false,
        }
    }
}

impl HttpOptions {
    /// A client with these settings and the TLS of all drivers, for libraries that make their requests
    /// themselves. A reply may stall so long as the settings say; nothing is tried again.
    ///
    /// # Errors
    /// TLS cannot be set up, or the user agent has characters that no header can have.
    pub fn client(&self) -> Result<reqwest::Client, BoxError> {
        Ok(self.builder()?.read_timeout(self.stall_timeout).build()?)
    }

    pub(super) fn builder(&self) -> Result<reqwest::ClientBuilder, BoxError> {
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(tls::configuration(self.skip_verify)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .tcp_keepalive(KEEPALIVE)
            .user_agent(&self.user_agent))
    }
}
