//! gRPC with nothing around it: the same bytes over the same kind of socket, by the same library.

use std::convert::Infallible;
use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use storagedriver_bench::null::SMALL;
use tokio::net::{UnixListener, UnixStream};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::Service;
use tonic::server::{ClientStreamingService, ServerStreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server, Uri};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::subject::{Outcome, Subject};

/// A piece of a stream, in bytes.
const PIECE: usize = 1 << 20;
/// As the protocol of the drivers has them.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = i32::MAX as u32;

type Codec = ProstCodec<Bytes, Bytes>;
type Pieces = stream::BoxStream<'static, Result<Bytes, Status>>;

/// The other end, in a process of its own.
pub(crate) struct Echo {
    channel: Channel,
    server: Child,
    /// With the socket in it.
    _directory: tempfile::TempDir,
}

impl Echo {
    pub(crate) async fn open() -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let socket = directory.path().join("echo.sock");
        let server = Command::new(std::env::current_exe()?)
            .arg("echo-server")
            .arg(&socket)
            .stdin(Stdio::piped())
            .spawn()?;
        // A socket that is bound does not listen yet.
        while UnixStream::connect(&socket).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let connector = tower::service_fn(move |_: Uri| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://echo")
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        Ok(Echo { channel: endpoint.connect_with_connector(connector).await?, server, _directory: directory })
    }

    async fn client(&self) -> Outcome<Grpc<Channel>> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        Ok(client)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Subject for Echo {
    async fn put(&self, _: &str, content: Bytes) -> Outcome {
        let path = PathAndQuery::from_static("/echo/Unary");
        self.client().await?.unary(Request::new(content), path, Codec::default()).await?;
        Ok(())
    }

    async fn get(&self, _: &str) -> Outcome<u64> {
        let path = PathAndQuery::from_static("/echo/Unary");
        let content = Bytes::from_static(&[0; SMALL]);
        Ok(
            self.client()
                .await?
                .unary(Request::new(content), path, Codec::default())
                .await?
                .into_inner()
                .len() as u64,
        )
    }

    async fn stat(&self, _: &str) -> Outcome<bool> {
        Err("an echo knows nothing".into())
    }

    async fn upload(&self, _: &str, chunk: Bytes, times: u64) -> Outcome<Instant> {
        let path = PathAndQuery::from_static("/echo/Up");
        let pieces = stream::iter((0..times).map(move |_| chunk.clone()));
        self.client().await?.client_streaming(Request::new(pieces), path, Codec::default()).await?;
        Ok(Instant::now())
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        let size = path.rsplit('/').next().unwrap_or_default().to_owned();
        let path = PathAndQuery::from_static("/echo/Down");
        let request = Request::new(Bytes::from(size));
        let mut pieces =
            self.client().await?.server_streaming(request, path, Codec::default()).await?.into_inner();
        let mut size = 0;
        while let Some(piece) = pieces.message().await? {
            size += piece.len() as u64;
        }
        Ok(size)
    }

    async fn read(&self, path: &str, _: &mut [u8]) -> Outcome<u64> {
        self.download(path).await
    }

    async fn rename(&self, _: &str, _: &str) -> Outcome {
        Err("an echo moves nothing".into())
    }

    async fn list(&self, _: &str) -> Outcome<u64> {
        Err("an echo lists nothing".into())
    }

    async fn walk(&self, _: &str) -> Outcome<u64> {
        Err("an echo finds nothing".into())
    }

    async fn delete(&self, _: &str) -> Outcome {
        Err("an echo deletes nothing".into())
    }

    async fn delete_file(&self, path: &str) -> Outcome {
        self.delete(path).await
    }
}

/// Answers until whoever started it is gone.
pub(crate) async fn serve(socket: &Path) -> Outcome {
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read_line(&mut String::new());
        std::process::exit(0);
    });
    let listener = UnixListener::bind(socket)?;
    let connections = stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(connection, _)| connection);
        Some((accepted, listener))
    });
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .serve_with_incoming(Answers, connections)
        .await?;
    Ok(())
}

#[derive(Clone, Copy)]
struct Answers;

impl tonic::server::NamedService for Answers {
    const NAME: &'static str = "echo";
}

impl Service<http::Request<Body>> for Answers {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Codec::default());
            Ok(match request.uri().path() {
                "/echo/Unary" => grpc.unary(Unary, request).await,
                "/echo/Up" => grpc.client_streaming(Up, request).await,
                _ => grpc.server_streaming(Down, request).await,
            })
        })
    }
}

struct Unary;

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

struct Up;

impl ClientStreamingService<Bytes> for Up {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        Box::pin(async move {
            let mut pieces = request.into_inner();
            while pieces.message().await?.is_some() {}
            Ok(Response::new(Bytes::new()))
        })
    }
}

struct Down;

impl ServerStreamingService<Bytes> for Down {
    type Response = Bytes;
    type ResponseStream = Pieces;
    type Future = BoxFuture<'static, Result<Response<Pieces>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async move {
            let size = String::from_utf8_lossy(&request.into_inner()).parse::<usize>();
            let size = size.map_err(|error| Status::invalid_argument(error.to_string()))?;
            let pieces = stream::iter((0..size / PIECE).map(|_| Ok(Bytes::from_static(&[0; PIECE]))));
            Ok(Response::new(pieces.boxed()))
        })
    }
}
