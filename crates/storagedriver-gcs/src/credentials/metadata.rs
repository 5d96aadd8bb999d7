//! The service account of the machine, from the [metadata server]: Compute Engine, GKE with workload identity,
//! Cloud Run.
//!
//! [metadata server]: https://cloud.google.com/compute/docs/metadata/querying-metadata

use bytes::Bytes;
use storagedriver::ErrorKind;
use storagedriver::url::Url;
use storagedriver_object::http::{HeaderName, HttpClient, Method, Refusal, Request};
use storagedriver_object::{StoreError, StoreResult};

use super::exchange::{self, Issuer};
use super::{SCOPE, Token};

/// Without it the server answers nothing; nobody sends it by mistake.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const ADVICE: &str = "give the machine or the workload a service account with the scope cloud-platform";

/// The metadata server.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// `http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/`.
    base: Url,
}

impl Metadata {
    /// At this host, with a port or without.
    pub(super) fn new(host: &str) -> Result<Self, String> {
        let base = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/");
        let base =
            Url::parse(&base).map_err(|error| format!("the metadata host {host:?} is none: {error}"))?;
        Ok(Metadata { base })
    }

    pub(super) async fn token(&self, http: &HttpClient) -> StoreResult<Token> {
        let mut request = self.request("the token of the metadata server", "token")?;
        request.url.set_query(Some(&format!("scopes={SCOPE}")));
        exchange::grant(http, &request, ADVICE).await.map_err(without_credentials)
    }

    /// The address of the account.
    pub(super) async fn email(&self, http: &HttpClient) -> StoreResult<String> {
        let request = self.request("the address of the machine's account", "email")?;
        http.exchange(&Issuer { advice: ADVICE }, &request, exchange::LIMIT, |_, body: Bytes| {
            let text = std::str::from_utf8(&body).ok().map(str::trim).filter(|text| text.contains('@'));
            text.map(str::to_owned).ok_or_else(|| Refusal::unreadable("the reply is not an address"))
        })
        .await
    }

    fn request(&self, what: &'static str, name: &str) -> StoreResult<Request> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{name}", self.base.path()));
        Request::new(what, Method::GET, url).header(FLAVOR, "Google")
    }
}

/// Nobody chose the metadata server: it is asked because there was nothing else.
fn without_credentials(error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(failure) if failure.kind() == ErrorKind::Unavailable => {
            let reason = "no credentials: the parameters keyfile and credentials, the variable \
                          GOOGLE_APPLICATION_CREDENTIALS and gcloud's file are not there, and the metadata server \
                          of a Google machine does not answer; set one of them, or anonymous for a public bucket";
            StoreError::failed(ErrorKind::Unauthenticated, reason).with_source(failure.reason().to_owned())
        }
        error => error,
    }
}
