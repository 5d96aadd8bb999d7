//! Signatures of CloudFront's canned policy:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html>.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::utf8_percent_encode;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::rand_core::OsRng;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use sha1::Sha1;
use storagedriver::url::Url;

use crate::base_url::ENCODED;

/// Why a key cannot sign. Shows nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKey(&'static str);

/// The key could not sign: it contradicts itself, or the system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the private key could not sign")]
#[non_exhaustive]
pub struct SigningFailed;

/// Signs URLs with a private key whose public half CloudFront knows.
///
/// RSA (PKCS #1 v1.5) with SHA-1, which CloudFront takes of every key pair. What the key computes is
/// blinded, so that the time it takes tells nothing of the key.
pub struct Signer {
    key_pair_id: String,
    key: SigningKey<Sha1>,
}

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key_pair_id", &self.key_pair_id).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key in `pem` (PKCS #1 or PKCS #8, RSA, not encrypted), which CloudFront knows by
    /// `key_pair_id`.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(key_pair_id: impl Into<String>, pem: &str) -> Result<Self, InvalidKey> {
        // What stands before it, as `openssl` writes there, is no part of it.
        let start = pem.find("-----BEGIN ").ok_or(InvalidKey("is no key in PEM"))?;
        let pem = pem.get(start..).unwrap_or_default();
        let kind = pem.lines().next().unwrap_or_default().trim_end();
        let damaged = InvalidKey("is damaged: it is no RSA key, although it begins as one");
        let key = match kind {
            "-----BEGIN RSA PRIVATE KEY-----" if pem.contains("Proc-Type: 4,ENCRYPTED") => {
                return Err(InvalidKey("is encrypted; give one without a passphrase"));
            }
            "-----BEGIN ENCRYPTED PRIVATE KEY-----" => {
                return Err(InvalidKey("is encrypted; give one without a passphrase"));
            }
            "-----BEGIN RSA PRIVATE KEY-----" => RsaPrivateKey::from_pkcs1_pem(pem).map_err(|_| damaged)?,
            "-----BEGIN PRIVATE KEY-----" => RsaPrivateKey::from_pkcs8_pem(pem)
                .map_err(|_| InvalidKey("is damaged or no RSA key; keys for ECDSA are not supported"))?,
            "-----BEGIN EC PRIVATE KEY-----" => {
                return Err(InvalidKey("is a key for ECDSA, which is not supported; give one for RSA"));
            }
            _ => return Err(InvalidKey("is no private key: its PEM is of another kind")),
        };
        Ok(Signer { key_pair_id: key_pair_id.into(), key: SigningKey::new(key) })
    }

    /// The URL, valid until `expires`, in seconds since 1970.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, mut url: Url, expires: u64) -> Result<Url, SigningFailed> {
        url.set_fragment(None);
        let policy = policy(&url, expires);
        let signature =
            self.key.try_sign_with_rng(&mut OsRng, policy.as_bytes()).map_err(|_| SigningFailed)?.to_vec();
        let signature = STANDARD.encode(signature).replace('+', "-").replace('=', "_").replace('/', "~");
        let id = utf8_percent_encode(&self.key_pair_id, ENCODED);
        let signed = format!("Expires={expires}&Signature={signature}&Key-Pair-Id={id}");
        let query = url.query().map_or_else(|| signed.clone(), |query| format!("{query}&{signed}"));
        url.set_query(Some(&query));
        Ok(url)
    }
}

/// The policy that CloudFront itself puts together from the URL, byte for byte.
fn policy(url: &Url, expires: u64) -> String {
    let resource = serde_json::Value::from(url.as_str());
    format!(
        r#"{{"Statement":[{{"Resource":{resource},"Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
    )
}
