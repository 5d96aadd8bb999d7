//! Asking a backend for a URL that a client can use directly.

use std::net::IpAddr;
use std::time::Duration;

/// What a client asks for, so that a driver can decide whether to send it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedirectRequest {
    /// The HTTP method, in capitals: `GET`, `HEAD`.
    pub method: String,
    /// The request's headers that a driver or middleware may need, names in lower case
    /// (`x-forwarded-for`, `host`, `range`).
    pub headers: Vec<(String, String)>,
    /// The peer's address.
    pub client_address: Option<IpAddr>,
    /// How long the URL is to be valid. Distribution's drivers use 20 minutes.
    pub expiry: Duration,
}

impl RedirectRequest {
    /// How long a URL is valid unless the caller says otherwise.
    pub const DEFAULT_EXPIRY: Duration = Duration::from_secs(20 * 60);

    /// A request with this method, no headers, no known peer and the default expiry.
    pub fn new(method: impl Into<String>) -> Self {
        RedirectRequest {
            method: method.into(),
            headers: Vec::new(),
            client_address: None,
            expiry: Self::DEFAULT_EXPIRY,
        }
    }

    /// `GET`.
    pub fn get() -> Self {
        Self::new("GET")
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Sets how long the URL is to be valid.
    #[must_use]
    pub fn with_expiry(mut self, expiry: Duration) -> Self {
        self.expiry = expiry;
        self
    }

    /// Adds a header; the name is put in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Sets the peer's address.
    #[must_use]
    pub fn with_client_address(mut self, address: IpAddr) -> Self {
        self.client_address = Some(address);
        self
    }
}
