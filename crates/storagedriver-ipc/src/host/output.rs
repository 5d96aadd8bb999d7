//! What a driver's process writes: lines of log.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::secrets::Secrets;

/// Of a longer line the rest is dropped.
const LONGEST_LINE: usize = 4096;

/// How many lines wait for a slow log; those beyond are counted, not kept.
const WAITING: usize = 1024;

/// How many of the last lines of standard error are told when the process has died, and of how many characters at most.
const LAST_LINES: usize = 5;
const LAST_LINE: usize = 300;

/// How much is still read once the process is dead: what two full pipes hold. Another process may go on writing.
const LAST_READS: usize = 64;

/// Who writes: for the log.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) driver: Arc<str>,
    pub(super) pid: u32,
}

/// Reads what a process writes, on a thread of its own, and passes the lines on to the log from another one, so that a slow log
/// never stops the process.
#[derive(Debug)]
pub(super) struct Output {
    shared: Arc<Shared>,
    /// Dropped when the process is dead.
    alive: Mutex<Option<PipeWriter>>,
}

#[derive(Debug, Default)]
struct Shared {
    last: Mutex<VecDeque<String>>,
    drained: Mutex<bool>,
    changed: Condvar,
}

enum Event {
    Line(&'static str, String),
    Lost(u64),
}

impl Output {
    /// Starts reading.
    ///
    /// # Errors
    /// The system has no pipe or no thread left.
    pub(super) fn read(
        writer: Writer,
        secrets: Secrets,
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (dead, alive) = io::pipe()?;
        let (events, waiting) = sync_channel(WAITING);
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        thread::Builder::new().name("driver-log".to_owned()).spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || log(&writer, &waiting));
        })?;
        let mut reading = Reading { shared: shared.clone(), secrets, events, lost: 0 };
        thread::Builder::new().name("driver-output".to_owned()).spawn(move || {
            let streams = [Stream::new("stdout", stdout), Stream::new("stderr", stderr)];
            reading.run(streams, &dead);
            *reading.shared.drained.lock().unwrap_or_else(PoisonError::into_inner) = true;
            reading.shared.changed.notify_all();
        })?;
        Ok(Output { shared, alive: Mutex::new(Some(alive)) })
    }

    /// The process is dead: waits a little until what it wrote last was read. Another process that holds the pipes is not waited for.
    pub(super) fn finish(&self) {
        drop(self.alive.lock().unwrap_or_else(PoisonError::into_inner).take());
        let drained = self.shared.drained.lock().unwrap_or_else(PoisonError::into_inner);
        let waited =
            self.shared.changed.wait_timeout_while(drained, Duration::from_millis(200), |drained| !*drained);
        drop(waited);
    }

    /// The last lines of standard error, joined; empty if there was none.
    pub(super) fn last_lines(&self) -> String {
        let last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}

fn log(writer: &Writer, waiting: &Receiver<Event>) {
    let (driver, pid) = (&*writer.driver, writer.pid);
    for event in waiting {
        match event {
            Event::Line(stream, line) => {
                tracing::info!(target: "storagedriver_ipc::driver", driver, pid, stream, "{line}");
            }
            Event::Lost(lines) => {
                tracing::warn!(target: "storagedriver_ipc::driver", driver, pid, "{lines} lines dropped: the log was too slow");
            }
        }
    }
}

/// One of the two streams.
struct Stream {
    name: &'static str,
    source: Option<Source>,
    line: Vec<u8>,
}

enum Source {
    Stdout(ChildStdout),
    Stderr(ChildStderr),
}

impl From<ChildStdout> for Source {
    fn from(source: ChildStdout) -> Self {
        Source::Stdout(source)
    }
}

impl From<ChildStderr> for Source {
    fn from(source: ChildStderr) -> Self {
        Source::Stderr(source)
    }
}

impl Source {
    fn poll(&self) -> PollFd<'_> {
        let descriptor = match self {
            Source::Stdout(source) => source.as_fd(),
            Source::Stderr(source) => source.as_fd(),
        };
        PollFd::from_borrowed_fd(descriptor, PollFlags::IN)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Stdout(source) => source.read(buffer),
            Source::Stderr(source) => source.read(buffer),
        }
    }
}

impl Stream {
    fn new(name: &'static str, source: Option<impl Into<Source>>) -> Self {
        Stream { name, source: source.map(Into::into), line: Vec::new() }
    }
}

struct Reading {
    shared: Arc<Shared>,
    secrets: Secrets,
    events: SyncSender<Event>,
    lost: u64,
}

impl Reading {
    fn run(&mut self, mut streams: [Stream; 2], dead: &PipeReader) {
        let mut reads_left = None;
        while let Ok((ready, is_dead)) = wait(&streams, dead, reads_left.is_some()) {
            if is_dead && reads_left.is_none() {
                reads_left = Some(LAST_READS);
                continue;
            }
            if let Some(left) = &mut reads_left {
                if *left == 0 || !ready.contains(&true) {
                    break;
                }
                *left -= 1;
            }
            for (stream, _) in streams.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
                self.read(stream);
            }
        }
        for stream in &mut streams {
            self.end_line(stream);
        }
        if self.lost > 0 {
            // The log may have caught up; if not, nothing is lost but a number.
            let _ = self.events.try_send(Event::Lost(self.lost));
        }
    }

    fn read(&mut self, stream: &mut Stream) {
        let mut buffer = [0; 8192];
        let read = match &mut stream.source {
            Some(source) => match source.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
                read => read.unwrap_or(0),
            },
            None => 0,
        };
        if read == 0 {
            stream.source = None;
            return;
        }
        let mut parts = buffer.get(..read).unwrap_or_default().split(|&byte| byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let room = (LONGEST_LINE + 1).saturating_sub(stream.line.len());
            stream.line.extend(part.iter().take(room));
            if parts.peek().is_some() {
                self.end_line(stream);
            }
        }
    }

    fn end_line(&mut self, stream: &mut Stream) {
        let mut line = std::mem::take(&mut stream.line);
        let is_long = line.len() > LONGEST_LINE;
        line.truncate(LONGEST_LINE);
        let mut text = String::from_utf8_lossy(&line)
            .trim_end()
            .replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        if is_long {
            text.push('…');
        }
        if text.is_empty() {
            return;
        }
        let text = self.secrets.hide(text);
        if stream.name == "stderr" {
            self.keep(&text);
        }
        if self.lost > 0 && self.events.try_send(Event::Lost(self.lost)).is_ok() {
            self.lost = 0;
        }
        if self.events.try_send(Event::Line(stream.name, text)).is_err() {
            self.lost += 1;
        }
    }

    fn keep(&self, text: &str) {
        let mut last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text.chars().take(LAST_LINE).collect());
    }
}

/// Waits until a stream can be read or the process is dead; does not wait if that is known. Says which streams can be read, and
/// whether the process is dead.
fn wait(streams: &[Stream; 2], dead: &PipeReader, is_dead: bool) -> io::Result<([bool; 2], bool)> {
    let mut polled: Vec<PollFd<'_>> =
        streams.iter().filter_map(|stream| stream.source.as_ref()).map(Source::poll).collect();
    polled.push(PollFd::new(dead, PollFlags::IN));
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while let Err(error) = poll(&mut polled, is_dead.then_some(&now)) {
        if error != rustix::io::Errno::INTR {
            return Err(error.into());
        }
    }
    let mut found = polled.iter().map(|polled| !polled.revents().is_empty());
    let mut ready = [false; 2];
    for (stream, ready) in streams.iter().zip(&mut ready) {
        *ready = stream.source.is_some() && found.next().unwrap_or_default();
    }
    Ok((ready, found.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::process::{Child, Command, Stdio};
    use tracing::field::{Field, Visit};

    /// Keeps the lines that are logged; slowly, if it is to.
    #[derive(Clone, Default)]
    struct Log {
        lines: Arc<Mutex<Vec<String>>>,
        /// While it is locked nothing can be logged.
        gate: Arc<Mutex<()>>,
    }

    struct Text(String);

    impl Visit for Text {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if field.name() == "message" {
                let _ = write!(self.0, "{value:?}");
            }
        }
    }

    impl tracing::Subscriber for Log {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == "storagedriver_ipc::driver"
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            let _gate = self.gate.lock().unwrap();
            let mut text = Text(String::new());
            event.record(&mut text);
            self.lines.lock().unwrap().push(text.0);
        }
    }

    impl Log {
        fn wait_for(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
            for _ in 0..2000 {
                let lines = self.lines.lock().unwrap().clone();
                if wanted(&lines) {
                    return lines;
                }
                thread::sleep(Duration::from_millis(5));
            }
            panic!("not logged: {:?}", self.lines.lock().unwrap());
        }
    }

    /// Runs a script of the shell whose output is read.
    fn run(log: &Log, script: &str) -> (Child, Output) {
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let writer = Writer { driver: Arc::from("foo"), pid: child.id() };
        let secrets = Secrets::of(&storagedriver::Parameters::from_iter([("secretkey", "sesame-street")]));
        let output = tracing::subscriber::with_default(log.clone(), || {
            Output::read(writer, secrets, child.stdout.take(), child.stderr.take()).unwrap()
        });
        (child, output)
    }

    #[test]
    fn lines_are_logged_cut_and_cleaned() {
        let log = Log::default();
        let script = r"echo out; printf 'bad \377\033[1m\n' >&2; printf 'sesame-street\n' >&2;
            head -c 10000 /dev/zero | tr '\0' x; echo; printf 'no end of line'";
        let (mut child, output) = run(&log, script);
        child.wait().unwrap();
        output.finish();
        let lines = log.wait_for(|lines| lines.len() == 5);
        let has = |line: &str| assert!(lines.iter().any(|found| found == line), "{line:?} of {lines:?}");
        has("out");
        has("bad \u{fffd}\u{fffd}[1m");
        has("<redacted>");
        has(&format!("{}…", "x".repeat(LONGEST_LINE)));
        has("no end of line");
        assert_eq!(output.last_lines(), "bad \u{fffd}\u{fffd}[1m | <redacted>");
    }

    #[test]
    fn a_slow_log_does_not_stop_the_process() {
        let log = Log::default();
        let gate = log.gate.lock().unwrap();
        let (mut child, output) = run(&log, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
        // More than a pipe holds: it ends only if all was read.
        assert!(child.wait().unwrap().success());
        output.finish();
        drop(gate);
        let lines = log.wait_for(|lines| lines.len() > WAITING / 2);
        assert_eq!(lines[0], "line 0");
        log.wait_for(|lines| {
            lines.iter().any(|line| line.contains("lines dropped")) || lines.len() > WAITING
        });
    }

    #[test]
    fn a_process_that_keeps_the_pipe_is_not_waited_for() {
        let log = Log::default();
        let (mut child, output) = run(&log, "sleep 30 & echo $!; echo last >&2");
        child.wait().unwrap();
        output.finish();
        assert_eq!(output.last_lines(), "last");
        let other = log.wait_for(|lines| lines.len() == 2).iter().find_map(|line| line.parse().ok()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(other).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    }
}
