//! One client's connection, request by request.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use storagedriver::BoxError;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::body::{self, Body, Event};
use super::connection::Reset;
use super::request::Asked;
use super::state::State;
use super::{Fault, Mark, Place, listing};

/// The longest listing that is rewritten; a thousand keys of the longest take 2 MiB.
const LONGEST_LISTING: usize = 8 << 20;

/// What carries the requests of one client's connection.
pub(super) struct Exchange {
    state: Arc<State>,
    reset: Reset,
    /// The connection to the upstream, kept from one request to the next.
    upstream: Mutex<Option<SendRequest<Body>>>,
}

impl Exchange {
    pub(super) fn new(state: Arc<State>, reset: Reset) -> Self {
        Self { state, reset, upstream: Mutex::new(None) }
    }

    /// Answers a request; an error ends the connection.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
        let (mut parts, body) = request.into_parts();
        let operation = (self.state.classifier)(&parts);
        let asked = Asked::new(&parts, &body, operation);
        let (number, fault) = self.state.begin(&asked);
        if let (Some(Fault::IgnoreStartAfter), Some(start)) = (&fault, asked.start()) {
            parts.uri = without_parameter(&asked, start)?;
        }
        let request = Request::from_parts(parts, body);
        let reply = self.serve(&asked, number, fault, request).await?;
        self.state.note(number, |entry| entry.status = Some(reply.status().as_u16()));
        Ok(reply)
    }

    async fn serve(
        &self,
        asked: &Asked,
        number: usize,
        fault: Option<Fault>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        match &fault {
            Some(Fault::Refuse { status, retry_after }) => {
                body::drain(request.into_body()).await;
                return error_reply(*status, code_of(*status), *retry_after);
            }
            Some(Fault::Storm { status, .. }) => {
                body::drain(request.into_body()).await;
                return error_reply(*status, code_of(*status), None);
            }
            Some(Fault::ErrorInSuccess { code, applied: false }) => {
                body::drain(request.into_body()).await;
                return error_reply(200, code, None);
            }
            Some(Fault::Stall { place: Place::BeforeRequest, hold }) => self.state.gate.wait(*hold).await,
            _ => {}
        }
        let reply = match asked.token().and_then(|token| self.state.rest(token)) {
            Some(rest) => return Ok(listing_reply(rest)),
            None => self.forward(self.request(request, fault.as_ref())).await,
        };
        if let Some(Fault::ResetRequest { .. }) = fault {
            return self.cut();
        }
        let mut reply = match reply {
            Ok(reply) => reply,
            Err(error) => return Ok(plain_reply(StatusCode::BAD_GATEWAY, &error.to_string())),
        };
        let status = reply.status();
        self.state.note(number, |entry| entry.upstream = Some(status.as_u16()));
        drop_connection_headers(reply.headers_mut());
        self.state.copies().rewrite(asked, fault.as_ref(), status, reply.headers_mut());
        self.reply(asked, fault, reply).await
    }

    /// The reply as the fault has it.
    async fn reply(
        &self,
        asked: &Asked,
        fault: Option<Fault>,
        reply: Response<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let gate = &self.state.gate;
        let has_body = !reply.body().is_end_stream();
        match fault {
            Some(Fault::AppliedThenStatus { status }) => {
                finish(asked, reply).await;
                error_reply(status, code_of(status), None)
            }
            Some(Fault::AppliedThenReset) => {
                finish(asked, reply).await;
                self.cut()
            }
            Some(Fault::ErrorInSuccess { code, .. }) => {
                finish(asked, reply).await;
                error_reply(200, code, None)
            }
            Some(Fault::ResetResponse { .. }) if !has_body => self.cut(),
            Some(Fault::ResetResponse { after }) => {
                let event = Event::Reset(self.reset.clone());
                Ok(reply.map(|whole| body::interrupted(whole, after, event)))
            }
            Some(Fault::Stall { place: Place::ResponseBody(after), hold }) if has_body => {
                let event = Event::Wait(Arc::clone(gate), hold);
                Ok(reply.map(|whole| body::interrupted(whole, after, event)))
            }
            Some(Fault::Stall { place: Place::BeforeResponse | Place::ResponseBody(_), hold }) => {
                gate.wait(hold).await;
                Ok(reply.map(body::untouched))
            }
            Some(Fault::Drip { piece, hold }) => {
                Ok(reply.map(|whole| body::dripped(whole, piece, Arc::clone(gate), hold)))
            }
            Some(Fault::TruncateListing { keep, mark }) => {
                rewrite(reply, |page| self.truncate(asked, page, keep, mark)).await
            }
            Some(Fault::RepeatPage) => {
                let token = asked.token().is_some();
                let from = asked.continues_from().unwrap_or_default();
                rewrite(reply, |page| listing::repeat(page, &from, token)).await
            }
            _ => Ok(reply.map(body::untouched)),
        }
    }

    fn truncate(&self, asked: &Asked, page: &str, keep: usize, mark: Mark) -> Option<String> {
        let tokens = asked.parameter("list-type") == Some("2") || listing::is_json(page);
        let token = tokens.then(|| self.state.new_token());
        let truncated = listing::truncate(page, keep, mark, token.as_deref())?;
        if let (Some(token), Some(rest)) = (token, truncated.rest) {
            self.state.keep_rest(token, rest);
        }
        Some(truncated.page)
    }

    /// Ends the client's connection with a reset.
    fn cut<T>(&self) -> Result<T, BoxError> {
        self.reset.set();
        Err("a reset, as the fault layer was told".into())
    }

    /// The request as the upstream gets it.
    fn request(&self, request: Request<Incoming>, fault: Option<&Fault>) -> Request<Body> {
        let mut request = request.map(|whole| match fault {
            Some(Fault::ResetRequest { after }) => {
                body::interrupted(whole, *after, Event::Reset(self.reset.clone()))
            }
            Some(Fault::Stall { place: Place::RequestBody(after), hold }) => {
                body::interrupted(whole, *after, Event::Wait(Arc::clone(&self.state.gate), *hold))
            }
            _ => body::untouched(whole),
        });
        // Never to another host, whatever the client wrote.
        let target = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
        drop_connection_headers(request.headers_mut());
        request
    }

    async fn forward(&self, mut request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let mut kept = self.upstream.lock().await;
        if let Some(mut sender) = kept.take()
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(request).await {
                Ok(reply) => {
                    *kept = Some(sender);
                    return Ok(reply);
                }
                // The upstream had closed it meanwhile, and nothing was sent.
                Err(mut unsent) => match unsent.take_message() {
                    Some(message) => request = message,
                    None => return Err(unsent.into_error().into()),
                },
            }
        }
        let stream = TcpStream::connect(self.state.upstream).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let reply = sender.send_request(request).await?;
        *kept = Some(sender);
        Ok(reply)
    }
}

/// Waits until the upstream is done with the request. A store may begin to answer before.
async fn finish(asked: &Asked, reply: Response<Incoming>) {
    if asked.method != Method::GET {
        body::drain(reply.into_body()).await;
    }
}

/// Collects a listing and replaces it; what cannot be read or is no listing stays as it is.
async fn rewrite(
    reply: Response<Incoming>,
    change: impl FnOnce(&str) -> Option<String>,
) -> Result<Response<Body>, BoxError> {
    let (mut parts, body) = reply.into_parts();
    let page = Limited::new(body, LONGEST_LISTING).collect().await?.to_bytes();
    let changed = std::str::from_utf8(&page).ok().and_then(change).map(Bytes::from);
    let page = changed.unwrap_or(page);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, full(page)))
}

fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

fn listing_reply(page: String) -> Response<Body> {
    let kind = if listing::is_json(&page) { "application/json" } else { "application/xml" };
    let mut reply = Response::new(full(page));
    reply.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    reply
}

fn plain_reply(status: StatusCode, text: &str) -> Response<Body> {
    let mut reply = Response::new(full(text.to_owned()));
    *reply.status_mut() = status;
    reply
}

/// An S3 error, which the other stores' clients take for one of theirs by its status.
fn error_reply(status: u16, code: &str, retry_after: Option<u64>) -> Result<Response<Body>, BoxError> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>The fault layer says so.</Message><RequestId>fault</RequestId></Error>"
    );
    let mut reply = Response::builder().status(status).header(CONTENT_TYPE, "application/xml");
    if let Some(seconds) = retry_after {
        reply = reply.header(RETRY_AFTER, seconds);
    }
    Ok(reply.body(full(body))?)
}

fn code_of(status: u16) -> &'static str {
    match status {
        429 => "TooManyRequests",
        503 => "SlowDown",
        _ => "InternalError",
    }
}

/// Takes away what belongs to one connection only.
fn drop_connection_headers(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

fn without_parameter(asked: &Asked, name: &str) -> Result<Uri, BoxError> {
    let named = |pair: &&str| pair.split_once('=').map_or(*pair, |(key, _)| key) != name;
    let query: Vec<&str> = asked.query.split('&').filter(named).collect();
    let query = query.join("&");
    Ok(if query.is_empty() { asked.path.parse()? } else { format!("{}?{query}", asked.path).parse()? })
}
