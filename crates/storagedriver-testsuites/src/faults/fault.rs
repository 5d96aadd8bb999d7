//! The kinds of faults.

use std::time::Duration;

/// One thing that goes wrong with one request.
///
/// A fault is only given to a request that it fits, as each kind says: it waits while others pass,
/// whether it comes from a rule or from a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is read to its end and not forwarded; the reply has this status and the body of an
    /// S3 error. With 429 or 503 and `retry_after`, which is in seconds, this is throttling.
    Refuse {
        /// The status: 500, 503, 429, or any other.
        status: u16,
        /// The header `Retry-After`, in seconds; none when `None`.
        retry_after: Option<u64>,
    },
    /// As [`Refuse`](Self::Refuse), for this request and those that follow it.
    Storm {
        /// The status: 500, 503, 429, or any other.
        status: u16,
        /// How many requests it hits, this one counted; those of other operations pass.
        requests: u32,
    },
    /// The connection is reset inside the body of the request. The upstream sees a body that ends too
    /// early. Fits a request that has a body.
    ResetRequest {
        /// How many bytes of the body are forwarded first; at most all but one.
        after: u64,
    },
    /// The connection is reset inside the body of the reply; before the reply when that has no body.
    ResetResponse {
        /// How many bytes of the body are passed on first; at most all but one.
        after: u64,
    },
    /// The upstream executes the request, and its reply is replaced by one with this status.
    AppliedThenStatus {
        /// The status: 500, 503, or any other.
        status: u16,
    },
    /// The upstream executes the request, and the connection is reset in place of the reply.
    AppliedThenReset,
    /// The reply has status 200 and the body of an S3 error, as S3 answers a `CopyObject`, an
    /// `UploadPartCopy` or a `CompleteMultipartUpload` that fails after it has begun to answer.
    /// Fits these three.
    ErrorInSuccess {
        /// The S3 error code: `InternalError`, `SlowDown`, …
        code: &'static str,
        /// Whether the upstream executes the request all the same.
        applied: bool,
    },
    /// An Azure copy that is not done when it is answered: the header `x-ms-copy-status` says `pending`
    /// in the reply to the copy and in the next `polls` replies about its destination, and how it ends
    /// in those after. Fits a `PUT` with the header `x-ms-copy-source`. The upstream copies at once; a
    /// client that reads the destination of a failed copy finds what it must not use.
    PendingCopy {
        /// How many `GET` and `HEAD` of the destination still say `pending`.
        polls: u32,
        /// How the copy ends.
        end: CopyEnd,
    },
    /// The request or the reply waits.
    Stall {
        /// Where it waits.
        place: Place,
        /// How long it waits.
        hold: Hold,
    },
    /// The body of the reply arrives in small pieces, with a wait before each.
    Drip {
        /// Bytes in a piece; 0 counts as 1.
        piece: usize,
        /// How long it waits before each piece.
        hold: Hold,
    },
    /// A listing of S3, or of Google's JSON API, loses all but its first entries. Fits `GET`; other replies
    /// pass unchanged, and so does a listing that has no more entries than `keep`.
    TruncateListing {
        /// How many entries stay, keys and common prefixes counted together.
        keep: usize,
        /// What the listing says of the rest.
        mark: Mark,
    },
    /// The page names as the next page itself: the marker or token that it was asked for with. A client
    /// that follows it gets the page twice. Fits a `GET` of a listing that continues from a
    /// `continuation-token` or a `marker`, in S3's and Azure's XML, or from a `pageToken`, in Google's JSON.
    RepeatPage,
    /// The parameter `start-after` (Google's: `startOffset`) is taken out of the query, so the listing begins at
    /// its beginning. Fits a `GET` that has it. An upstream that verifies signatures refuses what is left.
    IgnoreStartAfter,
}

/// How a pending copy ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyEnd {
    /// As the upstream says, which is `success` as a rule.
    Success,
    /// `failed`.
    Failed,
    /// `aborted`.
    Aborted,
}

/// Where a stall happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Before the request is forwarded.
    BeforeRequest,
    /// Inside the body of the request, after so many bytes; at most all but one.
    RequestBody(u64),
    /// After the upstream has answered, before the client sees anything of it.
    BeforeResponse,
    /// Inside the body of the reply, after so many bytes; at most all but one.
    ResponseBody(u64),
}

/// How long something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// Until [`FaultProxy::release`](super::FaultProxy::release).
    UntilReleased,
    /// So long, or until released.
    For(Duration),
}

/// What a listing that lost entries says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// Truncated, with a marker or token that leads to the rest. For version 2, and in JSON, the proxy keeps the rest
    /// and answers the token itself, so that no signed query has to be rewritten: the rest is as old as
    /// the page. For version 1 the marker goes to the upstream; one entry stays at least.
    Truncated,
    /// Truncated, without a marker or token. In JSON, where nothing else says so, the page stays as it is.
    TruncatedWithoutToken,
    /// Complete, which is a lie.
    Complete,
}

impl Fault {
    /// One of each kind that a correct driver survives without losing a byte: for
    /// [`Schedule::faults`](super::Schedule::faults). Left out are listings that lie about their end,
    /// copies that end as failed, which the caller has to see as an error, and whatever waits to be
    /// released. Waits are a few milliseconds.
    pub fn survivable() -> Vec<Self> {
        let hold = Hold::For(Duration::from_millis(2));
        let stall = |place| Self::Stall { place, hold };
        vec![
            Self::Refuse { status: 500, retry_after: None },
            Self::Refuse { status: 503, retry_after: Some(0) },
            Self::Refuse { status: 429, retry_after: Some(0) },
            Self::Storm { status: 500, requests: 2 },
            Self::Storm { status: 503, requests: 3 },
            Self::ResetRequest { after: 0 },
            Self::ResetRequest { after: 1000 },
            Self::ResetResponse { after: 0 },
            Self::ResetResponse { after: 1000 },
            Self::AppliedThenStatus { status: 500 },
            Self::AppliedThenStatus { status: 503 },
            Self::AppliedThenReset,
            Self::ErrorInSuccess { code: "InternalError", applied: false },
            Self::ErrorInSuccess { code: "InternalError", applied: true },
            Self::PendingCopy { polls: 2, end: CopyEnd::Success },
            stall(Place::BeforeRequest),
            stall(Place::RequestBody(100)),
            stall(Place::BeforeResponse),
            stall(Place::ResponseBody(100)),
            Self::Drip { piece: 4096, hold },
            Self::TruncateListing { keep: 1, mark: Mark::Truncated },
        ]
    }

    /// The name of the kind, as [`Counts::by_fault`](super::Counts::by_fault) has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "Refuse",
            Self::Storm { .. } => "Storm",
            Self::ResetRequest { .. } => "ResetRequest",
            Self::ResetResponse { .. } => "ResetResponse",
            Self::AppliedThenStatus { .. } => "AppliedThenStatus",
            Self::AppliedThenReset => "AppliedThenReset",
            Self::ErrorInSuccess { .. } => "ErrorInSuccess",
            Self::PendingCopy { .. } => "PendingCopy",
            Self::Stall { .. } => "Stall",
            Self::Drip { .. } => "Drip",
            Self::TruncateListing { .. } => "TruncateListing",
            Self::RepeatPage => "RepeatPage",
            Self::IgnoreStartAfter => "IgnoreStartAfter",
        }
    }
}
