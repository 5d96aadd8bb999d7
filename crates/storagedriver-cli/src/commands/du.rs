//! `du`: how much lies below a path.

use std::fmt;

use serde::Serialize;
use storagedriver_cli::usage::{Usage, UsageWalk};

use super::Session;
use super::entry::Size;
use crate::arguments::Du;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;
use crate::progress::Meter;

/// One directory, or a file that was named.
#[derive(Serialize)]
struct Line {
    key: String,
    path: String,
    depth: usize,
    /// Bytes.
    size: u64,
    files: u64,
    #[serde(skip)]
    human: bool,
}

impl Line {
    fn of(usage: &Usage, human: bool) -> Self {
        Line {
            key: usage.key.to_string(),
            path: usage.key.path().to_string(),
            depth: usage.depth,
            size: usage.bytes,
            files: usage.files,
            human,
        }
    }
}

impl Record for Line {
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        let size = Size { size: Some(self.size), human: self.human }.to_string();
        write!(f, "{size:>14}  {:>10}  ", self.files)?;
        super::entry::key(f, &self.key, paint)
    }
}

pub(crate) async fn run(arguments: Du, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let meter = Meter::files(&session.global);
    for path in &arguments.paths {
        let mut walk = UsageWalk::new(&storage, path, arguments.depth).await?;
        while let Some(usage) = walk.next(|info| meter.add(info.is_file().into())).await? {
            let line = Line::of(&usage, arguments.human);
            meter.suspend(|| session.output.record(&line))?;
        }
    }
    Ok(Answer::Yes)
}
