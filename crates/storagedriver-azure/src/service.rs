//! How requests are signed, and what the service's refusals mean.

use std::time::{Duration, SystemTime};

use object_store::azure::{AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequest;
use storagedriver::{ErrorKind, async_trait};
use storagedriver_object::http::{HeaderName, Refusal, ReplyHead, Request, Service};
use storagedriver_object::{StoreError, StoreResult};

use crate::credentials::Credentials;
use crate::xml;

/// The version of the REST interface that requests are made in.
pub(crate) const VERSION: &str = "2023-11-03";
pub(crate) const VERSION_HEADER: HeaderName = HeaderName::from_static("x-ms-version");

/// A clock that is off by more than this is pointed out. The service refuses at 15 minutes.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// So much of what the service says is shown.
const SHOWN: usize = 300;

#[derive(Debug)]
pub(crate) struct AzureService {
    account: String,
    pub(crate) credentials: Credentials,
}

impl AzureService {
    pub(crate) fn new(account: &str, credentials: Credentials) -> Self {
        AzureService { account: account.to_owned(), credentials }
    }
}

#[async_trait]
impl Service for AzureService {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let credential = self.credentials.get().await?;
        if let AzureCredential::BearerToken(token) = &*credential
            && !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let reason = "the token that was fetched has characters that no header can have";
            return Err(StoreError::failed(ErrorKind::Unauthenticated, reason));
        }
        AzureAuthorizer::new(&credential, &self.account).try_authorize(request).map_err(|error| {
            StoreError::failed(ErrorKind::Backend, "the request could not be signed").with_source(error)
        })
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        let told = xml::error(body);
        let mut refusal = Refusal::plain(head, &[]);
        refusal.code = head.header("x-ms-error-code").map(str::to_owned).or(told.code);
        refusal.request_id = head.header("x-ms-request-id").map(str::to_owned);
        // What follows the first line repeats id and time.
        let message = told.message.as_deref().and_then(|message| message.lines().next());
        refusal.message = message.map(|message| message.chars().take(SHOWN).collect());
        if let Some(detail) = told.detail {
            let detail = detail.chars().take(SHOWN).collect::<String>();
            refusal.message = Some(match refusal.message {
                Some(message) => format!("{message} {detail}"),
                None => detail,
            });
        }
        if matches!(head.status.as_u16(), 401 | 403)
            && let Some(skew) = skew(head)
        {
            let told = refusal.message.take().unwrap_or_default();
            refusal.message =
                Some(format!("{told} (the clock here and the service's differ by {} s)", skew.as_secs()));
        }
        refusal
    }

    fn is_transient(&self, refusal: &Refusal) -> bool {
        // A server that lacks an operation will not have it the next time.
        refusal.is_transient() && !refusal.is(&["NotImplemented", "APINotImplemented"])
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        meaning(request.what, refusal)
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusal.status.as_u16() == 401 || refusal.is(&["InvalidAuthenticationInfo", "AuthenticationFailed"])
    }

    async fn renew(&self) -> bool {
        self.credentials.renew()
    }
}

fn skew(head: &ReplyHead) -> Option<Duration> {
    let theirs = httpdate::parse_http_date(head.header("date")?).ok()?;
    let ours = SystemTime::now();
    let skew = ours.duration_since(theirs).unwrap_or_else(|behind| behind.duration());
    (skew > SKEW).then_some(skew)
}

/// Error codes: <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>
fn meaning(what: &str, refusal: Refusal) -> StoreError {
    let (kind, advice) = match refusal.code.as_deref().unwrap_or_default() {
        "BlobNotFound" | "ResourceNotFound" => return StoreError::NotFound,
        "CannotVerifyCopySource" if refusal.status.as_u16() == 404 => return StoreError::NotFound,
        "ConditionNotMet" | "TargetConditionNotMet" | "SourceConditionNotMet" | "BlobAlreadyExists" => {
            return StoreError::Precondition;
        }
        "InvalidRange" => return StoreError::Range(None),
        "InvalidBlockList" => return StoreError::NoSuchUpload,
        "ContainerNotFound" => (
            ErrorKind::Backend,
            "the container does not exist; create it, or correct the parameter container",
        ),
        "ContainerBeingDeleted" => {
            (ErrorKind::Unavailable, "the container is being deleted; create it again when that is done")
        }
        "ContainerDisabled" | "AccountIsDisabled" => {
            (ErrorKind::PermissionDenied, "it was disabled; ask its administrator")
        }
        "AuthenticationFailed" => (
            ErrorKind::Unauthenticated,
            "check the account's name and its key or signature, when the signature expires, and the clock",
        ),
        "InvalidAuthenticationInfo" | "NoAuthenticationInformation" => (
            ErrorKind::Unauthenticated,
            "the token has expired or is for another tenant or service; check the credentials and the clock",
        ),
        "KeyBasedAuthenticationNotPermitted" => (
            ErrorKind::PermissionDenied,
            "the account takes no shared keys; use a credentials.type with tokens",
        ),
        "AuthorizationPermissionMismatch" | "InsufficientAccountPermissions" => (
            ErrorKind::PermissionDenied,
            "assign the role Storage Blob Data Contributor on the container, or give a signature with the \
             permissions r, w, d, l, c and a",
        ),
        "AuthorizationFailure" | "AuthorizationSourceIPMismatch" => (
            ErrorKind::PermissionDenied,
            "check the firewall and the networks of the account, and what the credentials may do",
        ),
        "AuthorizationProtocolMismatch"
        | "AuthorizationServiceMismatch"
        | "AuthorizationResourceTypeMismatch"
        | "PublicAccessNotPermitted" => (
            ErrorKind::PermissionDenied,
            "the credentials are not for this; a signature has to cover blobs, containers and objects",
        ),
        "LeaseIdMissing"
        | "LeaseAlreadyPresent"
        | "LeaseIdMismatchWithBlobOperation"
        | "LeaseNotPresentWithBlobOperation"
        | "LeaseLost" => {
            (ErrorKind::Conflict, "the blob is under a lease of somebody else; break it, or wait")
        }
        "BlobImmutableDueToPolicy" => (
            ErrorKind::PermissionDenied,
            "a policy or legal hold of the container keeps the blob from being changed or deleted",
        ),
        "SnapshotsPresent" => (ErrorKind::Conflict, "the blob has snapshots; delete them first"),
        "BlobArchived" | "BlobBeingRehydrated" => {
            (ErrorKind::Backend, "the blob is in the archive tier; rehydrate it first")
        }
        "PendingCopyOperation" => {
            (ErrorKind::Unavailable, "a copy to this blob is not done; try again, or abort that copy")
        }
        "InvalidBlobType" => (ErrorKind::Conflict, "the blob is of another type"),
        "DirectoryIsNotEmpty"
        | "BlobOperationNotSupportedForHierarchicalNamespaceAccounts"
        | "FeatureNotSupportedForHierarchicalNamespaceAccounts" => return hierarchical(),
        "RequestBodyTooLarge" | "BlockCountExceedsLimit" => (ErrorKind::Backend, "check chunksize"),
        "OutOfRangeInput" | "InvalidResourceName" => {
            (ErrorKind::Backend, "the service does not take such a name; check container and rootdirectory")
        }
        _ => return refusal.into_error(what),
    };
    refusal.into_failure(kind, what, advice)
}

/// The account has real directories, which this driver does not know.
pub(crate) fn hierarchical() -> StoreError {
    StoreError::failed(
        ErrorKind::Unsupported,
        "the account has a hierarchical namespace (Data Lake Storage), which this driver does not support yet; \
         use an account without",
    )
}
