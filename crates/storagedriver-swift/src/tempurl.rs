//! Temporary URLs: <https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html>.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, RedirectRequest, Secret};
use storagedriver_object::http::{HeaderName, Method, Request};
use storagedriver_object::{StoreError, StoreResult};
use tokio::sync::OnceCell;

use crate::SwiftParameters;
use crate::client::{Client, decode};
use crate::cluster::Cluster;
use crate::layout::new_id;
use crate::uploads::hex;

/// How temporary URLs are to be signed.
#[derive(Debug)]
pub(crate) struct TempUrls {
    configured: Option<Secret>,
    /// Goes before signatures, for clouds in the manner of HP's: project and access key.
    hp: Option<String>,
    /// What is assumed of a cluster that does not tell.
    container_key: bool,
    methods: Vec<String>,
    /// The key that is used; `None` if there is none to be had.
    key: OnceCell<Option<Secret>>,
}

/// Where keys are kept.
struct Keeper {
    kind: &'static str,
    names: [HeaderName; 2],
}

const KEEPERS: [(&str, [&str; 2]); 2] = [
    ("container", ["x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2"]),
    ("account", ["x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"]),
];

impl TempUrls {
    pub(crate) fn new(parameters: &SwiftParameters) -> Self {
        let project = parameters.tenantid.as_deref().unwrap_or_default();
        TempUrls {
            configured: parameters.secretkey.clone(),
            hp: parameters.accesskey.as_ref().map(|key| format!("{project}:{key}:")),
            container_key: parameters.tempurlcontainerkey,
            methods: parameters.tempurlmethods.clone().unwrap_or_default(),
            key: OnceCell::new(),
        }
    }
}

impl Client {
    /// A URL for `GET` and `HEAD`; `None` for other methods, and where the cluster has none or no key can be had.
    pub(crate) async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        let cluster = self.cluster().await?;
        // One that is signed for GET is good for HEAD.
        let methods = match &cluster.temp_url_methods {
            Some(methods) => methods.as_slice(),
            None if cluster.is_known => &[],
            None => &self.temp_urls.methods,
        };
        let has = |method: &str| methods.iter().any(|known| known.eq_ignore_ascii_case(method));
        if !matches!(request.method.as_str(), "GET" | "HEAD") || !has("GET") {
            return Ok(None);
        }
        let secret = self.temp_urls.key.get_or_try_init(|| self.find_key(cluster)).await?;
        let Some(secret) = secret else { return Ok(None) };
        let url = self.url(key, &[]).await?;
        let expires = SystemTime::now() + request.expiry.max(Duration::from_secs(1));
        let expires = expires.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Some(self.signed(url, secret, expires, cluster.has_sha256)))
    }

    fn signed(&self, mut url: Url, secret: &Secret, expires: u64, has_sha256: bool) -> Url {
        // HP's clouds know no other digest.
        let algorithm = if has_sha256 && self.temp_urls.hp.is_none() {
            hmac::HMAC_SHA256
        } else {
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY
        };
        let text = format!("GET\n{expires}\n{}", decode(url.path()));
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret.reveal().as_bytes()), text.as_bytes());
        let before = self.temp_urls.hp.as_deref().unwrap_or_default();
        url.set_query(Some(&format!(
            "temp_url_sig={before}{}&temp_url_expires={expires}",
            hex(tag.as_ref())
        )));
        url
    }

    /// The key that is configured, made known to the cluster if it is not; else one that is there; else a new one. A key
    /// that is there is never replaced.
    async fn find_key(&self, cluster: &Cluster) -> StoreResult<Option<Secret>> {
        let by_container =
            if cluster.is_known { cluster.has_container_keys } else { self.temp_urls.container_key };
        let [container, account] =
            KEEPERS.map(|(kind, names)| Keeper { kind, names: names.map(HeaderName::from_static) });
        let keeper = if by_container { &container } else { &account };
        let mut known = self.keys(keeper).await?;
        if let Some(configured) = &self.temp_urls.configured {
            return self.make_known(keeper, known, configured).await;
        }
        let first = |keys: &[Option<String>; 2]| keys.iter().flatten().next().map(Secret::new);
        if let Some(found) = known.as_ref().and_then(first) {
            return Ok(Some(found));
        }
        if by_container && let Some(found) = self.keys(&account).await?.as_ref().and_then(first) {
            return Ok(Some(found));
        }
        if known.is_none() || !self.set_key(keeper, 0, &new_id()?).await? {
            return Ok(None);
        }
        // Of several that did this at once, the last one's is there.
        known = self.keys(keeper).await?;
        Ok(known.as_ref().and_then(first))
    }

    async fn make_known(
        &self,
        keeper: &Keeper,
        known: Option<[Option<String>; 2]>,
        configured: &Secret,
    ) -> StoreResult<Option<Secret>> {
        // Who may not see keys has been given one that is good.
        let Some(known) = known else { return Ok(Some(configured.clone())) };
        if known.iter().flatten().any(|key| key == configured.reveal()) {
            return Ok(Some(configured.clone()));
        }
        match known.iter().position(Option::is_none) {
            Some(free) => {
                self.set_key(keeper, free, configured.reveal()).await?;
                Ok(Some(configured.clone()))
            }
            None => {
                tracing::warn!(
                    container = self.container(),
                    "both keys of temporary URLs are others than `secretkey`: there are no redirects; remove one of them"
                );
                Ok(None)
            }
        }
    }

    async fn keeper_url(&self, keeper: &Keeper) -> StoreResult<Url> {
        let path = if keeper.kind == "container" { self.path("") } else { String::new() };
        self.account_url(&path, &[]).await
    }

    /// The keys that are there; `None` if the user may not ask.
    async fn keys(&self, keeper: &Keeper) -> StoreResult<Option<[Option<String>; 2]>> {
        let request = Request::new("HEAD keys", Method::HEAD, self.keeper_url(keeper).await?);
        let asked = self.exchange(&request, |head, _| {
            Ok([0, 1].map(|number| {
                let name = keeper.names.get(number)?;
                head.header(name).filter(|key| !key.is_empty()).map(str::to_owned)
            }))
        });
        match asked.await {
            Ok(keys) => Ok(Some(keys)),
            Err(error) if is_refused(&error) => Ok(None),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets a key; `false` if the user may not.
    async fn set_key(&self, keeper: &Keeper, number: usize, key: &str) -> StoreResult<bool> {
        let Some(name) = keeper.names.get(number) else { return Ok(false) };
        let request = Request::new("POST key", Method::POST, self.keeper_url(keeper).await?)
            .header(name.clone(), key)?;
        match self.exchange(&request, |_, _| Ok(())).await {
            Ok(()) => Ok(true),
            Err(error) if is_refused(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_refused(error: &StoreError) -> bool {
    matches!(error, StoreError::Failed(failure)
        if matches!(failure.kind(), ErrorKind::PermissionDenied | ErrorKind::Unauthenticated))
}
