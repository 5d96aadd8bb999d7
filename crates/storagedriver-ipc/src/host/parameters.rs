//! The driver `external`, and the resolver.

use std::path::{Path, PathBuf};

use storagedriver::{Error, Parameters, Registration, Resolver, Result, Storage, Value};

use super::external::External;
use super::find;
use super::launch::{Launch, Target};
use super::opened::{VERSIONS, is_name};

storagedriver::parameters! {
    /// Parameters of the driver `external`: a driver that is an executable of its own.
    pub struct ExternalParameters for "external" {
        /// The name of the driver: the executable `registry-storage-<name>` on `PATH` is started. Required unless `path` or `socket` is
        /// given; then the driver there must have this name.
        driver: String,
        /// The executable, instead of one on `PATH`. If its name is `registry-storage-<name>`, that is the `driver`, unless given; with another
        /// name and no `driver` it may be any.
        path: Path,
        /// The socket of a driver that runs already and is open: no process is started, and it takes no parameters.
        socket: Path,
        /// How long the driver may take from its start until it is open.
        starttimeout: Duration(1 s ..= 1 h) = "30s",
        /// How long a call that does not stream may take; 0: as long as it likes.
        timeout: Duration(0 s ..= 24 h) = "0s",
        /// The parameters of the driver. Without this, every parameter that is none of the above is one of the driver.
        parameters: Map,
    }
}

/// The driver `external`: one that is an executable of its own.
pub const DRIVER: Registration = Registration::new(
    "external",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "A driver in a process of its own: registry-storage-<name>",
    &ExternalParameters::TABLE,
    |parameters| Box::pin(create(parameters)),
);

storagedriver::register!(DRIVER);

/// Finds the executable `registry-storage-<name>` of a driver that no linked crate holds, on `PATH`. All parameters are the driver's, unless
/// `path` is that of a file of this name: then that is the executable, and `starttimeout` and `timeout` are the host's as they are those
/// of `external`.
pub const RESOLVER: Resolver =
    Resolver::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), |name, parameters| {
        Box::pin(resolve(name, parameters))
    });

storagedriver::register!(RESOLVER);

async fn resolve(name: String, mut parameters: Parameters) -> Result<Option<Storage>> {
    let mut given = Parameters::from_iter([("driver", name.as_str())]);
    if is_executable_of(&name, &parameters) {
        for option in ["path", "starttimeout", "timeout"] {
            given.insert(option, parameters.remove(option));
        }
    } else if find::on_path(&name)?.is_none() {
        return Ok(None);
    }
    given.insert("parameters", parameters);
    Ok(Some(create(given).await?))
}

/// Whether `path` is the host's: no driver has a file of that name for its data.
fn is_executable_of(name: &str, parameters: &Parameters) -> bool {
    let Some(Value::String(path)) = parameters.get("path") else { return false };
    named_by(Path::new(path)).is_some_and(|driver| driver == name)
}

/// The driver that an executable's name says.
fn named_by(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_prefix(find::PREFIX)?;
    is_name(name).then(|| name.to_owned())
}

async fn create(parameters: Parameters) -> Result<Storage> {
    Ok(Storage::new(External::start(launch(parameters)?).await?))
}

/// How to start what the parameters of `external` say.
fn launch(given: Parameters) -> Result<Launch> {
    let (own, others) = split(given);
    let own = ExternalParameters::parse(own)?;
    let invalid =
        |parameter: &str, reason: String| Err(Error::invalid_parameter("external", parameter, reason));
    if let Some(driver) = own.driver.as_deref().filter(|driver| !is_name(driver)) {
        return invalid("driver", format!("{driver:?} is no name of a driver; allowed: [a-z0-9-]+"));
    }
    let parameters = own.parameters.unwrap_or(others);
    let driver = own.driver.or_else(|| own.path.as_deref().and_then(named_by));
    let target = match (own.path, own.socket) {
        (Some(_), Some(_)) => {
            return invalid(
                "socket",
                "cannot be given with \"path\": either a driver is started, or it runs already".to_owned(),
            );
        }
        (None, Some(_)) if !parameters.is_empty() => {
            return invalid(
                "socket",
                format!("a driver that runs already takes no parameters; given are {parameters:?}"),
            );
        }
        (None, Some(socket)) => Target::Socket(socket),
        (Some(path), None) => Target::Executable(executable(path)?),
        (None, None) => {
            let Some(name) = driver.as_deref() else {
                return invalid("driver", "is required unless \"path\" or \"socket\" is given".to_owned());
            };
            match find::on_path(name)? {
                Some(executable) => Target::Executable(executable),
                None => {
                    let file = format!("{}{name}", find::PREFIX);
                    return invalid(
                        "driver",
                        format!("there is no {file:?} on PATH; install it there, or give its \"path\""),
                    );
                }
            }
        }
    };
    Ok(Launch {
        target,
        driver,
        parameters,
        start_timeout: own.starttimeout,
        call_timeout: Some(own.timeout).filter(|timeout| !timeout.is_zero()),
        versions: VERSIONS,
    })
}

fn executable(path: PathBuf) -> Result<PathBuf> {
    match find::check(&path) {
        Ok(()) => Ok(path),
        Err(why) => {
            let why = why.unwrap_or_else(|| "is not there".to_owned());
            Err(Error::invalid_parameter("external", "path", format!("{}: {why}", path.display())))
        }
    }
}

/// Splits what was given into what is of `external` and what is of the driver. With `parameters` nothing is of the driver but what is in
/// there.
fn split(given: Parameters) -> (Parameters, Parameters) {
    if given.get("parameters").is_some_and(|parameters| !parameters.is_null()) {
        return (given, Parameters::new());
    }
    let own =
        |name: &str| ExternalParameters::TABLE.parameters.iter().any(|parameter| parameter.name == name);
    let (ours, others): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| own(name));
    (ours.into_iter().collect(), others.into_iter().collect())
}
