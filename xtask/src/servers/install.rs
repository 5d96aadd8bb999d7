//! Getting what is missing. Packages of the system come by apt; everything else lies below
//! `target/servers`, so that removing that directory removes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::versions::{Artifact, GoProgram};
use crate::project::{self, Outcome, Project};

/// Where a program of the system lies, if it is there. Servers lie where the search path of an
/// ordinary user does not lead.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    places.map(|place| place.join(program)).find(|path| path.is_file())
}

/// Sees to it that the programs are there, by apt if one of them is not.
///
/// # Errors
/// The packages cannot be installed, or they do not hold the programs.
pub(crate) fn apt(project: &Project, packages: &[&str], programs: &[&str]) -> Outcome {
    let missing = || programs.iter().find(|program| find(program).is_none());
    let Some(first) = missing() else { return Ok(()) };
    install(project, packages).map_err(|error| format!("there is no `{first}` here: {error}"))?;
    match missing() {
        Some(program) => Err(format!("{} hold no `{program}`", packages.join(", ")).into()),
        None => Ok(()),
    }
}

fn install(project: &Project, packages: &[&str]) -> Outcome {
    if find("apt-get").is_none() {
        return Err(format!("no apt-get either; install what Debian calls {}", packages.join(", ")).into());
    }
    run(as_root_apt(project).arg("update"))?;
    run(as_root_apt(project).args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn as_root_apt(project: &Project) -> Command {
    let mut apt = as_root(project, "env");
    // A package may ask on the terminal; another installation may be under way.
    apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]);
    apt
}

/// Gets a program out of a package of the system, if that is not there yet, without installing it: the package would start
/// the program as a service. Where it lies.
///
/// # Errors
/// There is no apt here, or the package cannot be had, or does not hold the program.
pub(crate) fn unpacked(project: &Project, package: &str, program: &str) -> Outcome<PathBuf> {
    let place = place(project).join("deb").join(package);
    once(&place, || {
        need("apt-get", &format!("get {program} of what Debian calls {package}"))?;
        let download = || {
            let mut apt = project.command("apt-get");
            run(apt.current_dir(&place).args(["-q", "download", package]))
        };
        download().or_else(|_| run(as_root_apt(project).arg("update")).and_then(|()| download()))?;
        let files = project::entries(&place)?;
        let file = files.iter().find(|file| file.extension().is_some_and(|kind| kind == "deb"));
        let file = file.ok_or_else(|| format!("{package} was not downloaded"))?;
        run(project.command("dpkg").arg("--extract").arg(file).arg(&place))
    })?;
    let program = place.join(program);
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("{package} holds no {}", program.display()).into())
    }
}

/// Runs an installer. What it says is not what the task prints.
fn run(command: &mut Command) -> Outcome {
    project::run(command.stdout(std::io::stderr()))
}

fn as_root(project: &Project, program: &str) -> Command {
    let root = project::output(project.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        project.command(program)
    } else {
        let mut command = project.command("sudo");
        command.args(["--non-interactive", program]);
        command
    }
}

/// Builds a program of Go's in its pinned version, if that is not there yet; where it lies.
///
/// # Errors
/// There is no Go here, or it cannot build the program.
pub(crate) fn go(project: &Project, program: &GoProgram) -> Outcome<PathBuf> {
    let place = place(project).join("bin").join(format!("{}-{}", program.name, program.version));
    let built = place.join(program.name);
    if !built.is_file() {
        need("go", "install Go 1.26 or later")?;
        let mut go = project.command("go");
        go.arg("install").arg(format!("{}@{}", program.package, program.version));
        run(go.env("GOBIN", &place).env("CGO_ENABLED", "0").env_remove("GOFLAGS"))?;
    }
    Ok(built)
}

/// Installs a package of npm's, if that version of it is not there yet; where its programs lie.
///
/// # Errors
/// There is no npm here, or it cannot install the package.
pub(crate) fn npm(project: &Project, package: &str) -> Outcome<PathBuf> {
    let place = place(project).join("npm").join(package);
    once(&place, || {
        need("npm", "install Node.js 20 or later")?;
        let mut npm = project.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"]).arg(&place);
        run(npm.arg(package))
    })?;
    Ok(place.join("node_modules/.bin"))
}

/// Installs packages of Python's into an environment of their own, if they are not there yet; where
/// its programs lie.
///
/// # Errors
/// There is no Python here, or it cannot install the packages.
pub(crate) fn pip(project: &Project, name: &str, packages: &[&str]) -> Outcome<PathBuf> {
    let place = place(project).join("python").join(name);
    once(&place, || {
        need("python3", "install Python 3.10 or later")?;
        let environment = || {
            let mut python = project.command("python3");
            run(python.args(["-m", "venv", "--clear"]).arg(&place))
        };
        // Debian and Ubuntu ship Python without the part that makes environments.
        environment().or_else(|_| install(project, &["python3-venv"]).and_then(|()| environment()))?;
        let mut pip = project.command(&place.join("bin/pip").display().to_string());
        run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))
    })?;
    Ok(place.join("bin"))
}

/// Gets libraries of Java's with all that they depend on, if they are not there yet; where they lie.
///
/// # Errors
/// There is no Java or Maven here, or Maven cannot get the libraries.
pub(crate) fn maven(project: &Project, name: &str, artifacts: &[Artifact]) -> Outcome<PathBuf> {
    apt(project, &["default-jre-headless"], &["java"])?;
    let place = place(project).join("maven").join(name);
    let file = project_file(artifacts);
    if !fs::read_to_string(place.join("pom.xml")).is_ok_and(|there| there == file) && place.exists() {
        // Other versions than these.
        fs::remove_dir_all(&place)?;
    }
    let jars = place.join("jars");
    once(&place, || {
        apt(project, &["maven"], &["mvn"])?;
        fs::write(place.join("pom.xml"), &file)?;
        let mut maven = project.command("mvn");
        maven.args(["--batch-mode", "--quiet", "--file"]).arg(place.join("pom.xml"));
        maven.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
        run(maven.arg(format!("-DoutputDirectory={}", jars.display())))
    })?;
    Ok(jars)
}

/// A project of Maven's that has nothing but what it depends on.
fn project_file(artifacts: &[Artifact]) -> String {
    let dependency = |artifact: &Artifact| {
        let Artifact { group, name, version } = artifact;
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>\n"
        )
    };
    let dependencies: String = artifacts.iter().map(dependency).collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<modelVersion>4.0.0</modelVersion>\n\
         <groupId>storagedriver</groupId><artifactId>server</artifactId><version>1</version>\n\
         <dependencies>\n{dependencies}</dependencies>\n</project>\n"
    )
}

/// Where everything lies that is installed for this workspace alone.
fn place(project: &Project) -> PathBuf {
    project.target.join("servers/installed")
}

/// Makes a directory by `install`, unless it was made whole before.
fn once(place: &Path, install: impl FnOnce() -> Outcome) -> Outcome {
    let whole = place.join("installed");
    if whole.is_file() {
        return Ok(());
    }
    fs::create_dir_all(place)?;
    install()?;
    Ok(fs::write(whole, "")?)
}

fn need(program: &str, advice: &str) -> Outcome {
    match find(program) {
        Some(_) => Ok(()),
        None => Err(format!("there is no `{program}` here; {advice}").into()),
    }
}
