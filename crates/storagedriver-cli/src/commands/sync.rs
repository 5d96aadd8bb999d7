//! `sync`: makes one storage what another is.

use std::fmt;

use serde::Serialize;
use storagedriver_cli::sync::{SyncOptions, SyncSummary, overlap, sync};

use super::Session;
use super::entry::Size;
use super::report::Reporter;
use crate::arguments::Sync;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

pub(crate) async fn run(arguments: Sync, session: &mut Session) -> Result<Answer, Failure> {
    let (from, to) = open::resolve_pair(&arguments.from, &arguments.to)?;
    if let Some(overlap) = overlap(&from.location(), &to.location()) {
        return Err(Failure::Usage(format!("the source is {overlap} the destination")));
    }
    let reporter = Reporter::new(arguments.run.report.as_deref())?;
    // Before the storages: their first operation is measured too.
    let _metrics = reporter.serve_metrics(arguments.run.metrics, session).await?;
    let (from, to) = (from.open().await?, to.open().await?);

    let mut options = SyncOptions::default();
    options.repositories = arguments.repository;
    options.transfers = arguments.run.transfers.into();
    options.bandwidth = arguments.run.bandwidth;
    options.dry_run = arguments.dry_run;
    options.delete = arguments.delete;
    options.verify = arguments.verify;
    options.shard = arguments.shard;

    let monitor = reporter.monitor.clone();
    let summary = reporter.follow(sync(&from, &to, &options, &monitor), session).await?;
    let line = Summary::new(&summary, &options, arguments.run.human);
    session.output.record(&line)?;
    let to_do = options.dry_run && (summary.copied > 0 || summary.deleted > 0);
    Ok(if summary.faults > 0 || to_do { Answer::No } else { Answer::Yes })
}

/// The last line.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    dry_run: bool,
    /// As it was given: `2/4`.
    shard: Option<String>,
    same: u64,
    copied: u64,
    copied_bytes: u64,
    read_back: bool,
    deleted: u64,
    extra: u64,
    gone: u64,
    uploads_left_out: u64,
    deletion_skipped: bool,
    faults: u64,
    #[serde(skip)]
    human: bool,
}

impl Summary {
    fn new(summary: &SyncSummary, options: &SyncOptions, human: bool) -> Self {
        Summary {
            event: "summary",
            dry_run: options.dry_run,
            shard: options.shard.as_ref().map(ToString::to_string),
            same: summary.same,
            copied: summary.copied,
            copied_bytes: summary.copied_bytes,
            read_back: options.verify && !options.dry_run,
            deleted: summary.deleted,
            extra: summary.extra,
            gone: summary.gone,
            uploads_left_out: summary.uploads_left_out,
            deletion_skipped: summary.deletion_skipped,
            faults: summary.faults,
            human,
        }
    }
}

impl Record for Summary {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        if let Some(shard) = &self.shard {
            write!(f, "shard {shard}: ")?;
        }
        let size = Size { size: Some(self.copied_bytes), human: self.human };
        let unit = if self.human { "" } else { " bytes" };
        let would = if self.dry_run { "would be " } else { "" };
        let read_back = if self.read_back { ", each read back" } else { "" };
        write!(
            f,
            "{} files {would}copied ({size}{unit}){read_back}; {} were the same",
            self.copied, self.same
        )?;
        if self.deleted > 0 {
            write!(f, "; {} {would}deleted", self.deleted)?;
        }
        if self.extra > 0 {
            write!(f, "; {} only at the destination", self.extra)?;
        }
        if self.gone > 0 {
            write!(f, "; {} gone meanwhile", self.gone)?;
        }
        if self.uploads_left_out > 0 {
            write!(f, "; {} uploads in progress left out", self.uploads_left_out)?;
        }
        if self.deletion_skipped {
            let nothing = if self.deleted > 0 { "nothing else" } else { "nothing" };
            write!(f, "; {nothing} deleted, because of the faults")?;
        }
        write!(f, "; {} {}", self.faults, if self.faults == 1 { "fault" } else { "faults" })
    }
}
