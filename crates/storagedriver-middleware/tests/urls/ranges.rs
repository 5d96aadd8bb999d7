//! `cloudfront`: clients in Amazon's network go to the store itself.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use storagedriver::{RedirectRequest, Storage};
use storagedriver_middleware::CLOUDFRONT;
use storagedriver_middleware::cloudfront::AddressRanges;
use storagedriver_testservers::{Scripted, json_reply};

use crate::cloudfront::options;
use crate::keyed::{asked, keyed};

const EUROPE: &str = "203.0.113.7";
const AMERICA: &str = "198.51.100.7";

fn list() -> serde_json::Value {
    json!({
        "prefixes": [
            {"ip_prefix": "203.0.113.0/24", "region": "eu-west-1", "service": "EC2"},
            {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "EC2"},
        ],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/32", "region": "eu-west-1", "service": "S3"}],
    })
}

async fn filtered(url: &str, more: &[(&str, &str)]) -> Storage {
    let mut given = vec![("iprangesurl", url)];
    given.extend(more);
    (CLOUDFRONT.wrap)(keyed(), options(&given)).await.unwrap()
}

/// Whether a client at this address is sent to the store itself.
async fn is_direct(storage: &Storage, address: &str) -> bool {
    let request = RedirectRequest::get().with_client_address(address.parse().unwrap());
    let url = asked(storage, &request, "/a").await.unwrap();
    let direct = url.starts_with("https://bucket.example.com:9000/");
    assert!(direct || url.starts_with("https://d111111abcdef8.cloudfront.net/"), "{url}");
    direct
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn clients_in_the_network_go_to_the_store() {
    let server = Scripted::start(|_| json_reply(200, list())).unwrap();
    let storage = filtered(&server.url("/ranges.json"), &[("ipfilteredby", " AWS ")]).await;
    for address in [EUROPE, AMERICA, "2001:db8::1", "::ffff:203.0.113.7"] {
        assert!(is_direct(&storage, address).await, "{address}");
    }
    for address in ["192.0.2.1", "2001:db9::1"] {
        assert!(!is_direct(&storage, address).await, "{address}");
    }
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].method.as_str(), asked[0].target.as_str()), (1, "GET", "/ranges.json"));
    // A proxy tells the client's address; without any there is none in the network.
    let forwarded = RedirectRequest::get().with_header("X-Forwarded-For", format!("{EUROPE}, 192.0.2.1"));
    let url = crate::keyed::asked(&storage, &forwarded, "/a").await.unwrap();
    assert!(url.starts_with("https://bucket.example.com"), "{url}");
    let url = crate::keyed::url(&storage, "/a").await.unwrap();
    assert!(url.starts_with("https://d111111abcdef8"), "{url}");
}

#[tokio::test]
async fn only_the_regions_count_that_are_named() {
    let server = Scripted::start(|_| json_reply(200, list())).unwrap();
    let regions = [("ipfilteredby", "awsregion"), ("awsregion", "ap-south-1, EU-west-1")];
    let storage = filtered(&server.url("/"), &regions).await;
    assert!(is_direct(&storage, EUROPE).await && is_direct(&storage, "2001:db8::1").await);
    assert!(!is_direct(&storage, AMERICA).await);
}

#[tokio::test]
async fn without_a_filter_the_list_is_not_asked_for() {
    let server = Scripted::start(|_| json_reply(200, list())).unwrap();
    let storage = filtered(&server.url("/"), &[("ipfilteredby", "none")]).await;
    assert!(!is_direct(&storage, EUROPE).await);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn without_a_list_all_go_to_cloudfront() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", taken.local_addr().unwrap());
    drop(taken);
    let refusing = Scripted::start(|_| json_reply(403, json!({}))).unwrap();
    let empty = Scripted::start(|_| json_reply(200, json!({"prefixes": []}))).unwrap();
    for url in [nobody, refusing.url("/"), empty.url("/")] {
        let storage = filtered(&url, &[("ipfilteredby", "aws")]).await;
        assert!(!is_direct(&storage, EUROPE).await, "{url}");
    }
}

#[tokio::test]
async fn the_list_is_kept_up_to_date_and_what_was_known_stays_while_it_cannot_be_had() {
    // 0: one network, 1: another, else the status of a refusal.
    let state = Arc::new(AtomicU16::new(0));
    let shown = state.clone();
    let server = Scripted::start(move |_| match shown.load(Ordering::SeqCst) {
        0 => json_reply(200, json!({"prefixes": [{"ip_prefix": "203.0.113.0/24"}]})),
        1 => json_reply(200, json!({"prefixes": [{"ip_prefix": "198.51.100.0/24"}]})),
        status => json_reply(status, json!({})),
    })
    .unwrap();
    let url = server.url("/").parse().unwrap();
    let ranges = AddressRanges::start(url, Duration::from_millis(10), Vec::new()).await.unwrap();
    let (europe, america) = (EUROPE.parse().unwrap(), AMERICA.parse().unwrap());
    assert!(ranges.contains(europe) && !ranges.contains(america));
    state.store(1, Ordering::SeqCst);
    until("an update", || ranges.contains(america) && !ranges.contains(europe)).await;
    state.store(404, Ordering::SeqCst);
    let before = server.asked().len();
    until("some failures", || server.asked().len() > before + 3).await;
    assert!(ranges.contains(america) && !ranges.contains(europe));
    state.store(0, Ordering::SeqCst);
    until("an update after failures", || ranges.contains(europe)).await;
}

#[tokio::test]
async fn nobody_asks_any_more_when_the_layer_is_gone() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let server = Scripted::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        json_reply(200, list())
    })
    .unwrap();
    let url = server.url("/").parse().unwrap();
    let ranges = AddressRanges::start(url, Duration::from_millis(1), Vec::new()).await.unwrap();
    until("updates", || count.load(Ordering::SeqCst) > 3).await;
    drop(ranges);
    // What was under way may still arrive.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = count.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(count.load(Ordering::SeqCst), after);
}
