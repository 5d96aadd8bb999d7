//! `drivers`: what is linked into this program.

use std::fmt;

use serde::Serialize;
use storagedriver::parameters::{Kind, Note, Parameter, ParameterTable, Presence};
use storagedriver::{Factory, Registration};

use super::Session;
use crate::arguments::Drivers;
use crate::failure::{Answer, Failure};
use crate::output::{Output, Record};
use crate::paint::Paint;
use crate::wrap::wrapped;

pub(crate) fn run(arguments: &Drivers, session: &mut Session) -> Result<Answer, Failure> {
    let factory = Factory::linked();
    let Some(name) = &arguments.name else {
        return all(&factory, arguments.markdown, &mut session.output);
    };
    let Some(driver) = factory.find(name)? else {
        let names: Vec<_> = factory.registered().iter().map(|driver| driver.name).collect();
        let reason =
            format!("no driver named {name:?} is linked into this program; there are: {}", names.join(", "));
        return Err(Failure::Usage(reason));
    };
    if arguments.markdown {
        session.output.bytes(driver.table.to_markdown().as_bytes())?;
    } else if session.output.json() {
        parameters(driver.table, &mut session.output)?;
    } else {
        session.output.line(format_args!("{}: {}\n", driver.name, driver.summary))?;
        let table = driver.table.to_string();
        let table = session.output.width().map_or_else(|| table.clone(), |width| wrapped(&table, width));
        session.output.bytes(table.as_bytes())?;
    }
    Ok(Answer::Yes)
}

/// One linked driver.
#[derive(Serialize)]
struct Driver<'a> {
    name: &'a str,
    summary: &'a str,
    #[serde(rename = "crate")]
    crate_name: &'a str,
    version: &'a str,
    /// How wide the names are, for columns.
    #[serde(skip)]
    width: usize,
}

impl Record for Driver<'_> {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let width = self.width;
        write!(f, "{:width$}  {} ({} {})", self.name, self.summary, self.crate_name, self.version)
    }
}

fn all(factory: &Factory, markdown: bool, output: &mut Output) -> Result<Answer, Failure> {
    let drivers: Vec<Registration> = factory.registered();
    let width = drivers.iter().map(|driver| driver.name.len()).max().unwrap_or_default();
    if markdown {
        output.line("| Driver | Summary | Crate |\n|---|---|---|")?;
    }
    for Registration { name, summary, crate_name, crate_version: version, .. } in drivers {
        if markdown {
            output.line(format_args!("| `{name}` | {summary} | `{crate_name}` {version} |"))?;
        } else {
            output.record(&Driver { name, summary, crate_name, version, width })?;
        }
    }
    Ok(Answer::Yes)
}

/// One parameter in JSON.
#[derive(Default, Serialize)]
struct ParameterObject {
    name: &'static str,
    kind: &'static str,
    /// What is allowed, in words.
    allowed: String,
    required: bool,
    required_unless: Option<&'static str>,
    default: Option<&'static str>,
    secret: bool,
    description: String,
    aliases: &'static [&'static str],
    deprecated: Option<&'static str>,
}

impl ParameterObject {
    fn of(parameter: &Parameter) -> Self {
        let (required, required_unless, default) = match parameter.presence {
            Presence::Required => (true, None, None),
            Presence::RequiredUnless(other) => (false, Some(other), None),
            Presence::Default(text) => (false, None, Some(text)),
            _ => (false, None, None),
        };
        ParameterObject {
            name: parameter.name,
            kind: kind(&parameter.kind),
            allowed: parameter.kind.to_string(),
            required,
            required_unless,
            default,
            secret: matches!(parameter.kind, Kind::Secret),
            description: parameter.summary(),
            aliases: parameter.aliases,
            deprecated: parameter.deprecated,
        }
    }

    /// A name that is accepted without effect, or refused.
    fn note(note: &Note, kind: &'static str) -> Self {
        ParameterObject { name: note.name, kind, description: note.reason.to_owned(), ..Self::default() }
    }
}

fn parameters(table: &ParameterTable, output: &mut Output) -> Result<(), Failure> {
    for parameter in table.parameters {
        output.object(&ParameterObject::of(parameter))?;
    }
    for note in table.ignored {
        output.object(&ParameterObject::note(note, "ignored"))?;
    }
    for note in table.refused {
        output.object(&ParameterObject::note(note, "refused"))?;
    }
    Ok(())
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Bool => "bool",
        Kind::Integer { .. } => "integer",
        Kind::Bytes { .. } => "bytes",
        Kind::Duration { .. } => "duration",
        Kind::Choice(_) => "choice",
        Kind::List => "list",
        Kind::Map => "map",
        Kind::Secret => "secret",
        Kind::Path => "path",
        Kind::Limit { .. } => "limit",
        _ => "other",
    }
}
