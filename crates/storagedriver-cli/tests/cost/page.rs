//! The tables of `docs/cost.md`. `STORAGEDRIVER_WRITE_DOCS=1 cargo test -p storagedriver-cli --test cost` writes them
//! anew.

use std::fmt::Write;
use std::path::Path;

use crate::formulas::{Requests, Shape, compare, copy_from, copy_to, verify, verify_links, walk};

/// The registry that the page is about: 20 million files, 40 TB. A million images, each with a manifest, a
/// configuration, ten references in all, a tag.
const SHAPE: Shape = Shape {
    small_blobs: 5_500_000,
    large_blobs: 500_000,
    parts: 3_000_000,
    manifests: 1_000_000,
    references: 10_000_000,
    layer_links: 10_000_000,
    tags: 1_000_000,
    repositories: 10_000,
};

/// Bytes of all blobs.
const BYTES: f64 = 40e12;

/// A whole number with commas.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as a person would say it.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

/// What is done, with the requests at each storage that it takes.
fn operations() -> Vec<(&'static str, Requests)> {
    vec![
        ("walk", walk(&SHAPE)),
        ("`sync` to an empty storage: source", copy_from(&SHAPE)),
        ("`sync` to an empty storage: destination, at most", copy_to(&SHAPE)),
        ("`sync --dry-run`, nothing to do: each side", compare(&SHAPE)),
        ("`verify`", verify(&SHAPE)),
        ("`verify --links-only`", verify_links(&SHAPE)),
    ]
}

fn contents() -> String {
    let mut text = "| files | number |\n| --- | ---: |\n".to_owned();
    for (what, count) in [
        ("blobs below a part of 10 MiB, configurations included", SHAPE.small_blobs),
        ("larger blobs, of six parts each", SHAPE.large_blobs),
        ("manifests", SHAPE.manifests),
        ("links to layers and configurations, ten for each manifest", SHAPE.layer_links),
        ("links to revisions", SHAPE.manifests),
        ("tags, two files each", 2 * SHAPE.tags),
        ("together", SHAPE.files()),
        ("directories they imply, in 10,000 repositories", SHAPE.directories(256)),
    ] {
        writeln!(text, "| {what} | {} |", number(count)).unwrap();
    }
    text
}

fn requests() -> String {
    let mut text =
        "| | LIST | GET | HEAD | PUT, POST | DELETE |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    for (what, requests) in operations() {
        let Requests { list, get, head, put, delete } = requests;
        let [list, get, head, put, delete] = [list, get, head, put, delete].map(number);
        writeln!(text, "| {what} | {list} | {get} | {head} | {put} | {delete} |").unwrap();
    }
    text
}

/// Pages of a walk come one after another; all else is spread over the transfers.
fn seconds(requests: Requests, latency: f64, transfers: f64) -> f64 {
    let pages = walk(&SHAPE).list;
    let rest = requests.total().saturating_sub(pages) as f64 * latency / transfers;
    rest.max(pages as f64 * latency)
}

fn times() -> String {
    let cases = [(0.02, 8.0), (0.02, 64.0), (0.02, 256.0), (0.1, 256.0)];
    let mut text = "| |".to_owned();
    for (latency, transfers) in cases {
        write!(text, " {} ms, {transfers} transfers |", latency * 1000.0).unwrap();
    }
    text.push_str("\n| --- | ---: | ---: | ---: | ---: |\n");
    let copy = copy_from(&SHAPE) + copy_to(&SHAPE);
    let both = Requests { list: walk(&SHAPE).list, get: 2 * SHAPE.tags, ..Requests::default() };
    for (what, requests) in [
        ("walk", walk(&SHAPE)),
        ("`sync` to an empty storage", copy),
        ("`sync --dry-run`, nothing to do", both),
        ("`verify`", verify(&SHAPE)),
        ("`verify --links-only`", verify_links(&SHAPE)),
    ] {
        write!(text, "| {what} |").unwrap();
        for (latency, transfers) in cases {
            write!(text, " {} |", duration(seconds(requests, latency, transfers))).unwrap();
        }
        text.push('\n');
    }
    text
}

fn bytes() -> String {
    let mut text = "| bytes in a second | 40 TB take |\n| --- | ---: |\n".to_owned();
    for (name, rate) in [("1 Gbit/s", 0.125e9), ("10 Gbit/s", 1.25e9), ("100 Gbit/s", 12.5e9)] {
        writeln!(text, "| {name} | {} |", duration(BYTES / rate)).unwrap();
    }
    text
}

fn files() -> String {
    let directories = SHAPE.directories(256);
    let reads = verify_links(&SHAPE).get;
    let mut text = "| | directories read | files looked at | files opened | files written |\n\
                    | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for (what, opened, written) in [
        ("walk", 0, 0),
        ("`sync` from a filesystem", SHAPE.files(), 0),
        ("`sync` to an empty filesystem", SHAPE.manifests, SHAPE.files()),
        ("`sync --dry-run`, nothing to do: each side", SHAPE.tags, 0),
        ("`verify`", verify(&SHAPE).get, 0),
        ("`verify --links-only`", reads, 0),
    ] {
        let empty = what.starts_with("`sync` to");
        let [directories, looked_at] =
            if empty { [0, copy_to(&SHAPE).head] } else { [directories, SHAPE.files()] };
        let [directories, looked_at, opened, written] = [directories, looked_at, opened, written].map(number);
        writeln!(text, "| {what} | {directories} | {looked_at} | {opened} | {written} |").unwrap();
    }
    text
}

#[test]
fn the_page_says_what_the_formulas_do() {
    assert_eq!(SHAPE.files(), 20_000_000);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cost.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut fresh = page.clone();
    for (name, table) in [
        ("contents", contents()),
        ("requests", requests()),
        ("times", times()),
        ("bytes", bytes()),
        ("files", files()),
    ] {
        let (begin, end) = (format!("<!-- cost:{name} -->\n"), format!("<!-- /cost:{name} -->"));
        let start = fresh.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
        let end = fresh.find(&end).unwrap_or_else(|| panic!("no {end}"));
        fresh.replace_range(start..end, &format!("\n{table}\n"));
    }
    if std::env::var_os("STORAGEDRIVER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    assert!(
        std::env::var_os("STORAGEDRIVER_WRITE_DOCS").is_some() || page == fresh,
        "docs/cost.md is not what the formulas say; STORAGEDRIVER_WRITE_DOCS=1 writes it anew"
    );
}
