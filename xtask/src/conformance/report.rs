//! What the suite found, on every target.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::project::Outcome;

/// The case that stands for a target as a whole: its store is missing, or its tests broke off.
pub(crate) const WHOLE: &str = "(the run)";

/// How one case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Pass,
    Skip,
    Fail,
}

impl Verdict {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "pass" => Some(Verdict::Pass),
            "skip" => Some(Verdict::Skip),
            "fail" => Some(Verdict::Fail),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Skip => "skip",
            Verdict::Fail => "fail",
        }
    }
}

/// One case on one target.
#[derive(Debug, Clone)]
struct Row {
    verdict: Verdict,
    reason: Option<String>,
}

/// Every case on every target.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Driver and server, in the order they ran.
    columns: Vec<(String, String)>,
    /// By case, then by column.
    cases: BTreeMap<String, BTreeMap<usize, Row>>,
}

impl Report {
    /// Begins a column; what is recorded next belongs to it.
    pub(crate) fn begin(&mut self, driver: &str, server: &str) {
        self.columns.push((driver.to_owned(), server.to_owned()));
    }

    /// Records a case. Of two reports of one case on one target, the worse counts.
    pub(crate) fn record(&mut self, case: &str, verdict: Verdict, reason: Option<String>) {
        let column = self.columns.len().saturating_sub(1);
        let row = Row { verdict, reason };
        let rows = self.cases.entry(case.to_owned()).or_default();
        match rows.get(&column) {
            Some(worse) if worse.verdict >= row.verdict => {}
            _ => {
                rows.insert(column, row);
            }
        }
    }

    /// Records what the suite wrote: one object a line, with `driver`, `case`, `outcome` and, where
    /// there is one, `reason`. A driver that could not be opened has no name there: its lines count
    /// too. Returns how many cases of `driver` there were.
    pub(crate) fn record_lines(&mut self, driver: &str, lines: &str) -> Outcome<usize> {
        let mut count = 0;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let row: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {line}"))?;
            let text = |key: &str| row.get(key).and_then(Value::as_str);
            if text("driver").is_some_and(|name| !name.is_empty() && name != driver) {
                continue;
            }
            let case = text("case").ok_or_else(|| format!("no case in {line}"))?;
            let verdict =
                text("outcome").and_then(Verdict::parse).ok_or_else(|| format!("no outcome in {line}"))?;
            let reason = text("reason").filter(|reason| !reason.is_empty()).map(str::to_owned);
            self.record(case, verdict, reason);
            count += 1;
        }
        Ok(count)
    }

    /// A case of the suite that ran on one target and not on another was lost on the way: it fails there. Of a
    /// target without any case, only [`WHOLE`] says why; `name: …` is a driver's own, and no other has it.
    pub(crate) fn require_every_case(&mut self) {
        let of_the_suite = |case: &str| case != WHOLE && !case.contains(": ");
        let cases = || self.cases.iter().filter(|(case, _)| of_the_suite(case));
        let ran: BTreeSet<usize> = cases().flat_map(|(_, rows)| rows.keys().copied()).collect();
        for (_, rows) in self.cases.iter_mut().filter(|(case, _)| of_the_suite(case)) {
            for &column in &ran {
                let reason = || Some("the case was not reported".to_owned());
                rows.entry(column).or_insert_with(|| Row { verdict: Verdict::Fail, reason: reason() });
            }
        }
    }

    /// How many cases ended so.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.cases.values().flat_map(BTreeMap::values).filter(|row| row.verdict == verdict).count()
    }

    /// The array of `report.json`.
    pub(crate) fn json(&self) -> Value {
        let mut rows = Vec::new();
        for (column, (driver, server)) in self.columns.iter().enumerate() {
            for (case, cells) in &self.cases {
                let Some(row) = cells.get(&column) else { continue };
                rows.push(json!({
                    "driver": driver, "server": server, "case": case,
                    "outcome": row.verdict.as_str(), "reason": row.reason,
                }));
            }
        }
        Value::Array(rows)
    }

    /// The table of cases and targets, then what failed and what was skipped, with the reasons.
    pub(crate) fn matrix(&self) -> String {
        let heads: Vec<String> =
            self.columns.iter().map(|(driver, server)| format!("{driver}/{server}")).collect();
        let width = self.cases.keys().map(String::len).max().unwrap_or_default();
        let mut text = format!("{:width$}", "case");
        for head in &heads {
            let _ = write!(text, "  {head}");
        }
        text.push('\n');
        for (case, rows) in &self.cases {
            let _ = write!(text, "{case:width$}");
            for (column, head) in heads.iter().enumerate() {
                let cell = rows.get(&column).map_or("-", |row| match row.verdict {
                    Verdict::Fail => "FAIL",
                    other => other.as_str(),
                });
                let _ = write!(text, "  {cell:0$}", head.len());
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        for verdict in [Verdict::Skip, Verdict::Fail] {
            let mut seen = BTreeSet::new();
            for (case, rows) in &self.cases {
                for (&column, row) in rows.iter().filter(|(_, row)| row.verdict == verdict) {
                    let head = heads.get(column).map(String::as_str).unwrap_or_default();
                    let reason = row.reason.as_deref().unwrap_or("no reason given");
                    if seen.insert((head, case, reason)) {
                        let _ = writeln!(text, "{} {head} {case}: {reason}", verdict.as_str());
                    }
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.begin("a", "x");
        let lines = "{\"driver\":\"a\",\"case\":\"one\",\"outcome\":\"pass\"}\n\
                     {\"driver\":\"other\",\"case\":\"no\",\"outcome\":\"fail\"}\n\
                     {\"driver\":\"a\",\"case\":\"two\",\"outcome\":\"skip\",\"reason\":\"lacks\"}\n";
        assert_eq!(report.record_lines("a", lines).unwrap(), 2);
        report
    }

    #[test]
    fn only_the_drivers_own_rows_count_and_the_worse_of_two() {
        let mut report = report();
        report.record("one", Verdict::Fail, Some("later".to_owned()));
        report.record("one", Verdict::Pass, None);
        assert_eq!(report.count(Verdict::Fail), 1);
        assert_eq!(report.count(Verdict::Pass), 0);
        assert_eq!(report.count(Verdict::Skip), 1);
    }

    #[test]
    fn a_case_lost_on_one_target_fails_there() {
        let mut report = report();
        report.begin("b", "y");
        report.record("one", Verdict::Pass, None);
        report.record("b: its own", Verdict::Pass, None);
        report.begin("c", "z");
        report.record(WHOLE, Verdict::Fail, Some("no such server".to_owned()));
        report.require_every_case();
        assert_eq!(report.count(Verdict::Fail), 2);
        let matrix = report.matrix();
        assert!(matrix.contains("fail b/y two: the case was not reported"), "{matrix}");
        assert!(!matrix.contains("fail c/z one"), "{matrix}");
    }

    #[test]
    fn the_report_has_the_stated_fields() {
        let row = &report().json()[1];
        assert_eq!(
            row,
            &json!({"driver": "a", "server": "x", "case": "two", "outcome": "skip", "reason": "lacks"})
        );
    }

    #[test]
    fn a_driver_that_could_not_be_opened_fails() {
        let mut report = Report::default();
        report.begin("a", "x");
        let line = "{\"driver\":\"\",\"case\":\"one\",\"outcome\":\"fail\",\"reason\":\"opening\"}";
        assert_eq!(report.record_lines("a", line).unwrap(), 1);
        assert_eq!(report.count(Verdict::Fail), 1);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_an_error() {
        let mut report = Report::default();
        report.begin("a", "x");
        for line in ["{", "{\"driver\":\"a\",\"outcome\":\"pass\"}", "{\"driver\":\"a\",\"case\":\"c\"}"] {
            assert!(report.record_lines("a", line).is_err(), "{line}");
        }
    }
}
