//! The kit for drivers in Go: its example behind the host, and its own tests.

use std::process::Command;

use serde_json::json;

use super::report::{Report, Verdict};
use super::targets::{Executable, Kit};
use crate::project::{self, Outcome, Project};

pub(crate) const KIT: Kit = Kit { name: "go", prepare };

/// Where its module lies.
const PLACE: &str = "kits/go";

/// The name of the example driver.
pub(crate) const DRIVER: &str = "gofs";

/// What the column of its own tests is called.
const OWN: &str = "go kit, its own tests";

/// Builds the example.
fn prepare(project: &Project) -> Outcome<Executable> {
    let example = project.target.join("conformance/kits/go").join(format!("registry-storage-{DRIVER}"));
    let mut build = go(project, PLACE, &["build", "-trimpath", "-o"]);
    project::run(build.arg(&example).arg(format!("./cmd/registry-storage-{DRIVER}")))?;
    let storage = json!({
        "driver": DRIVER, "parameters": { "path": example.display().to_string() }, "fresh": "rootdirectory",
    });
    Ok(Executable { storage, environment: Vec::new() })
}

/// Go 1.26 or later, in the module of a kit; an older Go gets itself one.
pub(super) fn go(project: &Project, kit: &str, arguments: &[&str]) -> Command {
    let mut go = project.command("go");
    go.current_dir(project.root.join(kit)).args(arguments).env("CGO_ENABLED", "0").env_remove("GOFLAGS");
    go
}

/// Runs the kit's own checks and tests, as cases of a column of their own.
pub(crate) fn run(project: &Project, report: &mut Report) {
    report.begin(DRIVER, OWN);
    for (case, outcome) in [
        ("kit: gofmt", formatted(project, PLACE)),
        ("kit: go vet", project::run(&mut go(project, PLACE, &["vet", "./..."]))),
        ("kit: its own tests", project::run(&mut go(project, PLACE, &["test", "-timeout", "300s", "./..."]))),
    ] {
        match outcome {
            Ok(()) => report.record(case, Verdict::Pass, None),
            Err(error) => report.record(case, Verdict::Fail, Some(error.to_string())),
        }
    }
}

/// Fails if a file of a kit in Go is not as gofmt writes it.
pub(super) fn formatted(project: &Project, kit: &str) -> Outcome {
    let mut gofmt = project.command("gofmt");
    let others = project::output(gofmt.current_dir(project.root.join(kit)).args(["-l", "."]))?;
    if others.is_empty() {
        Ok(())
    } else {
        Err(format!("gofmt -w {kit} would change {}", others.trim_end()).into())
    }
}
