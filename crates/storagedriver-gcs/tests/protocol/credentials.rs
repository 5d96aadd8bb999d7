//! Where tokens come from, and what is said when there is none.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::impatient;
use serde_json::{Value, json as value};
use storagedriver::{ErrorKind, RedirectRequest, Storage};
use storagedriver_gcs::GcsParameters;
use storagedriver_testservers::{Asked, Scripted, ScriptedReply as Reply, json_reply as json};

/// A bucket that has one object, for whoever has this token.
fn bucket(asked: &Asked, token: &str) -> Reply {
    if asked.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {token}")) {
        return json(
            401,
            value!({"error": {"code": 401, "message": "Invalid Credentials",
            "errors": [{"reason": "authError"}]}}),
        );
    }
    let object = value!({"name": "a", "size": "1", "generation": "7", "updated": "2024-01-01T00:00:00Z"});
    json(200, object)
}

fn storage(server: &Scripted, credentials: &Value) -> Storage {
    // They are read when the driver is made.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    std::fs::write(&file, credentials.to_string()).unwrap();
    let mut parameters = GcsParameters::new("bucket");
    parameters.endpoint = server.url("");
    parameters.iamendpoint = server.url("");
    parameters.keyfile = Some(file);
    impatient(&parameters, 2).unwrap()
}

/// The reply of a token service.
fn token(token: &str, seconds: u64) -> Reply {
    json(200, value!({"access_token": token, "expires_in": seconds}))
}

/// The reply to whoever lacks this permission of the IAM service.
fn denied(permission: &str) -> Reply {
    let message = format!("Permission 'iam.serviceAccounts.{permission}' denied");
    json(403, value!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": message}}))
}

/// The fields of a form.
fn form(body: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let url = storagedriver::url::Url::parse(&format!("http://x/?{text}")).unwrap();
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    };
    decode(body)
}

fn field(body: &str, name: &str) -> Option<String> {
    form(body).into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn user(server: &Scripted) -> Value {
    value!({"type": "authorized_user", "client_id": "client", "client_secret": "hush-1", "refresh_token": "hush-2",
        "token_uri": server.url("/token")})
}

/// A service account that the user may speak for.
fn impersonated(server: &Scripted) -> Value {
    let url = server.url("/v1/projects/-/serviceAccounts/x@y.com:generateAccessToken");
    value!({"type": "impersonated_service_account", "service_account_impersonation_url": url,
        "source_credentials": user(server)})
}

#[tokio::test]
async fn the_token_of_a_user_is_refreshed_and_kept() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/token" => token("t1", 3600),
        _ => bucket(asked, "t1"),
    })
    .unwrap();
    let storage = storage(&server, &user(&server));
    assert!(server.asked().is_empty());
    for _ in 0..3 {
        storage.stat("/a").await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 4, "one token for all");
    assert_eq!(field(&asked[0].body, "grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(field(&asked[0].body, "refresh_token").as_deref(), Some("hush-2"));
    assert_eq!(field(&asked[0].body, "client_secret").as_deref(), Some("hush-1"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let tokens = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| match asked.target.as_str() {
        "/token" => token(&format!("t{}", tokens.fetch_add(1, Ordering::Relaxed) + 1), 3600),
        _ => bucket(asked, "t2"),
    })
    .unwrap();
    let storage = storage(&server, &user(&server));
    storage.stat("/a").await.unwrap();
    let targets: Vec<_> = server.asked().into_iter().map(|asked| asked.target == "/token").collect();
    assert_eq!(targets, [true, false, true, false]);
}

#[tokio::test]
async fn a_token_about_to_expire_is_not_used() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/token" => token("t1", 100),
        _ => bucket(asked, "t1"),
    })
    .unwrap();
    let storage = storage(&server, &user(&server));
    storage.stat("/a").await.unwrap();
    storage.stat("/a").await.unwrap();
    assert_eq!(server.asked().len(), 4, "a new one each time");
}

#[tokio::test]
async fn a_refused_refresh_says_what_to_do_and_no_secret() {
    let server = Scripted::start(|_| {
        json(
            400,
            value!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
        )
    })
    .unwrap();
    let storage = storage(&server, &user(&server));
    let error = storage.stat("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("invalid_grant") && text.contains("expired or revoked"), "{text}");
    assert!(text.contains("gcloud auth application-default login"), "{text}");
    assert!(!text.contains("hush") && !format!("{storage:?}").contains("hush"), "{text}");
    assert_eq!(server.asked().len(), 1, "asking again would not help");
}

fn federated(server: &Scripted, source: Value) -> Value {
    value!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": server.url("/sts"),
        "credential_source": source,
    })
}

#[tokio::test]
async fn the_token_of_another_provider_is_exchanged() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/sts" => {
            json(200, value!({"access_token": "federated", "expires_in": 3600, "token_type": "Bearer"}))
        }
        _ => bucket(asked, "federated"),
    })
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "hush-3\n").unwrap();
    let storage = storage(&server, &federated(&server, value!({"file": file})));
    storage.stat("/a").await.unwrap();
    let body = &server.asked()[0].body;
    assert_eq!(field(body, "subject_token").as_deref(), Some("hush-3"));
    assert_eq!(field(body, "grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:token-exchange"));
    assert!(field(body, "audience").is_some_and(|audience| audience.ends_with("/providers/k")));
    assert_eq!(field(body, "scope").as_deref(), Some("https://www.googleapis.com/auth/cloud-platform"));
    // Nobody could sign for it.
    let url = storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap();
    assert_eq!(url, None);
}

#[tokio::test]
async fn an_exchanged_token_may_speak_for_an_account() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/oidc" => json(200, value!({"value": "subject"})),
        "/sts" => token("federated", 3600),
        "/v1/projects/-/serviceAccounts/x@y.com:generateAccessToken" => {
            assert_eq!(asked.headers["authorization"], "Bearer federated");
            let lifetime = serde_json::from_str::<Value>(&asked.body).unwrap()["lifetime"].clone();
            assert_eq!(lifetime, "1200s");
            json(200, value!({"accessToken": "robot", "expireTime": "2099-01-01T00:00:00Z"}))
        }
        "/v1/projects/-/serviceAccounts/x%40y.com:signBlob" => {
            assert_eq!(asked.headers["authorization"], "Bearer robot");
            json(200, value!({"keyId": "k", "signedBlob": "AAEC"}))
        }
        _ => bucket(asked, "robot"),
    })
    .unwrap();
    let source = value!({"url": server.url("/oidc"), "headers": {"Metadata": "true"},
        "format": {"type": "json", "subject_token_field_name": "value"}});
    let mut credentials = federated(&server, source);
    let impersonation = server.url("/v1/projects/-/serviceAccounts/x@y.com:generateAccessToken");
    credentials["service_account_impersonation_url"] = impersonation.into();
    credentials["service_account_impersonation"] = value!({"token_lifetime_seconds": 1200});
    let storage = storage(&server, &credentials);
    storage.stat("/a").await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].headers["metadata"], "true");
    assert_eq!(field(&asked[1].body, "subject_token").as_deref(), Some("subject"));
    assert_eq!(asked.len(), 4);
    // It has no key: the IAM service signs.
    let url = storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().unwrap();
    assert!(url.as_str().ends_with("&X-Goog-Signature=000102"), "{url}");
    assert!(url.as_str().contains("X-Goog-Credential=x%40y.com%2F"), "{url}");
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn what_fails_in_an_exchange_is_told() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/oidc" => json(404, value!({})),
        "/sts" => json(
            400,
            value!({"error": "invalid_grant",
            "error_description": "ID Token issued at 1 is stale to sign-in."}),
        ),
        _ => denied("getAccessToken"),
    })
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    for (source, kind, advice) in [
        (value!({"url": server.url("/oidc")}), ErrorKind::Unauthenticated, "credential_source"),
        (value!({"file": file}), ErrorKind::Unauthenticated, "cannot be read"),
    ] {
        let storage = storage(&server, &federated(&server, source));
        let error = storage.stat("/a").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
    std::fs::write(&file, "hush-3").unwrap();
    let storage = storage(&server, &federated(&server, value!({"file": file})));
    let error = storage.stat("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert!(error.to_string().contains("audience") && error.to_string().contains("stale"), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn an_identity_that_may_not_speak_for_the_account_is_told_its_role() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/token" => token("t1", 3600),
        _ => denied("getAccessToken"),
    })
    .unwrap();
    let storage = storage(&server, &impersonated(&server));
    let error = storage.stat("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("roles/iam.serviceAccountTokenCreator"), "{error}");
}

#[tokio::test]
async fn an_account_that_may_not_sign_is_told_its_role() {
    let server = Scripted::start(|asked| match asked.target.as_str() {
        "/token" => token("t1", 3600),
        target if target.ends_with(":generateAccessToken") => {
            json(200, value!({"accessToken": "robot", "expireTime": "2099-01-01T00:00:00Z"}))
        }
        _ => denied("signBlob"),
    })
    .unwrap();
    let storage = storage(&server, &impersonated(&server));
    let error = storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("roles/iam.serviceAccountTokenCreator on itself"), "{error}");
}
