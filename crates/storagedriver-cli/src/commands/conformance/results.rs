//! What the suite found, as figures and as a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use storagedriver::{Guarantee, Registration, Storage};
use storagedriver_testsuites::{CASES, Case, Outcome};

/// How many cases ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Skip(_) => self.skipped += 1,
            // Whatever else there will be has not passed.
            _ => self.failed += 1,
        }
    }

    fn cases(self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

/// What a case is about: the first part of its name.
pub(crate) fn area(case: &Case) -> &'static str {
    case.name.split_once("::").map_or(case.name, |(area, _)| area)
}

/// How each case ended.
pub(crate) struct Results {
    /// In the order of the table of cases.
    areas: Vec<(&'static str, Tally)>,
    /// By the case's place in the table: those that did not pass.
    told: BTreeMap<usize, (&'static Case, Outcome)>,
}

/// The cases of one area.
#[derive(Debug, Serialize)]
struct AreaLine {
    area: &'static str,
    #[serde(flatten)]
    tally: Tally,
}

/// The last line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    event: &'static str,
    driver: &'a str,
    /// `null` for a driver that is a program of its own.
    #[serde(rename = "crate")]
    crate_name: Option<&'static str>,
    version: Option<&'static str>,
    /// The version of this program, which the suite is a part of.
    suite: &'static str,
    scratch: &'a str,
    #[serde(flatten)]
    total: Tally,
    areas: Vec<AreaLine>,
    guarantees: BTreeMap<&'static str, bool>,
}

impl Results {
    /// Nothing yet, of these cases.
    pub(crate) fn new(cases: &[&'static Case]) -> Self {
        let mut areas: Vec<(&'static str, Tally)> = Vec::new();
        for case in cases {
            if areas.last().is_none_or(|(last, _)| *last != area(case)) {
                areas.push((area(case), Tally::default()));
            }
        }
        Results { areas, told: BTreeMap::new() }
    }

    /// Takes in how a case ended.
    pub(crate) fn add(&mut self, case: &'static Case, outcome: Outcome) {
        if let Some((_, tally)) = self.areas.iter_mut().find(|(name, _)| *name == area(case)) {
            tally.add(&outcome);
        }
        if outcome != Outcome::Pass {
            let place = CASES.iter().position(|one| one.name == case.name).unwrap_or(usize::MAX);
            self.told.insert(place, (case, outcome));
        }
    }

    pub(crate) fn total(&self) -> Tally {
        self.areas.iter().fold(Tally::default(), |sum, (_, tally)| Tally {
            passed: sum.passed + tally.passed,
            failed: sum.failed + tally.failed,
            skipped: sum.skipped + tally.skipped,
        })
    }

    /// The figures. `linked`: the driver, unless it is a program of its own.
    pub(crate) fn summary<'a>(
        &self,
        storage: &'a Storage,
        linked: Option<Registration>,
        scratch: &'a str,
    ) -> Summary<'a> {
        let guarantees = storage.guarantees();
        Summary {
            event: "summary",
            driver: storage.name(),
            crate_name: linked.as_ref().map(|driver| driver.crate_name),
            version: linked.map(|driver| driver.crate_version),
            suite: env!("CARGO_PKG_VERSION"),
            scratch,
            total: self.total(),
            areas: self.areas.iter().map(|&(area, tally)| AreaLine { area, tally }).collect(),
            guarantees: Guarantee::ALL.iter().map(|&one| (one.as_str(), guarantees.has(one))).collect(),
        }
    }

    /// The same as a piece of a page, in Markdown.
    pub(crate) fn page(&self, summary: &Summary<'_>) -> String {
        let mut page = format!("## Conformance of `{}`\n\n", summary.driver);
        let Tally { passed, failed, skipped } = summary.total;
        let driver = match (summary.crate_name, summary.version) {
            (Some(name), Some(version)) => format!("{name} {version}"),
            _ => "a program of its own".to_owned(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "The driver is {driver}, the suite that of storagedriver {}. {} cases: {passed} passed, {failed} failed, \
             {skipped} skipped.\n\n\
             | Area | Cases | Passed | Failed | Skipped |\n| --- | ---: | ---: | ---: | ---: |",
            summary.suite,
            summary.total.cases(),
        );
        let all = AreaLine { area: "all", tally: summary.total };
        for AreaLine { area, tally } in summary.areas.iter().chain([&all]) {
            let Tally { passed, failed, skipped } = tally;
            let _ = writeln!(page, "| {area} | {} | {passed} | {failed} | {skipped} |", tally.cases());
        }
        page.push_str("\n| Guarantee | Kept | |\n| --- | --- | --- |\n");
        for guarantee in Guarantee::ALL {
            let kept = summary.guarantees.get(guarantee.as_str()) == Some(&true);
            let kept = if kept { "yes" } else { "no" };
            let _ = writeln!(page, "| `{guarantee}` | {kept} | {} |", guarantee.sentence());
        }
        self.reasons(&mut page, "Failed", |outcome| !matches!(outcome, Outcome::Skip(_)));
        self.reasons(&mut page, "Skipped", |outcome| matches!(outcome, Outcome::Skip(_)));
        page.truncate(page.trim_end().len());
        page
    }

    fn reasons(&self, page: &mut String, title: &str, of: impl Fn(&Outcome) -> bool) {
        let told: Vec<_> = self.told.values().filter(|(_, outcome)| of(outcome)).collect();
        if told.is_empty() {
            return;
        }
        let _ = writeln!(page, "\n{title}:\n");
        for (case, outcome) in told {
            // A reason of several lines stays one item of the list.
            let reason = outcome.reason().split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(page, "- `{}`: {reason}", case.name);
        }
    }
}
