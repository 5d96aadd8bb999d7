//! `tree`: directories and files as a drawing.

use std::env;
use std::fmt;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use storagedriver::{FileInfo, Storage};

use super::Session;
use super::entry::{self, Entry, Size, Style};
use super::ls;
use crate::arguments::Tree;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

/// How many files of a directory are asked for their size at once.
const ASKED_AT_ONCE: usize = 16;

/// What a branch is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Strokes {
    /// Before a name that others follow, and before the last one.
    branch: &'static str,
    last: &'static str,
    /// Below a directory that others follow, and below the last one.
    through: &'static str,
    blank: &'static str,
}

const ASCII: Strokes = Strokes { branch: "|-- ", last: "`-- ", through: "|   ", blank: "    " };
const LINES: Strokes = Strokes { branch: "├── ", last: "└── ", through: "│   ", blank: "    " };

impl Strokes {
    /// Lines only where a terminal shows them: what reads a pipe finds the same everywhere.
    fn fitting(terminal: bool) -> Self {
        // The first that is set and not empty decides, as POSIX has it.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .filter_map(|name| env::var(name).ok())
            .find(|value| !value.is_empty());
        Self::of(terminal, locale.as_deref().unwrap_or_default())
    }

    fn of(terminal: bool, locale: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        if terminal && (locale.contains("utf-8") || locale.contains("utf8")) { LINES } else { ASCII }
    }
}

/// An entry, and where in the drawing it stands.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    entry: Entry,
    /// How many levels below where the drawing begins; 1 for its children.
    depth: usize,
    #[serde(skip)]
    drawn: String,
    /// Whether and how sizes show.
    #[serde(skip)]
    style: Style,
}

impl Record for Line {
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        f.write_str(&self.drawn)?;
        if let Style::Long { human } = self.style {
            let size = if self.entry.kind == "directory" { None } else { self.entry.size };
            write!(f, "[{:>12}]  ", Size { size, human }.to_string())?;
        }
        entry::key(f, name(&self.entry.key), paint)
    }
}

/// The last component of a key, with the `/` of a directory.
fn name(key: &str) -> &str {
    let end = key.strip_suffix('/').unwrap_or(key);
    end.rfind('/').and_then(|slash| key.get(slash + 1..)).unwrap_or(key)
}

/// The last line.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    directories: u64,
    files: u64,
    /// Bytes; `None` where sizes were not asked for.
    size: Option<u64>,
    #[serde(skip)]
    human: bool,
}

impl Summary {
    fn count(&mut self, info: &FileInfo) {
        if info.is_dir() {
            self.directories += 1;
        }
        if info.is_file() {
            self.files += 1;
            let size = info.size().unwrap_or_default();
            self.size = self.size.map(|sum| sum.saturating_add(size));
        }
    }
}

impl Record for Summary {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let directories = if self.directories == 1 { "directory" } else { "directories" };
        let files = if self.files == 1 { "file" } else { "files" };
        write!(f, "\n{} {directories}, {} {files}", self.directories, self.files)?;
        if self.size.is_some() {
            let unit = if self.human { "" } else { " bytes" };
            write!(f, ", {}{unit}", Size { size: self.size, human: self.human })?;
        }
        Ok(())
    }
}

/// A directory that is being drawn.
struct Level {
    children: std::vec::IntoIter<FileInfo>,
    /// What stands to the left of its children's branches.
    margin: String,
}

pub(crate) async fn run(arguments: Tree, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let style = Style::from(&arguments.sizes);
    let strokes = Strokes::fitting(session.output.terminal());
    let sized = style != Style::Key;
    let mut summary = Summary {
        event: "summary",
        directories: 0,
        files: 0,
        size: sized.then_some(0),
        human: arguments.sizes.human,
    };
    let most = arguments.depth.unwrap_or(usize::MAX);

    let first = children(&storage, &arguments.path, sized).await?;
    if !session.output.json() {
        let start = format!("{}/", arguments.path.trim_end_matches('/'));
        session.output.line(session.output.paint().directory(start))?;
    }
    let mut levels = vec![Level { children: first.into_iter(), margin: String::new() }];
    while let Some(level) = levels.last_mut() {
        let Some(info) = level.children.next() else {
            levels.pop();
            continue;
        };
        let is_last = level.children.len() == 0;
        let (branch, below) =
            if is_last { (strokes.last, strokes.blank) } else { (strokes.branch, strokes.through) };
        let (drawn, margin) = (format!("{}{branch}", level.margin), format!("{}{below}", level.margin));
        let depth = levels.len();
        summary.count(&info);
        session.output.record(&Line { entry: Entry::new(&info, style), depth, drawn, style })?;
        if info.is_dir() && depth < most {
            let children = match children(&storage, info.path().as_str(), sized).await {
                // Gone since the directory above was listed.
                Err(Failure::Storage(error)) if error.is_not_found() => Vec::new(),
                children => children?,
            };
            levels.push(Level { children: children.into_iter(), margin });
        }
    }
    session.output.record(&summary)?;
    Ok(Answer::Yes)
}

/// What is directly below a directory, with its size where that is wanted. All of it before the
/// first line of it is drawn: which is the last must be known by then.
async fn children(storage: &Storage, path: &str, sized: bool) -> Result<Vec<FileInfo>, Failure> {
    let listed = storage.list(path).await?;
    if !sized {
        return Ok(listed);
    }
    stream::iter(listed)
        .map(|info| ls::complete(storage, info))
        .buffered(ASKED_AT_ONCE)
        .try_filter_map(|info| async { Ok(info) })
        .try_collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_only_on_a_terminal_that_shows_them() {
        assert_eq!(Strokes::of(true, "en_GB.UTF-8"), LINES);
        assert_eq!(Strokes::of(true, "C.utf8"), LINES);
        assert_eq!(Strokes::of(true, "C"), ASCII);
        assert_eq!(Strokes::of(true, ""), ASCII);
        assert_eq!(Strokes::of(false, "en_GB.UTF-8"), ASCII);
    }

    #[test]
    fn the_name_of_a_key_is_its_end() {
        assert_eq!(name("/a/b"), "b");
        assert_eq!(name("/a/b/"), "b/");
        assert_eq!(name("/a"), "a");
        assert_eq!(name("/"), "/");
    }
}
