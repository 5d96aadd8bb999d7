//! A small object store over HTTP, and a client.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Failure>;

#[derive(Default)]
pub(crate) struct Upstream {
    /// What was stored, by path.
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
    /// Every request whose body arrived whole: method and target.
    pub(crate) applied: Mutex<Vec<String>>,
    /// Bodies that ended too early.
    pub(crate) broken: Mutex<usize>,
    /// Told when the first bytes of a `PUT` have arrived.
    pub(crate) begun: Notify,
    /// Lets the second half of `GET /b/halves` go.
    pub(crate) go_on: Notify,
}

pub(crate) async fn start() -> (Arc<Upstream>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = Arc::new(Upstream::default());
    let shared = Arc::clone(&upstream);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { shared.answer(request).await.map_err(std::io::Error::other) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (upstream, address)
}

impl Upstream {
    pub(crate) fn put(&self, path: &str, body: impl Into<Bytes>) {
        self.objects.lock().unwrap().insert(path.to_owned(), body.into());
    }

    /// Empty objects in the bucket `b`.
    pub(crate) fn put_keys(&self, keys: &[&str]) {
        for key in keys {
            self.put(&format!("/b/{key}"), "");
        }
    }

    pub(crate) fn applied(&self) -> Vec<String> {
        self.applied.lock().unwrap().clone()
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
        let (parts, mut body) = request.into_parts();
        let mut content = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                *self.broken.lock().unwrap() += 1;
                return Err("cut".into());
            };
            content.extend_from_slice(&frame.into_data().unwrap());
            self.begun.notify_one();
        }
        self.applied.lock().unwrap().push(format!("{} {}", parts.method, parts.uri));
        let path = parts.uri.path().to_owned();
        if path == "/b/halves" {
            return Ok(Response::new(halves(Arc::clone(self))));
        }
        if parts.method == Method::PUT {
            self.put(&path, content);
        }
        let list = parts.method == Method::GET && path == "/b";
        let body = if list {
            Some(self.list(parts.uri.query().unwrap_or_default()).into())
        } else {
            self.get(&path)
        };
        let status = if body.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let body = if parts.method == Method::PUT { None } else { body };
        let body = Full::new(body.unwrap_or_default()).map_err(|never| match never {}).boxed_unsync();
        Ok(Response::builder().status(status).header("x-ms-copy-status", "success").body(body)?)
    }

    fn get(&self, path: &str) -> Option<Bytes> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    /// Pages of three; the token is the last key.
    fn list(&self, query: &str) -> String {
        let parameter =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let second = parameter("list-type").is_some();
        let after =
            ["continuation-token", "start-after", "marker"].into_iter().find_map(parameter).unwrap_or("");
        let objects = self.objects.lock().unwrap();
        let keys: Vec<&str> =
            objects.keys().filter_map(|path| path.strip_prefix("/b/")).filter(|key| *key > after).collect();
        let page = &keys[..keys.len().min(3)];
        let entries: String =
            page.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        let more = page.len() < keys.len();
        let next = match page.last() {
            Some(last) if more && second => format!("<NextContinuationToken>{last}</NextContinuationToken>"),
            Some(last) if more => format!("<NextMarker>{last}</NextMarker>"),
            _ => String::new(),
        };
        format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{next}{entries}</ListBucketResult>")
    }
}

/// `one`, and `two` when it is told to go on.
fn halves(upstream: Arc<Upstream>) -> Body {
    let frames = stream::unfold(0, move |sent| {
        let upstream = Arc::clone(&upstream);
        async move {
            let half: &'static str = match sent {
                0 => "one",
                1 => {
                    upstream.go_on.notified().await;
                    "two"
                }
                _ => return None,
            };
            Some((Ok(Frame::data(Bytes::from(half))), sent + 1))
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// One request on a connection of its own; the head first, then the body.
pub(crate) async fn open(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Response<Incoming>, Failure> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    open_with(to, method, target, headers, body).await
}

pub(crate) async fn open_with(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Result<Response<Incoming>, Failure> {
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(target).header("host", to.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(sender.send_request(request.body(body)?).await?)
}

pub(crate) async fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Reply, Failure> {
    let reply = open(to, method, target, headers, body).await?;
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let body = String::from_utf8(reply.into_body().collect().await?.to_bytes().to_vec())?;
    Ok(Reply { status, headers, body })
}

pub(crate) async fn get(to: SocketAddr, target: &str) -> Result<Reply, Failure> {
    send(to, "GET", target, &[], "").await
}
