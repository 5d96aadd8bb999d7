//! The page of the book, made from the table.

use std::fmt::Write as _;

use storagedriver::Guarantee;

use super::SECTIONS;
use crate::CASES;
use crate::distribution::DISTRIBUTION;

const INTRODUCTION: &str = "\
# The contract

Every driver keeps all of it, whatever its backend. Each sentence has a name, which is its anchor on this page: drivers
and issues cite it, and each case of the suite (`storagedriver-testsuites`) says which sentences it checks. Where we go
past CNCF Distribution the sentence is marked *stricter*.

A backend that cannot keep a promise says so in `StorageDriver::guarantees()`. That one value feeds the suite, the
conformance report and the driver's page.

\"Crash\" means of the process, and of the machine where the driver owns the disk; a store's own durability is its own.

This page is made from `crates/storagedriver-testsuites/src/contract/`; a test fails when they differ, and
`STORAGEDRIVER_WRITE_DOCS=1 cargo test -p storagedriver-testsuites --test contract_page` writes it.
";

/// The text of `docs/contract.md`.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in SECTIONS {
        push(&mut page, format_args!("\n## {}\n\n", section.title));
        for sentence in section.sentences {
            let stricter = if sentence.stricter { " *Stricter.*" } else { "" };
            push(
                &mut page,
                format_args!("- <a id=\"{0}\"></a>**{0}**: {1}{stricter}\n", sentence.id, sentence.text),
            );
        }
    }
    page.push_str(
        "\n## Guarantees\n\nWhat a backend may say that it lacks, and what that excepts it from:\n\n",
    );
    for guarantee in Guarantee::ALL {
        push(&mut page, format_args!("- **{guarantee}**: {}\n", guarantee.sentence()));
    }
    page.push_str("\n## What checks each sentence\n\n| sentence | cases | other tests |\n|---|---|---|\n");
    for sentence in SECTIONS.iter().flat_map(|section| section.sentences) {
        let cases: Vec<String> = CASES
            .iter()
            .filter(|case| case.sentences.contains(&sentence.id))
            .map(|case| format!("`{}`", case.name))
            .collect();
        let other = sentence.elsewhere.unwrap_or_default();
        push(&mut page, format_args!("| [{0}](#{0}) | {1} | {other} |\n", sentence.id, cases.join(" ")));
    }
    page.push_str(
        "\n## Distribution's own suite\n\nWhere each case of its `testsuites.go` is found here:\n\n",
    );
    page.push_str("| there | here |\n|---|---|\n");
    for (theirs, ours) in DISTRIBUTION {
        let ours: Vec<String> = ours.iter().map(|case| format!("`{case}`")).collect();
        push(&mut page, format_args!("| `{theirs}` | {} |\n", ours.join(" ")));
    }
    page
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}
