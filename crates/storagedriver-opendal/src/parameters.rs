//! What can be configured, and how the factory makes the driver.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use opendal::Operator;
use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Error, Parameters, Registration, Result, Secret, Storage, Value};

use crate::{OpenDal, OpenDalOptions, Review};

storagedriver::parameters! {
    /// Parameters of the driver `opendal`.
    pub struct OpenDalParameters for "opendal" {
        /// The service, by OpenDAL's name for it. All parameters that do not stand here are the service's own, by the
        /// names that OpenDAL gives them.
        service: String = required,
        /// The size of the first segments of an upload; they grow with it.
        chunksize: Bytes(64 KiB ..= 1 GiB) = 10 MiB,
        /// How many operations run at once, streams and steps of walks included.
        maxconcurrency: Limit(25) = 100,
        /// Whether the service refuses a write whose condition does not hold, where OpenDAL can send one: `always`, `never`, or
        /// what the reviewed list says.
        conditions: Choice("reviewed", "always", "never") = "reviewed",
        /// Parameters of the service, too; for names that this driver has.
        options: Map,
        /// The service's own: of `azblob`.
        account_key: Secret,
        /// The service's own: of `azblob`.
        sas_token: Secret,
        /// The service's own: of `gcs`.
        credential: Secret,
        /// The service's own: of `webdav`.
        password: Secret,
        /// The service's own: of `s3`, `obs`, `oss`.
        access_key_secret: Secret,
        /// The service's own: of `s3`, `obs`.
        secret_access_key: Secret,
        /// The service's own: of `cos`.
        secret_key: Secret,
        /// The service's own: of `s3`, `oss`.
        session_token: Secret,
        /// The service's own: of `webdav`, `gcs`.
        token: Secret,
    }
}

/// The driver `opendal`.
pub const DRIVER: Registration = Registration::new(
    "opendal",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "Any service of Apache OpenDAL",
    &OpenDalParameters::TABLE,
    |parameters| Box::pin(async { create(parameters) }),
);

storagedriver::register!(DRIVER);

/// What is not in the table is the service's own.
fn create(parameters: Parameters) -> Result<Storage> {
    let mut known = Parameters::new();
    let mut own = Parameters::new();
    for (name, value) in parameters.iter() {
        let to = if OpenDalParameters::TABLE.find(name).is_some() { &mut known } else { &mut own };
        to.insert(name, value.clone());
    }
    if let Some(Value::Map(options)) = known.get("options") {
        for (name, value) in options.iter() {
            own.insert(name, value.clone());
        }
    }
    known.insert("options", own);
    OpenDalParameters::parse(known)?.into_storage()
}

impl OpenDalParameters {
    /// The storage, with the limit of operations at once: what the factory makes. Sends nothing; the directory
    /// of `fs` is made if it is absent.
    ///
    /// # Errors
    /// `InvalidParameter` if there is no such service in this program, if it refuses its parameters, or if it cannot
    /// do what a registry needs.
    pub fn into_storage(self) -> Result<Storage> {
        opendal::init_default_registry();
        let refused = |error: opendal::Error| match error.kind() {
            opendal::ErrorKind::Unsupported => {
                let mut there: Vec<String> = opendal::OperatorRegistry::get().schemes().into_iter().collect();
                there.sort();
                let reason = format!(
                    "{} is not compiled in; this program has {}. The crate has a feature for each",
                    self.service,
                    there.join(", ")
                );
                invalid("service", reason)
            }
            // Its text may hold what it was given.
            _ => invalid("service", format!("{} refuses its parameters: {}", self.service, error.message())),
        };
        let operator = Operator::via_iter(&self.service, self.settings()?).map_err(refused)?;
        let operator = over_http(operator)?;
        let mut review = Review::of(&operator.info());
        let capability = operator.info().capability();
        match self.conditions {
            "always" => {
                review.description.conditional_put =
                    capability.write_with_if_match && capability.write_with_if_not_exists;
            }
            "never" => {
                review.description.conditional_put = review.private;
                review.description.conditional_delete = review.private;
            }
            _ => {}
        }
        let mut options = OpenDalOptions { review: Some(review), ..OpenDalOptions::default() };
        options.engine.part_size = self.chunksize;
        let driver = Arc::new(OpenDal::with_options(operator, options)?);
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxconcurrency.max(25))))
    }

    /// The service's own parameters.
    fn settings(&self) -> Result<BTreeMap<String, String>> {
        let mut settings = BTreeMap::new();
        for (name, value) in self.options.iter().flat_map(Parameters::iter) {
            settings.insert(name.to_owned(), text(name, value)?);
        }
        let secrets = [
            ("account_key", &self.account_key),
            ("sas_token", &self.sas_token),
            ("credential", &self.credential),
            ("password", &self.password),
            ("access_key_secret", &self.access_key_secret),
            ("secret_access_key", &self.secret_access_key),
            ("secret_key", &self.secret_key),
            ("session_token", &self.session_token),
            ("token", &self.token),
        ];
        for (name, secret) in secrets {
            settings
                .extend(secret.as_ref().map(|secret: &Secret| (name.to_owned(), secret.reveal().to_owned())));
        }
        if self.service == "fs"
            && !settings.contains_key("atomic_write_dir")
            && let Some(root) = settings.get("root")
        {
            // Without it a reader would see half of what is written. No path can have the name.
            let staging = Path::new(root).join("~writing").display().to_string();
            settings.insert("atomic_write_dir".to_owned(), staging);
        }
        Ok(settings)
    }
}

/// With the HTTP client of the other drivers, and retries; services that are on this machine have no use for
/// either.
#[cfg(feature = "http")]
fn over_http(operator: Operator) -> Result<Operator> {
    use opendal::layers::RetryLayer;
    use opendal::{HttpTransporter, OperationContext};
    use opendal_http_transport_reqwest::ReqwestTransport;
    use storagedriver_object::http::HttpOptions;

    if matches!(operator.info().scheme(), "fs" | "memory") {
        return Ok(operator);
    }
    let client = HttpOptions::default().client();
    let client = client.map_err(|error| invalid("service", format!("TLS cannot be set up: {error}")))?;
    let transport = HttpTransporter::new(ReqwestTransport::new(client));
    let context = OperationContext::new().with_http_transport(transport);
    Ok(operator.with_context(context).layer(RetryLayer::new().with_max_times(5).with_jitter()))
}

#[cfg(not(feature = "http"))]
fn over_http(operator: Operator) -> Result<Operator> {
    Ok(operator)
}

fn text(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(switch) => Ok(switch.to_string()),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(invalid(name, format!("is {}, not text", other.kind()))),
    }
}

pub(crate) fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("opendal", parameter, reason)
}

#[cfg(test)]
mod tests {
    use storagedriver::{ErrorKind, Guarantee};

    use super::*;

    async fn made(pairs: &[(&str, &str)]) -> Result<Storage> {
        storagedriver::factory::create("opendal", Parameters::from_iter(pairs.iter().copied())).await
    }

    #[tokio::test]
    async fn a_service_gets_its_own_parameters() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root").display().to_string();
        let storage = made(&[("service", "fs"), ("root", &root)]).await.unwrap();
        storage.put_content("/a/b", "content").await.unwrap();
        // As others see it.
        assert_eq!(std::fs::read_to_string(format!("{root}/a/b")).unwrap(), "content");
        assert!(storage.guarantees().has(Guarantee::AtomicReplace));
        storage.rename("/a/b", "/c/d").await.unwrap();
        storage.delete("/c").await.unwrap();
        let left: Vec<_> =
            std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["~writing"]);
        assert_eq!(storage.list("/").await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_is_lacking_is_told() {
        let storage = made(&[("service", "memory")]).await.unwrap();
        let lacking: Vec<Guarantee> = storage.guarantees().lacking().collect();
        assert_eq!(lacking, [Guarantee::Durable, Guarantee::Shared, Guarantee::AtomicRename]);
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_and_secrets_are_not_shown() {
        let error = made(&[("service", "nonesuch")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(error.to_string().contains("memory"), "{error}");
        let parameters = [("service", "s3"), ("secret_access_key", "hush")];
        let parsed = OpenDalParameters::parse(Parameters::from_iter(parameters)).unwrap();
        assert!(!format!("{parsed:?}").contains("hush"));
    }
}
