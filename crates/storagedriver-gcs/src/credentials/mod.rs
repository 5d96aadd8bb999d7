//! Who the requests are from, and the tokens that prove it.
//!
//! The kinds are those of Google's [application default credentials]. `object_store` has three of them; they
//! are here with the others, because its own cannot be asked for a new token after a 401, hide what the token
//! service says, and know its address only.
//!
//! [application default credentials]: https://google.aip.dev/auth/4110

mod exchange;
mod external;
mod file;
mod find;
mod impersonated;
mod key;
mod metadata;
mod sign;
mod user;

use std::fmt;
use std::time::{Duration, Instant};

use storagedriver_object::StoreResult;
use storagedriver_object::http::{HeaderValue, HttpClient};
use tokio::sync::Mutex;

pub(crate) use find::{Environment, find};
pub(crate) use key::ServiceAccountKey;

/// What a token is good for: all that the account may do with Cloud Storage.
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A token is renewed when it has less to live: the metadata server gives out a new one only then.
const LEAST_LIFE: Duration = Duration::from_secs(225);

/// Where tokens come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// No tokens: public buckets and emulators.
    Anonymous,
    /// The key of a service account. No request is made for its tokens.
    Key(ServiceAccountKey),
    /// A person who logged in with `gcloud`.
    User(user::User),
    /// The service account of the machine.
    Metadata(metadata::Metadata),
    /// An identity of another provider.
    External(external::External),
    /// A service account that another identity may speak for.
    Impersonated(Box<impersonated::Impersonated>),
}

/// A token and how long it is valid.
pub(crate) struct Token {
    pub(crate) bearer: HeaderValue,
    pub(crate) expires: Instant,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// A source, and the token that it gave last.
#[derive(Debug)]
pub(crate) struct Credentials {
    source: Source,
    http: HttpClient,
    token: Mutex<Option<Token>>,
    /// The address of the account, once the metadata server has told it.
    email: Mutex<Option<String>>,
}

impl Credentials {
    pub(crate) fn new(source: Source, http: HttpClient) -> Self {
        Credentials { source, http, token: Mutex::new(None), email: Mutex::new(None) }
    }

    /// The value of the header `Authorization`; `None` for anonymous requests. Waits for a new token if the
    /// last one is about to expire; all who need it wait for one request.
    pub(crate) async fn bearer(&self) -> StoreResult<Option<HeaderValue>> {
        if matches!(self.source, Source::Anonymous) {
            return Ok(None);
        }
        let mut held = self.token.lock().await;
        let now = Instant::now();
        if let Some(token) = held.as_ref().filter(|token| token.expires > now + LEAST_LIFE) {
            return Ok(Some(token.bearer.clone()));
        }
        match self.source.token(&self.http).await {
            Ok(token) => {
                let bearer = token.bearer.clone();
                *held = Some(token);
                Ok(Some(bearer))
            }
            // The old one will do for the moment.
            Err(error) => match held.as_ref().filter(|token| token.expires > now) {
                Some(token) => Ok(Some(token.bearer.clone())),
                None => Err(error),
            },
        }
    }

    /// Drops the token, which was refused; whether there will be another.
    pub(crate) async fn forget(&self) -> bool {
        self.token.lock().await.take().is_some()
    }

    /// The key, if there is one.
    pub(crate) fn key(&self) -> Option<&ServiceAccountKey> {
        match &self.source {
            Source::Key(key) => Some(key),
            _ => None,
        }
    }

    /// The address of the service account that requests come from; `None` if it is none.
    pub(crate) async fn email(&self) -> StoreResult<Option<String>> {
        match &self.source {
            Source::Anonymous | Source::User(_) => Ok(None),
            Source::Key(key) => Ok(Some(key.email().to_owned())),
            Source::External(external) => Ok(external.email()),
            Source::Impersonated(impersonated) => Ok(impersonated.email()),
            Source::Metadata(metadata) => {
                let mut email = self.email.lock().await;
                if email.is_none() {
                    *email = Some(metadata.email(&self.http).await?);
                }
                Ok(email.clone())
            }
        }
    }
}

impl Source {
    /// A new token.
    pub(crate) async fn token(&self, http: &HttpClient) -> StoreResult<Token> {
        match self {
            Source::Anonymous => exchange::token("", 0),
            Source::Key(key) => key.token(),
            Source::User(user) => user.token(http).await,
            Source::Metadata(metadata) => metadata.token(http).await,
            Source::External(external) => external.token(http).await,
            Source::Impersonated(impersonated) => Box::pin(impersonated.token(http)).await,
        }
    }
}
