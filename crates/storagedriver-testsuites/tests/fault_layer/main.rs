//! The fault layer, fault by fault, in front of a small store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use storagedriver_testsuites::faults::{CopyEnd, Fault, FaultProxy, Hold, Mark, Place, Rule, Schedule, s3};
use tokio::net::TcpStream;
use upstream::{Failure, Upstream, get, open, open_with, send};

async fn quiet() -> (Arc<Upstream>, FaultProxy, SocketAddr) {
    with(Schedule::none()).await
}

async fn with(schedule: Schedule) -> (Arc<Upstream>, FaultProxy, SocketAddr) {
    let (upstream, address) = upstream::start().await;
    let proxy = FaultProxy::start(address, schedule.classified_by(s3::path_style)).unwrap();
    let address = proxy.address();
    (upstream, proxy, address)
}

fn is_reset(error: &Failure) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::ConnectionReset;
        }
        cause = error.source();
    }
    false
}

fn keys(page: &str) -> Vec<&str> {
    page.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).collect()
}

fn element<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    page.split_once(&format!("<{name}>"))?.1.split('<').next()
}

#[tokio::test]
async fn requests_pass_and_are_counted() {
    let (upstream, proxy, to) = quiet().await;
    assert_eq!(send(to, "PUT", "/b/k?uploadId=1&partNumber=1", &[], "part").await.unwrap().status, 200);
    assert_eq!(get(to, "/b/k").await.unwrap().body, "part");
    let head = send(to, "HEAD", "/b/k", &[], "").await.unwrap();
    assert_eq!(head.headers["content-length"], "4");
    assert_eq!(get(to, "/b/none").await.unwrap().status, 404);
    assert_eq!(upstream.applied().len(), 4);
    let counts = proxy.counts();
    assert_eq!((counts.requests, counts.of(s3::UPLOAD_PART), counts.of(s3::GET_OBJECT)), (4, 1, 2));
    assert_eq!((counts.by_method["GET"], counts.faults()), (2, 0));
    let log = proxy.log();
    assert_eq!((log[0].operation, log[0].query.as_str()), (s3::UPLOAD_PART, "uploadId=1&partNumber=1"));
    assert_eq!((log[3].status, log[3].upstream), (Some(404), Some(404)));
    proxy.clear();
    assert_eq!((proxy.counts().requests, proxy.log().len()), (0, 0));
}

#[tokio::test]
async fn every_operation_of_s3_has_its_name() {
    let copy: &[(&str, &str)] = &[("x-amz-copy-source", "/b/from")];
    let plain: &[(&str, &str)] = &[];
    let cases = [
        ("PUT", "/b/k", plain, s3::PUT_OBJECT),
        ("GET", "/b/k/l", plain, s3::GET_OBJECT),
        ("HEAD", "/b/k", plain, s3::HEAD_OBJECT),
        ("GET", "/b", plain, s3::LIST_OBJECTS_V1),
        ("GET", "/b/?list-type=2", plain, s3::LIST_OBJECTS_V2),
        ("DELETE", "/b/k", plain, s3::DELETE_OBJECT),
        ("POST", "/b?delete", plain, s3::DELETE_OBJECTS),
        ("PUT", "/b/k", copy, s3::COPY_OBJECT),
        ("POST", "/b/k?uploads", plain, s3::CREATE_MULTIPART_UPLOAD),
        ("PUT", "/b/k?partNumber=1&uploadId=u", plain, s3::UPLOAD_PART),
        ("PUT", "/b/k?partNumber=1&uploadId=u", copy, s3::UPLOAD_PART_COPY),
        ("POST", "/b/k?uploadId=u", plain, s3::COMPLETE_MULTIPART_UPLOAD),
        ("DELETE", "/b/k?uploadId=u", plain, s3::ABORT_MULTIPART_UPLOAD),
        ("GET", "/b/k?uploadId=u", plain, s3::LIST_PARTS),
        ("GET", "/b?uploads=", plain, s3::LIST_MULTIPART_UPLOADS),
        ("HEAD", "/b", plain, s3::HEAD_BUCKET),
        ("GET", "/b?location", plain, s3::OTHER),
    ];
    let (_upstream, proxy, to) = quiet().await;
    for (method, target, headers, name) in cases {
        send(to, method, target, headers, "").await.unwrap();
        assert_eq!(proxy.log().last().unwrap().operation, name, "{method} {target}");
    }
}

#[tokio::test]
async fn refused_requests_do_not_reach_the_store() {
    let (upstream, proxy, to) = quiet().await;
    proxy.inject(Rule::new(Fault::Refuse { status: 429, retry_after: Some(7) }).on(s3::PUT_OBJECT));
    let reply = send(to, "PUT", "/b/k", &[], "content").await.unwrap();
    assert_eq!((reply.status, &reply.headers["retry-after"]), (429, &"7".parse().unwrap()));
    assert!(reply.body.contains("<Code>TooManyRequests</Code>"), "{}", reply.body);
    assert_eq!(upstream.applied(), [""; 0]);
    let entry = proxy.log().remove(0);
    assert_eq!((entry.status, entry.upstream), (Some(429), None));
    assert_eq!(proxy.rules_left(), 0);
    assert_eq!(send(to, "PUT", "/b/k", &[], "content").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_storm_hits_the_requests_that_follow() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put("/b/k", "content");
    proxy.inject(Rule::new(Fault::Storm { status: 503, requests: 3 }).on(s3::GET_OBJECT).skip(1));
    let mut seen = Vec::new();
    for target in ["/b/k", "/b/k", "/b", "/b/k", "/b/k", "/b/k"] {
        seen.push(get(to, target).await.unwrap().status);
    }
    assert_eq!(seen, [200, 503, 200, 503, 503, 200], "the listing passes");
}

#[tokio::test]
async fn a_reset_in_a_request_leaves_the_store_with_half_a_body() {
    let (upstream, proxy, to) = quiet().await;
    for after in [0, 3, 1000] {
        proxy.inject(Rule::new(Fault::ResetRequest { after }));
        assert_eq!(get(to, "/b/none").await.unwrap().status, 404, "a request without a body is passed by");
        let error = send(to, "PUT", "/b/k", &[], "content").await.expect_err("reset");
        assert!(is_reset(&error), "{error:?}");
        assert_eq!(proxy.log().last().unwrap().status, None);
    }
    assert!(upstream.applied().iter().all(|applied| applied.starts_with("GET")));
    assert!(upstream.objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_reset_in_a_reply_comes_after_as_many_bytes() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put("/b/k", "content");
    for (after, passed) in [(0, ""), (3, "con"), (1000, "conten")] {
        proxy.inject(Rule::new(Fault::ResetResponse { after }));
        let mut reply = open(to, "GET", "/b/k", &[], "").await.unwrap();
        assert_eq!(reply.headers()["content-length"], "7");
        let mut content = Vec::new();
        let error = loop {
            match reply.body_mut().frame().await.expect("the reply is not whole") {
                Ok(frame) => content.extend_from_slice(&frame.into_data().unwrap()),
                Err(error) => break Failure::from(error),
            }
        };
        assert_eq!(String::from_utf8(content).unwrap(), passed);
        assert!(is_reset(&error), "{error:?}");
    }
    proxy.inject(Rule::new(Fault::ResetResponse { after: 0 }));
    assert!(is_reset(&send(to, "PUT", "/b/k", &[], "x").await.expect_err("no body, no reply")));
}

#[tokio::test]
async fn applied_and_yet_an_error() {
    let (upstream, proxy, to) = quiet().await;
    proxy.inject(Rule::new(Fault::AppliedThenStatus { status: 500 }));
    proxy.inject(Rule::new(Fault::AppliedThenReset));
    assert_eq!(send(to, "PUT", "/b/one", &[], "1").await.unwrap().status, 500);
    assert!(is_reset(&send(to, "PUT", "/b/two", &[], "2").await.expect_err("reset")));
    assert_eq!(upstream.applied(), ["PUT /b/one", "PUT /b/two"]);
    let log = proxy.log();
    assert_eq!([log[0].status, log[0].upstream], [Some(500), Some(200)]);
    assert_eq!([log[1].status, log[1].upstream], [None, Some(200)]);
}

#[tokio::test]
async fn an_error_in_a_success() {
    let (upstream, proxy, to) = quiet().await;
    for applied in [false, true] {
        proxy.inject(Rule::new(Fault::ErrorInSuccess { code: "SlowDown", applied }));
        assert_eq!(get(to, "/b/none").await.unwrap().status, 404, "only copies and completions");
        let reply = send(to, "POST", "/b/k?uploadId=u", &[], "<parts/>").await.unwrap();
        assert_eq!(reply.status, 200);
        assert!(reply.body.contains("<Error><Code>SlowDown</Code>"), "{}", reply.body);
        assert_eq!(upstream.applied().contains(&"POST /b/k?uploadId=u".to_owned()), applied);
    }
}

#[tokio::test]
async fn a_copy_stays_pending_and_then_ends() {
    let (_upstream, proxy, to) = quiet().await;
    let copy = [("x-ms-copy-source", "http://127.0.0.1/b/from")];
    let ends = [(CopyEnd::Success, "success"), (CopyEnd::Failed, "failed"), (CopyEnd::Aborted, "aborted")];
    for (end, last) in ends {
        proxy.inject(Rule::new(Fault::PendingCopy { polls: 2, end }));
        let mut said =
            vec![send(to, "PUT", "/b/to", &copy, "").await.unwrap().headers["x-ms-copy-status"].clone()];
        for _ in 0..4 {
            said.push(send(to, "HEAD", "/b/to", &[], "").await.unwrap().headers["x-ms-copy-status"].clone());
        }
        assert_eq!(said, ["pending", "pending", "pending", last, last]);
    }
    send(to, "PUT", "/b/to", &[], "new").await.unwrap();
    let head = send(to, "HEAD", "/b/to", &[], "").await.unwrap();
    assert_eq!(head.headers["x-ms-copy-status"], "success", "what replaces the copy is not it");
}

#[tokio::test]
async fn stalls_hold_until_released() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put("/b/k", "content");
    let places = [
        (Place::BeforeRequest, 0),
        (Place::RequestBody(3), 0),
        (Place::BeforeResponse, 1),
        (Place::ResponseBody(3), 1),
    ];
    for (place, applied) in places {
        upstream.applied.lock().unwrap().clear();
        proxy.inject(Rule::new(Fault::Stall { place, hold: Hold::UntilReleased }));
        let client = tokio::spawn(send(to, "POST", "/b/k", &[], "content"));
        proxy.until_held(1).await;
        assert!(!client.is_finished(), "{place:?}");
        assert_eq!((proxy.held(), upstream.applied().len()), (1, applied), "{place:?}");
        proxy.release();
        assert_eq!(client.await.unwrap().unwrap().body, "content");
        assert_eq!(proxy.held(), 0);
    }
    let hold = Hold::For(Duration::from_millis(1));
    proxy.inject(Rule::new(Fault::Stall { place: Place::BeforeResponse, hold }));
    assert_eq!(get(to, "/b/k").await.unwrap().body, "content", "goes on by itself");
}

#[tokio::test]
async fn a_client_that_leaves_is_not_held() {
    let (_upstream, proxy, to) = quiet().await;
    let stall = Fault::Stall { place: Place::BeforeRequest, hold: Hold::UntilReleased };
    proxy.inject(Rule::new(stall));
    let client = tokio::spawn(get(to, "/b/k"));
    proxy.until_held(1).await;
    client.abort();
    drop(client.await);
    drop(proxy);
    assert!(TcpStream::connect(to).await.is_err(), "a stall does not keep the proxy alive");
}

#[tokio::test]
async fn a_drip_gives_piece_by_piece() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put("/b/k", "abc");
    proxy.inject(Rule::new(Fault::Drip { piece: 1, hold: Hold::UntilReleased }));
    let mut reply = open(to, "GET", "/b/k", &[], "").await.unwrap();
    for piece in ["a", "b", "c"] {
        proxy.until_held(1).await;
        proxy.release();
        let frame = reply.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    assert!(reply.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn a_truncated_listing_leads_to_its_rest() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put_keys(&["a", "b", "c", "d", "e"]);
    for (version, parameter, next) in
        [("list-type=2&", "continuation-token", "NextContinuationToken"), ("", "marker", "NextMarker")]
    {
        proxy.inject(Rule::new(Fault::TruncateListing { keep: 1, mark: Mark::Truncated }));
        let (mut all, mut target) = (Vec::new(), format!("/b?{version}"));
        let mut pages = 0;
        loop {
            let page = get(to, &target).await.unwrap().body;
            pages += 1;
            all.extend(keys(&page).into_iter().map(str::to_owned));
            match element(&page, next) {
                Some(token) => target = format!("/b?{version}{parameter}={token}"),
                None => break,
            }
        }
        assert_eq!(all, ["a", "b", "c", "d", "e"], "{version}");
        assert_eq!(pages, 3, "three and two, and one page more: {version}");
    }
}

#[tokio::test]
async fn a_truncated_listing_may_lie() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put_keys(&["a", "b"]);
    for (mark, says) in [(Mark::Complete, "false"), (Mark::TruncatedWithoutToken, "true")] {
        proxy.inject(Rule::new(Fault::TruncateListing { keep: 1, mark }));
        let page = get(to, "/b?list-type=2").await.unwrap().body;
        assert_eq!((keys(&page), element(&page, "IsTruncated")), (vec!["a"], Some(says)));
        assert_eq!(element(&page, "NextContinuationToken"), None);
    }
}

#[tokio::test]
async fn a_page_repeats() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put_keys(&["a", "b", "c", "d"]);
    for (target, next) in
        [("/b?list-type=2&continuation-token=c", "NextContinuationToken"), ("/b?marker=c", "NextMarker")]
    {
        proxy.inject(Rule::new(Fault::RepeatPage));
        get(to, "/b?list-type=2").await.unwrap();
        assert_eq!(proxy.rules_left(), 1, "a first page has no token to repeat");
        let page = get(to, target).await.unwrap().body;
        assert_eq!((keys(&page), element(&page, next)), (vec!["d"], Some("c")));
        assert_eq!(element(&page, "IsTruncated"), Some("true"));
        assert_eq!(element(&get(to, target).await.unwrap().body, next), None);
    }
}

#[tokio::test]
async fn start_after_is_ignored() {
    let (upstream, proxy, to) = quiet().await;
    upstream.put_keys(&["a", "b"]);
    proxy.inject(Rule::new(Fault::IgnoreStartAfter));
    assert_eq!(keys(&get(to, "/b?list-type=2").await.unwrap().body), ["a", "b"]);
    assert_eq!(keys(&get(to, "/b?list-type=2&start-after=a").await.unwrap().body), ["a", "b"]);
    assert_eq!(keys(&get(to, "/b?list-type=2&start-after=a").await.unwrap().body), ["b"]);
    assert_eq!(upstream.applied()[1], "GET /b?list-type=2");
}

#[tokio::test]
async fn bodies_stream() {
    let (upstream, _proxy, to) = quiet().await;
    let mut reply = open(to, "GET", "/b/halves", &[], "").await.unwrap();
    assert_eq!(reply.body_mut().frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    upstream.go_on.notify_one();
    assert_eq!(reply.body_mut().frame().await.unwrap().unwrap().into_data().unwrap(), "two");

    // The second half is made only when the upstream has the first.
    let told = Arc::clone(&upstream);
    let halves = stream::unfold(0, move |sent| {
        let told = Arc::clone(&told);
        async move {
            if sent == 1 {
                told.begun.notified().await;
            }
            (sent < 2).then(|| (Ok(Frame::data(Bytes::from("half"))), sent + 1))
        }
    });
    let body = StreamBody::new(halves).boxed_unsync();
    assert_eq!(open_with(to, "PUT", "/b/k", &[], body).await.unwrap().status(), 200);
    assert_eq!(upstream.objects.lock().unwrap()["/b/k"], "halfhalf");
}

/// What becomes of forty requests.
async fn storm(seed: u64) -> Vec<(Option<u16>, Option<Fault>)> {
    let schedule = Schedule::seeded(seed).rate(0.5).operations([s3::GET_OBJECT, s3::PUT_OBJECT]).budget(15);
    let (_upstream, proxy, to) = with(schedule).await;
    for n in 0..20 {
        drop(send(to, "PUT", &format!("/b/{n}"), &[], "content").await);
        drop(get(to, &format!("/b/{n}")).await);
        get(to, "/b").await.expect("no fault is for listings");
    }
    assert_eq!(proxy.counts().faults(), 15, "as many as the budget allows");
    proxy.log().into_iter().map(|entry| (entry.status, entry.fault)).collect()
}

#[tokio::test]
async fn a_seed_repeats() {
    let first = storm(1).await;
    assert_eq!(first, storm(1).await);
    assert_ne!(first, storm(2).await);
}

#[tokio::test]
async fn no_more_faults_when_they_are_stopped() {
    let (_upstream, proxy, to) = with(Schedule::seeded(1).rate(1.0).faults([Fault::AppliedThenReset])).await;
    get(to, "/b").await.expect_err("reset");
    proxy.inject(Rule::new(Fault::AppliedThenReset));
    proxy.stop_faults();
    get(to, "/b").await.unwrap();
}

#[tokio::test]
async fn dropping_ends_the_listener_and_the_connections() {
    let (upstream, proxy, to) = quiet().await;
    let mut reply = open(to, "GET", "/b/halves", &[], "").await.unwrap();
    reply.body_mut().frame().await.unwrap().unwrap();
    drop(proxy);
    upstream.go_on.notify_one();
    assert!(reply.body_mut().frame().await.unwrap().is_err(), "the reply is cut");
    assert!(TcpStream::connect(to).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn only_loopback_upstreams() {
    for away in ["192.0.2.1:80", "0.0.0.0:80", "[2001:db8::1]:80"] {
        let error = FaultProxy::start(away.parse().unwrap(), Schedule::none()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{away}");
    }
    // Whatever host the client names.
    let (upstream, _proxy, to) = quiet().await;
    get(to, "http://192.0.2.1/b/k").await.unwrap();
    assert_eq!(upstream.applied(), ["GET /b/k"]);
}

#[tokio::test]
async fn an_upstream_that_is_gone_is_a_bad_gateway() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = FaultProxy::start(gone, Schedule::none()).unwrap();
    assert_eq!(get(proxy.address(), "/b").await.unwrap().status, 502);
}
