//! Requests to one container.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use object_store::client::HttpRequest;
use storagedriver::async_trait;
use storagedriver::url::Url;
use storagedriver_object::http::{
    HeaderName, HeaderValue, HttpClient, Method, Refusal, ReplyHead, Request, Service,
};
use storagedriver_object::{StoreError, StoreResult};
use tokio::sync::OnceCell;

use crate::account::Account;
use crate::claims::Moves;
use crate::cluster::Cluster;
use crate::layout::Layout;
use crate::refusal;
use crate::tempurl::TempUrls;

/// The token.
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// Asks every copy of an object which is the newest, instead of taking the first that answers.
const NEWEST: HeaderName = HeaderName::from_static("x-newest");
/// So much of a reply is read: a page of 1,000 names of 1,024 bytes, each escaped.
const REPLY_LIMIT: usize = 16 << 20;

/// What Swift wants of a request, and says to it.
#[derive(Debug)]
pub(crate) struct Swift {
    pub(crate) container: String,
    pub(crate) account: Account,
}

#[async_trait]
impl Service for Swift {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let session = self.account.session().await?;
        if let Ok(mut token) = HeaderValue::from_str(&session.token) {
            token.set_sensitive(true);
            request.headers_mut().insert(AUTH_TOKEN, token);
        }
        if matches!(request.method(), &Method::GET | &Method::HEAD) {
            request.headers_mut().insert(NEWEST, HeaderValue::from_static("true"));
        }
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        refusal::read(head, body)
    }

    fn is_transient(&self, refusal: &Refusal) -> bool {
        refusal::is_transient(refusal)
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        refusal::error(&self.container, request, refusal)
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusal.status.as_u16() == 401
    }

    async fn renew(&self) -> bool {
        self.account.forget().await;
        true
    }
}

/// A container, and the way to it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: HttpClient,
    pub(crate) service: Arc<Swift>,
    pub(crate) layout: Layout,
    pub(crate) cluster: OnceCell<Cluster>,
    pub(crate) temp_urls: TempUrls,
    pub(crate) moves: Moves,
    /// Claims that are older than this are told of, so that somebody may end what they are of.
    pub(crate) claim_age: std::time::Duration,
}

impl Client {
    pub(crate) fn container(&self) -> &str {
        &self.service.container
    }

    /// Sends a request with a small reply.
    pub(crate) async fn exchange<T: Send>(
        &self,
        request: &Request,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        self.http.exchange(&*self.service, request, REPLY_LIMIT, parse).await
    }

    /// A URL in the account: of a container and a key below it, or of the account itself.
    pub(crate) async fn account_url(&self, path: &str, query: &[(&str, &str)]) -> StoreResult<Url> {
        let mut url = self.service.account.session().await?.storage.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name, false), encode(value, false)))
            .collect();
        url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
        Ok(url)
    }

    /// The path of an object below the account, encoded; that of the container if there is no key.
    pub(crate) fn path(&self, key: &str) -> String {
        let container = encode(self.container(), false);
        if key.is_empty() { format!("/{container}") } else { format!("/{container}/{}", encode(key, true)) }
    }

    pub(crate) async fn url(&self, key: &str, query: &[(&str, &str)]) -> StoreResult<Url> {
        self.account_url(&self.path(key), query).await
    }

    /// What the cluster has; asked once. One that does not tell has what all have.
    pub(crate) async fn cluster(&self) -> StoreResult<&Cluster> {
        self.cluster
            .get_or_try_init(|| async {
                let mut url = self.service.account.session().await?.storage.clone();
                let path = info_path(url.path());
                url.set_path(&path);
                let request = Request::new("GET info", Method::GET, url);
                let told = self.exchange(&request, |_, body| Ok(Cluster::read(&body))).await;
                match told {
                    Ok(told) => Ok(told.unwrap_or_default()),
                    Err(StoreError::NotFound | StoreError::Precondition) => Ok(Cluster::default()),
                    Err(StoreError::Failed(failure)) if is_final(failure.kind()) => Ok(Cluster::default()),
                    Err(error) => Err(error),
                }
            })
            .await
    }

    /// Makes the container. Whether it was there before, nobody asks.
    pub(crate) async fn make_container(&self) -> StoreResult<()> {
        let request = Request::new("PUT container", Method::PUT, self.url("", &[]).await?);
        match self.exchange(&request, |_, _| Ok(())).await {
            Err(StoreError::Failed(failure))
                if failure.kind() == storagedriver::ErrorKind::PermissionDenied =>
            {
                let reason = format!(
                    "there is no container {}, and the user may not make it ({}); make it, or check its name",
                    self.container(),
                    failure.reason()
                );
                Err(StoreError::failed(storagedriver::ErrorKind::PermissionDenied, reason))
            }
            made => made,
        }
    }
}

/// `/info` stands beside `/v1/<account>`; Ceph may leave the account out.
fn info_path(account: &str) -> String {
    let mut parts: Vec<&str> = account.trim_end_matches('/').split('/').collect();
    let version = parts.iter().rposition(|part| *part == "v1");
    parts.truncate(version.unwrap_or_else(|| parts.len().saturating_sub(2)));
    format!("{}/info", parts.join("/"))
}

/// Whether another attempt would be answered the same.
fn is_final(kind: storagedriver::ErrorKind) -> bool {
    use storagedriver::ErrorKind;
    matches!(
        kind,
        ErrorKind::Backend
            | ErrorKind::PermissionDenied
            | ErrorKind::Unauthenticated
            | ErrorKind::Unsupported
    )
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3, and slashes if they are to be kept.
pub(crate) fn encode(text: &str, keep_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slashes && byte == b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent-encoding; what is no escape stays.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escape = tail.split_at_checked(2).filter(|_| *first == b'%').and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        match escape {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_beside_the_version() {
        for (account, info) in [
            ("/v1/AUTH_test", "/info"),
            ("/swift/v1/AUTH_test/", "/swift/info"),
            ("/swift/v1", "/swift/info"),
            ("/object-store/account/one", "/object-store/info"),
        ] {
            assert_eq!(info_path(account), info);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let text = "a b/~u+\u{fc}%2F";
        assert_eq!(encode(text, true), "a%20b/~u%2B%C3%BC%252F");
        assert_eq!(decode(&encode(text, false)), text);
        assert_eq!(decode("100%"), "100%");
    }
}
