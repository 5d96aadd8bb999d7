//! Which cluster is meant: `namenode` and `hadoopconf`, without guessing.

use std::path::{Path, PathBuf};

use storagedriver::{Error, Result};

/// The name that several given NameNodes are known under within this client.
const OURS: &str = "storagedriver";

/// A cluster, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namenode {
    /// One NameNode, `host:port`.
    One(String),
    /// The NameNodes of one cluster; one of them is active.
    Several(Vec<String>),
    /// A name that the Hadoop configuration explains.
    Nameservice(String),
    /// What the Hadoop configuration calls `fs.defaultFS`.
    Default,
}

/// A cluster and the directory of its Hadoop configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) namenode: Namenode,
    pub(crate) configuration: Option<PathBuf>,
}

fn refused(reason: String) -> Error {
    Error::invalid_parameter("hdfs", "namenode", reason)
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// `host:port` or `[address]:port`.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let known = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host),
    };
    known && port.parse::<u16>().is_ok_and(|port| port > 0)
}

impl Cluster {
    /// Reads what was given.
    ///
    /// # Errors
    /// `InvalidParameter` if it has more than one meaning, or none.
    pub(crate) fn parse(given: &[String], configuration: Option<&Path>) -> Result<Self> {
        let mut entries = Vec::new();
        for entry in given {
            entries.push(Self::entry(entry.trim())?);
        }
        let configured = || configuration.map(Path::to_path_buf);
        match entries.as_slice() {
            [] | [""] => Err(refused(
                "is empty; give host:port, several of them, a nameservice with hadoopconf, or a directory with \
                 core-site.xml"
                    .to_owned(),
            )),
            [directory] if directory.starts_with('/') => match configuration {
                None => Ok(Cluster { namenode: Namenode::Default, configuration: Some(directory.into()) }),
                Some(_) => Err(refused(format!(
                    "{directory} is a directory, and hadoopconf is one too; give the nameservice or host:port here, \
                     or leave out hadoopconf"
                ))),
            },
            [one] if is_address(one) => {
                Ok(Cluster { namenode: Namenode::One((*one).to_owned()), configuration: configured() })
            }
            [name] if is_host(name) => match configured() {
                Some(configuration) => Ok(Cluster {
                    namenode: Namenode::Nameservice((*name).to_owned()),
                    configuration: Some(configuration),
                }),
                None => Err(refused(format!(
                    "{name:?} has no port: write {name}:8020 if it is a host; if it is a nameservice, hadoopconf has \
                     to name the directory of the Hadoop configuration that explains it"
                ))),
            },
            [one] => Err(refused(format!("{one:?} is no host:port, nameservice or absolute path"))),
            several => {
                if let Some(other) = several.iter().find(|entry| !is_address(entry)) {
                    return Err(refused(format!("{other:?} is no host:port, and of several each has to be one")));
                }
                let mut all: Vec<String> = several.iter().map(|&entry| entry.to_owned()).collect();
                all.sort_unstable();
                all.dedup();
                if all.len() < several.len() {
                    return Err(refused("names a NameNode twice".to_owned()));
                }
                let all = several.iter().map(|&entry| entry.to_owned()).collect();
                Ok(Cluster { namenode: Namenode::Several(all), configuration: configured() })
            }
        }
    }

    /// One entry without its scheme.
    fn entry(text: &str) -> Result<&str> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(text);
        };
        if scheme != "hdfs" {
            return Err(refused(format!(
                "{text:?}: the scheme is not hdfs (WebHDFS and viewfs are not spoken)"
            )));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '@', '?', '#']) {
            return Err(refused(format!(
                "{text:?} holds more than host and port; the directory is rootdirectory"
            )));
        }
        Ok(rest)
    }

    /// The URL that the client takes; none for what its configuration calls the default.
    pub(crate) fn url(&self) -> Option<String> {
        match &self.namenode {
            Namenode::One(address) => Some(format!("hdfs://{address}")),
            Namenode::Several(_) => Some(format!("hdfs://{OURS}")),
            Namenode::Nameservice(name) => Some(format!("hdfs://{name}")),
            Namenode::Default => None,
        }
    }

    /// What the client's configuration has to have beside what is in the directory.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let Namenode::Several(addresses) = &self.namenode else {
            return Vec::new();
        };
        let names: Vec<String> = (1..=addresses.len()).map(|number| format!("nn{number}")).collect();
        let mut settings = vec![(format!("dfs.ha.namenodes.{OURS}"), names.join(","))];
        for (name, address) in names.iter().zip(addresses) {
            settings.push((format!("dfs.namenode.rpc-address.{OURS}.{name}"), address.clone()));
        }
        settings
    }

    /// For messages and for locks: one text for one cluster.
    pub(crate) fn label(&self) -> String {
        let from = self.configuration.as_deref().map(|directory| directory.display().to_string());
        match (&self.namenode, from) {
            (Namenode::Several(addresses), _) => addresses.join(","),
            (Namenode::Default, from) => from.unwrap_or_default(),
            (Namenode::One(name) | Namenode::Nameservice(name), _) => name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use storagedriver::ErrorKind;

    use super::*;

    fn parse(given: &str, configuration: Option<&str>) -> Result<Cluster> {
        let given: Vec<String> = given.split(',').map(str::to_owned).collect();
        Cluster::parse(&given, configuration.map(Path::new))
    }

    #[test]
    fn one_namenode() {
        for given in
            ["nn.example:8020", "hdfs://nn.example:8020", "hdfs://nn.example:8020/", " nn.example:8020 "]
        {
            let cluster = parse(given, None).unwrap();
            assert_eq!(cluster.namenode, Namenode::One("nn.example:8020".to_owned()), "{given}");
            assert_eq!(cluster.url().as_deref(), Some("hdfs://nn.example:8020"));
            assert!(cluster.settings().is_empty());
        }
        assert_eq!(parse("[::1]:8020", None).unwrap().url().as_deref(), Some("hdfs://[::1]:8020"));
        let configured = parse("nn:8020", Some("/etc/hadoop")).unwrap();
        assert_eq!(configured.configuration.as_deref(), Some(Path::new("/etc/hadoop")));
    }

    #[test]
    fn several_namenodes_are_one_nameservice() {
        let cluster = parse("a:8020, b:9000", None).unwrap();
        assert_eq!(cluster.url().as_deref(), Some("hdfs://storagedriver"));
        let settings = cluster.settings();
        let expected = [
            ("dfs.ha.namenodes.storagedriver", "nn1,nn2"),
            ("dfs.namenode.rpc-address.storagedriver.nn1", "a:8020"),
            ("dfs.namenode.rpc-address.storagedriver.nn2", "b:9000"),
        ];
        assert_eq!(settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_the_configuration_explains() {
        let cluster = parse("/etc/hadoop", None).unwrap();
        assert_eq!((cluster.url(), cluster.label().as_str()), (None, "/etc/hadoop"));
        let cluster = parse("hdfs://prod", Some("/etc/hadoop")).unwrap();
        assert_eq!(cluster.namenode, Namenode::Nameservice("prod".to_owned()));
        assert_eq!(cluster.url().as_deref(), Some("hdfs://prod"));
    }

    #[test]
    fn what_has_two_meanings_or_none_is_refused() {
        for (given, configuration, part) in [
            ("", None, "is empty"),
            ("nn1", None, "has no port"),
            ("hdfs://nn1", None, "has no port"),
            ("/etc/hadoop", Some("/etc/other"), "hadoopconf is one too"),
            ("nn1:8020,prod", None, "of several"),
            ("nn1:8020,/etc/hadoop", None, "of several"),
            ("nn1:8020,nn1:8020", None, "twice"),
            ("nn1:0", None, "no host:port"),
            ("nn1:80200", None, "no host:port"),
            ("::1:8020", None, "no host:port"),
            ("http://nn1:9870", None, "scheme"),
            ("viewfs://nn1", None, "scheme"),
            ("hdfs://nn1:8020/data", None, "rootdirectory"),
            ("hdfs://user@nn1:8020", None, "more than host and port"),
            ("etc/hadoop", None, "no host:port"),
        ] {
            let error = parse(given, configuration).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter);
            assert!(error.to_string().contains(part), "{given:?}: {error}");
        }
    }
}
