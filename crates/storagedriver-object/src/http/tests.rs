#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::client::HttpRequest;
use storagedriver::url::Url;
use storagedriver::{ErrorKind, StoragePath, async_trait};

use super::{HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service, header};
use crate::{StoreError, StoreResult};

/// What the server does with one connection after it has read a request.
enum Act {
    /// Sends this and closes.
    Reply(String),
    /// Sends this and holds the connection open.
    ReplyAndHold(String),
    /// Closes without a word.
    Close,
    /// Reads the body slowly: so many bytes, then a pause, until it has all.
    ReadSlowly(usize, Duration),
}

/// A server that answers one request after the other as it was told, one on each connection.
struct Scripted {
    url: Url,
    heads: Arc<Mutex<Vec<String>>>,
    release: Arc<AtomicBool>,
}

impl Scripted {
    fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/bucket/key", listener.local_addr().unwrap())).unwrap();
        let (heads, release) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, released) = (heads.clone(), release.clone());
        thread::spawn(move || {
            for act in acts {
                let (mut stream, _) = listener.accept().unwrap();
                let (seen, released) = (seen.clone(), released.clone());
                let handle = thread::spawn(move || serve(&mut stream, &act, &seen, &released));
                // A reply that is held stays held while the next connection is served.
                drop(handle);
            }
        });
        Scripted { url, heads, release }
    }

    fn requests(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.release.store(true, Ordering::SeqCst);
    }
}

fn serve(stream: &mut TcpStream, act: &Act, seen: &Mutex<Vec<String>>, released: &AtomicBool) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    seen.lock().unwrap().push(head);
    let (piece, pause) = match act {
        Act::ReadSlowly(piece, pause) => (*piece, *pause),
        _ => (1 << 20, Duration::ZERO),
    };
    let mut body = vec![0; piece];
    let mut rest = length;
    while rest > 0 {
        let most = rest.min(piece);
        let read = stream.read(&mut body[..most]).unwrap_or(0);
        if read == 0 {
            return;
        }
        rest -= read;
        thread::sleep(pause);
    }
    match act {
        Act::Reply(text) => stream.write_all(text.as_bytes()).unwrap(),
        Act::ReplyAndHold(text) => {
            stream.write_all(text.as_bytes()).unwrap();
            while !released.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
        }
        Act::Close => {}
        Act::ReadSlowly(..) => stream.write_all(ok("").as_bytes()).unwrap(),
    }
}

fn ok(body: &str) -> String {
    status("200 OK", "", body)
}

fn status(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

#[derive(Debug, Default)]
struct Plain {
    signed: AtomicUsize,
    renews: bool,
    renewed: AtomicUsize,
}

#[async_trait]
impl Service for Plain {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        self.signed.fetch_add(1, Ordering::SeqCst);
        request.headers_mut().insert(header::AUTHORIZATION, "Bearer s3cr3t".parse().unwrap());
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        let mut refusal = Refusal::plain(head, body);
        refusal.request_id = head.header("x-request-id").map(str::to_owned);
        refusal
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusal.status == 403
    }

    async fn renew(&self) -> bool {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        self.renews
    }
}

fn client() -> HttpClient {
    client_with(Duration::from_millis(400))
}

fn client_with(stall: Duration) -> HttpClient {
    let options = HttpOptions {
        stall_timeout: stall,
        first_wait: Duration::from_millis(2),
        max_wait: Duration::from_millis(20),
        attempts: 4,
        ..HttpOptions::default()
    };
    HttpClient::new("test", options).unwrap()
}

async fn get(server: &Scripted, service: &Plain) -> StoreResult<Bytes> {
    let request = Request::new("GetThing", Method::GET, server.url.clone());
    client().exchange(service, &request, 100, |_, body| Ok(body)).await
}

/// As the driver reports it.
fn told(error: StoreError) -> (ErrorKind, String) {
    let error = error.at(&StoragePath::parse("/a").unwrap());
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_reply_is_collected() {
    let server = Scripted::start(vec![Act::Reply(ok("content"))]);
    assert_eq!(get(&server, &Plain::default()).await.unwrap(), "content");
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /bucket/key HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[0].contains("user-agent: storagedriver/"), "{requests:?}");
}

/// Ceph refuses a put that does not tell its length.
#[tokio::test]
async fn nothing_tells_its_length_where_something_could_be() {
    let server = Scripted::start((0..4).map(|_| Act::Reply(ok(""))).collect());
    for method in [Method::PUT, Method::POST, Method::GET, Method::DELETE] {
        let request = Request::new("DoThing", method, server.url.clone());
        client().exchange(&Plain::default(), &request, 10, |_, _| Ok(())).await.unwrap();
    }
    let told: Vec<bool> =
        server.requests().iter().map(|head| head.contains("\r\ncontent-length: 0\r\n")).collect();
    assert_eq!(told, [true, true, false, false]);
}

#[tokio::test]
async fn what_may_pass_is_sent_again_and_signed_again() {
    let busy = || Act::Reply(status("503 Slow Down", "retry-after: 0\r\n", "busy"));
    let server = Scripted::start(vec![busy(), Act::Close, busy(), Act::Reply(ok("x"))]);
    let service = Plain::default();
    assert_eq!(get(&server, &service).await.unwrap(), "x");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(service.signed.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn attempts_end() {
    let busy = || Act::Reply(status("503 Slow Down", "x-request-id: 7\r\n", "busy"));
    let server = Scripted::start((0..9).map(|_| busy()).collect());
    let (kind, text) = told(get(&server, &Plain::default()).await.unwrap_err());
    assert_eq!(server.requests().len(), 4);
    assert_eq!(kind, ErrorKind::Throttled);
    for part in ["GetThing", "503", "busy", "request id 7"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn a_store_that_wants_to_be_left_alone_is() {
    let server = Scripted::start(vec![Act::Reply(status("429 Too Many", "retry-after: 3600\r\n", ""))]);
    let error = get(&server, &Plain::default()).await.unwrap_err();
    let error = error.at(&StoragePath::parse("/a").unwrap());
    assert_eq!(server.requests().len(), 1);
    match error {
        storagedriver::Error::Throttled { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_secs(3600)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_cannot_pass_is_sent_once() {
    for (line, kind) in [
        ("403 Forbidden", ErrorKind::PermissionDenied),
        ("401 Unauthorized", ErrorKind::Unauthenticated),
        ("409 Conflict", ErrorKind::Conflict),
        ("412 Precondition Failed", ErrorKind::Conflict),
        ("404 Not Found", ErrorKind::PathNotFound),
        ("507 Full", ErrorKind::OutOfSpace),
        ("400 Bad Request", ErrorKind::Backend),
        ("301 Moved Permanently", ErrorKind::Backend),
    ] {
        let server =
            Scripted::start(vec![Act::Reply(status(line, "location: http://127.0.0.1:9/\r\n", "no"))]);
        let error = get(&server, &Plain::default()).await.unwrap_err();
        assert_eq!(told(error).0, kind, "{line}");
        assert_eq!(server.requests().len(), 1, "{line}");
    }
}

#[tokio::test]
async fn expired_credentials_are_renewed_once() {
    let expired = || Act::Reply(status("403 Forbidden", "", "expired"));
    let server = Scripted::start(vec![expired(), Act::Reply(ok("x"))]);
    assert_eq!(get(&server, &Plain { renews: true, ..Plain::default() }).await.unwrap(), "x");
    let server = Scripted::start(vec![expired(), expired(), expired()]);
    let error = get(&server, &Plain { renews: true, ..Plain::default() }).await.unwrap_err();
    assert_eq!(told(error).0, ErrorKind::PermissionDenied);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn credentials_that_expire_for_many_are_renewed_once() {
    let expired = || Act::Reply(status("403 Forbidden", "", "expired"));
    let service = Plain { renews: true, ..Plain::default() };
    let client = client();
    let old = Instant::now();
    // Refused before and after somebody renewed: whoever began before takes what is there now.
    assert!(client.renew(&service, old).await);
    assert!(client.renew(&service, old).await);
    assert_eq!(service.renewed.load(Ordering::SeqCst), 1);
    // What began after it was refused with the new ones.
    let server = Scripted::start(vec![expired(), Act::Reply(ok("x"))]);
    let request = Request::new("GetThing", Method::GET, server.url.clone());
    client.exchange(&service, &request, 100, |_, body| Ok(body)).await.unwrap();
    assert_eq!(service.renewed.load(Ordering::SeqCst), 2);
    // No refusal of the credentials: nobody tries again because they were renewed meanwhile.
    let server = Scripted::start(vec![Act::Reply(status("404 Not Found", "", "no")), Act::Reply(ok("x"))]);
    assert!(get(&server, &service).await.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_error_inside_a_success_counts_as_one() {
    let server = Scripted::start(vec![Act::Reply(ok("InternalError")), Act::Reply(ok("fine"))]);
    let request = Request::new("CopyThing", Method::PUT, server.url.clone());
    let parse = |_: &ReplyHead, body: Bytes| match &body[..] {
        b"fine" => Ok(()),
        _ => Err(Refusal::new(super::StatusCode::INTERNAL_SERVER_ERROR)),
    };
    client().exchange(&Plain::default(), &request, 100, parse).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_reply_that_is_cut_or_stalls_is_asked_for_again() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal".to_owned();
    let server =
        Scripted::start(vec![Act::Reply(cut.clone()), Act::ReplyAndHold(cut), Act::Reply(ok("complete!"))]);
    assert_eq!(get(&server, &Plain::default()).await.unwrap(), "complete!");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_dead_peer_is_noticed() {
    let server = Scripted::start((0..4).map(|_| Act::ReplyAndHold(String::new())).collect());
    let (kind, text) = told(get(&server, &Plain::default()).await.unwrap_err());
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(text.contains("nothing moved for 0.4 s") && text.contains("4 attempts"), "{text}");
}

#[tokio::test]
async fn a_slow_upload_is_no_stall() {
    // Twice as long in all as the stall timeout, and never silent for as long.
    let body = vec![7; 32 << 20];
    let server = Scripted::start(vec![Act::ReadSlowly(1 << 20, Duration::from_millis(100))]);
    let request = Request::new("PutThing", Method::PUT, server.url.clone()).body(body);
    let client = client_with(Duration::from_millis(1500));
    client.exchange(&Plain::default(), &request, 100, |_, _| Ok(())).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    assert!(server.requests()[0].contains("content-length: 33554432"), "{:?}", server.requests());
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = Url::parse(&format!("http://127.0.0.1:{port}/bucket/key?X-Amz-Signature=s3cr3t")).unwrap();
    let request = Request::new("GetThing", Method::GET, url);
    let error = client().exchange(&Plain::default(), &request, 100, |_, body| Ok(body)).await.unwrap_err();
    let shown = format!("{error:?}");
    let (kind, text) = told(error);
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(text.contains("refused") && text.contains("check the endpoint"), "{text}");
    assert!(!text.contains("s3cr3t") && !shown.contains("s3cr3t"), "{text} {shown}");
}

#[tokio::test]
async fn plain_http_where_tls_is_expected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let url = Url::parse(&format!("https://127.0.0.1:{port}/bucket/key")).unwrap();
    let request = Request::new("GetThing", Method::GET, url);
    let error = client().exchange(&Plain::default(), &request, 100, |_, body| Ok(body)).await.unwrap_err();
    let (kind, text) = told(error);
    assert_eq!(kind, ErrorKind::Backend, "{text}");
    assert!(text.contains("TLS failed") && text.contains("its scheme"), "{text}");
}

#[tokio::test]
async fn a_reply_above_the_limit_is_refused() {
    let server = Scripted::start(vec![Act::Reply(ok(&"x".repeat(101)))]);
    let (kind, text) = told(get(&server, &Plain::default()).await.unwrap_err());
    assert_eq!(kind, ErrorKind::Backend);
    assert!(text.contains("more than 100 bytes"), "{text}");
}

fn ranged(url: &Url, from: u64) -> Request {
    let request = Request::new("GetThing", Method::GET, url.clone());
    if from == 0 { request } else { request.header(header::RANGE, &format!("bytes={from}-")).unwrap() }
}

async fn download(server: &Scripted) -> StoreResult<Bytes> {
    let url = server.url.clone();
    let resume = {
        let url = url.clone();
        Box::new(move |from| ranged(&url, from))
    };
    let (_, mut body) = client().download(Arc::new(Plain::default()), ranged(&url, 0), resume).await?;
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&chunk?);
    }
    Ok(whole.freeze())
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut() {
    let server = Scripted::start(vec![
        Act::Reply(status("503 Busy", "", "")),
        Act::Reply("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal".to_owned()),
        Act::Reply(status("500 Oops", "", "")),
        Act::ReplyAndHold("HTTP/1.1 206 Partial Content\r\ncontent-length: 6\r\n\r\nf a".to_owned()),
        Act::Reply("HTTP/1.1 206 Partial Content\r\ncontent-length: 3\r\n\r\nnd.".to_owned()),
    ]);
    assert_eq!(download(&server).await.unwrap(), "half and.");
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert!(
        requests[2].contains("range: bytes=3-") && requests[4].contains("range: bytes=6-"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_download_does_not_begin_anew_nor_go_on_in_another_version() {
    let cut = || Act::Reply("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal".to_owned());
    let server = Scripted::start(vec![cut(), cut()]);
    let (kind, text) = told(download(&server).await.unwrap_err());
    assert_eq!(kind, ErrorKind::Unavailable, "{text}");
    let server = Scripted::start(vec![cut(), Act::Reply(status("412 Precondition Failed", "", ""))]);
    assert!(matches!(download(&server).await, Err(StoreError::Precondition)));
}

#[tokio::test]
async fn a_download_that_is_cut_at_its_last_byte_is_whole() {
    let server = Scripted::start(vec![Act::ReplyAndHold(
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhole".chars().take(43).collect(),
    )]);
    assert_eq!(download(&server).await.unwrap().len(), 4);
}

#[test]
fn waits_asked_for_are_read() {
    let head = |value: &str| {
        let mut headers = super::HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        ReplyHead { status: super::StatusCode::SERVICE_UNAVAILABLE, headers }
    };
    assert_eq!(head("12").retry_after(), Some(Duration::from_secs(12)));
    assert_eq!(head("Wed, 21 Oct 2015 07:28:00 GMT").retry_after(), Some(Duration::ZERO));
    assert_eq!(head("soon").retry_after(), None);
}
