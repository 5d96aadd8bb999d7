//! What `sync` and `verify` say while they run.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use storagedriver_cli::registry::Fault;
use storagedriver_cli::transfer::{Event, Monitor};
use tokio::sync::mpsc;

use super::Session;
use crate::failure::Failure;
use crate::metrics::{self, Done, Endpoint};
use crate::output::Record;
use crate::paint::Paint;
use crate::progress::RunMeter;

/// How often the progress on a terminal is brought up to date.
const TICK: Duration = Duration::from_millis(250);

/// Takes the events of a run from its threads to the output.
pub(crate) struct Reporter {
    events: mpsc::UnboundedReceiver<Event>,
    pub(crate) monitor: Arc<Monitor>,
    faults: Option<FaultFile>,
    counts: Arc<Counts>,
}

/// How often something happened in a run.
#[derive(Default)]
struct Counts {
    copied: AtomicU64,
    faults: AtomicU64,
}

impl Counts {
    fn add(&self, event: &Event) {
        match event {
            Event::Copied { .. } => self.copied.fetch_add(1, Ordering::Relaxed),
            Event::Fault(_) => self.faults.fetch_add(1, Ordering::Relaxed),
            _ => return,
        };
    }
}

/// Where the metrics of a run are.
#[derive(Serialize)]
struct MetricsLine {
    event: &'static str,
    url: String,
}

impl Reporter {
    /// `report`: the file for faults.
    ///
    /// # Errors
    /// `Usage` if that file cannot be made.
    pub(crate) fn new(report: Option<&Path>) -> Result<Self, Failure> {
        // Unbounded: a run waits for its jobs, so that no more than a few events for each are here.
        let (sender, events) = mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let counted = counts.clone();
        let monitor = Monitor::new(move |event: &Event| {
            counted.add(event);
            // The receiver goes when the run is given up.
            let _ = sender.send(event.clone());
        });
        let faults = report.map(FaultFile::create).transpose()?;
        Ok(Reporter { events, monitor: Arc::new(monitor), faults, counts })
    }

    /// Serves metrics at `address`, if there is one, until what it returns is dropped.
    ///
    /// # Errors
    /// The address cannot be listened on; or the output fails.
    pub(crate) async fn serve_metrics(
        &self,
        address: Option<SocketAddr>,
        session: &mut Session,
    ) -> Result<Option<Endpoint>, Failure> {
        let Some(address) = address else { return Ok(None) };
        let (monitor, counts) = (self.monitor.clone(), self.counts.clone());
        let done = move || Done {
            progress: monitor.progress(),
            copied: counts.copied.load(Ordering::Relaxed),
            faults: counts.faults.load(Ordering::Relaxed),
        };
        let endpoint = metrics::serve(address, done).await?;
        let line = MetricsLine { event: "metrics", url: endpoint.url() };
        if session.output.json() {
            session.output.object(&line)?;
            session.output.flush()?;
        } else if !session.global.quiet {
            // With standard error gone there is nobody to tell; it serves all the same.
            let _ = writeln!(io::stderr(), "storagedriver: metrics at {}", line.url);
        }
        Ok(Some(endpoint))
    }

    /// Runs `work` to its end and reports its events as they come.
    ///
    /// # Errors
    /// Those of `work`; and a failing output, such as a closed pipe, ends it.
    pub(crate) async fn follow<T>(
        mut self,
        work: impl Future<Output = storagedriver::Result<T>>,
        session: &mut Session,
    ) -> Result<T, Failure> {
        let meter = RunMeter::new(&session.global);
        let mut work = std::pin::pin!(work);
        let mut tick = tokio::time::interval(TICK);
        let outcome = loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => meter.suspend(|| self.report(&event, session))?,
                outcome = &mut work => break outcome,
                _ = tick.tick() => meter.show(&self.monitor.progress()),
            }
        };
        drop(meter);
        while let Ok(event) = self.events.try_recv() {
            self.report(&event, session)?;
        }
        if let Some(faults) = &mut self.faults {
            faults.flush()?;
        }
        Ok(outcome?)
    }

    fn report(&mut self, event: &Event, session: &mut Session) -> Result<(), Failure> {
        if let (Event::Fault(fault), Some(faults)) = (event, &mut self.faults) {
            faults.add(fault)?;
        }
        let Some(line) = Line::of(event) else { return Ok(()) };
        if session.output.json() || line.is_news() { session.output.record(&line) } else { Ok(()) }
    }
}

/// An event as a line of output.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Copied { path: &'a str, bytes: u64 },
    WouldCopy { path: &'a str, bytes: u64 },
    Deleted { path: &'a str },
    WouldDelete { path: &'a str },
    Gone { path: &'a str },
    Fault(FaultLine<'a>),
}

/// A fault in JSON.
#[derive(Serialize)]
struct FaultLine<'a> {
    kind: &'static str,
    path: &'a str,
    detail: &'a str,
}

impl<'a> FaultLine<'a> {
    fn of(fault: &'a Fault) -> Self {
        FaultLine { kind: fault.kind.as_str(), path: &fault.path, detail: &fault.detail }
    }
}

impl<'a> Line<'a> {
    /// `None` for what only the progress shows.
    fn of(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::Copied { path, bytes } => Line::Copied { path, bytes: *bytes },
            Event::WouldCopy { path, bytes } => Line::WouldCopy { path, bytes: *bytes },
            Event::Deleted { path } => Line::Deleted { path },
            Event::WouldDelete { path } => Line::WouldDelete { path },
            Event::Gone { path } => Line::Gone { path },
            Event::Fault(fault) => Line::Fault(FaultLine::of(fault)),
            _ => return None,
        })
    }

    /// Whether people want to read it; what goes as it should is counted in the summary.
    fn is_news(&self) -> bool {
        matches!(self, Line::WouldCopy { .. } | Line::WouldDelete { .. } | Line::Fault(_))
    }
}

impl Record for Line<'_> {
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        match self {
            Line::Copied { path, .. } => write!(f, "copied {path}"),
            Line::WouldCopy { path, .. } => write!(f, "would copy {path}"),
            Line::Deleted { path } => write!(f, "deleted {path}"),
            Line::WouldDelete { path } => write!(f, "would delete {path}"),
            Line::Gone { path } => write!(f, "gone meanwhile {path}"),
            Line::Fault(fault) => {
                write!(f, "{} {}: {}: {}", paint.wrong("fault"), fault.kind, fault.path, fault.detail)
            }
        }
    }
}

/// The file that `--report` names.
struct FaultFile {
    file: BufWriter<File>,
    path: PathBuf,
}

impl FaultFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| {
            Failure::Usage(format!("cannot write the report {}: {error}", path.display()))
        })?;
        Ok(FaultFile { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// Each fault is in the file at once: the run may be long, and may be ended.
    fn add(&mut self, fault: &Fault) -> Result<(), Failure> {
        let written = serde_json::to_writer(&mut self.file, &FaultLine::of(fault)).map_err(io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(|source| self.failed(source))?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.file.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Failure {
        Failure::Local { what: format!("writing the report {}", self.path.display()), source }
    }
}
