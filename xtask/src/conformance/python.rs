//! The kit for drivers in Python: its example behind the host, and its own tests.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::json;

use super::report::{Report, Verdict, WHOLE};
use super::targets::{Executable, Kit};
use crate::project::{self, Outcome, Project};
use crate::servers;

pub(crate) const KIT: Kit = Kit { name: "python", prepare };

/// The name of the example driver.
pub(crate) const DRIVER: &str = "pyfs";

/// What the column of its own tests is called.
const OWN: &str = "python kit, its own tests";

/// The example as an executable, with the interpreter that it is to be run by.
fn prepare(project: &Project) -> Outcome<Executable> {
    let programs = servers::python_kit(project)?;
    let place = place(project);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path)))?;
    let environment: [(&str, OsString); 3] = [
        ("PATH", path),
        ("PYTHONPATH", place.clone().into()),
        // The sources are not built in; nothing is written beside them.
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
    ];
    let example = place.join("examples/registry-storage-pyfs");
    // No case can tell whether what was written is on the disk, and a flush takes longer than the rest of a put; the
    // kit's own tests flush once each way.
    let parameters = json!({ "path": example.display().to_string(), "durability": "none" });
    let storage = json!({ "driver": DRIVER, "parameters": parameters, "fresh": "rootdirectory" });
    Ok(Executable { storage, environment: environment.to_vec() })
}

fn place(project: &Project) -> PathBuf {
    project.root.join("kits/python")
}

/// Runs the kit's own tests, as one case of a column of their own.
pub(crate) fn run(project: &Project, report: &mut Report) {
    report.begin(DRIVER, OWN);
    match prepare(project) {
        Ok(executable) => {
            let mut tests = project.command("python3");
            tests.current_dir(place(project)).args(["-m", "unittest"]).envs(executable.environment);
            match project::run(&mut tests) {
                Ok(()) => report.record("kit: its own tests", Verdict::Pass, None),
                Err(error) => report.record("kit: its own tests", Verdict::Fail, Some(error.to_string())),
            }
        }
        Err(error) => report.record(WHOLE, Verdict::Fail, Some(error.to_string())),
    }
}
