//! Hadoop's distributed file system: a NameNode and a DataNode, each a Java program that is started again when it
//! ends, so that a test can kill it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::http;
use super::process::{self, Process, free_port};
use super::{READY, Running, Server, Site, install, versions};
use crate::project::{self, Outcome, Project};

pub(crate) const HADOOP: Server =
    Server { name: "hadoop", about: "a NameNode and a DataNode of Hadoop, for hdfs", start };

/// Who the clients say they are: the superuser, who is whoever starts the NameNode.
const USER: &str = "registry";

/// Java keeps these to itself since version 17, and Hadoop reaches into them.
const OPENED: [&str; 7] =
    ["java.io", "java.lang", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch"];

/// What both do not start without: their pages, which come with Hadoop's distribution and not with its libraries.
const PAGES: [&str; 3] = ["hdfs", "datanode", "static"];

/// A program, by the name of its files and the class that it is.
const NAMENODE: (&str, &str) = ("namenode", "org.apache.hadoop.hdfs.server.namenode.NameNode");
const DATANODE: (&str, &str) = ("datanode", "org.apache.hadoop.hdfs.server.datanode.DataNode");

/// Runs a program again and again; the number of its process is in a file. It ends with what started it.
const SUPERVISE: &str =
    "while :; do setpriv --pdeathsig KILL -- \"$@\" & echo $! >\"$PIDFILE\"; wait $!; sleep 0.2; done";

fn start(project: &Project, site: Site) -> Outcome<Running> {
    let jars = install::maven(project, "hadoop", versions::HADOOP)?;
    let hadoop = Hadoop::new(&site, &jars)?;
    project::output(&mut hadoop.java(NAMENODE.1, &["-format", "-nonInteractive"]))?;
    let mut namenode = hadoop.supervise(&site, NAMENODE)?;
    let datanode = hadoop.supervise(&site, DATANODE)?;
    let question =
        format!("http://127.0.0.1:{}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState", hadoop.web);
    namenode.wait_until(READY, || {
        http::get(&question).is_some_and(|answer| answer.contains("\"NumLiveDataNodes\" : 1"))
    })?;
    let storage = json!({ "driver": "hdfs", "parameters": hadoop.parameters(), "processes": {
        "namenode": site.data.join("namenode.pid"), "datanode": site.data.join("datanode.pid"),
    }});
    Ok(Running { storage, _processes: vec![datanode, namenode], site })
}

struct Hadoop {
    classpath: String,
    directory: String,
    rpc: u16,
    web: u16,
}

impl Hadoop {
    /// Writes the configuration.
    fn new(site: &Site, jars: &Path) -> Outcome<Self> {
        let directory = site.data.display().to_string();
        let (rpc, web) = (free_port()?, free_port()?);
        let local = |port: u16| format!("127.0.0.1:{port}");
        site.write("core-site.xml", &configuration(&[("fs.defaultFS", &format!("hdfs://{}", local(rpc)))]))?;
        let [data, messages, pages] = [free_port()?, free_port()?, free_port()?].map(local);
        let settings: &[(&str, &str)] = &[
            ("hadoop.tmp.dir", &format!("{directory}/tmp")),
            ("dfs.replication", "1"),
            ("dfs.namenode.name.dir", &format!("file://{directory}/names")),
            ("dfs.namenode.http-address", &local(web)),
            ("dfs.namenode.rpc-bind-host", "127.0.0.1"),
            ("dfs.namenode.datanode.registration.ip-hostname-check", "false"),
            ("dfs.namenode.handler.count", "20"),
            ("dfs.datanode.data.dir", &format!("file://{directory}/blocks")),
            ("dfs.datanode.address", &data),
            ("dfs.datanode.ipc.address", &messages),
            ("dfs.datanode.http.address", &pages),
            ("dfs.datanode.hostname", "127.0.0.1"),
            ("dfs.datanode.du.reserved", "0"),
            // One that is started again is known at once.
            ("dfs.heartbeat.interval", "1"),
            ("dfs.namenode.safemode.extension", "0"),
            ("dfs.namenode.safemode.min.datanodes", "1"),
            // There is no other node to go on with.
            ("dfs.client.block.write.replace-datanode-on-failure.policy", "NEVER"),
        ];
        site.write("hdfs-site.xml", &configuration(settings))?;
        site.write(
            "log4j.properties",
            "log4j.rootLogger=INFO,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n\
             log4j.appender.c.layout=org.apache.log4j.PatternLayout\n\
             log4j.appender.c.layout.ConversionPattern=%d %p %c: %m%n\n",
        )?;
        for pages in PAGES {
            let place = site.data.join("webapps").join(pages).join("WEB-INF");
            fs::create_dir_all(&place)?;
            fs::write(place.join("web.xml"), "<web-app version=\"2.5\"/>\n")?;
        }
        let classpath = format!("{directory}:{}/*", jars.display());
        Ok(Hadoop { classpath, directory, rpc, web })
    }

    fn arguments(&self, class: &str) -> Vec<String> {
        let mut arguments: Vec<String> = OPENED
            .iter()
            .flat_map(|package| ["--add-opens".to_owned(), format!("java.base/{package}=ALL-UNNAMED")])
            .collect();
        // It runs for a minute: what is compiled late is never used.
        let flags =
            ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"];
        arguments.extend(flags.map(str::to_owned));
        arguments.push(format!("-Dhadoop.log.dir={}", self.directory));
        arguments.extend(["-cp".to_owned(), self.classpath.clone(), class.to_owned()]);
        arguments
    }

    fn java(&self, class: &str, more: &[&str]) -> Command {
        let mut java = Command::new("java");
        java.args(self.arguments(class)).args(more).env("HADOOP_USER_NAME", USER);
        java
    }

    fn supervise(&self, site: &Site, (name, class): (&str, &str)) -> Outcome<Process> {
        let mut shell = process::command("sh");
        shell.args(["-c", SUPERVISE, "sh", "java"]).args(self.arguments(class));
        shell.env("HADOOP_USER_NAME", USER).env("PIDFILE", site.data.join(format!("{name}.pid")));
        Process::start(name, &site.logs, &mut shell)
    }

    fn parameters(&self) -> Value {
        json!({ "namenode": format!("127.0.0.1:{}", self.rpc), "user": USER })
    }
}

fn configuration(settings: &[(&str, &str)]) -> String {
    let properties: String = settings
        .iter()
        .map(|(name, value)| format!("<property><name>{name}</name><value>{value}</value></property>\n"))
        .collect();
    format!("<configuration>\n{properties}</configuration>\n")
}
