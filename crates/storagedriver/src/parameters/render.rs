//! The table as text and as markdown.

use std::fmt::{self, Write as _};

use super::duration::Shown;
use super::size::Size;
use super::{Kind, Parameter, ParameterTable, Presence};

impl fmt::Display for Kind {
    /// What is allowed, as messages and tables say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Kind::String => f.write_str("a string"),
            Kind::Bool => f.write_str("true or false"),
            Kind::Integer { min: i64::MIN, max: i64::MAX } => f.write_str("an integer"),
            Kind::Integer { min, max: i64::MAX } => write!(f, "an integer, at least {min}"),
            Kind::Integer { min: i64::MIN, max } => write!(f, "an integer, at most {max}"),
            Kind::Integer { min, max } => write!(f, "an integer from {min} to {max}"),
            Kind::Bytes { min: 0, max: u64::MAX } => f.write_str("a size, such as 10485760 or 10 MiB"),
            Kind::Bytes { min, max: u64::MAX } => {
                write!(f, "a size, such as 10485760 or 10 MiB, at least {}", Size(min))
            }
            Kind::Bytes { min, max } => {
                write!(f, "a size, such as 10485760 or 10 MiB, from {} to {}", Size(min), Size(max))
            }
            Kind::Duration { min, max } => {
                f.write_str("a duration with its unit, such as 20m or 1h30m")?;
                match (min.is_zero(), max == std::time::Duration::MAX) {
                    (true, true) => Ok(()),
                    (false, true) => write!(f, ", at least {}", Shown(min)),
                    (_, false) => write!(f, ", from {} to {}", Shown(min), Shown(max)),
                }
            }
            Kind::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            Kind::List => f.write_str("a list of strings"),
            Kind::Map => f.write_str("a map"),
            Kind::Secret => f.write_str("a string, kept secret"),
            Kind::Path => f.write_str("a path of this machine"),
            Kind::Limit { min } => write!(f, "an integer; raised to {min} if below"),
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Presence::Optional => f.write_str("optional"),
            Presence::Required => f.write_str("required"),
            Presence::RequiredUnless(other) => write!(f, "required unless {other} is given"),
            Presence::Default("") => f.write_str("default: empty"),
            Presence::Default(text) => write!(f, "default: {text}"),
        }
    }
}

/// What a parameter does, with its other names and its deprecation.
fn description(parameter: &Parameter) -> String {
    let mut text = parameter.summary();
    if !parameter.aliases.is_empty() {
        let _ = write!(text, " Also accepted as {}.", parameter.aliases.join(", "));
    }
    if let Some(note) = parameter.deprecated {
        let _ = write!(text, " Deprecated: {note}");
    }
    text.trim_start().to_owned()
}

impl fmt::Display for ParameterTable {
    /// For a terminal: a paragraph for each parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parameters.is_empty() {
            writeln!(f, "no parameters")?;
        }
        for parameter in self.parameters {
            writeln!(f, "{}", parameter.name)?;
            writeln!(f, "    {}; {}", parameter.kind, parameter.presence)?;
            let text = description(parameter);
            if !text.is_empty() {
                writeln!(f, "    {text}")?;
            }
        }
        for note in self.ignored {
            writeln!(f, "{}\n    accepted without effect: {}", note.name, note.reason)?;
        }
        for note in self.refused {
            writeln!(f, "{}\n    refused: {}", note.name, note.reason)?;
        }
        Ok(())
    }
}

/// A cell must not end early.
fn cell(text: impl fmt::Display) -> String {
    text.to_string().replace('|', "\\|").replace('\n', " ")
}

impl ParameterTable {
    /// A markdown table, for the documentation page of the driver.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("| Parameter | Allowed | Default | Meaning |\n|---|---|---|---|\n");
        for parameter in self.parameters {
            let default = match parameter.presence {
                Presence::Default("") => "empty".to_owned(),
                Presence::Default(text) => format!("`{}`", cell(text)),
                Presence::Optional => "none".to_owned(),
                required => cell(required),
            };
            let (allowed, text) = (cell(parameter.kind), cell(description(parameter)));
            let _ = writeln!(out, "| `{}` | {allowed} | {default} | {text} |", cell(parameter.name));
        }
        for note in self.ignored {
            let _ = writeln!(
                out,
                "| `{}` | anything | none | Accepted without effect: {} |",
                note.name,
                cell(note.reason)
            );
        }
        for note in self.refused {
            let _ = writeln!(out, "| `{}` | refused | none | {} |", note.name, cell(note.reason));
        }
        out
    }
}
