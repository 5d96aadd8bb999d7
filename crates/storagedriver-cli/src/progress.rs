//! How far a command is, on a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use storagedriver_cli::transfer::Progress;

use crate::arguments::Global;
use crate::format::HumanSize;

/// A line on standard error; nothing if that is no terminal or nothing was asked for.
fn bar(global: &Global, total: Option<u64>) -> Option<ProgressBar> {
    if global.quiet || !io::stderr().is_terminal() {
        return None;
    }
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.enable_steady_tick(Duration::from_millis(250));
    Some(bar)
}

/// The templates are constant; were one wrong, the plain style shows.
fn set_template(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// Bytes, files or cases done, rate and time left.
pub(crate) struct Meter(Option<ProgressBar>);

impl Meter {
    /// A meter of bytes, out of `total` where that is known.
    pub(crate) fn bytes(global: &Global, total: Option<u64>) -> Self {
        let bar = bar(global, total);
        if let Some(bar) = &bar {
            set_template(
                bar,
                match total {
                    Some(_) => "{bytes} of {total_bytes} [{wide_bar}] {binary_bytes_per_sec}, {eta} left",
                    None => "{bytes}, {binary_bytes_per_sec}, {elapsed}",
                },
            );
        }
        Meter(bar)
    }

    /// A meter of files, however many there are.
    pub(crate) fn files(global: &Global) -> Self {
        let bar = bar(global, None);
        if let Some(bar) = &bar {
            set_template(bar, "{human_pos} files, {per_sec}, {elapsed}");
        }
        Meter(bar)
    }

    /// A meter of cases.
    #[cfg(feature = "conformance")]
    pub(crate) fn cases(global: &Global, total: usize) -> Self {
        let bar = bar(global, u64::try_from(total).ok());
        if let Some(bar) = &bar {
            set_template(bar, "{pos} of {len} cases [{wide_bar}] {elapsed}");
        }
        Meter(bar)
    }

    /// Runs `print` while no progress is in the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// So many bytes or files more are done.
    pub(crate) fn add(&self, more: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(more);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Files and bytes done, rate, and time left where the run knows how far it is.
pub(crate) struct RunMeter {
    bar: Option<ProgressBar>,
    started: Instant,
}

/// How finely the bar shows a fraction.
const STEPS: f64 = 10_000.0;

impl RunMeter {
    pub(crate) fn new(global: &Global) -> Self {
        let bar = bar(global, Some(STEPS as u64));
        if let Some(bar) = &bar {
            set_template(bar, "{msg}");
        }
        RunMeter { bar, started: Instant::now() }
    }

    /// Shows how far the run is.
    pub(crate) fn show(&self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let elapsed = self.started.elapsed();
        let rate = progress.bytes as f64 / elapsed.as_secs_f64().max(0.001);
        let (phase, files) = (progress.phase.as_str(), progress.files);
        let (bytes, rate) = (HumanSize(progress.bytes), HumanSize(rate as u64));
        match progress.fraction {
            Some(fraction) => {
                set_template(bar, "{msg} [{wide_bar}]{prefix}");
                bar.set_position((fraction * STEPS) as u64);
                bar.set_prefix(time_left(elapsed, fraction));
            }
            None => set_template(bar, "{msg}"),
        }
        bar.set_message(format!("{phase}: {files} files, {bytes}, {rate}/s"));
    }

    /// Runs `print` while no progress is in the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for RunMeter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is left if it goes on as it did; nothing while too little is done to say.
fn time_left(elapsed: Duration, fraction: f64) -> String {
    if elapsed < Duration::from_secs(2) || fraction < 0.005 {
        return String::new();
    }
    let seconds = (elapsed.as_secs_f64() * (1.0 / fraction - 1.0)) as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        format!(" {hours} h {minutes} min left")
    } else {
        format!(" {minutes} min {} s left", seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_goes_by_what_is_done() {
        assert_eq!(time_left(Duration::from_secs(60), 0.5), " 1 min 0 s left");
        assert_eq!(time_left(Duration::from_secs(60), 1.0), " 0 min 0 s left");
        assert_eq!(time_left(Duration::from_secs(600), 0.05), " 3 h 10 min left");
        assert_eq!(time_left(Duration::from_secs(600), 0.0), "");
    }
}
