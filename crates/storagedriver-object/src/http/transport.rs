//! What goes wrong on the way to a store and back.

use std::error::Error as _;
use std::time::Duration;

use storagedriver::{BoxError, ErrorKind};

use super::Request;
use crate::StoreError;

/// A request that got no whole reply.
#[derive(Debug)]
pub(super) struct Broken {
    /// What happened, for the end of a sentence.
    reason: String,
    /// Whether another attempt may help.
    pub(super) is_transient: bool,
    source: Option<BoxError>,
}

impl Broken {
    /// Nothing moved for this long.
    pub(super) fn stalled(timeout: Duration) -> Self {
        let reason = format!("nothing moved for {} s", timeout.as_secs_f64());
        Broken { reason, is_transient: true, source: None }
    }

    /// The reply ended before its end.
    pub(super) fn cut(delivered: u64, expected: u64) -> Self {
        let reason = format!("the reply ended after {delivered} of {expected} bytes");
        Broken { reason, is_transient: true, source: None }
    }

    pub(super) fn of(error: reqwest::Error) -> Self {
        // A URL may carry a signature.
        let error = error.without_url();
        if let Some(tls) = in_chain::<rustls::Error>(&error) {
            let is_transient = !matches!(
                tls,
                rustls::Error::InvalidCertificate(_)
                    | rustls::Error::NoCertificatesPresented
                    | rustls::Error::InvalidMessage(_)
                    | rustls::Error::AlertReceived(_)
                    | rustls::Error::PeerIncompatible(_)
            );
            let reason = format!(
                "TLS failed: {tls}; check the endpoint, its scheme and port; let the system trust the authority that \
                 signed its certificate (or set SSL_CERT_FILE), or set skipverify"
            );
            return Broken { reason, is_transient, source: Some(error.into()) };
        }
        let reason = if error.is_connect() {
            format!("no connection: {}; check the endpoint and the network", deepest(&error))
        } else if error.is_timeout() {
            "it took too long".to_owned()
        } else {
            format!("the connection broke: {}", deepest(&error))
        };
        let is_transient = !error.is_builder();
        Broken { reason, is_transient, source: Some(error.into()) }
    }

    /// As the engine gets it when no attempt is left.
    pub(super) fn into_error(self, request: &Request, attempts: u32) -> StoreError {
        let kind = if self.is_transient { ErrorKind::Unavailable } else { ErrorKind::Backend };
        let tries = if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() };
        let reason = format!("{} of {} failed{tries}: {}", request.what, request.place(), self.reason);
        let error = StoreError::failed(kind, reason);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
}

fn in_chain<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(found) = next {
        if let Some(found) = found.downcast_ref() {
            return Some(found);
        }
        // The source of an I/O error is that of the error that it was made of, not that error.
        next = match found.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => found.source(),
        };
    }
    None
}

/// The error that the others were made of.
fn deepest(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(found) = source {
        text = found.to_string();
        source = found.source();
    }
    text
}
