//! Serves a driver to a host: `docs/out-of-process.md`.

mod call;
mod content;
mod entries;
mod executable;
mod opening;
mod service;
mod socket;
mod walk;
mod write;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, stream};
use storagedriver::{Registration, Storage};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tonic::transport::server::Connected;

pub use self::executable::{main, main_with};
use self::opening::Opening;
use self::service::Service;
pub use self::socket::SocketFile;
use crate::proto::storage_driver_server::StorageDriverServer;

/// What a stream may hold that was sent and not read, in bytes.
const STREAM_WINDOW: u32 = 2 << 20;

/// The largest that HTTP/2 knows: no connection is held up by one of its streams.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// The largest piece of HTTP/2 that a host may send, in bytes: with the 16 KiB that it may by default 3 GiB of writing cost it
/// about 1.3 s of processor time, with this 0.9 s, with a whole mebibyte 1.1 s; and others wait for one that is on its way.
const FRAME: u32 = (256 + 16) << 10;

/// The most calls at once on a connection.
const MOST_CALLS: u32 = 1 << 16;

/// The most bytes of headers: paths are in messages, so that this is plenty.
const MOST_HEADERS: u32 = 64 << 10;

/// The most bytes of one message: content comes in pieces of 1 MiB, and there is something around it.
const MOST_MESSAGE: usize = 4 << 20;

/// How long calls may go on after the server was told to end.
const GRACE: Duration = Duration::from_millis(500);

/// Serves one driver on a Unix socket, by the protocol of drivers out of process.
///
/// ```no_run
/// use storagedriver::{Parameters, factory};
/// use tokio::net::UnixListener;
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = factory::create("filesystem", Parameters::from_iter([("rootdirectory", "/srv")])).await?;
/// let listener = UnixListener::bind("/run/registry/storage.sock")?;
/// storagedriver_ipc::Server::opened(storage).serve(listener, std::future::pending()).await?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    opening: Opening,
}

impl Server {
    /// Serves this driver. The host opens it, with the parameters that it has.
    pub fn new(registration: Registration) -> Self {
        Self::any_of(&[registration])
    }

    /// Serves one of these drivers: the one that the host opens by its name.
    pub fn any_of(registrations: &[Registration]) -> Self {
        Server { opening: Opening::later(registrations) }
    }

    /// Serves a driver that is open already.
    pub fn opened(storage: Storage) -> Self {
        Server { opening: Opening::done(storage) }
    }

    /// Serves every connection until `shutdown` is done. Then calls may go on for half a second; those that
    /// last are dropped, uploads without publishing anything.
    ///
    /// Who may connect is up to the permissions of the socket and of the directory that it is in.
    ///
    /// # Errors
    /// The settings of the connection were refused; no socket's failure ends it.
    pub async fn serve(self, listener: UnixListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let service = StorageDriverServer::new(Service { opening: self.opening })
            .max_decoding_message_size(MOST_MESSAGE)
            .max_encoding_message_size(MOST_MESSAGE);
        let (cut, is_cut) = oneshot::channel::<()>();
        let is_cut = async { drop(is_cut.await) }.boxed().shared();
        let incoming = stream::unfold((listener, is_cut), |(listener, is_cut)| async {
            let stream = match listener.accept().await {
                Ok((stream, _)) => Ok(Connection { stream, is_cut: Some(is_cut.clone()) }),
                Err(error) => {
                    // Most likely no file descriptor is left: in vain at once, perhaps not soon.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(error)
                }
            };
            Some((stream, (listener, is_cut)))
        });
        let (told, mut is_told) = oneshot::channel::<()>();
        let told = async {
            shutdown.await;
            drop(told);
        };
        let serving = builder().serve_with_incoming_shutdown(service, incoming, told);
        let grace = async {
            // An error is what is waited for: the sender is gone.
            let _ = (&mut is_told).await;
            tokio::time::sleep(GRACE).await;
            drop(cut);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = serving => served.map_err(io::Error::other),
            () = grace => Ok(()),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

fn builder() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MOST_CALLS)
        .max_frame_size(FRAME)
        .http2_max_header_list_size(MOST_HEADERS)
        // A host that drops many calls is busy, not hostile.
        .http2_max_pending_accept_reset_streams(Some(MOST_CALLS as usize))
        .http2_max_local_error_reset_streams(Some(MOST_CALLS as usize))
}

/// A connection, until it is cut.
struct Connection {
    stream: UnixStream,
    /// `None` once it is.
    is_cut: Option<Shared<BoxFuture<'static, ()>>>,
}

impl Connection {
    fn poll_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.is_cut.as_mut().is_some_and(|is_cut| is_cut.poll_unpin(context).is_pending()) {
            return Ok(());
        }
        self.is_cut = None;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server ends"))
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
