//! Keys from the profile files of the AWS tools, by the crate `aws-config`: static keys, assumed
//! roles, web identities, single sign-on, external processes. Its requests go through our client.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SmithyClient, HttpConnector as SmithyConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;
use futures_util::TryStreamExt;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use object_store::client::{HttpConnector, HttpRequestBody};
use object_store::{ClientOptions, CredentialProvider};
use storagedriver::{BoxError, async_trait};
use storagedriver_object::http::HttpClient;

/// Keys are asked for anew so long before they expire.
const AHEAD: Duration = Duration::from_secs(300);

/// The profile that the environment names, or `default`; `None` if there is no file.
pub(crate) fn source(
    client: &HttpClient,
    region: &str,
    variable: &(dyn Fn(&str) -> Option<String> + Send + Sync),
) -> Option<AwsCredentialProvider> {
    let file = |name, default: &str| {
        let named = variable(name).map(PathBuf::from);
        let home = || Some(PathBuf::from(variable("HOME")?).join(".aws").join(default));
        named.or_else(home).filter(|path| path.exists())
    };
    let config = file("AWS_CONFIG_FILE", "config");
    let keys = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    if config.is_none() && keys.is_none() {
        return None;
    }
    let mut files = EnvConfigFiles::builder();
    if let Some(config) = config {
        files = files.with_file(EnvConfigFileKind::Config, config);
    }
    if let Some(keys) = keys {
        files = files.with_file(EnvConfigFileKind::Credentials, keys);
    }
    let connection = client.connector().connect(&ClientOptions::default()).ok()?;
    let configuration = ProviderConfig::without_region()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(Bridge(connection));
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&configuration)
        .profile_name(variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()))
        .profile_files(files.build())
        .build();
    Some(Arc::new(ProfileFiles { provider, held: Mutex::default() }))
}

/// Remembers keys until they are about to expire.
#[derive(Debug)]
struct ProfileFiles {
    provider: ProfileFileCredentialsProvider,
    held: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

#[async_trait]
impl CredentialProvider for ProfileFiles {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((credential, expiry)) = held
            && expiry.is_none_or(|expiry| SystemTime::now() + AHEAD < expiry)
        {
            return Ok(credential);
        }
        let failed =
            |error| object_store::Error::Generic { store: "AWS profile files", source: Box::new(error) };
        let found = self.provider.provide_credentials().await.map_err(failed)?;
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        });
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((credential.clone(), found.expiry()));
        Ok(credential)
    }
}

/// Our client, as `aws-config` asks for one.
#[derive(Debug, Clone)]
struct Bridge(object_store::client::HttpClient);

impl SmithyClient for Bridge {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl SmithyConnector for Bridge {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connection = self.0.clone();
        HttpConnectorFuture::new(async move { pass(connection, request).await.map_err(ConnectorError::io) })
    }
}

async fn pass(
    connection: object_store::client::HttpClient,
    request: HttpRequest,
) -> Result<HttpResponse, BoxError> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = body.bytes().map(<[u8]>::to_vec).ok_or("a request for credentials has a body that streams")?;
    let request = object_store::client::HttpRequest::from_parts(parts, HttpRequestBody::from(body));
    let (parts, body) = connection.execute(request).await?.into_parts();
    let chunks: Vec<_> = body.bytes_stream().try_collect().await?;
    let reply = object_store_response(parts, chunks.concat());
    Ok(HttpResponse::try_from(reply)?)
}

fn object_store_response(parts: ::http::response::Parts, body: Vec<u8>) -> ::http::Response<SdkBody> {
    ::http::Response::from_parts(parts, SdkBody::from(body))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write;

    use storagedriver_object::http::HttpOptions;

    use super::*;

    async fn keys(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Option<Result<String, String>> {
        let directory = tempfile::tempdir().unwrap();
        let mut set: BTreeMap<String, String> = BTreeMap::new();
        for (name, content) in files {
            let path = directory.path().join(name);
            std::fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
            set.insert((*name).to_owned(), path.to_str().unwrap().to_owned());
        }
        set.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let client = HttpClient::new("s3", HttpOptions::default()).unwrap();
        let source = source(&client, "us-east-1", &move |name| set.get(name).cloned())?;
        let found = source.get_credential().await;
        Some(
            found
                .map(|keys| format!("{} {}", keys.key_id, keys.secret_key))
                .map_err(|error| error.to_string()),
        )
    }

    const KEYS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key = B\n\
                        [other]\naws_access_key_id = C\naws_secret_access_key = D\n";
    const CONFIG: &str = "[profile outside]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"E\", \
                          \"SecretAccessKey\": \"F\"}'\n";

    #[tokio::test]
    async fn profiles_give_keys() {
        let files = [("AWS_SHARED_CREDENTIALS_FILE", KEYS), ("AWS_CONFIG_FILE", CONFIG)];
        for (profile, found) in [("default", "A B"), ("other", "C D"), ("outside", "E F")] {
            let keys = keys(&files, &[("AWS_PROFILE", profile)]).await.unwrap();
            assert_eq!(keys.as_deref(), Ok(found), "{profile}");
        }
        assert_eq!(keys(&files, &[]).await.unwrap().as_deref(), Ok("A B"));
        assert!(keys(&files, &[("AWS_PROFILE", "absent")]).await.unwrap().is_err());
        assert!(keys(&[], &[]).await.is_none(), "no file, no source");
    }
}
