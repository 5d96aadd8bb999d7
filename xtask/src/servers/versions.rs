//! What is installed, and in which version: the one place to change it. What comes by apt has the
//! version of the distribution.

/// A program that `go install` builds.
pub(crate) struct GoProgram {
    /// What the program is called once it is built.
    pub(crate) name: &'static str,
    /// The package that it is built from.
    pub(crate) package: &'static str,
    /// The version of its module.
    pub(crate) version: &'static str,
}

/// A library of Java's, by its place in Maven's repository.
pub(crate) struct Artifact {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Hadoop's file system. What it takes of Jackson by itself does not fit together.
pub(crate) const HADOOP: &[Artifact] = &[
    Artifact { group: "org.apache.hadoop", name: "hadoop-common", version: "3.4.1" },
    Artifact { group: "org.apache.hadoop", name: "hadoop-hdfs", version: "3.4.1" },
    Artifact { group: "org.apache.hadoop", name: "hadoop-hdfs-client", version: "3.4.1" },
    Artifact { group: "com.fasterxml.jackson.core", name: "jackson-core", version: "2.12.7" },
];

/// Distribution's registry: the newest release line that the drivers are compatible with.
pub(crate) const REGISTRY: GoProgram = GoProgram {
    name: "registry",
    package: "github.com/distribution/distribution/v3/cmd/registry",
    version: "v3.1.1",
};

/// Distribution's registry of version 2, the last with a driver for Swift: a package of the system, and the program in it.
pub(crate) const REGISTRY_2: (&str, &str) = ("docker-registry", "usr/bin/docker-registry");

/// A registry's client.
pub(crate) const CRANE: GoProgram = GoProgram {
    name: "crane",
    package: "github.com/google/go-containerregistry/cmd/crane",
    version: "v0.22.1",
};

/// A server of Google Cloud Storage's JSON API.
pub(crate) const FAKE_GCS: GoProgram =
    GoProgram { name: "fake-gcs-server", package: "github.com/fsouza/fake-gcs-server", version: "v1.56.1" };

/// A server of Azure's blob storage. Later ones want Node 22.
pub(crate) const AZURITE: &str = "azurite@3.35.0";

/// OpenStack Swift with what it is run by. Without the others pinned, a new release of one of them
/// could break it; `setuptools` has lost in later ones what Swift loads its servers with.
pub(crate) const SWIFT: &[&str] = &[
    "swift==2.35.0",
    "eventlet==0.41.3",
    "greenlet==3.5.6",
    "keystonemiddleware==10.9.0",
    "lxml==6.1.3",
    "pastedeploy==3.1.0",
    "pyeclib==1.8.0",
    "requests==2.34.2",
    "setuptools==75.8.0",
    "xattr==1.3.0",
];

/// The identity service of OpenStack.
pub(crate) const KEYSTONE: &[&str] = &["keystone==27.0.0", "setuptools==75.8.0"];

/// What the kit for drivers in Python depends on: the least that its `pyproject.toml` takes.
pub(crate) const PYTHON_KIT: &[&str] =
    &["grpcio==1.85.1", "protobuf==7.35.1", "googleapis-common-protos==1.76.0", "typing-extensions==4.16.0"];

/// What Swift's proxy keeps its knowledge of accounts in.
pub(crate) const MEMCACHED: &[&str] = &["memcached"];

/// Ceph's monitor, object store and gateway, with the commands that set them up.
pub(crate) const CEPH: &[&str] = &["ceph-common", "ceph-mon", "ceph-osd", "radosgw"];
