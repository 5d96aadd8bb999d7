//! Temporary URLs: <https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html>.

use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use ring::hmac;

use super::refusal::{Answer, Refused};
use super::service::{Place, Service};
use crate::call::Call;
use crate::store::unhex;

impl Service {
    /// The signature has to be of a key of the container or of the account; one for `GET` is good for `HEAD`.
    pub(super) fn check_temp_url(&self, call: &Call, place: &Place) -> Answer<()> {
        let expires = call.parameter("temp_url_expires").unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if expires.parse::<u64>().is_ok_and(|expires| expires <= now) {
            return Err(Refused::unauthorized());
        }
        // The HP Cloud's form has two fields before the signature.
        let given = call.parameter("temp_url_sig").unwrap_or_default();
        let given = unhex(given.rsplit(':').next().unwrap_or_default()).ok_or_else(Refused::unauthorized)?;
        let algorithm = match given.len() {
            20 if self.takes("sha1") || self.options.temp_url_digests.is_empty() => {
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY
            }
            32 if self.takes("sha256") => hmac::HMAC_SHA256,
            _ => return Err(Refused::unauthorized()),
        };
        let keys = self.keys_of(&place.container).into_iter().chain(self.keys_of(""));
        let methods =
            if call.method == Method::HEAD { vec!["HEAD", "GET"] } else { vec![call.method.as_str()] };
        // Over the path as it was decoded.
        let path = crate::uri::decode(&call.path);
        for key in keys.flatten() {
            let key = hmac::Key::new(algorithm, key.as_bytes());
            for method in &methods {
                let text = format!("{method}\n{expires}\n{path}");
                if hmac::verify(&key, text.as_bytes(), &given).is_ok() {
                    return Ok(());
                }
            }
        }
        Err(Refused::unauthorized())
    }

    fn takes(&self, digest: &str) -> bool {
        self.options.temp_url_digests.contains(&digest)
    }
}
