//! Requests for tokens, and what the services that give them out say.

use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::client::HttpRequest;
use serde::Deserialize;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, async_trait};
use storagedriver_object::http::{
    HeaderValue, HttpClient, Method, Refusal, ReplyHead, Request, Service, header,
};
use storagedriver_object::{StoreError, StoreResult};

use super::Token;
use crate::json;
use crate::place::encode;

/// More than any token has.
pub(super) const LIMIT: usize = 256 << 10;

/// A service that gives out tokens.
#[derive(Debug)]
pub(super) struct Issuer {
    /// What to do if it refuses.
    pub(super) advice: &'static str,
}

/// How OAuth services refuse: [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
#[derive(Deserialize)]
struct OauthError {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// How Google's other services refuse.
#[derive(Deserialize)]
struct ApiError {
    error: ApiDetail,
}

#[derive(Deserialize)]
struct ApiDetail {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[async_trait]
impl Service for Issuer {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        let mut refusal = Refusal::plain(head, body);
        if let Ok(error) = serde_json::from_slice::<OauthError>(body) {
            (refusal.code, refusal.message) = (Some(error.error), error.error_description);
        } else if let Ok(ApiError { error }) = serde_json::from_slice(body) {
            (refusal.code, refusal.message) = (error.status, error.message);
        }
        refusal
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        let kind = match refusal.status.as_u16() {
            429 => ErrorKind::Throttled,
            500..=599 => ErrorKind::Unavailable,
            403 => ErrorKind::PermissionDenied,
            _ => ErrorKind::Unauthenticated,
        };
        refusal.into_failure(kind, request.what, self.advice)
    }
}

/// A reply with a token, as OAuth has it.
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// Asks for a token.
pub(super) async fn grant(http: &HttpClient, request: &Request, advice: &'static str) -> StoreResult<Token> {
    let granted: Granted =
        http.exchange(&Issuer { advice }, request, LIMIT, |_, body: Bytes| json::parse(&body)).await?;
    token(&granted.access_token, granted.expires_in.unwrap_or(3600))
}

/// The token that is valid for so many seconds.
pub(super) fn token(access: &str, seconds: u64) -> StoreResult<Token> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.trim())).map_err(|_| {
        let reason = "the token has characters that no header can have; what gave it out is no token service";
        StoreError::failed(ErrorKind::Unauthenticated, reason)
    })?;
    bearer.set_sensitive(true);
    let now = Instant::now();
    let expires = now.checked_add(Duration::from_secs(seconds.min(86_400))).unwrap_or(now);
    Ok(Token { bearer, expires })
}

/// A request with a form.
pub(super) fn form(what: &'static str, url: Url, fields: &[(&str, &str)]) -> StoreResult<Request> {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    Ok(Request::new(what, Method::POST, url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")?
        .body(pairs.join("&")))
}
