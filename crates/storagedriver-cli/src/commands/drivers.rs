//! `drivers`: what is linked into this program, drivers and middleware.

use std::fmt;

use serde::Serialize;
use storagedriver::parameters::{Kind, Note, Parameter, ParameterTable, Presence};
use storagedriver::{Factory, MiddlewareRegistration, Registration};

use super::Session;
use crate::arguments::Drivers;
use crate::failure::{Answer, Failure};
use crate::linked::NotBuilt;
use crate::output::{Output, Record};
use crate::paint::Paint;
use crate::wrap::wrapped;

pub(crate) fn run(arguments: &Drivers, session: &mut Session) -> Result<Answer, Failure> {
    let factory = Factory::linked();
    let Some(name) = &arguments.name else {
        return all(&factory, arguments.markdown, &mut session.output);
    };
    let Some((table, summary)) = described(&factory, name)? else {
        if let Some(missing) = NotBuilt::any(name) {
            return Err(missing.into());
        }
        let names: Vec<_> = linked(&factory)?.iter().map(|linked| linked.name).collect();
        let reason =
            format!("no driver named {name:?} is linked into this program; there are: {}", names.join(", "));
        return Err(Failure::Usage(reason));
    };
    if arguments.markdown {
        session.output.bytes(table.to_markdown().as_bytes())?;
    } else if session.output.json() {
        parameters(table, &mut session.output)?;
    } else {
        session.output.line(format_args!("{name}: {summary}\n"))?;
        let table = table.to_string();
        let table = session.output.width().map_or_else(|| table.clone(), |width| wrapped(&table, width));
        session.output.bytes(table.as_bytes())?;
    }
    Ok(Answer::Yes)
}

/// The parameters of a driver or a middleware, and what it is.
fn described(
    factory: &Factory,
    name: &str,
) -> Result<Option<(&'static ParameterTable, &'static str)>, Failure> {
    if let Some(driver) = factory.find(name)? {
        return Ok(Some((driver.table, driver.summary)));
    }
    Ok(factory.find_middleware(name)?.map(|middleware| (middleware.table, middleware.summary)))
}

/// One linked driver or middleware.
#[derive(Serialize)]
struct Linked {
    name: &'static str,
    /// `driver` or `middleware`.
    kind: &'static str,
    summary: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    version: &'static str,
    /// How wide the names are, for columns.
    #[serde(skip)]
    width: usize,
}

impl Record for Linked {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let width = self.width;
        let kind = if self.kind == MIDDLEWARE { "middleware: " } else { "" };
        write!(f, "{:width$}  {kind}{} ({} {})", self.name, self.summary, self.crate_name, self.version)
    }
}

const MIDDLEWARE: &str = "middleware";

/// The drivers by name, then the middleware by name.
fn linked(factory: &Factory) -> Result<Vec<Linked>, Failure> {
    let mut linked = Vec::new();
    for Registration { name, summary, crate_name, crate_version: version, .. } in factory.registered() {
        linked.push(Linked { name, kind: "driver", summary, crate_name, version, width: 0 });
    }
    for name in factory.middleware_names() {
        if let Some(MiddlewareRegistration { summary, crate_name, crate_version: version, .. }) =
            factory.find_middleware(name)?
        {
            linked.push(Linked { name, kind: MIDDLEWARE, summary, crate_name, version, width: 0 });
        }
    }
    let width = linked.iter().map(|linked| linked.name.len()).max().unwrap_or_default();
    linked.iter_mut().for_each(|linked| linked.width = width);
    Ok(linked)
}

fn all(factory: &Factory, markdown: bool, output: &mut Output) -> Result<Answer, Failure> {
    if markdown {
        output.line("| Name | Kind | Summary | Crate |\n|---|---|---|---|")?;
    }
    for linked in linked(factory)? {
        if markdown {
            let Linked { name, kind, summary, crate_name, version, .. } = linked;
            output.line(format_args!("| `{name}` | {kind} | {summary} | `{crate_name}` {version} |"))?;
        } else {
            output.record(&linked)?;
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
