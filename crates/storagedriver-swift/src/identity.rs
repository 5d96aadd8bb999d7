//! The identity API, versions 1, 2 and 3: what is asked, and what is read off the answer.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use storagedriver::url::Url;
use storagedriver::{Result, Secret};
use storagedriver_object::StoreResult;
use storagedriver_object::http::{HeaderName, Method, Refusal, ReplyHead, Request, header};

use crate::SwiftParameters;
use crate::parameters::invalid;

const AUTH_USER: HeaderName = HeaderName::from_static("x-auth-user");
const AUTH_KEY: HeaderName = HeaderName::from_static("x-auth-key");
const JSON: &str = "application/json";

/// A token, and where it is good.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) token: String,
    /// The account: every container lies below it.
    pub(crate) storage: Url,
}

/// Who asks, and for what.
pub(crate) struct Identity {
    parameters: SwiftParameters,
    version: i64,
    url: Url,
}

/// Without what is secret.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("version", &self.version).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    interface: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default, rename = "publicURL")]
    public: Option<String>,
    #[serde(default, rename = "internalURL")]
    internal: Option<String>,
    #[serde(default, rename = "adminURL")]
    admin: Option<String>,
}

#[derive(Deserialize)]
struct Catalogued {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

impl Identity {
    /// Checks that the parameters are enough for the version of the API that they are for.
    pub(crate) fn new(parameters: &SwiftParameters) -> Result<Self> {
        let url = Url::parse(parameters.authurl.trim_end_matches('/'))
            .map_err(|error| invalid("authurl", format!("is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(invalid("authurl", "is not a URL of http or https with a host"));
        }
        let version = version(parameters)?;
        let by_credential =
            parameters.applicationcredentialid.is_some() || parameters.applicationcredentialname.is_some();
        if by_credential {
            if version != 3 {
                return Err(invalid("applicationcredentialid", "application credentials need version 3"));
            }
            if parameters.applicationcredentialsecret.is_none() {
                return Err(invalid(
                    "applicationcredentialsecret",
                    "is required with an application credential",
                ));
            }
        } else if parameters.password.is_none() && parameters.username.is_some() {
            return Err(invalid("password", "is required"));
        }
        let needs_user = !by_credential || parameters.applicationcredentialid.is_none();
        if needs_user && parameters.username.is_none() {
            return Err(invalid("username", "is required"));
        }
        if parameters.trustid.is_some() && version != 3 {
            return Err(invalid("trustid", "trusts need version 3 of the identity API"));
        }
        Ok(Identity { parameters: parameters.clone(), version, url })
    }

    pub(crate) fn request(&self) -> StoreResult<Request> {
        let user = self.parameters.username.as_deref().unwrap_or_default();
        match self.version {
            1 => Request::new("authentication (v1)", Method::GET, self.url.clone())
                .header(AUTH_USER, user)?
                .header(AUTH_KEY, reveal(self.parameters.password.as_ref())),
            2 => self.post("authentication (v2)", "/tokens", &self.version_2(user)),
            _ => self.post("authentication (v3)", "/auth/tokens", &self.version_3(user)),
        }
    }

    fn post(&self, what: &'static str, path: &str, body: &Value) -> StoreResult<Request> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let request = Request::new(what, Method::POST, url).header(header::CONTENT_TYPE, JSON)?;
        Ok(request.header(header::ACCEPT, JSON)?.body(body.to_string()))
    }

    fn version_2(&self, user: &str) -> Value {
        let password = reveal(self.parameters.password.as_ref());
        let mut auth = json!({"passwordCredentials": {"username": user, "password": password}});
        let project = [("tenantId", &self.parameters.tenantid), ("tenantName", &self.parameters.tenant)];
        set_first(&mut auth, project);
        json!({ "auth": auth })
    }

    fn version_3(&self, user: &str) -> Value {
        let given = &self.parameters;
        let mut person = json!({ "name": user });
        let domain = domain(&given.domain, &given.domainid);
        if let Some(domain) = &domain {
            set(&mut person, "domain", domain.clone());
        }
        if given.applicationcredentialid.is_some() || given.applicationcredentialname.is_some() {
            let mut credential = json!({"secret": reveal(given.applicationcredentialsecret.as_ref())});
            let names = [("id", &given.applicationcredentialid), ("name", &given.applicationcredentialname)];
            set_first(&mut credential, names);
            if given.applicationcredentialid.is_none() {
                // A name is one of a user's.
                if domain.is_none() {
                    set(&mut person, "domain", json!({"name": "Default"}));
                }
                set(&mut credential, "user", person);
            }
            // Its scope is in the credential.
            let identity =
                json!({"methods": ["application_credential"], "application_credential": credential});
            return json!({"auth": {"identity": identity}});
        }
        set(&mut person, "password", Value::from(reveal(given.password.as_ref())));
        let identity = json!({"methods": ["password"], "password": {"user": person}});
        let mut auth = json!({ "identity": identity });
        if let Some(scope) = self.scope() {
            set(&mut auth, "scope", scope);
        }
        json!({ "auth": auth })
    }

    /// In the order of Distribution's driver: the trust, the project's id, its name with its domain.
    fn scope(&self) -> Option<Value> {
        let given = &self.parameters;
        if let Some(id) = &given.trustid {
            return Some(json!({"OS-TRUST:trust": {"id": id}}));
        }
        if let Some(id) = &given.tenantid {
            return Some(json!({"project": {"id": id}}));
        }
        let name = given.tenant.as_ref()?;
        let domain = domain(&given.tenantdomain, &given.tenantdomainid)
            .or_else(|| domain(&given.domain, &given.domainid))
            .unwrap_or_else(|| json!({"name": "Default"}));
        Some(json!({"project": {"name": name, "domain": domain}}))
    }

    /// Reads token and account off an answer.
    pub(crate) fn session(&self, head: &ReplyHead, body: &Bytes) -> std::result::Result<Session, Refusal> {
        let missing = |what: &str| Refusal::unreadable(format!("the answer has no {what}"));
        let (token, storage) = match self.version {
            1 => (
                head.header("x-auth-token").map(str::to_owned),
                head.header("x-storage-url").map(str::to_owned),
            ),
            2 => {
                let answer: Value =
                    serde_json::from_slice(body).map_err(|_| missing("JSON that can be understood"))?;
                let access = answer.get("access").ok_or_else(|| missing("access"))?;
                let token = access.pointer("/token/id").and_then(Value::as_str).map(str::to_owned);
                (token, self.endpoint(access.get("serviceCatalog"))?)
            }
            _ => {
                let answer: Value =
                    serde_json::from_slice(body).map_err(|_| missing("JSON that can be understood"))?;
                let token = head.header("x-subject-token").map(str::to_owned);
                (token, self.endpoint(answer.pointer("/token/catalog"))?)
            }
        };
        let token = token.ok_or_else(|| missing("token"))?;
        let storage = storage.ok_or_else(|| {
            missing(&format!(
                "endpoint of the type object-store for endpointtype {} and region {:?}; check both, and that the \
                 user has a project",
                self.parameters.endpointtype,
                self.parameters.region.as_deref().unwrap_or("any")
            ))
        })?;
        let storage = Url::parse(storage.trim_end_matches('/'))
            .map_err(|error| missing(&format!("URL of the account: {error}")))?;
        Ok(Session { token, storage })
    }

    fn endpoint(&self, catalog: Option<&Value>) -> std::result::Result<Option<String>, Refusal> {
        let catalog = catalog.cloned().unwrap_or(Value::Array(Vec::new()));
        let catalog: Vec<Catalogued> = serde_json::from_value(catalog)
            .map_err(|_| Refusal::unreadable("the catalogue of services cannot be understood"))?;
        let wanted = self.parameters.endpointtype;
        let region = self.parameters.region.as_ref();
        let stores = catalog.into_iter().filter(|service| service.kind == "object-store");
        Ok(stores.flat_map(|service| service.endpoints).find_map(|endpoint| {
            let in_region = region.is_none()
                || endpoint.region.as_ref() == region
                || endpoint.region_id.as_ref() == region;
            let url = match wanted {
                _ if endpoint.interface.as_deref().is_some_and(|interface| interface != wanted) => None,
                _ if endpoint.interface.is_some() => endpoint.url,
                "internal" => endpoint.internal,
                "admin" => endpoint.admin,
                _ => endpoint.public,
            };
            url.filter(|_| in_region)
        }))
    }
}

/// The version that is given, else the one that the URL names.
fn version(parameters: &SwiftParameters) -> Result<i64> {
    if parameters.authversion != 0 {
        return Ok(parameters.authversion);
    }
    let named = [("v3", 3), ("v2", 2), ("v1", 1)];
    let found = named.iter().find(|(name, _)| parameters.authurl.contains(name));
    found.map(|(_, version)| *version).ok_or_else(|| {
        invalid("authversion", "is required: authurl has neither v3, v2 nor v1 in it (give 1, 2 or 3)")
    })
}

fn reveal(secret: Option<&Secret>) -> &str {
    secret.map_or("", Secret::reveal)
}

fn domain(name: &Option<String>, id: &Option<String>) -> Option<Value> {
    match (name, id) {
        (Some(name), _) => Some(json!({ "name": name })),
        (None, Some(id)) => Some(json!({ "id": id })),
        (None, None) => None,
    }
}

fn set(map: &mut Value, name: &str, value: Value) {
    if let Some(map) = map.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

fn set_first(map: &mut Value, choices: [(&str, &Option<String>); 2]) {
    if let Some((name, Some(value))) = choices.into_iter().find(|(_, value)| value.is_some()) {
        set(map, name, Value::from(value.as_str()));
    }
}
