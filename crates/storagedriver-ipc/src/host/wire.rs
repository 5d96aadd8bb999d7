//! The HTTP/2 connection to a driver.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};

/// How much of one stream's content may be under way: what a slow reader holds in memory.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;

/// The most that HTTP/2 allows, so that no stream waits for the reader of another.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// A piece of content in one frame.
const FRAME: u32 = 1024 * 1024 + 16 * 1024;

const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends calls over the one connection. Cheap to clone.
///
/// This instead of `tonic::transport::Channel`: no queue and no task between a call and its connection, and the connection is not made
/// again behind the back of the supervision.
#[derive(Debug, Clone)]
pub(super) struct Wire(SendRequest<Body>);

/// The work of the connection: to be awaited on a task.
pub(super) type Work = Connection<TokioIo<UnixStream>, Body, TokioExecutor>;

/// Begins HTTP/2 on a connection.
///
/// # Errors
/// It was closed.
pub(super) async fn begin(stream: UnixStream) -> hyper::Result<(Wire, Work)> {
    let (send, work) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .adaptive_window(false)
        .max_frame_size(FRAME)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await?;
    Ok((Wire(send), work))
}

impl Service<http::Request<Body>> for Wire {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // A broken connection shows in the call: its error tells more.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
