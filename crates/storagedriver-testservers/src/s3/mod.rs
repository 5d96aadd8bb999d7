//! S3.

mod conditions;
mod errors;
mod front;
mod hosts;
mod listing;
mod multipart;
mod objects;
mod options;
mod refusal;
mod service;
mod uploads;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use s3s::S3Result;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;

use self::front::Front;
use self::hosts::Hosts;
use self::service::Service;
use crate::listener::{Handler, Listener};
use crate::{BoxError, Requests, Store};

pub use self::options::{Addressing, Authentication, ConditionalWrites, ListV2, PartSizes, S3Options};
pub use self::refusal::S3Refusal;

/// The only access key that the server knows.
const ACCESS_KEY: &str = "access";
/// Its secret.
const SECRET_KEY: &str = "secret";

/// An S3 server on a port of its own, until it is dropped.
///
/// `s3s` parses the requests and verifies their signatures; the operations are this crate's, on
/// buckets in memory. It knows no versions, tags, policies or access points.
pub struct S3Server {
    listener: Listener,
    store: Store,
    refusal: Arc<Mutex<Option<S3Refusal>>>,
}

impl std::fmt::Debug for S3Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Server").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl S3Server {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If no port or no thread can be had.
    pub fn start(options: S3Options) -> Result<Self, BoxError> {
        let store = Store::new(options.buckets.iter().map(String::as_str));
        let options = Arc::new(options);
        let service = Service { store: store.clone(), options: options.clone() };
        Self::serve(S3ServiceBuilder::new(service), options, store)
    }

    /// Starts a server whose operations are those of `s3s_fs::FileSystem`, an implementation that
    /// shares nothing with this crate, on the files below `directory`: each directory in it is a
    /// bucket. It has no ListMultipartUploads and no conditions, and of `options` only addressing,
    /// authentication and region apply; [`store`](Self::store) stays empty.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or no port or no thread can be had.
    pub fn start_filesystem(directory: &Path, options: S3Options) -> Result<Self, BoxError> {
        let service = s3s_fs::FileSystem::new(directory)
            .map_err(|error| format!("{}: {error:?}", directory.display()))?;
        Self::serve(S3ServiceBuilder::new(service), Arc::new(options), Store::default())
    }

    fn serve(mut builder: S3ServiceBuilder, options: Arc<S3Options>, store: Store) -> Result<Self, BoxError> {
        let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = socket.local_addr()?.port();
        let hosts = Hosts::new(&options, port)?;
        builder.set_host(hosts.clone());
        if matches!(options.authentication, Authentication::Signature | Authentication::SessionToken(_)) {
            builder.set_auth(Keys);
        }
        let refusal = Arc::new(Mutex::new(None));
        let front = Front {
            service: builder.build(),
            options,
            hosts,
            refusal: refusal.clone(),
            store: store.clone(),
        };
        let handler: Handler = Arc::new(move |request| Box::pin(front.clone().answer(request)));
        Ok(Self { listener: Listener::serve(socket, handler)?, store, refusal })
    }

    /// `http://127.0.0.1:port`: for path style.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// `http://localhost:port`: for virtual-hosted style, where the bucket goes before `localhost`.
    ///
    /// Not every resolver knows `bucket.localhost` (RFC 6761, section 6.3, asks for it). A client
    /// that cannot resolve it takes [`endpoint`](Self::endpoint) as its HTTP proxy: the server
    /// answers such requests too.
    pub fn virtual_host_endpoint(&self) -> String {
        format!("http://localhost:{}", self.listener.address().port())
    }

    /// The access key that the server knows: `access`.
    pub fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// The secret of the access key: `secret`.
    pub fn secret_key(&self) -> &'static str {
        SECRET_KEY
    }

    /// Its buckets.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What arrived.
    pub fn requests(&self) -> &Requests {
        self.listener.requests()
    }

    /// Answers every request with this from now on; with `None`, as it should.
    pub fn refuse(&self, refusal: Option<S3Refusal>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}

/// The keys that the server knows.
struct Keys;

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY {
            return Ok(SecretKey::from(SECRET_KEY));
        }
        Err(errors::refuse(
            "InvalidAccessKeyId",
            http::StatusCode::FORBIDDEN,
            "The AWS Access Key Id you provided does not exist in our records.",
        ))
    }
}
