//! Claims: who may publish, move or remove the segments of a set.
//!
//! Swift has no condition but that nothing is there. So a claim is an object that is made on this condition: of all who
//! want one, one gets it. It says what it is for, so that whoever finds one that was left behind knows what may have been
//! done. It is removed when that is done; a claim that stays keeps the segments, and the list of uploads shows it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use storagedriver_object::http::header;
use storagedriver_object::{StoreError, StoreResult};

use crate::client::Client;
use crate::layout::{Set, new_id};

/// How long a claim of somebody else is waited for: it is held for a few requests.
const WAITS: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200)];
/// So many renames are remembered whose source was not yet deleted.
const MOST_MOVES: usize = 10_000;

/// What a claim is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// To publish an upload.
    Publish(String),
    /// To end an upload.
    Abort(String),
    /// To delete or replace the object that the set is of.
    Delete(String),
    /// To move the set from one object to another.
    Move(String, String),
}

/// What a claim says. No two claims have the same token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) token: String,
    pub(crate) purpose: Purpose,
}

/// Who has the claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Mine,
    /// Somebody else, or one who is no more.
    Other(Purpose),
}

/// Renames of this process that have copied a manifest, by their source: the engine deletes that next.
#[derive(Debug, Default)]
pub(crate) struct Moves(Mutex<BTreeMap<String, Set>>);

impl Moves {
    pub(crate) fn remember(&self, from: &str, set: &Set) {
        let mut moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moves.len() >= MOST_MOVES {
            moves.clear();
        }
        moves.insert(from.to_owned(), set.clone());
    }

    pub(crate) fn take(&self, from: &str) -> Option<Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(from)
    }
}

impl Client {
    /// Claims a set, after a while of waiting for others.
    pub(crate) async fn claim(&self, set: &Set, purpose: &Purpose) -> StoreResult<Held> {
        let claim = Claim { token: new_id()?, purpose: purpose.clone() };
        let body = serde_json::to_vec(&claim).map_err(|error| {
            StoreError::failed(storagedriver::ErrorKind::Backend, "a claim cannot be written")
                .with_source(error)
        })?;
        let name = self.layout.claim(set);
        let request = self.put_request("PUT claim", &name, &[], body.into()).await?;
        let conditional = self.cluster().await?.has_conditional_put();
        let mut waits = WAITS.iter();
        loop {
            let found = if conditional {
                match self.send_put(&request.clone().header(header::IF_NONE_MATCH, "*")?).await {
                    Ok(_) => return Ok(Held::Mine),
                    Err(StoreError::Precondition) => self.claimed(set).await?,
                    Err(error) => return Err(error),
                }
            } else {
                // Second best: of two who find nothing, the later one wins, unless the first has looked before.
                match self.claimed(set).await? {
                    None => {
                        self.send_put(&request).await?;
                        self.claimed(set).await?
                    }
                    found => found,
                }
            };
            match found {
                // Gone while it was looked at.
                None => {}
                // The answer to an earlier attempt was lost.
                Some(found) if found.token == claim.token => return Ok(Held::Mine),
                Some(found) if found.purpose == *purpose => return Ok(Held::Other(found.purpose)),
                Some(found) => match waits.next() {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Ok(Held::Other(found.purpose)),
                },
            }
        }
    }

    /// The claim on a set, if there is one.
    pub(crate) async fn claimed(&self, set: &Set) -> StoreResult<Option<Claim>> {
        let name = self.layout.claim(set);
        let Some((_, body)) = self.read(&name).await? else { return Ok(None) };
        serde_json::from_slice(&body).map(Some).map_err(|error| {
            let reason = format!("the claim {name} is not what was written; delete it");
            StoreError::failed(storagedriver::ErrorKind::Corrupted, reason).with_source(error)
        })
    }

    pub(crate) async fn release(&self, set: &Set) -> StoreResult<()> {
        self.delete_one(&self.layout.claim(set)).await
    }
}
