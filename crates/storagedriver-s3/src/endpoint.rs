//! Where requests go: hosts, addressing, and the URL of a bucket or an object.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use storagedriver::ErrorKind;
use storagedriver::url::{Host, Url};
use storagedriver_object::{StoreError, StoreResult};

use crate::profile::Addressing;

/// What a signature leaves as it is: RFC 3986's unreserved characters.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same in a path.
const STRICT_PATH: &AsciiSet = &STRICT.remove(b'/');

/// The URLs of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Scheme, host and port, the bucket in the host if it stands there; no `/` at the end.
    origin: String,
    /// What is before the key: `/`, or `/bucket/`.
    path: String,
}

impl Endpoint {
    /// The bucket at a server. `server` is its URL, with a path only if the server lies below one.
    pub(crate) fn new(server: &Url, bucket: &str, addressing: Addressing) -> Self {
        let host = server.host_str().unwrap_or_default();
        let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
        let base = server.path().trim_end_matches('/');
        let scheme = server.scheme();
        if addressing == Addressing::Own {
            return Endpoint { origin: format!("{scheme}://{host}{port}"), path: format!("{base}/") };
        }
        if addressing == Addressing::VirtualHost && in_host(server, bucket) {
            return Endpoint {
                origin: format!("{scheme}://{bucket}.{host}{port}"),
                path: format!("{base}/"),
            };
        }
        let bucket = utf8_percent_encode(bucket, STRICT);
        Endpoint { origin: format!("{scheme}://{host}{port}"), path: format!("{base}/{bucket}/") }
    }

    /// The URL of the bucket with this query. Pairs without a value are subresources.
    pub(crate) fn bucket(&self, query: &[(&str, &str)]) -> StoreResult<Url> {
        let path = if self.path == "/" { "/" } else { self.path.trim_end_matches('/') };
        self.url(path, query)
    }

    /// The URL of an object.
    ///
    /// # Errors
    /// The key is empty (the URL would be that of the bucket, and a DELETE its end), or no URL can name it.
    pub(crate) fn object(&self, key: &str, query: &[(&str, &str)]) -> StoreResult<Url> {
        if key.is_empty() {
            let reason = "a request for an object without a name was about to be sent to the bucket itself";
            return Err(StoreError::failed(ErrorKind::Backend, reason));
        }
        self.url(&format!("{}{}", self.path, utf8_percent_encode(key, STRICT_PATH)), query)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> StoreResult<Url> {
        let mut text = format!("{}{path}", self.origin);
        for (place, (name, value)) in query.iter().enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            text.extend(utf8_percent_encode(name, STRICT));
            text.push('=');
            text.extend(utf8_percent_encode(value, STRICT));
        }
        // What parsing changes would name another object: `a/../b`.
        match Url::parse(&text) {
            Ok(url) if url.path() == path => Ok(url),
            _ => {
                let reason = format!("no URL can name {path:?}: it has a component `.` or `..`");
                Err(StoreError::failed(ErrorKind::Unsupported, reason))
            }
        }
    }
}

/// How a copy names its source.
pub(crate) fn copy_source(bucket: &str, key: &str) -> String {
    format!("{}/{}", utf8_percent_encode(bucket, STRICT), utf8_percent_encode(key, STRICT_PATH))
}

/// Whether the bucket can be a label of the host: not below an address, not where the certificate
/// (`*.host`) would not cover it, and only if it is a name that DNS has.
fn in_host(server: &Url, bucket: &str) -> bool {
    let named = matches!(server.host(), Some(Host::Domain(host)) if host.parse::<IpAddr>().is_err());
    let dotted = bucket.contains('.');
    named && is_dns_name(bucket) && !(dotted && server.scheme() == "https")
}

fn is_dns_name(bucket: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(legal) && !label.starts_with('-') && !label.ends_with('-')
    };
    (3..=63).contains(&bucket.len()) && bucket.split('.').all(label) && bucket.parse::<IpAddr>().is_err()
}

/// Which of Amazon's hosts serves a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AmazonHost {
    pub(crate) dual_stack: bool,
    pub(crate) accelerate: bool,
    pub(crate) fips: bool,
}

impl AmazonHost {
    /// The host; `None` if the region is in no partition that Amazon has.
    pub(crate) fn of(self, region: &str) -> Option<String> {
        let suffix = partition(region)?;
        if self.accelerate {
            let stack = if self.dual_stack { ".dualstack" } else { "" };
            return Some(format!("s3-accelerate{stack}.{suffix}"));
        }
        let service = if self.fips { "s3-fips" } else { "s3" };
        let stack = if self.dual_stack { "dualstack." } else { "" };
        Some(format!("{service}.{stack}{region}.{suffix}"))
    }
}

/// The domain of the partition that a region is in, by the shape of its name.
pub(crate) fn partition(region: &str) -> Option<&'static str> {
    const PARTITIONS: &[(&str, &str)] = &[
        ("cn", "amazonaws.com.cn"),
        ("us-gov", "amazonaws.com"),
        ("us-isob", "sc2s.sgov.gov"),
        ("us-isof", "csp.hci.ic.gov"),
        ("us-iso", "c2s.ic.gov"),
        ("eu-isoe", "cloud.adc-e.uk"),
        ("eusc-de", "amazonaws.eu"),
    ];
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let (area, number) = region.rsplit_once('-')?;
    if !region.bytes().all(legal) || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let within =
        |known: &str| area == known || area.strip_prefix(known).is_some_and(|rest| rest.starts_with('-'));
    if let Some((_, suffix)) = PARTITIONS.iter().find(|(known, _)| within(known)) {
        return Some(suffix);
    }
    let (continent, _) = area.split_once('-')?;
    (continent.len() == 2 && continent.bytes().all(|byte| byte.is_ascii_lowercase()))
        .then_some("amazonaws.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(server: &str, bucket: &str, addressing: Addressing) -> String {
        let endpoint = Endpoint::new(&Url::parse(server).unwrap(), bucket, addressing);
        endpoint.object("a/~b c+d", &[]).unwrap().to_string()
    }

    #[test]
    fn buckets_stand_where_they_can() {
        use Addressing::{Own, Path, VirtualHost};
        for (server, bucket, addressing, url) in [
            ("https://s3.example.com", "layers", VirtualHost, "https://layers.s3.example.com/a/~b%20c%2Bd"),
            ("https://s3.example.com", "layers", Path, "https://s3.example.com/layers/a/~b%20c%2Bd"),
            (
                "https://s3.example.com:9000/",
                "layers",
                Path,
                "https://s3.example.com:9000/layers/a/~b%20c%2Bd",
            ),
            (
                "https://s3.example.com",
                "my.layers",
                VirtualHost,
                "https://s3.example.com/my.layers/a/~b%20c%2Bd",
            ),
            (
                "http://s3.example.com",
                "my.layers",
                VirtualHost,
                "http://my.layers.s3.example.com/a/~b%20c%2Bd",
            ),
            (
                "https://s3.example.com",
                "Layers_1",
                VirtualHost,
                "https://s3.example.com/Layers_1/a/~b%20c%2Bd",
            ),
            ("http://127.0.0.1:80", "layers", VirtualHost, "http://127.0.0.1/layers/a/~b%20c%2Bd"),
            ("http://[::1]:8080", "layers", VirtualHost, "http://[::1]:8080/layers/a/~b%20c%2Bd"),
            ("https://cdn.example.com:81", "layers", Own, "https://cdn.example.com:81/a/~b%20c%2Bd"),
            ("http://host/below/", "layers", Own, "http://host/below/a/~b%20c%2Bd"),
            ("http://host/below", "layers", Path, "http://host/below/layers/a/~b%20c%2Bd"),
            ("http://host/below", "layers", VirtualHost, "http://layers.host/below/a/~b%20c%2Bd"),
        ] {
            assert_eq!(at(server, bucket, addressing), url, "{server} {bucket}");
        }
    }

    #[test]
    fn a_key_that_is_none_never_becomes_the_bucket() {
        for addressing in [Addressing::Path, Addressing::VirtualHost, Addressing::Own] {
            let server = Url::parse("https://s3.example.com").unwrap();
            let endpoint = Endpoint::new(&server, "layers", addressing);
            for key in ["", ".", "..", "a/..", "a/../b", "../layers2/b", "./a"] {
                assert!(endpoint.object(key, &[]).is_err(), "{key:?}");
            }
            for key in ["a//b", "a/", "/", "%2e%2e", "a\\..\\b", "#?", "…", "a\nb"] {
                let url = endpoint.object(key, &[("uploadId", "x/y=&")]).unwrap();
                assert_eq!(url.query(), Some("uploadId=x%2Fy%3D%26"), "{key:?}");
                assert_eq!(url.fragment(), None);
            }
        }
    }

    #[test]
    fn the_bucket_itself_has_a_url() {
        let server = Url::parse("https://s3.example.com").unwrap();
        let endpoint = Endpoint::new(&server, "layers", Addressing::Path);
        assert_eq!(
            endpoint.bucket(&[("delete", "")]).unwrap().as_str(),
            "https://s3.example.com/layers?delete="
        );
        let endpoint = Endpoint::new(&server, "layers", Addressing::VirtualHost);
        assert_eq!(endpoint.bucket(&[]).unwrap().as_str(), "https://layers.s3.example.com/");
    }

    #[test]
    fn amazon_has_a_host_for_each_region() {
        let host = |dual_stack, accelerate, fips| AmazonHost { dual_stack, accelerate, fips };
        for (region, kind, name) in [
            ("eu-west-1", host(false, false, false), "s3.eu-west-1.amazonaws.com"),
            ("us-east-1", host(true, false, false), "s3.dualstack.us-east-1.amazonaws.com"),
            ("us-east-1", host(false, true, false), "s3-accelerate.amazonaws.com"),
            ("us-east-1", host(true, true, false), "s3-accelerate.dualstack.amazonaws.com"),
            ("us-gov-west-1", host(false, false, true), "s3-fips.us-gov-west-1.amazonaws.com"),
            ("us-east-2", host(true, false, true), "s3-fips.dualstack.us-east-2.amazonaws.com"),
            ("cn-north-1", host(false, false, false), "s3.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", host(false, false, false), "s3.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", host(false, false, false), "s3.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", host(false, false, false), "s3.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(kind.of(region).as_deref(), Some(name));
        }
        for region in ["", "europe", "eu-west", "EU-west-1", "<nil>", "a.b-c-1", "default", "eu-west-1/x"] {
            assert_eq!(host(false, false, false).of(region), None, "{region:?}");
        }
    }
}
