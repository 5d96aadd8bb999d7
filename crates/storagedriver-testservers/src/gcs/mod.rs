//! Google Cloud Storage.

mod conditions;
mod copies;
mod objects;
mod options;
mod refusal;
mod resource;
mod service;
mod signed;
mod uploads;
mod xml_multipart;
mod xml_objects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::service::Service;
use crate::listener::Listener;
use crate::{BoxError, Requests, Store};

pub use self::options::GcsOptions;
pub use self::refusal::GcsRefusal;

/// A server that speaks the JSON API of Google Cloud Storage, and its XML API, until it is dropped.
///
/// It has objects (get, media, list, insert in all three ways, patch, delete, rewrite, compose),
/// multipart uploads of the XML API, signed URLs (version 4), and beside them a token service at
/// `/token` and `signBlob`, which returns a signature that fits no key. It has no batch requests,
/// and object versions are not kept: an older generation is not found.
pub struct GcsServer {
    listener: Listener,
    service: Arc<Service>,
}

impl std::fmt::Debug for GcsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GcsServer").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl GcsServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If no port or no thread can be had.
    pub fn start(options: GcsOptions) -> Result<Self, BoxError> {
        let service = Arc::new(Service {
            store: Store::new(options.buckets.iter().map(String::as_str)),
            options,
            refusal: Arc::default(),
            sessions: Mutex::new(BTreeMap::new()),
            rewrites: Mutex::new(BTreeMap::new()),
        });
        let answering = service.clone();
        Ok(Self { listener: Listener::start(move |call| answering.answer(call))?, service })
    }

    /// `http://127.0.0.1:port`, in place of `https://storage.googleapis.com`; also the endpoint of
    /// the token service (`/token`) and of IAM (`/v1/projects/-/serviceAccounts/…:signBlob`).
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Its buckets; open multipart uploads among them, resumable ones not.
    pub fn store(&self) -> &Store {
        &self.service.store
    }

    /// How many resumable uploads were begun and not cancelled, complete ones included.
    pub fn resumable_uploads(&self) -> usize {
        self.service.sessions().len()
    }

    /// What arrived.
    pub fn requests(&self) -> &Requests {
        self.listener.requests()
    }

    /// Answers every request with this from now on; with `None`, as it should.
    pub fn refuse(&self, refusal: Option<GcsRefusal>) {
        *self.service.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}
