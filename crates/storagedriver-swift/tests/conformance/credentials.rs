//! The other ways to prove who one is, on Keystone.

use serde_json::json;
use storagedriver::{ErrorKind, Secret};
use storagedriver_swift::SwiftParameters;
use storagedriver_testsuites::{Checked, Outcome};

use crate::admin::Admin;
use crate::given::{Kind, kind, open, parameters};
use crate::own_case;

const SECRET: &str = "a secret of its own";

fn without_keystone(parameters: &SwiftParameters) -> Option<Outcome> {
    (kind(parameters) != Kind::Keystone).then(|| Outcome::Skip("the server has no Keystone".to_owned()))
}

/// Writes and reads.
async fn works(parameters: &SwiftParameters, what: &str) {
    let storage = open(parameters, 3);
    storage.put_content("/file", "content").await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(storage.get_content("/file").await.unwrap(), "content", "{what}");
    assert_eq!(storage.list("/").await.unwrap().len(), 1, "{what}");
}

/// Without anybody's name.
fn nobody(parameters: &SwiftParameters) -> SwiftParameters {
    let mut parameters = parameters.clone();
    (parameters.username, parameters.password) = (None, None);
    (parameters.tenant, parameters.domain) = (None, None);
    parameters
}

#[test]
fn application_credentials() -> Checked {
    own_case("an application credential, by id and by name", async {
        let given = parameters();
        if let Some(skipped) = without_keystone(&given) {
            return skipped;
        }
        let admin = Admin::new(&given).await;
        let name = format!("credential-{}", std::process::id());
        let body = json!({"application_credential": {
            "name": name, "secret": SECRET, "roles": [{"name": "member"}],
        }});
        let path = format!("/users/{}/application_credentials", admin.id("user"));
        let made = admin.identity(&path, &body).await;

        let mut by_id = nobody(&given);
        by_id.applicationcredentialid = made["application_credential"]["id"].as_str().map(str::to_owned);
        by_id.applicationcredentialsecret = Some(Secret::new(SECRET));
        works(&by_id, "by id").await;
        let mut by_name = nobody(&given);
        by_name.username.clone_from(&given.username);
        by_name.applicationcredentialname = Some(name);
        by_name.applicationcredentialsecret = Some(Secret::new(SECRET));
        works(&by_name, "by name, the domain being the default").await;
        by_name.domain.clone_from(&given.domain);
        works(&by_name, "by name").await;

        by_id.applicationcredentialsecret = Some(Secret::new("another"));
        let error = open(&by_id, 1).get_content("/file").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert!(error.to_string().contains("application credential"), "{error}");
        Outcome::Pass
    })
}

#[test]
fn trusts() -> Checked {
    own_case("a trust in place of a project", async {
        let given = parameters();
        if let Some(skipped) = without_keystone(&given) {
            return skipped;
        }
        let admin = Admin::new(&given).await;
        let name = format!("trustee-{}", std::process::id());
        let user = json!({"user": {"name": name, "password": SECRET, "domain_id": "default"}});
        let trustee = admin.identity("/users", &user).await;
        let trust = json!({"trust": {
            "trustor_user_id": admin.id("user"), "trustee_user_id": trustee["user"]["id"],
            "project_id": admin.id("project"), "impersonation": true, "roles": [{"name": "admin"}],
        }});
        let trust = admin.identity("/OS-TRUST/trusts", &trust).await;

        let mut trusted = given.clone();
        trusted.username = Some(name);
        trusted.password = Some(Secret::new(SECRET));
        trusted.tenant = None;
        let error = open(&trusted, 1).get_content("/file").await.unwrap_err();
        assert!(error.to_string().contains("has a project"), "{error}");
        trusted.trustid = trust["trust"]["id"].as_str().map(str::to_owned);
        works(&trusted, "a trust").await;
        Outcome::Pass
    })
}

/// What the catalogue has to offer, and what it has not.
#[test]
fn scopes_and_endpoints() -> Checked {
    own_case("projects, domains, regions and endpoints of Keystone", async {
        let given = parameters();
        if let Some(skipped) = without_keystone(&given) {
            return skipped;
        }
        let admin = Admin::new(&given).await;
        let mut by_id = given.clone();
        (by_id.tenant, by_id.tenantid) = (None, Some(admin.id("project").to_owned()));
        (by_id.domain, by_id.domainid) = (None, Some("default".to_owned()));
        by_id.endpointtype = "internal";
        works(&by_id, "ids, and the internal endpoint").await;
        let mut detected = given.clone();
        (detected.region, detected.tenantdomain) = (None, Some("Default".to_owned()));
        works(&detected, "the first region").await;
        for (parameter, change) in [
            ("region", (|given| given.region = Some("nowhere".to_owned())) as fn(&mut SwiftParameters)),
            ("endpointtype", |given| given.endpointtype = "admin"),
        ] {
            let mut wrong = given.clone();
            change(&mut wrong);
            let error = open(&wrong, 1).get_content("/file").await.unwrap_err();
            assert!(error.to_string().contains(parameter), "{error}");
        }
        let mut wrong = given.clone();
        wrong.password = Some(Secret::new("wrong"));
        let error = open(&wrong, 1).get_content("/file").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
        Outcome::Pass
    })
}
