//! The names of what is staged.
//!
//! What an upload to `/a/b` consists of lies in the directory `~staging/a/b`: segments, each a file
//! that one writer wrote and that is never touched again, and one empty directory whose name is the
//! state of the upload as it was last closed. Renaming that directory is what closing is. Content on
//! its way by `put_content` is one file in `~staging` itself, its path in its name, `~` for `/`.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use storagedriver::StoragePath;

use crate::version::{FileVersion, sequence};

/// The directory below the root that all of it lies in.
pub(crate) const STAGING: &str = "~staging";

/// The longest name that a NameNode takes, by its default.
pub(crate) const LONGEST_NAME: usize = 255;

/// A number that no other has.
pub(crate) fn unique() -> u64 {
    let mut random = RandomState::new().build_hasher();
    random.write_u32(std::process::id());
    random.write_u64(sequence(0));
    // Zero stands for none.
    random.finish().max(1)
}

/// The name that says how an upload was closed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// The upload, from its beginning to its end.
    pub(crate) upload: u64,
    /// When it was closed, in nanoseconds since 1970; grows from one close to the next.
    pub(crate) sequence: u64,
    /// At how many bytes.
    pub(crate) length: u64,
    /// The last of its segments; zero if there is none.
    pub(crate) last: u64,
    /// The segment that a commit publishes, from before it does; zero while there is no commit. Once
    /// that is gone from its place, the upload has ended.
    pub(crate) whole: u64,
    /// The committed content that it began with.
    pub(crate) base: Option<FileVersion>,
}

impl State {
    /// The same upload, closed now.
    pub(crate) fn closed(self, length: u64, last: u64) -> Self {
        State { sequence: sequence(self.sequence), length, last, whole: 0, ..self }
    }

    /// The same upload as it was closed, with a commit under way that publishes a segment.
    pub(crate) fn committing(self, whole: u64) -> Self {
        State { sequence: sequence(self.sequence), whole, ..self }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { upload, sequence, length, last, whole, base } = self;
        write!(f, "~{upload:016x}.{sequence:016x}.{length}.{last:016x}.{whole:016x}")?;
        match base {
            Some(base) => write!(f, ".{}", base.to_text()),
            None => Ok(()),
        }
    }
}

/// The name of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) upload: u64,
    /// The writer that wrote it.
    pub(crate) writer: u64,
    /// The segment before it; zero if it is the first.
    pub(crate) before: u64,
    /// Whether a writer that resumed the upload took it from a commit that was under way, so that it cannot
    /// be published any more.
    pub(crate) taken: bool,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.taken { "taken" } else { "segment" };
        write!(f, "~{:016x}.{:016x}.{:016x}.{kind}", self.upload, self.writer, self.before)
    }
}

/// What a name below the staging place stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    State(State),
    Segment(Segment),
    /// Content on its way.
    Passing,
}

fn number(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok())?
}

impl Name {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix('~')?.splitn(7, '.').collect();
        Some(match parts.as_slice() {
            [id, "passing"] => {
                number(id)?;
                Name::Passing
            }
            [upload, writer, before, kind @ ("segment" | "taken")] => Name::Segment(Segment {
                upload: number(upload)?,
                writer: number(writer)?,
                before: number(before)?,
                taken: *kind == "taken",
            }),
            [upload, sequence, length, last, whole, base @ ..] => Name::State(State {
                upload: number(upload)?,
                sequence: number(sequence)?,
                length: length.parse().ok()?,
                last: number(last)?,
                whole: number(whole)?,
                base: match base {
                    [] => None,
                    [base] => Some(FileVersion::parse(base)?),
                    _ => return None,
                },
            }),
            _ => return None,
        })
    }

    /// The upload that a name belongs to.
    pub(crate) fn upload(self) -> Option<u64> {
        match self {
            Name::State(state) => Some(state.upload),
            Name::Segment(segment) => Some(segment.upload),
            Name::Passing => None,
        }
    }
}

/// A name for content on its way to `path`, if it fits into one name; else one without the path.
pub(crate) fn passing(path: &StoragePath) -> (String, bool) {
    let short = format!("~{:016x}.passing", unique());
    let long = format!("{short}{}", path.as_str().replace('/', "~"));
    if long.len() <= LONGEST_NAME { (long, true) } else { (short, false) }
}

/// The path in such a name.
pub(crate) fn parse_passing(text: &str) -> Option<StoragePath> {
    let (name, path) = text.get(1..)?.split_once('~')?;
    if Name::parse(&format!("~{name}")) != Some(Name::Passing) {
        return None;
    }
    StoragePath::parse(&format!("/{}", path.replace('~', "/"))).ok()
}

/// The most bytes that staging adds to a path: `/~staging`, and the longest name below it.
pub(crate) const LONGEST_ADDED: usize = "/~staging/".len()
    + "~0123456789abcdef.0123456789abcdef.18446744073709551615.0123456789abcdef.0123456789abcdef".len()
    + ".0123456789abcdef-18446744073709551615".len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_and_back() {
        let base = FileVersion { modified: u64::MAX, size: u64::MAX };
        for base in [None, Some(base)] {
            for length in [0, u64::MAX] {
                let state =
                    State { upload: unique(), sequence: sequence(0), length, last: unique(), whole: 0, base };
                let state = if length > 0 { state.committing(unique()) } else { state };
                assert_eq!(Name::parse(&state.to_string()), Some(Name::State(state)));
                assert!(state.to_string().len() + "/~staging/".len() <= LONGEST_ADDED);
            }
        }
        for taken in [false, true] {
            let segment = Segment { upload: unique(), writer: unique(), before: 0, taken };
            assert_eq!(Name::parse(&segment.to_string()), Some(Name::Segment(segment)));
            assert!(segment.to_string().len() + "/~staging/".len() <= LONGEST_ADDED);
        }
        for foreign in
            ["", "~", "a", "~1.2.3.4.5", "~0000000000000001.x", "~0000000000000001.passing.x", ".x"]
        {
            assert_eq!(Name::parse(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_path_stands_in_a_name_where_it_fits() {
        let path = StoragePath::parse("/docker/a-b/c.d_e").unwrap();
        let (name, fits) = passing(&path);
        assert!(fits);
        assert_eq!(parse_passing(&name), Some(path));
        let long = StoragePath::parse(&format!("/{}", "x".repeat(250))).unwrap();
        let (name, fits) = passing(&long);
        assert!(!fits);
        assert_eq!(Name::parse(&name), Some(Name::Passing));
        for foreign in ["", "~", "~ä", "~x~a", "~0000000000000001.passing~a~~b"] {
            assert_eq!(parse_passing(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_later_close_has_a_greater_sequence() {
        let far = State { upload: 1, sequence: u64::MAX / 2, length: 0, last: 0, whole: 0, base: None };
        let closed = far.committing(8).closed(7, 9);
        assert!(closed.sequence > far.sequence);
        assert_eq!((closed.upload, closed.length, closed.last, closed.whole), (1, 7, 9, 0));
    }
}
