//! A server and a client of it.

use std::path::PathBuf;
use std::time::Duration;

use storagedriver::{Error, Storage, StoragePath};
use storagedriver_ipc::proto::storage_driver_client::StorageDriverClient;
use storagedriver_ipc::{Server, convert};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = StorageDriverClient<Channel>;

/// The most bytes of a message that the protocol allows.
const MOST_MESSAGE: usize = 2 << 20;

pub(crate) struct Served {
    pub(crate) socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
    _directory: TempDir,
}

impl Served {
    pub(crate) fn start(server: Server) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(listener, async { drop(stopped.await) }));
        Served { socket, stop: Some(stop), serving, _directory: directory }
    }

    pub(crate) async fn client(&self) -> Client {
        let endpoint = Endpoint::try_from(format!("unix:{}", self.socket.display())).unwrap();
        let endpoint =
            endpoint.initial_stream_window_size(2 << 20).initial_connection_window_size((1 << 31) - 1);
        let channel = endpoint.connect().await.unwrap();
        StorageDriverClient::new(channel).max_decoding_message_size(MOST_MESSAGE)
    }

    /// Tells the server to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        within(self.serving).await.unwrap().unwrap();
    }
}

/// A server of storage that is open, and a client.
pub(crate) async fn open(storage: Storage) -> (Served, Client) {
    let served = Served::start(Server::opened(storage));
    let client = served.client().await;
    (served, client)
}

/// What takes longer than this will never come.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("it takes longer than a minute")
}

/// The error that a failed call brings.
pub(crate) fn error<T>(result: Result<T, Status>) -> Error {
    let status = result.err().expect("the call succeeded");
    convert::from_status(&status, &StoragePath::root())
}
