//! Which account, where it is, and by what requests to it are authorised.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use storagedriver::url::Url;
use storagedriver::{Result, Secret};

use crate::AzureParameters;
use crate::connection_string::ConnectionString;
use crate::parameters::invalid;

/// By what requests are authorised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Method {
    Key(Secret),
    Sas(Secret),
    ClientSecret { client: String, tenant: String, secret: Secret },
    WorkloadIdentity { client: String, tenant: String, file: PathBuf },
    ManagedIdentity { client: Option<String>, endpoint: Option<String> },
    AzureCli,
}

impl Method {
    /// Whether whoever sees a request can use what is in it.
    fn is_readable(&self) -> bool {
        !matches!(self, Method::Key(_))
    }
}

/// A storage account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The URL of its blob service.
    pub(crate) endpoint: String,
    pub(crate) method: Method,
    /// Where tokens are asked for.
    pub(crate) authority: Option<String>,
}

impl Account {
    pub(crate) fn of(parameters: &AzureParameters) -> Result<Self> {
        Self::with_environment(parameters, &|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn with_environment(
        parameters: &AzureParameters,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let string = match &parameters.connectionstring {
            Some(text) => ConnectionString::parse(text.reveal())
                .map_err(|reason| invalid("connectionstring", reason))?,
            None => ConnectionString::default(),
        };
        let name = agreed("accountname", &parameters.accountname, &string.account)?.ok_or_else(|| {
            invalid("accountname", "is required: the connection string does not name the account")
        })?;
        let given = Given {
            key: agreed("accountkey", &parameters.accountkey, &string.key)?,
            sas: agreed("sastoken", &parameters.sastoken, &string.sas)?,
            parameters,
            environment,
        };
        let endpoint = agreed("serviceurl", &parameters.serviceurl, &string.endpoint)?
            .unwrap_or_else(|| format!("https://{name}.blob.{}", parameters.realm));
        let method = given.method()?;
        let endpoint = check_endpoint(&endpoint, &method)?;
        let authority = parameters
            .credentials_authorityhost
            .clone()
            .or_else(|| environment("AZURE_AUTHORITY_HOST"))
            .or_else(|| authority_of(&parameters.realm).map(str::to_owned))
            .map(|host| host.trim_end_matches('/').to_owned());
        Ok(Account { name, endpoint, method, authority })
    }
}

/// The value of a parameter that the connection string may give, too.
fn agreed<T: Clone + PartialEq>(name: &str, own: &Option<T>, string: &Option<T>) -> Result<Option<T>> {
    match (own, string) {
        (Some(own), Some(string)) if own != string => {
            Err(invalid(name, "contradicts connectionstring; give one of them"))
        }
        (own, string) => Ok(own.clone().or_else(|| string.clone())),
    }
}

fn check_endpoint(endpoint: &str, method: &Method) -> Result<String> {
    let url = Url::parse(endpoint)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| invalid("serviceurl", format!("{endpoint:?} is not a URL of http or https")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("serviceurl", "has a query; give a shared access signature as sastoken"));
    }
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "http" && method.is_readable() && !is_local {
        let reason =
            "is http: whoever sees a request could use its token or signature; use https, or an account key";
        return Err(invalid("serviceurl", reason));
    }
    Ok(endpoint.trim_end_matches('/').to_owned())
}

/// The authority of a national cloud; elsewhere the public one.
fn authority_of(realm: &str) -> Option<&'static str> {
    match realm {
        "core.chinacloudapi.cn" => Some("https://login.chinacloudapi.cn"),
        "core.usgovcloudapi.net" => Some("https://login.microsoftonline.us"),
        _ => None,
    }
}

/// What was given to choose a method from.
struct Given<'a> {
    key: Option<Secret>,
    sas: Option<Secret>,
    parameters: &'a AzureParameters,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Given<'_> {
    fn method(&self) -> Result<Method> {
        match self.parameters.credentials_type {
            Some("shared_key") => self.key(),
            Some("sas_token") => self.sas(),
            Some("client_secret") => self.client_secret(),
            Some("managed_identity") => Ok(self.managed_identity()),
            Some("workload_identity") => self.workload_identity(),
            Some("azure_cli") => Ok(Method::AzureCli),
            Some(_) => Ok(self.default_chain()),
            None if self.key.is_some() => self.key(),
            None if self.sas.is_some() => self.sas(),
            None if self.parameters.credentials_secret.is_some() => self.client_secret(),
            None => Err(invalid(
                "credentials.type",
                "is required where neither accountkey nor sastoken nor connectionstring is given; without \
                 secrets of its own, a registry uses default_credentials",
            )),
        }
    }

    fn key(&self) -> Result<Method> {
        let key = self.key.clone();
        let key = key.ok_or_else(|| invalid("accountkey", "is required by credentials.type shared_key"))?;
        if BASE64_STANDARD.decode(key.reveal()).is_err() {
            return Err(invalid("accountkey", "is not base64; copy it whole from the account's access keys"));
        }
        Ok(Method::Key(key))
    }

    fn sas(&self) -> Result<Method> {
        let sas = self.sas.clone();
        let sas = sas.ok_or_else(|| invalid("sastoken", "is required by credentials.type sas_token"))?;
        if !sas.reveal().contains("sig=") {
            return Err(invalid(
                "sastoken",
                "has no `sig=`; give the whole query of a shared access signature",
            ));
        }
        Ok(Method::Sas(sas))
    }

    fn client_secret(&self) -> Result<Method> {
        let required = |name: &str, value: &Option<String>| {
            value.clone().ok_or_else(|| invalid(name, "is required by credentials.type client_secret"))
        };
        let client = required("credentials.clientid", &self.parameters.credentials_clientid)?;
        let tenant = required("credentials.tenantid", &self.parameters.credentials_tenantid)?;
        let secret =
            self.parameters.credentials_secret.clone().ok_or_else(|| {
                invalid("credentials.secret", "is required by credentials.type client_secret")
            })?;
        Ok(Method::ClientSecret { client, tenant, secret })
    }

    fn client(&self) -> Option<String> {
        self.parameters.credentials_clientid.clone().or_else(|| (self.environment)("AZURE_CLIENT_ID"))
    }

    fn tenant(&self) -> Option<String> {
        self.parameters.credentials_tenantid.clone().or_else(|| (self.environment)("AZURE_TENANT_ID"))
    }

    fn token_file(&self) -> Option<PathBuf> {
        let own = self.parameters.credentials_tokenfile.clone();
        own.or_else(|| (self.environment)("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from))
    }

    fn workload_identity(&self) -> Result<Method> {
        let missing = |name: &str, variable: &str| {
            invalid(name, format!("is required by credentials.type workload_identity, here or as {variable}"))
        };
        Ok(Method::WorkloadIdentity {
            client: self.client().ok_or_else(|| missing("credentials.clientid", "AZURE_CLIENT_ID"))?,
            tenant: self.tenant().ok_or_else(|| missing("credentials.tenantid", "AZURE_TENANT_ID"))?,
            file: self
                .token_file()
                .ok_or_else(|| missing("credentials.tokenfile", "AZURE_FEDERATED_TOKEN_FILE"))?,
        })
    }

    fn managed_identity(&self) -> Method {
        Method::ManagedIdentity { client: self.client(), endpoint: (self.environment)("IDENTITY_ENDPOINT") }
    }

    /// The first of these for which everything is there: the secret in the environment, a workload
    /// identity, the managed identity of the machine.
    fn default_chain(&self) -> Method {
        if let (Some(client), Some(tenant), Some(secret)) =
            (self.client(), self.tenant(), (self.environment)("AZURE_CLIENT_SECRET"))
        {
            return Method::ClientSecret { client, tenant, secret: Secret::new(secret) };
        }
        self.workload_identity().unwrap_or_else(|_| self.managed_identity())
    }
}

#[cfg(test)]
mod tests {
    use storagedriver::{Parameters, Value};

    use super::*;

    const KEY: &str = "c2VjcmV0";

    fn account_in(given: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Account> {
        let mut parameters = Parameters::from_iter(given.iter().copied());
        parameters.insert("container", "c");
        let environment = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Account::with_environment(&AzureParameters::parse(parameters)?, &environment)
    }

    fn account(given: &[(&str, &str)]) -> Result<Account> {
        account_in(given, &[])
    }

    #[test]
    fn a_configuration_of_distribution_2_is_a_shared_key() {
        let found = account(&[("accountname", "a"), ("accountkey", KEY)]).unwrap();
        assert_eq!(found.endpoint, "https://a.blob.core.windows.net");
        assert_eq!(found.method, Method::Key(Secret::new(KEY)));
    }

    #[test]
    fn nested_credentials_in_any_case() {
        let mut credentials = Parameters::new();
        for (name, value) in
            [("type", "client_secret"), ("clientID", "c"), ("tenantid", "t"), ("secret", "s")]
        {
            credentials.insert(name, value);
        }
        let mut parameters = Parameters::from_iter([("accountName", "a"), ("container", "c")]);
        parameters.insert("credentials", Value::Map(credentials));
        parameters.insert("realm", "core.usgovcloudapi.net");
        let found = AzureParameters::parse(parameters).unwrap().account().unwrap();
        let expected =
            Method::ClientSecret { client: "c".into(), tenant: "t".into(), secret: Secret::new("s") };
        assert_eq!(found.method, expected);
        assert_eq!(found.endpoint, "https://a.blob.core.usgovcloudapi.net");
        assert_eq!(found.authority.as_deref(), Some("https://login.microsoftonline.us"));
        assert!(!format!("{found:?}").contains("\"s\""), "{found:?}");
    }

    #[test]
    fn the_default_chain_takes_what_is_whole() {
        let given = [("accountname", "a"), ("credentials.type", "default")];
        let ids = [("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")];
        let of = |more: &[(&str, &str)]| account_in(&given, &[&ids[..], more].concat()).unwrap().method;
        assert!(matches!(of(&[("AZURE_CLIENT_SECRET", "s")]), Method::ClientSecret { .. }));
        assert!(matches!(of(&[("AZURE_FEDERATED_TOKEN_FILE", "/f")]), Method::WorkloadIdentity { .. }));
        assert_eq!(of(&[]), Method::ManagedIdentity { client: Some("c".into()), endpoint: None });
    }

    #[test]
    fn what_contradicts_or_lacks_is_refused_by_name() {
        for (given, parameter) in [
            (&[("accountname", "a")][..], "credentials.type"),
            (&[("accountname", "a"), ("accountkey", "no base64!")], "accountkey"),
            (&[("accountname", "a"), ("credentials.type", "shared_key")], "accountkey"),
            (&[("accountname", "a"), ("credentials.type", "client_secret")], "credentials.clientid"),
            (&[("accountname", "a"), ("credentials.type", "sas_token")], "sastoken"),
            (&[("accountname", "a"), ("sastoken", "sv=1")], "sastoken"),
            (&[("accountname", "a"), ("connectionstring", "AccountName=b;AccountKey=a2V5")], "accountname"),
            (&[("accountkey", KEY), ("connectionstring", "AccountName=b;AccountKey=a2V5")], "accountkey"),
            (&[("accountkey", KEY), ("connectionstring", "EndpointSuffix=x")], "accountname"),
            (&[("accountname", "a"), ("accountkey", KEY), ("serviceurl", "a.b")], "serviceurl"),
            (&[("accountname", "a"), ("accountkey", KEY), ("serviceurl", "https://x/?sv=1")], "serviceurl"),
            (&[("accountname", "a"), ("sastoken", "sig=1"), ("serviceurl", "http://x")], "serviceurl"),
        ] {
            let error = account(given).unwrap_err().to_string();
            assert!(error.contains(&format!("{parameter:?}")), "{error}");
            assert!(!error.contains(KEY) && !error.contains("no base64!"), "{error}");
        }
    }

    #[test]
    fn names_of_pre_releases_and_layouts() {
        let parse = |given: &[(&str, &str)]| {
            let mut parameters = Parameters::from_iter(given.iter().copied());
            parameters.extend([("accountname", "a"), ("accountkey", KEY), ("container", "c")]);
            AzureParameters::parse(parameters)
        };
        let old = parse(&[("copy_status_poll_max_retry", "7"), ("copy_status_poll_delay", "200ms")]).unwrap();
        assert_eq!((old.max_retries, old.retry_delay.as_millis()), (7, 200));
        for (given, slash) in [
            (&[][..], Some(false)),
            (&[("trimlegacyrootprefix", "false")], Some(true)),
            (&[("trimlegacyrootprefix", "true")], Some(false)),
            (&[("legacyrootprefix", "true")], Some(true)),
            (&[("legacyrootprefix", "true"), ("trimlegacyrootprefix", "true")], None),
        ] {
            assert_eq!(parse(given).unwrap().slash().ok(), slash, "{given:?}");
        }
    }
}
