//! Where a client is, seen through proxies.

use std::net::IpAddr;

use storagedriver::RedirectRequest;

/// The first address in `X-Forwarded-For`; where that is none, the one in `X-Real-Ip`; else the
/// peer's. A client can forge both headers, and reaches by that no more than the store's own URL.
pub(super) fn of(request: &RedirectRequest) -> Option<IpAddr> {
    let forwarded = request.header("x-forwarded-for").and_then(|list| list.split(',').next());
    let parsed = |text: &str| text.trim().parse::<IpAddr>().ok();
    forwarded
        .and_then(parsed)
        .or_else(|| request.header("x-real-ip").and_then(parsed))
        .or(request.client_address)
        // A socket for both families tells 192.0.2.1 as ::ffff:192.0.2.1.
        .map(|address| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_believed_before_the_peer() {
        let peer = RedirectRequest::get().with_client_address("192.0.2.1".parse().unwrap());
        let real = peer.clone().with_header("X-Real-IP", "192.0.2.2");
        let seen = |request: RedirectRequest| of(&request).unwrap().to_string();
        assert_eq!(of(&RedirectRequest::get()), None);
        assert_eq!(seen(peer.clone()), "192.0.2.1");
        assert_eq!(seen(real.clone()), "192.0.2.2");
        assert_eq!(
            seen(real.clone().with_header("X-Forwarded-For", " 2001:db8::1 , 192.0.2.4")),
            "2001:db8::1"
        );
        assert_eq!(seen(real.clone().with_header("X-Forwarded-For", "unknown, 192.0.2.4")), "192.0.2.2");
        assert_eq!(seen(peer.with_header("X-Forwarded-For", "")), "192.0.2.1");
        assert_eq!(seen(real.with_header("X-Forwarded-For", "::ffff:192.0.2.9")), "192.0.2.9");
    }
}
