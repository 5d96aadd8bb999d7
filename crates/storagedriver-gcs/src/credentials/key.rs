//! The key of a service account: it signs tokens and URLs without asking anybody.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use storagedriver::ErrorKind;
use storagedriver_object::{StoreError, StoreResult};

use super::{SCOPE, Token, exchange};

/// How long a token lives, in seconds: the most that Google takes.
const LIFE: u64 = 3600;

/// A service account with its private key.
pub(crate) struct ServiceAccountKey {
    email: String,
    id: String,
    pair: RsaKeyPair,
}

impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccountKey").field("email", &self.email).finish_non_exhaustive()
    }
}

impl ServiceAccountKey {
    /// From the fields of a key file. The error says what is wrong, and shows nothing of the key.
    pub(super) fn new(email: String, id: String, pem: &str) -> Result<Self, String> {
        Ok(ServiceAccountKey { email, id, pair: parse(pem)? })
    }

    pub(crate) fn email(&self) -> &str {
        &self.email
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> StoreResult<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| {
            StoreError::failed(ErrorKind::Backend, "the key of the service account could not sign")
        })?;
        Ok(signature)
    }

    /// A token that the account has signed [itself](https://google.aip.dev/auth/4111).
    pub(super) fn token(&self) -> StoreResult<Token> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": self.id});
        let claims = serde_json::json!({
            "iss": self.email, "sub": self.email, "scope": SCOPE, "iat": now, "exp": now + LIFE,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())?);
        exchange::token(&format!("{message}.{signature}"), LIFE)
    }
}

/// A key in PEM: PKCS #8, as Google gives them out, or PKCS #1.
fn parse(pem: &str) -> Result<RsaKeyPair, String> {
    // In an environment variable or a badly quoted file, line ends are often two characters.
    let pem = pem.replace("\\n", "\n");
    let mut lines = pem.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN "));
    let kind = lines.next().ok_or("is not a key in PEM")?;
    let text: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    let der = STANDARD.decode(text).map_err(|_| "holds something else than base64")?;
    let parsed = match kind {
        "-----BEGIN PRIVATE KEY-----" => RsaKeyPair::from_pkcs8(&der),
        "-----BEGIN RSA PRIVATE KEY-----" => RsaKeyPair::from_der(&der),
        _ => return Err("is not an unencrypted private key".to_owned()),
    };
    parsed.map_err(|error| format!("is not an RSA key of 2048 bits or more: {error}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// Made for these tests with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`; no account
    /// has it.
    pub(crate) const PEM: &str = include_str!("../../testdata/key.pem");

    pub(crate) fn key() -> ServiceAccountKey {
        ServiceAccountKey::new("robot@project.iam.gserviceaccount.com".into(), "key-1".into(), PEM).unwrap()
    }

    pub(crate) fn verifies(message: &[u8], signature: &[u8]) -> bool {
        let public = key().pair.public().as_ref().to_vec();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(message, signature).is_ok()
    }

    #[test]
    fn a_token_is_signed_and_says_who_and_what_for() {
        let token = key().token().unwrap();
        let bearer = token.bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        let (message, signature) = bearer.rsplit_once('.').unwrap();
        assert!(verifies(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()));
        let (header, claims) = message.split_once('.').unwrap();
        let decode = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(decode(header)["kid"], "key-1");
        let claims = decode(claims);
        assert_eq!(claims["iss"], "robot@project.iam.gserviceaccount.com");
        assert_eq!(claims["scope"], SCOPE);
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), LIFE);
    }

    #[test]
    fn a_key_on_one_line_is_read() {
        let escaped = PEM.replace('\n', "\\n");
        assert!(ServiceAccountKey::new("a".into(), "b".into(), &escaped).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for pem in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ] {
            let error = ServiceAccountKey::new("a".into(), "b".into(), pem).unwrap_err();
            assert!(!error.contains("secret") && !error.contains("c2Vj"), "{error}");
        }
        assert!(!format!("{:?}", key()).contains("PRIVATE"));
    }
}
