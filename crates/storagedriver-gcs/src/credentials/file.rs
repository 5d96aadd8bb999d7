//! Credentials as JSON: a key file, or what `gcloud` writes.

use serde::Deserialize;
use serde_json::Value;
use storagedriver::Secret;
use storagedriver::url::Url;
use storagedriver_object::http::{HeaderName, HeaderValue};

use super::Source;
use super::external::{External, Subject};
use super::impersonated::{Impersonated, Target};
use super::key::ServiceAccountKey;
use super::user::User;

/// Where users' tokens are refreshed.
const USER_TOKENS: &str = "https://oauth2.googleapis.com/token";
/// How long the token of an impersonated account lives, in seconds, unless the credentials say it.
const LIFE: u64 = 3600;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount {
        client_email: String,
        private_key: String,
        #[serde(default)]
        private_key_id: String,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: String,
        refresh_token: String,
        #[serde(default)]
        token_uri: Option<String>,
    },
    ExternalAccount(Box<ExternalFile>),
    ImpersonatedServiceAccount {
        service_account_impersonation_url: String,
        #[serde(default)]
        delegates: Vec<String>,
        source_credentials: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ExternalFile {
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: SourceFile,
    #[serde(default)]
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    service_account_impersonation: Option<Impersonation>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    workforce_pool_user_project: Option<String>,
}

#[derive(Deserialize)]
struct Impersonation {
    token_lifetime_seconds: u64,
}

#[derive(Deserialize)]
struct SourceFile {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    format: Option<Format>,
    #[serde(default)]
    environment_id: Option<String>,
    #[serde(default)]
    executable: Option<Value>,
    #[serde(default)]
    certificate: Option<Value>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subject_token_field_name: Option<String>,
}

/// The source that the JSON describes. The error says what is wrong, and shows no secret.
pub(crate) fn parse(json: Value) -> Result<Source, String> {
    let kind = json.get("type").and_then(Value::as_str).unwrap_or("none").to_owned();
    // An error of serde may quote a value.
    let file: File = serde_json::from_value(json).map_err(|error| {
        let missing = error.to_string();
        match missing.strip_prefix("missing field ") {
            Some(field) => format!("lack {field}, for their type {kind:?}"),
            None => format!("are not what their type {kind:?} has"),
        }
    })?;
    match file {
        File::ServiceAccount { client_email, private_key, private_key_id } => {
            let key = ServiceAccountKey::new(client_email, private_key_id, &private_key)
                .map_err(|wrong| format!("have a private_key that {wrong}"))?;
            Ok(Source::Key(key))
        }
        File::AuthorizedUser { client_id, client_secret, refresh_token, token_uri } => {
            Ok(Source::User(User {
                client_id,
                client_secret: Secret::new(client_secret),
                refresh_token: Secret::new(refresh_token),
                token_url: url("token_uri", token_uri.as_deref().unwrap_or(USER_TOKENS))?,
            }))
        }
        File::ExternalAccount(file) => Ok(Source::External(external(*file)?)),
        File::ImpersonatedServiceAccount {
            service_account_impersonation_url,
            delegates,
            source_credentials,
        } => {
            let target = target(&service_account_impersonation_url, delegates, LIFE)?;
            let source =
                parse(source_credentials).map_err(|wrong| format!("have source_credentials that {wrong}"))?;
            Ok(Source::Impersonated(Box::new(Impersonated { source, target })))
        }
        File::Other => Err(format!(
            "are of the type {kind:?}; known are service_account, authorized_user, external_account and \
             impersonated_service_account"
        )),
    }
}

fn url(name: &str, text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| format!("have a {name} that is no URL of http or https"))
}

fn target(impersonation_url: &str, delegates: Vec<String>, life: u64) -> Result<Target, String> {
    let url = url("service_account_impersonation_url", impersonation_url)?;
    let target = Target { url, delegates, life };
    match target.email() {
        Some(_) => Ok(target),
        None => Err("have a service_account_impersonation_url that does not end in \
                     serviceAccounts/<address>:generateAccessToken"
            .to_owned()),
    }
}

fn external(file: ExternalFile) -> Result<External, String> {
    let field = match &file.credential_source.format {
        Some(Format { kind, subject_token_field_name: Some(field) }) if kind == "json" => Some(field.clone()),
        Some(Format { kind, .. }) if kind == "json" => {
            return Err("have a credential_source of JSON without subject_token_field_name".to_owned());
        }
        _ => None,
    };
    let life = file.service_account_impersonation.map_or(LIFE, |given| given.token_lifetime_seconds);
    let target = match &file.service_account_impersonation_url {
        Some(url) => Some(target(url, Vec::new(), life)?),
        None => None,
    };
    Ok(External {
        audience: file.audience,
        subject_token_type: file.subject_token_type,
        token_url: url("token_url", &file.token_url)?,
        subject: subject(file.credential_source)?,
        field,
        client: file.client_id.zip(file.client_secret.map(Secret::new)),
        workforce_project: file.workforce_pool_user_project,
        target,
    })
}

fn subject(source: SourceFile) -> Result<Subject, String> {
    if source.environment_id.is_some_and(|id| id.starts_with("aws")) {
        return Err(
            "take their identity from AWS, which is not built: it needs signatures of AWS; let a service \
                    write an OpenID Connect token to a file, and name that in credential_source"
                .to_owned(),
        );
    }
    if source.executable.is_some() || source.certificate.is_some() {
        return Err(
            "take their identity from a program or a certificate, which is not built: let the program write \
                    the token to a file, and name that in credential_source"
                .to_owned(),
        );
    }
    match (source.file, source.url) {
        (Some(path), _) => Ok(Subject::File(path.into())),
        (None, Some(text)) => {
            let mut headers = Vec::new();
            for (name, value) in source.headers {
                let name = HeaderName::from_bytes(name.as_bytes()).ok();
                let value = HeaderValue::from_str(&value).ok();
                headers.push(name.zip(value).ok_or("have headers in credential_source that are none")?);
            }
            Ok(Subject::Url(url("credential_source.url", &text)?, headers))
        }
        (None, None) => Err("have a credential_source with neither file nor url".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::credentials::key::tests::PEM;

    fn federated(source: Value) -> Value {
        json!({
            "type": "external_account", "audience": "//iam.googleapis.com/pool", "token_url": "https://sts.googleapis.com/v1/token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source,
        })
    }

    #[test]
    fn each_type_is_known() {
        let key =
            json!({"type": "service_account", "client_email": "a@b", "private_key": PEM, "token_uri": "x"});
        assert!(matches!(parse(key.clone()).unwrap(), Source::Key(_)));
        let user =
            json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
        assert!(matches!(parse(user).unwrap(), Source::User(_)));
        for source in
            [json!({"file": "/token"}), json!({"url": "http://127.0.0.1/token", "headers": {"a": "b"}})]
        {
            assert!(matches!(parse(federated(source)).unwrap(), Source::External(_)));
        }
        let url =
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/x@y.com:generateAccessToken";
        let impersonated = json!({
            "type": "impersonated_service_account", "service_account_impersonation_url": url, "source_credentials": key,
        });
        let Source::Impersonated(impersonated) = parse(impersonated).unwrap() else {
            panic!("another source")
        };
        assert_eq!(impersonated.email().as_deref(), Some("x@y.com"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secrets() {
        for (json, wrong) in [
            (json!({"client_email": "a"}), "none"),
            (json!({"type": "service_account", "client_email": "a"}), "private_key"),
            (
                json!({"type": "service_account", "client_email": "a", "private_key": "hush"}),
                "not a key in PEM",
            ),
            (
                json!({"type": "service_account", "client_email": "a", "private_key": ["hush"]}),
                "service_account",
            ),
            (json!({"type": "gdch_service_account", "private_key": "hush"}), "known are"),
            (federated(json!({"environment_id": "aws1", "url": "http://hush"})), "AWS"),
            (federated(json!({"executable": {"command": "hush"}})), "program"),
            (federated(json!({})), "neither file nor url"),
            (federated(json!({"file": "f", "format": {"type": "json"}})), "subject_token_field_name"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(wrong) && !error.contains("hush"), "{wrong}: {error}");
        }
    }
}
