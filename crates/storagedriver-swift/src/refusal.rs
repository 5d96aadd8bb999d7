//! What Swift says when it refuses, and what that means.

use std::time::Duration;

use storagedriver::ErrorKind;
use storagedriver_object::StoreError;
use storagedriver_object::http::{Refusal, ReplyHead, Request};

/// Reads a refusal. Swift says a sentence in HTML, Ceph one word.
pub(crate) fn read(head: &ReplyHead, body: &[u8]) -> Refusal {
    let mut refusal = Refusal::plain(head, body);
    refusal.message = refusal.message.map(|text| without_tags(&text)).filter(|text| !text.is_empty());
    refusal.request_id = request_id(head);
    refusal
}

/// What the service calls this request.
pub(crate) fn request_id(head: &ReplyHead) -> Option<String> {
    head.header("x-trans-id").or_else(|| head.header("x-openstack-request-id")).map(str::to_owned)
}

/// Whether a refusal passes by itself. 498 is what Swift's limit of rates says; 409 and 422 are final.
pub(crate) fn is_transient(refusal: &Refusal) -> bool {
    refusal.status.as_u16() == 498 || (refusal.is_transient() && refusal.status.as_u16() != 425)
}

/// What it means when no attempt is left.
pub(crate) fn error(container: &str, request: &Request, mut refusal: Refusal) -> StoreError {
    let (kind, advice) = match refusal.status.as_u16() {
        401 => {
            (ErrorKind::Unauthenticated, "the token was refused again; check the user's rights".to_owned())
        }
        403 => (
            ErrorKind::PermissionDenied,
            format!("give the user read and write rights on the container {container}"),
        ),
        409 => {
            (ErrorKind::Conflict, "a segment is missing or is not the one that the manifest names".to_owned())
        }
        413 => (ErrorKind::OutOfSpace, "a quota is used up, or a limit of the cluster is passed".to_owned()),
        422 => (
            ErrorKind::Corrupted,
            "the bytes that arrived are not those that were sent; try again".to_owned(),
        ),
        498 => {
            refusal.retry_after = refusal.retry_after.or(Some(Duration::from_secs(1)));
            (ErrorKind::Throttled, String::new())
        }
        _ => return refusal.into_error(request.what),
    };
    refusal.into_failure(kind, request.what, &advice)
}

fn without_tags(text: &str) -> String {
    let mut shown = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                shown.push(' ');
            }
            letter if !inside => shown.push(letter),
            _ => {}
        }
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_shown_without_their_tags() {
        assert_eq!(without_tags("<html><h1>Not Found</h1><p>It is\nnot.</p></html>"), "Not Found It is not.");
        assert_eq!(without_tags("NoSuchKey"), "NoSuchKey");
    }
}
