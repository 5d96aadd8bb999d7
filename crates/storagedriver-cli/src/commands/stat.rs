//! `stat`: what is at a path.

use std::fmt;

use serde::Serialize;

use super::Session;
use super::entry::{Entry, OrDash, Size, Style};
use crate::arguments::Stat;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

pub(crate) async fn run(arguments: Stat, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let info = storage.stat(&arguments.path).await?;
    session.output.record(&Described { entry: Entry::new(&info, Style::Key), human: arguments.human })?;
    Ok(Answer::Yes)
}

/// An entry on several lines.
#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip)]
    human: bool,
}

impl Record for Described {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let entry = &self.entry;
        writeln!(f, "path      {}", entry.path)?;
        writeln!(f, "kind      {}", entry.kind)?;
        writeln!(f, "size      {}", Size { size: entry.size, human: self.human })?;
        writeln!(f, "modified  {}", OrDash(entry.modified))?;
        write!(f, "version   {}", OrDash(entry.version.as_ref()))
    }
}
