//! What is said about files, directories, uploads and backends.

use storagedriver::{EntryKind, Error, FileInfo, Finding, Outcome, Result, StoragePath, UploadInfo, Version};

use super::time::{time, time_message};
use crate::proto;

/// An entry as a message.
pub fn file_info_message(info: &FileInfo) -> proto::FileInfo {
    let kind = match info.kind() {
        EntryKind::Directory => proto::EntryKind::Directory,
        EntryKind::FileAndDirectory => proto::EntryKind::FileAndDirectory,
        _ => proto::EntryKind::File,
    };
    proto::FileInfo {
        path: info.path().as_str().to_owned(),
        kind: kind.into(),
        size: if info.is_file() { info.size() } else { None },
        modified: info.modified().map(time_message),
        version: info.version().map(|version| version.as_str().to_owned()),
    }
}

/// The entry of a message.
///
/// # Errors
/// [`Backend`](Error::Backend) if the driver broke the protocol: a path that is none, a kind or a time
/// that does not exist.
pub fn file_info(message: proto::FileInfo) -> Result<FileInfo> {
    let path = path(&message.path)?;
    let kind = match message.kind() {
        proto::EntryKind::File => EntryKind::File,
        proto::EntryKind::Directory => EntryKind::Directory,
        proto::EntryKind::FileAndDirectory => EntryKind::FileAndDirectory,
        proto::EntryKind::Unspecified => {
            let reason = format!("the driver sent an entry of the unknown kind {}", message.kind);
            return Err(Error::backend(&path, reason));
        }
    };
    let mut info = FileInfo::file(path).with_kind(kind);
    if let Some(size) = message.size {
        info = info.with_size(size);
    }
    if let Some(modified) = &message.modified {
        let modified = time(modified).ok_or_else(|| out_of_range(info.path()))?;
        info = info.with_modified(modified);
    }
    if let Some(version) = message.version {
        info = info.with_version(Version::new(version));
    }
    Ok(info)
}

/// An upload as a message.
pub fn upload_info_message(upload: &UploadInfo) -> proto::UploadInfo {
    proto::UploadInfo {
        path: upload.path().as_str().to_owned(),
        size: upload.size(),
        modified: Some(time_message(upload.modified())),
        id: upload.id().to_owned(),
    }
}

/// The upload of a message.
///
/// # Errors
/// [`Backend`](Error::Backend) if the driver broke the protocol: a path that is none, no time or one that does not exist.
pub fn upload_info(message: proto::UploadInfo) -> Result<UploadInfo> {
    let path = path(&message.path)?;
    let modified = message.modified.as_ref().and_then(time).ok_or_else(|| out_of_range(&path))?;
    Ok(UploadInfo::new(path, message.size, modified, message.id))
}

/// A finding as a message.
pub fn finding_message(finding: Finding) -> proto::Finding {
    let outcome = match finding.outcome {
        Outcome::Yes => proto::Outcome::Yes,
        Outcome::No => proto::Outcome::No,
        _ => proto::Outcome::Unknown,
    };
    proto::Finding {
        what: finding.what,
        outcome: outcome.into(),
        is_surprise: finding.is_surprise,
        detail: finding.detail,
    }
}

/// The finding of a message.
pub fn finding(message: proto::Finding) -> Finding {
    let outcome = match message.outcome() {
        proto::Outcome::Yes => Outcome::Yes,
        proto::Outcome::No => Outcome::No,
        proto::Outcome::Unknown => Outcome::Unknown,
    };
    let mut finding = Finding::new(message.what, outcome).with_detail(message.detail);
    finding.is_surprise = message.is_surprise;
    finding
}

/// A path that came over the socket.
fn path(text: &str) -> Result<StoragePath> {
    StoragePath::parse(text).map_err(|error| {
        Error::backend(&StoragePath::root(), "the driver sent a path that is none").with_source(error)
    })
}

fn out_of_range(path: &StoragePath) -> Error {
    Error::backend(path, "the driver sent no time, or one that this system's clock does not have")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn entries_and_uploads_survive() {
        let path = StoragePath::parse("/a/b").unwrap();
        let at = UNIX_EPOCH + Duration::new(5, 7);
        let entries = [
            FileInfo::directory(path.clone()),
            FileInfo::file(path.clone()),
            FileInfo::file(path.clone()).with_size(0).with_modified(at).with_version(Version::new("\"x\"")),
            FileInfo::file(path.clone()).with_kind(EntryKind::FileAndDirectory).with_size(3),
        ];
        for info in entries {
            assert_eq!(file_info(file_info_message(&info)).unwrap(), info);
        }
        let upload = UploadInfo::new(path, 9, at, "id");
        assert_eq!(upload_info(upload_info_message(&upload)).unwrap(), upload);
    }

    #[test]
    fn what_breaks_the_protocol_is_an_error_that_says_so() {
        let good = file_info_message(&FileInfo::directory(StoragePath::parse("/a").unwrap()));
        let mut unknown = good.clone();
        unknown.kind = 77;
        let mut nowhere = good.clone();
        nowhere.path = "../x".to_owned();
        let mut never = good;
        never.modified = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
        for (message, part) in
            [(unknown, "unknown kind 77"), (nowhere, "a path that is none"), (never, "clock")]
        {
            let error = file_info(message).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        let timeless = proto::UploadInfo { path: "/a".into(), size: 0, modified: None, id: String::new() };
        assert!(upload_info(timeless).is_err());
    }
}
