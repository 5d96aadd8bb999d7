//! What is aimed at, as data, and what of it a run reached.

use std::fmt::Write as _;

use super::bed::Bed;
use super::results::Results;

/// The most memory that a stream of any size may take, in bytes.
const MOST_MEMORY: u64 = 64 << 20;

/// Which rows a goal is about.
#[derive(Clone, Copy)]
enum Rows {
    /// Those that begin with one of these.
    Beginning(&'static [&'static str]),
    /// Those that end with one of these.
    Ending(&'static [&'static str]),
    All,
}

impl Rows {
    fn take(self, name: &str) -> bool {
        match self {
            Rows::Beginning(words) => words.iter().any(|word| name.starts_with(word)),
            Rows::Ending(words) => words.iter().any(|word| name.ends_with(word)),
            Rows::All => true,
        }
    }
}

/// How ours has to compare with a peer.
#[derive(Clone, Copy)]
enum Aim {
    /// So many times its speed, on each row.
    Each(Rows, f64),
    /// In the geometric mean of all rows.
    Mean(f64),
}

/// A goal: what about, of which drivers, beside whom.
struct Goal {
    about: &'static str,
    /// The beginning of the drivers' names.
    driver: &'static str,
    peer: &'static str,
    aim: Aim,
}

const fn goal(about: &'static str, driver: &'static str, peer: &'static str, aim: Aim) -> Goal {
    Goal { about, driver, peer, aim }
}

const WRITTEN_AND_READ: Rows = Rows::Ending(&["-write-commit", "-read", "-copy"]);

const GOALS: &[Goal] = &[
    goal("every row", "inmemory", "go", Aim::Each(Rows::All, 5.0)),
    goal("get and stat", "filesystem-ext4", "go", Aim::Each(Rows::Beginning(&["get", "stat"]), 3.0)),
    goal("get and stat", "filesystem-tmpfs", "go", Aim::Each(Rows::Beginning(&["get", "stat"]), 3.0)),
    goal("walk", "filesystem-ext4", "go", Aim::Each(Rows::Beginning(&["walk"]), 4.0)),
    goal("walk", "filesystem-tmpfs", "go", Aim::Each(Rows::Beginning(&["walk"]), 4.0)),
    goal("list", "filesystem-ext4", "go", Aim::Each(Rows::Beginning(&["list"]), 2.0)),
    goal("list", "filesystem-tmpfs", "go", Aim::Each(Rows::Beginning(&["list"]), 2.0)),
    goal("put, full durability", "filesystem-ext4", "go", Aim::Each(Rows::Beginning(&["put"]), 1.0)),
    goal("put, full durability", "filesystem-tmpfs", "go", Aim::Each(Rows::Beginning(&["put"]), 1.3)),
    goal("stream, write + commit and read", "filesystem-ext4", "go", Aim::Each(WRITTEN_AND_READ, 1.0)),
    goal("stream, write + commit and read", "filesystem-tmpfs", "go", Aim::Each(WRITTEN_AND_READ, 1.0)),
    goal("mean", "inmemory", "opendal", Aim::Mean(1.0)),
    goal("mean", "inmemory", "object_store", Aim::Mean(1.0)),
    goal("mean", "filesystem-ext4", "opendal", Aim::Mean(1.0)),
    goal("mean", "filesystem-tmpfs", "opendal", Aim::Mean(1.0)),
    goal("mean, full durability", "filesystem-ext4", "object_store", Aim::Mean(1.0)),
    goal("mean, full durability", "filesystem-tmpfs", "object_store", Aim::Mean(1.0)),
    goal("mean, durability none", "filesystem-ext4-none", "object_store", Aim::Mean(1.0)),
    goal("mean, durability none", "filesystem-tmpfs-none", "object_store", Aim::Mean(1.0)),
];

/// What a goal came to.
#[derive(Debug, PartialEq)]
enum Verdict {
    Reached(String),
    Missed(String),
    /// Nothing of it was measured.
    Unknown,
}

/// A table of Markdown: each goal that something was measured for, and whether it is reached.
pub(crate) fn table(results: &Results) -> String {
    let mut lines = String::new();
    for goal in GOALS {
        let beside = format!("{}: {}, beside {}", goal.driver, goal.about, goal.peer);
        line(&mut lines, &beside, &goal.least(), goal.verdict(results));
    }
    let most = format!("at most {} MiB", MOST_MEMORY >> 20);
    line(&mut lines, "memory of a large stream", &most, memory(results));
    if lines.is_empty() {
        return lines;
    }
    format!("| goal | aimed at | measured | |\n| --- | --- | --- | --- |\n{lines}")
}

fn line(lines: &mut String, about: &str, aim: &str, verdict: Verdict) {
    let (measured, word) = match verdict {
        Verdict::Reached(measured) => (measured, "reached"),
        Verdict::Missed(measured) => (measured, "not reached"),
        Verdict::Unknown => return,
    };
    let _ = writeln!(lines, "| {about} | {aim} | {measured} | {word} |");
}

impl Goal {
    fn least(&self) -> String {
        match self.aim {
            Aim::Each(_, least) => format!("{least} times on each"),
            Aim::Mean(least) => format!("{least} times"),
        }
    }

    fn verdict(&self, results: &Results) -> Verdict {
        let bed = results.beds().into_iter().find(|bed| bed.driver() == self.driver);
        let Some(bed) = bed else { return Verdict::Unknown };
        match self.aim {
            Aim::Each(rows, least) => self.each(results, bed, rows, least),
            Aim::Mean(least) => match results.mean(bed, self.peer) {
                Some(mean) if mean >= least => Verdict::Reached(format!("{mean:.2}")),
                Some(mean) => Verdict::Missed(format!("{mean:.2}")),
                None => Verdict::Unknown,
            },
        }
    }

    fn each(&self, results: &Results, bed: Bed, rows: Rows, least: f64) -> Verdict {
        let names = results.workloads(bed).into_iter().filter(|name| rows.take(name));
        let ratios = names.filter_map(|name| Some((name, results.ratio(bed, name, self.peer)?)));
        let ratios: Vec<(&str, f64)> = ratios.filter(|(name, _)| !name.starts_with("memory")).collect();
        let text = |ratios: &[(&str, f64)]| {
            let cells = ratios.iter().map(|(name, ratio)| format!("{name} {ratio:.2}"));
            cells.collect::<Vec<_>>().join(", ")
        };
        let missed: Vec<(&str, f64)> = ratios.iter().copied().filter(|(_, ratio)| *ratio < least).collect();
        if !missed.is_empty() {
            return Verdict::Missed(format!("{} of {}: {}", missed.len(), ratios.len(), text(&missed)));
        }
        match ratios.iter().min_by(|left, right| left.1.total_cmp(&right.1)) {
            Some(worst) => Verdict::Reached(format!("at least: {}", text(&[*worst]))),
            None => Verdict::Unknown,
        }
    }
}

/// Ours, at the rows that are about memory.
fn memory(results: &Results) -> Verdict {
    let rows = results.rows().iter().filter(|row| row.is_about_memory && row.subject == "ours");
    let peaks: Vec<(&str, u64)> = rows.filter_map(|row| Some((row.workload.as_str(), row.peak()?))).collect();
    if peaks.is_empty() {
        return Verdict::Unknown;
    }
    let text = peaks.iter().map(|(name, peak)| format!("{name} {} MiB", peak >> 20));
    let text = text.collect::<Vec<_>>().join(", ");
    if peaks.iter().all(|(_, peak)| *peak <= MOST_MEMORY) {
        Verdict::Reached(text)
    } else {
        Verdict::Missed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measured;
    use super::super::results::Run;
    use super::super::results::tests::{add, measured};
    use super::*;

    const DISK: Bed = Bed::Files { file_system: "ext4", is_durable: true };

    fn run(results: &mut Results, bed: Bed, name: &str, subject: &'static str, nanoseconds: u64) {
        add(results, bed, name, subject, Run::Measured(measured(nanoseconds, 1)));
    }

    #[test]
    fn a_goal_is_missed_by_one_row() {
        let mut results = Results::default();
        for (name, go) in [("get", 900), ("get-32", 200), ("stat", 299), ("walk-20k", 1)] {
            run(&mut results, DISK, name, "ours", 100);
            run(&mut results, DISK, name, "go", go);
        }
        let table = table(&results);
        let expected = "| filesystem-ext4: get and stat, beside go | 3 times on each | 2 of 3: get-32 2.00, \
                        stat 2.99 | not reached |";
        assert!(table.contains(expected), "{table}");
    }

    #[test]
    fn a_goal_is_reached_by_every_row() {
        let mut results = Results::default();
        for (name, go) in [("list-1k", 250), ("list-10k", 200)] {
            run(&mut results, DISK, name, "ours", 100);
            run(&mut results, DISK, name, "go", go);
        }
        let table = table(&results);
        assert!(table.contains("| 2 times on each | at least: list-10k 2.00 | reached |"), "{table}");
        assert!(!table.contains("walk"), "what was not measured is not shown: {table}");
    }

    #[test]
    fn a_mean_is_beside_its_own_peer() {
        let mut results = Results::default();
        for (subject, nanoseconds) in [("ours", 100), ("opendal", 90), ("object_store", 110)] {
            run(&mut results, Bed::InMemory, "get", subject, nanoseconds);
        }
        let table = table(&results);
        assert!(table.contains("beside opendal | 1 times | 0.90 | not reached |"), "{table}");
        assert!(table.contains("beside object_store | 1 times | 1.10 | reached |"), "{table}");
    }

    #[test]
    fn memory_is_that_of_ours() {
        let mut results = Results::default();
        for (subject, mebibytes) in [("ours", 64_u64), ("go", 900)] {
            let measured = Measured { peak_rss: mebibytes << 20, ..measured(1, 1) };
            add(&mut results, DISK, "memory-read", subject, Run::Measured(measured));
        }
        assert!(table(&results).contains("| at most 64 MiB | memory-read 64 MiB | reached |"));
        let measured = Measured { peak_rss: (64 << 20) + 1, ..measured(1, 1) };
        add(&mut results, DISK, "memory-write", "ours", Run::Measured(measured));
        assert!(table(&results).contains("memory-write 64 MiB | not reached |"));
    }

    #[test]
    fn nothing_measured_has_no_goals() {
        assert_eq!(table(&Results::default()), "");
    }
}
