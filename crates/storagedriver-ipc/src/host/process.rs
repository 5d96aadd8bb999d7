//! The process of a driver.

use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use storagedriver::{Error, Result};
use tokio::sync::watch;

use super::output::{Output, Writer};
use super::secrets::Secrets;

/// How long a process has after the end of its standard input.
const GRACE: Duration = Duration::from_secs(1);

/// A driver's process, alone with its descendants in a process group. Dropping it ends it: its standard input is closed, and after
/// [`GRACE`] the group is killed. It is always waited for, on a thread of its own, so that none is left as a zombie, whatever becomes of
/// the runtime.
#[derive(Debug)]
pub(super) struct Process {
    shared: Arc<Shared>,
    output: Arc<Output>,
    ended: watch::Receiver<Option<Arc<str>>>,
}

struct Shared {
    pid: Pid,
    /// The write end of its standard input.
    lifeline: Mutex<Option<ChildStdin>>,
    /// Set when it was waited for: the number may be that of another process then.
    reaped: Mutex<bool>,
    changed: Condvar,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

impl Process {
    /// Starts the executable, to serve on `socket`.
    ///
    /// # Errors
    /// `InvalidConfiguration` if it cannot be started.
    pub(super) fn start(
        executable: &Path,
        driver: &Arc<str>,
        socket: &Path,
        secrets: Secrets,
    ) -> Result<Self> {
        let cannot = |error: std::io::Error| {
            Error::invalid_configuration(format!("cannot start {}: {error}", executable.display()))
        };
        let mut child = Command::new(executable)
            .env("STORAGEDRIVER_SOCKET", socket)
            .env("STORAGEDRIVER_LIFELINE", "stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(cannot)?;
        let pid = Pid::from_child(&child);
        let (lifeline, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let writer = Writer { driver: driver.clone(), pid: child.id() };
        let output = match Output::read(writer, secrets, stdout, stderr) {
            Ok(output) => Arc::new(output),
            Err(error) => {
                kill(pid);
                let _ = child.wait();
                return Err(cannot(error));
            }
        };
        let shared = Arc::new(Shared {
            pid,
            lifeline: Mutex::new(lifeline),
            reaped: Mutex::new(false),
            changed: Condvar::new(),
        });
        let (end, ended) = watch::channel(None);
        let (waiting, last) = (shared.clone(), output.clone());
        let waiter = thread::Builder::new().name("driver-wait".to_owned());
        // The child goes to the thread, or is killed and waited for when the closure is dropped.
        let child = Kept(Some(child));
        waiter.spawn(move || waiting.wait(child, &last, &end)).map_err(cannot)?;
        Ok(Process { shared, output, ended })
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.shared.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The last lines that it wrote to standard error; empty if there are none.
    pub(super) fn last_lines(&self) -> String {
        self.output.last_lines()
    }

    /// What becomes of it: `None` while it lives, then how it ended.
    pub(super) fn ended(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.ended.clone()
    }

    /// Ends it; does not wait for that. Done once.
    pub(super) fn end(&self) {
        let lifeline = self.shared.lifeline.lock().unwrap_or_else(PoisonError::into_inner).take();
        if lifeline.is_none() {
            return;
        }
        drop(lifeline);
        let shared = self.shared.clone();
        let ender = thread::Builder::new().name("driver-end".to_owned()).spawn(move || shared.end(GRACE));
        if ender.is_err() {
            self.shared.end(Duration::ZERO);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// Kills the group if the process has not ended in time.
    fn end(&self, grace: Duration) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        let (reaped, _) = self
            .changed
            .wait_timeout_while(reaped, grace, |reaped| !*reaped)
            .unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for it while this is locked, so the number is still its own.
        if !*reaped {
            kill(self.pid);
        }
    }

    /// Waits until the process has ended, and kills what it left of its group.
    fn wait(&self, mut child: Kept, output: &Output, end: &watch::Sender<Option<Arc<str>>>) {
        while let Err(error) = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            if error != rustix::io::Errno::INTR {
                break;
            }
        }
        let status = {
            let mut reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
            let status = child.end();
            *reaped = true;
            self.changed.notify_all();
            status
        };
        output.finish();
        let mut text = match status {
            Some(status) => format!("process {} ended ({status})", self.pid),
            None => format!("process {} is gone", self.pid),
        };
        let last = output.last_lines();
        if !last.is_empty() {
            text = format!("{text}; it wrote last: {last}");
        }
        end.send_replace(Some(Arc::from(text)));
    }
}

/// A child that is never left behind.
struct Kept(Option<Child>);

impl Kept {
    /// Kills what is left of its group, and waits for it.
    fn end(&mut self) -> Option<ExitStatus> {
        let mut child = self.0.take()?;
        kill(Pid::from_child(&child));
        child.wait().ok()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills a group whose first process was not waited for yet. The group is gone already: nothing to do.
fn kill(group: Pid) {
    let _ = kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Starts a script of the shell.
    fn start(script: &str) -> (tempfile::TempDir, Process) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("script");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        // Another test that starts a process may hold the script open for writing for a moment.
        for _ in 0..100 {
            match Process::start(
                &file,
                &Arc::from("foo"),
                &directory.path().join("socket"),
                Secrets::default(),
            ) {
                Ok(process) => return (directory, process),
                Err(error) => assert!(error.to_string().contains("busy"), "{error}"),
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the script stays busy");
    }

    async fn ended(process: &Process) -> String {
        let mut ended = process.ended();
        let cause = ended.wait_for(Option::is_some).await.unwrap();
        cause.as_ref().unwrap().to_string()
    }

    /// The state of a process, as `/proc` tells it; `None` if it is gone.
    fn state(pid: &str) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    }

    /// Waits until a process that was killed does no more: it dies when it is next to run, and whoever adopted it waits for it.
    async fn assert_dies(pid: &str) {
        for _ in 0..2000 {
            if matches!(state(pid), None | Some('Z' | 'X')) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{pid} lives: {:?}", state(pid));
    }

    #[tokio::test]
    async fn how_it_ended_is_told_with_its_last_lines() {
        let (_directory, process) = start("echo one >&2; echo two >&2; exit 7");
        let pid = process.pid().to_string();
        let text = ended(&process).await;
        assert_eq!(text, format!("process {pid} ended (exit status: 7); it wrote last: one | two"));
        assert_eq!(state(&pid), None, "a zombie");
        let (_directory, process) = start("kill -9 $$");
        let text = ended(&process).await;
        assert!(text.contains("signal: 9"), "{text}");
    }

    #[tokio::test]
    async fn it_has_what_it_needs_and_a_group_of_its_own() {
        let (directory, process) = start(
            "echo $STORAGEDRIVER_SOCKET $STORAGEDRIVER_LIFELINE $# $(ps -o pgid= -p $$) >&2; cat; echo end >&2",
        );
        let socket = directory.path().join("socket").display().to_string();
        process.end();
        let text = ended(&process).await;
        assert!(text.contains("exit status: 0"), "{text}");
        assert!(text.ends_with(&format!("{socket} stdin 0 {} | end", process.pid())), "{text}");
    }

    /// The end of its standard input ends it; if it does not, it is killed, and all of its group.
    #[tokio::test]
    async fn one_that_does_not_end_is_killed_with_its_descendants() {
        let (directory, process) =
            start("sleep 60 & echo $! >\"$(dirname $0)/other\"; trap '' TERM; while :; do sleep 60; done");
        let file = directory.path().join("other");
        let other = loop {
            match std::fs::read_to_string(&file) {
                Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        assert!(state(&other).is_some());
        let (pid, mut end) = (process.pid().to_string(), process.ended());
        drop(process);
        let text = end.wait_for(Option::is_some).await.unwrap().as_ref().unwrap().to_string();
        assert!(text.contains("signal: 9"), "{text}");
        assert_eq!(state(&pid), None);
        assert_dies(&other).await;
    }

    #[tokio::test]
    async fn descendants_that_it_leaves_go_with_it() {
        let (_directory, process) = start("sleep 60 & echo $! >&2");
        let text = ended(&process).await;
        assert_dies(text.rsplit(' ').next().unwrap()).await;
    }

    #[test]
    fn without_a_runtime_it_is_ended_and_waited_for_too() {
        let (_directory, process) = start("cat");
        let (pid, end) = (process.pid().to_string(), process.ended());
        drop(process);
        for _ in 0..1000 {
            if end.borrow().is_some() {
                assert_eq!(state(&pid), None);
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }
}
