//! The arguments of an executable that is started by hand. What they hold is never shown: it may be a secret.

use std::ffi::OsString;
use std::path::PathBuf;

use storagedriver::{Parameters, Registration};

use super::parameters;

#[derive(Debug)]
pub(super) enum Arguments {
    Help,
    Version,
    Asked(Asked),
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) parameters: Parameters,
    pub(super) socket: Option<PathBuf>,
}

/// What was asked for.
///
/// # Errors
/// What cannot be understood, with a hint.
pub(super) fn parse(words: Vec<OsString>) -> Result<Arguments, String> {
    let mut asked = Asked::default();
    let mut has_parameters = false;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--help" | "-h") => return Ok(Arguments::Help),
            Some("--version" | "-V") => return Ok(Arguments::Version),
            Some("--socket") => {
                let path = words.next().filter(|path| !path.is_empty());
                asked.socket = Some(path.ok_or("--socket needs a path; see --help")?.into());
            }
            Some(text) if text.starts_with("--socket=") => {
                let path = text.trim_start_matches("--socket=");
                if path.is_empty() {
                    return Err("--socket needs a path; see --help".to_owned());
                }
                asked.socket = Some(path.into());
            }
            Some(text) if text.starts_with('-') => {
                let name = text.split_once('=').map_or(text, |(name, _)| name);
                let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && name.len() <= 32;
                let shown = if is_plain { format!(": {name}") } else { String::new() };
                return Err(format!("an option that it does not have{shown}; see --help"));
            }
            _ if has_parameters => {
                return Err("more than one argument with parameters; see --help".to_owned());
            }
            text => {
                let text = text.ok_or("the parameters are not UTF-8")?;
                asked.parameters = parameters::parse(text)?;
                has_parameters = true;
            }
        }
    }
    Ok(Arguments::Asked(asked))
}

/// What `--help` prints.
pub(super) fn help(driver: &Registration) -> String {
    let name = driver.name;
    let mut text = format!(
        "\
registry-storage-{name}: {}, as a process of its own.

A program that uses storage drivers starts it by itself. By hand:

    registry-storage-{name} ['{{\"parameter\": \"value\", …}}'] [--socket PATH]

opens the driver, prints the path of a Unix socket on which it serves, and ends by SIGINT or SIGTERM. Without --socket
that is in a new private directory. Every user of the machine can read the arguments: no secrets there.

    --help      this text
    --version   the driver, and the crate that it is from

Parameters:
",
        driver.summary
    );
    for parameter in driver.table.parameters {
        text.push_str(&format!("    {:<28}{}\n", parameter.name, parameter.summary()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Arguments, String> {
        parse(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn a_map_and_a_socket_in_any_order() {
        let asked = |words: &[&str]| match parsed(words) {
            Ok(Arguments::Asked(asked)) => asked,
            other => panic!("{other:?}"),
        };
        assert_eq!(asked(&[]), Asked::default());
        let both = asked(&["--socket", "/run/s", r#"{"rootdirectory": "/srv"}"#]);
        assert_eq!(both, asked(&[r#"{"rootdirectory": "/srv"}"#, "--socket=/run/s"]));
        assert_eq!(both.socket, Some(PathBuf::from("/run/s")));
        assert_eq!(both.parameters.iter().count(), 1);
        assert!(matches!(parsed(&["--help"]), Ok(Arguments::Help)));
        assert!(matches!(parsed(&["{}", "--version"]), Ok(Arguments::Version)));
    }

    #[test]
    fn what_cannot_be_understood_is_said_without_showing_it() {
        for (words, part) in [
            (&["--secret-key=hunter2"][..], "--secret-key"),
            (&["--HUNTER2"], "does not have"),
            (&["--socket"], "needs a path"),
            (&["--socket="], "needs a path"),
            (&["{}", "hunter2"], "more than one"),
            (&["hunter2"], "JSON"),
            (&[r#"{"secretkey": "hunter2""#], "column"),
            (&[r#"["hunter2"]"#], "map"),
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(part) && !error.to_lowercase().contains("hunter2"), "{error}");
        }
    }
}
