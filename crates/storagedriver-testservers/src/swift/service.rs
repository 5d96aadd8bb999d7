//! Which request is which operation, and who may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use serde_json::json;

use super::options::SwiftOptions;
use super::refusal::{Answer, Refused, SwiftRefusal};
use crate::call::{Call, Outgoing};
use crate::store::{Store, StoredObject};
use crate::uri;

/// The account.
pub(super) const ACCOUNT: &str = "/v1/AUTH_test";

type Objects = BTreeMap<String, StoredObject>;
/// The first and the second key of temporary URLs.
pub(super) type Keys = [Option<String>; 2];

/// The containers, the rules, and what is known of clients.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) options: SwiftOptions,
    pub(super) refusal: Mutex<Option<SwiftRefusal>>,
    tokens: Mutex<BTreeSet<String>>,
    /// What listings show, if that is not what there is.
    frozen: Mutex<Option<BTreeMap<String, Objects>>>,
    /// By container; that of the account by the empty name.
    keys: Mutex<BTreeMap<String, Keys>>,
}

/// What a path names.
pub(super) struct Place {
    pub(super) container: String,
    pub(super) key: String,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub(super) fn new(options: SwiftOptions) -> Self {
        Service {
            store: Store::new(options.containers.iter().map(String::as_str)),
            options,
            refusal: Mutex::default(),
            tokens: Mutex::default(),
            frozen: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, BTreeSet<String>> {
        locked(&self.tokens)
    }

    pub(super) fn freeze(&self, frozen: bool) {
        let shown = frozen.then(|| {
            let state = self.store.lock();
            state.buckets.iter().map(|(name, bucket)| (name.clone(), bucket.objects.clone())).collect()
        });
        *locked(&self.frozen) = shown;
    }

    /// What listings show of a container.
    pub(super) fn listed(&self, container: &str) -> Option<Objects> {
        if let Some(frozen) = &*locked(&self.frozen) {
            return frozen.get(container).cloned();
        }
        self.store.lock().buckets.get(container).map(|found| found.objects.clone())
    }

    pub(super) fn keys_of(&self, container: &str) -> Keys {
        locked(&self.keys).get(container).cloned().unwrap_or_default()
    }

    pub(super) fn set_keys(&self, container: Option<&str>, keys: [Option<&str>; 2]) {
        let keys = keys.map(|key| key.map(str::to_owned));
        locked(&self.keys).insert(container.unwrap_or_default().to_owned(), keys);
    }

    pub(super) fn answer(&self, call: &Call) -> Outgoing {
        let id = format!("tx{:021}-0000000000", self.store.lock().number());
        let reply = self.route(call).unwrap_or_else(|refused| refused.outgoing());
        reply.with("x-trans-id", &id).with("x-openstack-request-id", &id).with("date", now())
    }

    fn route(&self, call: &Call) -> Answer {
        if let Some(answer) = self.identity(call) {
            return answer;
        }
        if call.path == "/info" {
            return if self.options.info { Ok(self.info()) } else { Err(Refused::not_found()) };
        }
        let Some(rest) = call.path.strip_prefix(ACCOUNT) else { return Err(Refused::not_found()) };
        let (container, key) =
            rest.trim_start_matches('/').split_once('/').unwrap_or((rest.trim_matches('/'), ""));
        let place = Place { container: uri::decode(container), key: uri::decode(key) };
        if let Some(refusal) = *locked(&self.refusal) {
            return Err(refusal.refused());
        }
        self.admit(call, &place)?;
        if call.raw_parameter("bulk-delete").is_some() {
            return self.bulk_delete(call);
        }
        match (place.container.is_empty(), place.key.is_empty()) {
            (true, _) => self.account(call),
            (false, true) => self.container(call, &place.container),
            (false, false) => self.object(call, &place),
        }
    }

    fn admit(&self, call: &Call, place: &Place) -> Answer<()> {
        if call.parameter("temp_url_sig").is_some() {
            return self.check_temp_url(call, place);
        }
        let token = call.header("x-auth-token").ok_or_else(Refused::unauthorized)?;
        if !self.tokens().contains(token) {
            return Err(Refused::unauthorized());
        }
        let uses_objects = !place.container.is_empty()
            && (!place.key.is_empty() || matches!(call.method, Method::GET | Method::HEAD));
        let is_bulk = call.raw_parameter("bulk-delete").is_some();
        if self.options.owner || uses_objects || is_bulk { Ok(()) } else { Err(Refused::forbidden()) }
    }

    fn info(&self) -> Outgoing {
        let mut info = json!({
            "swift": {"version": "2.35.0", "container_listing_limit": self.options.page_size},
        });
        let mut tell = |name: &str, value| {
            if let Some(fields) = info.as_object_mut() {
                fields.insert(name.to_owned(), value);
            }
        };
        if self.options.static_large_objects {
            tell("slo", json!({"max_manifest_segments": 1000, "min_segment_size": 1}));
        }
        if self.options.bulk_delete {
            tell("bulk_delete", json!({"max_deletes_per_request": self.options.bulk_delete_limit}));
        }
        let mut tempurl = json!({"methods": ["GET", "HEAD", "PUT", "POST", "DELETE"]});
        if let Some(fields) = tempurl.as_object_mut()
            && !self.options.temp_url_digests.is_empty()
        {
            fields.insert("allowed_digests".to_owned(), json!(self.options.temp_url_digests));
        }
        tell("tempurl", tempurl);
        Outgoing::ok().text("application/json; charset=UTF-8", info.to_string())
    }

    fn account(&self, call: &Call) -> Answer {
        match call.method {
            Method::GET | Method::HEAD => {
                Ok(self.with_keys(Outgoing::new(StatusCode::NO_CONTENT), "", "account"))
            }
            Method::POST => {
                self.take_keys(call, "", "account");
                Ok(Outgoing::new(StatusCode::NO_CONTENT))
            }
            _ => Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed.")),
        }
    }

    /// Tells the keys to those who may know them.
    pub(super) fn with_keys(&self, mut reply: Outgoing, container: &str, kind: &str) -> Outgoing {
        if self.options.owner {
            for (key, suffix) in self.keys_of(container).iter().zip(["", "-2"]) {
                if let Some(key) = key {
                    reply = reply.with(&format!("x-{kind}-meta-temp-url-key{suffix}"), key);
                }
            }
        }
        reply
    }

    pub(super) fn take_keys(&self, call: &Call, container: &str, kind: &str) {
        let mut keys = self.keys_of(container);
        for (key, suffix) in keys.iter_mut().zip(["", "-2"]) {
            if let Some(given) = call.header(&format!("x-{kind}-meta-temp-url-key{suffix}")) {
                *key = Some(given.to_owned()).filter(|given| !given.is_empty());
            }
        }
        locked(&self.keys).insert(container.to_owned(), keys);
    }
}

fn now() -> String {
    crate::call::http_date(std::time::SystemTime::now())
}
