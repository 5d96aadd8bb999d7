//! What a look at a live backend finds out, beyond what the contract's operations tell.

use std::fmt;

/// One thing that a backend can do or cannot, as found by trying it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was tried, in a few words: `conditional puts`.
    pub what: String,
    /// What was found.
    pub outcome: Outcome,
    /// Whether that differs from what the driver takes for granted: its profile or its
    /// parameters are then wrong for this backend.
    pub is_surprise: bool,
    /// What was seen and what to do about it; may be empty.
    pub detail: String,
}

/// Whether a backend can do what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// The attempt failed for another reason.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Yes => "yes",
            Outcome::No => "no",
            Outcome::Unknown => "unknown",
        })
    }
}

impl Finding {
    /// A finding that is as expected.
    pub fn new(what: impl Into<String>, outcome: Outcome) -> Self {
        Finding { what: what.into(), outcome, is_surprise: false, detail: String::new() }
    }

    /// With what was seen and what to do about it.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Compares with what the driver takes for granted; an unknown outcome is no surprise.
    #[must_use]
    pub fn against(mut self, stated: bool) -> Self {
        let found = match self.outcome {
            Outcome::Yes => true,
            Outcome::No => false,
            Outcome::Unknown => return self,
        };
        self.is_surprise = found != stated;
        self
    }
}
