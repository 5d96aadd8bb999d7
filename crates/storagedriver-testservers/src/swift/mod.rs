//! OpenStack Swift.

mod auth;
mod bulk;
mod containers;
mod large;
mod objects;
mod options;
mod refusal;
mod service;
mod tempurl;

use std::sync::{Arc, PoisonError};

use self::service::Service;
use crate::listener::Listener;
use crate::{BoxError, Requests, Store};

pub use self::options::SwiftOptions;
pub use self::refusal::SwiftRefusal;

/// A server that speaks the object storage API of OpenStack, and the identity APIs v1, v2 and v3, until it is dropped.
///
/// It has objects with metadata, listings, copies, dynamic and static large objects, bulk deletes and temporary URLs. It
/// has no versions, no symbolic links, no expiry and no access lists but [`SwiftOptions::owner`].
pub struct SwiftServer {
    listener: Listener,
    service: Arc<Service>,
}

impl std::fmt::Debug for SwiftServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SwiftServer").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl SwiftServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If no port or no thread can be had.
    pub fn start(options: SwiftOptions) -> Result<Self, BoxError> {
        let service = Arc::new(Service::new(options));
        let answering = service.clone();
        Ok(Self { listener: Listener::start(move |call| answering.answer(call))?, service })
    }

    /// `http://127.0.0.1:port`. Below it are `/auth/v1.0`, `/v2.0`, `/v3`, `/info` and the account, `/v1/AUTH_test`.
    /// The user is `tester` (in version 1 `test:tester`) with the password `testing`, the project `test`, with the id
    /// `p1`, the domain `Default`, with the id `default`, the trust `t1`, the application credential `ac1`, called
    /// `app`, with the secret `appsecret`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Its containers.
    pub fn store(&self) -> &Store {
        &self.service.store
    }

    /// What arrived.
    pub fn requests(&self) -> &Requests {
        self.listener.requests()
    }

    /// Answers every request for storage with this from now on; with `None`, as it should.
    pub fn refuse(&self, refusal: Option<SwiftRefusal>) {
        *self.service.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Takes none of the tokens any more that were given out so far.
    pub fn expire_tokens(&self) {
        self.service.tokens().clear();
    }

    /// How many tokens were given out that are still taken.
    pub fn tokens_given(&self) -> usize {
        self.service.tokens().len()
    }

    /// From now on listings show the containers as they are in this moment, whatever is put or deleted; with `false`,
    /// as they are.
    pub fn freeze_listings(&self, frozen: bool) {
        self.service.freeze(frozen);
    }

    /// The keys of temporary URLs that the container has: the first and the second.
    pub fn container_keys(&self, container: &str) -> [Option<String>; 2] {
        self.service.keys_of(container)
    }

    /// Sets the keys of temporary URLs of a container, or of the account.
    pub fn set_keys(&self, container: Option<&str>, keys: [Option<&str>; 2]) {
        self.service.set_keys(container, keys);
    }
}
