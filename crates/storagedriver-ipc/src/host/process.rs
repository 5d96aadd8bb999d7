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
            Ok(output) => output,
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
        let waiting = shared.clone();
        let waiter = thread::Builder::new().name("driver-wait".to_owned());
        // The child goes to the thread, or is killed and waited for when the closure is dropped.
        let child = Kept(Some(child));
        waiter.spawn(move || waiting.wait(child, &output, &end)).map_err(cannot)?;
        Ok(Process { shared, ended })
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.shared.pid.as_raw_nonzero().get().unsigned_abs()
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
