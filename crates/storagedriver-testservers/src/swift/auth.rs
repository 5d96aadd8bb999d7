//! The identity APIs: version 1 of Swift itself, versions 2 and 3 of Keystone.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::refusal::{Answer, Refused};
use super::service::{ACCOUNT, Service};
use crate::call::{Call, Outgoing};

const USER: &str = "tester";
const PASSWORD: &str = "testing";
/// Where endpoints that nobody should take lead to.
const NOWHERE: &str = "http://127.0.0.1:9/nowhere";

impl Service {
    /// The answer to a request of an identity API; `None` if it is not one.
    pub(super) fn identity(&self, call: &Call) -> Option<Answer> {
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/auth/v1.0") => Some(self.version_1(call)),
            (&Method::POST, "/v2.0/tokens") => Some(self.version_2(call)),
            (&Method::POST, "/v3/auth/tokens") => Some(self.version_3(call)),
            _ => None,
        }
    }

    fn token(&self) -> String {
        let token = format!("AUTH_tk{:08}", self.store.lock().number());
        self.tokens().insert(token.clone());
        token
    }

    fn version_1(&self, call: &Call) -> Answer {
        let given = (call.header("x-auth-user"), call.header("x-auth-key"));
        if given != (Some("test:tester"), Some(PASSWORD)) {
            return Err(Refused::unauthorized());
        }
        let token = self.token();
        Ok(Outgoing::ok()
            .with("x-storage-url", storage(call))
            .with("x-auth-token", &token)
            .with("x-storage-token", &token))
    }

    fn version_2(&self, call: &Call) -> Answer {
        let body = body(call)?;
        let credentials = at(&body, "/auth/passwordCredentials");
        let tenant = at(&body, "/auth/tenantName") == "test" || at(&body, "/auth/tenantId") == "p1";
        if at(credentials, "/username") != USER || at(credentials, "/password") != PASSWORD || !tenant {
            return Err(Refused::unauthorized());
        }
        let endpoints: Vec<Value> = self
            .options
            .regions
            .iter()
            .zip(0..)
            .map(|(region, number)| {
                let url = if number == 0 { storage(call) } else { NOWHERE.to_owned() };
                json!({"region": region, "publicURL": url, "internalURL": url, "adminURL": NOWHERE})
            })
            .collect();
        let access = json!({"access": {
            "token": {"id": self.token(), "expires": "2100-01-01T00:00:00Z"},
            "serviceCatalog": [
                {"type": "identity", "endpoints": [{"region": "RegionOne", "publicURL": NOWHERE}]},
                {"type": "object-store", "endpoints": endpoints},
            ],
        }});
        Ok(Outgoing::ok().text("application/json", access.to_string()))
    }

    fn version_3(&self, call: &Call) -> Answer {
        let body = body(call)?;
        let (identity, scope) = (at(&body, "/auth/identity"), at(&body, "/auth/scope"));
        let known = match at(identity, "/methods/0").as_str() {
            Some("password") => is_user(at(identity, "/password/user")) && is_scope(scope),
            Some("application_credential") => {
                let given = at(identity, "/application_credential");
                let named = at(given, "/id") == "ac1"
                    || (at(given, "/name") == "app" && is_named(at(given, "/user"), true));
                // Such a credential has its scope in itself.
                named && at(given, "/secret") == "appsecret" && scope.is_null()
            }
            _ => false,
        };
        if !known {
            return Err(Refused::unauthorized());
        }
        let mut endpoints = Vec::new();
        for (region, number) in self.options.regions.iter().zip(0..) {
            for interface in ["admin", "internal", "public"] {
                let leads = number == 0 && interface != "admin";
                let url = if leads { storage(call) } else { NOWHERE.to_owned() };
                endpoints
                    .push(json!({"region": region, "region_id": region, "interface": interface, "url": url}));
            }
        }
        let token = json!({"token": {
            "expires_at": "2100-01-01T00:00:00.000000Z",
            "catalog": [{"type": "object-store", "name": "swift", "endpoints": endpoints}],
        }});
        let reply = Outgoing::new(StatusCode::CREATED).text("application/json", token.to_string());
        Ok(reply.with("x-subject-token", self.token()))
    }
}

fn body(call: &Call) -> Answer<Value> {
    serde_json::from_slice(&call.body).map_err(|_| Refused::bad("Malformed request"))
}

fn is_user(user: &Value) -> bool {
    is_named(user, false) && at(user, "/password") == PASSWORD
}

/// Whether a user is named by its id, or by its name and domain.
fn is_named(user: &Value, needs_domain: bool) -> bool {
    let domain = at(user, "/domain");
    let in_domain = at(domain, "/name") == "Default"
        || at(domain, "/id") == "default"
        || (domain.is_null() && !needs_domain);
    at(user, "/id") == "u1" || (at(user, "/name") == USER && in_domain)
}

fn is_scope(scope: &Value) -> bool {
    let project = at(scope, "/project");
    let domain = at(project, "/domain");
    at(scope, "/OS-TRUST:trust/id") == "t1"
        || at(project, "/id") == "p1"
        || (at(project, "/name") == "test"
            && (at(domain, "/name") == "Default" || at(domain, "/id") == "default"))
}

/// The account, at the address that the client has asked.
fn storage(call: &Call) -> String {
    format!("http://{}{ACCOUNT}", call.header("host").unwrap_or_default())
}

/// A value inside another; null if it is not there.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}
