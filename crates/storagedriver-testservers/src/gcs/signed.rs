//! Signed URLs, version 4.

use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::refusal::{Answer, Refused};
use crate::call::Call;
use crate::store::{hex, unhex};
use crate::uri;

/// The longest that a signed URL can be valid, in seconds: seven days.
const LONGEST: i64 = 7 * 24 * 3600;

/// Verifies the signature, if there are keys, and that the URL has not expired.
pub(super) fn check_signed(call: &Call, keys: &[Vec<u8>]) -> Answer<()> {
    check_at(call, keys, jiff::Timestamp::now())
}

fn check_at(call: &Call, keys: &[Vec<u8>], now: jiff::Timestamp) -> Answer<()> {
    let part = |name: &str| {
        call.parameter(name)
            .ok_or_else(|| Refused::invalid(format!("The query parameter {name} is missing.")))
    };
    let date = part("X-Goog-Date")?;
    let since = jiff::Timestamp::strptime("%Y%m%dT%H%M%S%z", date.replace('Z', "+0000"))
        .map_err(|_| Refused::invalid("Invalid X-Goog-Date"))?;
    let seconds: i64 =
        part("X-Goog-Expires")?.parse().map_err(|_| Refused::invalid("Invalid X-Goog-Expires"))?;
    if !(1..=LONGEST).contains(&seconds) {
        return Err(Refused::invalid("Invalid argument: X-Goog-Expires must be from 1 to 604800."));
    }
    if now.as_second() > since.as_second().saturating_add(seconds) {
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::Request;

    use super::*;

    /// A public key whose private half was thrown away after it had signed `SIGNATURE`.
    const KEY: &str = "\
        MIIBCgKCAQEAq7qvllpp/ny0HAveacFPinIZoQQVWbTi2mIemupT/0ApJ96VrozFBHWpyQ+KowMFf4tGPdh5yN7I\
        +yo0qFydHZg0OdhH4bY6ly7bF0MiliX33VMPMlUL79DFObJ2PjE7StCbkIWyx561O+jWu4vZsYTopJN9vwJ/0z5a\
        PDtybXFTx5Wane4YkRvcGfbTjVL8Zd2AJkNU0ymr4j0oUCyCJFLRmJ+vCUfZFMuVBubEh2VRziDoFRJKda/XXcUQ\
        iRNG4bvfuIqYYPTPVLftZHm081J2E8JguPZadsi7J1ksOB+NfmBAhSy7rIoe6365EGzOYo6yX2FaWGG8AVmbRkS8\
        jwIDAQAB";
    const SIGNATURE: &str = "\
        5b8aee09c5ea22536f79b2ace1a624e4b1416ec9672ee0f95c398099fd2b90e5c8eb07a5411550857e7ca63f\
        f63b9428327fa4ef3101b8e1e3f0b0320d30fcaf2d6104babf5e6ac768269f16fd4f5569e1b30fd2b8b76cf9\
        c94fc6bff0e9777680838f4354f262e40cbcb32c70a164c092d884879efc419326391864d19c93a607a6c099\
        779146c5a03abce8be8c62f1cf80d0be2f392835e5c2be628e4c750c3074c11f3098968c82316b653e8cc908\
        4bc6bfe0956e9b1f58e9d847ecd00b974cccae24af5993082973a59e603e464fdc0aaa3dca3e8281acf65f6b\
        a49b0c1f946a2dd53a5af360cca2520d1a78dc21ef2f71da1a1bc7660789bc4c75cd3071";
    const QUERY: &str = "\
        X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=driver%40project.iam.gserviceaccount\
        .com%2F20260101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Exp\
        ires=600&X-Goog-SignedHeaders=host";

    fn check(method: &str, path: &str, query: &str, now: &str) -> Answer<()> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{query}&X-Goog-Signature={SIGNATURE}"))
            .header("host", "storage.googleapis.com")
            .body(bytes::Bytes::new())
            .unwrap();
        check_at(&Call::new(request), &[STANDARD.decode(KEY).unwrap()], now.parse().unwrap())
    }

    #[test]
    fn a_signature_is_for_one_request_and_its_time() {
        let (path, in_time) = ("/bucket/dir/a%20b", "2026-01-01T00:09:00Z");
        assert!(check("GET", path, QUERY, in_time).is_ok());
        for (method, path, query, now) in [
            ("GET", path, QUERY.to_owned(), "2026-01-01T00:11:00Z"),
            ("PUT", path, QUERY.to_owned(), in_time),
            ("GET", "/bucket/other", QUERY.to_owned(), in_time),
            ("GET", path, QUERY.replace("Expires=600", "Expires=601"), in_time),
            ("GET", path, QUERY.replace("Expires=600", "Expires=604801"), in_time),
        ] {
            assert!(check(method, path, &query, now).is_err(), "{method} {path} {query} {now}");
        }
    }
}
