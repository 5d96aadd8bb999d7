//! What to do, as `cargo xtask bench` says it on the command line: one object of JSON a step.

use serde::Deserialize;

use crate::subject::Outcome;

/// One piece of work: `count` operations, or as many as `milliseconds` allow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) count: u64,
    /// Of the work; 0 where it ends with `count`.
    pub(crate) milliseconds: u64,
    /// Of a content in bytes; of a directory in files.
    pub(crate) size: u64,
    /// Of a stream's pieces, in bytes.
    pub(crate) piece: u64,
    /// How many contents are worked on in turn; 0 where each is a new one.
    pub(crate) ring: u64,
    pub(crate) workers: u64,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// The kinds of work.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Put,
    /// Into one directory, and not as a registry has its blobs.
    PutFlat,
    Get,
    Stat,
    /// Of something that is not there.
    StatMissing,
    Upload,
    Download,
    Rename,
    /// There and back again.
    Move,
    List,
    Walk,
    Delete,
    RegistryUpload,
    /// A content written, read and removed, with the times of each.
    Stream,
}

impl Step {
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let step: Step = serde_json::from_str(text)?;
        if step.kind == Kind::Move && step.workers != 1 {
            return Err("only one worker moves a content there and back".into());
        }
        Ok(step)
    }
}
