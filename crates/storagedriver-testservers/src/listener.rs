//! A server on a port of the loopback interface, with threads of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::call::{Call, Outgoing};
use crate::store::Content;
use crate::{BoxError, Received, Requests};

/// The body of a reply.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A reply.
pub(crate) type Reply = Response<Body>;

/// What answers requests, whose bodies were read.
pub(crate) type Handler = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Reply> + Send + Sync>;

/// A body that is small.
pub(crate) fn body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that is the content of an object.
pub(crate) fn streamed(content: &Content) -> Body {
    let frames: Vec<_> =
        content.pieces().iter().cloned().map(|piece| Ok(hyper::body::Frame::data(piece))).collect();
    BodyExt::boxed_unsync(http_body_util::StreamBody::new(futures_util::stream::iter(frames)))
}

/// A server that is running; dropping it closes its port and its connections.
pub(crate) struct Listener {
    address: SocketAddr,
    requests: Requests,
    runtime: Option<Runtime>,
}

impl Listener {
    /// Starts a server on a free port, of a protocol that this crate parses itself.
    pub(crate) fn start(
        answer: impl Fn(&Call) -> Outgoing + Send + Sync + 'static,
    ) -> Result<Self, BoxError> {
        let handler: Handler = Arc::new(move |request| {
            let call = Call::new(request);
            let reply = answer(&call).into_reply(&call.method);
            Box::pin(std::future::ready(reply))
        });
        Self::serve(std::net::TcpListener::bind("127.0.0.1:0")?, handler)
    }

    /// Serves what connects to `socket`.
    pub(crate) fn serve(socket: std::net::TcpListener, handler: Handler) -> Result<Self, BoxError> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let requests = Requests::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testserver")
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        let listener = TcpListener::from_std(socket)?;
        drop(guard);
        let record = requests.clone();
        runtime.spawn(async move {
            // A connection that was reset before it was accepted is no reason to stop.
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, handler.clone(), record.clone()));
                }
            }
        });
        Ok(Self { address, requests, runtime: Some(runtime) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Does not wait: a test drops its server inside a runtime of its own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves a connection until either side closes it.
async fn connection(stream: TcpStream, handler: Handler, requests: Requests) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, handler.clone(), requests.clone()));
    let server = auto::Builder::new(TokioExecutor::new());
    // How a connection ended is the client's to notice.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// Reads the body and answers. A body that is cut off closes the connection: nothing was done.
async fn answer(request: Request<Incoming>, handler: Handler, requests: Requests) -> Result<Reply, BoxError> {
    let (head, incoming) = request.into_parts();
    let bytes = incoming.collect().await?.to_bytes();
    requests.push(Received {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: with_host(&head),
        size: bytes.len() as u64,
    });
    Ok(handler(Request::from_parts(head, bytes)).await)
}

/// The headers, `host` among them also for HTTP/2, which sends it elsewhere.
fn with_host(head: &http::request::Parts) -> HeaderMap {
    let mut headers = head.headers.clone();
    if !headers.contains_key(http::header::HOST)
        && let Some(authority) = head.uri.authority()
        && let Ok(value) = authority.as_str().parse()
    {
        headers.insert(http::header::HOST, value);
    }
    headers
}
