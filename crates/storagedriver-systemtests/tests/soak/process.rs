//! What this process, and those that it started, hold.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What is held at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Memory of this process, in KiB.
    memory: u64,
    /// Memory of those it started, in KiB.
    children: u64,
    descriptors: u64,
    sockets: u64,
    threads: u64,
    tasks: u64,
    /// Below the root of the filesystem driver, hidden ones too.
    files: u64,
    /// At the S3 server, open uploads too.
    objects: u64,
}

/// A figure's name, by how much it may grow, and the figure.
type Bound = (&'static str, u64, fn(&Sample) -> u64);

impl Sample {
    /// Memory is what the allocators keep. A connection may just be opened or closed, and with it its task.
    pub(crate) const BOUNDS: &[Bound] = &[
        ("memory in KiB", 8 << 10, |sample| sample.memory),
        ("memory of the servers in KiB", 16 << 10, |sample| sample.children),
        ("file descriptors", 4, |sample| sample.descriptors),
        ("sockets", 4, |sample| sample.sockets),
        ("threads", 4, |sample| sample.threads),
        ("tasks", 8, |sample| sample.tasks),
        ("files", 0, |sample| sample.files),
        ("objects", 0, |sample| sample.objects),
    ];

    pub(crate) fn take(root: &Path, objects: u64) -> Self {
        let descriptors: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().flatten().collect();
        let is_socket = |entry: &&fs::DirEntry| {
            fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        Sample {
            memory: status("self", "VmRSS:").unwrap(),
            children: children().iter().filter_map(|child| status(child, "VmRSS:")).sum(),
            descriptors: descriptors.len() as u64,
            sockets: descriptors.iter().filter(is_socket).count() as u64,
            threads: status("self", "Threads:").unwrap(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64,
            files: files_below(root),
            objects,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample { memory, children, descriptors, sockets, threads, tasks, files, objects } = self;
        write!(
            f,
            "memory {memory} KiB, of servers {children} KiB, descriptors {descriptors}, sockets {sockets}, threads {threads}, \
             tasks {tasks}, files {files}, objects {objects}"
        )
    }
}

/// A number of `/proc/<process>/status`.
fn status(process: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The processes that this one started.
fn children() -> Vec<String> {
    let own = u64::from(std::process::id());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.parse::<u64>().is_ok() && status(name, "PPid:") == Some(own)).collect()
}

fn files_below(root: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(root) else { return 0 };
    let count = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files_below(&entry.path()),
        _ => 1,
    };
    entries.flatten().map(count).sum()
}

/// The processor time that the threads of this process have taken.
pub(crate) fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let spent = threads.filter_map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}
