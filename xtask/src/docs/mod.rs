//! The documentation: its generated blocks are up to date, its links lead somewhere, and it leaves no driver out.

mod blocks;
mod drivers;
mod links;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{self, Mode, Outcome, Project, entries, read};

pub(crate) fn run(project: &Project, mode: Mode) -> Outcome {
    if mode == Mode::Write {
        // The contract's page is made by the suite, whose test also checks it.
        let mut page = project.cargo();
        page.args(["test", "--quiet", "--package", "storagedriver-testsuites", "--test", "contract_page"]);
        project::run(page.env("STORAGEDRIVER_WRITE_DOCS", "1"))?;
    }
    let mut pages = BTreeMap::new();
    for path in markdown(&project.root)? {
        let text = read(&path)?;
        pages.insert(path, text);
    }
    let mut faults = Vec::new();
    let program = program::Program::build(project)?;
    let mut generator = blocks::Generator::new(project, &program);
    for (path, text) in &mut pages {
        let fresh = match generator.refresh(text) {
            Ok(fresh) => fresh,
            Err(error) => {
                faults.push(format!("{}: {error}", project.relative(path)));
                continue;
            }
        };
        if fresh == *text {
            continue;
        }
        match mode {
            Mode::Check => {
                faults.push(format!("{}: out of date; run `cargo xtask docs`", project.relative(path)));
            }
            Mode::Write => {
                fs::write(path, &fresh)?;
                println!("{}: brought up to date", project.relative(path));
            }
        }
        *text = fresh;
    }
    faults.extend(links::faults(project, &pages)?);
    faults.extend(drivers::faults(project, &pages, &program.linked()?)?);
    if faults.is_empty() {
        println!("docs: {} pages, their links, generated blocks and drivers are good", pages.len());
        return Ok(());
    }
    Err(format!("{} faults in the documentation:\n  {}", faults.len(), faults.join("\n  ")).into())
}

/// Every Markdown file of the repository, build products left out.
fn markdown(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(directory)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "book" && name != "registry" {
                found.extend(markdown(&path)?);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(found)
}
