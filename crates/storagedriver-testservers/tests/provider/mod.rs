//! The cryptography of the HTTP clients, which is needed to make one though no test uses TLS.

/// Installs it, unless it is.
pub(crate) fn install() {
    // Another test of this process was first: the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
