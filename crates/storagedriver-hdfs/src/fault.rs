//! What went wrong, as the contract has it.

use hdfs_native::HdfsError;
use storagedriver::{Error, StoragePath};

/// What kind of failure it is, whatever was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing is at a path, its parent included, or a file stands above it.
    Missing,
    /// A file stands where a directory is needed.
    BelowFile,
    /// Something is at the path that must not be there.
    Exists,
    /// A directory has something in it.
    NotEmpty,
    /// The right to write a file is somebody else's, or the file is gone.
    Lost,
    Denied,
    Unauthenticated,
    Full,
    TooLong,
    Unavailable,
    Corrupted,
    Other,
}

/// Sorts an error of the client.
pub(crate) fn classify(error: &HdfsError) -> Failure {
    match error {
        HdfsError::FileNotFound(_) | HdfsError::IsADirectoryError(_) => Failure::Missing,
        HdfsError::AlreadyExists(_) => Failure::Exists,
        HdfsError::ChecksumError => Failure::Corrupted,
        HdfsError::IOError(_) | HdfsError::DataTransferError(_) | HdfsError::BlocksNotFound(_) => {
            Failure::Unavailable
        }
        HdfsError::SASLError(_) | HdfsError::GSSAPIError(..) | HdfsError::NoSASLMechanism => {
            Failure::Unauthenticated
        }
        HdfsError::RPCError(class, message) | HdfsError::FatalRPCError(class, message) => {
            of_class(class, message)
        }
        _ => Failure::Other,
    }
}

/// Sorts an exception of the NameNode by its class.
fn of_class(class: &str, message: &str) -> Failure {
    match class.rsplit(['.', '$']).next().unwrap_or(class) {
        "FileNotFoundException" => Failure::Missing,
        "ParentNotDirectoryException" => Failure::BelowFile,
        // What later releases call ParentNotDirectoryException.
        "AccessControlException" if message.contains("is not a directory") => Failure::BelowFile,
        "AccessControlException" | "SnapshotAccessControlException" => Failure::Denied,
        "AuthorizationException" | "SaslException" | "GSSException" | "InvalidToken" => {
            Failure::Unauthenticated
        }
        "FileAlreadyExistsException" | "AlreadyBeingCreatedException" => Failure::Exists,
        "PathIsNotEmptyDirectoryException" => Failure::NotEmpty,
        "LeaseExpiredException" => Failure::Lost,
        "DSQuotaExceededException"
        | "NSQuotaExceededException"
        | "QuotaByStorageTypeExceededException"
        | "QuotaExceededException"
        | "MaxDirectoryItemsExceededException" => Failure::Full,
        "PathComponentTooLongException" | "InvalidPathException" => Failure::TooLong,
        "SafeModeException"
        | "StandbyException"
        | "RetriableException"
        | "RecoveryInProgressException"
        | "NotReplicatedYetException"
        | "ServerTooBusyException"
        | "ServerNotRunningYetException" => Failure::Unavailable,
        // No DataNode takes a block: they are full, or none is there. There is no class for it.
        "IOException" if message.contains("could only be ") => Failure::Unavailable,
        "IOException" if message.contains("Pathname too long") => Failure::TooLong,
        _ => Failure::Other,
    }
}

/// What the client says, in a line: a NameNode's message may have the trace of its stack below.
fn said(error: &HdfsError) -> String {
    let text = match error {
        HdfsError::RPCError(class, message) | HdfsError::FatalRPCError(class, message) => {
            format!("{}: {message}", class.rsplit('.').next().unwrap_or(class))
        }
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// What was tried when it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Something that is at the path: what is absent is `PathNotFound`.
    Read,
    /// A place at the path: what stands in the way, or has gone meanwhile, is `Conflict`.
    Write,
}

/// The error of an operation at `path`; `tried` says what could not be done.
pub(crate) fn fault(path: &StoragePath, need: Need, tried: &str, error: HdfsError) -> Error {
    let reason = format!("cannot {tried}: {}", said(&error));
    match (classify(&error), need) {
        (Failure::Missing | Failure::BelowFile, Need::Read) => Error::path_not_found(path),
        (Failure::BelowFile, Need::Write) => Error::conflict(path, format!("{reason}; a file is in the way")),
        (Failure::Missing | Failure::Lost, _) => {
            Error::conflict(path, format!("{reason}; somebody else removed or ended it"))
        }
        (Failure::Exists | Failure::NotEmpty, _) => {
            Error::conflict(path, format!("{reason}; a directory or a file is in the way"))
        }
        (Failure::Denied, _) => Error::permission_denied(
            path,
            format!("{reason}; check owner and permissions of the root directory"),
        ),
        (Failure::Unauthenticated, _) => {
            Error::unauthenticated(path, format!("{reason}; check the Kerberos parameters"))
        }
        (Failure::Full, _) => Error::out_of_space(path, format!("{reason}; raise the quota")),
        (Failure::TooLong, _) => Error::invalid_path(path, reason),
        (Failure::Unavailable, _) => Error::unavailable(path, reason),
        (Failure::Corrupted, _) => Error::corrupted(path, reason),
        // What the NameNode says is in the reason; the trace of its stack helps nobody here.
        (Failure::Other, _) if matches!(error, HdfsError::RPCError(..) | HdfsError::FatalRPCError(..)) => {
            Error::backend(path, reason)
        }
        (Failure::Other, _) => Error::backend(path, reason).with_source(error),
    }
}

#[cfg(test)]
mod tests {
    use storagedriver::ErrorKind;

    use super::*;

    fn rpc(class: &str, message: &str) -> HdfsError {
        HdfsError::RPCError(class.to_owned(), message.to_owned())
    }

    #[test]
    fn each_exception_has_its_error() {
        let path = StoragePath::parse("/a").unwrap();
        let hadoop = "org.apache.hadoop.";
        for (class, message, read, write) in [
            (
                "java.io.FileNotFoundException",
                "File does not exist: /a",
                ErrorKind::PathNotFound,
                ErrorKind::Conflict,
            ),
            (
                "{}fs.ParentNotDirectoryException",
                "/a is a file",
                ErrorKind::PathNotFound,
                ErrorKind::Conflict,
            ),
            (
                "{}security.AccessControlException",
                "Permission denied: user=u, access=EXECUTE, inode=\"/a\" (Ancestor /a is not a directory)",
                ErrorKind::PathNotFound,
                ErrorKind::Conflict,
            ),
            (
                "{}security.AccessControlException",
                "Permission denied: user=u, access=WRITE, inode=\"/\"",
                ErrorKind::PermissionDenied,
                ErrorKind::PermissionDenied,
            ),
            (
                "{}hdfs.protocol.DSQuotaExceededException",
                "quota",
                ErrorKind::OutOfSpace,
                ErrorKind::OutOfSpace,
            ),
            (
                "{}hdfs.protocol.NSQuotaExceededException",
                "quota",
                ErrorKind::OutOfSpace,
                ErrorKind::OutOfSpace,
            ),
            (
                "{}hdfs.server.namenode.SafeModeException",
                "safe",
                ErrorKind::Unavailable,
                ErrorKind::Unavailable,
            ),
            ("{}ipc.StandbyException", "standby", ErrorKind::Unavailable, ErrorKind::Unavailable),
            (
                "{}hdfs.server.namenode.LeaseExpiredException",
                "no lease",
                ErrorKind::Conflict,
                ErrorKind::Conflict,
            ),
            (
                "java.io.IOException",
                "File /a could only be written to 0 of the 1 minReplication nodes.",
                ErrorKind::Unavailable,
                ErrorKind::Unavailable,
            ),
            (
                "java.io.IOException",
                "File /a could only be replicated to 0 nodes instead of minReplication (=1).",
                ErrorKind::Unavailable,
                ErrorKind::Unavailable,
            ),
            (
                "java.io.IOException",
                "create: Pathname too long.",
                ErrorKind::InvalidPath,
                ErrorKind::InvalidPath,
            ),
            ("java.io.IOException", "something else", ErrorKind::Backend, ErrorKind::Backend),
            (
                "{}security.token.SecretManager$InvalidToken",
                "token",
                ErrorKind::Unauthenticated,
                ErrorKind::Unauthenticated,
            ),
        ] {
            let class = class.replace("{}", hadoop);
            assert_eq!(fault(&path, Need::Read, "try", rpc(&class, message)).kind(), read, "{class}");
            assert_eq!(fault(&path, Need::Write, "try", rpc(&class, message)).kind(), write, "{class}");
        }
    }

    #[test]
    fn what_the_client_finds_has_its_error() {
        let path = StoragePath::parse("/a").unwrap();
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for (error, kind) in [
            (HdfsError::IOError(refused()), ErrorKind::Unavailable),
            (HdfsError::DataTransferError("x".to_owned()), ErrorKind::Unavailable),
            (HdfsError::ChecksumError, ErrorKind::Corrupted),
            (HdfsError::FileNotFound("/a".to_owned()), ErrorKind::PathNotFound),
            (HdfsError::AlreadyExists("/a".to_owned()), ErrorKind::Conflict),
            (HdfsError::NoSASLMechanism, ErrorKind::Unauthenticated),
            (HdfsError::InternalError("x".to_owned()), ErrorKind::Backend),
        ] {
            let text = error.to_string();
            assert_eq!(fault(&path, Need::Read, "try", error).kind(), kind, "{text}");
        }
        assert!(fault(&path, Need::Read, "try", HdfsError::IOError(refused())).is_retryable());
    }

    #[test]
    fn a_trace_of_the_servers_stack_is_not_told() {
        let path = StoragePath::parse("/a").unwrap();
        let error = fault(
            &path,
            Need::Read,
            "look",
            rpc("java.io.IOException", "broken\n\tat org.apache.X(Y.java:1)"),
        );
        let text = error.to_string();
        assert!(text.contains("cannot look: IOException: broken"), "{text}");
        assert!(!text.contains("Y.java"), "{text}");
    }
}
