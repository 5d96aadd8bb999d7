//! The suite on every store that can be had here, and the matrix of it.

mod distribution;
mod go;
mod programs;
mod python;
mod report;
mod system;
mod targets;

use std::fs;
use std::path::Path;
use std::process::Command;

use programs::Programs;
use report::{Report, Verdict, WHOLE};
use targets::{Place, Ready, TARGETS, Target};

use crate::project::{self, Outcome, Project, read};

/// The file that the suite appends a line to for each case it ran.
const REPORT_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_REPORT";

/// What the suite calls the store in those lines.
const SERVER_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_SERVER";

/// How many cases run at once on a server: they wait for it more than they work.
const AT_ONCE: &str = "6";

/// The storage that the tests of a driver are to use, if it is on a server that was started for them.
const STORAGE_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

/// Runs the targets of the given drivers, or of all, writes `target/conformance/report.json` and
/// prints the matrix. A store that cannot be had is a failure, never left out in silence.
pub(crate) fn run(project: &Project, drivers: &[&str]) -> Outcome {
    let names = || TARGETS.iter().map(Target::name).chain([distribution::NAME]);
    if let Some(unknown) = drivers.iter().find(|name| names().all(|known| known != **name)) {
        let mut known: Vec<&str> = names().collect();
        known.dedup();
        return Err(format!("no driver `{unknown}`; there are {}", known.join(", ")).into());
    }
    let place = project.target.join("conformance");
    fs::create_dir_all(&place)?;
    let mut report = Report::default();
    let (chosen, left): (Vec<&Target>, Vec<&Target>) = TARGETS
        .iter()
        .partition(|target| if drivers.is_empty() { target.usual } else { drivers.contains(&target.name()) });
    let programs = Programs::build(project, &names_of_tests(&chosen, drivers))?;
    for target in chosen {
        match target.prepare(project) {
            Ok(ready) => {
                report.begin(target.driver, &ready.server);
                let lines = place.join(format!("{}-{}.jsonl", target.driver, ready.server));
                run_target(project, &programs, target, &ready, &lines, &mut report)?;
            }
            Err(reason) => {
                report.begin(target.driver, target.expected());
                report.record(WHOLE, Verdict::Fail, Some(format!("the store cannot be had: {reason}")));
            }
        }
    }
    report.require_every_case();
    if drivers.is_empty() || drivers.contains(&system::DRIVER) {
        system::run(project, &programs, &mut report);
    }
    if drivers.is_empty() || drivers.contains(&python::KIT.name) {
        python::run(project, &mut report);
    }
    if drivers.is_empty() || drivers.contains(&go::KIT.name) {
        go::run(project, &mut report);
    }
    if drivers.is_empty() || drivers.contains(&distribution::NAME) {
        distribution::run(project, &mut report);
    }

    let written = place.join("report.json");
    fs::write(&written, format!("{:#}\n", report.json()))?;
    println!("\n{}\n{}", report.matrix(), project.relative(&written));
    let [passed, failed, skipped] =
        [Verdict::Pass, Verdict::Fail, Verdict::Skip].map(|verdict| report.count(verdict));
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if drivers.is_empty() {
        for target in left {
            println!("not run unless it is named: {} on {}", target.driver, target.expected());
        }
    }
    if failed > 0 { Err("the suite failed".into()) } else { Ok(()) }
}

/// The drivers of the matrix, by name, each with the package whose tests are run.
pub(crate) fn drivers() -> impl Iterator<Item = (&'static str, &'static str)> {
    TARGETS.iter().map(|target| (target.driver, target.package))
}

/// The test programs that a run needs.
fn names_of_tests(chosen: &[&Target], drivers: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<&str> = chosen.iter().flat_map(|target| target.tests).copied().collect();
    if drivers.is_empty() || drivers.contains(&system::DRIVER) {
        names.extend(system::programs());
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn run_target(
    project: &Project,
    programs: &Programs,
    target: &Target,
    ready: &Ready,
    lines: &Path,
    report: &mut Report,
) -> Outcome {
    if lines.exists() {
        fs::remove_file(lines)?;
    }
    let mut ended = Ok(());
    for name in target.tests {
        let mut test = programs.command(project, target.package, name)?;
        prepare_test(&mut test, target, ready, lines);
        ended = ended.and(project::run(&mut test));
    }
    let written = if lines.exists() { read(lines)? } else { String::new() };
    let failed = report.count(Verdict::Fail);
    let count = report.record_lines(target.driver, &written)?;
    if count == 0 {
        report.record(WHOLE, Verdict::Fail, Some("the suite reported no case".to_owned()));
    } else if let Err(error) = ended
        && report.count(Verdict::Fail) == failed
    {
        report.record(WHOLE, Verdict::Fail, Some(format!("no case failed, and yet: {error}")));
    }
    Ok(())
}

/// What a test program is told of the store and of the run.
fn prepare_test(test: &mut Command, target: &Target, ready: &Ready, lines: &Path) {
    if let Place::Module(module) = target.place {
        test.arg(module);
    }
    test.env(REPORT_VARIABLE, lines).env(SERVER_VARIABLE, &ready.server);
    // The long variants of what runs in process are run by `cargo test`.
    if target.is_long() {
        test.env("STORAGEDRIVER_FULL", "1");
    } else {
        test.env_remove("STORAGEDRIVER_FULL");
    }
    test.envs(ready.programs.iter().map(|(name, program)| (name, program)));
    if let Some(threads) = target.threads() {
        test.env("RUST_TEST_THREADS", threads);
    }
    if let Some(directory) = &ready.directory {
        test.env("TMPDIR", directory);
    }
    if let Some(running) = &ready.running {
        test.env(STORAGE_VARIABLE, running.storage.to_string());
        // Who knows the address waits for what the server does, and not for a while: more of that can go on at once.
        if running.storage.get("address").is_some() {
            test.env("RUST_TEST_THREADS", AT_ONCE);
        }
    }
    if let Some(executable) = &ready.executable {
        test.env(STORAGE_VARIABLE, executable.storage.to_string());
        test.envs(executable.environment.iter().map(|(name, value)| (name, value)));
    }
}
