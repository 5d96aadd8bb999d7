//! The program with every driver, which the pages quote.

use std::path::PathBuf;
use std::process::Command;

use super::drivers::Linked;
use crate::project::{self, Outcome, Project, output};

pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    /// Builds it with every driver, beside the tests of the whole workspace: by itself its dependencies have other
    /// features, and all of them would be built once more.
    pub(crate) fn build(project: &Project) -> Outcome<Self> {
        let mut build = project.cargo();
        build.args(["test", "--quiet", "--workspace", "--features", "storagedriver-cli/all"]);
        project::run(build.args(["--test", "program", "--no-run"]))?;
        Ok(Self::at(project.target.join("debug/storagedriver")))
    }

    pub(crate) fn at(path: PathBuf) -> Self {
        Program { path }
    }

    /// What it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<String> {
        output(Command::new(&self.path).args(arguments))
    }

    /// Its drivers and its middleware.
    pub(crate) fn linked(&self) -> Outcome<Vec<Linked>> {
        let listed = self.run(&["drivers", "--json"])?;
        listed.lines().map(Linked::parse).collect()
    }
}
