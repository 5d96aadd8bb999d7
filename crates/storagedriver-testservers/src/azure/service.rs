//! Which request is which operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};

use super::authorise::{Proof, authorise};
use super::conditions::container;
use super::copies::Pending;
use super::options::{AzureOptions, CopyRule};
use super::place::Place;
use super::refusal::{Answer, AzureRefusal, Refused};
use super::{DELEGATION_KEY, OBJECT_ID, TENANT_ID};
use crate::call::{Call, Outgoing};
use crate::store::Store;
use crate::xml;

/// The version of the interface in which a listing can start at a name.
pub(super) const START_FROM_VERSION: &str = "2026-02-06";

/// The containers, the rules, and the copies that are pending.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) options: AzureOptions,
    pub(super) refusal: Mutex<Option<AzureRefusal>>,
    pub(super) copies: Mutex<CopyRule>,
    pub(super) pending: Mutex<BTreeMap<(String, String), Pending>>,
}

impl Service {
    /// Locked after the store, never before it.
    pub(super) fn pending(&self) -> MutexGuard<'_, BTreeMap<(String, String), Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn request_id(&self) -> String {
        format!("{:08x}-001e-0000-0000-{:012x}", 0x5E59_A000_u32, self.store.lock().number())
    }

    pub(super) fn answer(&self, call: &Call) -> Outgoing {
        let id = self.request_id();
        let reply = self.handle(call).unwrap_or_else(|refused| refused.outgoing(&id));
        let version = call.header("x-ms-version").unwrap_or("2009-09-19");
        reply
            .with("x-ms-request-id", id)
            .with("x-ms-version", version)
            .with("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
    }

    fn handle(&self, call: &Call) -> Answer {
        if call.path.ends_with("/oauth2/v2.0/token") || call.path.ends_with("/oauth2/token") {
            return Ok(self.token());
        }
        if let Some(refusal) = *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(refusal.refused());
        }
        let place = Place::of(&call.path);
        let proof = authorise(call, &place, &self.options.token)?;
        if call.header("x-ms-version").is_some_and(|version| version > self.options.newest_version.as_str()) {
            return Err(Refused::header("x-ms-version"));
        }
        match (call.parameter("restype"), call.parameter("comp")) {
            (Some("service"), Some("userdelegationkey")) => self.delegation_key(call, proof),
            (Some("account"), Some("properties")) => Ok(self.account()),
            (_, Some("batch")) => self.batch(call),
            (Some("container"), comp) => self.container(call, &place, comp),
            (None, comp) if !place.blob.is_empty() => self.blob(call, &place, comp),
            _ => Err(Refused::parameter("restype")),
        }
    }

    fn container(&self, call: &Call, place: &Place, comp: Option<&str>) -> Answer {
        match (&call.method, comp) {
            (&Method::GET, Some("list")) => self.list(call, place),
            (&Method::GET | &Method::HEAD, None | Some("metadata")) => {
                container(&mut self.store.lock(), &place.container)?;
                Ok(Outgoing::ok().with("etag", "\"0x8DD0\""))
            }
            (&Method::PUT, None) => {
                if container(&mut self.store.lock(), &place.container).is_ok() {
                    let message = "The specified container already exists.";
                    return Err(Refused::conflict("ContainerAlreadyExists", message));
                }
                self.store.create_bucket(&place.container);
                Ok(Outgoing::new(StatusCode::CREATED).with("etag", "\"0x8DD0\""))
            }
            _ => Err(Refused::not_implemented()),
        }
    }

    fn blob(&self, call: &Call, place: &Place, comp: Option<&str>) -> Answer {
        match (&call.method, comp) {
            (&Method::GET | &Method::HEAD, None | Some("metadata")) => self.get_blob(call, place),
            (&Method::GET, Some("blocklist")) => self.get_block_list(call, place),
            (&Method::DELETE, None) => self.delete_blob(call, place),
            (&Method::PUT, None) if call.headers.contains_key("x-ms-copy-source") => {
                self.copy_blob(call, place)
            }
            (&Method::PUT, None) => self.put_blob(call, place),
            (&Method::PUT, Some("block")) => self.put_block(call, place),
            (&Method::PUT, Some("blocklist")) => self.put_block_list(call, place),
            (&Method::PUT, Some("appendblock")) => self.append_block(call, place),
            (&Method::PUT, Some("metadata")) => self.set_metadata(call, place),
            (&Method::PUT, Some("copy")) => self.abort_copy(call, place),
            _ => Err(Refused::not_implemented()),
        }
    }

    /// What a token service answers, for credentials that fetch their token here.
    fn token(&self) -> Outgoing {
        let token = &self.options.token;
        let expires = jiff::Timestamp::now().as_second().saturating_add(3600);
        let text = format!(
            "{{\"token_type\":\"Bearer\",\"expires_in\":3600,\"expires_on\":\"{expires}\",\"access_token\":\"{token}\"}}"
        );
        Outgoing::ok().text("application/json", text)
    }

    fn account(&self) -> Outgoing {
        let hierarchical = if self.options.hierarchical { "true" } else { "false" };
        Outgoing::ok()
            .with("x-ms-sku-name", "Standard_LRS")
            .with("x-ms-account-kind", "StorageV2")
            .with("x-ms-is-hns-enabled", hierarchical)
    }

    /// The key for signatures in the name of a user: only whoever has a token gets it.
    fn delegation_key(&self, call: &Call, proof: Proof) -> Answer {
        if proof != Proof::Token {
            return Err(Refused::authentication("Only authentication scheme Bearer is supported"));
        }
        let text = std::str::from_utf8(&call.body).unwrap_or_default();
        let between = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            rest.split_once("</").map(|(value, _)| value.trim().to_owned())
        };
        let (Some(start), Some(expiry)) = (between("Start"), between("Expiry")) else {
            return Err(Refused::bad("InvalidXmlDocument", "XML specified is not syntactically valid."));
        };
        let version = call.header("x-ms-version").unwrap_or_default();
        let fields = [
            ("SignedOid", OBJECT_ID),
            ("SignedTid", TENANT_ID),
            ("SignedStart", &start),
            ("SignedExpiry", &expiry),
            ("SignedService", "b"),
            ("SignedVersion", version),
            ("Value", DELEGATION_KEY),
        ];
        let text: String = fields.iter().map(|(name, value)| xml::element(name, value)).collect();
        Ok(Outgoing::ok().xml(&format!("<UserDelegationKey>{text}</UserDelegationKey>")))
    }
}
