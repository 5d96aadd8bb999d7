//! The contract.
/// Ids.
pub const SENTENCES: &[&str] = &[];
