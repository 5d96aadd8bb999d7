//! URLs that carry their own signature (Signature Version 4, in the query).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use object_store::aws::AwsCredential;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use storagedriver::url::{Position, Url};

use crate::digests::hex;

const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What Amazon allows: seven days.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Adds to `url`, which has no query, what lets whoever has it do `method` until `expiry` is over.
/// Only the host is signed, as Distribution's driver does, so that a client may send what it likes.
pub(crate) fn presign(
    url: &Url,
    method: &str,
    credential: &AwsCredential,
    region: &str,
    (now, expiry): (SystemTime, Duration),
) -> Option<Url> {
    let date = date(now)?;
    let day = date.get(..8)?;
    let scope = format!("{day}/{region}/s3/aws4_request");
    let expiry = expiry.clamp(Duration::from_secs(1), LONGEST).as_secs().to_string();
    let held_by = format!("{}/{scope}", credential.key_id);
    // In the order of their names, as they are signed.
    let mut query: Vec<(&str, &str)> = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &held_by),
        ("X-Amz-Date", &date),
        ("X-Amz-Expires", &expiry),
    ];
    if let Some(token) = &credential.token {
        query.push(("X-Amz-Security-Token", token));
    }
    query.push(("X-Amz-SignedHeaders", "host"));
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, STRICT)))
        .collect();
    let query = query.join("&");
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let canonical = format!("{method}\n{}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", url.path());
    let to_sign =
        format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(digest(&SHA256, canonical.as_bytes()).as_ref()));
    let secret = format!("AWS4{}", credential.secret_key);
    let mut key = secret.into_bytes();
    for step in [day, region, "s3", "aws4_request", &to_sign] {
        key = sign(&Key::new(HMAC_SHA256, &key), step.as_bytes()).as_ref().to_vec();
    }
    let mut signed = url.clone();
    signed.set_query(Some(&format!("{query}&X-Amz-Signature={}", hex(&key))));
    Some(signed)
}

/// As signatures write a time: `20130524T000000Z`.
fn date(time: SystemTime) -> Option<String> {
    let age = time.duration_since(UNIX_EPOCH).ok()?;
    let time = jiff::Timestamp::from_second(i64::try_from(age.as_secs()).ok()?).ok()?;
    // `2013-05-24T00:00:00Z`
    Some(time.to_string().chars().filter(|character| !matches!(character, '-' | ':')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Amazon's page "Authenticating Requests: Using Query Parameters".
    #[test]
    fn the_published_example_comes_out() {
        let credential = AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let signed =
            presign(&url, "GET", &credential, "us-east-1", (time, Duration::from_secs(86400))).unwrap();
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
            &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert_eq!(signed.query(), Some(query));
    }
}
