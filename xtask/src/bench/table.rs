//! What came out, for people: Markdown.

use std::fmt::Write as _;

use super::bed::Bed;
use super::results::{Results, Row};

/// The subjects as the tables have them.
pub(super) const ORDER: [&str; 7] = ["ours", "go", "opendal", "object_store", "raw", "in-process", "echo"];

/// A table for each of what was worked on: for each row and subject the time, and where they were measured the requests
/// and the memory, and how many times the speed of each peer ours has.
pub(crate) fn all(results: &Results) -> String {
    let tables: Vec<String> = results.beds().into_iter().map(|bed| of(results, bed)).collect();
    tables.join("\n")
}

fn of(results: &Results, bed: Bed) -> String {
    let is_there =
        |subject: &&str| results.rows().iter().any(|row| row.bed == bed && row.subject == *subject);
    let subjects: Vec<&str> = ORDER.into_iter().filter(is_there).collect();
    let peers: Vec<&str> = bed.peers().iter().copied().filter(|peer| subjects.contains(peer)).collect();
    let ratios = |mean: &dyn Fn(&str) -> Option<f64>| -> String {
        let cell = |peer: &&str| mean(peer).map_or(" - |".to_owned(), |ratio| format!(" {ratio:.2} |"));
        peers.iter().map(cell).collect()
    };
    let heads: String = peers.iter().map(|peer| format!(" ours : {peer} |")).collect();
    let mut text = format!("{}:\n\n", bed.driver());
    let _ = writeln!(text, "| workload | {} |{heads}", subjects.join(" | "));
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(subjects.len() + peers.len()));
    for workload in results.workloads(bed) {
        let rows = subjects.iter().map(|subject| results.find(bed, workload, subject));
        let cells: Vec<String> = rows.clone().map(|row| row.map_or("-".to_owned(), cell)).collect();
        let about = rows.flatten().next().map_or("", |row| &row.about);
        let ratios = ratios(&|peer| results.ratio(bed, workload, peer));
        let _ = writeln!(text, "| {workload}: {about} | {} |{ratios}", cells.join(" | "));
    }
    if bed.is_local() {
        let ratios = ratios(&|peer| results.mean(bed, peer));
        let _ = writeln!(text, "| geometric mean |{}{ratios}", " |".repeat(subjects.len()));
    }
    text
}

fn cell(row: &Row) -> String {
    let (Some(nanoseconds), Some(requests), Some(peak)) = (row.nanoseconds(), row.requests(), row.peak())
    else {
        return "failed".to_owned();
    };
    let mut text = time(nanoseconds);
    if row.bed.counts_requests() {
        let digits = if requests.fract() == 0.0 { 0 } else { 2 };
        let _ = write!(text, ", {requests:.digits$} rq");
    }
    if !row.bed.is_local() || row.is_about_memory {
        let _ = write!(text, ", {} MiB", peak >> 20);
    }
    text
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e4 => format!("{:.2} us", nanoseconds / 1e3),
        ..1e6 => format!("{:.1} us", nanoseconds / 1e3),
        ..1e8 => format!("{:.2} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measured;
    use super::super::results::Run;
    use super::super::results::tests::{add, measured};
    use super::*;

    #[test]
    fn a_server_has_requests_and_memory() {
        let mut results = Results::default();
        for (subject, nanoseconds) in [("go", 1_500_000_000), ("ours", 500_000_000)] {
            add(&mut results, Bed::S3, "put", subject, Run::Measured(measured(nanoseconds, 500)));
        }
        add(&mut results, Bed::S3, "upload", "ours", Run::Failed);
        let table = all(&results);
        assert!(
            table.contains("| workload | ours | go | ours : go |\n| --- | ---: | ---: | ---: |\n"),
            "{table}"
        );
        assert!(table.contains("| 1.00 ms, 1 rq, 10 MiB | 3.00 ms, 1 rq, 10 MiB | 3.00 |"), "{table}");
        assert!(table.contains("| failed | - | - |"), "{table}");
        assert!(!table.contains("geometric"), "{table}");
    }

    #[test]
    fn memory_has_times_and_a_mean() {
        let mut results = Results::default();
        for (subject, nanoseconds) in [("ours", 100), ("go", 1_000), ("opendal", 200)] {
            add(&mut results, Bed::InMemory, "get", subject, Run::Measured(measured(nanoseconds, 1)));
        }
        let table = all(&results);
        assert!(table.contains("| 0.10 us | 1.00 us | 0.20 us | 10.00 | 2.00 |"), "{table}");
        assert!(table.contains("| geometric mean | | | | 10.00 | 2.00 |"), "{table}");
    }

    #[test]
    fn rows_about_memory_show_it() {
        let mut results = Results::default();
        let bed = Bed::Files { file_system: "ext4", is_durable: true };
        let run = Run::Measured(Measured { peak_rss: 7 << 20, ..measured(3_000_000_000, 1) });
        add(&mut results, bed, "memory-read", "ours", run);
        assert!(all(&results).contains("| 3.00 s, 7 MiB |"));
    }
}
