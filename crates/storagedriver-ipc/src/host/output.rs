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
        loop {
            let Ok((ready, is_dead)) = wait(&streams, dead, reads_left.is_some()) else { break };
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
