//! The book's page on the contract is the one that the table makes.

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
