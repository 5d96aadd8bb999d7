//! Starting a driver: from the executable to the driver that is open.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storagedriver::{Error, Parameters, Result, StoragePath};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::directory::SocketDirectory;
use super::link::Link;
use super::opened::{self, Opened};
use super::process::Process;
use super::secrets::Secrets;
use crate::convert::value_map;
use crate::proto;

/// How long to wait before the socket is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// What is started.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// An executable.
    Executable(PathBuf),
    /// Nothing: a server that runs.
    Socket(PathBuf),
}

/// How to start a driver, the first time and again. Its Debug output shows the names of the parameters only.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) target: Target,
    /// The name that the driver must have; `None`: any.
    pub(super) driver: Option<String>,
    pub(super) parameters: Parameters,
    pub(super) start_timeout: Duration,
    pub(super) call_timeout: Option<Duration>,
    pub(super) versions: RangeInclusive<u32>,
}

/// How far a start has come.
#[derive(Default)]
struct Progress(Mutex<(&'static str, Option<Arc<Process>>)>);

impl Progress {
    fn set(&self, waits_for: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = waits_for;
    }

    fn started(&self, process: &Arc<Process>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(process.clone());
    }

    /// What it waits for, and what the process wrote last.
    fn tell(&self) -> (&'static str, String) {
        let progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (progress.0, progress.1.as_ref().map(|process| process.last_lines()).unwrap_or_default())
    }
}

impl Launch {
    /// Starts the driver, negotiates and opens it.
    ///
    /// # Errors
    /// `InvalidConfiguration` if the executable cannot be started or is no driver for this host; `Unavailable` if it died or took
    /// too long; or what the driver answered.
    pub(super) async fn start(&self) -> Result<(Link, Opened)> {
        let progress = Progress::default();
        match timeout(self.start_timeout, self.steps(&progress)).await {
            Ok(started) => started,
            Err(_) => {
                let (waited_for, last) = progress.tell();
                let wrote = if last.is_empty() { String::new() } else { format!("; it wrote last: {last}") };
                let reason = format!(
                    "{}: {waited_for} did not come within {:?} (the parameter `starttimeout` of `external`){wrote}",
                    self.target(),
                    self.start_timeout
                );
                Err(Error::unavailable(&StoragePath::root(), reason))
            }
        }
    }

    fn target(&self) -> String {
        match &self.target {
            Target::Executable(path) | Target::Socket(path) => path.display().to_string(),
        }
    }

    /// How messages and the log call the driver before its name is known.
    fn name(&self) -> Arc<str> {
        match (&self.driver, &self.target) {
            (Some(name), _) => Arc::from(name.as_str()),
            (None, Target::Executable(path) | Target::Socket(path)) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                Arc::from(file.strip_prefix(super::find::PREFIX).unwrap_or(&file))
            }
        }
    }

    async fn steps(&self, progress: &Progress) -> Result<(Link, Opened)> {
        progress.set("a connection to its socket");
        // Nobody else is to connect: the directory goes as soon as there is a connection.
        let link = match &self.target {
            Target::Socket(socket) => match UnixStream::connect(socket).await {
                Ok(stream) => self.begin(stream, None).await?,
                Err(error) => {
                    let reason = format!("nothing serves at {}: {error}", socket.display());
                    return Err(Error::unavailable(&StoragePath::root(), reason));
                }
            },
            Target::Executable(executable) => {
                let directory = SocketDirectory::make()?;
                let socket = directory.socket();
                let secrets = Secrets::of(&self.parameters);
                let process = Arc::new(Process::start(executable, &self.name(), &socket, secrets)?);
                progress.started(&process);
                self.connect(&socket, process).await?
            }
        };
        let negotiated = self.negotiate(&link, progress).await?;
        progress.set("an answer to Open");
        let request = proto::OpenRequest {
            driver: negotiated.driver.clone(),
            parameters: value_map(self.parameters.clone()),
        };
        let opened = match link.client().open(request).await {
            Ok(opened) => opened.into_inner(),
            Err(status) => return Err(link.error(&StoragePath::root(), &status).await),
        };
        Ok((link, Opened::new(negotiated, opened)))
    }

    /// Waits until the process listens at its socket.
    async fn connect(&self, socket: &Path, process: Arc<Process>) -> Result<Link> {
        let mut ended = process.ended();
        let mut pause = FIRST_PAUSE;
        loop {
            match UnixStream::connect(socket).await {
                Ok(stream) => return self.begin(stream, Some(process)).await,
                // Not there yet, or not listening yet.
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused
                    ) => {}
                Err(error) => {
                    let reason = format!("{}: cannot connect to its socket: {error}", self.target());
                    return Err(Error::unavailable(&StoragePath::root(), reason));
                }
            }
            tokio::select! {
                cause = ended.wait_for(Option::is_some) => {
                    let cause = cause.ok().and_then(|cause| cause.clone()).unwrap_or_default();
                    let reason = format!("{}: {cause}, before it listened at its socket", self.target());
                    return Err(Error::unavailable(&StoragePath::root(), reason));
                }
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    async fn begin(&self, stream: UnixStream, process: Option<Arc<Process>>) -> Result<Link> {
        Link::begin(stream, process).await.map_err(|cause| self.no_protocol(&cause))
    }

    /// The error of a target that ends or breaks off before it has answered anything.
    fn no_protocol(&self, cause: &str) -> Error {
        let reason =
            format!("{} does not serve the protocol (gRPC, storagedriver.v1): {cause}", self.target());
        Error::unavailable(&StoragePath::root(), reason)
    }

    async fn negotiate(&self, link: &Link, progress: &Progress) -> Result<proto::NegotiateReply> {
        progress.set("an answer to Negotiate");
        let status = match link.client().negotiate(opened::request(&self.versions)).await {
            Ok(reply) => {
                let reply = reply.into_inner();
                opened::check(&self.versions, self.driver.as_deref(), &reply)?;
                return Ok(reply);
            }
            Err(status) => status,
        };
        let root = StoragePath::root();
        let target = self.target();
        if let Some(cause) = link.cause().await {
            return Err(self.no_protocol(&cause));
        }
        Err(match status.code() {
            Code::Unimplemented | Code::Unknown | Code::Internal => Error::invalid_configuration(format!(
                "{target} does not serve the protocol (gRPC, storagedriver.v1): Negotiate: {}",
                status.message()
            )),
            _ => link.error(&root, &status).await,
        })
    }
}
