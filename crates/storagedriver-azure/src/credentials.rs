//! The credentials of requests: an account key, a signature that was given, or tokens that
//! `object_store` fetches and keeps fresh.

use std::error::Error as StdError;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use object_store::azure::{AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder};
use object_store::client::{HttpError, HttpErrorKind};
use storagedriver::{ErrorKind, Result};
use storagedriver_object::http::Connector;
use storagedriver_object::{StoreError, StoreResult};

use crate::account::{Account, Method};
use crate::parameters::invalid;

/// The source of credentials of one driver.
#[derive(Debug)]
pub(crate) struct Credentials {
    account: Account,
    connector: Connector,
    provider: RwLock<AzureCredentialProvider>,
}

impl Credentials {
    /// Makes no request.
    pub(crate) fn new(account: Account, connector: Connector) -> Result<Self> {
        let provider =
            provider(&account, &connector).map_err(|error| invalid("credentials", error.to_string()))?;
        Ok(Credentials { account, connector, provider: RwLock::new(provider) })
    }

    pub(crate) async fn get(&self) -> StoreResult<Arc<AzureCredential>> {
        let provider = self.provider.read().unwrap_or_else(PoisonError::into_inner).clone();
        provider.get_credential().await.map_err(|error| self.refused(error))
    }

    /// Forgets the token; whether the next one may be another.
    pub(crate) fn renew(&self) -> bool {
        if matches!(self.account.method, Method::Key(_) | Method::Sas(_)) {
            return false;
        }
        let Ok(fresh) = provider(&self.account, &self.connector) else { return false };
        *self.provider.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        true
    }

    /// The key that signs URLs, if requests are signed with the account's.
    pub(crate) fn signing_key(&self) -> Option<Vec<u8>> {
        match &self.account.method {
            Method::Key(key) => BASE64_STANDARD.decode(key.reveal()).ok(),
            _ => None,
        }
    }

    /// Whether URLs can be signed with a key of the user's delegation.
    pub(crate) fn has_tokens(&self) -> bool {
        !matches!(self.account.method, Method::Key(_) | Method::Sas(_))
    }

    /// The query that makes a URL readable, where requests carry a signature of their own.
    pub(crate) fn query(&self) -> Option<String> {
        match &self.account.method {
            Method::Sas(sas) => Some(sas.reveal().trim().trim_start_matches('?').to_owned()),
            _ => None,
        }
    }

    fn refused(&self, error: object_store::Error) -> StoreError {
        let (from, advice) = match &self.account.method {
            Method::ClientSecret { .. } => {
                ("Entra", "check credentials.clientid, tenantid, secret and authorityhost")
            }
            Method::WorkloadIdentity { .. } => (
                "Entra for the workload identity",
                "check the federated token file, the client and tenant id, and the identity's federation",
            ),
            Method::ManagedIdentity { .. } => (
                "the machine's identity endpoint",
                "run where a managed identity is assigned, or give another credentials.type",
            ),
            Method::AzureCli => ("the Azure CLI", "run `az login`"),
            Method::Key(_) | Method::Sas(_) => ("the configuration", "check it"),
        };
        let kind = if is_outage(&error) { ErrorKind::Unavailable } else { ErrorKind::Unauthenticated };
        StoreError::failed(kind, format!("no token was to be had from {from}: {error}; {advice}"))
            .with_source(error)
    }
}

/// Whether nobody answered, so that another attempt may do better.
fn is_outage(error: &object_store::Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(found) = next {
        if let Some(http) = found.downcast_ref::<HttpError>() {
            let kind = http.kind();
            return matches!(
                kind,
                HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Interrupted
            );
        }
        next = found.source();
    }
    false
}

fn provider(account: &Account, connector: &Connector) -> object_store::Result<AzureCredentialProvider> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&account.name)
        .with_container_name("-")
        .with_endpoint(account.endpoint.clone())
        .with_http_connector(connector.clone());
    if let Some(authority) = &account.authority {
        builder = builder.with_authority_host(authority);
    }
    let (kind, builder) = match &account.method {
        Method::Key(key) => ("access_key", builder.with_access_key(key.reveal())),
        Method::Sas(sas) => ("sas_token", builder.with_config(AzureConfigKey::SasKey, sas.reveal().trim())),
        Method::ClientSecret { client, tenant, secret } => (
            "client_secret",
            builder.with_client_id(client).with_tenant_id(tenant).with_client_secret(secret.reveal()),
        ),
        Method::WorkloadIdentity { client, tenant, file } => (
            "workload_identity",
            builder
                .with_client_id(client)
                .with_tenant_id(tenant)
                .with_federated_token_file(file.to_string_lossy()),
        ),
        Method::ManagedIdentity { client, endpoint } => {
            let builder = match client {
                Some(client) => builder.with_client_id(client),
                None => builder,
            };
            let builder = match endpoint {
                Some(endpoint) => builder.with_msi_endpoint(endpoint),
                None => builder,
            };
            ("managed_identity", builder)
        }
        Method::AzureCli => ("azure_cli", builder),
    };
    let store = builder.with_config(AzureConfigKey::CredentialType, kind).build()?;
    Ok(store.credentials().clone())
}
