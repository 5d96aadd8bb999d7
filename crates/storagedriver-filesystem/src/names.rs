//! The names of staged files.
//!
//! An upload to `/a/b` is one file in the directory `~staging/a/b`. Its name says all that a later
//! process has to know: which upload it is, when it was closed, and at how many bytes. Content on
//! its way by `put_content` is one file in `~staging` itself, its path in its name, `~` for `/`.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use storagedriver::StoragePath;

use crate::version::{FileVersion, tick};

/// The longest name that a file system takes.
const LONGEST: usize = 255;

/// What a staged file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// An upload that was never closed: of no use once its writer is gone.
    Open,
    /// An upload that can be resumed at this many bytes.
    Closed(u64),
    /// Content on its way, or the mark of an operation that may leave empty directories if the
    /// process is killed.
    Passing,
}

/// The name of a staged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// The upload, from its beginning to its end.
    pub(crate) upload: u64,
    /// Grows from one close to the next, over all uploads of a path.
    pub(crate) sequence: u64,
    pub(crate) state: State,
    /// The committed content that the upload began with.
    pub(crate) base: Option<FileVersion>,
}

impl Name {
    /// The name of an upload that begins.
    pub(crate) fn begin(state: State, base: Option<FileVersion>) -> Self {
        let mut random = RandomState::new().build_hasher();
        random.write_u32(std::process::id());
        let sequence = tick(0);
        random.write_u64(sequence);
        Name { upload: random.finish(), sequence, state, base }
    }

    /// The name of the same upload, closed now.
    pub(crate) fn closed(self, length: u64) -> Self {
        Name { sequence: tick(self.sequence), state: State::Closed(length), ..self }
    }

    pub(crate) fn with_state(self, state: State) -> Self {
        Name { state, ..self }
    }

    /// At how many bytes it was closed.
    pub(crate) fn length(self) -> Option<u64> {
        match self.state {
            State::Closed(length) => Some(length),
            State::Open | State::Passing => None,
        }
    }

    /// Whether `older` is what the upload was before it was closed under this name: a process that
    /// is killed while it closes may leave both.
    pub(crate) fn replaces(&self, older: &Name) -> bool {
        let same = (self.upload, self.sequence) == (older.upload, older.sequence);
        same && older.length().is_some() && older.length() < self.length()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('~')?.splitn(4, '.');
        let mut number = || {
            let part = parts.next()?;
            (part.len() == 16).then(|| u64::from_str_radix(part, 16).ok())?
        };
        let (upload, sequence) = (number()?, number()?);
        let state = match parts.next()? {
            "open" => State::Open,
            "passing" => State::Passing,
            length => State::Closed(length.parse().ok()?),
        };
        let base = parts.next().map(FileVersion::parse);
        match base {
            Some(None) => None,
            base => Some(Name { upload, sequence, state, base: base.flatten() }),
        }
    }

    /// The name of content on its way to `path`, if it fits into one name.
    pub(crate) fn passing(self, path: &StoragePath) -> Option<String> {
        let text = format!("{self}{}", path.as_str().replace('/', "~"));
        (text.len() <= LONGEST).then_some(text)
    }

    /// The path in such a name.
    pub(crate) fn parse_passing(text: &str) -> Option<(Self, StoragePath)> {
        let (name, path) = text.get(1..)?.split_once('~')?;
        let name = Name::parse(&format!("~{name}"))?;
        let path = StoragePath::parse(&format!("/{}", path.replace('~', "/"))).ok()?;
        (name.state == State::Passing).then_some((name, path))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{:016x}.{:016x}.", self.upload, self.sequence)?;
        match self.state {
            State::Open => f.write_str("open")?,
            State::Closed(length) => write!(f, "{length}")?,
            State::Passing => f.write_str("passing")?,
        }
        match self.base {
            Some(base) => write!(f, ".{}", base.to_text()),
            None => Ok(()),
        }
    }
}

/// The most bytes that staging adds to a path: `/~staging`, and the longest name below it.
pub(crate) const LONGEST_ADDED: usize = "/~staging".len() + 1 + LONGEST_NAME;
const LONGEST_NAME: usize = "~0123456789abcdef.0123456789abcdef.18446744073709551615".len()
    + ".0123456789abcdef-0123456789abcdef-01234567-0123456789abcdef".len();

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> FileVersion {
        FileVersion::parse("ffffffffffffffff-ffffffffffffffff-3b9ac9ff-ffffffffffffffff").unwrap()
    }

    #[test]
    fn a_name_is_text_and_back() {
        for state in [State::Open, State::Closed(0), State::Closed(u64::MAX), State::Passing] {
            for base in [None, Some(base())] {
                let name = Name::begin(state, base);
                assert_eq!(Name::parse(&name.to_string()), Some(name));
                assert!(name.to_string().len() <= LONGEST_NAME);
            }
        }
        for foreign in ["", "~", "a", "~1.2.open", "~0000000000000001.0000000000000002.x", ".nfs0"] {
            assert_eq!(Name::parse(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_path_stands_in_a_name_where_it_fits() {
        let path = StoragePath::parse("/docker/a-b/c.d_e").unwrap();
        let name = Name::begin(State::Passing, None);
        let text = name.passing(&path).unwrap();
        assert_eq!(Name::parse_passing(&text), Some((name, path)));
        let long = StoragePath::parse(&format!("/{}", "x".repeat(250))).unwrap();
        assert_eq!(name.passing(&long), None);
        assert_eq!(Name::parse_passing("~ä"), None);
    }

    #[test]
    fn a_later_close_has_a_greater_sequence() {
        let name = Name::begin(State::Open, None);
        let far = Name { sequence: u64::MAX / 2, ..name };
        assert!(far.closed(1).sequence > far.sequence);
        assert_eq!(name.closed(7).length(), Some(7));
    }
}
