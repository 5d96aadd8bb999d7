//! The fault layer: a proxy between a driver and the HTTP server that it speaks to.
//!
//! [`FaultProxy`] listens on 127.0.0.1, passes requests on to one upstream on the same machine, counts
//! and records them, and does to some of them what networks and stores do: see [`Fault`]. Which ones
//! is said beforehand by a seeded [`Schedule`], or as it goes by a [`Rule`].
//!
//! ```
//! use storagedriver_testsuites::faults::{Fault, FaultProxy, Rule, Schedule, s3};
//!
//! # fn main() -> std::io::Result<()> {
//! # let server = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
//! // Two requests in ten, until 500 have had a fault; the same ones whenever the seed is 7.
//! let schedule = Schedule::seeded(7).rate(0.2).budget(500).classified_by(s3::path_style);
//! let proxy = FaultProxy::start(server, schedule)?;
//!
//! // The next upload is completed, but the client is told that it is not.
//! proxy.inject(Rule::new(Fault::AppliedThenStatus { status: 500 }).on(s3::COMPLETE_MULTIPART_UPLOAD));
//!
//! let endpoint = format!("http://{}", proxy.address());
//! // … give the endpoint to the driver, and use it …
//! # let _ = endpoint;
//! println!("{} parts, {} faults", proxy.counts().of(s3::UPLOAD_PART), proxy.counts().faults());
//! # Ok(())
//! # }
//! ```
//!
//! Bodies stream through; only listings that are rewritten are collected, and those up to 8 MiB.

pub mod azure;
mod body;
mod connection;
mod copies;
mod exchange;
mod fault;
mod gate;
pub mod gcs;
mod life;
mod listing;
mod lives;
mod proxy;
mod record;
mod request;
pub mod s3;
mod schedule;
mod state;
pub mod swift;

pub use fault::{CopyEnd, Fault, Hold, Mark, Place};
pub use life::Life;
pub use lives::{end_uploads, survive};
pub use proxy::FaultProxy;
pub use record::{Counts, Entry};
pub use schedule::{Rule, Schedule};

/// The head of a request, which a classifier looks at.
pub use hyper::http::request::Parts;
