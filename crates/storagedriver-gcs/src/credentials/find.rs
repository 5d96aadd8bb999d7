//! Which credentials a driver uses.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Source;
use super::file;
use super::metadata::Metadata;

/// Where the metadata server is, unless the environment says otherwise.
const METADATA: &str = "metadata.google.internal";

/// What is read of the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `GOOGLE_APPLICATION_CREDENTIALS`: a file.
    pub(crate) application_credentials: Option<PathBuf>,
    /// The directory of gcloud's configuration: `CLOUDSDK_CONFIG`, else below `HOME` or `APPDATA`.
    pub(crate) gcloud: Option<PathBuf>,
    /// `GCE_METADATA_HOST`.
    pub(crate) metadata_host: Option<String>,
}

impl Environment {
    /// That of the process.
    pub(crate) fn of_process() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = if cfg!(windows) {
            path("APPDATA").map(|home| home.join("gcloud"))
        } else {
            path("HOME").map(|home| home.join(".config").join("gcloud"))
        };
        Environment {
            application_credentials: path("GOOGLE_APPLICATION_CREDENTIALS"),
            gcloud: path("CLOUDSDK_CONFIG").or(home),
            metadata_host: std::env::var("GCE_METADATA_HOST").ok().filter(|host| !host.is_empty()),
        }
    }
}

/// What is wrong: with which parameter, and how.
pub(crate) type Wrong = (&'static str, String);

/// The source of tokens: the key file, else the credentials given, else the application default credentials. Reads
/// files, and makes no request.
pub(crate) fn find(
    keyfile: Option<&Path>,
    credentials: Option<Value>,
    environment: &Environment,
) -> Result<Source, Wrong> {
    if let Some(path) = keyfile {
        return read(path).map_err(|wrong| ("keyfile", wrong));
    }
    if let Some(json) = credentials {
        return file::parse(json).map_err(|wrong| ("credentials", wrong));
    }
    if let Some(path) = &environment.application_credentials {
        let said =
            |wrong| ("keyfile", format!("is not given, and of GOOGLE_APPLICATION_CREDENTIALS, {wrong}"));
        return read(path).map_err(said);
    }
    let gcloud = environment.gcloud.as_ref().map(|home| home.join("application_default_credentials.json"));
    if let Some(path) = gcloud.filter(|path| path.exists()) {
        return read(&path)
            .map_err(|wrong| ("keyfile", format!("is not given, and of gcloud's file, {wrong}")));
    }
    let host = environment.metadata_host.as_deref().unwrap_or(METADATA);
    Metadata::new(host)
        .map(Source::Metadata)
        .map_err(|wrong| ("keyfile", format!("is not given, and {wrong}")))
}

fn read(path: &Path) -> Result<Source, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    // The error of the parser would quote what it found.
    let json = serde_json::from_slice(&text).map_err(|_| format!("{shown} is not JSON"))?;
    file::parse(json).map_err(|wrong| format!("the credentials in {shown} {wrong}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::credentials::key::tests::PEM;

    fn key(email: &str) -> Value {
        json!({"type": "service_account", "client_email": email, "private_key_id": "1", "private_key": PEM})
    }

    fn email(source: &Source) -> &str {
        match source {
            Source::Key(key) => key.email(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_order_is_key_file_then_credentials_then_the_environment_then_gcloud_then_the_machine() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, key(name).to_string()).unwrap();
            path
        };
        let mut environment = Environment {
            application_credentials: Some(write("variable")),
            gcloud: Some(directory.path().to_owned()),
            metadata_host: Some("127.0.0.1:1".into()),
        };
        write("application_default_credentials.json");
        let file = write("file");
        let found = find(Some(&file), Some(key("inline")), &environment).unwrap();
        assert_eq!(email(&found), "file");
        assert_eq!(email(&find(None, Some(key("inline")), &environment).unwrap()), "inline");
        assert_eq!(email(&find(None, None, &environment).unwrap()), "variable");
        environment.application_credentials = None;
        assert_eq!(email(&find(None, None, &environment).unwrap()), "application_default_credentials.json");
        environment.gcloud = None;
        assert!(matches!(find(None, None, &environment).unwrap(), Source::Metadata(_)));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        let wrong = |path: &Path| find(Some(path), None, &Environment::default()).unwrap_err();
        assert_eq!(wrong(&path).0, "keyfile");
        assert!(wrong(&path).1.contains("cannot be read"));
        std::fs::write(&path, "hush").unwrap();
        assert!(wrong(&path).1.contains("not JSON") && !wrong(&path).1.contains("hush"));
        let environment = Environment { application_credentials: Some(path), ..Environment::default() };
        let (_, reason) = find(None, None, &environment).unwrap_err();
        assert!(reason.contains("GOOGLE_APPLICATION_CREDENTIALS"), "{reason}");
    }
}
