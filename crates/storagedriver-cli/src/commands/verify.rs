//! `verify`: checks a registry's storage.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use storagedriver_cli::verify::{VerifyOptions, VerifySummary, verify};

use super::Session;
use super::entry::Size;
use super::report::Reporter;
use crate::arguments::Verify;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

pub(crate) async fn run(arguments: Verify, session: &mut Session) -> Result<Answer, Failure> {
    let reporter = Reporter::new(arguments.run.report.as_deref())?;
    // Before the storage: its first operation is measured too.
    let _metrics = reporter.serve_metrics(arguments.run.metrics, session).await?;
    let storage = open::only(&arguments.storage).await?;

    let mut options = VerifyOptions::default();
    options.start_after = arguments.start_after;
    options.links_only = arguments.links_only;
    options.sample = arguments.sample;
    options.seed = arguments.seed.unwrap_or_else(new_seed);
    options.transfers = arguments.run.transfers.into();
    options.bandwidth = arguments.run.bandwidth;

    let monitor = reporter.monitor.clone();
    let summary = reporter.follow(verify(&storage, &options, &monitor), session).await?;
    session.output.record(&Summary::new(&summary, &options, arguments.run.human))?;
    Ok(if summary.faults > 0 { Answer::No } else { Answer::Yes })
}

/// Another one each time, so that samples reach all blobs in the end.
fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

/// The last line.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    blobs: u64,
    hashed: u64,
    hashed_bytes: u64,
    links: u64,
    manifests: u64,
    gone: u64,
    unreferenced: Option<u64>,
    /// Repeats the choice of the blobs; only where not all were read.
    seed: Option<u64>,
    faults: u64,
    #[serde(skip)]
    human: bool,
}

impl Summary {
    fn new(summary: &VerifySummary, options: &VerifyOptions, human: bool) -> Self {
        Summary {
            event: "summary",
            blobs: summary.blobs,
            hashed: summary.hashed,
            hashed_bytes: summary.hashed_bytes,
            links: summary.links,
            manifests: summary.manifests,
            gone: summary.gone,
            unreferenced: summary.unreferenced,
            seed: (options.sample < 1.0).then_some(options.seed),
            faults: summary.faults,
            human,
        }
    }
}

impl Record for Summary {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let size = Size { size: Some(self.hashed_bytes), human: self.human };
        let unit = if self.human { "" } else { " bytes" };
        write!(f, "{} blobs, {} of them read ({size}{unit})", self.blobs, self.hashed)?;
        if let Some(seed) = self.seed {
            write!(f, " with --seed {seed}")?;
        }
        write!(f, "; {} links; {} manifests", self.links, self.manifests)?;
        if let Some(unreferenced) = self.unreferenced {
            write!(f, "; {unreferenced} blobs unreferenced")?;
        }
        if self.gone > 0 {
            write!(f, "; {} gone meanwhile", self.gone)?;
        }
        write!(f, "; {} {}", self.faults, if self.faults == 1 { "fault" } else { "faults" })
    }
}
