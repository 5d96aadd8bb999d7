//! The conformance report: one line of JSON per case.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use crate::Outcome;

/// Names the file to which each case appends its line.
pub const REPORT_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_REPORT";

/// Names the server that the driver was run against, for the report; unset: `in-process`.
pub const SERVER_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_SERVER";

/// Appends a line to the report, if one is asked for.
pub(crate) fn append(driver: &str, case: &str, outcome: &Outcome) {
    let Some(file) = std::env::var_os(REPORT_VARIABLE) else { return };
    let server = std::env::var(SERVER_VARIABLE).unwrap_or_else(|_| "in-process".to_owned());
    let line = line(driver, &server, case, outcome);
    // One write call, so that lines of tests that run at once do not mix.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut report| report.write_all(line.as_bytes()));
    if let Err(error) = written {
        say(&format!("{case}: the report {} could not be written: {error}", file.display()));
    }
}

/// Prints past the capturing of test output, which hides what `eprintln!` prints.
pub(crate) fn say(text: &str) {
    // Nothing can be done about a standard error that is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn line(driver: &str, server: &str, case: &str, outcome: &Outcome) -> String {
    let fields = [
        ("driver", driver),
        ("server", server),
        ("case", case),
        ("outcome", outcome.as_str()),
        ("reason", outcome.reason()),
    ];
    let quoted: Vec<String> =
        fields.iter().map(|(key, value)| format!("\"{key}\":{}", json(value))).collect();
    format!("{{{}}}\n", quoted.join(","))
}

/// A JSON string.
fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let outcome = Outcome::Fail("found \"a\\b\"\n\u{1}".to_owned());
        assert_eq!(
            line("inmemory", "in-process", "content::x", &outcome),
            "{\"driver\":\"inmemory\",\"server\":\"in-process\",\"case\":\"content::x\",\
             \"outcome\":\"fail\",\"reason\":\"found \\\"a\\\\b\\\"\\n\\u0001\"}\n"
        );
    }
}
