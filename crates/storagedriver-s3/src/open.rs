//! From parameters to a driver. Makes no request.

use std::fmt;
use std::sync::Arc;

use object_store::aws::{AwsCredential, AwsCredentialProvider};
use storagedriver::url::Url;
use storagedriver::{Error, Registration, Result, Storage};
use storagedriver_object::http::{HeaderName, HttpClient, HttpOptions, header};
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::S3Parameters;
use crate::backend::S3Backend;
use crate::credentials::{Credentials, Variable};
use crate::endpoint::{AmazonHost, Endpoint};
use crate::profile::{Addressing, Profile};
use crate::profiles::{profile, profile_of_host};
use crate::service::S3Service;

/// What a preset for one vendor, or a program, decides beyond the parameters.
///
/// ```
/// use storagedriver::Parameters;
/// use storagedriver_s3::{Profile, S3Options, S3Parameters};
///
/// # fn main() -> storagedriver::Result<()> {
/// let mut profile = Profile::GENERIC;
/// profile.name = "example";
/// let given = [("bucket", "layers"), ("regionendpoint", "https://s3.example.com")];
/// let parameters = S3Parameters::parse(Parameters::from_iter(given))?;
/// let storage = parameters.into_storage_with(S3Options::new("example").with_profile(profile))?;
/// assert_eq!(storage.name(), "example");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct S3Options {
    /// The name of the driver, in errors and metrics.
    pub name: &'static str,
    /// The quirks of the store, in place of those that the parameter `profile` names.
    pub profile: Option<Profile>,
    /// Where keys come from, in place of the parameters and the default chain.
    pub credentials: Option<AwsCredentialProvider>,
    /// How patient the client is, in place of the parameters.
    pub http: Option<HttpOptions>,
    /// Whether bodies are sent with `Content-MD5`.
    pub content_md5: bool,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("name", &self.name)
            .field("profile", &self.profile.as_ref().map(|profile| profile.name))
            .finish_non_exhaustive()
    }
}

impl S3Options {
    /// A driver of this name, all else as the parameters say.
    pub fn new(name: &'static str) -> Self {
        S3Options { name, profile: None, credentials: None, http: None, content_md5: false }
    }

    /// With these quirks.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// With keys from this provider.
    #[must_use]
    pub fn with_credentials(mut self, credentials: AwsCredentialProvider) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// With a client that behaves so, whatever the parameters say of time-outs, attempts, certificates
    /// and the user agent.
    #[must_use]
    pub fn with_http(mut self, http: HttpOptions) -> Self {
        self.http = Some(http);
        self
    }

    /// With or without the MD5 of each body beside it. Costs the time to hash it; bodies are signed with
    /// their SHA-256 anyway where [`Profile::unsigned_payload`] is `false`.
    #[must_use]
    pub fn with_content_md5(mut self, content_md5: bool) -> Self {
        self.content_md5 = content_md5;
        self
    }
}

impl S3Parameters {
    /// The storage: what the factory makes for `s3`. Makes no request.
    ///
    /// # Errors
    /// `InvalidParameter` if parameters contradict each other, or the store.
    pub fn into_storage(self) -> Result<Storage> {
        self.into_storage_with(S3Options::new("s3"))
    }

    /// The storage of a preset.
    ///
    /// # Errors
    /// As [`into_storage`](Self::into_storage).
    pub fn into_storage_with(self, options: S3Options) -> Result<Storage> {
        let engine = self.engine_options();
        Ok(Storage::new(ObjectDriver::new(self.into_backend(options)?, engine)))
    }

    /// The store below the engine.
    ///
    /// # Errors
    /// As [`into_storage`](Self::into_storage).
    pub fn into_backend(self, options: S3Options) -> Result<S3Backend> {
        let invalid =
            |parameter: &str, reason: &str| Error::invalid_parameter(options.name, parameter, reason);
        self.check(options.name)?;
        let region = self.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
        let server = self.server(options.name, &region)?;
        let profile = match &options.profile {
            Some(profile) => profile.clone(),
            None => self.named_profile(&server),
        };
        let redirect = match &self.redirectendpoint {
            Some(text) => redirect_server(text).ok_or_else(|| {
                invalid(
                    "redirectendpoint",
                    "has to be a scheme and a host, and nothing else: https://cdn.example.com",
                )
            })?,
            None => server.clone(),
        };
        let addressing = match self.forcepathstyle {
            _ if self.accelerate => Addressing::VirtualHost,
            Some(true) => Addressing::Path,
            Some(false) => Addressing::VirtualHost,
            None => profile.addressing,
        };
        let attributes = self.attributes(options.name, &profile)?;
        let client =
            HttpClient::new(options.name, options.http.clone().unwrap_or_else(|| self.http_options()))
                .map_err(|error| Error::invalid_configuration(format!("{}: {error}", options.name)))?;
        let credentials = self.credentials(&options, &client, &region)?;
        let mut description = profile.description();
        if description.copy_part {
            let threshold = self.multipartcopythresholdsize.unwrap_or_else(|| profile.copy_threshold());
            description.max_copy = description.max_copy.min(threshold);
        }
        let service = S3Service {
            credentials: Arc::new(credentials),
            region,
            bucket: self.bucket.clone(),
            sign_payload: server.scheme() != "https" || !profile.unsigned_payload,
        };
        Ok(S3Backend {
            name: options.name,
            client,
            service: Arc::new(service),
            endpoint: Endpoint::new(&server, &self.bucket, addressing),
            redirect: Endpoint::new(&redirect, &self.bucket, addressing),
            profile,
            description,
            attributes,
            content_md5: options.content_md5,
        })
    }

    fn engine_options(&self) -> ObjectOptions {
        let mut engine = ObjectOptions::default();
        engine.root.clone_from(&self.rootdirectory);
        engine.part_size = self.chunksize;
        engine.parallel = usize::try_from(self.multipartuploadmaxconcurrency).unwrap_or(1);
        engine.copy_part = self.multipartcopychunksize;
        engine.copy_parallel = usize::try_from(self.multipartcopymaxconcurrency).unwrap_or(1);
        engine
    }

    fn check(&self, driver: &str) -> Result<()> {
        let invalid =
            |parameter: &str, reason: &str| Err(Error::invalid_parameter(driver, parameter, reason));
        if self.bucket.is_empty() || self.bucket.contains('/') {
            return invalid("bucket", "has to be the name of a bucket, without a slash");
        }
        if !self.v4auth {
            return invalid(
                "v4auth",
                "is false: signature version 2 rests on SHA-1, Amazon takes it for no new bucket, and every store \
                 has version 4; leave it out",
            );
        }
        if self.accelerate && self.bucket.contains('.') {
            return invalid("accelerate", "is not to be had for a bucket with a dot in its name");
        }
        if self.accelerate && self.usefipsendpoint {
            return invalid(
                "accelerate",
                "has no FIPS endpoint; choose one of accelerate and usefipsendpoint",
            );
        }
        if self.regionendpoint.is_some() {
            let chosen = [
                ("accelerate", self.accelerate),
                ("usedualstack", self.usedualstack),
                ("usefipsendpoint", self.usefipsendpoint),
            ];
            if let Some((name, _)) = chosen.iter().find(|(_, chosen)| *chosen) {
                return invalid(
                    name,
                    "chooses one of Amazon's hosts, and regionendpoint names the host itself",
                );
            }
        }
        if self.sessiontoken.is_some() && (self.accesskey.is_none() || self.secretkey.is_none()) {
            return invalid("sessiontoken", "belongs to accesskey and secretkey; give all three or none");
        }
        let visible = |text: &str| text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        for (name, text) in [("useragent", &self.useragent), ("keyid", &self.keyid)] {
            if text.as_deref().is_some_and(|text| !visible(text)) {
                return invalid(name, "has characters that no header can have");
            }
        }
        if self.accesskey.is_some() != self.secretkey.is_some() {
            tracing::warn!(driver, "accesskey and secretkey only count together: the default chain is used");
        }
        if self.keyid.is_some() && !self.encrypt {
            tracing::warn!(driver, "keyid has no effect without encrypt");
        }
        Ok(())
    }

    /// Scheme, host and port of the server.
    fn server(&self, driver: &str, region: &str) -> Result<Url> {
        let scheme = if self.secure { "https" } else { "http" };
        let Some(endpoint) = &self.regionendpoint else {
            let chosen = AmazonHost {
                dual_stack: self.usedualstack,
                accelerate: self.accelerate,
                fips: self.usefipsendpoint,
            };
            return chosen
                .of(region)
                .and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok())
                .ok_or_else(|| {
                    let reason =
                        format!("{region:?} is no region of Amazon's; for another store give regionendpoint");
                    Error::invalid_parameter(driver, "region", reason)
                });
        };
        crate::server(driver, "regionendpoint", endpoint, self.secure)
    }

    fn named_profile(&self, server: &Url) -> Profile {
        let named = match self.profile {
            "auto" => None,
            name => profile(name),
        };
        named.unwrap_or_else(|| profile_of_host(server.host_str().unwrap_or_default())).clone()
    }

    /// What every object is written with.
    fn attributes(&self, driver: &str, profile: &Profile) -> Result<Vec<(HeaderName, String)>> {
        let mut attributes = vec![(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
        let mut add = |name: &'static str, value: &str| {
            attributes.push((HeaderName::from_static(name), value.to_owned()));
        };
        let lacks = |parameter: &str, value: &str| {
            let reason = format!("is {value:?}, and a store of the profile {} takes none", profile.name);
            Err(Error::invalid_parameter(driver, parameter, reason))
        };
        if profile.acl {
            add("x-amz-acl", self.objectacl);
        } else if self.objectacl != "private" {
            return lacks("objectacl", self.objectacl);
        }
        match self.storageclass {
            "NONE" => {}
            class if profile.storage_class => add("x-amz-storage-class", class),
            "STANDARD" => {}
            class => return lacks("storageclass", class),
        }
        if self.encrypt {
            match &self.keyid {
                Some(key) => {
                    add("x-amz-server-side-encryption", "aws:kms");
                    add("x-amz-server-side-encryption-aws-kms-key-id", key);
                }
                None => add("x-amz-server-side-encryption", profile.encryption),
            }
        }
        Ok(attributes)
    }

    fn http_options(&self) -> HttpOptions {
        let mut http = HttpOptions::default();
        http.stall_timeout = self.stalltimeout;
        http.connect_timeout = self.connecttimeout;
        http.attempts = u32::try_from(self.maxattempts).unwrap_or(1);
        http.skip_verify = self.skipverify;
        if let Some(agent) = &self.useragent {
            http.user_agent = format!("{} {agent}", http.user_agent);
        }
        http
    }

    fn credentials(&self, options: &S3Options, client: &HttpClient, region: &str) -> Result<Credentials> {
        if let Some(provider) = &options.credentials {
            return Ok(Credentials::provided(provider.clone()));
        }
        if let (Some(key), Some(secret)) = (&self.accesskey, &self.secretkey) {
            return Ok(Credentials::fixed(AwsCredential {
                key_id: key.clone(),
                secret_key: secret.reveal().to_owned(),
                token: self.sessiontoken.as_ref().map(|token| token.reveal().to_owned()),
            }));
        }
        let variable: Variable = Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Ok(Credentials::chain(client.clone(), region, variable))
    }
}

/// Where redirects lead: Distribution's rule for `redirectendpoint`.
fn redirect_server(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    bare.then_some(url)
}

/// The registration of the driver `s3`.
pub const DRIVER: Registration = Registration::new(
    "s3",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a bucket of Amazon S3, or of a store that speaks its protocol",
    &S3Parameters::TABLE,
    |parameters| Box::pin(async move { S3Parameters::parse(parameters)?.into_storage() }),
);

/// The registration of the same driver under Distribution's other name, `s3aws`.
pub const DRIVER_S3AWS: Registration = Registration::new(
    "s3aws",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "the driver `s3` by its other name",
    &S3Parameters::TABLE,
    |parameters| {
        Box::pin(async move { S3Parameters::parse(parameters)?.into_storage_with(S3Options::new("s3aws")) })
    },
);

storagedriver::register!(DRIVER);
storagedriver::register!(DRIVER_S3AWS);
