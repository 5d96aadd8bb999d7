//! What came out: medians, as a file and for the tables.

use serde_json::{Value, json};

use super::bed::Bed;
use super::measure::Measured;
use super::workloads::Workload;

/// What one run gave.
pub(crate) enum Run {
    Measured(Measured),
    Failed,
}

/// Of one operation of one run.
#[derive(Clone, Copy, Debug)]
struct Sample {
    nanoseconds: f64,
    requests: f64,
    peak_rss: u64,
}

/// The runs of one subject at one workload, or at a part of it.
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) about: String,
    pub(crate) bed: Bed,
    pub(crate) subject: &'static str,
    pub(crate) is_about_memory: bool,
    bytes: u64,
    samples: Vec<Sample>,
    failed: usize,
}

/// Everything that was measured, in order.
#[derive(Default)]
pub(crate) struct Results(Vec<Row>);

impl Results {
    pub(crate) fn add(&mut self, workload: &Workload, subject: &'static str, run: Run) {
        let measured = match run {
            Run::Failed => {
                return self.change(workload, workload.name.to_owned(), subject, |row| row.failed += 1);
            }
            Run::Measured(measured) => measured,
        };
        let whole = (measured.nanoseconds, workload.name.to_owned());
        let parts = measured.laps.iter().map(|(lap, took)| (*took, format!("{}-{lap}", workload.name)));
        let rows = if measured.laps.is_empty() { vec![whole] } else { parts.collect() };
        let operations = measured.operations.max(1) as f64;
        for (nanoseconds, name) in rows {
            let sample = Sample {
                nanoseconds: nanoseconds as f64 / operations,
                requests: measured.requests as f64 / operations,
                peak_rss: measured.peak_rss,
            };
            self.change(workload, name, subject, |row| row.samples.push(sample));
        }
    }

    /// Changes a row, which is a new one if there is none yet.
    fn change(
        &mut self,
        workload: &Workload,
        name: String,
        subject: &'static str,
        change: impl FnOnce(&mut Row),
    ) {
        let is_it =
            |row: &&mut Row| row.bed == workload.bed && row.workload == name && row.subject == subject;
        if let Some(row) = self.0.iter_mut().find(is_it) {
            return change(row);
        }
        let mut row = Row {
            workload: name,
            about: workload.about.clone(),
            bed: workload.bed,
            subject,
            is_about_memory: workload.is_about_memory,
            bytes: workload.bytes,
            samples: Vec::new(),
            failed: 0,
        };
        change(&mut row);
        self.0.push(row);
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The names of the rows of a bed, in order.
    pub(crate) fn workloads(&self, bed: Bed) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.0.iter().filter(|row| row.bed == bed) {
            if !names.contains(&row.workload.as_str()) {
                names.push(&row.workload);
            }
        }
        names
    }

    /// What was worked on, in order.
    pub(crate) fn beds(&self) -> Vec<Bed> {
        let mut beds = Vec::new();
        for row in &self.0 {
            if !beds.contains(&row.bed) {
                beds.push(row.bed);
            }
        }
        beds
    }

    pub(crate) fn find(&self, bed: Bed, workload: &str, subject: &str) -> Option<&Row> {
        self.0.iter().find(|row| row.bed == bed && row.workload == workload && row.subject == subject)
    }

    /// How many times the speed of a peer ours has.
    pub(crate) fn ratio(&self, bed: Bed, workload: &str, peer: &str) -> Option<f64> {
        let nanoseconds = |subject| self.find(bed, workload, subject).and_then(Row::nanoseconds);
        let (ours, peer) = (nanoseconds("ours")?, nanoseconds(peer)?);
        (ours > 0.0).then(|| peer / ours)
    }

    /// The geometric mean of the ratios to a peer, over every row of a bed that both have.
    pub(crate) fn mean(&self, bed: Bed, peer: &str) -> Option<f64> {
        let names = self.workloads(bed);
        // Its commit belongs to a write, and both are in the row that has both.
        let names = names.iter().filter(|name| !name.ends_with("-write"));
        let ratios: Vec<f64> = names.filter_map(|name| self.ratio(bed, name, peer)).collect();
        geometric_mean(&ratios)
    }

    pub(crate) fn failures(&self) -> usize {
        self.0.iter().map(|row| row.failed).sum()
    }

    /// One object for each subject and row. Requests are those of one operation.
    pub(crate) fn json(&self) -> Value {
        let object = |row: &Row| {
            json!({
                "workload": row.workload,
                "driver": row.bed.driver(),
                "subject": row.subject,
                "ns_per_op": row.nanoseconds().map(|value| (value * 10.0).round() / 10.0),
                "bytes_per_op": row.bytes,
                "requests": row.requests(),
                "peak_rss_bytes": row.peak(),
                "runs": row.samples.len(),
                "failed": row.failed,
            })
        };
        self.0.iter().map(object).collect()
    }
}

impl Row {
    /// The median of an operation's time.
    pub(crate) fn nanoseconds(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.nanoseconds))
    }

    pub(crate) fn requests(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.requests))
    }

    /// The worst of all runs, in bytes: a limit is no average.
    pub(crate) fn peak(&self) -> Option<u64> {
        self.samples.iter().map(|sample| sample.peak_rss).max()
    }
}

/// The middle one; of an even number the smaller of the two.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Of none there is none.
fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    Some((sum / values.len() as f64).exp())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::workloads::{Scale, of};
    use super::*;

    pub(crate) fn measured(nanoseconds: u64, operations: u64) -> Measured {
        Measured { nanoseconds, operations, laps: Vec::new(), requests: operations, peak_rss: 10 << 20 }
    }

    /// Adds a run of a workload by its name.
    pub(crate) fn add(results: &mut Results, bed: Bed, name: &str, subject: &'static str, run: Run) {
        let workloads = of(bed, Scale::Full);
        let workload = workloads.iter().find(|workload| workload.name == name).unwrap();
        results.add(workload, subject, run);
    }

    #[test]
    fn time_is_the_median_and_memory_the_worst() {
        let mut results = Results::default();
        for (nanoseconds, mebibytes) in [(900_000_000, 10), (500_000_000, 12), (100_000_000, 11)] {
            let measured = Measured { peak_rss: mebibytes << 20, ..measured(nanoseconds, 500) };
            add(&mut results, Bed::S3, "put", "ours", Run::Measured(measured));
        }
        let json = results.json();
        assert_eq!(json[0]["driver"], "s3");
        assert_eq!(json[0]["ns_per_op"], 1_000_000.0);
        assert_eq!(json[0]["requests"], 1.0);
        assert_eq!(json[0]["bytes_per_op"], 4096);
        assert_eq!(json[0]["peak_rss_bytes"], 12 << 20);
        assert_eq!(json[0]["runs"], 3);
    }

    #[test]
    fn the_middle_is_found() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([].into_iter()), None);
        assert_eq!(geometric_mean(&[]), None);
        let mean = geometric_mean(&[8.0, 2.0]).unwrap();
        assert!((mean - 4.0).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn parts_are_rows_of_their_own() {
        let laps = vec![("read".to_owned(), 30), ("write".to_owned(), 50)];
        let mut results = Results::default();
        let run = Run::Measured(Measured { laps, ..measured(100, 1) });
        add(&mut results, Bed::InMemory, "stream-16m-64k", "ours", run);
        assert_eq!(results.workloads(Bed::InMemory), ["stream-16m-64k-read", "stream-16m-64k-write"]);
        let row = results.find(Bed::InMemory, "stream-16m-64k-read", "ours").unwrap();
        assert_eq!(row.nanoseconds(), Some(30.0));
    }

    #[test]
    fn a_peer_that_takes_twice_as_long_is_half_as_fast() {
        let mut results = Results::default();
        for (name, ours, go) in [("get", 10, 40), ("stat", 10, 10)] {
            add(&mut results, Bed::InMemory, name, "ours", Run::Measured(measured(ours, 1)));
            add(&mut results, Bed::InMemory, name, "go", Run::Measured(measured(go, 1)));
        }
        // Only ours: no part of any mean.
        add(&mut results, Bed::InMemory, "move", "ours", Run::Measured(measured(1, 1)));
        assert_eq!(results.ratio(Bed::InMemory, "get", "go"), Some(4.0));
        assert_eq!(results.ratio(Bed::InMemory, "move", "go"), None);
        let mean = results.mean(Bed::InMemory, "go").unwrap();
        assert!((mean - 2.0).abs() < 1e-9, "{mean}");
        assert_eq!(results.mean(Bed::InMemory, "opendal"), None);
    }

    #[test]
    fn failures_are_counted() {
        let mut results = Results::default();
        add(&mut results, Bed::S3, "upload", "ours", Run::Failed);
        assert_eq!(results.failures(), 1);
        assert_eq!(results.json()[0]["ns_per_op"], Value::Null);
    }
}
