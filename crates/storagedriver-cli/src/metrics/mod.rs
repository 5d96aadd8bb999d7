//! What a run measures, for Prometheus to read while it goes on.

mod listener;
mod recorder;

pub(crate) use listener::Endpoint;
use recorder::Series;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use storagedriver::observe::describe_metrics;
use storagedriver_cli::transfer::Progress;

use crate::failure::Failure;

/// What a run has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) progress: Progress,
    pub(crate) copied: u64,
    pub(crate) faults: u64,
}

impl Done {
    /// In the text format of Prometheus.
    fn render(&self) -> String {
        let mut text = String::new();
        for (name, help, value) in [
            ("files_total", "Files that the run has looked at", self.progress.files),
            ("read_bytes_total", "Bytes of content that the run has read", self.progress.bytes),
            ("copied_total", "Files that the run has copied", self.copied),
            ("faults_total", "Faults that the run has found", self.faults),
        ] {
            let name = format!("storagedriver_run_{name}");
            // Writing to a string does not fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
        }
        if let Some(fraction) = self.progress.fraction {
            let (name, phase) = ("storagedriver_run_done_ratio", self.progress.phase.as_str());
            let _ = write!(
                text,
                "# HELP {name} How much of the phase is done, 0 to 1\n# TYPE {name} gauge\n\
                 {name}{{phase=\"{phase}\"}} {fraction}\n"
            );
        }
        text
    }
}

/// Has everything measured from now on, and serves it at `address` until the endpoint is dropped.
///
/// # Errors
/// The address cannot be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    done: impl Fn() -> Done + Send + Sync + 'static,
) -> Result<Endpoint, Failure> {
    let failed = |source| Failure::Local { what: format!("serving metrics at {address}"), source };
    let series = Arc::new(Series::default());
    let recorded = series.clone();
    let page = move || recorded.render() + &done().render();
    let endpoint = Endpoint::listen(address, page).await.map_err(failed)?;
    // Only one recorder can be, and this program has no other.
    metrics::set_global_recorder(series).map_err(|error| failed(io::Error::other(error.to_string())))?;
    describe_metrics();
    Ok(endpoint)
}
