//! Azure Blob Storage.

mod append;
mod authorise;
mod batch;
mod blobs;
mod blocks;
mod conditions;
mod copies;
mod listing;
mod options;
mod place;
mod refusal;
mod sas;
mod service;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::service::Service;
use crate::listener::Listener;
use crate::{BoxError, Requests, Store};

pub use self::options::{AzureOptions, CopyOutcome, CopyRule};
pub use self::refusal::AzureRefusal;

/// The account that the server is.
const ACCOUNT: &str = "devaccount";
/// Its key.
const KEY: &str = "c3RvcmFnZWRyaXZlciB0ZXN0c2VydmVycyBzaGFyZWQga2V5IQ==";
/// The key of a user's delegation.
const DELEGATION_KEY: &str = "c3RvcmFnZWRyaXZlciB0ZXN0c2VydmVycyBkZWxlZ2F0aW9uIQ==";
/// Who the user is that delegates.
const OBJECT_ID: &str = "11111111-1111-4111-8111-111111111111";
/// Whose user it is.
const TENANT_ID: &str = "22222222-2222-4222-8222-222222222222";

/// A server that speaks the REST interface of Azure Blob Storage, until it is dropped.
///
/// It has block blobs and append blobs (put, blocks, block lists, append, get, properties, metadata,
/// copies, blocks from URLs, delete, batches of deletes), listings, the key of a user's delegation,
/// and a token service at `/tenant/oauth2/v2.0/token`. It verifies shared keys and shared access
/// signatures. It has no leases, snapshots, tags or page blobs. As in the service, blocks that were
/// not committed belong to the name of the blob, and whatever is put, committed, copied or deleted
/// there throws them away.
pub struct AzureServer {
    listener: Listener,
    service: Arc<Service>,
}

impl std::fmt::Debug for AzureServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AzureServer").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl AzureServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If no port or no thread can be had.
    pub fn start(options: AzureOptions) -> Result<Self, BoxError> {
        let service = Arc::new(Service {
            store: Store::new(options.containers.iter().map(String::as_str)),
            copies: Mutex::new(options.copies),
            options,
            refusal: Mutex::new(None),
            pending: Mutex::new(BTreeMap::new()),
        });
        let answering = service.clone();
        Ok(Self { listener: Listener::start(move |call| answering.answer(call))?, service })
    }

    /// `http://127.0.0.1:port/devaccount`: the blob service, with the account in the path, as
    /// emulators have it. Without the account, as the real service has it, the server answers too.
    pub fn endpoint(&self) -> String {
        format!("http://{}/{ACCOUNT}", self.listener.address())
    }

    /// `http://127.0.0.1:port`: where the token service is, in place of
    /// `https://login.microsoftonline.com`. It gives its token to anybody.
    pub fn authority(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// The account: `devaccount`.
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// The key of the account, in base64.
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// Its containers.
    pub fn store(&self) -> &Store {
        &self.service.store
    }

    /// What arrived.
    pub fn requests(&self) -> &Requests {
        self.listener.requests()
    }

    /// What becomes of copies that are begun from now on.
    pub fn set_copies(&self, rule: CopyRule) {
        *self.service.copies.lock().unwrap_or_else(PoisonError::into_inner) = rule;
    }

    /// How many copies are pending.
    pub fn pending_copies(&self) -> usize {
        self.service.pending().len()
    }

    /// Answers every request with this from now on; with `None`, as it should. The token service
    /// goes on.
    pub fn refuse(&self, refusal: Option<AzureRefusal>) {
        *self.service.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}
