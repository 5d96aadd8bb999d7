//! The arguments of `conformance`.

use std::time::Duration;

use clap::Args;

use super::StorageText;
use crate::format::parse_age;

#[derive(Debug, Args)]
pub(crate) struct Conformance {
    /// The storage
    #[arg(required_unless_present = "list")]
    pub(crate) storage: Option<StorageText>,
    /// The directory to work below, in a new one that is deleted afterwards
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) below: String,
    /// Only cases whose names contain this; can be given several times
    #[arg(long = "case", value_name = "FILTER")]
    pub(crate) cases: Vec<String>,
    /// Print the names of the cases, and run none
    #[arg(long)]
    pub(crate) list: bool,
    /// How many cases run at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
    /// Longer directories than a page, larger contents than a part, more rounds of each race
    #[arg(long)]
    pub(crate) thorough: bool,
    /// How long one case may take
    #[arg(long, value_name = "AGE", value_parser = parse_age, default_value = "10m")]
    pub(crate) timeout: Duration,
}
