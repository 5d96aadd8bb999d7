//! Deletes: of what is plain, at once; of manifests, with their segments.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use storagedriver_object::http::{Method, Refusal, Request, StatusCode, header};
use storagedriver_object::{StoreError, StoreResult};

use crate::claims::{Held, Purpose};
use crate::client::{Client, encode};
use crate::layout::Set;

/// How many requests are on their way at once.
const PARALLEL: usize = 16;
/// So many are deleted one by one.
const FEW: usize = 2;
/// So often a delete looks again at what was replaced meanwhile.
const MOST_LOOKS: usize = 4;

/// What came of a bulk delete: the status of the reply is 200 in any case.
#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "Response Status")]
    status: String,
    #[serde(rename = "Errors", default)]
    errors: Vec<Vec<String>>,
}

impl Client {
    /// Deletes objects, and the last one when the others are gone: it may be what names them.
    pub(crate) async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        let Some((last, first)) = keys.split_last() else { return Ok(()) };
        let plain: Vec<Option<String>> = stream::iter(first.to_vec())
            .map(|key| async move { Ok::<_, StoreError>((!self.delete_large(&key).await?).then_some(key)) })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let plain: Vec<String> = plain.into_iter().flatten().collect();
        self.remove_all(&plain).await?;
        if !self.delete_large(last).await? {
            self.delete_one(last).await?;
        }
        Ok(())
    }

    /// Deletes what is at a key if it is a manifest; `false` if it is not.
    async fn delete_large(&self, key: &str) -> StoreResult<bool> {
        if self.layout.is_hidden(key) {
            return Ok(false);
        }
        let moved = self.moves.take(key);
        for _ in 0..MOST_LOOKS {
            let Some(found) = self.find(key).await? else {
                if let Some(set) = &moved {
                    // An earlier attempt has deleted it.
                    self.release(set).await?;
                }
                return Ok(true);
            };
            let Some(set) = found.set else { return Ok(false) };
            if moved.as_ref().is_some_and(|moved| moved.name == set.name) {
                // The end of a rename: the segments are another's now.
                self.delete_one(key).await?;
                self.release(&set).await?;
                return Ok(true);
            }
            if self.delete_set(key, &set).await? {
                return Ok(true);
            }
        }
        let reason = format!("{key} was replaced again and again while it was deleted; try again");
        Err(StoreError::failed(storagedriver::ErrorKind::Unavailable, reason))
    }

    /// Deletes a manifest and its segments; `false` if the key holds something else by now.
    async fn delete_set(&self, key: &str, set: &Set) -> StoreResult<bool> {
        let purpose = Purpose::Delete(key.to_owned());
        match self.claim(set, &purpose).await? {
            Held::Other(other) if other != purpose => {
                // Somebody moves the segments, or was about to: they stay, and the claim tells of them.
                self.delete_one(key).await?;
                return Ok(true);
            }
            Held::Mine | Held::Other(_) => {}
        }
        if !self.refers(key, set).await? {
            self.release(set).await?;
            return Ok(false);
        }
        self.delete_one(key).await?;
        self.remove_segments(set).await?;
        self.release(set).await?;
        Ok(true)
    }

    /// Deletes plain objects; those that are absent are no error.
    pub(crate) async fn remove_all(&self, keys: &[String]) -> StoreResult<()> {
        let limit = if keys.len() > FEW { self.cluster().await?.bulk_delete } else { None };
        if let Some(limit) = limit {
            for batch in keys.chunks(limit.min(1000)) {
                self.bulk_delete(batch).await?;
            }
            return Ok(());
        }
        stream::iter(keys.to_vec())
            .map(|key| async move { self.delete_one(&key).await })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
    }

    async fn bulk_delete(&self, keys: &[String]) -> StoreResult<()> {
        let container = encode(self.container(), false);
        let lines: Vec<String> =
            keys.iter().map(|key| format!("/{container}/{}", encode(key, true))).collect();
        let request =
            Request::new("bulk delete", Method::POST, self.account_url("", &[("bulk-delete", "1")]).await?)
                .header(header::CONTENT_TYPE, "text/plain")?
                .header(header::ACCEPT, "application/json")?
                .body(lines.join("\n"));
        self.exchange(&request, |_, body| {
            let outcome: Outcome = serde_json::from_slice(&body)
                .map_err(|_| Refusal::unreadable("the outcome of the bulk delete cannot be understood"))?;
            told(&outcome)
        })
        .await
    }
}

/// What did not work, as if the store had refused with it.
fn told(outcome: &Outcome) -> Result<(), Refusal> {
    let failed = outcome
        .errors
        .iter()
        .filter_map(|error| Some((error.first()?, error.get(1)?)))
        .find(|(_, status)| !status.starts_with("404"));
    let (name, status) = match failed {
        Some((name, status)) => (name.as_str(), status.as_str()),
        None if outcome.errors.is_empty() && !matches!(outcome.status.get(..3), Some("200" | "404")) => {
            ("", outcome.status.as_str())
        }
        None => return Ok(()),
    };
    let code = status.get(..3).and_then(|code| StatusCode::from_bytes(code.as_bytes()).ok());
    let mut refusal = Refusal::new(code.unwrap_or(StatusCode::SERVICE_UNAVAILABLE));
    refusal.message = Some(format!("{status} {name}"));
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Result<(), Refusal> {
        told(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_bulk_delete_tells_in_its_body_what_failed() {
        for fine in [
            r#"{"Response Status": "200 OK", "Errors": [], "Number Deleted": 1}"#,
            r#"{"Response Status": "404 Not Found", "Errors": []}"#,
            r#"{"Response Status": "400 Bad Request", "Errors": [["/c/a", "404 Not Found"]]}"#,
        ] {
            assert!(outcome(fine).is_ok(), "{fine}");
        }
        for (text, status) in [
            (r#"{"Response Status": "400 Bad Request", "Errors": [["/c/a", "403 Forbidden"]]}"#, 403),
            (r#"{"Response Status": "502 Bad Gateway", "Errors": []}"#, 502),
        ] {
            assert_eq!(outcome(text).unwrap_err().status.as_u16(), status);
        }
    }
}
