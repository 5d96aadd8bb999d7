//! Which bucket a host names.

use std::sync::Arc;

use s3s::S3Result;
use s3s::host::{DomainError, S3Host, SingleDomain, VirtualHost};

use super::options::S3Options;

/// The hosts of a server.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Arc<Known>);

#[derive(Debug)]
struct Known {
    domain: String,
    /// What `s3s` makes of other hosts. Requests to an address, not a name, are of path style.
    others: SingleDomain,
    own: Option<(String, String)>,
}

impl Hosts {
    pub(super) fn new(options: &S3Options, port: u16) -> Result<Self, DomainError> {
        let domain = options.domain.clone().unwrap_or_else(|| format!("localhost:{port}"));
        let others = SingleDomain::new(&domain)?;
        Ok(Hosts(Arc::new(Known { domain, others, own: options.own_host.clone() })))
    }

    /// The bucket that a host names, if it does.
    pub(super) fn bucket<'a>(&'a self, host: &'a str) -> Option<&'a str> {
        match &self.0.own {
            Some((own, bucket)) if own == host => Some(bucket),
            _ => host.strip_suffix(&self.0.domain)?.strip_suffix('.'),
        }
    }
}

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        match &self.0.own {
            Some((own, bucket)) if own == host => Ok(VirtualHost::new(host).with_bucket(bucket)),
            _ => self.0.others.parse_host_header(host),
        }
    }
}
