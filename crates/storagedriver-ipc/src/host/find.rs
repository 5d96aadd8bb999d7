//! Finds the executable of a driver.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use storagedriver::{Error, Result};

/// What the name of a driver's executable starts with.
pub(super) const PREFIX: &str = "registry-storage-";

/// The executable of the driver `name` on the program's `PATH`; `None` if no file there has its name.
///
/// # Errors
/// `InvalidConfiguration` if there is one, but none that can be executed.
pub(super) fn on_path(name: &str) -> Result<Option<PathBuf>> {
    on(env::var_os("PATH").as_deref().unwrap_or_default(), name)
}

fn on(path: &OsStr, name: &str) -> Result<Option<PathBuf>> {
    let mut unusable = None;
    // An empty or relative entry is a directory that depends on where the program was started.
    for directory in env::split_paths(path).filter(|directory| directory.is_absolute()) {
        let candidate = directory.join(format!("{PREFIX}{name}"));
        match check(&candidate) {
            Ok(()) => return Ok(Some(candidate)),
            Err(None) => {}
            Err(Some(why)) => {
                unusable.get_or_insert_with(|| format!("{}: {why}", candidate.display()));
            }
        }
    }
    match unusable {
        None => Ok(None),
        Some(why) => {
            Err(Error::invalid_configuration(format!("the driver {name:?} cannot be started: {why}")))
        }
    }
}

/// Whether the file can be executed.
///
/// # Errors
/// Why not; `None` if it is not there.
pub(super) fn check(file: &Path) -> Result<(), Option<String>> {
    let metadata = std::fs::metadata(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => None,
        _ => Some(error.to_string()),
    })?;
    if !metadata.is_file() {
        return Err(Some("is not a file".to_owned()));
    }
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK)
        .map_err(|_| Some("is not executable for this user; give it the permission (`chmod +x`)".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_that_can_be_executed_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let directories: Vec<_> = ["a", "b", "c", "d"].map(|name| root.path().join(name)).into();
        for directory in &directories {
            std::fs::create_dir(directory).unwrap();
        }
        let path = env::join_paths(&directories).unwrap();
        assert!(on(&path, "foo").unwrap().is_none());

        std::fs::create_dir(directories[0].join("registry-storage-foo")).unwrap();
        let error = on(&path, "foo").unwrap_err().to_string();
        assert!(error.contains("is not a file") && error.contains("registry-storage-foo"), "{error}");

        let plain = directories[1].join("registry-storage-bar");
        std::fs::write(&plain, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&plain, PermissionsExt::from_mode(0o644)).unwrap();
        let error = on(&path, "bar").unwrap_err().to_string();
        assert!(error.contains("is not executable") && error.contains("chmod"), "{error}");

        for directory in &directories[2..] {
            let good = directory.join("registry-storage-foo");
            std::fs::write(&good, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&good, PermissionsExt::from_mode(0o755)).unwrap();
        }
        assert_eq!(on(&path, "foo").unwrap(), Some(directories[2].join("registry-storage-foo")));
    }

    #[test]
    fn no_relative_directory_is_searched() {
        assert!(on(OsStr::new(":.:relative"), "foo").unwrap().is_none());
    }
}
