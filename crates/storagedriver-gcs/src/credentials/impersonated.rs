//! A service account that another identity may speak for.

use std::time::SystemTime;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use storagedriver::url::Url;
use storagedriver_object::StoreResult;
use storagedriver_object::http::{HeaderValue, HttpClient, Method, Refusal, Request, header};

use super::exchange::{self, Issuer};
use super::{SCOPE, Source, Token};
use crate::json as reply;

const ADVICE: &str = "give the identity the role roles/iam.serviceAccountTokenCreator on the service account";

/// The account to speak for, at the IAM credentials service.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Ends in `serviceAccounts/<address>:generateAccessToken`.
    pub(super) url: Url,
    pub(super) delegates: Vec<String>,
    /// How long its tokens live, in seconds.
    pub(super) life: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    access_token: String,
    expire_time: String,
}

impl Target {
    /// Changes the token of an identity for one of the account:
    /// [generateAccessToken](https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken).
    pub(super) async fn token(&self, http: &HttpClient, bearer: &HeaderValue) -> StoreResult<Token> {
        let life = format!("{}s", self.life);
        let body = json!({"delegates": self.delegates, "scope": [SCOPE], "lifetime": life}).to_string();
        let mut request =
            Request::new("the token of the impersonated account", Method::POST, self.url.clone())
                .header(header::CONTENT_TYPE, "application/json")?
                .body(body);
        request.headers.insert(header::AUTHORIZATION, bearer.clone());
        let issuer = Issuer { advice: ADVICE };
        let (access, seconds) = http
            .exchange(&issuer, &request, exchange::LIMIT, |_, body: Bytes| {
                let generated: Generated = reply::parse(&body)?;
                let expires = reply::time(&generated.expire_time)
                    .ok_or_else(|| Refusal::unreadable("the reply does not tell when the token expires"))?;
                let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
                Ok((generated.access_token, left.as_secs()))
            })
            .await?;
        exchange::token(&access, seconds)
    }

    /// The address of the account.
    pub(super) fn email(&self) -> Option<String> {
        let (_, name) = self.url.path().rsplit_once("/serviceAccounts/")?;
        let email = name.strip_suffix(":generateAccessToken")?;
        Some(email.replace("%40", "@"))
    }
}

/// An identity that speaks for a service account.
#[derive(Debug)]
pub(crate) struct Impersonated {
    pub(super) source: Source,
    pub(super) target: Target,
}

impl Impersonated {
    pub(super) async fn token(&self, http: &HttpClient) -> StoreResult<Token> {
        let own = self.source.token(http).await?;
        self.target.token(http, &own.bearer).await
    }

    pub(super) fn email(&self) -> Option<String> {
        self.target.email()
    }
}
