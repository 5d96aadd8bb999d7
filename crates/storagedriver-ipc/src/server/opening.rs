//! The first two calls: which version is spoken, and the driver made from its parameters.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use storagedriver::{Error, Factory, Registration, Result, Storage};
use tokio::sync::OnceCell;
use tonic::Status;

use crate::proto::{NegotiateReply, NegotiateRequest, OpenReply, OpenRequest};
use crate::{VERSION, convert};

/// What the calls beyond the least are: every driver of the model has them.
const CAPABILITIES: [&str; 2] = ["examine", "redirect"];

/// A driver that is open, or will be.
pub(super) struct Opening {
    factory: Factory,
    /// The driver's name, before it is open.
    name: String,
    program: String,
    storage: OnceCell<Storage>,
}

impl Opening {
    /// One of these drivers, to be opened by the host; the first, if it does not say which.
    pub(super) fn later(registrations: &[Registration]) -> Self {
        let first = registrations.first();
        Opening {
            factory: registrations.iter().fold(Factory::new(), |factory, driver| factory.with(*driver)),
            name: first.map(|driver| driver.name.to_owned()).unwrap_or_default(),
            program: first
                .map_or_else(own_program, |driver| format!("{} {}", driver.crate_name, driver.crate_version)),
            storage: OnceCell::new(),
        }
    }

    /// A driver that is open already.
    pub(super) fn done(storage: Storage) -> Self {
        Opening {
            factory: Factory::new(),
            name: storage.name().to_owned(),
            program: own_program(),
            storage: OnceCell::new_with(Some(storage)),
        }
    }

    /// The driver, once it is open.
    pub(super) fn storage(&self) -> Result<Storage, Status> {
        let unopened = || Status::failed_precondition("the driver is not open: the call `Open` comes first");
        self.storage.get().cloned().ok_or_else(unopened)
    }

    pub(super) fn negotiate(&self, request: &NegotiateRequest) -> NegotiateReply {
        let is_spoken = (request.min_version..=request.max_version).contains(&VERSION);
        NegotiateReply {
            version: if is_spoken { VERSION } else { 0 },
            min_version: VERSION,
            max_version: VERSION,
            program: self.program.clone(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            driver: self.storage.get().map_or(self.name.as_str(), Storage::name).to_owned(),
        }
    }

    pub(super) async fn open(&self, request: OpenRequest) -> Result<OpenReply, Status> {
        let has_parameters = !request.parameters.is_empty();
        let mut is_first = false;
        let first = &mut is_first;
        let made = self.storage.get_or_try_init(|| async move {
            *first = true;
            let parameters = convert::from_value_map(request.parameters);
            // An executable that holds one driver may be called anything.
            let is_known = matches!(self.factory.find(&request.driver), Ok(Some(_)));
            let is_only = self.factory.registered().len() == 1;
            let name = if is_only && !is_known { &self.name } else { &request.driver };
            let made = AssertUnwindSafe(self.factory.create(name, parameters)).catch_unwind().await;
            made.unwrap_or_else(|_| {
                Err(Error::invalid_configuration(
                    "the driver panicked when it was opened; its log says where",
                ))
            })
        });
        let storage = made.await.map_err(|error| convert::to_status(&error))?;
        if !is_first && has_parameters {
            let reason = "the driver is open already: further parameters have to be empty";
            return Err(convert::to_status(&Error::invalid_configuration(reason)));
        }
        Ok(reply(storage))
    }
}

fn own_program() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn reply(storage: &Storage) -> OpenReply {
    let limits = storage.limits();
    let limit = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    OpenReply {
        lacking: storage.guarantees().lacking().map(|guarantee| guarantee.as_str().to_owned()).collect(),
        path_limit: limit(limits.path),
        component_limit: limit(limits.component),
        key_prefix: key_prefix(storage),
    }
}

/// What stands before a path's name in the backend's, if it is the same before two that differ.
fn key_prefix(storage: &Storage) -> Option<String> {
    let prefix = |path: &str| {
        let key = storage.backend_key(path).ok()??;
        key.strip_suffix(path.trim_start_matches('/')).map(str::to_owned)
    };
    let first = prefix("/a")?;
    (prefix("/b/c")? == first).then_some(first)
}
