//! Which content of a path is meant: the time of its publication, and its size.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdfs_native::client::FileStatus;
use storagedriver::Version;

/// One version of a file's content. HDFS tells clients neither the number of a file nor anything
/// else that is never the same twice, so that the driver sets the time of what it publishes itself,
/// to the millisecond, and never the same twice in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileVersion {
    /// In milliseconds since 1970.
    pub(crate) modified: u64,
    pub(crate) size: u64,
}

impl FileVersion {
    pub(crate) fn of(status: &FileStatus) -> Self {
        FileVersion { modified: status.modification_time, size: size(status) }
    }

    pub(crate) fn to_text(self) -> String {
        format!("{:x}-{}", self.modified, self.size)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (modified, size) = text.split_once('-')?;
        Some(FileVersion { modified: u64::from_str_radix(modified, 16).ok()?, size: size.parse().ok()? })
    }

    pub(crate) fn public(self) -> Version {
        Version::new(self.to_text())
    }
}

/// The size of a file, in bytes.
pub(crate) fn size(status: &FileStatus) -> u64 {
    u64::try_from(status.length).unwrap_or(u64::MAX)
}

/// When a file was published.
pub(crate) fn modified(status: &FileStatus) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(status.modification_time)).unwrap_or(UNIX_EPOCH)
}

static LAST: Mutex<(u64, u64)> = Mutex::new((0, 0));

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time in milliseconds since 1970, later than any that this process was given before.
pub(crate) fn tick() -> u64 {
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    last.0 = u64::try_from(now().as_millis()).unwrap_or(u64::MAX).max(last.0.saturating_add(1));
    last.0
}

/// The time in nanoseconds since 1970, later than any that this process was given before and later
/// than `after`.
pub(crate) fn sequence(after: u64) -> u64 {
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    last.1 = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX).max(last.1.saturating_add(1));
    // A name that claims to be of the far future does not take this process there.
    last.1.max(after.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_text_and_back() {
        for version in [
            FileVersion { modified: 0, size: 0 },
            FileVersion { modified: 1_700_000_000_123, size: 17 },
            FileVersion { modified: u64::MAX, size: u64::MAX },
        ] {
            assert_eq!(FileVersion::parse(&version.to_text()), Some(version));
        }
        for foreign in ["", "1", "1-", "-1", "g-1", "1-g"] {
            assert_eq!(FileVersion::parse(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn no_two_times_are_equal() {
        assert!(tick() < tick());
        let first = sequence(0);
        let far = first + (1 << 60);
        assert!(sequence(far) > far);
        assert!(sequence(0) > first && sequence(0) < far);
    }
}
