//! The test programs of the workspace, built in one go. By itself, a package has dependencies with fewer features than
//! `cargo test --workspace` gives them, and all of them would be built once more for each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{Outcome, Project};

/// Where each lies, by its package and its name.
pub(super) struct Programs(BTreeMap<(String, String), PathBuf>);

impl Programs {
    /// Builds those of these names in every package that has one.
    ///
    /// # Errors
    /// They cannot be built.
    pub(super) fn build(project: &Project, names: &[&str]) -> Outcome<Self> {
        let mut build = project.cargo();
        build.args(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]);
        for name in names {
            build.args(["--test", name]);
        }
        eprintln!("+ cargo test --workspace --no-run --test {}", names.join(" --test "));
        let built = build.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        if !built.status.success() {
            return Err(format!("the tests cannot be built: {}", built.status).into());
        }
        Ok(Programs(String::from_utf8(built.stdout)?.lines().filter_map(program).collect()))
    }

    /// One of them, to be run where `cargo test` would run it.
    ///
    /// # Errors
    /// The package has none of that name.
    pub(super) fn command(&self, project: &Project, package: &str, name: &str) -> Outcome<Command> {
        let found = self.0.get(&(package.to_owned(), name.to_owned()));
        let mut command =
            Command::new(found.ok_or_else(|| format!("{package} has no test program `{name}`"))?);
        command.current_dir(project.root.join("crates").join(package));
        Ok(command)
    }
}

/// The program that a line of cargo's tells of. A package's directory is called as the package.
fn program(line: &str) -> Option<((String, String), PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let executable = message.get("executable")?.as_str()?;
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    let package = manifest.parent()?.file_name()?.to_str()?;
    let target = message.get("target")?;
    let is_test = target.get("kind")?.as_array()?.iter().any(|kind| kind == "test");
    let name = target.get("name")?.as_str()?;
    is_test.then(|| ((package.to_owned(), name.to_owned()), PathBuf::from(executable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_a_program_or_of_none() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/a/crates/storagedriver-x/Cargo.toml",
            "target":{"kind":["test"],"name":"suite"},"executable":"/a/target/debug/deps/suite-1"}"#;
        let expected =
            (("storagedriver-x".to_owned(), "suite".to_owned()), "/a/target/debug/deps/suite-1".into());
        assert_eq!(program(line), Some(expected));
        assert_eq!(program(&line.replace(r#"["test"]"#, r#"["bin"]"#)), None);
        assert_eq!(program(&line.replace(r#""/a/target/debug/deps/suite-1""#, "null")), None);
        assert_eq!(program("no JSON"), None);
    }
}
