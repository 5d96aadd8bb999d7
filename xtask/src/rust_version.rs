//! The oldest compiler that the crates state, checked with that compiler.

use crate::project::{self, Outcome, Project, entries, output, read};

/// Every crate takes its `rust-version` from the workspace, and that compiler accepts them all:
/// the one that runs this, or one that rustup has.
pub(crate) fn run(project: &Project) -> Outcome {
    let manifest = read(&project.root.join("Cargo.toml"))?;
    let stated = value(&manifest, "rust-version").ok_or("Cargo.toml states no rust-version")?;
    for directory in entries(&project.root.join("crates"))? {
        let path = directory.join("Cargo.toml");
        if !read(&path)?.lines().any(|line| line.trim() == "rust-version.workspace = true") {
            return Err(format!("{}: no `rust-version.workspace = true`", project.relative(&path)).into());
        }
    }
    let running = output(project.command("rustc").arg("--version"))?;
    if is_version(&running, stated) {
        println!("rust-version {stated}: it is the compiler of this run");
        return Ok(());
    }
    println!("rust-version {stated}: this run has {}", running.trim());
    let mut check = project.command("rustup");
    check.args(["run", stated, "cargo", "check", "--workspace", "--all-targets"]);
    check.arg("--target-dir").arg(project.target.join("rust-version"));
    project::run(&mut check)
}

/// The quoted value of `key` in a manifest.
fn value<'a>(manifest: &'a str, key: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
        rest.trim().strip_prefix('"')?.strip_suffix('"')
    })
}

/// Whether `rustc --version` printed a patch release of `stated`.
fn is_version(printed: &str, stated: &str) -> bool {
    let release = printed.split_whitespace().nth(1).unwrap_or_default();
    release == stated || release.strip_prefix(stated).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_release_counts_as_the_version() {
        assert!(is_version("rustc 1.95.0 (59807616e 2026-04-14)", "1.95"));
        assert!(is_version("rustc 1.95.1", "1.95"));
        assert!(!is_version("rustc 1.950.0", "1.95"));
        assert!(!is_version("rustc 1.96.0", "1.95"));
    }

    #[test]
    fn a_value_is_found_by_its_whole_key() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\nrust-version = \"1.95\"\n";
        assert_eq!(value(manifest, "rust-version"), Some("1.95"));
        assert_eq!(value(manifest, "rust"), None);
    }
}
