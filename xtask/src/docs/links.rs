//! Links between the pages: every relative one leads to a file, and to a heading where it names
//! one. Links to other places are not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::project::{Outcome, Project};

pub(crate) fn faults(project: &Project, pages: &BTreeMap<PathBuf, String>) -> Outcome<Vec<String>> {
    let mut faults = Vec::new();
    for (path, page) in pages {
        for link in links(page) {
            if let Some(fault) = fault(path, &link, pages) {
                faults.push(format!("{}: {link}: {fault}", project.relative(path)));
            }
        }
    }
    let book = project.root.join("docs");
    let summary = book.join("SUMMARY.md");
    let listed: BTreeSet<PathBuf> = match pages.get(&summary) {
        Some(page) => links(page).iter().map(|link| normal(&book.join(link))).collect(),
        None => return Err("docs/SUMMARY.md is missing".into()),
    };
    for path in pages.keys().filter(|path| path.starts_with(&book) && **path != summary) {
        if !listed.contains(path) {
            faults.push(format!("{}: not in docs/SUMMARY.md", project.relative(path)));
        }
    }
    Ok(faults)
}

fn fault(from: &Path, link: &str, pages: &BTreeMap<PathBuf, String>) -> Option<&'static str> {
    let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
    if is_elsewhere {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target =
        if file.is_empty() { from.to_owned() } else { normal(&from.parent().unwrap_or(from).join(file)) };
    if !target.exists() {
        return Some("no such file");
    }
    let missing = |page: &String| !anchor.is_empty() && !anchors(page).contains(anchor);
    if pages.get(&target).is_some_and(missing) { Some("no such heading") } else { None }
}

/// The path without `.` and `..`, without asking the file system.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            _ => normal.push(component),
        }
    }
    normal
}

/// The lines of a page that are text, not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The targets of `[text](target)`.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    // Joined, because a link's text may run over the end of a line; code in a line is no link.
    let text = prose(page).collect::<Vec<_>>().join("\n");
    let text: String = text.split('`').step_by(2).collect::<Vec<_>>().join("code");
    for rest in text.split("](").skip(1) {
        if let Some((target, _)) = rest.split_once(')') {
            links.push(target.split_whitespace().next().unwrap_or_default().to_owned());
        }
    }
    links
}

/// The anchors of a page's headings, as mdBook and forges make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code() {
        let page = "[a](a.md) and [b `c`\nd](b.md#x)\n```\n[no](no.md)\n```\n`[no](no.md)` [e](https://e)";
        assert_eq!(links(page), ["a.md", "b.md#x", "https://e"]);
    }

    #[test]
    fn an_anchor_is_made_as_forges_make_it() {
        assert_eq!(anchor("Writers: `close`, commit"), "writers-close-commit");
        assert!(anchors("# A\n## Two words\n```\n# no\n```\n").contains("two-words"));
        assert!(!anchors("```\n# no\n```\n").contains("no"));
    }

    #[test]
    fn a_link_to_nothing_is_a_fault() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let pages = BTreeMap::from([(here.clone(), "# A heading\n".to_owned())]);
        assert_eq!(fault(&here, "Cargo.toml", &pages), None);
        assert_eq!(fault(&here, "../xtask/src/../Cargo.toml", &pages), None);
        assert_eq!(fault(&here, "https://example.org", &pages), None);
        assert_eq!(fault(&here, "none.md", &pages), Some("no such file"));
        assert_eq!(fault(&here, "#none", &pages), Some("no such heading"));
        assert_eq!(fault(&here, "#a-heading", &pages), None);
        assert_eq!(fault(&here, "Cargo.toml#a-heading", &pages), None);
    }
}
