//! Networks, as Amazon lists them: <https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html>.

use std::net::IpAddr;

use serde::Deserialize;

/// The networks of one list.
#[derive(Debug, Default)]
pub(super) struct Networks {
    v4: Vec<Span>,
    v6: Vec<Span>,
}

/// The first and the last address, as numbers.
type Span = (u128, u128);

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    prefixes: Vec<V4>,
    #[serde(default)]
    ipv6_prefixes: Vec<V6>,
}

#[derive(Deserialize)]
struct V4 {
    ip_prefix: String,
    #[serde(default)]
    region: String,
}

#[derive(Deserialize)]
struct V6 {
    ipv6_prefix: String,
    #[serde(default)]
    region: String,
}

impl Networks {
    /// Reads the list: the networks of these regions, or all if none is named.
    ///
    /// # Errors
    /// It is no such list, or there is no network in it.
    pub(super) fn read(document: &[u8], regions: &[String]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| format!("it is no list of networks as Amazon's is: {error}"))?;
        let v4 = document.prefixes.into_iter().map(|entry| (entry.ip_prefix, entry.region));
        let v6 = document.ipv6_prefixes.into_iter().map(|entry| (entry.ipv6_prefix, entry.region));
        let mut networks = Networks::default();
        let (mut listed, mut unread) = (0_u64, 0_u64);
        for (prefix, region) in v4.chain(v6) {
            let Some((is_v4, span)) = span(&prefix) else {
                unread += 1;
                continue;
            };
            listed += 1;
            if regions.is_empty() || regions.iter().any(|wanted| wanted.eq_ignore_ascii_case(&region)) {
                if is_v4 { &mut networks.v4 } else { &mut networks.v6 }.push(span);
            }
        }
        if unread > 0 {
            tracing::warn!(unread, listed, "the list of networks has entries that are none");
        }
        if listed == 0 {
            return Err("there is no network in it".to_owned());
        }
        networks.v4 = merged(networks.v4);
        networks.v6 = merged(networks.v6);
        Ok(networks)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let (spans, number) = match address {
            IpAddr::V4(address) => (&self.v4, u128::from(u32::from(address))),
            IpAddr::V6(address) => (&self.v6, u128::from(address)),
        };
        let after = spans.partition_point(|(first, _)| *first <= number);
        after.checked_sub(1).and_then(|last| spans.get(last)).is_some_and(|(_, last)| number <= *last)
    }
}

/// The addresses of `192.0.2.0/24`, and whether they are of IPv4.
fn span(prefix: &str) -> Option<(bool, Span)> {
    let (address, length) = prefix.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    let (is_v4, bits, number) = match address.parse().ok()? {
        IpAddr::V4(address) => (true, u32::BITS, u128::from(u32::from(address))),
        IpAddr::V6(address) => (false, u128::BITS, u128::from(address)),
    };
    let hosts = match bits.checked_sub(length)? {
        u128::BITS => u128::MAX,
        free => (1_u128 << free) - 1,
    };
    Some((is_v4, (number & !hosts, number | hosts)))
}

/// Sorted and without overlap, so that one look-up finds the only span that an address can be in.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, held| {
        let overlaps = next.0 <= held.1;
        if overlaps {
            held.1 = held.1.max(next.1);
        }
        overlaps
    });
    spans
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"syncToken": "1", "prefixes": [
        {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "S3"},
        {"ip_prefix": "198.51.100.128/25", "region": "us-east-1", "service": "EC2"},
        {"ip_prefix": "203.0.113.77/28", "region": "eu-west-1", "service": "EC2"},
        {"ip_prefix": "203.0.113.9/32", "region": "GLOBAL", "service": "EC2"},
        {"ip_prefix": "broken", "region": "eu-west-1", "service": "EC2"},
        {"ip_prefix": "203.0.113.0/33", "region": "eu-west-1", "service": "EC2"}],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/32", "region": "eu-west-1", "service": "EC2"}]}"#;

    fn inside(networks: &Networks, addresses: &[&str]) -> Vec<bool> {
        addresses.iter().map(|address| networks.contains(address.parse().unwrap())).collect()
    }

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let all = Networks::read(LIST.as_bytes(), &[]).unwrap();
        let within =
            ["198.51.100.0", "198.51.100.255", "203.0.113.64", "203.0.113.79", "203.0.113.9", "2001:db8::1"];
        assert_eq!(inside(&all, &within), [true; 6]);
        let without =
            ["198.51.99.255", "198.51.101.0", "203.0.113.63", "203.0.113.80", "0.0.0.0", "2001:db9::", "::1"];
        assert_eq!(inside(&all, &without), [false; 7]);
        // The first 32 bits of an IPv6 address are no IPv4 address.
        assert!(!all.contains("::198.51.100.1".parse().unwrap()));
    }

    #[test]
    fn regions_are_compared_in_any_case() {
        let regions = ["EU-West-1".to_owned(), "nowhere-1".to_owned()];
        let networks = Networks::read(LIST.as_bytes(), &regions).unwrap();
        assert_eq!(
            inside(&networks, &["203.0.113.64", "2001:db8::1", "198.51.100.1", "203.0.113.9"]),
            [true, true, false, false]
        );
        let nowhere = Networks::read(LIST.as_bytes(), &["nowhere-1".to_owned()]).unwrap();
        assert!(nowhere.is_empty());
    }

    #[test]
    fn networks_of_any_length_are_read() {
        let whole = |prefix: &str| {
            let list = serde_json::json!({"prefixes": [], "ipv6_prefixes": [{"ipv6_prefix": prefix}]});
            Networks::read(list.to_string().as_bytes(), &[]).unwrap()
        };
        assert_eq!(inside(&whole("::/0"), &["::", "ffff::", "2001:db8::1"]), [true; 3]);
        assert_eq!(inside(&whole("2001:db8::1/128"), &["2001:db8::1", "2001:db8::2"]), [true, false]);
        let all = Networks::read(br#"{"prefixes": [{"ip_prefix": "0.0.0.0/0"}]}"#, &[]).unwrap();
        assert_eq!(inside(&all, &["0.0.0.0", "255.255.255.255", "::1"]), [true, true, false]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for list in ["", "<html>", "[]", "{}", r#"{"prefixes": []}"#, r#"{"prefixes": [{"ip_prefix": "x"}]}"#]
        {
            assert!(Networks::read(list.as_bytes(), &[]).is_err(), "{list}");
        }
    }
}
