//! Where there is a disk to work on, and where there is memory that looks like one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{Outcome, Project};
use crate::servers;

/// Where Linux has a tmpfs for everyone.
const IN_MEMORY: [&str; 3] = ["/dev/shm", "/run/shm", "/tmp"];

/// The least that a place has to have free, in bytes.
const LEAST: u64 = 4 << 30;

/// The file systems that the results know by name, with their numbers in `statfs(2)`.
const KNOWN: [(u64, &str); 5] = [
    (0xef53, "ext4"),
    (0x0102_1994, TMPFS),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x794c_7630, "overlay"),
];

const TMPFS: &str = "tmpfs";

/// A directory of our own; removed with this value.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) file_system: &'static str,
}

impl Place {
    /// Below `parent`, by this process's number. What ended processes left is removed.
    fn below(parent: &Path) -> Outcome<Self> {
        fs::create_dir_all(parent)?;
        servers::remove_ended(parent)?;
        let directory = parent.join(std::process::id().to_string());
        fs::create_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Place { file_system: file_system(&directory)?, directory })
    }

    /// How much is free, in bytes.
    ///
    /// # Errors
    /// The directory is gone.
    pub(crate) fn available(&self) -> Outcome<u64> {
        available(&self.directory)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A directory on disk, below the build directory, and one in memory; less where they are missing, and told so.
///
/// # Errors
/// A directory that is there cannot be used.
pub(crate) fn find(project: &Project) -> Outcome<Vec<Place>> {
    let mut places = Vec::new();
    let disk = Place::below(&project.target.join("bench/scratch"))?;
    if disk.file_system == TMPFS {
        eprintln!("the build directory is in memory: there is no disk to measure");
    } else {
        places.push(disk);
    }
    let has_room = |path: &&&str| {
        let path = Path::new(path);
        file_system(path).is_ok_and(|name| name == TMPFS) && available(path).is_ok_and(|bytes| bytes >= LEAST)
    };
    match IN_MEMORY.iter().find(has_room) {
        Some(path) => places.push(Place::below(&Path::new(path).join("storagedriver-bench"))?),
        None => {
            eprintln!("no tmpfs with {} GiB free at {}: it is left out", LEAST >> 30, IN_MEMORY.join(", "))
        }
    }
    Ok(places)
}

fn file_system(path: &Path) -> Outcome<&'static str> {
    let found = rustix::fs::statfs(path)?.f_type;
    let found = u64::try_from(found)?;
    Ok(KNOWN.iter().find(|(number, _)| *number == found).map_or("disk", |(_, name)| name))
}

fn available(path: &Path) -> Outcome<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_made_and_removed() {
        let parent = std::env::temp_dir().join(format!("storagedriver-places-{}", std::process::id()));
        let place = Place::below(&parent).unwrap();
        let directory = place.directory.clone();
        assert!(directory.is_dir());
        assert!(place.available().unwrap() > 0);
        drop(place);
        assert!(!directory.exists());
        fs::remove_dir(parent).unwrap();
    }
}
