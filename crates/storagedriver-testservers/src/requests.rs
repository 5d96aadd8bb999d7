//! A record of what arrived, for tests that assert what a driver sends.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method};

/// A request as it arrived.
#[derive(Clone)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Its path, as it was written: percent-encoded.
    pub path: String,
    /// Its query, as it was written, without the `?`; empty if there is none.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The size of its body in bytes.
    pub size: u64,
}

impl Received {
    /// A header, if it has it and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The decoded value of a query parameter; empty if it has none.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

// Headers hold credentials, and queries signatures.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.size)
    }
}

/// What arrived at a server since it was started, or since it was last cleared.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<Received>>>);

impl Requests {
    pub(crate) fn push(&self, request: Received) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    /// All of them, in the order in which their bodies were read.
    pub fn all(&self) -> Vec<Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Those that fulfil a condition.
    pub fn matching(&self, condition: impl Fn(&Received) -> bool) -> Vec<Received> {
        self.all().into_iter().filter(condition).collect()
    }

    /// The last one of this method whose decoded path ends in `end`.
    pub fn last(&self, method: &Method, end: &str) -> Option<Received> {
        self.matching(|request| {
            let path = crate::uri::decode(&request.path);
            request.method == *method && path.ends_with(end)
        })
        .pop()
    }
}
