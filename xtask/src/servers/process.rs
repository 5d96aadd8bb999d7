//! A server's process: it ends when its owner does, however that comes about.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::project::Outcome;

/// How often a server is asked whether it is ready.
const ASKED: Duration = Duration::from_millis(50);

/// How much of a log is shown when a server fails.
const LAST_LINES: usize = 20;

/// A port of the loopback interface that nobody listens on now.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A running program. Dropped, it is killed with all that it started. If this program is killed
/// itself, or interrupted, the kernel kills it.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

/// A command whose process does not outlive the thread that starts it.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    // The standard library has no safe way to ask the kernel for this.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Process {
    /// Starts what [`command`] made, with its output in a file of `logs`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn start(name: &str, logs: &Path, command: &mut Command) -> Outcome<Self> {
        fs::create_dir_all(logs)?;
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A Ctrl-C is for us; we stop the servers then, in our order.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        Ok(Process { name: name.to_owned(), log, child })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// The process has ended, or it was not ready in time; with the end of its log.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Outcome {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{} has ended ({status}){}", self.name, self.end_of_log()).into());
            }
            if ready() {
                return Ok(());
            }
            if started.elapsed() > limit {
                let seconds = limit.as_secs();
                return Err(format!("{} was not ready in {seconds} s{}", self.name, self.end_of_log()).into());
            }
            sleep(ASKED);
        }
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        format!("; the end of {}:\n{}", self.log.display(), last.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // None of them has anything to save.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: &str) -> bool {
        // A process that nobody has waited for yet is dead all the same.
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn written(path: &Path) -> String {
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(path).unwrap_or_default();
            if text.ends_with('\n') {
                return text.trim().to_owned();
            }
            assert!(started.elapsed() < Duration::from_secs(20), "nothing is in {path:?}");
            sleep(ASKED);
        }
    }

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("storagedriver-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn a_dropped_process_is_killed_with_its_children() {
        let directory = directory("dropped");
        let pid = directory.join("pid");
        let script = format!("sleep 600 & echo $! >{}; wait", pid.display());
        let process =
            Process::start("shell", &directory, command("sh").args(["-c", script.as_str()])).unwrap();
        let child = written(&pid);
        assert!(alive(&child));
        drop(process);
        let started = Instant::now();
        while alive(&child) {
            assert!(started.elapsed() < Duration::from_secs(20), "{child} is still there");
            sleep(ASKED);
        }
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_process_ends_with_what_started_it() {
        let directory = directory("orphan");
        let pid = directory.join("pid");
        let child = pid.display().to_string();
        // As `Process::start` does, in a process that is then killed: no `drop` is run.
        let script = format!("setpriv --pdeathsig KILL -- sh -c 'echo $$ >{child}; exec sleep 600' & wait");
        let mut owner = Command::new("sh").args(["-c", script.as_str()]).spawn().unwrap();
        let child = written(&pid);
        assert!(alive(&child));
        owner.kill().unwrap();
        owner.wait().unwrap();
        let started = Instant::now();
        while alive(&child) {
            assert!(started.elapsed() < Duration::from_secs(20), "{child} is still there");
            sleep(ASKED);
        }
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_process_that_ends_is_not_waited_for() {
        let directory = directory("ended");
        let mut process =
            Process::start("shell", &directory, command("sh").args(["-c", "echo no such store; exit 3"]))
                .unwrap();
        let error = process.wait_until(Duration::from_secs(60), || false).unwrap_err().to_string();
        assert!(error.contains("shell has ended (exit status: 3)"), "{error}");
        assert!(error.contains("no such store"), "{error}");
        fs::remove_dir_all(directory).unwrap();
    }
}
