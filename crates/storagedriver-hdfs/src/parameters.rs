//! What can be configured, and how the factory makes the driver.

use std::path::PathBuf;
use std::sync::Arc;

use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Error, Parameters, Registration, Result, Storage, Value};

use crate::Hdfs;
use crate::namenode::Cluster;

/// The least that `maxthreads` may be; less is raised to it, as Distribution does.
const LEAST_THREADS: u64 = 25;

/// What a block's size has to be a multiple of: one checksum is for so many bytes.
const CHECKED: u64 = 512;

storagedriver::parameters! {
    /// Parameters of the driver `hdfs`.
    pub struct HdfsParameters for "hdfs" {
        /// The cluster: `host:port` of its NameNode; several of them, separated by commas, where it is highly
        /// available; the name of a nameservice that `hadoopconf` explains; or, as an absolute path, the directory of a
        /// Hadoop configuration, whose `fs.defaultFS` is used.
        namenode: List = required,
        /// The directory in HDFS that everything lies below. It is made by the first write, with all above it.
        rootdirectory: String = "/data/registry",
        /// How many operations run at once, streams and steps of walks included.
        maxthreads: Limit(25) = 100,
        /// The directory of the Hadoop configuration (`core-site.xml`, `hdfs-site.xml`), where `namenode` is not that
        /// directory itself. Without either, the one that `HADOOP_CONF_DIR` or `HADOOP_HOME` names is read if there is
        /// one.
        hadoopconf: Path,
        /// Settings of the Hadoop client, by their names in Hadoop's configuration, which they take precedence over.
        options: Map,
        /// How many DataNodes keep each block of a new file; without it, what the NameNode says.
        replication: Integer(1 ..= 512),
        /// The size of the blocks of new files, a multiple of 512 bytes; without it, what the NameNode says.
        blocksize: Bytes(1 MiB ..= 1024 GiB),
        /// Whether what is acknowledged is on the disks of the DataNodes: `full` has each of them sync a file before it
        /// is closed, `none` leaves it in their memory, where it survives the end of this process.
        durability: Choice("full", "none") = "full",
        /// The user to act as, where the cluster believes what clients say; with Kerberos, the user to act for. Without
        /// it, what `HADOOP_USER_NAME` says, or the user of the process.
        user: String,
        /// The Kerberos principal of the client. Given, Kerberos is used whatever the Hadoop configuration says.
        kerberosprincipal: String,
        /// The file with the keys of `kerberosprincipal`. Without it, the tickets of `kerberoscache` are used.
        kerberoskeytab: Path,
        /// The credential cache, such as `FILE:/run/krb5/registry`. Without it, one in memory with a keytab, else the
        /// process's own.
        kerberoscache: String,
    }
}

impl HdfsParameters {
    /// The defaults, for a cluster (as the parameter `namenode`) and a directory.
    pub fn new(namenode: impl Into<String>, rootdirectory: impl Into<String>) -> Self {
        HdfsParameters {
            namenode: namenode.into().split(',').map(|entry| entry.trim().to_owned()).collect(),
            rootdirectory: rootdirectory.into(),
            maxthreads: 100,
            hadoopconf: None,
            options: None,
            replication: None,
            blocksize: None,
            durability: "full",
            user: None,
            kerberosprincipal: None,
            kerberoskeytab: None,
            kerberoscache: None,
        }
    }

    /// The storage, with the limit of operations at once: what the factory makes.
    ///
    /// # Errors
    /// As [`Hdfs::new`].
    pub fn into_storage(self) -> Result<Storage> {
        let driver = Arc::new(Hdfs::new(&self)?);
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxthreads.max(LEAST_THREADS))))
    }

    /// What the client is made from.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let refused = |name: &str, reason: &str| Err(Error::invalid_parameter("hdfs", name, reason));
        let cluster = Cluster::parse(&self.namenode, self.hadoopconf.as_deref())?;
        if let Some(directory) = &cluster.configuration
            && !directory.is_dir()
        {
            let name = if self.hadoopconf.is_some() { "hadoopconf" } else { "namenode" };
            let reason = format!("{} is no directory of this machine", directory.display());
            return Err(Error::invalid_parameter("hdfs", name, reason));
        }
        let blocksize = self.blocksize;
        if blocksize.is_some_and(|bytes| bytes % CHECKED != 0) {
            return refused("blocksize", "is no multiple of 512 bytes");
        }
        let replication = match self.replication.map(u32::try_from) {
            None => None,
            Some(Ok(copies)) if copies > 0 => Some(copies),
            Some(_) => return refused("replication", "is out of range"),
        };
        let durable = match self.durability {
            "full" => true,
            "none" => false,
            _ => return refused("durability", "is neither full nor none"),
        };
        let kerberos = Kerberos {
            principal: self.kerberosprincipal.clone(),
            keytab: self.kerberoskeytab.clone(),
            cache: self.kerberoscache.clone(),
        };
        if kerberos.principal.is_none() {
            for (name, given) in
                [("kerberoskeytab", kerberos.keytab.is_some()), ("kerberoscache", kerberos.cache.is_some())]
            {
                if given {
                    return refused(name, "needs kerberosprincipal");
                }
            }
        }
        let mut settings = cluster.settings();
        if kerberos.principal.is_some() {
            settings.push(("hadoop.security.authentication".to_owned(), "kerberos".to_owned()));
        }
        if let Some(options) = &self.options {
            flatten("", options, &mut settings)?;
        }
        let user = self.user.clone();
        Ok(Plan { cluster, settings, user, kerberos, replication, blocksize, durable })
    }
}

/// What the client is made from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) cluster: Cluster,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) user: Option<String>,
    pub(crate) kerberos: Kerberos,
    pub(crate) replication: Option<u32>,
    pub(crate) blocksize: Option<u64>,
    pub(crate) durable: bool,
}

/// Who the client says it is.
#[derive(Debug)]
pub(crate) struct Kerberos {
    pub(crate) principal: Option<String>,
    pub(crate) keytab: Option<PathBuf>,
    pub(crate) cache: Option<String>,
}

/// A name with dots may come as maps within maps.
fn flatten(above: &str, options: &Parameters, settings: &mut Vec<(String, String)>) -> Result<()> {
    for (name, value) in options.iter() {
        let name = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        let text = match value {
            Value::Map(below) => {
                flatten(&name, below, settings)?;
                continue;
            }
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Bool(switch) => switch.to_string(),
            other => {
                let reason = format!("{name} is {}; Hadoop's settings are texts", other.kind());
                return Err(Error::invalid_parameter("hdfs", "options", reason));
            }
        };
        settings.push((name, text));
    }
    Ok(())
}

/// The registration of the driver `hdfs`.
pub const DRIVER: Registration = Registration::new(
    "hdfs",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a directory of HDFS, Hadoop's distributed file system",
    &HdfsParameters::TABLE,
    |parameters| Box::pin(async move { HdfsParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);

#[cfg(test)]
mod tests {
    use storagedriver::ErrorKind;

    use super::*;

    fn parse(given: &[(&str, &str)]) -> Result<HdfsParameters> {
        HdfsParameters::parse(Parameters::from_iter(given.iter().copied()))
    }

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let parsed = parse(&[("namenode", "a:8020,b:8020")]).unwrap();
        let made = HdfsParameters::new("a:8020, b:8020", "/data/registry");
        assert_eq!(format!("{parsed:?}"), format!("{made:?}"));
    }

    #[test]
    fn a_plan_has_what_was_given() {
        let given = [
            ("namenode", "nn:8020"),
            ("replication", "2"),
            ("blocksize", "4 MiB"),
            ("durability", "none"),
            ("user", "registry"),
        ];
        let plan = parse(&given).unwrap().plan().unwrap();
        assert_eq!((plan.replication, plan.blocksize, plan.durable), (Some(2), Some(4 << 20), false));
        assert_eq!(plan.user.as_deref(), Some("registry"));
        assert!(plan.settings.is_empty());
        let plan = parse(&[("namenode", "nn:8020")]).unwrap().plan().unwrap();
        assert_eq!((plan.replication, plan.blocksize, plan.durable), (None, None, true));
    }

    #[test]
    fn kerberos_is_passed_through() {
        let given = [
            ("namenode", "nn:8020"),
            ("kerberosprincipal", "registry/host@REALM"),
            ("kerberoskeytab", "/etc/krb5/registry.keytab"),
            ("kerberoscache", "FILE:/run/krb5/registry"),
        ];
        let plan = parse(&given).unwrap().plan().unwrap();
        assert_eq!(plan.kerberos.principal.as_deref(), Some("registry/host@REALM"));
        assert_eq!(plan.kerberos.keytab, Some(PathBuf::from("/etc/krb5/registry.keytab")));
        assert_eq!(plan.kerberos.cache.as_deref(), Some("FILE:/run/krb5/registry"));
        assert_eq!(plan.settings, [("hadoop.security.authentication".to_owned(), "kerberos".to_owned())]);
    }

    #[test]
    fn options_are_settings_by_their_dotted_names() {
        let inner = Parameters::from_iter([("max.attempts", Value::Integer(3))]);
        let options = Parameters::from_iter([
            ("dfs.client.use.datanode.hostname", Value::Bool(true)),
            ("dfs.client.failover", Value::Map(inner)),
        ]);
        let mut given = Parameters::from_iter([("namenode", "nn:8020")]);
        given.insert("options", Value::Map(options));
        let mut settings = HdfsParameters::parse(given).unwrap().plan().unwrap().settings;
        settings.sort();
        let expected =
            [("dfs.client.failover.max.attempts", "3"), ("dfs.client.use.datanode.hostname", "true")];
        assert_eq!(settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for (given, name) in [
            (vec![], "namenode"),
            (vec![("namenode", "nn")], "namenode"),
            (vec![("namenode", "/no/such/directory")], "namenode"),
            (vec![("namenode", "prod"), ("hadoopconf", "/no/such/directory")], "hadoopconf"),
            (vec![("namenode", "nn:8020"), ("blocksize", "1048577")], "blocksize"),
            (vec![("namenode", "nn:8020"), ("blocksize", "1024")], "blocksize"),
            (vec![("namenode", "nn:8020"), ("replication", "0")], "replication"),
            (vec![("namenode", "nn:8020"), ("durability", "some")], "durability"),
            (vec![("namenode", "nn:8020"), ("kerberoskeytab", "/k")], "kerberoskeytab"),
            (vec![("namenode", "nn:8020"), ("kerberoscache", "FILE:/k")], "kerberoscache"),
            (vec![("namenode", "nn:8020"), ("rootdirctory", "/k")], "rootdirctory"),
        ] {
            let error = parse(&given).and_then(|parameters| parameters.plan()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{given:?}");
            assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        }
    }
}
