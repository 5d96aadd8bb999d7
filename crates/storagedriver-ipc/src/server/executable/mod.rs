//! The whole of an executable `registry-storage-<name>`.

mod arguments;
mod lifeline;
mod parameters;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use storagedriver::{Factory, Registration};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;

use self::arguments::{Arguments, Asked};
use super::{Server, SocketFile};

/// Where the host wants the driver to listen.
const SOCKET: &str = "STORAGEDRIVER_SOCKET";

/// How the driver notices that its host is gone.
const LIFELINE: &str = "STORAGEDRIVER_LIFELINE";

/// How long what the runtime still does may take when everything has ended.
const SHUTDOWN: Duration = Duration::from_millis(200);

/// Why the process ends without having served.
enum Failure {
    /// How it was started: exit code 2.
    Usage(String),
    /// What it met: exit code 1.
    Met(String),
}

/// What `fn main` of an executable `registry-storage-<name>` does: serves the driver on the socket that the host
/// asks for and ends with the host, or, started by hand, opens the driver from a JSON map in the first argument and
/// prints the path of its socket. `docs/out-of-process.md` says what the environment and the arguments are.
///
/// An executable that holds several drivers is the one that its own name says, else the first; a host may open any of
/// them.
///
/// ```no_run
/// # use storagedriver::{Error, Registration};
/// # storagedriver::parameters! {
/// #     /// None.
/// #     pub struct ExampleParameters for "example" {
/// #         /// The directory that everything lies below.
/// #         rootdirectory: Path = required,
/// #     }
/// # }
/// const DRIVER: Registration = Registration::new(
///     // …
/// #   "example",
/// #   env!("CARGO_PKG_NAME"),
/// #   env!("CARGO_PKG_VERSION"),
/// #   "An example, that cannot be made",
/// #   &ExampleParameters::TABLE,
/// #   |_| Box::pin(async { Err(Error::invalid_configuration("it cannot be made")) }),
/// );
///
/// fn main() -> std::process::ExitCode {
///     storagedriver_ipc::main(&[DRIVER])
/// }
/// ```
pub fn main(registrations: &[Registration]) -> ExitCode {
    main_with(registrations, env::args_os())
}

/// As [`main`], with these arguments instead of the process's own, the executable's path first: for an executable
/// that does other things too.
pub fn main_with(registrations: &[Registration], arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    let registrations = by_own_name(registrations, words.next());
    let (code, text) = match run(&registrations, words.collect()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Met(text)) => (1, text),
    };
    let name = registrations.first().map_or("", |driver| driver.name);
    // With standard error gone there is nobody to tell; the exit code still does.
    let _ = writeln!(io::stderr(), "registry-storage-{name}: {text}");
    ExitCode::from(code)
}

/// The drivers, first the one that the executable is called after.
fn by_own_name(registrations: &[Registration], own: Option<OsString>) -> Vec<Registration> {
    let own = own.map(PathBuf::from).unwrap_or_default();
    let own = own.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let name = own.strip_prefix("registry-storage-").unwrap_or_default();
    let mut registrations = registrations.to_vec();
    registrations.sort_by_key(|driver| driver.name != name);
    registrations
}

fn run(registrations: &[Registration], words: Vec<OsString>) -> Result<(), Failure> {
    let Some(driver) = registrations.first() else {
        return Err(Failure::Usage("this executable holds no driver".to_owned()));
    };
    let asked = match arguments::parse(words).map_err(Failure::Usage)? {
        Arguments::Help => return say(&arguments::help(driver)),
        Arguments::Version => {
            return say(&format!("{} ({} {})\n", driver.name, driver.crate_name, driver.crate_version));
        }
        Arguments::Asked(asked) => asked,
    };
    match env::var_os(SOCKET) {
        Some(_) if asked != Asked::default() => Err(Failure::Usage(format!(
            "{SOCKET} is set: a host starts it without arguments and sends the parameters over that socket"
        ))),
        Some(socket) => for_host(registrations, Path::new(&socket)),
        None => by_hand(*driver, asked),
    }
}

fn say(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::Met(error.to_string()))
}

fn for_host(registrations: &[Registration], socket: &Path) -> Result<(), Failure> {
    let has_lifeline = match env::var(LIFELINE) {
        Ok(value) if value == "stdin" => true,
        Err(env::VarError::NotPresent) => false,
        _ => {
            return Err(Failure::Usage(format!(
                "{LIFELINE} is not `stdin`, which is all that this driver knows"
            )));
        }
    };
    // The host knows when a line came.
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_ansi(false);
    let _ = log.with_writer(io::stderr).without_time().try_init();
    with_runtime(async {
        let ended = signals()?;
        let host = async { if has_lifeline { lifeline::cut().await } else { std::future::pending().await } };
        let listener = UnixListener::bind(socket).map_err(|error| cannot_listen(socket, &error))?;
        let shutdown = async {
            tokio::select! {
                () = ended => {}
                () = host => {}
            }
        };
        let served = Server::any_of(registrations).serve(listener, shutdown).await;
        served.map_err(|error| Failure::Met(error.to_string()))
    })
}

fn by_hand(driver: Registration, asked: Asked) -> Result<(), Failure> {
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_ansi(false);
    let _ = log.with_writer(io::stderr).try_init();
    with_runtime(async {
        let ended = signals()?;
        let factory = Factory::new().with(driver);
        let opening = factory.create(driver.name, asked.parameters);
        let storage = opening.await.map_err(|error| Failure::Met(error.to_string()))?;
        let file = match &asked.socket {
            Some(path) => SocketFile::bind(path).map_err(|error| cannot_listen(path, &error))?,
            None => SocketFile::private(&format!("registry-storage-{}", driver.name)).map_err(|error| {
                Failure::Met(format!("making a private directory for the socket: {error}"))
            })?,
        };
        let listener = file.listener().map_err(|error| cannot_listen(file.path(), &error))?;
        say(&format!("{}\n", file.path().display()))?;
        let served = Server::opened(storage).serve(listener, ended).await;
        served.map_err(|error| Failure::Met(error.to_string()))
    })
}

fn cannot_listen(path: &Path, error: &io::Error) -> Failure {
    Failure::Met(format!("listening on {}: {error}", path.display()))
}

fn with_runtime(serving: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = Runtime::new().map_err(|error| Failure::Met(format!("starting the runtime: {error}")))?;
    let outcome = runtime.block_on(serving);
    runtime.shutdown_timeout(SHUTDOWN);
    outcome
}

/// Done when the process is told to end.
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::Met(format!("listening for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_is_the_driver_that_it_is_called_after() {
        storagedriver::parameters! {
            /// None.
            pub struct NoParameters for "one" {
                /// Not used.
                unused: String,
            }
        }
        let registration = |name| {
            Registration::new(name, "crate", "0.0.0", "a driver", &NoParameters::TABLE, |_| {
                Box::pin(async { Err(storagedriver::Error::invalid_configuration("none")) })
            })
        };
        let both = [registration("one"), registration("two")];
        let first = |own: &str| by_own_name(&both, Some(own.into())).first().unwrap().name;
        assert_eq!(first("/usr/bin/registry-storage-two"), "two");
        assert_eq!(first("registry-storage-one"), "one");
        assert_eq!(first("renamed"), "one");
        assert_eq!(by_own_name(&both, None).len(), 2);
    }
}
