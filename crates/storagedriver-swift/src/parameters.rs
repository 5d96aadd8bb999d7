//! What can be configured, and how the factory makes the driver.

use std::sync::Arc;
use std::time::Duration;

use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Error, Registration, Result, Storage};
use storagedriver_object::http::HttpOptions;
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::SwiftBackend;

storagedriver::parameters! {
    /// Parameters of the driver `swift`.
    pub struct SwiftParameters for "swift", case_insensitive {
        /// Where to authenticate: `https://keystone.example.org/v3`, `https://swift.example.org/auth/v1.0`.
        authurl: String = required,
        /// The container. It is made if it is not there and the user may.
        container: String = required,
        /// The user; in version 1 with its account, `account:user`. Not needed with an application credential.
        username: String,
        /// The password; in version 1 the key.
        password: Secret,
        /// The name of the project.
        tenant: String,
        /// The id of the project; goes before its name.
        tenantid: String,
        /// The name of the user's domain.
        domain: String,
        /// The id of the user's domain.
        domainid: String,
        /// The name of the project's domain. Left out, that of the user.
        tenantdomain: String,
        /// The id of the project's domain.
        tenantdomainid: String,
        /// The trust that gives the user its rights, in place of a project.
        trustid: String,
        /// The id of an application credential, in place of user and password.
        applicationcredentialid: String,
        /// The name of an application credential; needs the user, too.
        applicationcredentialname: String,
        /// The secret of the application credential.
        applicationcredentialsecret: Secret,
        /// The region whose endpoint is taken; left out, the first.
        region: String,
        /// The version of the identity API: 1, 2 or 3. 0 reads it off `authurl`.
        authversion: Integer(0 ..= 3) = 0,
        /// Which of the service's endpoints is taken.
        endpointtype: Choice("public", "internal", "admin") = "public",
        /// Whether any certificate is taken for the service's: for tests alone.
        insecureskipverify: Bool = false,
        /// The size of the first segments of an upload; they grow with it.
        chunksize: Bytes(1 MiB ..= 5 GiB) = 20 MiB,
        /// What the names of all objects begin with.
        prefix: String = "",
        /// The key of temporary URLs. Left out, one that the container or the account has is used, else one is made.
        secretkey: Secret,
        /// For clouds in the manner of HP's: signatures get the project's id and this before them.
        accesskey: String,
        /// Whether the key of temporary URLs is the container's, where the cluster does not tell at `/info` what it has.
        tempurlcontainerkey: Bool = false,
        /// For which methods temporary URLs are made, where the cluster does not tell at `/info` what it has.
        tempurlmethods: List,
        /// How many operations run at once, streams and steps of walks included.
        maxconcurrency: Limit(25) = 50,
        /// The `User-Agent` of the requests.
        useragent: String,
        /// How long no byte may move before a request counts as dead.
        stalltimeout: Duration(1 s ..) = "60s",
    }
    ignored {
        "rootdirectory": "Distribution's driver reads only `prefix`; its sample configuration is wrong"
    }
}

impl SwiftParameters {
    /// The defaults, for this container.
    pub fn new(authurl: impl Into<String>, container: impl Into<String>) -> Self {
        SwiftParameters {
            authurl: authurl.into(),
            container: container.into(),
            username: None,
            password: None,
            tenant: None,
            tenantid: None,
            domain: None,
            domainid: None,
            tenantdomain: None,
            tenantdomainid: None,
            trustid: None,
            applicationcredentialid: None,
            applicationcredentialname: None,
            applicationcredentialsecret: None,
            region: None,
            authversion: 0,
            endpointtype: "public",
            insecureskipverify: false,
            chunksize: 20 << 20,
            prefix: String::new(),
            secretkey: None,
            accesskey: None,
            tempurlcontainerkey: false,
            tempurlmethods: None,
            maxconcurrency: 50,
            useragent: None,
            stalltimeout: Duration::from_secs(60),
        }
    }

    /// The storage, with the limit of operations at once: what the factory makes. Makes no request.
    ///
    /// # Errors
    /// As [`SwiftBackend::new`].
    pub fn into_storage(self) -> Result<Storage> {
        let backend = SwiftBackend::new(&self)?;
        Ok(self.storage(backend))
    }

    /// The same, of a backend that was made with other settings.
    pub fn storage(&self, backend: SwiftBackend) -> Storage {
        let driver = Arc::new(ObjectDriver::new(backend, self.options()));
        Storage::new(ConcurrencyLimit::new(driver, self.maxconcurrency.max(25)))
    }

    /// What the engine is told: for a driver that is made of other parts.
    pub fn options(&self) -> ObjectOptions {
        let mut options = ObjectOptions::default();
        // As Distribution joins them.
        options.root = format!("{}/files", self.prefix);
        options.part_size = self.chunksize;
        options
    }

    /// The settings of the HTTP client.
    pub(crate) fn http(&self) -> HttpOptions {
        let mut options = HttpOptions::default();
        options.stall_timeout = self.stalltimeout;
        options.skip_verify = self.insecureskipverify;
        if let Some(agent) = &self.useragent {
            options.user_agent.clone_from(agent);
        }
        options
    }
}

pub(crate) fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("swift", parameter, reason)
}

/// The registration of the driver `swift`.
pub const DRIVER: Registration = Registration::new(
    "swift",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a container of OpenStack Swift or of Ceph's gateway",
    &SwiftParameters::TABLE,
    |parameters| Box::pin(async move { SwiftParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);

#[cfg(test)]
mod tests {
    use storagedriver::{ErrorKind, Factory, Parameters};

    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, value) in [("authurl", "http://127.0.0.1:9/v3"), ("container", "c")].iter().chain(pairs) {
            parameters.insert(*name, *value);
        }
        parameters
    }

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let parsed = SwiftParameters::parse(given(&[])).unwrap();
        assert_eq!(
            format!("{parsed:?}"),
            format!("{:?}", SwiftParameters::new("http://127.0.0.1:9/v3", "c"))
        );
    }

    #[tokio::test]
    async fn the_factory_makes_it_without_a_request_and_names_objects_as_distribution_does() {
        for (prefix, key) in
            [("", "files/x"), ("a", "a/files/x"), ("/a/", "a//files/x"), ("/a/b", "a/b/files/x")]
        {
            // Nothing listens there. Names match in any case.
            let pairs = [("UserName", "u"), ("Password", "p"), ("prefix", prefix)];
            let storage = Factory::new().with(DRIVER).create("swift", given(&pairs)).await.unwrap();
            assert_eq!(storage.name(), "swift");
            assert_eq!(storage.backend_key("/x").unwrap().as_deref(), Some(key));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_by_name() {
        for (pairs, name) in [
            (vec![], "username"),
            (vec![("username", "u")], "password"),
            (vec![("applicationcredentialid", "a")], "applicationcredentialsecret"),
            (
                vec![("username", "u"), ("password", "p"), ("authurl", "http://127.0.0.1:9/identity")],
                "authversion",
            ),
            (vec![("username", "u"), ("password", "p"), ("authurl", "keystone/v3")], "authurl"),
            (vec![("username", "u"), ("password", "p"), ("chunksize", "1000")], "chunksize"),
            (vec![("username", "u"), ("password", "p"), ("container", "a/b")], "container"),
            (vec![("username", "u"), ("password", "p"), ("endpointtype", "secret")], "endpointtype"),
            (vec![("username", "u"), ("password", "p"), ("trustid", "t"), ("authversion", "2")], "trustid"),
        ] {
            let error = Factory::new().with(DRIVER).create("swift", given(&pairs)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let parsed =
            SwiftParameters::parse(given(&[("username", "u"), ("password", "hush"), ("secretkey", "hush")]));
        assert!(!format!("{:?}", parsed.unwrap()).contains("hush"));
    }
}
