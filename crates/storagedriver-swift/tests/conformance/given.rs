//! The server that is given, for tests that need more of it than a storage.

use std::time::Duration;

use storagedriver::url::Url;
use storagedriver::{Secret, Storage};
use storagedriver_object::ObjectDriver;
use storagedriver_object::http::HttpOptions;
use storagedriver_swift::{SwiftBackend, SwiftParameters};
use storagedriver_testsuites::faults::{FaultProxy, Schedule, swift};

use crate::admin::Admin;
use crate::server;

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// OpenStack Swift with its own users.
    TempAuth,
    /// OpenStack Swift with Keystone.
    Keystone,
    /// Ceph's gateway.
    Ceph,
}

/// Parameters of a place that is nobody else's.
pub(crate) fn parameters() -> SwiftParameters {
    SwiftParameters::parse(server().parameters().unwrap()).unwrap()
}

pub(crate) fn kind(parameters: &SwiftParameters) -> Kind {
    if parameters.authurl.ends_with("/v3") {
        Kind::Keystone
    } else if parameters.username.as_deref().is_some_and(|user| user.ends_with(":swift")) {
        Kind::Ceph
    } else {
        Kind::TempAuth
    }
}

/// A driver that waits little between attempts, and tells of uploads and claims of any age.
pub(crate) fn open(parameters: &SwiftParameters, attempts: u32) -> Storage {
    let mut http = HttpOptions::default();
    http.attempts = attempts;
    http.first_wait = Duration::from_millis(1);
    http.max_wait = Duration::from_millis(20);
    http.stall_timeout = Duration::from_secs(60);
    let mut options = parameters.options();
    options.orphan_age = Duration::ZERO;
    let backend = SwiftBackend::with_options(parameters, http, Duration::ZERO).unwrap();
    Storage::new(ObjectDriver::new(backend, options))
}

/// A proxy before the server, and the parameters of the way through it. What a server with version 1 of the identity API calls
/// its address is where it was asked; of Keystone the way through the proxy is a region.
pub(crate) async fn proxied(schedule: Schedule) -> (FaultProxy, SwiftParameters) {
    let mut parameters = parameters();
    let admin = Admin::new(&parameters).await;
    let upstream = admin.storage().socket_addrs(|| None).unwrap()[0];
    let schedule = schedule.classified_by(swift::operations_in(&parameters.container));
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let through = |url: &Url| {
        let mut url = url.clone();
        url.set_port(Some(proxy.address().port())).unwrap();
        url
    };
    if kind(&parameters) == Kind::Keystone {
        let region = format!("through-{}", proxy.address().port());
        admin.add_region(&region, &through(admin.storage())).await;
        parameters.region = Some(region);
    } else {
        parameters.authurl = through(&Url::parse(&parameters.authurl).unwrap()).to_string();
    }
    (proxy, parameters)
}

/// The parameters of another user of the same account, in version 1.
pub(crate) fn as_user(parameters: &SwiftParameters, user: &str, key: &str) -> SwiftParameters {
    let mut parameters = parameters.clone();
    parameters.username = Some(user.to_owned());
    parameters.password = Some(Secret::new(key));
    parameters
}
