//! A person who logged in with `gcloud auth application-default login`.

use storagedriver::Secret;
use storagedriver::url::Url;
use storagedriver_object::StoreResult;
use storagedriver_object::http::HttpClient;

use super::{Token, exchange};

const ADVICE: &str =
    "log in again with `gcloud auth application-default login`, or use the key of a service account";

/// The tokens of a person.
#[derive(Debug)]
pub(crate) struct User {
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) refresh_token: Secret,
    pub(super) token_url: Url,
}

impl User {
    /// Refreshes the token: [RFC 6749, section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6).
    pub(super) async fn token(&self, http: &HttpClient) -> StoreResult<Token> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.reveal()),
            ("refresh_token", self.refresh_token.reveal()),
        ];
        let request = exchange::form("the refresh of the user's token", self.token_url.clone(), &fields)?;
        exchange::grant(http, &request, ADVICE).await
    }
}
