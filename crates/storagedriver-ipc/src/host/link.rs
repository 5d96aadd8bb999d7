//! A driver that runs and is connected.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use storagedriver::{Error, Result, StoragePath};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tonic::codegen::http::Uri;
use tonic::{Request, Response, Status};

use super::process::Process;
use super::wire::{self, Wire, Work};
use crate::convert::from_status;
use crate::proto::storage_driver_client::StorageDriverClient;

pub(super) type Client = StorageDriverClient<Wire>;

/// The largest message that is taken: twice what the protocol allows.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// How long a failed call waits to learn of what its driver died.
const CAUSE: Duration = Duration::from_millis(300);

/// The connection to a driver, and its process if the host started it. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    process: Option<Arc<Process>>,
    broken: watch::Receiver<Option<Arc<str>>>,
    /// When the connection was made.
    pub(super) since: Instant,
    worked: AtomicBool,
}

impl Link {
    /// Begins to talk over a connection to a driver.
    ///
    /// # Errors
    /// It was closed: why, as far as that is known.
    pub(super) async fn begin(stream: UnixStream, process: Option<Arc<Process>>) -> Result<Self, String> {
        let (wire, work) = match wire::begin(stream).await {
            Ok(begun) => begun,
            Err(error) => {
                let cause = match &process {
                    Some(process) => {
                        timeout(CAUSE, process.ended().wait_for(Option::is_some)).await.ok().and_then(
                            |ended| ended.ok().and_then(|cause| cause.as_ref().map(ToString::to_string)),
                        )
                    }
                    None => None,
                };
                return Err(cause.unwrap_or_else(|| broken(Err(error))));
            }
        };
        let (breaks, broken) = watch::channel(None);
        tokio::spawn(keep(work, process.clone(), breaks));
        let client = StorageDriverClient::with_origin(wire, Uri::from_static("http://driver"))
            .max_decoding_message_size(LARGEST_MESSAGE);
        Ok(Link { client, process, broken, since: Instant::now(), worked: AtomicBool::new(false) })
    }

    /// For one call.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Whether the process has ended or the connection is broken.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.borrow().is_some() || self.broken.has_changed().is_err()
    }

    /// Why it is broken.
    pub(super) fn why(&self) -> Arc<str> {
        self.broken
            .borrow()
            .clone()
            .unwrap_or_else(|| Arc::from("the runtime of its connection was shut down"))
    }

    /// Whether a call was ever answered, after those of the start.
    pub(super) fn has_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    /// The reply of a call on `path`.
    ///
    /// # Errors
    /// What the driver answered, or `Unavailable` if it died.
    pub(super) async fn reply<T>(&self, path: &StoragePath, reply: Result<Response<T>, Status>) -> Result<T> {
        match reply {
            Ok(reply) => {
                self.worked.store(true, Ordering::Relaxed);
                Ok(reply.into_inner())
            }
            Err(status) => Err(self.error(path, &status).await),
        }
    }

    /// The error of a call that failed.
    pub(super) async fn error(&self, path: &StoragePath, status: &Status) -> Error {
        // What the connection reports has a source; what came over it has none.
        if std::error::Error::source(status).is_none() && !self.is_broken() {
            self.worked.store(true, Ordering::Relaxed);
            return from_status(status, path);
        }
        let cause = self.cause().await;
        Error::unavailable(
            path,
            cause.unwrap_or_else(|| format!("the driver broke off the call: {}", status.message())),
        )
    }

    /// Of what the driver died; `None` if it lives.
    pub(super) async fn cause(&self) -> Option<String> {
        let mut broken = self.broken.clone();
        let cause = match timeout(CAUSE, broken.wait_for(Option::is_some)).await {
            Ok(Ok(cause)) => cause.as_ref().map(ToString::to_string),
            Ok(Err(_)) => Some("the runtime of its connection was shut down".to_owned()),
            Err(_) => None,
        };
        cause.map(|cause| format!("the driver is gone: {cause}"))
    }

    /// A call without streams, for at most `limit`.
    ///
    /// # Errors
    /// What the driver answered, `Unavailable` if it died or took too long.
    pub(super) async fn call<M, T, F>(
        &self,
        path: &StoragePath,
        limit: Option<Duration>,
        message: M,
        call: impl FnOnce(Client, Request<M>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut request = Request::new(message);
        let Some(limit) = limit else {
            return self.reply(path, call(self.client(), request).await).await;
        };
        request.set_timeout(limit);
        match timeout(limit, call(self.client(), request)).await {
            Ok(reply) => self.reply(path, reply).await,
            Err(_) => Err(Error::unavailable(
                path,
                format!("the driver did not answer within {limit:?} (the parameter `timeout` of `external`)"),
            )),
        }
    }

    /// Ends the process, if there is one.
    pub(super) fn end(&self) {
        if let Some(process) = &self.process {
            process.end();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.end();
    }
}

/// Does the work of the connection until it breaks or the process has ended. A process whose connection is broken is ended.
async fn keep(work: Work, process: Option<Arc<Process>>, breaks: watch::Sender<Option<Arc<str>>>) {
    let Some(process) = process else {
        let cause = broken(work.await);
        breaks.send_replace(Some(Arc::from(cause)));
        return;
    };
    let mut ended = process.ended();
    let outcome = tokio::select! {
        // The connection may outlive the process, if another holds its end.
        _ = ended.wait_for(Option::is_some) => None,
        outcome = work => Some(outcome),
    };
    process.end();
    // If it broke because the process died, that is what to tell.
    let cause = match timeout(CAUSE / 2, ended.wait_for(Option::is_some)).await {
        Ok(Ok(cause)) => cause.clone(),
        _ => outcome
            .map(|outcome| Arc::from(format!("{}; process {} is ended", broken(outcome), process.pid()))),
    };
    breaks.send_replace(Some(cause.unwrap_or_else(|| Arc::from("its process is gone"))));
}

fn broken(outcome: hyper::Result<()>) -> String {
    match outcome {
        Ok(()) => "it closed the connection".to_owned(),
        Err(error) => match std::error::Error::source(&error) {
            Some(source) => format!("the connection broke ({error}: {source})"),
            None => format!("the connection broke ({error})"),
        },
    }
}
