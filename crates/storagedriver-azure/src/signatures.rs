//! URLs that a client can read a blob by: shared access signatures.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ring::hmac;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, RedirectRequest};
use storagedriver_object::http::{Method, Refusal};
use storagedriver_object::{StoreError, StoreResult};
use tokio::sync::Mutex;

use crate::client::{Client, SMALL};
use crate::location::with_query;
use crate::service::VERSION;
use crate::xml::{self, DelegationKey};

/// How long before now a signature begins to be valid, for clocks that are behind.
const EARLIER: Duration = Duration::from_secs(10);
/// How long a key of the user's delegation is asked for; the service gives up to seven days.
const KEY_LIFE: Duration = Duration::from_secs(48 * 3600);
/// A key that lives no longer than this beyond a signature is not used for it any more.
const KEY_REST: Duration = Duration::from_secs(30 * 60);

/// Signs URLs; holds the key of the user's delegation.
#[derive(Default)]
pub(crate) struct Signatures {
    key: Mutex<Option<(DelegationKey, SystemTime)>>,
}

impl std::fmt::Debug for Signatures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signatures").finish_non_exhaustive()
    }
}

impl Signatures {
    /// A URL to read the blob by; `None` for other methods, and where requests are authorised by a
    /// signature that was given, which is nobody else's.
    pub(crate) async fn url(
        &self,
        client: &Client,
        key: &str,
        request: &RedirectRequest,
    ) -> StoreResult<Option<Url>> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Ok(None);
        }
        let now = SystemTime::now();
        let credentials = &client.service.credentials;
        let (secret, delegation) = if let Some(secret) = credentials.signing_key() {
            (secret, None)
        } else if credentials.has_tokens() {
            let delegation = self.delegation(client, now, request.expiry).await?;
            let secret = BASE64_STANDARD.decode(&delegation.value).map_err(|error| {
                let reason = "the key of the user's delegation is not base64";
                StoreError::failed(ErrorKind::Backend, reason).with_source(error)
            })?;
            (secret, Some(delegation))
        } else {
            return Ok(None);
        };
        let signature = Signature {
            start: time(now - EARLIER)?,
            expiry: time(now + request.expiry)?,
            resource: client.location.canonical(key),
            protocol: if client.location.is_https() { "https" } else { "https,http" },
        };
        let query = signature.query(&secret, delegation.as_ref());
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(Some(with_query(client.location.blob(key)?, &query)))
    }

    async fn delegation(
        &self,
        client: &Client,
        now: SystemTime,
        life: Duration,
    ) -> StoreResult<DelegationKey> {
        let mut held = self.key.lock().await;
        if let Some((key, expiry)) = &*held
            && now + life + KEY_REST <= *expiry
        {
            return Ok(key.clone());
        }
        let wanted = now + KEY_LIFE.max(life + KEY_REST);
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyInfo><Start>{}</Start><Expiry>{}</Expiry></KeyInfo>",
            time(now - EARLIER)?,
            time(wanted)?
        );
        let url = client.location.service_url(&[("restype", "service"), ("comp", "userdelegationkey")])?;
        let request = client.request("GetUserDelegationKey", Method::POST, url, body.into())?;
        let key = client
            .send(&request, SMALL, |_, body| {
                xml::delegation_key(&body)
                    .map_err(|reason| Refusal::unreadable(format!("a key with {reason}")))
            })
            .await?;
        // The service may give less than was asked for.
        let expiry = key.expiry.parse::<Timestamp>().map_or(wanted, SystemTime::from);
        *held = Some((key.clone(), expiry));
        Ok(key)
    }
}

/// A signature to read one blob, before it is signed.
struct Signature {
    start: String,
    expiry: String,
    resource: String,
    protocol: &'static str,
}

impl Signature {
    /// The query that authorises; the fields and their order are those of
    /// <https://learn.microsoft.com/rest/api/storageservices/create-service-sas> and
    /// <https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas>.
    fn query(&self, secret: &[u8], key: Option<&DelegationKey>) -> Vec<(&'static str, String)> {
        let mut fields = vec!["r", &self.start, &self.expiry, &self.resource];
        match key {
            // The policy that it belongs to.
            None => fields.push(""),
            Some(key) => {
                fields.extend(
                    [&key.object, &key.tenant, &key.start, &key.expiry, &key.service, &key.version]
                        .map(String::as_str),
                );
                // On behalf of whom, and a name for the log.
                fields.extend(["", "", ""]);
            }
        }
        // Addresses; then, after the kind of resource: snapshot, encryption scope, and the headers
        // of the reply.
        fields.extend(["", self.protocol, VERSION, "b", "", "", "", "", "", "", ""]);
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), fields.join("\n").as_bytes());
        let mut query = vec![
            ("sv", VERSION.to_owned()),
            ("sr", "b".to_owned()),
            ("sp", "r".to_owned()),
            ("st", self.start.clone()),
            ("se", self.expiry.clone()),
            ("spr", self.protocol.to_owned()),
        ];
        if let Some(key) = key {
            let fields = [
                ("skoid", &key.object),
                ("sktid", &key.tenant),
                ("skt", &key.start),
                ("ske", &key.expiry),
                ("sks", &key.service),
                ("skv", &key.version),
            ];
            query.extend(fields.map(|(name, value)| (name, value.clone())));
        }
        query.push(("sig", BASE64_STANDARD.encode(signed)));
        query
    }
}

fn time(time: SystemTime) -> StoreResult<String> {
    let time = Timestamp::try_from(time).map_err(|error| {
        StoreError::failed(ErrorKind::Unsupported, "a URL cannot be valid for that long").with_source(error)
    })?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
