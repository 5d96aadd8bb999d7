//! The book's page on the contract is the one that the table makes.

use std::path::{Path, PathBuf};

use storagedriver_testsuites::contract::SECTIONS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract.md");

#[test]
fn the_page_says_what_the_table_says() {
    let page = storagedriver_testsuites::contract::page();
    if std::env::var_os("STORAGEDRIVER_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let found = std::fs::read_to_string(PAGE).unwrap();
    assert!(
        found == page,
        "docs/contract.md is not what the table makes; run \
         STORAGEDRIVER_WRITE_DOCS=1 cargo test -p storagedriver-testsuites --test contract_page"
    );
}

/// The files that stand in backticks.
fn files(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').filter(|part| part.starts_with("crates/"))
}

#[test]
fn every_other_test_that_it_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sentences = SECTIONS.iter().flat_map(|section| section.sentences);
    for (id, file) in
        sentences.flat_map(|one| files(one.elsewhere.unwrap_or_default()).map(|file| (one.id, file)))
    {
        let its_crate: PathBuf = Path::new(file).iter().take(2).collect();
        if root.join(its_crate).is_dir() {
            assert!(root.join(file).is_file(), "{id} is said to be checked by {file}, which is not there");
        }
    }
}
