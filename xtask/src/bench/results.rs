//! What came out: medians, as a file and as a table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::measure::Measured;
use super::workloads::{Bed, Workload};

/// What one run gave.
pub(crate) enum Row {
    Measured(Measured),
    Failed,
}

/// The runs of one subject at one workload.
struct Runs {
    workload: &'static str,
    about: String,
    bed: Bed,
    subject: &'static str,
    count: u64,
    bytes: u64,
    measured: Vec<Measured>,
    failed: usize,
}

/// Everything that was measured, in order.
#[derive(Default)]
pub(crate) struct Results(Vec<Runs>);

impl Results {
    pub(crate) fn add(&mut self, workload: &Workload, subject: &'static str, row: Row) {
        let is_it = |runs: &&mut Runs| runs.workload == workload.name && runs.subject == subject;
        let position = self.0.iter_mut().find(is_it);
        let runs = match position {
            Some(runs) => runs,
            None => {
                self.0.push(Runs {
                    workload: workload.name,
                    about: workload.about.clone(),
                    bed: workload.bed,
                    subject,
                    count: workload.step.count,
                    bytes: workload.bytes,
                    measured: Vec::new(),
                    failed: 0,
                });
                let Some(last) = self.0.last_mut() else { return };
                last
            }
        };
        match row {
            Row::Measured(measured) => runs.measured.push(measured),
            Row::Failed => runs.failed += 1,
        }
    }

    pub(crate) fn failures(&self) -> usize {
        self.0.iter().map(|runs| runs.failed).sum()
    }

    /// One object for each subject and workload. Requests are those of one operation.
    pub(crate) fn json(&self) -> Value {
        let object = |runs: &Runs| {
            json!({
                "workload": runs.workload,
                "driver": runs.bed.driver(),
                "subject": runs.subject,
                "ns_per_op": runs.nanoseconds(),
                "bytes_per_op": runs.bytes,
                "requests": runs.requests(),
                "peak_rss_bytes": runs.peak(),
                "runs": runs.measured.len(),
                "failed": runs.failed,
            })
        };
        self.0.iter().map(object).collect()
    }

    /// A table of Markdown for each of what was worked on: for each row and subject the time, the requests and the
    /// memory, and how many times the speed of its peer ours has.
    pub(crate) fn table(&self) -> String {
        let tables: Vec<String> = Bed::ALL.into_iter().filter_map(|bed| self.table_of(bed)).collect();
        tables.join("\n")
    }

    fn table_of(&self, bed: Bed) -> Option<String> {
        let mut subjects: Vec<&str> = Vec::new();
        let mut workloads: Vec<(&str, &str)> = Vec::new();
        for runs in self.0.iter().filter(|runs| runs.bed == bed) {
            if !subjects.contains(&runs.subject) {
                subjects.push(runs.subject);
            }
            if !workloads.contains(&(runs.workload, &runs.about)) {
                workloads.push((runs.workload, &runs.about));
            }
        }
        if workloads.is_empty() {
            return None;
        }
        // Rounds begin with different subjects, and one may be left out.
        subjects.sort_by_key(|subject| ORDER.iter().position(|name| name == subject));
        let mut text = format!("| workload | {} | ours : {} |\n", subjects.join(" | "), bed.peer());
        let _ = writeln!(text, "| --- |{} ---: |", " ---: |".repeat(subjects.len()));
        for (workload, about) in workloads {
            let find = |subject: &str| {
                self.0.iter().find(|runs| runs.workload == workload && runs.subject == subject)
            };
            let cells: Vec<String> =
                subjects.iter().map(|subject| find(subject).map_or("-".to_owned(), Runs::cell)).collect();
            let peer = find(bed.peer()).and_then(Runs::nanoseconds);
            let ratio = match (find("ours").and_then(Runs::nanoseconds), peer) {
                (Some(ours), Some(peer)) if ours > 0 => format!("{:.2}", peer as f64 / ours as f64),
                _ => "-".to_owned(),
            };
            let _ = writeln!(text, "| {workload}: {about} | {} | {ratio} |", cells.join(" | "));
        }
        Some(text)
    }
}

/// The subjects as the tables have them.
const ORDER: [&str; 6] = ["ours", "go", "opendal", "object_store", "in-process", "echo"];

impl Runs {
    /// The median of an operation's time.
    fn nanoseconds(&self) -> Option<u64> {
        self.median(|measured| measured.nanoseconds).map(|total| total / self.count.max(1))
    }

    fn requests(&self) -> Option<f64> {
        self.median(|measured| measured.requests).map(|total| total as f64 / self.count.max(1) as f64)
    }

    /// The worst of all runs: a limit is no average.
    fn peak(&self) -> Option<u64> {
        self.measured.iter().map(|measured| measured.peak_rss).max()
    }

    fn median(&self, of: impl Fn(&Measured) -> u64) -> Option<u64> {
        let mut values: Vec<u64> = self.measured.iter().map(of).collect();
        values.sort_unstable();
        values.get(values.len().checked_sub(1)? / 2).copied()
    }

    fn cell(&self) -> String {
        let (Some(nanoseconds), Some(requests), Some(peak)) =
            (self.nanoseconds(), self.requests(), self.peak())
        else {
            return "failed".to_owned();
        };
        if self.bed == Bed::Ipc {
            return format!("{}, {} MiB", time(nanoseconds), peak >> 20);
        }
        let requests = if requests.fract() == 0.0 { format!("{requests}") } else { format!("{requests:.2}") };
        format!("{}, {requests} rq, {} MiB", time(nanoseconds), peak >> 20)
    }
}

fn time(nanoseconds: u64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    if seconds >= 0.1 { format!("{seconds:.2} s") } else { format!("{:.3} ms", seconds * 1e3) }
}

#[cfg(test)]
mod tests {
    use super::super::workloads::{Scale, all};
    use super::*;

    fn results() -> Results {
        let workloads = all(Scale::Full);
        let put = workloads.iter().find(|workload| workload.name == "put").unwrap();
        let upload = workloads.iter().find(|workload| workload.name == "upload").unwrap();
        let of = |nanoseconds, requests, mebibytes: u64| {
            Row::Measured(Measured { nanoseconds, requests, peak_rss: mebibytes << 20 })
        };
        let mut results = Results::default();
        results.add(put, "go", of(1_500_000_000, 500, 40));
        for (nanoseconds, mebibytes) in [(900_000_000, 10), (500_000_000, 12), (100_000_000, 11)] {
            results.add(put, "ours", of(nanoseconds, 500, mebibytes));
        }
        results.add(upload, "ours", Row::Failed);
        results
    }

    #[test]
    fn time_is_the_median_and_memory_the_worst() {
        let json = results().json();
        let ours = json.as_array().unwrap().iter().find(|row| row["subject"] == "ours").unwrap();
        assert_eq!(ours["ns_per_op"], 1_000_000);
        assert_eq!(ours["requests"], 1.0);
        assert_eq!(ours["bytes_per_op"], 4096);
        assert_eq!(ours["peak_rss_bytes"], 12 << 20);
        assert_eq!(ours["runs"], 3);
    }

    #[test]
    fn a_failure_is_shown_and_counted() {
        let results = results();
        assert_eq!(results.failures(), 1);
        let table = results.table();
        assert!(table.starts_with("| workload | ours | go | ours : go |\n"), "{table}");
        assert!(table.contains("| 1.000 ms, 1 rq, 12 MiB | 3.000 ms, 1 rq, 40 MiB | 3.00 |"), "{table}");
        assert!(table.contains("| failed | - | - |"), "{table}");
    }
}
