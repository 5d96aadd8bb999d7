//! `--metrics`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;

use crate::run::{Store, end, program, run};

/// A run that goes on until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(url: &str) -> String {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    write!(client, "GET /{path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    page.to_owned()
}

#[test]
fn a_run_can_be_scraped_while_it_goes_on() {
    let (from, to) = (Store::with(&["/first"]), Store::new());
    // At this rate it takes hours.
    from.file("/large", &vec![7; 64 << 20]);
    let mut sync = program(["sync", &from.argument(), &to.argument(), "--bandwidth", "4096"]);
    let mut child = sync.args(["--metrics", "127.0.0.1:0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let _running = Running(child);
    let url = line.trim_end().strip_prefix("storagedriver: metrics at ").unwrap_or_else(|| panic!("{line}"));
    // Until it has come to the large file; a minute at most.
    let come = || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Some(get(url)).filter(|page| page.contains("\nstoragedriver_run_files_total 2\n"))
    };
    let page = (0..1200).find_map(|_| come()).expect("the run does not come to its second file");
    for line in [
        "# TYPE registry_storage_action_seconds histogram",
        "# HELP registry_storage_action_seconds Duration of storage operations",
        "# TYPE storagedriver_run_copied_total counter",
        "storagedriver_run_faults_total 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}: {page}");
    }
    assert!(page.contains("registry_storage_action_seconds_count{driver=\"filesystem\",action="), "{page}");
}

#[test]
fn json_tells_where_the_metrics_are_and_the_summary_comes_last() {
    let (from, to) = (Store::with(&["/a"]), Store::new());
    for command in [&["sync", &from.argument(), &to.argument()][..], &["verify", &to.argument()]] {
        let mut command = program(command);
        let text = end(command.args(["--metrics", "127.0.0.1:0", "--json"]), b"").ok();
        let lines = crate::run::objects(&text);
        assert_eq!(lines[0]["event"], "metrics");
        assert!(lines[0]["url"].as_str().unwrap().ends_with("/metrics"), "{text}");
        assert_eq!(lines.last().unwrap()["event"], "summary");
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let store = Store::with(&["/a"]);
    let message = run(&["verify", &store.argument(), "--metrics", &address]).failed(3);
    assert!(message.contains(&format!("serving metrics at {address}")), "{message}");
    run(&["verify", &store.argument(), "--metrics", "here"]).failed(2);
}
