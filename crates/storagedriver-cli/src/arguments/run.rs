//! The arguments that `sync` and `verify` share.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::format::parse_size;

/// What both runs over a whole storage take.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// How many files are worked on at once
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) transfers: u16,
    /// The most bytes to read in a second, such as 10MiB
    #[arg(long, value_name = "BYTES", value_parser = parse_size)]
    pub(crate) bandwidth: Option<u64>,
    /// Serve metrics for Prometheus at this address while it runs, such as 127.0.0.1:9464, path /metrics
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Write the faults to this file too, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Sizes as 1.5 KiB instead of bytes
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}
