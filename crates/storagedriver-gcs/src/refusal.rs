//! What Cloud Storage says when it refuses, and what that means.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use storagedriver::ErrorKind;
use storagedriver_object::http::{Refusal, ReplyHead, Request};
use storagedriver_object::{StoreError, StoreResult};

/// Reasons of the JSON API for which one waits and asks again, whatever the status.
const RATES: [&str; 2] = ["rateLimitExceeded", "userRateLimitExceeded"];
/// Reasons that a wait of seconds does not help.
const QUOTAS: [&str; 3] = ["quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"];
/// How far clocks may be apart before that is worth telling. Tokens are refused beyond some minutes.
const SKEW: Duration = Duration::from_secs(120);

/// The body of an error in the JSON API.
#[derive(Deserialize)]
struct JsonError {
    error: JsonDetail,
}

#[derive(Deserialize)]
struct JsonDetail {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    errors: Vec<JsonReason>,
}

#[derive(Deserialize)]
struct JsonReason {
    #[serde(default)]
    reason: Option<String>,
}

/// The body of an error in the XML API.
#[derive(Deserialize)]
#[serde(rename = "Error")]
struct XmlError {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "Details")]
    details: Option<String>,
}

/// Reads a refusal of either API.
pub(crate) fn read(head: &ReplyHead, body: &[u8]) -> Refusal {
    let mut refusal = Refusal::plain(head, body);
    refusal.request_id = request_id(head);
    if let Ok(JsonError { error }) = serde_json::from_slice(body) {
        refusal.code = error.errors.into_iter().find_map(|error| error.reason);
        refusal.message = error.message;
    } else if let Some(error) = xml_error(body) {
        (refusal.code, refusal.message) = (error.code, error.message);
    }
    if refusal.status.as_u16() == 401
        && let Some(skew) = skew(head)
    {
        let message = refusal.message.unwrap_or_default();
        refusal.message = Some(format!("{message} ({skew})"));
    }
    refusal
}

/// What the service calls this request.
pub(crate) fn request_id(head: &ReplyHead) -> Option<String> {
    head.header("x-guploader-uploadid").map(str::to_owned)
}

/// An error that may stand in a body, in that of a 200 too.
pub(crate) fn xml_refusal(head: &ReplyHead, body: &[u8]) -> Option<Refusal> {
    let error = xml_error(body)?;
    let status = storagedriver_object::http::StatusCode::INTERNAL_SERVER_ERROR;
    let mut refusal = Refusal::new(status);
    (refusal.code, refusal.message) = (error.code, error.message);
    refusal.request_id = request_id(head);
    Some(refusal)
}

fn xml_error(body: &[u8]) -> Option<XmlError> {
    let text = std::str::from_utf8(body).ok()?;
    if !text.contains("<Error>") {
        return None;
    }
    let mut error: XmlError = quick_xml::de::from_str(text).ok()?;
    if let Some(details) = error.details.take() {
        error.message = Some(format!("{} {details}", error.message.unwrap_or_default()));
    }
    Some(error)
}

/// How far this machine's clock is from the service's, if that is far.
fn skew(head: &ReplyHead) -> Option<String> {
    let theirs = httpdate::parse_http_date(head.header("date")?).ok()?;
    let ours = SystemTime::now();
    let (apart, side) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    let seconds = apart.as_secs();
    (apart > SKEW).then(|| {
        format!(
            "the clock of this machine is {seconds} s {side} the service's: set it, tokens are valid by it"
        )
    })
}

/// Whether a refusal passes by itself.
pub(crate) fn is_transient(refusal: &Refusal) -> bool {
    refusal.is_transient() || refusal.is(&RATES) || refusal.is(&["OperationAborted", "SlowDown"])
}

/// What a refusal means to the engine.
pub(crate) fn error(bucket: &str, request: &Request, refusal: Refusal) -> StoreError {
    let what = request.what;
    if refusal.is(&["NoSuchUpload"]) {
        return StoreError::NoSuchUpload;
    }
    if is_bucket_missing(&refusal) {
        let advice = format!("there is no bucket {bucket:?}: make it, or mend the parameter bucket");
        return refusal.into_failure(ErrorKind::Backend, what, &advice);
    }
    if refusal.is(&RATES) || refusal.is(&["SlowDown"]) {
        let advice = "wait, and send fewer requests at once (the parameter maxconcurrency); \
                      one object takes one write a second";
        return refusal.into_failure(ErrorKind::Throttled, what, advice);
    }
    if refusal.is(&QUOTAS) {
        let advice = "the quota of the project is used up: raise it in the console, or wait for the next day";
        return refusal.into_failure(ErrorKind::Throttled, what, advice);
    }
    match refusal.status.as_u16() {
        401 => {
            let advice = "check keyfile or credentials, that the account was not deleted, and the clock of this \
                          machine";
            refusal.into_failure(ErrorKind::Unauthenticated, what, advice)
        }
        403 => {
            let advice = if refusal.is(&[
                "retentionPolicyNotMet",
                "objectUnderActiveHold",
                "RetentionPolicyNotMet",
            ]) {
                "a retention policy or a hold of the bucket keeps the object: a registry needs a bucket without"
            } else {
                "give the account the role roles/storage.objectUser on the bucket"
            };
            refusal.into_failure(ErrorKind::PermissionDenied, what, advice)
        }
        400 if refusal.is(&["userProjectMissing", "UserProjectMissing"]) => {
            let advice = "the bucket lets the requester pay: set the parameter userproject";
            refusal.into_failure(ErrorKind::PermissionDenied, what, advice)
        }
        _ => refusal.into_error(what),
    }
}

/// The status and the reason of a missing bucket are those of a missing object. Only the XML API
/// has a code for it; in the JSON API the text alone tells them apart, and without it every typing
/// error in a configuration would pass for an empty store.
fn is_bucket_missing(refusal: &Refusal) -> bool {
    let says_so = || {
        let message = refusal.message.as_deref().unwrap_or_default();
        message.contains("bucket does not exist")
    };
    refusal.is(&["NoSuchBucket"]) || (refusal.status.as_u16() == 404 && says_so())
}

/// A request for which only the bucket can be missing.
pub(crate) fn of_bucket<T>(bucket: &str, result: StoreResult<T>) -> StoreResult<T> {
    match result {
        Err(StoreError::NotFound) => {
            let reason = format!("there is no bucket {bucket:?}: make it, or mend the parameter bucket");
            Err(StoreError::failed(ErrorKind::Backend, reason))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use storagedriver_object::http::{HeaderMap, HeaderValue, Method, StatusCode};

    use super::*;
    use crate::place::{GOOGLE, Place};

    fn head(status: u16, headers: &[(&'static str, &str)]) -> ReplyHead {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        ReplyHead { status: StatusCode::from_u16(status).unwrap(), headers: map }
    }

    fn json(status: u16, reason: &str, message: &str) -> Refusal {
        let body = serde_json::json!({"error": {
            "code": status, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}],
        }});
        read(&head(status, &[("x-guploader-uploadid", "id-1")]), body.to_string().as_bytes())
    }

    fn meaning(refusal: Refusal) -> StoreError {
        let url = Place::new(GOOGLE, "layers").unwrap().object("a", &[]);
        error("layers", &Request::new("objects.get", Method::GET, url), refusal)
    }

    fn failure(refusal: Refusal) -> String {
        format!("{:?}", meaning(refusal))
    }

    #[test]
    fn both_formats_are_read() {
        let refusal = json(403, "forbidden", "x does not have storage.objects.get access");
        assert_eq!(refusal.code.as_deref(), Some("forbidden"));
        assert_eq!(refusal.request_id.as_deref(), Some("id-1"));
        let body = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchUpload</Code>\
                     <Message>The requested upload was not found.</Message></Error>";
        let refusal = read(&head(404, &[]), body);
        assert_eq!(refusal.code.as_deref(), Some("NoSuchUpload"));
        assert!(matches!(meaning(refusal), StoreError::NoSuchUpload));
        assert_eq!(
            read(&head(404, &[]), b"No such object: layers/a").message.unwrap(),
            "No such object: layers/a"
        );
    }

    #[test]
    fn each_refusal_has_its_meaning_and_says_what_to_do() {
        for (refusal, kind, advice) in [
            (json(401, "authError", "Invalid Credentials"), "Unauthenticated", "keyfile"),
            (json(403, "forbidden", "no"), "PermissionDenied", "roles/storage.objectUser"),
            (json(403, "retentionPolicyNotMet", "no"), "PermissionDenied", "retention"),
            (json(403, "rateLimitExceeded", "no"), "Throttled", "maxconcurrency"),
            (json(429, "userRateLimitExceeded", "no"), "Throttled", "maxconcurrency"),
            (json(403, "quotaExceeded", "no"), "Throttled", "quota"),
            (json(400, "userProjectMissing", "no"), "PermissionDenied", "userproject"),
            (
                json(404, "notFound", "The specified bucket does not exist."),
                "Backend",
                "bucket \\\"layers\\\"",
            ),
            (json(409, "conflict", "no"), "Conflict", "409"),
            (json(503, "backendError", "no"), "Throttled", "503"),
            (json(500, "internalError", "no"), "Unavailable", "500"),
            (json(400, "invalid", "no"), "Backend", "400"),
        ] {
            let text = failure(refusal);
            assert!(text.contains(kind) && text.contains(advice), "{kind}, {advice}: {text}");
            assert!(text.contains("id-1"), "{text}");
        }
        assert!(matches!(meaning(json(404, "notFound", "No such object: layers/a")), StoreError::NotFound));
        assert!(matches!(meaning(json(412, "conditionNotMet", "no")), StoreError::Precondition));
        assert!(matches!(meaning(json(416, "requestedRangeNotSatisfiable", "no")), StoreError::Range(None)));
    }

    #[test]
    fn what_passes_is_sent_again() {
        for refusal in [
            json(403, "rateLimitExceeded", ""),
            json(429, "rateLimitExceeded", ""),
            json(503, "backendError", ""),
            json(500, "internalError", ""),
            json(408, "", ""),
        ] {
            assert!(is_transient(&refusal), "{refusal:?}");
        }
        for refusal in
            [json(403, "forbidden", ""), json(403, "quotaExceeded", ""), json(412, "conditionNotMet", "")]
        {
            assert!(!is_transient(&refusal), "{refusal:?}");
        }
    }

    #[test]
    fn a_wrong_clock_is_told() {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
        let refusal = read(&head(401, &[("date", &date)]), b"");
        assert!(refusal.message.unwrap().contains("behind"));
        let date = httpdate::fmt_http_date(SystemTime::now());
        assert_eq!(read(&head(401, &[("date", &date)]), b"").message, None);
    }

    #[test]
    fn a_throttled_reply_tells_how_long() {
        let refusal = read(&head(429, &[("retry-after", "7")]), b"");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
    }
}
