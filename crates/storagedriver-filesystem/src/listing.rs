//! What is at a path, and what lies directly below it.

use storagedriver::{Error, FileInfo, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::root::Root;
use crate::sys::{Errno, Kind, Meta};
use crate::version::FileVersion;

/// What a walk or `stat` says of a file, and of a directory.
pub(crate) fn info(path: StoragePath, meta: &Meta) -> FileInfo {
    if meta.kind == Kind::Directory {
        return FileInfo::directory(path);
    }
    FileInfo::file(path)
        .with_size(meta.size)
        .with_modified(meta.modified.time())
        .with_version(FileVersion::of(meta).version())
}

impl Root {
    /// What is at a path.
    pub(crate) fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        if path.is_root() {
            self.health()?;
            return Ok(FileInfo::directory(path.clone()));
        }
        let root = self.existing(path)?;
        match self.find(&root, path.relative()) {
            Ok(Some(meta)) => Ok(info(path.clone(), &meta)),
            Ok(None) => Err(Error::path_not_found(path)),
            Err(errno) => Err(fault(path, Need::Read, "stat", errno)),
        }
    }

    /// The children of a directory, sorted by name. Names that no path can have are left out, and
    /// so is what is neither file nor directory.
    ///
    /// Size and time of the files are asked for here, while the directory is open: the walk over
    /// `list` needs them, and then has no `stat` to make for each.
    pub(crate) fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let failed = |errno| fault(path, Need::Read, "list the directory", errno);
        let Some(root) = self.open(path)? else {
            return if path.is_root() { Ok(Vec::new()) } else { Err(Error::path_not_found(path)) };
        };
        let directory = self.sys.open_directory(&root, path.relative()).map_err(failed)?;
        let mut found = Vec::new();
        for entry in self.sys.entries(&directory).map_err(failed)? {
            let Some(name) = entry.name.to_str().ok().filter(|name| !is_silly(name)) else {
                continue;
            };
            let Ok(child) = path.child(name) else {
                continue;
            };
            match entry.kind {
                Kind::Directory => found.push(FileInfo::directory(child)),
                Kind::Other => {}
                Kind::File => match self.sys.own_meta_at(&directory, name) {
                    Ok(meta) if meta.kind == Kind::File => found.push(info(child, &meta)),
                    Ok(_) | Err(Errno::NOENT) => {}
                    Err(errno) => return Err(failed(errno)),
                },
                Kind::Symlink | Kind::Unknown => match self.find(&root, child.relative()) {
                    Ok(Some(meta)) => found.push(info(child, &meta)),
                    // A link to nothing.
                    Ok(None) => {}
                    // A link out of the root or in a circle. It is not left out: whoever walks over
                    // the tree to see what is in use has to fail here, and does, at its `stat`.
                    Err(Errno::XDEV | Errno::LOOP | Errno::ACCESS) => found.push(FileInfo::file(child)),
                    Err(errno) => return Err(failed(errno)),
                },
            }
        }
        found.sort_unstable_by(|a, b| a.path().cmp(b.path()));
        Ok(found)
    }
}

/// What an NFS client leaves of a file that was deleted while open.
pub(crate) fn is_silly(name: &str) -> bool {
    name.strip_prefix(".nfs")
        .is_some_and(|rest| rest.len() == 24 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nfs_leaves_is_told_from_a_file_of_that_kind_of_name() {
        assert!(is_silly(".nfs0123456789abcdef01234567"));
        assert!(!is_silly(".nfs0123456789abcdef0123456"));
        assert!(!is_silly(".nfs0123456789abcdef0123456z"));
    }
}
