//! Signatures of accounts whose key is not here: the IAM service makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use storagedriver::url::Url;
use storagedriver_object::StoreResult;
use storagedriver_object::http::{Method, Refusal, Request, header};

use super::Credentials;
use super::exchange::{self, Issuer};
use crate::json as reply;
use crate::place::encode;

const ADVICE: &str = "give the account the role roles/iam.serviceAccountTokenCreator on itself, and enable the IAM \
                      Service Account Credentials API, or use the key of a service account";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signed_blob: String,
}

impl Credentials {
    /// Lets the IAM service at `iam` sign as `email`:
    /// [signBlob](https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob).
    pub(crate) async fn sign_blob(&self, iam: &Url, email: &str, text: &str) -> StoreResult<Vec<u8>> {
        let mut url = iam.clone();
        url.set_path(&format!("/v1/projects/-/serviceAccounts/{}:signBlob", encode(email)));
        let body = json!({"payload": STANDARD.encode(text)}).to_string();
        let mut request = Request::new("serviceAccounts.signBlob", Method::POST, url)
            .header(header::CONTENT_TYPE, "application/json")?
            .body(body);
        if let Some(bearer) = self.bearer().await? {
            request.headers.insert(header::AUTHORIZATION, bearer);
        }
        let issuer = Issuer { advice: ADVICE };
        self.http
            .exchange(&issuer, &request, exchange::LIMIT, |_, body: Bytes| {
                let signed: Signed = reply::parse(&body)?;
                let signature = STANDARD.decode(signed.signed_blob);
                signature.map_err(|_| Refusal::unreadable("the signature is not base64"))
            })
            .await
    }
}
