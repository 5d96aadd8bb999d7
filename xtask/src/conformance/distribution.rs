//! The module that puts our executables into Distribution: Distribution's own suite through it, and the
//! life of a registry that was built with it. Each test is a case of the report.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::Value;

use super::STORAGE_VARIABLE;
use super::go::{formatted, go};
use super::report::{Report, Verdict, WHOLE};
use crate::project::{self, Outcome, Project};
use crate::servers;

/// Where the module lies.
const PLACE: &str = "kits/distribution";

/// What it is called on the command line and in the report.
pub(crate) const NAME: &str = "distribution";

/// What the column of its tests with drivers is called, and that of those without.
const SERVER: &str = "files and ceph, a registry";
const OWN: &str = "module, its own tests";

/// The drivers whose executables the tests use.
const DRIVERS: [&str; 3] = ["inmemory", "filesystem", "s3"];

/// What the names of the tests begin with that need drivers.
const PREFIX: &str = "TestConformance";

/// Of a case that failed, so many lines of what it wrote are told.
const TOLD_LINES: usize = 40;

/// Runs them all; what cannot be had fails.
pub(crate) fn run(project: &Project, report: &mut Report) {
    report.begin(NAME, OWN);
    for (case, outcome) in [
        ("module: gofmt", formatted(project, PLACE)),
        ("module: go vet", project::run(&mut go(project, PLACE, &["vet", "-tags", "conformance", "./..."]))),
        // The race detector is C.
        (
            "module: its own tests",
            project::run(
                go(project, PLACE, &["test", "-race", "-timeout", "300s", "./..."]).env("CGO_ENABLED", "1"),
            ),
        ),
    ] {
        match outcome {
            Ok(()) => report.record(case, Verdict::Pass, None),
            Err(error) => report.record(case, Verdict::Fail, Some(error.to_string())),
        }
    }
    report.begin(NAME, SERVER);
    match with_drivers(project) {
        Ok(tests) => record(&tests, report),
        Err(error) => report.record(WHOLE, Verdict::Fail, Some(error.to_string())),
    }
}

/// What the tests wrote that need drivers, a registry and Ceph: lines of JSON.
fn with_drivers(project: &Project) -> Outcome<String> {
    let mut build = project.cargo();
    build.arg("build");
    for driver in DRIVERS {
        let package = format!("storagedriver-{driver}");
        build.args(["--features", &format!("{package}/executable"), "--package", &package]);
        build.args(["--bin", &format!("registry-storage-{driver}")]);
    }
    project::run(&mut build)?;
    let registry = project.target.join("conformance/distribution/registry");
    project::run(go(project, PLACE, &["build", "-o"]).arg(&registry).arg("./cmd/registry"))?;
    let client = servers::client(project)?;
    let ceph = servers::CEPH.start(project)?;

    // The short form of Distribution's suite: the long one writes 5 GiB to each store.
    let mut tests =
        go(project, PLACE, &["test", "-tags", "conformance", "-short", "-count=1", "-timeout", "600s"]);
    tests.args(["-json", "-run", PREFIX]).stdout(Stdio::piped());
    tests.env(STORAGE_VARIABLE, ceph.storage.to_string());
    tests.env("STORAGEDRIVER_TEST_DRIVERS", project.target.join("debug"));
    tests.env("STORAGEDRIVER_TEST_REGISTRY", registry);
    tests.env("STORAGEDRIVER_TEST_CLIENT", client);
    tests.env("STORAGEDRIVER_TEST_TREE", project.root.join("testdata/registry"));
    eprintln!("+ go test -tags conformance");
    let ended = tests.spawn()?.wait_with_output()?;
    // Whether they passed stands in the lines.
    Ok(String::from_utf8(ended.stdout)?)
}

/// Records each test, and of Distribution's suite each driver.
fn record(lines: &str, report: &mut Report) {
    let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut whole = (Verdict::Fail, "the tests broke off".to_owned());
    for line in lines.lines() {
        // What the compiler says is no JSON.
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            eprintln!("{line}");
            continue;
        };
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let test = text("Test");
        let case = test.split('/').take(2).collect::<Vec<_>>().join("/");
        match text("Action") {
            "output" => written.entry(case).or_default().push(text("Output").trim_end().to_owned()),
            "build-output" => eprint!("{}", text("Output")),
            "pass" if test.is_empty() => whole = (Verdict::Pass, String::new()),
            "fail" if test.is_empty() => whole.1 = told(written.remove("").unwrap_or_default()),
            action @ ("pass" | "fail" | "skip") if test == case => {
                let reason = written.remove(&case).unwrap_or_default();
                let (verdict, reason) = match action {
                    "pass" => (Verdict::Pass, None),
                    "skip" => (Verdict::Skip, Some(told(reason))),
                    _ => (Verdict::Fail, Some(told(reason))),
                };
                let case = case.strip_prefix(PREFIX).unwrap_or(&case);
                report.record(&format!("{NAME}: {case}"), verdict, reason);
            }
            _ => {}
        }
    }
    if whole.0 == Verdict::Fail {
        report.record(WHOLE, Verdict::Fail, Some(whole.1));
    }
}

/// The last lines, without those that every test has and those of a registry's log.
fn told(lines: Vec<String>) -> String {
    let is_news = |line: &String| !line.starts_with("=== ") && !line.contains("level=info");
    let lines: Vec<String> = lines.into_iter().filter(is_news).collect();
    let from = lines.len().saturating_sub(TOLD_LINES);
    lines.into_iter().skip(from).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(events: &[(&str, &str, &str)]) -> String {
        let event = |(action, test, output): &(&str, &str, &str)| {
            serde_json::json!({ "Action": action, "Test": test, "Output": output }).to_string()
        };
        events.iter().map(event).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_test_is_a_case_with_what_it_wrote() {
        let mut report = Report::default();
        report.begin(NAME, SERVER);
        let text = lines(&[
            ("output", "TestConformanceA", "=== RUN A\n"),
            ("pass", "TestConformanceA", ""),
            ("output", "TestConformanceB/s3/Deep", "it broke\n"),
            ("fail", "TestConformanceB/s3/Deep", ""),
            ("fail", "TestConformanceB/s3", ""),
            ("fail", "TestConformanceB", ""),
            ("fail", "", ""),
        ]);
        record(&text, &mut report);
        assert_eq!((report.count(Verdict::Pass), report.count(Verdict::Fail)), (1, 3));
        assert!(report.matrix().contains("distribution: B/s3: it broke"), "{}", report.matrix());
    }

    #[test]
    fn tests_that_broke_off_or_were_not_built_fail() {
        for text in [lines(&[("pass", "TestA", "")]), String::new(), "no JSON".to_owned()] {
            let mut report = Report::default();
            report.begin(NAME, SERVER);
            record(&text, &mut report);
            assert_eq!(report.count(Verdict::Fail), 1, "{text}");
        }
    }
}
