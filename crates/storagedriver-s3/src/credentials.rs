//! Where the keys come from.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};
use object_store::{BackoffConfig, ClientOptions, RetryConfig, StaticCredentialProvider};
use storagedriver::{BoxError, ErrorKind};
use storagedriver_object::http::HttpClient;
use storagedriver_object::{StoreError, StoreResult};

use crate::endpoint::partition;
#[cfg(feature = "aws-config")]
use crate::profile_files;

/// How long the sources of credentials may take together.
const PATIENCE: Duration = Duration::from_secs(15);
const ADVICE: &str = "give accesskey and secretkey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile \
                      file, a web identity, or a role of the container or the instance";

/// Reads a variable of the environment; empty is absent.
pub(crate) type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The keys that requests are signed with.
pub(crate) struct Credentials {
    chain: Chain,
    /// The sources, once they are needed, in their order.
    sources: Mutex<Option<Arc<Vec<AwsCredentialProvider>>>>,
}

/// Where to look.
enum Chain {
    /// Always the same: keys that were given, or a provider that was.
    Given(AwsCredentialProvider, bool),
    /// The default chain.
    Default { client: HttpClient, region: String, variable: Variable },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.chain {
            Chain::Given(..) => "Credentials(given)",
            Chain::Default { .. } => "Credentials(default chain)",
        })
    }
}

impl Credentials {
    /// Keys that stay the same.
    pub(crate) fn fixed(credential: AwsCredential) -> Self {
        let provider = Arc::new(StaticCredentialProvider::new(credential));
        Credentials { chain: Chain::Given(provider, false), sources: Mutex::default() }
    }

    /// What a program provides itself.
    pub(crate) fn provided(provider: AwsCredentialProvider) -> Self {
        Credentials { chain: Chain::Given(provider, true), sources: Mutex::default() }
    }

    /// The default chain. Nothing is read before the first request.
    pub(crate) fn chain(client: HttpClient, region: &str, variable: Variable) -> Self {
        let chain = Chain::Default { client, region: region.to_owned(), variable };
        Credentials { chain, sources: Mutex::default() }
    }

    /// The keys of this moment.
    pub(crate) async fn get(&self) -> StoreResult<Arc<AwsCredential>> {
        let sources = self.sources()?;
        let ask = async {
            let mut failed = Vec::new();
            for source in sources.iter() {
                match source.get_credential().await {
                    Ok(credential) => return Ok(credential),
                    Err(error) => failed.push(error),
                }
            }
            Err(failed)
        };
        match tokio::time::timeout(PATIENCE, ask).await {
            Ok(Ok(credential)) if can_be_sent(&credential) => Ok(credential),
            Ok(Ok(_)) => Err(refused("the key or the session token has characters that no header can have")),
            Ok(Err(mut failed)) => {
                // Every source is told of: which one was meant to have them is not known.
                let all: Vec<String> = failed.iter().map(whole).collect();
                let error = refused(&format!("there are no credentials ({})", all.join("; ")));
                Err(match failed.pop() {
                    Some(last) => error.with_source(last),
                    None => error,
                })
            }
            Err(_) => Err(refused("the sources of credentials did not answer")),
        }
    }

    /// Forgets what is cached; whether there may be other keys now.
    pub(crate) fn renew(&self) -> bool {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.chain {
            Chain::Given(_, changes) => changes,
            Chain::Default { .. } => true,
        }
    }

    fn sources(&self) -> StoreResult<Arc<Vec<AwsCredentialProvider>>> {
        let mut held = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sources) = &*held {
            return Ok(sources.clone());
        }
        let made = match &self.chain {
            Chain::Given(provider, _) => vec![provider.clone()],
            Chain::Default { client, region, variable } => default_sources(client, region, &**variable)
                .map_err(|error| refused("the sources of credentials cannot be used").with_source(error))?,
        };
        let made = Arc::new(made);
        *held = Some(made.clone());
        Ok(made)
    }
}

fn refused(reason: &str) -> StoreError {
    StoreError::failed(ErrorKind::Unauthenticated, format!("{reason}: {ADVICE}"))
}

/// An error and its causes.
fn whole(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn can_be_sent(credential: &AwsCredential) -> bool {
    let visible = |text: &str| text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    visible(&credential.key_id) && credential.token.as_deref().is_none_or(visible)
}

/// What there is to ask, by the environment alone: its keys; a web identity; the profile files; the
/// role of the container, else of the instance.
fn default_sources(
    client: &HttpClient,
    region: &str,
    variable: &(dyn Fn(&str) -> Option<String> + Send + Sync),
) -> Result<Vec<AwsCredentialProvider>, BoxError> {
    if let (Some(key_id), Some(secret_key)) =
        (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
    {
        let credential = AwsCredential { key_id, secret_key, token: variable("AWS_SESSION_TOKEN") };
        return Ok(vec![Arc::new(StaticCredentialProvider::new(credential))]);
    }
    let mut builder = builder(client, region);
    if let (Some(token), Some(role)) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN")) {
        let suffix = partition(region).unwrap_or("amazonaws.com");
        let sts =
            variable("AWS_ENDPOINT_URL_STS").unwrap_or_else(|| format!("https://sts.{region}.{suffix}"));
        builder = builder
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token)
            .with_config(AmazonS3ConfigKey::RoleArn, role)
            .with_config(AmazonS3ConfigKey::StsEndpoint, sts);
        if let Some(name) = variable("AWS_ROLE_SESSION_NAME") {
            builder = builder.with_config(AmazonS3ConfigKey::RoleSessionName, name);
        }
        return Ok(vec![builder.build()?.credentials().clone()]);
    }
    let mut sources = Vec::new();
    #[cfg(feature = "aws-config")]
    if let Some(source) = profile_files::source(client, region, variable) {
        sources.push(source);
    }
    if variable("AWS_PROFILE").is_some() {
        // Whoever names a profile means it: another identity would be a surprise.
        if cfg!(not(feature = "aws-config")) {
            return Err(
                "AWS_PROFILE is set, and this program was built without the feature `aws-config` of the \
                        crate `storagedriver-s3`"
                    .into(),
            );
        }
        return Ok(sources);
    }
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .zip(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    if let Some(relative) = relative {
        builder = builder.with_config(AmazonS3ConfigKey::ContainerCredentialsRelativeUri, relative);
    } else if let Some((full, token)) = full {
        builder = builder
            .with_config(AmazonS3ConfigKey::ContainerCredentialsFullUri, full)
            .with_config(AmazonS3ConfigKey::ContainerAuthorizationTokenFile, token);
    } else if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(sources);
    } else if let Some(endpoint) = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        builder = builder.with_metadata_endpoint(endpoint);
    }
    sources.push(builder.build()?.credentials().clone());
    Ok(sources)
}

/// A builder of `object_store` that is only asked for its credentials.
fn builder(client: &HttpClient, region: &str) -> AmazonS3Builder {
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 2, retry_timeout: PATIENCE };
    AmazonS3Builder::new()
        .with_bucket_name("credentials")
        .with_region(region)
        .with_http_connector(client.connector())
        .with_client_options(ClientOptions::default())
        .with_retry(retry)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use storagedriver_object::http::HttpOptions;

    use super::*;

    fn chain(variables: &[(&str, &str)]) -> Credentials {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let client = HttpClient::new("s3", HttpOptions::default()).unwrap();
        Credentials::chain(client, "us-east-1", Arc::new(move |name| variables.get(name).cloned()))
    }

    fn first_source(variables: &[(&str, &str)]) -> String {
        let sources = chain(variables).sources().unwrap();
        format!("{:?}", sources.first()).chars().take(120).collect()
    }

    #[test]
    fn the_environment_tells_what_is_asked() {
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:x")];
        let ecs = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
        let eks = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"),
        ];
        let half = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
        for (variables, provider) in [
            (&web[..], "WebIdentityProvider"),
            (&ecs, "TaskCredentialProvider"),
            (&eks, "EKSPodCredentialProvider"),
            (&half, "TaskCredentialProvider"),
            (&[], "InstanceCredentialProvider"),
        ] {
            let source = first_source(variables);
            assert!(source.contains(provider), "{variables:?}: {source}");
        }
    }

    #[tokio::test]
    async fn keys_of_the_environment_come_first_and_are_not_shown() {
        let chain = chain(&[
            ("AWS_ACCESS_KEY_ID", "A"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
            ("AWS_ROLE_ARN", "arn:x"),
        ]);
        let held = chain.get().await.unwrap();
        assert_eq!((held.key_id.as_str(), held.token.as_deref()), ("A", Some("token")));
        assert!(!format!("{chain:?}{held:?}").contains("hidden"));
        assert!(chain.renew(), "the environment may have changed");
    }

    #[tokio::test]
    async fn without_any_source_the_error_says_what_to_give() {
        let error = format!("{:?}", chain(&[("AWS_EC2_METADATA_DISABLED", "true")]).get().await.unwrap_err());
        assert!(error.contains("Unauthenticated") && error.contains("accesskey and secretkey"), "{error}");
        let token = AwsCredential { key_id: "A".into(), secret_key: "B".into(), token: Some("a\nb".into()) };
        assert!(Credentials::fixed(token).get().await.is_err());
    }
}
