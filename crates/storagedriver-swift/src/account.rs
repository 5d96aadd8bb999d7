//! The session with the account: a token, made when it is first needed and anew when the service takes it no more.

use std::sync::Arc;

use object_store::client::HttpRequest;
use storagedriver::{ErrorKind, async_trait};
use storagedriver_object::http::{HttpClient, Refusal, ReplyHead, Request, Service};
use storagedriver_object::{StoreError, StoreResult};
use tokio::sync::Mutex;

use crate::identity::{Identity, Session};

/// So much of an answer is read: a catalogue of services.
const ANSWER_LIMIT: usize = 1 << 20;

/// Whoever needs the token waits here while another asks for it.
#[derive(Debug)]
pub(crate) struct Account {
    http: HttpClient,
    identity: Identity,
    session: Mutex<Option<Arc<Session>>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("storage", &self.storage.as_str()).finish_non_exhaustive()
    }
}

impl Account {
    pub(crate) fn new(http: HttpClient, identity: Identity) -> Self {
        Account { http, identity, session: Mutex::new(None) }
    }

    /// The session that there is, or a new one.
    pub(crate) async fn session(&self) -> StoreResult<Arc<Session>> {
        let mut held = self.session.lock().await;
        if let Some(session) = &*held {
            return Ok(session.clone());
        }
        let request = self.identity.request()?;
        let asked = self
            .http
            .exchange(&Unsigned, &request, ANSWER_LIMIT, |head, body| self.identity.session(head, &body));
        let session = Arc::new(asked.await?);
        *held = Some(session.clone());
        Ok(session)
    }

    /// Drops the session.
    pub(crate) async fn forget(&self) {
        *self.session.lock().await = None;
    }
}

/// The identity service: its requests carry their own proof.
#[derive(Debug)]
struct Unsigned;

#[async_trait]
impl Service for Unsigned {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        crate::refusal::read(head, body)
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        let (kind, advice) = match refusal.status.as_u16() {
            400 | 401 | 403 => (
                ErrorKind::Unauthenticated,
                "check username, password, tenant and domains, or the application credential",
            ),
            404 => (ErrorKind::Backend, "check authurl and authversion"),
            200..=299 => (ErrorKind::Backend, "check authurl, authversion, region and endpointtype"),
            _ => return refusal.into_error(request.what),
        };
        refusal.into_failure(kind, request.what, advice)
    }
}
