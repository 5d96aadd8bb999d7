//! The programs that are measured, built as they are used: optimised.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{self, Outcome, Project};
use crate::servers;

/// The programs of the subjects.
pub(crate) struct Programs {
    rust: PathBuf,
    /// The driver `null` as an executable.
    pub(crate) null: PathBuf,
    go: Option<PathBuf>,
}

impl Programs {
    /// Builds them. A machine without Go has one subject less, and is told so.
    ///
    /// # Errors
    /// One of them cannot be built.
    pub(crate) fn build(project: &Project, place: &Path) -> Outcome<Self> {
        let source = project.root.join("xtask/bench");
        let target = place.join("build");
        let mut cargo = project.cargo();
        cargo.args(["build", "--release", "--manifest-path"]).arg(source.join("Cargo.toml"));
        project::run(cargo.arg("--target-dir").arg(&target))?;
        let rust = target.join("release/storagedriver-bench");
        let null = target.join("release/registry-storage-null");
        Ok(Programs { rust, null, go: build_go(project, &source.join("go"), &place.join("go-subject"))? })
    }

    /// Whether the subject can be run here.
    pub(crate) fn has(&self, subject: &str) -> bool {
        subject != "go" || self.go.is_some()
    }

    /// The program of a subject.
    ///
    /// # Errors
    /// It is Go's, and there is none.
    pub(crate) fn command(&self, subject: &str) -> Outcome<Command> {
        let program = match (subject, &self.go) {
            ("go", Some(go)) => go,
            ("go", None) => return Err("there is no Go here".into()),
            _ => &self.rust,
        };
        let mut command = servers::command(program);
        command.arg(subject);
        Ok(command)
    }
}

fn build_go(project: &Project, source: &Path, program: &Path) -> Outcome<Option<PathBuf>> {
    let go = || project.command("go");
    if project::output(go().arg("version")).is_err() {
        eprintln!("there is no Go here: the driver of Distribution is left out");
        return Ok(None);
    }
    let mut build = go();
    build.current_dir(source).env("CGO_ENABLED", "0").env_remove("GOFLAGS").args(["build", "-o"]);
    project::run(build.arg(program).arg("."))?;
    Ok(Some(program.to_owned()))
}
