//! How far a command is, on a terminal.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Global;

/// Bytes done, rate and time left on standard error; nothing if that is no terminal or nothing was
/// asked for.
pub(crate) struct Meter(Option<ProgressBar>);

const WITH_TOTAL: &str = "{msg} {bytes} of {total_bytes} [{wide_bar}] {binary_bytes_per_sec}, {eta} left";
const WITHOUT_TOTAL: &str = "{msg} {bytes}, {binary_bytes_per_sec}, {elapsed}";

impl Meter {
    /// A meter of bytes, out of `total` where that is known.
    pub(crate) fn bytes(global: &Global, total: Option<u64>) -> Self {
        if global.quiet || !io::stderr().is_terminal() {
            return Meter(None);
        }
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), WITH_TOTAL),
            None => (ProgressBar::new_spinner(), WITHOUT_TOTAL),
        };
        // The templates are constant; were one wrong, the plain style shows.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Meter(Some(bar))
    }

    /// So many bytes more are done.
    pub(crate) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }

    /// Removes the line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.finish();
    }
}
