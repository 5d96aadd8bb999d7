//! `cloudfront`: what is signed, and for how long.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use storagedriver::url::Url;
use storagedriver::{Parameters, RedirectRequest, Storage};
use storagedriver_inmemory::InMemory;
use storagedriver_middleware::cloudfront::Signer;
use storagedriver_middleware::{BaseUrl, CLOUDFRONT, CloudFront, Rewrite, UrlChange};

use crate::keyed::{asked, keyed, url};

const KEY: &str = include_str!("../../testdata/key.pem");

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// The options of a distribution, and these.
pub(crate) fn options(more: &[(&str, &str)]) -> Parameters {
    let mut options = Parameters::from_iter([
        ("baseurl", "d111111abcdef8.cloudfront.net"),
        ("privatekey", file("key.pem").to_str().unwrap()),
        ("keypairid", "K2JCJMDEHXQW5F"),
    ]);
    for (name, value) in more {
        options.insert(*name, *value);
    }
    options
}

fn in_front_of(storage: &Storage) -> Storage {
    let base = BaseUrl::parse("https://d111111abcdef8.cloudfront.net").unwrap();
    let signer = Signer::from_pem("K2JCJMDEHXQW5F", KEY).unwrap();
    storage.layer(|driver| CloudFront::new(driver, base, signer))
}

/// Checks a signed URL as CloudFront does, with the public key and another implementation. Returns
/// what was signed: the URL, and until when it is valid, in seconds from now.
fn verified(signed: &str) -> (String, i64) {
    let (resource, query) = signed.split_once("?Expires=").expect("a signed URL");
    let (expires, rest) = query.split_once("&Signature=").expect("a signature");
    let (signature, id) = rest.split_once("&Key-Pair-Id=").expect("a key");
    assert_eq!(id, "K2JCJMDEHXQW5F");
    let policy = format!(
        r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
    );
    let signature = signature.replace('-', "+").replace('_', "=").replace('~', "/");
    let signature = STANDARD.decode(signature).unwrap();
    let pem = include_str!("../../testdata/public.pem");
    let public: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = UnparsedPublicKey::new(
        &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        STANDARD.decode(public).unwrap(),
    );
    key.verify(policy.as_bytes(), &signature).expect("a signature of this policy");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    (resource.to_owned(), expires.parse::<i64>().unwrap() - now)
}

#[test]
fn the_signature_is_the_one_that_openssl_makes() {
    let policy: serde_json::Value = serde_json::from_str(include_str!("../../testdata/policy.json")).unwrap();
    let statement = &policy["Statement"][0];
    let resource = statement["Resource"].as_str().unwrap();
    let expires = statement["Condition"]["DateLessThan"]["AWS:EpochTime"].as_u64().unwrap();
    let signature = include_str!("../../testdata/signature.txt").trim();
    for pem in [KEY, include_str!("../../testdata/key-pkcs8.pem"), &format!("Key:\r\n{KEY}")] {
        let signer = Signer::from_pem("K2JCJMDEHXQW5F", pem).unwrap();
        let signed = signer.sign(Url::parse(resource).unwrap(), expires).unwrap();
        let wanted = format!("{resource}?Expires={expires}&Signature={signature}&Key-Pair-Id=K2JCJMDEHXQW5F");
        assert_eq!(signed.as_str(), wanted);
    }
}

#[test]
fn a_query_is_signed_with_the_rest() {
    let signer = Signer::from_pem("a&b", KEY).unwrap();
    let signed = signer.sign(Url::parse("https://h/a?size=large&x=1#part").unwrap(), 7).unwrap();
    assert!(signed.as_str().starts_with("https://h/a?size=large&x=1&Expires=7&Signature="), "{signed}");
    assert!(signed.as_str().ends_with("&Key-Pair-Id=a%26b"), "{signed}");
    let bare = signer.sign(Url::parse("https://h/a").unwrap(), 7).unwrap();
    let signature =
        |url: &Url| url.query_pairs().find(|(name, _)| name == "Signature").unwrap().1.into_owned();
    assert_ne!(signature(&signed), signature(&bare));
}

#[tokio::test]
async fn readers_get_the_key_behind_the_distribution_signed() {
    let storage = in_front_of(&keyed());
    for method in ["GET", "HEAD"] {
        let signed = asked(&storage, &RedirectRequest::new(method), "/a/b").await.unwrap();
        let (resource, seconds) = verified(&signed);
        assert_eq!(resource, "https://d111111abcdef8.cloudfront.net/root%20dir/a/b");
        assert!((1100..=1200).contains(&seconds), "{seconds}");
    }
    let put = asked(&storage, &RedirectRequest::new("PUT"), "/a").await.unwrap();
    assert!(put.starts_with("https://bucket.example.com:9000/"), "{put}");
}

/// In Distribution another middleware in between hides the driver's keys.
#[tokio::test]
async fn the_key_is_seen_through_other_middleware() {
    let change = UrlChange::new().with_host("elsewhere.example.com").unwrap();
    let storage = in_front_of(&keyed().layer(|driver| Rewrite::new(driver, change)));
    assert_eq!(
        verified(&url(&storage, "/a").await.unwrap()).0,
        "https://d111111abcdef8.cloudfront.net/root%20dir/a"
    );
}

#[tokio::test]
async fn a_driver_without_keys_answers_itself() {
    assert_eq!(url(&in_front_of(&Storage::new(InMemory::new())), "/a").await, None);
}

#[tokio::test]
async fn a_url_is_valid_as_long_as_configured_or_else_as_asked() {
    let hour = RedirectRequest::get().with_expiry(Duration::from_secs(3600));
    let plain = (CLOUDFRONT.wrap)(keyed(), options(&[])).await.unwrap();
    let configured = (CLOUDFRONT.wrap)(keyed(), options(&[("duration", "2h")])).await.unwrap();
    for (storage, wanted) in [(plain, 3600), (configured, 7200)] {
        let (resource, seconds) = verified(&asked(&storage, &hour, "/a").await.unwrap());
        assert_eq!(resource, "https://d111111abcdef8.cloudfront.net/root%20dir/a");
        assert!((wanted - 100..=wanted).contains(&seconds), "{seconds}");
    }
    // The typing error of v2.8 is taken as the name it was meant to be, and changes no duration.
    let typo = (CLOUDFRONT.wrap)(keyed(), options(&[("updatefrenquency", "5s")])).await.unwrap();
    assert!((1100..=1200).contains(&verified(&url(&typo, "/a").await.unwrap()).1));
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    let encrypted = file("encrypted.pem");
    for (more, says) in [
        (&[("baseurl", "")][..], r#"parameter "baseurl": is required"#),
        (&[("baseurl", "rtmp://d111111abcdef8.cloudfront.net")], "allowed are http and https"),
        (&[("baseurl", "https://d111111abcdef8.cloudfront.net/?a=b")], "query"),
        (&[("privatekey", "")], "is required"),
        (&[("privatekey", "/no/such/key.pem")], "/no/such/key.pem cannot be read"),
        (&[("privatekey", encrypted.to_str().unwrap())], "is encrypted"),
        (&[("keypairid", "")], "is required"),
        (&[("duration", "1200")], "has no unit"),
        (&[("duration", "0")], "at least 1s"),
        (&[("updatefrequency", "1h"), ("updatefrenquency", "2h")], "given twice"),
        (&[("ipfilteredby", "gcp")], "one of none, aws, awsregion"),
        (&[("ipfilteredby", "awsregion")], r#"parameter "awsregion": is required"#),
        (&[("ipfilteredby", "awsregion"), ("awsregion", " , ")], r#"parameter "awsregion": is required"#),
        (
            &[("ipfilteredby", "aws"), ("iprangesurl", "/etc/ranges.json")],
            r#"parameter "iprangesurl": is no URL"#,
        ),
        (&[("ipfilterdby", "aws")], r#"did you mean "ipfilteredby"?"#),
    ] {
        let error = (CLOUDFRONT.wrap)(keyed(), options(more)).await.unwrap_err().to_string();
        assert!(error.starts_with("cloudfront: parameter ") && error.contains(says), "{error}");
    }
    for none in ["none", " NONE ", ""] {
        (CLOUDFRONT.wrap)(keyed(), options(&[("ipfilteredby", none), ("awsregion", "a")])).await.unwrap();
    }
}

#[test]
fn what_is_no_key_for_rsa_is_refused_without_showing_it() {
    let body = KEY.lines().nth(1).unwrap();
    let (short, other) = (KEY.replacen(body, "", 1), KEY.replace("RSA PRIVATE", "OPENSSH PRIVATE"));
    for (pem, says) in [
        ("secret", "no key in PEM"),
        (include_str!("../../testdata/encrypted.pem"), "is encrypted"),
        (include_str!("../../testdata/encrypted-pkcs8.pem"), "is encrypted"),
        (include_str!("../../testdata/ec.pem"), "ECDSA"),
        (include_str!("../../testdata/ec-pkcs8.pem"), "ECDSA"),
        (include_str!("../../testdata/public.pem"), "is no private key"),
        (&short, "is damaged"),
        (&other, "another kind"),
    ] {
        let error = Signer::from_pem("id", pem).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("secret") && !error.contains(&body[..16]), "{error}");
    }
    let shown = format!("{:?}", in_front_of(&keyed()));
    assert!(shown.contains("K2JCJMDEHXQW5F") && !shown.contains("SigningKey"), "{shown}");
}
