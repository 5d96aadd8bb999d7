//! [Workload identity federation](https://google.aip.dev/auth/4117): the token of another provider (Kubernetes,
//! GitHub, Azure, any OpenID Connect) is changed for one of Google's.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, Secret};
use storagedriver_object::http::{HeaderName, HeaderValue, HttpClient, Method, Refusal, Request, header};
use storagedriver_object::{StoreError, StoreResult};

use super::exchange::{self, Issuer};
use super::impersonated::Target;
use super::{SCOPE, Token};

const ADVICE: &str = "check audience and subject_token_type in the credentials, the conditions of the identity pool, \
                      and that the provider's token is not expired (a wrong clock makes it so)";
const SOURCE_ADVICE: &str = "check credential_source in the credentials";

/// Where the token of the other provider is.
#[derive(Debug)]
pub(super) enum Subject {
    /// In a file, which the provider renews: read each time.
    File(PathBuf),
    /// At a URL, asked with these headers.
    Url(Url, Vec<(HeaderName, HeaderValue)>),
}

/// An identity of another provider.
#[derive(Debug)]
pub(crate) struct External {
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) token_url: Url,
    pub(super) subject: Subject,
    /// In which field of JSON the token is; `None` if it is the text itself.
    pub(super) field: Option<String>,
    /// For a token service that wants to know its client.
    pub(super) client: Option<(String, Secret)>,
    /// The project of a workforce pool.
    pub(super) workforce_project: Option<String>,
    /// The account that the identity speaks for.
    pub(super) target: Option<Target>,
}

impl External {
    pub(super) async fn token(&self, http: &HttpClient) -> StoreResult<Token> {
        let subject = self.subject_token(http).await?;
        let options = self
            .workforce_project
            .as_ref()
            .map(|project| serde_json::json!({"userProject": project}).to_string());
        let mut fields = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", &self.audience),
            ("scope", SCOPE),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", subject.reveal()),
        ];
        if let Some(options) = &options {
            fields.push(("options", options));
        }
        let mut request =
            exchange::form("the exchange of the provider's token", self.token_url.clone(), &fields)?;
        if let Some((id, secret)) = &self.client {
            let basic = STANDARD.encode(format!("{id}:{}", secret.reveal()));
            request = request.header(header::AUTHORIZATION, &format!("Basic {basic}"))?;
        }
        let federated = exchange::grant(http, &request, ADVICE).await?;
        match &self.target {
            Some(target) => target.token(http, &federated.bearer).await,
            None => Ok(federated),
        }
    }

    async fn subject_token(&self, http: &HttpClient) -> StoreResult<Secret> {
        let text = match &self.subject {
            Subject::File(path) => tokio::fs::read(path).await.map(Bytes::from).map_err(|error| {
                let reason =
                    format!("the provider's token cannot be read from {}; {SOURCE_ADVICE}", path.display());
                StoreError::failed(ErrorKind::Unauthenticated, reason).with_source(error)
            })?,
            Subject::Url(url, headers) => {
                let mut request = Request::new("the token of the provider", Method::GET, url.clone());
                request.headers.extend(headers.iter().cloned());
                let issuer = Issuer { advice: SOURCE_ADVICE };
                http.exchange(&issuer, &request, exchange::LIMIT, |_, body| Ok::<_, Refusal>(body)).await?
            }
        };
        let token = match &self.field {
            None => std::str::from_utf8(&text).ok().map(str::to_owned),
            Some(field) => serde_json::from_slice::<serde_json::Value>(&text)
                .ok()
                .and_then(|value| value.get(field)?.as_str().map(str::to_owned)),
        };
        let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        token.map(Secret::new).ok_or_else(|| {
            let reason = format!("what should hold the provider's token holds none; {SOURCE_ADVICE}");
            StoreError::failed(ErrorKind::Unauthenticated, reason)
        })
    }

    pub(super) fn email(&self) -> Option<String> {
        self.target.as_ref().and_then(Target::email)
    }
}
