//! The tables of `docs/speed.md`, made from the results of a run.
//!
//! A table stands between `<!-- bench:DRIVER -->` and `<!-- /bench -->`. Those of drivers that a run has nothing of stay as
//! they are, so that a page can be brought up to date a driver at a time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::table::ORDER;
use crate::project::{Outcome, Project, read};

/// The page that has the tables, below the root of the repository.
const PAGE: &str = "docs/speed.md";

/// Puts the results of a file into the page.
///
/// # Errors
/// The file or the page cannot be read, or a table of the page has no end.
pub(crate) fn update(project: &Project, results: &Path) -> Outcome {
    let results: Value = serde_json::from_str(&read(results)?)?;
    let rows = results.as_array().ok_or("the results are no array")?;
    let page = project.root.join(PAGE);
    fs::write(&page, refreshed(&read(&page)?, rows)?)?;
    println!("{PAGE}: brought up to date");
    Ok(())
}

fn refreshed(page: &str, rows: &[Value]) -> Outcome<String> {
    let mut fresh = String::with_capacity(page.len());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(fresh, "{line}");
        let driver = line.strip_prefix("<!-- bench:").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(table) = driver.and_then(|driver| table(rows, driver)) else { continue };
        let Some(end) = lines.find(|line| *line == "<!-- /bench -->") else {
            return Err(format!("no `<!-- /bench -->` after `{line}`").into());
        };
        let _ = writeln!(fresh, "\n{table}\n{end}");
    }
    Ok(fresh)
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn nanoseconds(row: &Value) -> Option<f64> {
    row.get("ns_per_op").and_then(Value::as_f64)
}

/// The table of a driver; `None` if the results have nothing of it.
fn table(rows: &[Value], driver: &str) -> Option<String> {
    let rows: Vec<&Value> = rows.iter().filter(|row| text(row, "driver") == driver).collect();
    let subjects: Vec<&str> =
        ORDER.into_iter().filter(|subject| rows.iter().any(|row| text(row, "subject") == *subject)).collect();
    // Beside Distribution, or where it is none of the peers beside the first of them.
    let peer = subjects.iter().copied().find(|subject| *subject != "ours")?;
    let mut workloads: Vec<&str> = Vec::new();
    for row in &rows {
        if !workloads.contains(&text(row, "workload")) {
            workloads.push(text(row, "workload"));
        }
    }
    let mut table = format!("| workload | {} | ours : {peer} |\n", subjects.join(" | "));
    let _ = writeln!(table, "| --- |{}", " ---: |".repeat(subjects.len() + 1));
    for workload in workloads {
        let find = |subject: &str| {
            rows.iter().find(|row| text(row, "workload") == workload && text(row, "subject") == subject)
        };
        let cells: Vec<String> =
            subjects.iter().map(|subject| find(subject).map_or("-".to_owned(), |row| cell(row))).collect();
        let times = |subject| find(subject).and_then(|row| nanoseconds(row)).filter(|time| *time > 0.0);
        let ratio = times(peer).zip(times("ours")).map(|(peer, ours)| format!("{:.2}", peer / ours));
        let _ =
            writeln!(table, "| {workload} | {} | {} |", cells.join(" | "), ratio.as_deref().unwrap_or("-"));
    }
    Some(table)
}

fn cell(row: &Value) -> String {
    let Some(nanoseconds) = nanoseconds(row) else { return "failed".to_owned() };
    let mut cell = time(nanoseconds);
    if text(row, "workload").starts_with("memory-") {
        let peak = row.get("peak_rss_bytes").and_then(Value::as_u64).unwrap_or_default();
        let _ = write!(cell, ", {} MiB", peak >> 20);
    }
    cell
}

/// Three digits and a unit.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        ..1e6 => (nanoseconds / 1e3, "µs"),
        ..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    match value {
        ..10.0 => format!("{value:.2} {unit}"),
        ..100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(driver: &str, workload: &str, subject: &str, nanoseconds: u64) -> Value {
        json!({
            "driver": driver, "workload": workload, "subject": subject, "ns_per_op": nanoseconds, "peak_rss_bytes": 8 << 20,
        })
    }

    #[test]
    fn a_table_is_made_anew_and_the_rest_left_alone() {
        let page =
            "a\n<!-- bench:s3 -->\nold\n<!-- /bench -->\nb\n<!-- bench:ipc -->\nkept\n<!-- /bench -->\n";
        let rows = [
            row("s3", "get", "ours", 250),
            row("s3", "get", "go", 1_000),
            row("s3", "memory-x", "ours", 2_500_000_000),
        ];
        let fresh = refreshed(page, &rows).unwrap();
        let expected = "a\n<!-- bench:s3 -->\n\n| workload | ours | go | ours : go |\n| --- | ---: | ---: | ---: |\n\
                        | get | 250 ns | 1.00 µs | 4.00 |\n| memory-x | 2.50 s, 8 MiB | - | - |\n\n<!-- /bench -->\nb\n\
                        <!-- bench:ipc -->\nkept\n<!-- /bench -->\n";
        assert_eq!(fresh, expected);
        assert_eq!(refreshed(&fresh, &rows).unwrap(), fresh);
        assert!(refreshed("<!-- bench:s3 -->\n", &rows).is_err());
    }

    #[test]
    fn three_digits_tell_a_time() {
        for (nanoseconds, expected) in
            [(7.25, "7.25 ns"), (12_340.0, "12.3 µs"), (999_000.0, "999 µs"), (1.5e9, "1.50 s")]
        {
            assert_eq!(time(nanoseconds), expected);
        }
    }
}
