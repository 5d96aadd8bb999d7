//! Copies, which may be pending for a while and then fail.

use std::sync::PoisonError;

use http::StatusCode;

use super::authorise::authorise;
use super::blobs::{blob, blob_type, check_type, created, described};
use super::conditions::{check_source, check_write, container};
use super::options::{CopyOutcome, CopyRule};
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing};
use crate::store::{Content, Draft, Fields, State};

/// A copy that is not done.
#[derive(Debug)]
pub(super) struct Pending {
    id: String,
    rule: CopyRule,
    looks: u32,
    /// The blob that it makes.
    copy: Draft,
}

impl Service {
    pub(super) fn copy_blob(&self, call: &Call, place: &Place) -> Answer {
        let url = call.header("x-ms-copy-source").unwrap_or_default().to_owned();
        let from = self.source(call, &url, false)?;
        let rule = *self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.store.lock();
        let found = blob(&mut state, &from).map_err(|_| unreadable())?;
        check_source(call, &found)?;
        let current = container(&mut state, &place.container)?.objects.get(&place.blob);
        check_write(call, current)?;
        check_type(current, blob_type(&found))?;
        self.check_pending(place)?;
        self.check_pending(&from)?;
        let size = found.content.size();
        let sent = described(call).metadata;
        let mut copy = Draft {
            content: found.content,
            // Metadata of the request replaces all that of the source.
            metadata: if sent.is_empty() { found.metadata } else { sent },
            properties: found
                .properties
                .into_iter()
                .filter(|(name, _)| !name.starts_with("x-ms-copy-"))
                .collect(),
            blocks: found.blocks,
            etag: None,
        };
        let id = format!("{:08x}-0000-4000-8000-{:012x}", 0xC0B1_E000_u32, state.number());
        copy.properties.insert("x-ms-copy-id".to_owned(), id.clone());
        copy.properties
            .insert("x-ms-copy-source".to_owned(), url.split('?').next().unwrap_or_default().to_owned());
        let done = rule.pending_looks == 0 && rule.outcome == CopyOutcome::Success;
        let stored = if done {
            self.publish(&mut state, place, ended(copy, "success", size))?
        } else {
            let shown = Draft { content: Content::default(), blocks: Vec::new(), ..copy.clone() };
            let stored = self.publish(&mut state, place, status(shown, "pending", 0, size))?;
            let pending = Pending { id: id.clone(), rule, looks: 0, copy };
            self.pending().insert(place.clone().into(), pending);
            stored
        };
        let mut reply = created(&stored).with("x-ms-copy-id", id);
        reply.status = StatusCode::ACCEPTED;
        Ok(reply.with("x-ms-copy-status", if done { "success" } else { "pending" }))
    }

    /// The blob that a URL names, which must be of this server, and be readable by what the request
    /// brings along: for a block from a URL the source's own proof, else also that of the request.
    pub(super) fn source(&self, call: &Call, url: &str, needs_proof: bool) -> Answer<Place> {
        let url = url::Url::parse(url).map_err(|_| Refused::header("x-ms-copy-source"))?;
        let place = Place::of(url.path());
        let mut read = Call {
            method: http::Method::GET,
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        if let Some(token) = call.headers.get("x-ms-copy-source-authorization") {
            read.headers.insert(http::header::AUTHORIZATION, token.clone());
        }
        let proved = !read.headers.is_empty() || read.parameter("sig").is_some();
        if proved || needs_proof {
            authorise(&read, &place, &self.options.token).map_err(|_| {
                let message = "The specified resource may not be read by the credentials of the copy source.";
                Refused::new(StatusCode::UNAUTHORIZED, "CannotVerifyCopySource", message)
            })?;
        }
        Ok(place)
    }

    /// Looks at a blob: a copy to it may be done by now.
    pub(super) fn settle(&self, state: &mut State, place: &Place) -> Answer<()> {
        let key = place.clone().into();
        let mut all = self.pending();
        let Some(pending) = all.get_mut(&key) else { return Ok(()) };
        if pending.rule.outcome == CopyOutcome::Never || pending.looks < pending.rule.pending_looks {
            pending.looks = pending.looks.saturating_add(1);
            return Ok(());
        }
        let Some(pending) = all.remove(&key) else { return Ok(()) };
        drop(all);
        let size = pending.copy.content.size();
        let draft = match pending.rule.outcome {
            CopyOutcome::Success | CopyOutcome::Never => ended(pending.copy, "success", size),
            CopyOutcome::Failed => failed(pending.copy, "failed"),
            CopyOutcome::Aborted => failed(pending.copy, "aborted"),
        };
        self.publish(state, place, draft)?;
        Ok(())
    }

    pub(super) fn abort_copy(&self, call: &Call, place: &Place) -> Answer {
        let mut state = self.store.lock();
        blob(&mut state, place)?;
        let key = place.clone().into();
        let mut all = self.pending();
        let named = all.get(&key).map(|pending| Some(pending.id.as_str()) == call.parameter("copyid"));
        match named {
            None => {
                let message = "There is currently no pending copy operation.";
                return Err(Refused::conflict("NoPendingCopyOperation", message));
            }
            Some(false) => {
                let message =
                    "The specified copy ID did not match the copy ID for the pending copy operation.";
                return Err(Refused::conflict("CopyIdMismatch", message));
            }
            Some(true) => {}
        }
        let Some(pending) = all.remove(&key) else { return Err(Refused::no_blob()) };
        drop(all);
        self.publish(&mut state, place, failed(pending.copy, "aborted"))?;
        Ok(Outgoing::new(StatusCode::NO_CONTENT))
    }

    /// Nothing is written where a copy is pending.
    pub(super) fn check_pending(&self, place: &Place) -> Answer<()> {
        if self.pending().contains_key(&place.clone().into()) {
            let message = "There is currently a pending copy operation.";
            return Err(Refused::conflict("PendingCopyOperation", message));
        }
        Ok(())
    }
}

impl From<Place> for (String, String) {
    fn from(place: Place) -> Self {
        (place.container, place.blob)
    }
}

/// What a source that is not there is answered.
pub(super) fn unreadable() -> Refused {
    let message = "The specified blob does not exist.";
    Refused::new(StatusCode::NOT_FOUND, "CannotVerifyCopySource", message)
}

fn status(mut draft: Draft, status: &str, done: u64, size: u64) -> Draft {
    let told: Fields = [
        ("x-ms-copy-status".to_owned(), status.to_owned()),
        ("x-ms-copy-progress".to_owned(), format!("{done}/{size}")),
    ]
    .into();
    draft.properties.extend(told);
    draft
}

fn ended(draft: Draft, text: &str, size: u64) -> Draft {
    status(draft, text, size, size)
}

/// What a copy leaves that did not succeed: an empty blob.
fn failed(mut draft: Draft, text: &str) -> Draft {
    let size = draft.content.size();
    draft.content = Content::default();
    draft.blocks = Vec::new();
    let reason = "500 InternalServerError \"Copy failed.\"".to_owned();
    draft.properties.insert("x-ms-copy-status-description".to_owned(), reason);
    status(draft, text, 0, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_copy_leaves_nothing_of_the_content() {
        let copy = Draft { content: bytes::Bytes::from_static(b"abc").into(), ..Draft::default() };
        let left = failed(copy, "failed");
        assert_eq!(left.content.size(), 0);
        assert_eq!(left.properties["x-ms-copy-progress"], "0/3");
    }
}
