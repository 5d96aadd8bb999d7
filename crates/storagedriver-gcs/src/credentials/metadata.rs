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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json as value;
    use storagedriver_object::http::HttpOptions;

    use super::*;
    use storagedriver_testservers::{Scripted, json_reply as json};

    fn http() -> HttpClient {
        let mut options = HttpOptions::default();
        options.attempts = 2;
        options.first_wait = Duration::from_millis(1);
        HttpClient::new("gcs", options).unwrap()
    }

    #[tokio::test]
    async fn token_and_address_are_asked_of_the_machine() {
        let server = Scripted::start(|asked| {
            assert_eq!(asked.headers["metadata-flavor"], "Google");
            match asked.target.split('?').next().unwrap_or_default() {
                "/computeMetadata/v1/instance/service-accounts/default/token" => {
                    json(200, value!({"access_token": "t1", "expires_in": 3599, "token_type": "Bearer"}))
                }
                "/computeMetadata/v1/instance/service-accounts/default/email" => {
                    (200, Vec::new(), "robot@project.iam.gserviceaccount.com\n".to_owned())
                }
                _ => (404, Vec::new(), String::new()),
            }
        })
        .unwrap();
        let metadata = Metadata::new(&server.address().to_string()).unwrap();
        assert_eq!(metadata.token(&http()).await.unwrap().bearer, "Bearer t1");
        assert_eq!(metadata.email(&http()).await.unwrap(), "robot@project.iam.gserviceaccount.com");
        assert!(server.asked()[0].target.ends_with("?scopes=https://www.googleapis.com/auth/cloud-platform"));
    }

    #[tokio::test]
    async fn without_a_metadata_server_every_way_is_named() {
        let metadata = Metadata::new("127.0.0.1:9").unwrap();
        let error = format!("{:?}", metadata.token(&http()).await.unwrap_err());
        for way in ["Unauthenticated", "keyfile", "GOOGLE_APPLICATION_CREDENTIALS", "anonymous"] {
            assert!(error.contains(way), "{way}: {error}");
        }
    }

    #[tokio::test]
    async fn a_machine_without_an_account_is_told() {
        let server = Scripted::start(|_| (404, Vec::new(), "no account".to_owned())).unwrap();
        let metadata = Metadata::new(&server.address().to_string()).unwrap();
        let error = format!("{:?}", metadata.token(&http()).await.unwrap_err());
        assert!(error.contains("give the machine or the workload a service account"), "{error}");
    }
}
