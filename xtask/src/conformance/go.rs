//! The kit for drivers in Go: its example behind the host, and its own tests.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::report::{Report, Verdict};
use super::targets::{Executable, Kit};
use crate::project::{self, Outcome, Project};

pub(crate) const KIT: Kit = Kit { name: "go", prepare };

/// The name of the example driver.
pub(crate) const DRIVER: &str = "gofs";

/// What the column of its own tests is called.
const OWN: &str = "go kit, its own tests";

/// Builds the example.
fn prepare(project: &Project) -> Outcome<Executable> {
    let example = project.target.join("conformance/kits/go").join(format!("registry-storage-{DRIVER}"));
    let mut build = go(project, &["build", "-trimpath", "-o"]);
    project::run(build.arg(&example).arg(format!("./cmd/registry-storage-{DRIVER}")))?;
    let storage = json!({
        "driver": DRIVER, "parameters": { "path": example.display().to_string() }, "fresh": "rootdirectory",
    });
    Ok(Executable { storage, environment: Vec::new() })
}

fn place(project: &Project) -> PathBuf {
    project.root.join("kits/go")
}

/// Go 1.26 or later, in the kit's module; an older Go gets itself one.
fn go(project: &Project, arguments: &[&str]) -> Command {
    let mut go = project.command("go");
    go.current_dir(place(project)).args(arguments).env("CGO_ENABLED", "0").env_remove("GOFLAGS");
    go
}

/// Runs the kit's own checks and tests, as cases of a column of their own.
pub(crate) fn run(project: &Project, report: &mut Report) {
    report.begin(DRIVER, OWN);
    for (case, outcome) in [
        ("kit: gofmt", formatted(project)),
        ("kit: go vet", project::run(&mut go(project, &["vet", "./..."]))),
        ("kit: its own tests", project::run(&mut go(project, &["test", "-timeout", "300s", "./..."]))),
    ] {
        match outcome {
            Ok(()) => report.record(case, Verdict::Pass, None),
            Err(error) => report.record(case, Verdict::Fail, Some(error.to_string())),
        }
    }
}

/// Fails if a file is not as gofmt writes it.
fn formatted(project: &Project) -> Outcome {
    let mut gofmt = project.command("gofmt");
    let others = project::output(gofmt.current_dir(place(project)).args(["-l", "."]))?;
    if others.is_empty() {
        Ok(())
    } else {
        Err(format!("gofmt -w kits/go would change {}", others.trim_end()).into())
    }
}
