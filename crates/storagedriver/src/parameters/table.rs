//! The parameters of a driver, as data.

use std::time::Duration;

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Text. An integer or a boolean counts as its text.
    String,
    /// `true` or `false`; also the strings `yes`, `no`, `on`, `off`, `t`, `f`, `1`, `0`.
    Bool,
    /// A whole number within the range.
    Integer {
        /// The least value allowed.
        min: i64,
        /// The greatest value allowed.
        max: i64,
    },
    /// A size in bytes within the range: `10485760`, `10 MiB`.
    Bytes {
        /// The least size allowed, in bytes.
        min: u64,
        /// The greatest size allowed, in bytes.
        max: u64,
    },
    /// A time span within the range: `20m`, `1h30m`, `7 days`.
    Duration {
        /// The shortest span allowed.
        min: Duration,
        /// The longest span allowed.
        max: Duration,
    },
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Several strings; also one string with commas.
    List,
    /// Values by name, passed on as they are.
    Map,
    /// Text that is never shown.
    Secret,
    /// A path of this machine; not empty.
    Path,
    /// A bound on concurrency by Distribution's rule: what is below the least value is raised to it.
    Limit {
        /// The least value.
        min: u64,
    },
}

/// Whether a parameter has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// It may be left out, and has no value then.
    Optional,
    /// It has to be given.
    Required,
    /// It has to be given unless the other one is.
    RequiredUnless(&'static str),
    /// Left out, it has this value.
    Default(&'static str),
}

/// One parameter of a driver. Made by [`parameters!`](crate::parameters!).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name as the configuration gives it; a dot leads into a nested map.
    pub name: &'static str,
    /// The field of the struct that holds the value.
    pub field: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Whether it has to be given.
    pub presence: Presence,
    /// What it does, as written above the field.
    pub doc: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// Why not to use it any more.
    pub deprecated: Option<&'static str>,
}

impl Parameter {
    /// What it does, in one line.
    pub fn summary(&self) -> String {
        self.doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A name that is accepted without effect, or refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The name as the configuration gives it.
    pub name: &'static str,
    /// Why it has no effect, or what to do instead.
    pub reason: &'static str,
}

/// The parameters of a driver: what `storagedriver drivers NAME`, the documentation and the parser
/// all go by. Made by [`parameters!`](crate::parameters!).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ParameterTable {
    /// The driver's name.
    pub driver: &'static str,
    /// Whether names match in any case.
    pub case_insensitive: bool,
    /// The parameters, in the order of the definition.
    pub parameters: &'static [Parameter],
    /// Names that Distribution knows and that have no effect here: they are warned about.
    pub ignored: &'static [Note],
    /// Names that Distribution knows and that can have no meaning here: they are errors.
    pub refused: &'static [Note],
}

impl ParameterTable {
    /// Whether two names are the same in this table.
    pub(crate) fn same(&self, left: &str, right: &str) -> bool {
        if self.case_insensitive { left.eq_ignore_ascii_case(right) } else { left == right }
    }

    /// The parameter that goes by this name or alias.
    pub fn find(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters
            .iter()
            .find(|p| self.same(p.name, name) || p.aliases.iter().any(|alias| self.same(alias, name)))
    }

    /// Every name that may be given, aliases and ignored and refused ones included.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let own =
            self.parameters.iter().flat_map(|p| std::iter::once(p.name).chain(p.aliases.iter().copied()));
        own.chain(self.ignored.iter().chain(self.refused).map(|note| note.name))
    }

    /// Whether `prefix` is a map that holds parameters: `credentials` for `credentials.type`.
    pub(crate) fn is_group(&self, prefix: &str) -> bool {
        self.names().any(|name| {
            name.get(..prefix.len()).is_some_and(|head| self.same(head, prefix))
                && name.get(prefix.len()..).is_some_and(|tail| tail.starts_with('.'))
        })
    }
}

/// Constructors for the macro.
#[doc(hidden)]
impl Parameter {
    pub const fn new(field: &'static str, kind: Kind, presence: Presence, doc: &'static str) -> Self {
        Parameter { name: field, field, kind, presence, doc, aliases: &[], deprecated: None }
    }

    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub const fn with_deprecated(mut self, note: &'static str) -> Self {
        self.deprecated = Some(note);
        self
    }

    pub const fn with_required_unless(mut self, other: &'static str) -> Self {
        self.presence = Presence::RequiredUnless(other);
        self
    }
}

#[doc(hidden)]
impl Note {
    pub const fn new(name: &'static str, reason: &'static str) -> Self {
        Note { name, reason }
    }
}

#[doc(hidden)]
impl ParameterTable {
    pub const fn new(
        driver: &'static str,
        case_insensitive: bool,
        parameters: &'static [Parameter],
        ignored: &'static [Note],
        refused: &'static [Note],
    ) -> Self {
        ParameterTable { driver, case_insensitive, parameters, ignored, refused }
    }
}
