//! Errors, as messages and in the details of a gRPC status.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use storagedriver::{Context, Error, ErrorKind, ErrorParts, Operation, StoragePath};
use tonic::{Code, Status};

use super::time::{duration, duration_message};
use crate::proto;

const TYPE: &str = "type.googleapis.com/storagedriver.v1.Error";

/// The most text of one error, in bytes: what fits into the headers that gRPC libraries take by default.
const MOST_TEXT: usize = 4096;

/// What gRPC libraries have in the details of a status: `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// An error as a message. Long texts are cut.
pub fn error_message(error: &Error) -> proto::Error {
    let parts = ErrorParts::from(error);
    let mut room = MOST_TEXT;
    let mut cut = |text: &str| {
        let text = truncated(text, room);
        room -= text.len();
        text
    };
    proto::Error {
        kind: kind_message(parts.kind).into(),
        driver: cut(parts.context.driver.as_deref().unwrap_or_default()),
        operation: parts.context.operation.map(|operation| operation.as_str().to_owned()).unwrap_or_default(),
        parameter: cut(&parts.parameter),
        path: cut(truncated(parts.context.path.as_deref().unwrap_or_default(), MOST_TEXT / 2).as_str()),
        reason: cut(&parts.reason),
        causes: parts.causes.iter().map(|cause| cut(cause)).filter(|cause| !cause.is_empty()).collect(),
        offset: parts.offset,
        size: parts.size,
        retry_after: parts.retry_after.map(duration_message),
    }
}

/// The start of `text`, at most `most` bytes of it, with a mark if some is missing.
fn truncated(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    const MARK: &str = "…";
    let end = text.floor_char_boundary(most.saturating_sub(MARK.len()));
    match text.get(..end) {
        Some(start) if most >= MARK.len() => format!("{start}{MARK}"),
        _ => String::new(),
    }
}

/// The error of a message.
pub fn from_error_message(message: proto::Error) -> Error {
    let mut parts = ErrorParts::new(kind(message.kind()));
    let some = |text: &str| (!text.is_empty()).then(|| Arc::<str>::from(text));
    parts.context = Context::default();
    parts.context.driver = some(&message.driver);
    parts.context.path = some(&message.path);
    parts.context.operation =
        Operation::ALL.iter().copied().find(|operation| operation.as_str() == message.operation);
    parts.reason = message.reason;
    parts.causes = message.causes;
    parts.offset = message.offset;
    parts.size = message.size;
    parts.retry_after = message.retry_after.as_ref().map(duration);
    parts.parameter = message.parameter;
    parts.into_error()
}

/// An error as the status of a call.
pub fn to_status(error: &Error) -> Status {
    let message = error_message(error);
    let code = code(message.kind());
    let text = truncated(&error.to_string(), MOST_TEXT / 4);
    let detail = prost_types::Any { type_url: TYPE.to_owned(), value: message.encode_to_vec() };
    let details = Details { code: code.into(), message: text.clone(), details: vec![detail] };
    Status::with_details(code, text, Bytes::from(details.encode_to_vec()))
}

/// The error of a status of a call on `path`, by its details or else by its code.
pub fn from_status(status: &Status, path: &StoragePath) -> Error {
    if let Ok(details) = Details::decode(status.details())
        && let Some(detail) = details.details.iter().find(|detail| detail.type_url == TYPE)
        && let Ok(message) = proto::Error::decode(detail.value.as_slice())
    {
        return from_error_message(message);
    }
    let reason = format!("the driver's process: {}: {}", status.code(), status.message());
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Error::unavailable(path, reason),
        Code::Unimplemented => Error::unsupported(path, reason),
        _ => Error::backend(path, reason),
    }
}

macro_rules! kinds {
    ($($kind:ident = $message:ident, $code:ident;)+) => {
        fn kind(message: proto::ErrorKind) -> ErrorKind {
            match message {
                $(proto::ErrorKind::$message => ErrorKind::$kind,)+
            }
        }

        fn kind_message(kind: ErrorKind) -> proto::ErrorKind {
            match kind {
                $(ErrorKind::$kind => proto::ErrorKind::$message,)+
                // The others do not cross: `ErrorParts` turns them into one of these.
                _ => proto::ErrorKind::KindBackend,
            }
        }

        fn code(message: proto::ErrorKind) -> Code {
            match message {
                $(proto::ErrorKind::$message => Code::$code,)+
            }
        }
    };
}

kinds! {
    Backend = KindBackend, Internal;
    PathNotFound = KindPathNotFound, NotFound;
    InvalidPath = KindInvalidPath, InvalidArgument;
    InvalidOffset = KindInvalidOffset, OutOfRange;
    Conflict = KindConflict, Aborted;
    Unsupported = KindUnsupported, Unimplemented;
    PermissionDenied = KindPermissionDenied, PermissionDenied;
    Unauthenticated = KindUnauthenticated, Unauthenticated;
    OutOfSpace = KindOutOfSpace, ResourceExhausted;
    Throttled = KindThrottled, ResourceExhausted;
    Unavailable = KindUnavailable, Unavailable;
    Corrupted = KindCorrupted, DataLoss;
    InvalidParameter = KindInvalidParameter, InvalidArgument;
    InvalidConfiguration = KindInvalidConfiguration, InvalidArgument;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn path() -> StoragePath {
        StoragePath::parse("/a/b").unwrap()
    }

    #[test]
    fn an_error_is_the_same_behind_the_boundary() {
        let io = || std::io::Error::other("below");
        let errors = [
            Error::path_not_found(&path()),
            Error::invalid_path("/a//b", "why"),
            Error::invalid_offset(&path(), 7, Some(3)),
            Error::conflict(&path(), "why"),
            Error::unsupported(&path(), "why"),
            Error::permission_denied(&path(), "why").with_source(io()),
            Error::unauthenticated(&path(), "why").with_source(io()),
            Error::out_of_space(&path(), "why").with_source(io()),
            Error::throttled(&path(), "why", Some(Duration::from_millis(1500))).with_source(io()),
            Error::unavailable(&path(), "why").with_source(io()),
            Error::corrupted(&path(), "why"),
            Error::backend(&path(), "why").with_source(io()),
            Error::invalid_parameter("s3", "bucket", "is missing"),
            Error::invalid_configuration("why"),
        ];
        for error in errors {
            let error = error.stamped(&Arc::from("s3"), Operation::Commit, None);
            let same = from_status(&to_status(&error), &StoragePath::root());
            assert_eq!(ErrorParts::from(&same), ErrorParts::from(&error));
        }
    }

    #[test]
    fn long_texts_are_cut_and_all_of_an_error_fits_into_a_header() {
        let long = "ä".repeat(100_000);
        let error = Error::backend(&path(), long.as_str()).with_source(std::io::Error::other(long.clone()));
        let status = to_status(&error);
        assert!(status.details().len() < 6000, "{}", status.details().len());
        let same = from_status(&status, &path()).to_string();
        assert!(same.ends_with('…') && same.contains("/a/b: ää"), "{same}");
        let error = from_status(&to_status(&Error::invalid_path(&long, "is too long")), &path());
        assert!(error.to_string().ends_with("is too long"), "{error}");
    }

    #[test]
    fn a_status_without_details_is_taken_by_its_code() {
        for (code, kind) in [
            (Code::Unavailable, ErrorKind::Unavailable),
            (Code::DeadlineExceeded, ErrorKind::Unavailable),
            (Code::Cancelled, ErrorKind::Unavailable),
            (Code::Unimplemented, ErrorKind::Unsupported),
            (Code::NotFound, ErrorKind::Backend),
            (Code::Unknown, ErrorKind::Backend),
        ] {
            assert_eq!(from_status(&Status::new(code, "text"), &path()).kind(), kind, "{code:?}");
        }
        let mut unknown = proto::Error { reason: "new".into(), ..Default::default() };
        unknown.kind = 99;
        assert_eq!(from_error_message(unknown).kind(), ErrorKind::Backend);
    }
}
