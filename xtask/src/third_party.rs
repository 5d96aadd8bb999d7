//! The third-party driver, built as a stranger builds it: against the packages that would be
//! published, not against this workspace's directories.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{self, Outcome, Project, entries, read};

/// The most lines of Rust that the driver may need, without blank lines and comments.
const MOST_LINES: usize = 300;

pub(crate) fn run(project: &Project) -> Outcome {
    let source = project.root.join("third-party/storagedriver-redb");
    count_lines(&source.join("src"))?;

    forget_packages(project)?;
    let mut package = project.cargo();
    package.args(["package", "--workspace", "--allow-dirty"]);
    for directory in workspace(project)? {
        if !is_published(&directory)? {
            package.arg("--exclude").arg(directory.file_name().ok_or("a crate has a name")?);
        }
    }
    project::run(&mut package)?;

    // Beside the workspace and not in it: what is tested depends on nothing but the packages.
    let place = project.target.join("third-party");
    let crates = unpack(project, &place.join("crates"))?;
    let driver = place.join("storagedriver-redb");
    copy(&source, &driver)?;

    project::run(project.cargo().current_dir(&driver).args(["fmt", "--check"]))?;
    let manifest = read(&driver.join("Cargo.toml"))?;
    let mut test = project.cargo();
    test.current_dir(&driver).arg("test").arg("--target-dir").arg(place.join("target"));
    // One that it does not depend on would be warned about.
    for (name, path) in crates.iter().filter(|(name, _)| manifest.contains(&format!("\n{name} = "))) {
        test.arg("--config").arg(format!("patch.crates-io.{name}.path={:?}", path.display().to_string()));
    }
    project::run(&mut test)
}

/// Removes what cargo keeps of packages that an earlier run made. It takes a package of the same version for the same one, and would build
/// the crates that depend on it against what it unpacked then.
fn forget_packages(project: &Project) -> Outcome {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).ok_or("there is no home directory")?;
    let mut places = vec![project.target.join("debug/.fingerprint")];
    for kept in ["src", "cache"] {
        // A registry in a directory has no host, and a name that begins with the dash before its hash.
        let registries = entries(&home.join("registry").join(kept)).unwrap_or_default();
        places.extend(registries.into_iter().filter(|registry| file_name(registry).starts_with('-')));
    }
    for place in places {
        for path in entries(&place).unwrap_or_default() {
            if !file_name(&path).starts_with("storagedriver-") {
                continue;
            }
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The directories of the workspace's crates.
fn workspace(project: &Project) -> Outcome<Vec<PathBuf>> {
    let mut directories = entries(&project.root.join("crates"))?;
    directories.push(project.root.join("xtask"));
    Ok(directories)
}

/// Whether a crate is for others; the rest is for this workspace's own tests.
fn is_published(directory: &Path) -> Outcome<bool> {
    Ok(!read(&directory.join("Cargo.toml"))?.contains("\npublish = false\n"))
}

fn count_lines(source: &Path) -> Outcome {
    let mut lines = 0;
    for file in entries(source)? {
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        lines += read(&file)?.lines().filter(is_code).count();
    }
    println!(
        "third-party driver: {lines} lines of Rust in src/ without blank lines and comments, at most {MOST_LINES}"
    );
    if lines > MOST_LINES { Err(format!("{lines} lines are more than {MOST_LINES}").into()) } else { Ok(()) }
}

/// Unpacks this version's packages; returns the name and the directory of each.
fn unpack(project: &Project, into: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    if into.exists() {
        fs::remove_dir_all(into)?;
    }
    fs::create_dir_all(into)?;
    let mut crates = Vec::new();
    for directory in workspace(project)? {
        if !is_published(&directory)? {
            continue;
        }
        let name = directory.file_name().and_then(|name| name.to_str()).ok_or("a crate has a name")?;
        let prefix = format!("{name}-");
        let packages = entries(&project.target.join("package"))?;
        // Other versions may lie there from earlier runs: the newest is of this one.
        let package = packages
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "crate"))
            .filter(|path| {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                stem.strip_prefix(&prefix)
                    .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
            })
            .max_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
            .ok_or_else(|| format!("cargo package made no package of {name}"))?;
        let mut tar = project.command("tar");
        project::run(tar.arg("xzf").arg(&package).arg("-C").arg(into))?;
        let stem = package.file_stem().ok_or("a package has a name")?;
        crates.push((name.to_owned(), into.join(stem)));
    }
    Ok(crates)
}

/// Copies the driver's directory, its build products left out.
fn copy(from: &Path, to: &Path) -> Outcome {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for path in entries(from)? {
        let name = path.file_name().ok_or("an entry has a name")?;
        if path.is_dir() {
            if name != "target" {
                copy(&path, &to.join(name))?;
            }
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
