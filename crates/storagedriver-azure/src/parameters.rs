//! What can be configured, and how the factory makes the driver.

use storagedriver::{Error, Registration, Result, Storage};
use storagedriver_object::http::HttpOptions;
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::AzureBackend;
use crate::account::Account;

storagedriver::parameters! {
    /// Parameters of the driver `azure`.
    pub struct AzureParameters for "azure", case_insensitive {
        /// The storage account.
        accountname: String { required_unless: "connectionstring" },
        /// The account's key, in base64.
        accountkey: Secret,
        /// The container; it has to exist.
        container: String = required,
        /// What requests are authorised by; `default` is `default_credentials`. Left out, what is
        /// given decides: an account key, a SAS, a client secret.
        credentials_type: Choice(
            "shared_key", "sas_token", "client_secret", "managed_identity", "workload_identity",
            "azure_cli", "default_credentials", "default"
        ) { name: "credentials.type" },
        /// The application's (client) id, or that of a user-assigned managed identity.
        credentials_clientid: String { name: "credentials.clientid" },
        /// The Entra tenant.
        credentials_tenantid: String { name: "credentials.tenantid" },
        /// The application's client secret.
        credentials_secret: Secret { name: "credentials.secret" },
        /// Where tokens are asked for; by default that of the realm, or `AZURE_AUTHORITY_HOST`.
        credentials_authorityhost: String { name: "credentials.authorityhost" },
        /// The file with the federated token of a workload identity; by default
        /// `AZURE_FEDERATED_TOKEN_FILE`.
        credentials_tokenfile: Path { name: "credentials.tokenfile" },
        /// A shared access signature for the container or the account: its query, with or without
        /// the `?`. It needs the permissions r, w, d, l, c and a.
        sastoken: Secret,
        /// A connection string, as the portal shows it. What it says and another parameter
        /// contradicts is an error.
        connectionstring: Secret,
        /// The domain of the cloud.
        realm: String = "core.windows.net",
        /// The URL of the blob service, in place of `https://<accountname>.blob.<realm>`.
        serviceurl: String,
        /// What all names begin with.
        rootdirectory: String = "",
        /// Whether names begin with the slash that Distribution 2 gave them.
        legacyrootprefix: Bool,
        /// The opposite of `legacyrootprefix`, as GitLab's registry has it; unlike there, leaving it
        /// out means that there is no slash.
        trimlegacyrootprefix: Bool,
        /// How often a copy that makes no progress is looked at before it is given up, and at least
        /// for `stalltimeout`; 0 counts as 5, and -1 is without end.
        max_retries: Integer(-1 ..) = 5 { aliases: ["copy_status_poll_max_retry"] },
        /// How long to wait before a copy is looked at first; each further wait is longer by as much,
        /// up to 5 s.
        retry_delay: Duration = "100ms" { aliases: ["copy_status_poll_delay"] },
        /// Whether any certificate is taken for the store's: for tests alone.
        skipverify: Bool = false,
        /// The size of the first blocks of an upload; they grow with it.
        chunksize: Bytes(1 KiB ..= 256 MiB) = 10 MiB,
        /// How long no byte may move before a request counts as dead.
        stalltimeout: Duration(1 s ..) = "60s",
    }
}

impl AzureParameters {
    /// The storage: what the factory makes. Makes no request, and reads `AZURE_*` from the environment
    /// only where the credentials come from there.
    ///
    /// # Errors
    /// `InvalidParameter` if parameters contradict each other or something is missing.
    pub fn into_storage(self) -> Result<Storage> {
        let mut options = ObjectOptions::default();
        options.root.clone_from(&self.rootdirectory);
        options.part_size = self.chunksize;
        Ok(Storage::new(ObjectDriver::new(AzureBackend::new(&self)?, options)))
    }

    pub(crate) fn account(&self) -> Result<Account> {
        Account::of(self)
    }

    /// Whether the names have the slash of Distribution 2.
    pub(crate) fn slash(&self) -> Result<bool> {
        match (self.legacyrootprefix, self.trimlegacyrootprefix) {
            (Some(legacy), Some(trim)) if legacy == trim => {
                Err(invalid("trimlegacyrootprefix", "contradicts legacyrootprefix; give one of them"))
            }
            (Some(legacy), _) => Ok(legacy),
            (None, Some(trim)) => Ok(!trim),
            (None, None) => Ok(false),
        }
    }

    pub(crate) fn http(&self) -> HttpOptions {
        let mut options = HttpOptions::default();
        options.skip_verify = self.skipverify;
        options.stall_timeout = self.stalltimeout;
        options
    }
}

pub(crate) fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("azure", parameter, reason)
}

/// The registration of the driver `azure`.
pub const DRIVER: Registration = Registration::new(
    "azure",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a container of Azure Blob Storage",
    &AzureParameters::TABLE,
    |parameters| Box::pin(async move { AzureParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);
