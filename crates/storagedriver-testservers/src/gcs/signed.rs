//! Signed URLs, version 4.

use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::refusal::{Answer, Refused};
use crate::call::Call;
use crate::store::{hex, unhex};
use crate::uri;

/// Verifies the signature, if there are keys, and that the URL has not expired.
pub(super) fn check_signed(call: &Call, keys: &[Vec<u8>]) -> Answer<()> {
    let part = |name: &str| {
        call.parameter(name)
            .ok_or_else(|| Refused::invalid(format!("The query parameter {name} is missing.")))
    };
    let date = part("X-Goog-Date")?;
    let since = jiff::Timestamp::strptime("%Y%m%dT%H%M%S%z", date.replace('Z', "+0000"))
        .map_err(|_| Refused::invalid("Invalid X-Goog-Date"))?;
    let seconds: i64 =
        part("X-Goog-Expires")?.parse().map_err(|_| Refused::invalid("Invalid X-Goog-Expires"))?;
    if jiff::Timestamp::now().as_second() > since.as_second().saturating_add(seconds) {
        return Err(Refused::invalid("Invalid argument. The provided token has expired."));
    }
    let credential = part("X-Goog-Credential")?;
    if keys.is_empty() {
        return Ok(());
    }
    let signature =
        unhex(part("X-Goog-Signature")?).ok_or_else(|| Refused::invalid("Invalid X-Goog-Signature"))?;
    let scope = credential.split_once('/').map(|(_, scope)| scope).unwrap_or_default();
    let request = canonical(call, part("X-Goog-SignedHeaders")?);
    let hash = hex(digest(&SHA256, request.as_bytes()).as_ref());
    let text = format!("{}\n{date}\n{scope}\n{hash}", part("X-Goog-Algorithm")?);
    let fits = keys.iter().any(|key| {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(text.as_bytes(), &signature).is_ok()
    });
    if fits {
        return Ok(());
    }
    Err(Refused::signature(
        "Access denied. The request signature we calculated does not match the signature you provided.",
    ))
}

/// What was signed: <https://cloud.google.com/storage/docs/authentication/canonical-requests>.
fn canonical(call: &Call, signed: &str) -> String {
    let mut query: Vec<String> = call
        .query
        .iter()
        .filter(|(name, _)| name != "X-Goog-Signature")
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    query.sort();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", call.header(name).unwrap_or_default().trim()))
        .collect();
    format!("{}\n{}\n{}\n{headers}\n{signed}\nUNSIGNED-PAYLOAD", call.method, call.path, query.join("&"))
}

fn encoded(text: &str) -> String {
    uri::encode(text).replace('/', "%2F")
}
