//! Tests of more than a driver: clients that are killed, a registry beside us. Each is a program of
//! `storagedriver-systemtests`, and one case of the report.

use super::STORAGE_VARIABLE;
use super::programs::Programs;
use super::report::{Report, Verdict, WHOLE};
use crate::project::{self, Outcome, Project};
use crate::servers::{self, Running};

/// The driver that they use.
pub(crate) const DRIVER: &str = "s3";

/// What the column of the report is called.
const SERVER: &str = "ceph, system";

const PACKAGE: &str = "storagedriver-systemtests";

/// The test programs, each with what it shows.
const TESTS: &[(&str, &str)] = &[
    ("killed", "system: clients killed in the middle of an operation"),
    ("registry", "system: a registry's life on a bucket"),
];

/// The names of the test programs.
pub(crate) fn programs() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|(name, _)| *name)
}

/// Runs them all on one server; what cannot be had fails.
pub(crate) fn run(project: &Project, programs: &Programs, report: &mut Report) {
    report.begin(DRIVER, SERVER);
    match prepare(project) {
        Ok(prepared) => {
            for (test, case) in TESTS {
                match prepared.run(project, programs, test) {
                    Ok(()) => report.record(case, Verdict::Pass, None),
                    Err(error) => report.record(case, Verdict::Fail, Some(error.to_string())),
                }
            }
        }
        Err(error) => report.record(WHOLE, Verdict::Fail, Some(error.to_string())),
    }
}

/// What the tests need.
struct Prepared {
    running: Running,
    programs: [(&'static str, std::path::PathBuf); 3],
}

fn prepare(project: &Project) -> Outcome<Prepared> {
    let [registry, client] = [servers::registry(project)?, servers::client(project)?];
    project::run(project.cargo().args(["build", "--package", "storagedriver-cli"]))?;
    let programs = [
        ("STORAGEDRIVER_TEST_REGISTRY", registry),
        ("STORAGEDRIVER_TEST_CLIENT", client),
        ("STORAGEDRIVER_TEST_PROGRAM", project.target.join("debug/storagedriver")),
    ];
    Ok(Prepared { running: servers::CEPH.start(project)?, programs })
}

impl Prepared {
    fn run(&self, project: &Project, programs: &Programs, test: &str) -> Outcome {
        let mut command = programs.command(project, PACKAGE, test)?;
        command.arg("--nocapture");
        command.env(STORAGE_VARIABLE, self.running.storage.to_string());
        for (name, path) in &self.programs {
            command.env(name, path);
        }
        project::run(&mut command)
    }
}
