//! One run of a subject's program, watched from outside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use super::gateway::Gateway;
use crate::project::Outcome;

/// The longest that a subject may take for one piece of work.
const LIMIT: Duration = Duration::from_secs(600);

/// What one piece of work took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// By the subject's own clock.
    pub(crate) nanoseconds: u64,
    /// How often the same was done.
    pub(crate) operations: u64,
    /// Of work in several parts: the name of each, and its nanoseconds.
    pub(crate) laps: Vec<(String, u64)>,
    /// That reached the server meanwhile; 0 where there is none.
    pub(crate) requests: u64,
    /// The most memory that its process had meanwhile, in bytes.
    pub(crate) peak_rss: u64,
}

/// Runs a program that says `ready`, waits for a line, says `done` with what it took, and waits again.
///
/// # Errors
/// It cannot be started, it fails, it takes too long, or the gateway does not answer.
pub(crate) fn measure(command: &mut Command, gateway: Option<&Gateway>) -> Outcome<Measured> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut run = Run::of(child.map_err(|error| format!("{:?}: {error}", command.get_program()))?)?;
    run.line("ready")?;
    // The peak of what came before does not count.
    fs::write(format!("/proc/{}/clear_refs", run.child.id()), "5")?;
    let count = || gateway.map_or(Ok(0), Gateway::requests);
    let before = count()?;
    run.proceed()?;
    let mut measured = took(&run.line("done ")?)?;
    measured.requests = count()?.saturating_sub(before);
    measured.peak_rss = peak(&fs::read_to_string(format!("/proc/{}/status", run.child.id()))?)?;
    run.proceed()?;
    run.end()?;
    Ok(measured)
}

/// What a program says it took.
fn took(text: &str) -> Outcome<Measured> {
    let said: Value = serde_json::from_str(text).map_err(|error| format!("`{text}`: {error}"))?;
    let number = |name: &str| {
        let number = said.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| format!("`{text}` has no `{name}`"))
    };
    let laps = said.get("laps").and_then(Value::as_object).into_iter().flatten();
    let laps = laps.filter_map(|(name, lap)| Some((name.clone(), lap.as_u64()?))).collect();
    let operations = number("operations")?;
    if operations == 0 {
        return Err(format!("`{text}`: it did nothing").into());
    }
    Ok(Measured { nanoseconds: number("nanoseconds")?, operations, laps, requests: 0, peak_rss: 0 })
}

/// A subject's process; killed when it is dropped.
struct Run {
    child: Child,
    lines: Receiver<String>,
}

impl Run {
    fn of(mut child: Child) -> Outcome<Self> {
        let output = child.stdout.take().ok_or("the output is a pipe")?;
        let (sender, lines) = channel();
        // A thread of its own: reading a pipe knows no time limit.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Run { child, lines })
    }

    /// What follows `word` in the next line.
    fn line(&mut self, word: &str) -> Outcome<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => match line.strip_prefix(word) {
                Some(rest) => Ok(rest.to_owned()),
                None => Err(format!("it says `{line}`, and not `{word}`").into()),
            },
            Err(RecvTimeoutError::Disconnected) => Err(format!("it ended before `{}`", word.trim()).into()),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("no `{}` within {} s", word.trim(), LIMIT.as_secs()).into())
            }
        }
    }

    fn proceed(&mut self) -> Outcome {
        let input = self.child.stdin.as_mut().ok_or("the input is a pipe")?;
        Ok(input.write_all(b"\n")?)
    }

    fn end(mut self) -> Outcome {
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("it ended: {status}").into()) }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The peak of the resident set in `/proc/PID/status`, in bytes.
fn peak(status: &str) -> Outcome<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("the kernel tells no VmHWM")?;
    Ok(kibibytes.trim().parse::<u64>()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read() {
        let status = "Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(peak(status).unwrap(), 2 << 20);
        assert!(peak("Name:\tx\n").is_err());
    }

    #[test]
    fn what_it_took_is_read() {
        let measured = took(r#"{"nanoseconds":70,"operations":2,"laps":{"read":30,"write":40}}"#).unwrap();
        assert_eq!((measured.nanoseconds, measured.operations), (70, 2));
        assert_eq!(measured.laps, [("read".to_owned(), 30), ("write".to_owned(), 40)]);
        assert!(took("70").is_err());
        let error = took(r#"{"nanoseconds":70,"operations":0,"laps":{}}"#).unwrap_err().to_string();
        assert!(error.ends_with("it did nothing"), "{error}");
    }

    #[test]
    fn a_program_that_says_something_else_fails() {
        let mut echo = Command::new("echo");
        let child = echo.arg("hello").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let error = Run::of(child).unwrap().line("ready").unwrap_err().to_string();
        assert_eq!(error, "it says `hello`, and not `ready`");
    }

    #[test]
    fn a_program_that_ends_is_not_waited_for() {
        let child = Command::new("false").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let error = Run::of(child).unwrap().line("done ").unwrap_err().to_string();
        assert_eq!(error, "it ended before `done`");
    }
}
