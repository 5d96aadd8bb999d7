//! Signed URLs: [V4 signing](https://cloud.google.com/storage/docs/authentication/signatures) with the key of a
//! service account, or by the IAM service where there is none.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use storagedriver::RedirectRequest;
use storagedriver::url::Url;
use storagedriver_object::StoreResult;

use crate::client::Client;
use crate::place::encode;

const ALGORITHM: &str = "GOOG4-RSA-SHA256";
/// The longest that a signed URL can be valid.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl Client {
    /// A URL for `GET` and `HEAD`; `None` for other methods, and where no service account could sign.
    pub(crate) async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Ok(None);
        }
        let Some(email) = self.service.credentials.email().await? else { return Ok(None) };
        let unsigned = Unsigned::new(self.place.xml_object(key, &[]), request, &email, SystemTime::now());
        let text = unsigned.string_to_sign();
        let signature = match self.service.credentials.key() {
            Some(key) => key.sign(text.as_bytes())?,
            None => self.service.credentials.sign_blob(&self.iam, &email, &text).await?,
        };
        Ok(Some(unsigned.signed(&signature)))
    }
}

/// A URL without its signature.
struct Unsigned {
    url: Url,
    method: String,
    date: String,
    scope: String,
}

impl Unsigned {
    fn new(mut url: Url, request: &RedirectRequest, email: &str, now: SystemTime) -> Self {
        let date = timestamp(now);
        let day = date.split('T').next().unwrap_or_default();
        let scope = format!("{day}/auto/storage/goog4_request");
        let seconds = request.expiry.clamp(Duration::from_secs(1), LONGEST).as_secs();
        // In the order of their names, as the signature has them.
        let query = format!(
            "X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={}&X-Goog-Date={date}&X-Goog-Expires={seconds}\
             &X-Goog-SignedHeaders=host",
            encode(&format!("{email}/{scope}")),
        );
        url.set_query(Some(&query));
        Unsigned { url, method: request.method.clone(), date, scope }
    }

    fn string_to_sign(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let canonical = format!(
            "{}\n{}\n{}\nhost:{}{port}\n\nhost\nUNSIGNED-PAYLOAD",
            self.method,
            self.url.path(),
            self.url.query().unwrap_or_default(),
            self.url.host_str().unwrap_or_default(),
        );
        let digest = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        format!("{ALGORITHM}\n{}\n{}\n{digest}", self.date, self.scope)
    }

    fn signed(mut self, signature: &[u8]) -> Url {
        let query = format!("{}&X-Goog-Signature={}", self.url.query().unwrap_or_default(), hex(signature));
        self.url.set_query(Some(&query));
        self.url
    }
}

/// `20240131T235959Z`.
fn timestamp(now: SystemTime) -> String {
    let now = jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
