//! The client: one request, its attempts, its reply.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::http::HeaderValue;
use ::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use object_store::ClientOptions;
use object_store::client::{HttpConnector, HttpRequest};
use storagedriver::url::Url;
use storagedriver::{BoxError, ErrorKind, async_trait};
use tokio::sync::Mutex;

use super::attempts::{Attempts, Failed};
use super::sending::{self, Progress};
use super::transport::Broken;
use super::{HttpOptions, Refusal, ReplyHead, Request};
use crate::{StoreError, StoreResult};

/// So much of a refusal is read.
const REFUSAL_LIMIT: usize = 64 << 10;
/// How long a request for credentials may take in all.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);

/// What a backend knows about its store's protocol.
#[async_trait]
pub trait Service: Debug + Send + Sync + 'static {
    /// Signs a request; called anew for each attempt, so that dates and credentials are fresh.
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()>;

    /// Reads a refusal (a status that is not 2xx) out of its head and at most 64 KiB of its body.
    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal;

    /// Whether the request is sent again.
    fn is_transient(&self, refusal: &Refusal) -> bool {
        refusal.is_transient()
    }

    /// What it means when no attempt is left.
    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        refusal.into_error(request.what)
    }

    /// Whether the refusal is of the credentials, and there may be others now.
    fn is_expired(&self, refusal: &Refusal) -> bool {
        let _ = refusal;
        false
    }

    /// Drops the credentials, and says whether a new attempt makes sense now. Of attempts that were refused side by side
    /// as [expired](Self::is_expired), one has this called.
    async fn renew(&self) -> bool {
        false
    }
}

/// Sends requests to one store. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    driver: &'static str,
    options: HttpOptions,
    store: reqwest::Client,
    credentials: reqwest::Client,
    /// Milliseconds of throttling that were not yet a whole second of the counter.
    throttled: AtomicU64,
    /// When credentials were renewed last.
    renewed: Mutex<Option<Instant>>,
}

impl Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient")
            .field("driver", &self.0.driver)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

/// What `object_store` makes its credential providers' clients of.
#[derive(Debug, Clone)]
pub struct Connector(HttpClient);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<object_store::client::HttpClient> {
        Ok(object_store::client::HttpClient::new(self.0.0.credentials.clone()))
    }
}

impl HttpClient {
    /// A client for the driver of this name. Makes no request. Proxies are those of the
    /// environment (`HTTPS_PROXY`, `NO_PROXY`) unless the options name one.
    ///
    /// # Errors
    /// TLS cannot be set up, the proxy is none, or the user agent has characters that no header can have.
    pub fn new(driver: &'static str, options: HttpOptions) -> Result<Self, BoxError> {
        let store = options.builder()?.build()?;
        let credentials = options.builder()?.timeout(CREDENTIALS_TIMEOUT).build()?;
        let (throttled, renewed) = (AtomicU64::new(0), Mutex::new(None));
        Ok(HttpClient(Arc::new(Inner { driver, options, store, credentials, throttled, renewed })))
    }

    /// For the builders of `object_store`: their credential providers then use this client's
    /// settings.
    pub fn connector(&self) -> Connector {
        Connector(self.clone())
    }

    /// Sends a request whose reply is small: signs it, sends it, and again if that may help;
    /// collects at most `limit` bytes. `parse` makes of a 2xx what is wanted, or a [`Refusal`] that
    /// counts as if the store had refused so: some answer 200 and put the error into the body.
    ///
    /// An attempt may have taken effect although a later one was sent.
    ///
    /// # Errors
    /// What [`Service::error`] makes of the last refusal; `Unavailable` if the store cannot be
    /// reached or breaks off; `Backend` if TLS fails or the reply is longer than `limit`.
    pub async fn exchange<T: Send>(
        &self,
        service: &dyn Service,
        request: &Request,
        limit: usize,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        let mut attempts = Attempts::new();
        loop {
            let failed = match self.attempt(service, request, limit).await {
                Ok((head, body)) => match parse(&head, body) {
                    Ok(value) => return Ok(value),
                    Err(refusal) => Failed::Refused(refusal),
                },
                Err(failed) => failed,
            };
            attempts.again(self, service, request, failed).await?;
        }
    }

    async fn attempt(
        &self,
        service: &dyn Service,
        request: &Request,
        limit: usize,
    ) -> Result<(ReplyHead, Bytes), Failed> {
        let (head, reply) = self.send(service, request).await?;
        match self.collect(reply, limit).await.map_err(Failed::Broken)? {
            Some(body) => Ok((head, body)),
            None => {
                let reason =
                    format!("{} of {}: the reply has more than {limit} bytes", request.what, request.place());
                Err(Failed::Unsent(StoreError::failed(ErrorKind::Backend, reason)))
            }
        }
    }

    /// Has credentials renewed that an attempt was refused with, unless others were since it began; whether a new attempt
    /// makes sense.
    pub(super) async fn renew(&self, service: &dyn Service, began: Instant) -> bool {
        let mut renewed = self.0.renewed.lock().await;
        if renewed.is_some_and(|renewed| renewed > began) {
            return true;
        }
        let helps = service.renew().await;
        if helps {
            *renewed = Some(Instant::now());
        }
        helps
    }

    /// One attempt, up to the head of a 2xx.
    pub(super) async fn send(
        &self,
        service: &dyn Service,
        request: &Request,
    ) -> Result<(ReplyHead, reqwest::Response), Failed> {
        let mut signed = request.to_http().map_err(Failed::Unsent)?;
        service.authorize(&mut signed).await.map_err(Failed::Unsent)?;
        let (parts, _) = signed.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|error| {
            let reason = format!("{} of {}: the signed URL is not one", request.what, request.place());
            Failed::Unsent(StoreError::failed(ErrorKind::Backend, reason).with_source(error))
        })?;
        let progress = Progress::new();
        let mut sent = reqwest::Request::new(parts.method, url);
        *sent.headers_mut() = parts.headers;
        if !request.body.is_empty() {
            *sent.body_mut() = Some(sending::body(request.body.clone(), &progress));
        } else if matches!(request.method.as_str(), "PUT" | "POST") {
            // Without a body nobody says so by itself, and stores demand it (411).
            sent.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let stall = self.0.options.stall_timeout;
        let reply = tokio::select! {
            reply = self.0.store.execute(sent) => reply.map_err(|error| Failed::Broken(Broken::of(error)))?,
            () = progress.stalled(stall) => return Err(Failed::Broken(Broken::stalled(stall))),
        };
        let head = ReplyHead { status: reply.status(), headers: reply.headers().clone() };
        if head.status.is_success() {
            return Ok((head, reply));
        }
        // A refusal whose text is cut or too long still has its status.
        let body = self.collect(reply, REFUSAL_LIMIT).await.ok().flatten().unwrap_or_default();
        Err(Failed::Refused(service.refusal(&head, &body)))
    }

    /// The whole reply; `None` if it is longer than `limit`.
    async fn collect(&self, mut reply: reqwest::Response, limit: usize) -> Result<Option<Bytes>, Broken> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.next_chunk(&mut reply).await? {
            if whole.len().saturating_add(chunk.len()) > limit {
                return Ok(None);
            }
            if whole.is_empty() && Some(chunk.len() as u64) == reply.content_length() {
                return Ok(Some(chunk));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Some(whole.freeze()))
    }

    /// What arrives next, unless nothing does for too long.
    pub(super) async fn next_chunk(&self, reply: &mut reqwest::Response) -> Result<Option<Bytes>, Broken> {
        let stall = self.0.options.stall_timeout;
        match tokio::time::timeout(stall, reply.chunk()).await {
            Ok(chunk) => chunk.map_err(Broken::of),
            Err(_) => Err(Broken::stalled(stall)),
        }
    }

    pub(super) fn options(&self) -> &HttpOptions {
        &self.0.options
    }

    pub(super) fn driver(&self) -> &'static str {
        self.0.driver
    }

    /// Adds a wait; returns how many whole seconds that makes with what was left over before.
    pub(super) fn throttled(&self, wait: Duration) -> u64 {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let before = self.0.throttled.fetch_add(millis, Ordering::Relaxed);
        before.saturating_add(millis) / 1000 - before / 1000
    }
}
