//! Where the suite runs: one row for each driver and store. What a later driver needs is a row
//! here and, if its store has to be started, a `Place` of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{go, python};
use crate::project::{Outcome, Project};
use crate::servers::{self, Running, Server};

/// A driver on a store.
pub(crate) struct Target {
    /// The name under which the driver is registered.
    pub(crate) driver: &'static str,
    /// What the store is called in the report; `None`: the type of the file system that it is on.
    pub(crate) server: Option<&'static str>,
    /// The package whose tests are run.
    pub(crate) package: &'static str,
    /// Its test programs that run the suite, and what else reports by the suite's lines.
    pub(crate) tests: &'static [&'static str],
    /// What has to be there.
    pub(crate) place: Place,
    /// Whether a run that names no driver includes it. What is left out is named in the output of that run.
    pub(crate) usual: bool,
}

/// What a target needs before its tests can run.
pub(crate) enum Place {
    /// Nothing: the store is in the tests' own process.
    InProcess,
    /// Nothing either, and of the tests only those in this module: the program has the suites of several drivers.
    Module(&'static str),
    /// A directory; the tests make theirs below it.
    Directory(fn() -> PathBuf),
    /// A server, installed if it is missing and started; the tests make their root below its
    /// storage.
    Server(&'static Server),
    /// The example of a kit, behind the host.
    Kit(&'static Kit),
}

/// A kit for drivers that are executables.
pub(crate) struct Kit {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// Installs what its example needs, and builds it.
    pub(crate) prepare: fn(&Project) -> Outcome<Executable>,
}

/// A driver that is an executable.
pub(crate) struct Executable {
    /// The storage for the tests: the driver's name, its path and parameters, and which of these is a
    /// new directory for each case.
    pub(crate) storage: Value,
    /// What it has to be run with.
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// Every target, in the order of the matrix.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        driver: "inmemory",
        server: Some("in-process"),
        package: "storagedriver-inmemory",
        tests: &["suite"],
        place: Place::InProcess,
        usual: true,
    },
    Target {
        driver: "filesystem",
        server: None,
        package: "storagedriver-filesystem",
        tests: &["suite"],
        place: Place::Directory(std::env::temp_dir),
        usual: true,
    },
    Target {
        driver: "filesystem",
        server: Some("tmpfs"),
        package: "storagedriver-filesystem",
        tests: &["suite"],
        place: Place::Directory(|| PathBuf::from("/dev/shm")),
        usual: true,
    },
    on_server("s3", "storagedriver-s3", &servers::CEPH),
    on_server("s3", "storagedriver-s3", &servers::SWIFT_S3API),
    on_server("azure", "storagedriver-azure", &servers::AZURITE),
    on_server("gcs", "storagedriver-gcs", &servers::FAKE_GCS),
    on_server("swift", "storagedriver-swift", &servers::SWIFT_TEMPAUTH),
    on_server("swift", "storagedriver-swift", &servers::SWIFT_KEYSTONE),
    on_server("swift", "storagedriver-swift", &servers::CEPH_SWIFT),
    Target {
        tests: &["conformance", "failures"],
        ..on_server("hdfs", "storagedriver-hdfs", &servers::HADOOP)
    },
    preset("oss", "suites::oss::"),
    preset("obs", "suites::obs::"),
    preset("bos", "suites::bos::"),
    preset("us3", "suites::us3::"),
    preset("storj", "suites::storj::"),
    Target {
        driver: "opendal",
        server: Some("memory and fs"),
        package: "storagedriver-opendal",
        tests: &["suite"],
        place: Place::InProcess,
        usual: true,
    },
    on_server("opendal", "storagedriver-opendal", &servers::CEPH),
    on_server("opendal", "storagedriver-opendal", &servers::AZURITE),
    Target {
        driver: "objectstore",
        server: Some("in-process"),
        package: "storagedriver-objectstore",
        tests: &["suite"],
        place: Place::InProcess,
        usual: true,
    },
    Target {
        driver: python::DRIVER,
        server: Some("python kit"),
        package: "storagedriver-ipc",
        tests: &["conformance"],
        place: Place::Kit(&python::KIT),
        usual: true,
    },
    Target {
        driver: go::DRIVER,
        server: Some("go kit"),
        package: "storagedriver-ipc",
        tests: &["conformance"],
        place: Place::Kit(&go::KIT),
        usual: true,
    },
];

/// A driver whose test program `conformance` takes a storage of ours; `cargo test` leaves that program
/// out.
const fn on_server(driver: &'static str, package: &'static str, server: &'static Server) -> Target {
    Target {
        driver,
        server: Some(server.name),
        package,
        tests: &["conformance"],
        place: Place::Server(server),
        usual: true,
    }
}

/// A vendor's driver over that of S3, on a server in the tests' process that keeps the vendor's rules: the vendors' own
/// cannot be had here. `cargo test` runs the same, so a run that names none leaves it out.
const fn preset(driver: &'static str, module: &'static str) -> Target {
    Target {
        driver,
        server: Some("in-process"),
        package: "storagedriver-systemtests",
        tests: &["presets"],
        place: Place::Module(module),
        usual: false,
    }
}

/// Servers on which the suite runs in its long form, and such on which it asks for less: of the servers of a driver, the fastest is
/// asked for all. Where a server is in neither, its tests know one form.
const LONG: [&str; 3] = [servers::CEPH.name, servers::CEPH_SWIFT.name, servers::FAKE_GCS.name];
const SHORT: [&str; 3] =
    [servers::SWIFT_S3API.name, servers::SWIFT_TEMPAUTH.name, servers::SWIFT_KEYSTONE.name];

/// A target that can be run.
pub(crate) struct Ready {
    /// What the store is called in the report.
    pub(crate) server: String,
    /// The directory that the tests make theirs below.
    pub(crate) directory: Option<PathBuf>,
    /// The server, which runs as long as this value lives.
    pub(crate) running: Option<Running>,
    /// The executable.
    pub(crate) executable: Option<Executable>,
    /// Programs that its tests run, each with the variable that says where it lies.
    pub(crate) programs: Vec<(&'static str, PathBuf)>,
}

impl Target {
    /// How many cases run at once, where that is not the number of processors.
    pub(crate) fn threads(&self) -> Option<&'static str> {
        // Each request of Hadoop's waits for disks, and each case for what a dropped request may still do.
        (self.driver == "hdfs").then_some("16")
    }

    /// What it is called on the command line: as its driver, or as the kit.
    pub(crate) fn name(&self) -> &'static str {
        match self.place {
            Place::Kit(kit) => kit.name,
            _ => self.driver,
        }
    }

    /// Whether its tests are to run in their long form.
    pub(crate) fn is_long(&self) -> bool {
        self.server.is_some_and(|server| LONG.contains(&server))
    }

    fn programs(&self, project: &Project) -> Outcome<Vec<(&'static str, PathBuf)>> {
        match self.driver {
            "swift" => Ok(vec![("STORAGEDRIVER_TEST_REGISTRY", servers::registry_2(project)?)]),
            _ => Ok(Vec::new()),
        }
    }

    /// Gets the store ready.
    ///
    /// # Errors
    /// Why it cannot be had: the report says so.
    pub(crate) fn prepare(&self, project: &Project) -> Result<Ready, String> {
        let mut executable = None;
        let (found, directory, running) = match self.place {
            Place::InProcess | Place::Module(_) => (None, None, None),
            Place::Directory(directory) => {
                let directory = directory();
                if !directory.is_dir() {
                    return Err(format!("{} is no directory", directory.display()));
                }
                (Some(filesystem(&directory)), Some(directory), None)
            }
            Place::Server(server) => {
                (None, None, Some(server.start(project).map_err(|error| error.to_string())?))
            }
            Place::Kit(kit) => {
                executable = Some((kit.prepare)(project).map_err(|error| error.to_string())?);
                (None, None, None)
            }
        };
        let programs = self.programs(project).map_err(|error| error.to_string())?;
        match (self.server, found) {
            (Some(server), Some(found)) if server != found => Err(format!("the file system is {found}")),
            (Some(server), _) => {
                let form = if SHORT.contains(&server) { " (short)" } else { "" };
                Ok(Ready { server: format!("{server}{form}"), directory, running, executable, programs })
            }
            (None, found) => {
                let server = found.unwrap_or_else(|| "in-process".to_owned());
                Ok(Ready { server, directory, running, executable, programs })
            }
        }
    }

    /// What the store is called when it cannot be had.
    pub(crate) fn expected(&self) -> &'static str {
        self.server.unwrap_or("the temporary directory")
    }
}

/// The type of the file system that a directory is on; `local` where the system does not tell.
fn filesystem(directory: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    mount_type(&mounts, &directory).unwrap_or_else(|| "local".to_owned())
}

/// The type of the deepest mount that holds the directory; of two at one place, the later covers
/// the earlier.
fn mount_type(mounts: &str, directory: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((Path::new(words.next()?), words.next()?))
    });
    let holding = mounts.filter(|(place, _)| directory.starts_with(place));
    holding.max_by_key(|(place, _)| place.components().count()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_tells_the_type() {
        let mounts = "overlay / overlay rw 0 0\ntmpfs /dev tmpfs rw 0 0\nshm /dev/shm ext4 rw 0 0\n\
                      x /dev/shm tmpfs rw 0 0\n";
        let kind = |directory: &str| mount_type(mounts, Path::new(directory)).unwrap();
        assert_eq!(kind("/tmp"), "overlay");
        assert_eq!(kind("/dev/shm/a"), "tmpfs");
        assert_eq!(kind("/dev/shmem"), "tmpfs");
        assert_eq!(kind("/device"), "overlay");
        assert_eq!(mount_type("", Path::new("/")), None);
    }
}
