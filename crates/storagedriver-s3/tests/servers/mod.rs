//! Drivers on an S3 server in the process of the test.

use storagedriver::Parameters;
use storagedriver_s3::{Profile, S3Parameters, profile};
use storagedriver_testservers::S3Options;

/// The least part of the servers here: small, so that few bytes make many parts.
pub(crate) const MIN_PART: u64 = 1024;

/// The profile of that name, with parts as small as the servers here take them.
pub(crate) fn small(name: &str) -> Profile {
    let mut small = profile(name).expect("a profile of that name").clone();
    small.min_part = MIN_PART;
    small
}

/// The parameters of a driver on a server.
pub(crate) fn parameters(endpoint: &str, root: &str) -> S3Parameters {
    let mut parameters = S3Parameters::parse(Parameters::from_iter([
        ("bucket", "bucket"),
        ("regionendpoint", endpoint),
        ("accesskey", "access"),
        ("secretkey", "secret"),
        ("rootdirectory", root),
    ]))
    .expect("valid parameters");
    parameters.chunksize = 4 * MIN_PART;
    parameters.multipartcopychunksize = 8 * MIN_PART;
    parameters.multipartcopythresholdsize = Some(100_000);
    parameters
}

/// A server as the profile of that name says that it is.
pub(crate) fn options() -> S3Options {
    S3Options { min_part: MIN_PART, ..S3Options::default() }
}
