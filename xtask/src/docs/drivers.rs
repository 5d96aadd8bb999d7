//! The pages know every driver: those that are crates here, and the names under which the program finds them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::conformance;
use crate::crates;
use crate::project::{Outcome, Project};

/// The pages with a table of all drivers, each with what stands around the name of a crate in a row.
const TABLES: [(&str, [&str; 2]); 2] = [("README.md", ["](crates/", ")"]), ("docs/drivers.md", ["`", "`"])];

/// What `storagedriver drivers --json` tells of one.
pub(crate) struct Linked {
    name: String,
    kind: String,
    crate_name: String,
}

impl Linked {
    /// Of one line.
    pub(crate) fn parse(line: &str) -> Outcome<Self> {
        let told: Value = serde_json::from_str(line)?;
        let text = |key: &str| {
            let text = told.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| format!("no {key} in {line}"))
        };
        Ok(Linked { name: text("name")?, kind: text("kind")?, crate_name: text("crate")? })
    }
}

/// What the pages do not say of the crates, and of what is `linked` into the program with the feature `all`.
pub(crate) fn faults(
    project: &Project,
    pages: &BTreeMap<PathBuf, String>,
    linked: &[Linked],
) -> Outcome<Vec<String>> {
    let mut faults = Vec::new();
    for driver in crates::drivers(project)? {
        let names: Vec<&str> =
            linked.iter().filter(|one| one.crate_name == driver.name).map(|one| one.name.as_str()).collect();
        for (page, [before, after]) in TABLES {
            let text = pages.get(&project.root.join(page)).map_or("", String::as_str);
            faults.extend(
                row_fault(text, &format!("{before}{}{after}", driver.name), &names)
                    .map(|fault| format!("{page}: {}: {fault}", driver.name)),
            );
        }
        let runs = |(name, package): (&str, &str)| package == driver.name || names.contains(&name);
        if !conformance::drivers().any(runs) {
            faults.push(format!("xtask/src/conformance/targets.rs: no target runs {}", driver.name));
        }
        if driver.registers()? && names.is_empty() {
            faults.push(format!("the program with the feature `all` does not link {}", driver.name));
        }
        let has_table = |name: &&str| pages.values().any(|page| page.contains(&block(name)));
        if !names.is_empty() && !names.iter().any(has_table) {
            faults.push(format!(
                "no page has the parameters of {}: a block for `{}`",
                driver.name,
                names.join("` or `")
            ));
        }
    }
    for middleware in linked.iter().filter(|one| one.kind == "middleware") {
        if !pages.values().any(|page| page.contains(&block(&middleware.name))) {
            faults.push(format!("no page has the parameters of the middleware {}", middleware.name));
        }
    }
    Ok(faults)
}

/// How the block with the parameters of `name` begins.
fn block(name: &str) -> String {
    format!("<!-- parameters:{name} -->")
}

/// What is wrong with the row that refers to a crate.
fn row_fault(page: &str, reference: &str, names: &[&str]) -> Option<String> {
    let Some(row) = page.lines().find(|line| line.starts_with('|') && line.contains(reference)) else {
        return Some(format!("the table of drivers has no row with {reference}"));
    };
    if row.contains("planned") {
        return Some("its row says that it is planned".to_owned());
    }
    let missing = names.iter().find(|name| !row.contains(&format!("`{name}`")))?;
    Some(format!("its row does not have the name `{missing}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_without_its_row_is_a_fault() {
        let page =
            "| `a`, `b` | [x](crates/storagedriver-x) |\n| `c` | [y](crates/storagedriver-y) | planned |\n";
        let fault = |name: &str, names: &[&str]| row_fault(page, &format!("](crates/{name})"), names);
        assert_eq!(fault("storagedriver-x", &["a", "b"]), None);
        assert!(fault("storagedriver-x", &["a", "c"]).unwrap().contains("the name `c`"));
        assert!(fault("storagedriver-y", &["c"]).unwrap().contains("planned"));
        assert!(fault("storagedriver-z", &[]).unwrap().contains("no row"));
    }
}
